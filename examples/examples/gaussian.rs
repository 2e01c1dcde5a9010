//! Learns grey 8 × 8 digits with real visible units, of one variance and of one that each learns, and gives samples in the
//! data's own units.
//!
//! `cargo run --release -p harmonium-examples --example gaussian`
#![allow(clippy::print_stdout)] // An example speaks.

use std::path::Path;

use harmonium::data::{ReadOptions, open, split_last};
use harmonium::prelude::*;
use ndarray::Array2;

fn main() -> Result<(), Error> {
    let key = Key::from_seed(1);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/digits/digits.csv.gz");
    let table = open(&file, &ReadOptions::default())?;
    // Grey values from 0 to 16; the last column is the label.
    let rows = Batch::reals(Array2::from_shape_fn((table.rows(), 64), |(r, c)| table.value(r, c)))?;
    let (train, test) = split_last(rows.rows(), 300)?;
    let (train, test) = (rows.gather(train), rows.gather(test));

    let train_with = |visible: Units| {
        // Real columns are standardised inside.
        let mut rbm = Rbm::fitted(visible.clone(), &train, Units::Bernoulli(16), key)?;
        println!("{visible}");
        println!("  before     {:.2} nats a row", rbm.exact_likelihood(&test)?.log_likelihood);
        let rate = Schedule::Linear { from: 0.02, to: 0.0 };
        let options = Fit { epochs: 60, learning_rate: rate, ..Fit::default() };
        fit(&mut rbm, &train, &mut Pcd::default(), &options, key, &mut Silent)?;
        println!("  60 epochs  {:.2} nats a row", rbm.exact_likelihood(&test)?.log_likelihood);
        Ok::<_, Error>(rbm)
    };
    train_with(Units::Gaussian(64))?;
    let rbm = train_with(Units::Diagonal(64))?; // a variance of each unit that is learned

    let sample = rbm.sample(1, 500, key, &mut |_| ()).to_array();
    for line in sample.row(0).to_vec().chunks(8) {
        let ink = |x: &f32| [' ', '.', '+', '#'][(x / 4.5).clamp(0.0, 3.0) as usize];
        println!("{}", line.iter().map(ink).collect::<String>());
    }
    Ok(())
}
