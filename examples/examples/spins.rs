//! Learns an Ising chain from its states with spins on both sides, and compares correlations with the exact ones.
//!
//! `cargo run --release -p harmonium-examples --example spins [-- --short]`
#![allow(clippy::print_stdout)] // An example speaks.

use harmonium::prelude::*;
use harmonium_examples::Arguments;
use ndarray::Array2;
use ndarray_rand::RandomExt;
use ndarray_rand::rand_distr::Uniform;

/// Spins in a row with free ends.
const SPINS: usize = 10;
/// The coupling J of neighbours: E(s) = −J Σ s_i s_(i+1).
const J: f64 = 0.6;

fn main() -> Result<(), Error> {
    let (key, short) = (Key::from_seed(1), Arguments::read().short);
    let (rows, epochs) = if short { (2_000, 20) } else { (20_000, 100) };
    let data = Batch::spins(chain(rows, key).view())?;

    // One hidden spin can carry one bond: e^2J = cosh 2w for a spin that two neighbours share.
    let mut rbm = Rbm::new(Units::Spin(SPINS), Units::Spin(SPINS), key)?;
    let options = Fit { epochs, method: Method::adam(), ..Fit::default() };
    let options = Fit { learning_rate: Schedule::Linear { from: 0.01, to: 0.0 }, ..options };
    fit(&mut rbm, &data, &mut Pcd::new(1, 500), &options, key, &mut Silent)?;

    // ln Z of the chain is ln 2 + 9 ln(2 cosh J), and its mean energy −9 J tanh J.
    let bonds = (SPINS - 1) as f64;
    let best = bonds * J * J.tanh() - 2.0_f64.ln() - bonds * (2.0 * J.cosh()).ln();
    println!("independent {:.3} nats a state", -(SPINS as f64) * 2.0_f64.ln());
    println!("learnt      {:.3} nats a state", rbm.exact_likelihood(&data)?.log_likelihood);
    println!("the chain   {best:.3} nats a state");

    let samples = rbm.sample(5_000, 200, key, &mut |_| ()).to_array().mapv(|bit| 2.0 * bit - 1.0);
    println!("distance  data   samples  exact");
    for r in 1..=5 {
        let exact = J.tanh().powi(r);
        let [data, samples] = [&chain(rows, key), &samples].map(|s| correlation(s, r as usize));
        println!("{r:8}  {data:.3}  {samples:.3}    {exact:.3}");
    }
    Ok(())
}

/// Draws states of the chain exactly: a spin follows the one before with probability 1/(1 + e^−2J).
fn chain(rows: usize, key: Key) -> Array2<f32> {
    let range = Uniform::new(0.0_f64, 1.0).expect("an interval");
    let mut stream = key.fold_in(99).stream(0);
    let words = Array2::random_using((rows, SPINS), range, &mut stream);
    let follows = 1.0 / (1.0 + (-2.0 * J).exp());
    let mut spins = Array2::ones((rows, SPINS));
    for row in 0..rows {
        for i in 0..SPINS {
            let (before, p) = if i == 0 { (1.0, 0.5) } else { (spins[(row, i - 1)], follows) };
            spins[(row, i)] = if words[(row, i)] < p { before } else { -before };
        }
    }
    spins
}

/// Gives ⟨s_i s_(i+r)⟩, mean over i.
fn correlation(spins: &Array2<f32>, r: usize) -> f64 {
    let pairs = spins.rows().into_iter().flat_map(|row| {
        let row = row.to_vec();
        (0..SPINS - r).map(move |i| f64::from(row[i] * row[i + r])).collect::<Vec<_>>()
    });
    pairs.sum::<f64>() / (spins.nrows() * (SPINS - r)) as f64
}
