//! Goes on with trajectories of hands: from 30 points that were seen to 15 that come, by a conditional machine. A frame is 15
//! points, measured from the last one seen; hidden units and epochs were chosen on folds 1 to 4.
//!
//! `cargo run --release -p harmonium-examples --example sequences [-- --short] [SEED]` takes `$HARMONIUM_EXTRA/libras`, a set of
//! UCI, else figures of eight. Seed 1 prints `machine 0.0829, constant velocity 0.2338, last point 0.1885, AR(2) 0.1586`.
#![allow(clippy::print_stdout)] // An example speaks.

use harmonium::prelude::*;
use harmonium::rbm::{Conditional, History, Prediction, Rolling};
use harmonium::train::Decay;
use harmonium_examples::{Arguments, fold_of, trajectories};
use ndarray::{Array2, Array3, Axis, s};
use trajectories::{fitted, linear, read};

fn main() -> Result<(), Error> {
    let (given, all) = (Arguments::read(), read(std::env::var_os("HARMONIUM_EXTRA"))?);
    let key = Key::from_seed(given.words.first().and_then(|word| word.parse().ok()).unwrap_or(1));
    let (hidden, epochs, folds) = if given.short { (50, 50, 1) } else { (600, 600, 5) };
    let (mut sums, mut count) = ([0.0; 4], 0);
    for fold in 0..folds {
        let (test, train): (Vec<usize>, Vec<usize>) =
            (0..all.len_of(Axis(0))).partition(|&row| fold_of(row as u64) == fold);
        let [train, test] = [train, test].map(|rows| all.select(Axis(0), &rows));
        let learnt = machine(&train, &test, (hidden, epochs), key)?;
        let others = [[2.0, -1.0], [1.0, 0.0], fitted(&train)].map(|rule| linear(&test, rule));
        for (sum, one) in sums.iter_mut().zip([learnt].iter().chain(&others)) {
            let squares = (one - &test.slice(s![.., 30.., ..])).mapv(|x| x * x).sum_axis(Axis(2));
            *sum += squares.iter().map(|&square| f64::from(square).sqrt()).sum::<f64>();
        }
        count += test.len_of(Axis(0)) * 15;
    }
    let [machine, velocity, last, ar] = sums.map(|sum| sum / count as f64);
    println!("machine {machine:.4}, constant velocity {velocity:.4}, last point {last:.4}, AR(2) {ar:.4}");
    Ok(())
}

/// Trains on whole trajectories and predicts what follows 30 points of others.
fn machine(
    train: &Array3<f32>,
    test: &Array3<f32>,
    (hidden, epochs): (usize, u32),
    key: Key,
) -> Result<Array3<f32>, Error> {
    let history = History::new(Units::Gaussian(30), 2)?;
    let (condition, next) = history.rows(&frames(train, 45)?)?;
    let mut model = Conditional::fitted(history.pairs()?, &condition, &next, Units::Bernoulli(hidden), key)?;
    let options = Fit {
        epochs,
        batch: 32,
        learning_rate: Schedule::Linear { from: 0.02, to: 0.0 },
        method: Method::adam(),
        decay: Decay { l2: 1e-4, ..Decay::default() },
        ..Fit::default()
    };
    fit(&mut model, &history.pairs()?.join(&condition, &next)?, &mut Cd::new(1), &options, key, &mut Silent)?;
    let mean = Rolling::Mean(Prediction::default());
    let next = history.continue_from(&model, &frames(test, 30)?, 1, mean, key)?;
    Ok(Array3::from_shape_fn((next.len(), 15, 2), |(r, t, d)| next[r][(0, 2 * t + d)] + test[(r, 29, d)]))
}

/// Cuts trajectories into frames of 15 points, relative to point 30.
fn frames(all: &Array3<f32>, points: usize) -> Result<Vec<Batch>, Error> {
    let of = |r: usize, f: usize, x: usize| all[(r, 15 * f + x / 2, x % 2)] - all[(r, 29, x % 2)];
    let one = |r| Batch::reals(Array2::from_shape_fn((points / 15, 30), |(f, x)| of(r, f, x)));
    (0..all.len_of(Axis(0))).map(one).collect()
}
