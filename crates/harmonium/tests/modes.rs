//! Shows what tempering is for: sixteen planted modes, of which PCD sees one and parallel tempering all.

mod common;

use std::collections::BTreeMap;

use common::{batch, key, library};
use harmonium::BitMatrix;
use harmonium::EnergyModel;
use harmonium::address::Address;
use harmonium::rbm::Rbm;
use harmonium::stats::Phases;
use harmonium::train::{Estimator, Ladder, Pcd, Tempering};
use harmonium_oracle::rbm::Rbm as Exact;

const CHAINS: usize = 20;
const UPDATES: u64 = 600;
const COUPLING: f64 = 2.0;

/// Four groups of 16 visible and 4 hidden units, coupled with 2 within a group and balanced by their biases: each group
/// is all on or all off, with equal weight, so there are 16 modes of equal weight.
fn machine() -> Rbm {
    let mut x = Exact::zeros(64, 16);
    for i in 0..64 {
        (0..4).for_each(|j| x.weights[i * 16 + i / 16 * 4 + j] = COUPLING);
    }
    x.visible_bias.fill(-COUPLING * 4.0 / 2.0);
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
    let (rbm, mut seen) = (machine(), BTreeMap::new());
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
