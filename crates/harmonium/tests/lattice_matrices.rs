//! Proves by transition matrices that lattices and searches move by their law (O3): probabilities are counted words of the very functions
//! that sweeps decide by.

mod common;

use common::oracles::{decisions, normal, share};
use common::tolerance::{TAU_0, U};
use harmonium_kernels::flips::flips;
use harmonium_kernels::multispin::{Moves, Precision, Rule};
use harmonium_oracle::transition::Matrix;

/// A torus of 2 × 4 sites: in a column of two the neighbours above and below are the same site.
const ROWS: usize = 2;
const COLUMNS: usize = 4;
const SITES: usize = ROWS * COLUMNS;
const STATES: usize = 1 << SITES;

fn neighbours(site: usize) -> [usize; 4] {
    let (r, c) = (site / COLUMNS, site % COLUMNS);
    let at = |r: usize, c: usize| r % ROWS * COLUMNS + c % COLUMNS;
    [at(r + 1, c), at(r + ROWS - 1, c), at(r, c + 1), at(r, c + COLUMNS - 1)]
}

fn equal(state: usize, site: usize) -> u32 {
    neighbours(site).iter().filter(|&&other| (state >> site ^ state >> other) & 1 == 0).count() as u32
}

/// Both half-sweeps of a checkerboard are reversible and leave p ∝ e^(K Σ s s′) alone: thresholds of 32 bits are off by 2^-33 each, of
/// 16 bits by 2^-17, four sites a colour. Control: the law of another temperature drifts. Both in turn reach the law from every state, also from
/// stripes, which no turn of a spin makes better or worse: they stay stripes for 256/8 sweeps.
#[test]
fn half_sweeps_of_lattices_leave_the_law_alone() {
    let law = |coupling: f64| {
        // Each bond is met from both of its ends.
        let bonds = |state: usize| {
            (0..SITES).map(|site| 2.0 * f64::from(equal(state, site)) - 4.0).sum::<f64>() / 2.0
        };
        normal((0..STATES).map(|state| (coupling * bonds(state)).exp()))
    };
    for coupling in [0.44, -0.3, 1.0] {
        for moves in [Moves::Metropolis, Moves::HeatBath] {
            for (precision, off) in [(Precision::Full, 2_f64.powi(-32)), (Precision::Fast, 2_f64.powi(-16))] {
                let rule = Rule::new(coupling, moves, precision);
                let turns: Vec<f64> =
                    (0..=4).map(|equal| share(|word| rule.turns(rule.satisfied(equal), word))).collect();
                let flip = |state: usize, site: usize| turns[equal(state, site) as usize];
                let mut sweep: Option<Matrix> = None;
                for colour in 0..2 {
                    let sites: Vec<usize> =
                        (0..SITES).filter(|site| (site / COLUMNS + site % COLUMNS) % 2 == colour).collect();
                    let half = decisions(STATES, &sites, &flip);
                    assert!(half.row_sum_error() <= TAU_0);
                    let (drift, bound) = (half.drift(&law(coupling)), 4.0 * off + TAU_0);
                    assert!(drift <= bound, "{rule:?}: {drift} > {bound}");
                    assert!(half.detailed_balance_error(&law(coupling)) <= bound);
                    assert!(half.drift(&law(0.8 * coupling)) > 1e-3, "the control: {rule:?}");
                    sweep = Some(sweep.map_or(half.clone(), |before| before.then(&half)));
                }
                // At coupling 1 a lattice of equal spins turns over too seldom.
                let sweep = sweep.filter(|_| coupling < 1.0);
                assert!(
                    sweep.is_none_or(|all| all.sweeps_to(&law(coupling), 0.4, 500).is_some()),
                    "{rule:?}"
                );
            }
        }
    }
}

/// One decision after the other of a search: words of 23 bits are off by 2^-24, e^x by some ulp. Control at 0.8 β. All in turn reach the law
/// from every state, also in a ring of three without fields, where every flip of up-down-up costs nothing as it comes.
#[test]
fn moves_of_searches_leave_the_law_alone() {
    judge_search(&[(0, 1, 3), (1, 2, -2), (2, 3, 2), (3, 0, 1), (1, 3, -1)], &[1, 0, -2, 1]);
    judge_search(&[(0, 1, 1), (1, 2, 1), (2, 0, 1)], &[0, 0, 0]);
}

fn judge_search(pairs: &[(usize, usize, i32)], outer: &[i32]) {
    let (sites, states) = (outer.len(), 1 << outer.len());
    let spin = |state: usize, i: usize| if state >> i & 1 == 1 { 1 } else { -1 };
    let cost = |state: usize, i: usize| {
        let near: i32 = pairs
            .iter()
            .filter(|(a, b, _)| *a == i || *b == i)
            .map(|&(a, b, code)| code * spin(state, a + b - i))
            .sum();
        spin(state, i) * (near + outer[i])
    };
    let law = |beta: f64| {
        let energy = |state: usize| {
            let alone: i32 = (0..sites).map(|i| outer[i] * spin(state, i)).sum();
            let both: i32 = pairs.iter().map(|&(a, b, code)| code * spin(state, a) * spin(state, b)).sum();
            -f64::from(alone + both) / 2.0
        };
        normal((0..states).map(|state| (-beta * energy(state)).exp()))
    };
    for beta in [0.3_f32, 0.9] {
        let law = |by: f64| law(by * f64::from(beta));
        let mut sweep: Option<Matrix> = None;
        for site in 0..sites {
            let flip = |state: usize, site: usize| share(|word| flips(word, cost(state, site), beta));
            let one = decisions(states, &[site], &flip);
            let bound = 2_f64.powi(-24) + 8.0 * U;
            assert!(one.drift(&law(1.0)) <= bound, "{}", one.drift(&law(1.0)));
            assert!(one.detailed_balance_error(&law(1.0)) <= bound);
            assert!(one.drift(&law(0.8)) > 1e-3, "the control");
            sweep = Some(sweep.map_or(one.clone(), |before| before.then(&one)));
        }
        assert!(sweep.expect("sites").sweeps_to(&law(1.0), 1e-4, 5000).is_some(), "β = {beta}");
    }
}
