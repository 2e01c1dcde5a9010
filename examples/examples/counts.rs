//! Finds two topics in counts of words with Poisson units.
//!
//! `cargo run --release -p harmonium-examples --example counts`
#![allow(clippy::print_stdout)] // An example speaks.

use harmonium::prelude::*;
use ndarray::Array2;

const WORDS: [&str; 6] = ["spin", "energy", "lattice", "goal", "match", "team"];

fn main() -> Result<(), Error> {
    let key = Key::from_seed(1);
    // Documents about physics or about football, and a few words of the other.
    let count = |(row, word): (usize, usize)| {
        let noise = ((row * 7919 + word * 613) >> 3) % 5;
        if (row % 2 == 0) == (word < 3) { 2 + noise } else { usize::from(noise == 0) }
    };
    let data = Batch::reals(Array2::from_shape_fn((500, WORDS.len()), |at| count(at) as f32))?;

    let mut rbm = Rbm::fitted(Units::Poisson(WORDS.len()), &data, Units::Bernoulli(1), key)?;
    println!("before     {:.2} nats a document", rbm.exact_likelihood(&data)?.log_likelihood);
    let options = Fit { epochs: 60, batch: 50, learning_rate: Schedule::Constant(0.01), ..Fit::default() };
    fit(&mut rbm, &data, &mut Pcd::default(), &options, key, &mut Silent)?;
    println!("60 epochs  {:.2} nats a document", rbm.exact_likelihood(&data)?.log_likelihood);
    for (word, weight) in WORDS.iter().zip(rbm.weights().column(0)) {
        println!("{word:8} {weight:+.2}");
    }
    let topics = rbm.transform(&data)?;
    println!(
        "p(h = 1) of the first documents: {:.2} {:.2} {:.2} {:.2}",
        topics[(0, 0)],
        topics[(1, 0)],
        topics[(2, 0)],
        topics[(3, 0)]
    );
    Ok(())
}
