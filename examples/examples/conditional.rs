//! Completes 8 × 8 digits: the lower half given the upper one, by a conditional machine whose likelihoods are exact.
//!
//! `cargo run --release -p harmonium-examples --example conditional [-- --short]`
#![allow(clippy::print_stdout)] // An example speaks.

use std::path::Path;

use harmonium::data::{ReadOptions, open, split_last};
use harmonium::prelude::*;
use harmonium::rbm::{Conditional, Prediction};
use harmonium_examples::Arguments;
use ndarray::Array2;

fn main() -> Result<(), Error> {
    let (key, short) = (Key::from_seed(1), Arguments::read().short);
    let (upper, lower) = (digits(0)?, digits(32)?);
    let (train, test) = split_last(upper.rows(), 300)?;
    let [(seen, upper), (next, lower)] =
        [&upper, &lower].map(|half| (half.gather(train.clone()), half.gather(test.clone())));
    let options = Fit {
        epochs: if short { 5 } else { 100 },
        learning_rate: Schedule::Linear { from: 0.05, to: 0.0 },
        ..Fit::default()
    };

    let mut alone = Rbm::for_data(&next, Units::Bernoulli(12), key)?;
    println!("independent pixels      {:.2} nats a row", alone.exact_likelihood(&lower)?.log_likelihood);
    fit(&mut alone, &next, &mut Cd::new(5), &options, key, &mut Silent)?;
    println!("12 hidden units         {:.2}", alone.exact_likelihood(&lower)?.log_likelihood);
    for (hidden, name) in [(1, "upper half, 1 hidden   "), (12, "upper half, 12 hidden  ")] {
        let mut model = Conditional::for_data(&seen, &next, Units::Bernoulli(hidden), key)?;
        let data = model.pairs().join(&seen, &next)?;
        fit(&mut model, &data, &mut Cd::new(5), &options, key, &mut Silent)?;
        println!("{name} {:.2}", model.exact_likelihood(&model.pairs().join(&upper, &lower)?)?);
        if hidden > 1 {
            show(&model, &upper.gather(0..8), &lower.gather(0..8), key)?;
        }
    }
    Ok(())
}

/// Prints eight digits, and below them their lower halves as the machine expects them.
fn show(model: &Conditional, upper: &Batch, lower: &Batch, key: Key) -> Result<(), Error> {
    let expected = model.predict(upper, Prediction::Gibbs { warming: 50, sweeps: 200 }, key)?;
    for half in [&upper.to_array(), &lower.to_array(), &expected] {
        for line in 0..4 {
            let ink = |p: &f32| [' ', '.', 'o', '#'][(p * 3.99) as usize];
            let part = |row: usize| (0..8).map(move |x| ink(&half[(row, line * 8 + x)])).collect::<String>();
            println!("{}", (0..8).map(part).collect::<Vec<_>>().join("  "));
        }
    }
    Ok(())
}

/// Reads 32 pixels of each digit as ink, 8 of 16 or more, and paper.
fn digits(first: usize) -> Result<Batch, Error> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/digits/digits.csv.gz");
    let table = open(&file, &ReadOptions::default())?;
    let ink = |(row, pixel)| f32::from(u8::from(table.value(row, first + pixel) >= 8.0));
    Batch::new(Array2::from_shape_fn((table.rows(), 32), ink).view())
}
