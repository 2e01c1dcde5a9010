//! Puts a machine of 100 units before a logistic regression, as scikit-learn's example on digits does, and without its leak.
//!
//! `cargo run --release -p harmonium-examples --example digits [-- [SEEDS] [--short] [--valid]]`: seeds 1 to SEEDS, five if none
//! is named. The honest protocol splits the digits before they are copied. Grey pixels are probabilities: the machine learns
//! bits drawn anew for each epoch, and its features are the means of the hidden units at the grey values. `--valid` judges
//! by a part of the training rows, as the recipe was chosen.
#![allow(clippy::print_stdout)] // An example speaks.

use std::ops::ControlFlow;

use harmonium::linear::{Logistic, Regression};
use harmonium::prelude::*;
use harmonium::train::{Estimator, Sparsity, Training};
use harmonium_examples::digits::{Digits, Split, honest, published};
use harmonium_examples::{Arguments, measure};
use ndarray::Array2;

fn main() -> Result<(), Error> {
    let arguments = Arguments::read();
    let valid = arguments.has("--valid");
    let seeds = arguments.words.iter().find_map(|word| word.parse().ok());
    let seeds = seeds.unwrap_or(if arguments.short { 1 } else { 5 });
    for (protocol, split) in [("published", published(valid)?), ("honest", honest(valid)?)] {
        let split = if arguments.short { (split.0.first(1_000), split.1) } else { split };
        println!("{protocol}: {} rows, {} to judge by", split.0.labels.len(), split.1.labels.len());
        println!("raw pixels {:.4}", judged(&split, |pixels| Ok(pixels.clone()))?);
        let epochs = if arguments.short { [1, 2] } else { [10, 20] };
        for (epochs, sparse) in [(epochs[0], false), (epochs[0], true), (epochs[1], true)] {
            let recipe = if sparse { "sparse, CD-1" } else { "plain, PCD-1" };
            measure(&format!("{recipe}, {epochs} epochs: accuracy"), seeds, |key| {
                let machine = machine(&split.0, epochs, sparse, key)?;
                judged(&split, |pixels| machine.transform_grey(pixels))
            })?;
        }
    }
    Ok(())
}

/// Trains on bits that are drawn anew for each epoch: as scikit-learn does otherwise, or with momentum and hidden units that
/// are on in a tenth of the rows.
fn machine(train: &Digits, epochs: u32, sparse: bool, key: Key) -> Result<Rbm, Error> {
    let first = train.bits(0, key)?;
    let mut rbm = Rbm::for_data(&first, Units::Bernoulli(100), key)?;
    let plain = Fit { epochs, batch: 10, learning_rate: Schedule::Constant(0.06), ..Fit::default() };
    let momentum = Schedule::Constant(0.7);
    let sparsity = Some(Sparsity { target: 0.1, strength: 0.5 });
    let options = if sparse { Fit { sparsity, method: Method::Sgd { momentum }, ..plain } } else { plain };
    let mut training = Training::new(&rbm, &first, &options)?;
    let mut epoch_ends = |step: &Step<'_, Rbm>| {
        if step.ends_epoch { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let (mut cd, mut pcd) = (Cd::new(1), Pcd::new(1, 10));
    for epoch in 0..u64::from(epochs) {
        let estimator: &mut dyn Estimator<Rbm> = if sparse { &mut cd } else { &mut pcd };
        training.run(&mut rbm, &train.bits(epoch, key)?, estimator, key, &mut epoch_ends)?;
    }
    Ok(rbm)
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
