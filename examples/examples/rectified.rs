//! Learns thresholded 8 × 8 digits with hidden units that have a strength, positive (ReLU) or of both signs with a kink at 0
//! (dReLU), beside as many that are on or off.
//!
//! `cargo run --release -p harmonium-examples --example rectified [-- --short]`
#![allow(clippy::print_stdout)] // An example speaks.

use std::path::Path;

use harmonium::data::{ReadOptions, open, split_last};
use harmonium::evaluate::{Ais, Betas};
use harmonium::prelude::*;
use harmonium_examples::Arguments;
use ndarray::Array2;

fn main() -> Result<(), Error> {
    let (key, short) = (Key::from_seed(1), Arguments::read().short);
    let (epochs, betas) = if short { (10, 300) } else { (200, 5_000) };
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/digits/digits.csv.gz");
    let table = open(&file, &ReadOptions::default())?;
    // Grey values from 0 to 16; the last column is the label.
    let ink = |(r, c): (usize, usize)| f32::from(u8::from(table.value(r, c) >= 8.0));
    let rows = Batch::new(Array2::from_shape_fn((table.rows(), 64), ink).view())?;
    let (train, test) = split_last(rows.rows(), 300)?;
    let (train, test) = (rows.gather(train), rows.gather(test));

    let annealing = Annealing { ais: Ais { runs: 100, betas: Betas::Count(betas) }, ..Annealing::default() };
    for hidden in [Units::Bernoulli(24), Units::Relu(24), Units::Drelu(24)] {
        let mut rbm = Rbm::fitted(Units::Bernoulli(64), &train, hidden.clone(), key)?;
        let options = Fit { epochs, batch: 50, method: Method::adam(), ..Fit::default() };
        let options = Fit { learning_rate: Schedule::Linear { from: 0.005, to: 0.0 }, ..options };
        fit(&mut rbm, &train, &mut Pcd::new(2, 200), &options, key, &mut Silent)?;
        let found = rbm.annealed_likelihood(&test, &annealing, key, &mut |_, _, _| ())?;
        println!("{hidden}: {found}");
        let means = rbm.reconstruct(&test, key)?;
        let error = (&means - &test.to_array()).mapv(|x| x * x).sum() / test.rows() as f32;
        println!("  one pass up and down misses {error:.2} of 64 pixels");
        // A strength tells more than a bit: how many values the features of a test row take.
        let features = rbm.transform(&test)?;
        let strong = features.iter().filter(|x| **x > 1.5).count() as f64 / features.len() as f64;
        println!("  {:.0} % of the features are above 1.5", 100.0 * strong);
    }
    Ok(())
}
