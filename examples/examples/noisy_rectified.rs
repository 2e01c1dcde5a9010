//! Learns thresholded 8 × 8 digits with noisy rectified units by CD, beside exact rectified ones: many features are exactly zero,
//! and there is no likelihood to ask for.
//!
//! `cargo run --release -p harmonium-examples --example noisy_rectified [-- --short]`
#![allow(clippy::print_stdout)] // An example speaks.

use std::path::Path;

use harmonium::data::{ReadOptions, open, split_last};
use harmonium::prelude::*;
use harmonium_examples::Arguments;
use ndarray::Array2;

fn main() -> Result<(), Error> {
    let (key, short) = (Key::from_seed(1), Arguments::read().short);
    let epochs = if short { 10 } else { 100 };
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/digits/digits.csv.gz");
    let table = open(&file, &ReadOptions::default())?;
    // Grey values from 0 to 16; the last column is the label.
    let ink = |(r, c): (usize, usize)| f32::from(u8::from(table.value(r, c) >= 8.0));
    let rows = Batch::new(Array2::from_shape_fn((table.rows(), 64), ink).view())?;
    let (train, test) = split_last(rows.rows(), 300)?;
    let (train, test) = (rows.gather(train), rows.gather(test));

    for hidden in [Units::Relu(48), Units::NoisyRelu(48)] {
        let mut rbm = Rbm::fitted(Units::Bernoulli(64), &train, hidden.clone(), key)?;
        let options = Fit { epochs, batch: 50, method: Method::adam(), ..Fit::default() };
        let options = Fit { learning_rate: Schedule::Linear { from: 0.003, to: 0.0 }, ..options };
        fit(&mut rbm, &train, &mut Cd::new(1), &options, key, &mut Silent)?;

        let means = rbm.reconstruct(&test, key)?;
        let error = (&means - &test.to_array()).mapv(|x| x * x).sum() / test.rows() as f32;
        let drawn = rbm.infer(&test, key).hidden().to_array();
        let zeros = drawn.iter().filter(|x| **x == 0.0).count() as f64 / drawn.len() as f64;
        println!("{hidden}: one pass up and down misses {error:.2} of 64 pixels");
        println!("  {:.0} % of the drawn units are exactly 0", 100.0 * zeros);
        // No energy has these draws for its law: the library says so and gives no number.
        match rbm.path(rbm.base()) {
            Ok(_) => println!("  ln Z can be estimated by annealing"),
            Err(refusal) => println!("  {refusal}"),
        }
    }
    Ok(())
}
