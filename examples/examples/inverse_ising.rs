//! Infers the couplings of a spin glass of 20 spins from 100,000 of its samples: J ~ N(0, 0.5²/N), all pairs.
//!
//! `cargo run --release -p harmonium-examples --example inverse_ising`: five glasses. The exact maximum of the likelihood by
//! enumeration, its error beside the Cramér-Rao bound at the truth, the pseudo-likelihood, and mean field with TAP's response; with `-- --short` one
//! glass of 10 spins and 20,000 samples.
#![allow(clippy::print_stdout)] // An example speaks.

use harmonium::bm::{Graph, Machine, MeanField, Newton, Order, PseudoLikelihood};
use harmonium::prelude::*;
use harmonium::train::Estimator;
use harmonium_examples::{Arguments, pearson};

fn main() -> Result<(), Error> {
    let (glasses, spins, rows) = if Arguments::read().short { (1, 10, 20_000) } else { (5, 20, 100_000) };
    println!("{spins} spins, {rows} samples: correlation and root mean square error of the couplings");
    for seed in 1..=glasses {
        let key = Key::from_seed(seed);
        let truth = glass(spins, key)?;
        let data = Batch::from_bits(truth.sample_exact(rows, key.fold_in(1))?.bits().clone())?;
        let bound = bound(&truth, rows)?;
        println!("glass {seed}: bound {bound:.6}");
        let mut likeliest = Machine::new(Graph::complete(spins)?, Units::Spin(spins))?;
        likeliest.maximise(&data, Newton::default())?;
        report("likelihood", &truth, &likeliest, bound);
        report("pseudo-likelihood", &truth, &fitted(&mut PseudoLikelihood::new(), &data, 0.02)?, bound);
        report("TAP response", &truth, &fitted(&mut MeanField::new(Order::Tap), &data, 0.004)?, bound);
    }
    Ok(())
}

/// Follows a gradient without noise: all rows are one batch.
fn fitted(estimator: &mut dyn Estimator<Machine>, data: &Batch, rate: f64) -> Result<Machine, Error> {
    let mut machine = Machine::new(Graph::complete(data.units())?, Units::Spin(data.units()))?;
    let options = Fit {
        epochs: 120,
        batch: data.rows(),
        learning_rate: Schedule::Cosine { from: rate, to: 0.0 },
        method: Method::adam(),
        ..Fit::default()
    };
    fit(&mut machine, data, estimator, &options, Key::from_seed(1), &mut Silent)?;
    Ok(machine)
}

/// Draws couplings of deviation 0.5/√N as sums of twelve even numbers, which a normal law is close to; no biases.
fn glass(spins: usize, key: Key) -> Result<Machine, Error> {
    let deviation = 0.5 / (spins as f32).sqrt();
    let mut couplings = vec![0.0; spins * (spins - 1) / 2];
    for part in 0..12 {
        // Even numbers between ±½ have a variance of 1/12.
        let drawn =
            Machine::new(Graph::complete(spins)?, Units::Spin(spins))?.randomised(0.5, key.fold_in(part))?;
        couplings.iter_mut().zip(drawn.couplings()).for_each(|(sum, x)| *sum += deviation * x);
    }
    Machine::from_parts(Graph::complete(spins)?, Units::Spin(spins), couplings, vec![0.0; spins])
}

/// Computes the root mean square of the least standard errors of the couplings, (F⁻¹)_kk / rows.
fn bound(truth: &Machine, rows: usize) -> Result<f64, Error> {
    let errors = truth.standard_errors(rows)?;
    let couplings = &errors[..truth.couplings().len()];
    Ok((couplings.iter().map(|e| e * e).sum::<f64>() / couplings.len() as f64).sqrt())
}

fn report(name: &str, truth: &Machine, found: &Machine, bound: f64) {
    let (a, b) = (truth.couplings(), found.couplings());
    let squares: f64 = a.iter().zip(&b).map(|(a, b)| f64::from(a - b).powi(2)).sum();
    let rms = (squares / a.len() as f64).sqrt();
    println!("  {name:<18} correlation {:.4}  RMS {rms:.6}  {:.3} x bound", pearson(&a, &b), rms / bound);
}
