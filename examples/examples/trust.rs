//! Compares annealed importance sampling, forward and reverse, with exact enumeration.
//!
//! `cargo run --release -p harmonium-examples --example trust`
#![allow(clippy::print_stdout)] // An example speaks.

use harmonium::evaluate::{Ais, Betas};
use harmonium::prelude::*;
use harmonium::rbm::Parts;
use ndarray::{Array1, Array2};
use ndarray_rand::RandomExt;
use ndarray_rand::rand_distr::Uniform;

fn main() -> Result<(), Error> {
    let key = Key::from_seed(7);
    let range = Uniform::new(-1.5, 1.5).map_err(|e| Error::option("range", "one", e))?;
    let rbm = Rbm::from_parts(Parts {
        weights: Array2::random_using((30, 16), range, &mut key.stream(0)),
        visible_bias: Array1::random_using(30, range, &mut key.stream(1)),
        hidden_bias: Array1::random_using(16, range, &mut key.stream(2)),
    })?;
    let rows = Batch::from_states(rbm.sample(1000, 1000, key, &mut |_| ()))?;
    println!("exact         log Z {:.4}", rbm.log_z()?);
    for betas in [10, 100, 1000, 10_000] {
        let ais = Ais { runs: 100, betas: Betas::Count(betas) };
        let options = Annealing { ais, starts: Some(&rows), ..Annealing::default() };
        let found = rbm.annealed_likelihood(&rows, &options, key, &mut |_, _, _| ())?;
        let (low, high) = (found.log_z_interval.low, found.log_z_interval.high);
        let reverse = found.log_z_reverse.map_or(f64::NAN, |(log_z, _)| log_z);
        println!(
            "{betas:>6} betas  log Z {:.4}  3σ [{low:.4}, {high:.4}]  reverse {reverse:.4}",
            found.log_z
        );
    }
    Ok(())
}
