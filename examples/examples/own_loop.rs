//! Trains without `fit`: the same public parts in a loop of one's own.
//!
//! `cargo run --release -p harmonium-examples --example own_loop`
#![allow(clippy::print_stdout)] // An example speaks.

use harmonium::address::Address;
use harmonium::prelude::*;
use harmonium::stats::Phases;
use harmonium::train::{Estimator, Optimizer};
use ndarray::Array2;

fn main() -> Result<(), Error> {
    let key = Key::from_seed(1);
    let data = bars_and_stripes()?;
    let mut rbm = Rbm::for_data(&data, Units::Bernoulli(16), key)?;
    let mut pcd = Pcd::new(1, 100);
    let mut optimizer = Optimizer::new(Method::default(), &rbm.params());
    let (mut phases, mut gradient) = (Phases::new(rbm.stats()), rbm.params());
    for step in 0..30_000 {
        phases.clear();
        pcd.estimate(&rbm, &data, 5, Address::new(key, step), &mut phases)?; // data clamped, then running free
        phases.contrast(&mut gradient); // ⟨∂E/∂θ⟩ data − ⟨∂E/∂θ⟩ model
        let rate = 0.05 * (1.0 - step as f32 / 30_000.0);
        optimizer.update(&mut rbm, &gradient, rate, (step, 30_000, 0));
        rbm.refresh(); // the weights' grid follows
        if step % 6_000 == 5_999 {
            let sum = 16.0 * rbm.exact_likelihood(&data)?.log_likelihood;
            println!("step {:>6}  Σ log p {sum:.3}  (the optimum is −41.589)", step + 1);
        }
    }
    Ok(())
}

/// Makes the sixteen bars and stripes of 3 × 3 pixels; all-off and all-on are both, and stand twice.
fn bars_and_stripes() -> Result<Batch, Error> {
    let pixel = |(row, unit): (usize, usize)| {
        let (x, y) = (unit % 3, unit / 3);
        f32::from(u8::from(row % 8 >> if row < 8 { x } else { y } & 1 == 1))
    };
    Batch::new(Array2::from_shape_fn((16, 9), pixel).view())
}
