//! Puts a machine of 100 units before a logistic regression, as scikit-learn's example on digits does, and without its leak.
//!
//! `cargo run --release -p harmonium-examples --example digits [-- [SEEDS] [--short] [--valid]]`: seeds 1 to SEEDS, five if none
//! is named. In the published protocol copies of training digits are among the test rows; the honest one splits the digits
//! first. Grey pixels are probabilities: the machine is trained on bits that are drawn anew for each epoch, and its features
//! are the means of the hidden units at the grey values. `--valid` judges by a part of the training rows, as the recipe was
//! chosen.
#![allow(clippy::print_stdout)] // An example speaks.

use std::ops::ControlFlow;

use harmonium::data::{Binarize, Table, binarize};
use harmonium::linear::{Logistic, Regression};
use harmonium::prelude::*;
use harmonium::train::{Average, Training};
use harmonium_examples::digits::{Digits, Split, honest, published};
use harmonium_examples::{Arguments, measure};
use ndarray::Array2;

fn main() -> Result<(), Error> {
    let arguments = Arguments::read();
    let valid = arguments.has("--valid");
    let seeds = arguments.words.iter().find_map(|word| word.parse().ok()).unwrap_or(if arguments.short {
        1
    } else {
        5
    });
    for (protocol, split) in [("published", published(valid)?), ("honest", honest(valid)?)] {
        let split = if arguments.short { (split.0.first(1_000), split.1) } else { split };
        println!(
            "{protocol}: {} rows to train on, {} to judge by",
            split.0.labels.len(),
            split.1.labels.len()
        );
        println!("raw pixels {:.4}", judged(&split, |pixels| Ok(pixels.clone()))?);
        for epochs in if arguments.short { [1, 2] } else { [10, 20] } {
            measure(&format!("{epochs} epochs, accuracy"), seeds, |key| {
                let machine = machine(&split.0, epochs, key)?;
                judged(&split, |pixels| machine.transform_grey(pixels))
            })?;
        }
    }
    Ok(())
}

/// Trains on bits that are drawn anew for each epoch.
fn machine(train: &Digits, epochs: u32, key: Key) -> Result<Rbm, Error> {
    let first = bits(&train.pixels, 0, key)?;
    let mut rbm = Rbm::for_data(&first, Units::Bernoulli(100), key)?;
    let options = Fit { epochs, batch: 10, learning_rate: Schedule::Constant(0.06), ..Fit::default() };
    let mut training = Training::new(&rbm, &first, &options)?;
    let mut epoch_ends = |step: &Step<'_, Rbm>| {
        if step.ends_epoch { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let mut pcd = Pcd::new(1, 10);
    for epoch in 0..u64::from(epochs) {
        training.run(&mut rbm, &bits(&train.pixels, epoch, key)?, &mut pcd, key, &mut epoch_ends)?;
    }
    Ok(training.averaged(&rbm).unwrap_or(rbm))
}

fn bits(pixels: &Array2<f32>, epoch: u64, key: Key) -> Result<Batch, Error> {
    let table = Table::from_reals("pixels", pixels.nrows(), 64, pixels.iter().copied().collect())?;
    Batch::from_bits(binarize(&table, Binarize::Sample, key.fold_in(purpose::BINARIZE).fold_in(epoch))?)
}

/// Fits a regression with C = 6000 to features of the training rows, to convergence, and judges it by the others.
fn judged(
    split: &Split,
    features: impl Fn(&Array2<f32>) -> Result<Array2<f32>, Error>,
) -> Result<f64, Error> {
    let options = Regression { c: 6_000.0, ..Regression::default() };
    let model = Logistic::fit(features(&split.0.pixels)?.view(), &split.0.labels, 10, &options)?;
    model.accuracy(features(&split.1.pixels)?.view(), &split.1.labels)
}
