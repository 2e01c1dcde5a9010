//! Fills hidden votes of the House of 1984 from the others of a member, beside the majority and ten nearest neighbours.
//!
//! `cargo run --release -p harmonium-examples --example impute_votes [-- [SEEDS] [--short]]`
#![allow(clippy::print_stdout)] // An example speaks.

use harmonium::data::fold;
use harmonium::prelude::*;
use harmonium::rbm::Clamping;
use harmonium::train::{Average, Decay, Training};
use harmonium_examples::votes::{majority, nearest, votes};
use harmonium_examples::{Arguments, measure};
use ndarray::Array2;

fn main() -> Result<(), Error> {
    let arguments = Arguments::read();
    let seeds = arguments.words.iter().find_map(|word| word.parse().ok()).unwrap_or(5);
    let votes = votes()?;
    let cell = |r: usize, c: usize| (16 * r + c) as u64;
    let hidden = |(r, c): (usize, usize)| !votes[(r, c)].is_nan() && fold(cell(r, c)) == 0;
    let asked: Vec<_> = votes.indexed_iter().map(|(at, _)| at).filter(|&at| hidden(at)).collect();
    let seen = Array2::from_shape_fn(votes.dim(), |at| if hidden(at) { f32::NAN } else { votes[at] });
    let rows = Batch::with_missing(seen.view(), &Units::Bernoulli(16))?;
    let right = |p: &dyn Fn((usize, usize)) -> f32| {
        let yes = asked.iter().filter(|&&at| (p(at) >= 0.5) == (votes[at] == 1.0));
        yes.count() as f64 / asked.len() as f64
    };
    let (majority, nearest) = (right(&|at| majority(&seen, at.1)), right(&|at| nearest(&seen, at)));
    println!("{} cells: majority {majority:.4}, 10 nearest {nearest:.4}", asked.len());
    let epochs = if arguments.short { 20 } else { 1000 };
    measure("right", seeds, |key| {
        let rbm = machine(&rows, epochs, key)?;
        let found = rbm.inpaint(&rows, &Clamping::default(), key)?.mean;
        let loss = |&at: &(usize, usize)| {
            -f64::from(if votes[at] == 1.0 { found[at] } else { 1.0 - found[at] }).ln()
        };
        println!("log-loss {:.4} nats a cell", asked.iter().map(loss).sum::<f64>() / asked.len() as f64);
        Ok(right(&|at| found[at]))
    })
}

fn machine(rows: &Batch, epochs: u32, key: Key) -> Result<Rbm, Error> {
    let mut rbm = Rbm::fitted(Units::Bernoulli(16), rows, Units::Bernoulli(16), key)?;
    let rate = Schedule::Linear { from: 0.05, to: 0.0 };
    let average = Some(Average::default());
    let options = Fit {
        epochs,
        batch: 10,
        learning_rate: rate,
        decay: Decay { l2: 0.001, ..Decay::default() },
        average,
        ..Fit::default()
    };
    let mut training = Training::new(&rbm, rows, &options)?;
    training.run(&mut rbm, rows, &mut Pcd::new(1, 100), key, &mut Silent)?;
    Ok(training.averaged(&rbm).unwrap_or(rbm))
}
