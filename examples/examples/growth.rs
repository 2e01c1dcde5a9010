//! Grows a machine from 4 to 8 and to 16 hidden units within one training, on 8 × 8 digits, beside one that has 16 throughout.
//! All likelihoods are exact.
//!
//! `cargo run --release -p harmonium-examples --example growth [-- --short]`
#![allow(clippy::print_stdout)] // An example speaks.

use std::ops::ControlFlow;
use std::path::Path;

use harmonium::data::{ReadOptions, open, split_last};
use harmonium::prelude::*;
use harmonium::train::Growth;
use harmonium_examples::Arguments;
use ndarray::Array2;

fn main() -> Result<(), Error> {
    let (train, test) = digits()?;
    let stage = if Arguments::read().short { 5 } else { 200 };
    let plan = vec![Growth::new(stage, 8), Growth::new(2 * stage, 16)];
    println!(
        "hidden units, epochs, test log-likelihood; before training {:.2}",
        run(4, 0, &[], &train, &test, 1)?
    );
    run(4, 3 * stage, &plan, &train, &test, stage)?;
    run(16, 3 * stage, &[], &train, &test, stage)?;
    Ok(())
}

/// Trains in one go, says how far it is at the end of each stage, and gives the last likelihood.
fn run(
    hidden: usize,
    epochs: u32,
    plan: &[Growth],
    train: &Batch,
    test: &Batch,
    stage: u32,
) -> Result<f64, Error> {
    let key = Key::from_seed(1);
    let mut rbm = Rbm::for_data(train, Units::Bernoulli(hidden), key)?;
    let options =
        Fit { epochs, learning_rate: Schedule::Constant(0.05), growth: plan.to_vec(), ..Fit::default() };
    let mut watch = |step: &Step<'_, Rbm>| {
        if step.ends_epoch && step.training.epoch().is_multiple_of(stage) {
            let likelihood = step.model.exact_likelihood(test).map_or(f64::NAN, |found| found.log_likelihood);
            println!("{:>4} {:>5} {likelihood:>9.2}", step.model.hidden_units(), step.training.epoch());
        }
        ControlFlow::Continue(())
    };
    fit(&mut rbm, train, &mut Pcd::default(), &options, key, &mut watch)?;
    Ok(rbm.exact_likelihood(test)?.log_likelihood)
}

/// Reads the digits as ink, 8 of 16 or more, and paper.
fn digits() -> Result<(Batch, Batch), Error> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/digits/digits.csv.gz");
    let table = open(&file, &ReadOptions::default())?;
    let ink = |(row, pixel)| f32::from(u8::from(table.value(row, pixel) >= 8.0));
    let rows = Batch::new(Array2::from_shape_fn((table.rows(), 64), ink).view())?;
    let (train, test) = split_last(rows.rows(), 300)?;
    Ok((rows.gather(train), rows.gather(test)))
}
