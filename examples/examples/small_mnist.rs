//! Learns MNIST with sixteen hidden units, few enough to enumerate, and prints the exact test log-likelihood.
//!
//! `cargo run --release -p harmonium-examples --example small_mnist`; with `-- --inverted` black is white, which must change
//! nothing but noise; with `-- --valid` it trains on 50,000 rows and judges by the others; with `-- --short` one epoch.
#![allow(clippy::print_stdout)] // An example speaks.

use harmonium::BitMatrix;
use harmonium::data::{Binarize, Part, ReadOptions, Source, split_last};
use harmonium::prelude::*;
use harmonium::train::{Average, Training};
use harmonium_examples::{Arguments, measure};

fn main() -> Result<(), Error> {
    let arguments = Arguments::read();
    let inverted = arguments.has("--inverted");
    let (mut train, mut test) = (rows(Part::Train, inverted)?, rows(Part::Test, inverted)?);
    if arguments.has("--valid") {
        let (first, last) = split_last(train.rows(), 10_000)?;
        (train, test) = (train.gather(first), train.gather(last));
    }
    let (seeds, epochs) = if arguments.short { (1, 1) } else { (5, 50) };
    measure("log-likelihood", seeds, |key| {
        Ok(machine(&train, epochs, key)?.exact_likelihood(&test)?.log_likelihood)
    })
}

fn machine(train: &Batch, epochs: u32, key: Key) -> Result<Rbm, Error> {
    let mut rbm = Rbm::for_data(train, Units::Bernoulli(16), key)?;
    let options = Fit {
        epochs,
        learning_rate: Schedule::Linear { from: 0.2, to: 0.0 },
        centre: Some(Centre::default()),
        average: Some(Average::default()),
        ..Fit::default()
    };
    let mut training = Training::new(&rbm, train, &options)?;
    training.run(&mut rbm, train, &mut Pcd::new(1, 100), key, &mut Silent)?;
    Ok(training.averaged(&rbm).unwrap_or(rbm))
}

/// Reads the pixels of at least 128 of 255 as ink, or as paper.
fn rows(part: Part, inverted: bool) -> Result<Batch, Error> {
    let rows = Source::Mnist.load(part, &ReadOptions::default(), Binarize::Threshold, Key::from_seed(1))?;
    let rows = rows.ok_or_else(|| Error::shape("mnist", "rows", "none"))?;
    let bits = rows.bits()?;
    Batch::from_bits(BitMatrix::from_fn(bits.rows(), bits.units(), |r, u| bits.get(r, u) != inverted))
}
