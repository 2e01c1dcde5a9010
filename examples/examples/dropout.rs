//! Learns few digits with and without dropout of hidden units, and tells what it does to features and to unseen rows.
//!
//! `cargo run --release -p harmonium-examples --example dropout [-- --short]`
#![allow(clippy::print_stdout)] // An example speaks.

use std::path::Path;

use harmonium::data::{ReadOptions, open};
use harmonium::prelude::*;
use harmonium::rbm::Dropout;
use harmonium_examples::Arguments;
use ndarray::Array2;

fn main() -> Result<(), Error> {
    let key = Key::from_seed(1);
    let rows = digits()?;
    let (train, test) = (rows.gather(0..200), rows.gather(1497..1797));
    let epochs = if Arguments::read().short { 20 } else { 600 };
    println!("rate, log-likelihood of 200 rows and of unseen ones, mean activity of the hidden units");
    for rate in [0.0, 0.1, 0.2, 0.5] {
        let mut rbm = Rbm::for_data(&train, Units::Bernoulli(16), key)?;
        let options = Fit { epochs, batch: 20, ..Fit::default() };
        let mut dropout = Dropout::new(rate, Cd::new(1));
        fit(&mut rbm, &train, &mut dropout, &options, key, &mut Silent)?;
        let mean = dropout.expected(&rbm)?;
        let [seen, unseen] = [&train, &test].map(|rows| mean.exact_likelihood(rows));
        let activity = mean.transform(&test)?.mean().unwrap_or_default();
        println!("{rate}  {:.2}  {:.2}  {activity:.3}", seen?.log_likelihood, unseen?.log_likelihood);
    }
    Ok(())
}

/// Reads the digits as ink, 8 of 16 or more, and paper.
fn digits() -> Result<Batch, Error> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/digits/digits.csv.gz");
    let table = open(&file, &ReadOptions::default())?;
    let ink = |(row, pixel)| f32::from(u8::from(table.value(row, pixel) >= 8.0));
    Batch::new(Array2::from_shape_fn((table.rows(), 64), ink).view())
}
