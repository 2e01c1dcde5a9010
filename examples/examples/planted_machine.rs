//! Learns a planted machine of 10 visible bits from 50,000 of its samples, and prints how far the learned law is from it.
//!
//! `cargo run --release -p harmonium-examples --example planted_machine`: ten planted machines, by persistent chains and to the
//! exact maximum; with `-- --short` one, in two epochs.
#![allow(clippy::print_stdout)] // An example speaks.

use harmonium::bm::{Graph, Machine, Newton};
use harmonium::prelude::*;
use harmonium::train::Average;
use harmonium_examples::{Arguments, measure};

const UNITS: usize = 10;

fn main() -> Result<(), Error> {
    let short = Arguments::read().short;
    let (seeds, epochs) = if short { (1, 2) } else { (10, 60) };
    println!("by 100 persistent chains, {epochs} epochs: -KL(planted || learned) in nats");
    measure("-KL", seeds, |key| Ok(-divergence(&planted(key)?, &learned(key, epochs)?)?))?;
    println!("at the exact maximum");
    measure("-KL", seeds, |key| {
        let (teacher, mut student) = (planted(key)?, Machine::new(graph()?, Units::Bernoulli(UNITS))?);
        student.maximise(&samples(&teacher, key)?, Newton::default())?;
        Ok(-divergence(&teacher, &student)?)
    })
}

fn graph() -> Result<Graph, Error> {
    Graph::complete(UNITS)
}

/// Draws couplings and biases evenly between ±1.7: a deviation of 1.
fn planted(key: Key) -> Result<Machine, Error> {
    let drawn = |n: u64| Machine::new(graph()?, Units::Bernoulli(UNITS))?.randomised(1.7, key.fold_in(n));
    let biases = drawn(1)?.couplings()[..UNITS].to_vec();
    Machine::from_parts(graph()?, Units::Bernoulli(UNITS), drawn(0)?.couplings(), biases)
}

fn samples(teacher: &Machine, key: Key) -> Result<Batch, Error> {
    Batch::from_bits(teacher.sample_exact(50_000, key)?.bits().clone())
}

fn learned(key: Key, epochs: u32) -> Result<Machine, Error> {
    let data = samples(&planted(key)?, key)?;
    let mut student = Machine::fitted(graph()?, Units::Bernoulli(UNITS), 0, &data)?;
    let options = Fit {
        epochs,
        batch: 500,
        learning_rate: Schedule::Linear { from: 0.03, to: 0.0 },
        method: Method::adam(),
        average: Some(Average::default()),
        ..Fit::default()
    };
    let mut training = harmonium::train::Training::new(&student, &data, &options)?;
    training.run(&mut student, &data, &mut Pcd::new(1, 100), key, &mut Silent)?;
    Ok(training.averaged(&student).unwrap_or(student))
}

/// Computes Σ p ln (p / q) over all states.
fn divergence(teacher: &Machine, student: &Machine) -> Result<f64, Error> {
    let (p, q) = (teacher.probabilities()?, student.probabilities()?);
    Ok(p.iter().zip(q).map(|(p, q)| p * (p / q).ln()).sum())
}
