//! Trains a small machine on 8 × 8 digits and prints exact log-likelihoods.
//!
//! `cargo run --release -p harmonium-examples --example quickstart`
#![allow(clippy::print_stdout)] // An example speaks.

use std::path::Path;

use harmonium::data::{ReadOptions, open, split_last};
use harmonium::prelude::*;
use ndarray::Array2;

fn main() -> Result<(), Error> {
    let key = Key::from_seed(1);
    let rows = digits()?;
    let (train, test) = split_last(rows.rows(), 300)?;
    let (train, test) = (rows.gather(train), rows.gather(test));

    // Sixteen hidden units can be enumerated, so nothing below is an estimate.
    let mut rbm = Rbm::for_data(&train, Units::Bernoulli(16), key)?;
    println!("before      {}", rbm.log_likelihood(&test, &Annealing::default(), key)?);
    let options =
        Fit { epochs: 100, learning_rate: Schedule::Linear { from: 0.2, to: 0.0 }, ..Fit::default() };
    fit(&mut rbm, &train, &mut Pcd::default(), &options, key, &mut Silent)?;
    println!("100 epochs  {}", rbm.log_likelihood(&test, &Annealing::default(), key)?);
    Ok(())
}

/// Reads the digits; a pixel of at least 8 of 16 is ink. The last column is the label.
fn digits() -> Result<Batch, Error> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/digits/digits.csv.gz");
    let table = open(&file, &ReadOptions::default())?;
    let ink = |(r, c)| f32::from(u8::from(table.value(r, c) >= 8.0));
    Batch::new(Array2::from_shape_fn((table.rows(), 64), ink).view())
}
