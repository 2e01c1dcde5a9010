//! Proves the gradient of the pseudo-likelihood against differences of the oracle's, in f64.

mod common;

use common::{batch, close, coins, exact, key, model, models};
use harmonium::address::Address;
use harmonium::rbm::{PseudoLikelihood, Rbm};
use harmonium::stats::Phases;
use harmonium::train::{Estimate, Estimator};
use harmonium::{Batch, EnergyModel};
use harmonium_oracle::likelihood::pseudo_log_likelihood;
use harmonium_oracle::rbm::Rbm as Exact;

fn estimate(rbm: &Rbm, data: &Batch) -> Vec<f64> {
    let mut phases = Phases::new(rbm.stats());
    let at = Address::new(key(1), 0);
    let estimate = PseudoLikelihood::new().estimate(rbm, data, 0, at, &mut phases).unwrap();
    let Estimate::Gradient(gradient) = estimate else { panic!("a finished gradient") };
    assert_eq!((phases.positive.rows(), phases.negative.rows()), (data.rows() as u64, 0));
    gradient.tensors().iter().flat_map(|t| t.values.iter().map(|&x| f64::from(x))).collect()
}

/// Compares with central differences of step 1e-5: a pseudo-likelihood of size ≤ 300 rounds by 3e-14, which costs 3e-9;
/// truncation is h² times third derivatives of at most a few units each, 1e-9; the f32 entry rounds by |g| 2⁻²⁴, |g| ≤ V.
fn assert_differences(x: &Exact, rows: &[u64], got: &[f64]) {
    for (n, got) in got.iter().enumerate() {
        let at = |shift: f64| {
            let mut moved = x.clone();
            *moved.parameter_mut(n) += shift;
            -pseudo_log_likelihood(&moved, rows, None)
        };
        let expected = (at(1e-5) - at(-1e-5)) / 2e-5;
        close(*got, expected, 5e-8 * (1.0 + x.visible as f64), (x.visible, x.hidden, n));
    }
}

#[test]
fn gradients_are_differences_of_the_pseudo_likelihood() {
    for rbm in models() {
        let x = exact(&rbm);
        let rows: Vec<u64> = [0b0011_0011, 0b0011_0011, 0b1100_1100, 0b1101_0001, 0]
            .map(|v: u64| v & ((1 << x.visible) - 1))
            .into();
        assert_differences(&x, &rows, &estimate(&rbm, &batch(x.visible, &rows)));
    }
}

/// More rows than tasks, and a width near a word's.
#[test]
fn many_rows_add_up() {
    let rbm = model(21, 6, 0.5, 77);
    let bits = coins(67, 21, 5);
    let rows = common::masks(&bits.clone().into());
    assert_differences(&exact(&rbm), &rows, &estimate(&rbm, &Batch::from_bits(bits).unwrap()));
}

/// Nothing is drawn: seeds and steps change no bit; neither do threads, as rows are summed task by task.
#[test]
fn it_is_the_same_whatever_the_seed_and_the_threads() {
    let (rbm, data) = (model(21, 6, 0.5, 78), Batch::from_bits(coins(67, 21, 6)).unwrap());
    let of = |seed, threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let mut phases = Phases::new(rbm.stats());
        let at = Address::new(key(seed), seed);
        pool.install(|| PseudoLikelihood::new().estimate(&rbm, &data, 0, at, &mut phases).unwrap())
    };
    let expected = of(1, 1);
    for (seed, threads) in [(2, 1), (1, 2), (1, 3), (9, 7)] {
        assert!(of(seed, threads) == expected, "seed {seed}, {threads} threads");
    }
}
