//! Puts a machine of 100 units before a logistic regression, as scikit-learn's example on digits does, and without its leak.
//!
//! `cargo run --release -p harmonium-examples --example digits [-- [SEEDS] [--short] [--valid]]`: seeds 1 to SEEDS, five if none
//! is named. The honest protocol splits the digits before they are copied. Grey pixels are probabilities, which the machine takes as
//! they are, and its features are the means of the hidden units at them. `--valid` judges by a part of the training rows.
#![allow(clippy::print_stdout)] // An example speaks.

use harmonium::linear::{Logistic, Regression};
use harmonium::prelude::*;
use harmonium::rbm::Grey;
use harmonium::train::Silent;
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
        for epochs in if arguments.short { [1, 2] } else { [10, 20] } {
            measure(&format!("{epochs} epochs: accuracy"), seeds, |key| {
                let machine = machine(&split.0, epochs, key)?;
                judged(&split, |pixels| machine.transform_grey(pixels))
            })?;
        }
    }
    Ok(())
}

/// Trains by the options of scikit-learn's example.
fn machine(train: &Digits, epochs: u32, key: Key) -> Result<Rbm, Error> {
    let mut grey = Grey::new(Rbm::for_data(&train.bits(key)?, Units::Bernoulli(100), key)?)?;
    let options = Fit { epochs, batch: 10, learning_rate: Schedule::Constant(0.06), ..Fit::default() };
    let rows = Batch::reals(train.pixels.clone())?;
    fit(&mut grey, &rows, &mut Pcd::new(1, 10), &options, key, &mut Silent)?;
    Ok(grey.into_rbm())
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
