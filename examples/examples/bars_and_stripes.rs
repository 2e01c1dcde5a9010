//! Learns bars and stripes by the exact gradient, twenty starts in turn, and prints the exact likelihood of each.
//!
//! `cargo run --release -p harmonium-examples --example bars_and_stripes [4]`: pictures of 3 × 3 pixels, or of 4 × 4;
//! with `-- --short` two starts of 300 updates.
#![allow(clippy::print_stdout)] // An example speaks.

use harmonium::prelude::*;
use harmonium::rbm::Exact;
use harmonium_examples::{Arguments, measure};
use ndarray::Array2;

fn main() -> Result<(), Error> {
    let arguments = Arguments::read();
    let side = if arguments.has("4") { 4 } else { 3 };
    let (seeds, updates) = match (arguments.short, side) {
        (true, _) => (2, 300),
        (_, 3) => (20, 3_000),
        _ => (5, 1_000),
    };
    let data = bars_and_stripes(side)?;
    let optimum = optimum(data.rows() as f64);
    println!("{side} x {side} pixels, 16 hidden units, {updates} updates; optimum {optimum:.3}");
    measure("sum of log p", seeds, |key| train(&data, updates, key))
}

/// All rows are one batch, so an epoch is an update; there is no noise, and Adam needs few of them.
fn train(data: &Batch, updates: u32, key: Key) -> Result<f64, Error> {
    let mut rbm = Rbm::for_data(data, Units::Bernoulli(16), key)?;
    let options = Fit {
        epochs: updates,
        batch: data.rows(),
        learning_rate: Schedule::Cosine { from: 0.05, to: 0.0 },
        method: Method::adam(),
        ..Fit::default()
    };
    fit(&mut rbm, data, &mut Exact::new(), &options, key, &mut Silent)?;
    Ok(rbm.exact_likelihood(data)?.log_likelihood * data.rows() as f64)
}

/// Makes all bars and all stripes; all-off and all-on are both, and stand twice.
fn bars_and_stripes(side: usize) -> Result<Batch, Error> {
    let pixel = |(row, unit): (usize, usize)| {
        let line = if row >> side == 0 { unit % side } else { unit / side };
        f32::from(u8::from(row >> line & 1 == 1))
    };
    Batch::new(Array2::from_shape_fn((2 << side, side * side), pixel).view())
}

/// Gives Σ log p of the rows' own distribution: two patterns of weight 2/n, all others of 1/n.
fn optimum(n: f64) -> f64 {
    4.0 * (2.0 / n).ln() - (n - 4.0) * n.ln()
}
