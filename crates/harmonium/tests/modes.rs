//! Shows what tempering is for: sixteen planted modes, of which PCD and plain chains see one and parallel tempering all.

#![allow(clippy::print_stdout)] // The figure is what a reader asks for.

mod common;

use std::collections::BTreeMap;

use common::{batch, key, library};
use harmonium::address::Address;
use harmonium::rbm::Rbm;
use harmonium::sample::{Chains, ParallelTempering, Seen};
use harmonium::stats::Phases;
use harmonium::train::{Estimator, Ladder, Pcd, Tempering};
use harmonium::{BitMatrix, EnergyModel};
use harmonium_oracle::rbm::Rbm as Exact;
use harmonium_oracle::stats::tv;

const CHAINS: usize = 20;
const UPDATES: u64 = 600;
const COUPLING: f64 = 2.0;

/// Four groups of 16 visible and 4 hidden units, coupled with 2 within a group and balanced by their biases: each group
/// is all on or all off, with equal weight, so there are 16 modes of equal weight. A tilt moves the visible biases of a group.
fn machine(tilts: [f64; 4]) -> Rbm {
    let mut x = Exact::zeros(64, 16);
    for i in 0..64 {
        (0..4).for_each(|j| x.weights[i * 16 + i / 16 * 4 + j] = COUPLING);
    }
    (0..64).for_each(|i| x.visible_bias[i] = -COUPLING * 4.0 / 2.0 + tilts[i / 16]);
    x.hidden_bias.fill(-COUPLING * 16.0 / 2.0);
    library(&x)
}

/// Names the mode of a row: bit g is on where most of group g is.
fn mode(rows: &BitMatrix, row: usize) -> u64 {
    (0..4).map(|g| u64::from((rows.row(row)[0] >> (16 * g) & 0xFFFF).count_ones() > 8) << g).sum()
}

/// Counts how often the chains of the model's rung stood in each mode.
fn visits<E: Estimator<Rbm>>(
    mut estimator: E,
    standing: impl Fn(&E) -> BitMatrix,
) -> (BTreeMap<u64, u64>, E) {
    let (rbm, mut seen) = (machine([0.0; 4]), BTreeMap::new());
    for step in 0..UPDATES {
        let mut phases = Phases::new(rbm.stats());
        estimator.estimate(&rbm, &batch(64, &[0]), 1, Address::new(key(8), step), &mut phases).unwrap();
        let rows = standing(&estimator);
        (0..CHAINS).for_each(|row| *seen.entry(mode(&rows, row)).or_insert(0) += 1);
    }
    (seen, estimator)
}

/// Chains start at the visible biases, p = σ(−4), that is with all groups off. There a hidden unit has the activation
/// 2n − 16 for n units on of its group, and visible units follow only if two of the four switch on together. As
/// σ(x) ≤ e^x, that has a chance of at most 6 e^−32 ⟨e^4n⟩ = 6 e^−32 (1 + p (e^4 − 1))^16 = 4e-9 in a sweep; 4 groups, 20
/// chains and 600 sweeps make 2e-4 of it. So PCD stays where it is. At β = 0.2 wells are shallow, and each rung swaps
/// with the next.
#[test]
fn tempering_visits_all_modes_where_pcd_visits_one() {
    let (seen, _) = visits(Pcd::new(1, CHAINS), |pcd| pcd.standing().unwrap().expect_bits().clone());
    assert_eq!(seen.keys().copied().collect::<Vec<_>>(), [0], "PCD leaves its mode: {seen:?}");
    let ladder = Ladder::Even { rungs: 20, lowest: 0.2 };
    let (seen, tempering) =
        visits(Tempering::new(1, CHAINS, ladder), |t| t.standing().unwrap().expect_bits().clone());
    assert_eq!(seen.len(), 16, "{seen:?}");
    let rates = tempering.swap_rates();
    assert!(rates.iter().all(|&rate| rate > 0.2), "{rates:?}");
}

/// Different weights for all modes: e^16t is about what a group's odds are.
const TILTS: [f64; 4] = [0.0, 0.05, 0.1, -0.05];

/// Gives the weights of the modes: groups are independent, and of one the states with n visible units on have together
/// C(16, n) e^(b n) (1 + e^(c + 2n))⁴.
fn weights() -> Vec<f64> {
    let on = |tilt: f64| {
        let (b, c) = (-COUPLING * 2.0 + tilt, -COUPLING * 8.0);
        let choose = |n: u32| (0..n).fold(1.0, |c, k| c * f64::from(16 - k) / f64::from(k + 1));
        let share = |n: u32| {
            let x = f64::from(n);
            choose(n) * (b * x).exp() * (1.0 + (c + COUPLING * x).exp()).powi(4)
        };
        let [all, above] = [(0..=16).map(share).sum::<f64>(), (9..=16).map(share).sum()];
        above / all
    };
    let odds = TILTS.map(on);
    let of = |mode: usize| {
        odds.iter().enumerate().map(|(g, p)| if mode >> g & 1 == 1 { *p } else { 1.0 - p }).product()
    };
    (0..16).map(of).collect()
}

/// Runs with an observer that counts modes, and gives the total variation from the weights.
fn variation(run: impl FnOnce(&mut dyn FnMut(&Seen<'_>))) -> f64 {
    let (mut counts, mut total) = (vec![0.0; 16], 0.0);
    run(&mut |seen| {
        let rows = seen.states().expect_bits();
        (0..rows.rows()).for_each(|row| counts[mode(rows, row) as usize] += 1.0);
        total += rows.rows() as f64;
    });
    counts.iter_mut().for_each(|n| *n /= total);
    tv(&counts, &weights())
}

/// The figure of the issue: total variation of the mode weights at most 0.1, with 20 chains of 20 rungs over 3,000 sweeps. Plain
/// chains with 20 times as many sweeps stay in the one mode that they start in, all off, as PCD does.
#[test]
fn tempering_gives_all_modes_their_weights_where_plain_chains_give_one() {
    let rbm = machine(TILTS);
    let chains = Chains { chains: CHAINS, burn_in: 512, sweeps: 3000, thin: 1 };
    let ladder = Ladder::Even { rungs: 20, lowest: 0.2 };
    let tempering = ParallelTempering { chains, ladder, adapt: true };
    let mut trips = 0;
    let found = variation(|mut count| {
        trips = tempering.run(&rbm, key(9), &mut [&mut count]).unwrap().round_trips().iter().sum();
    });
    println!("tempering: total variation {found:.3}, {trips} round trips");
    assert!(found <= 0.1, "total variation {found}, {trips} round trips");
    assert!(trips > 1000, "{trips} round trips");
    let plain = Chains { sweeps: 60_000, thin: 20, ..chains };
    let stuck = variation(|mut count| {
        plain.run(&rbm, key(9), &mut [&mut count]).unwrap();
    });
    println!("plain chains: total variation {stuck:.3}");
    assert!((stuck - (1.0 - weights()[0])).abs() < 1e-3, "plain chains leave their mode: {stuck}");
}
