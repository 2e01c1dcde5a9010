//! Proves by transition matrices that lattices and searches move by their law (O3): probabilities are counted words of the very functions
//! that sweeps decide by.

mod common;

use common::oracles::{decisions, normal, share};
use common::tolerance::{TAU_0, U};
use harmonium_kernels::flips::flips;
use harmonium_kernels::multispin::{Moves, Precision, Rule};

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
/// 16 bits by 2^-17, four sites a colour. Control: the law of another temperature drifts.
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
                for colour in 0..2 {
                    let sites: Vec<usize> =
                        (0..SITES).filter(|site| (site / COLUMNS + site % COLUMNS) % 2 == colour).collect();
                    let half = decisions(STATES, &sites, &flip);
                    assert!(half.row_sum_error() <= TAU_0);
                    let (drift, bound) = (half.drift(&law(coupling)), 4.0 * off + TAU_0);
                    assert!(drift <= bound, "{rule:?}: {drift} > {bound}");
                    assert!(half.detailed_balance_error(&law(coupling)) <= bound);
                    assert!(half.drift(&law(0.8 * coupling)) > 1e-3, "the control: {rule:?}");
                }
            }
        }
    }
}

/// One decision after the other of a search: words of 23 bits are off by 2^-24, e^x by some ulp. Control at 0.8 β.
#[test]
fn moves_of_searches_leave_the_law_alone() {
    let (pairs, outer) = ([(0, 1, 3), (1, 2, -2), (2, 3, 2), (3, 0, 1), (1, 3, -1)], [1, 0, -2, 1]);
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
            let alone: i32 = (0..4).map(|i| outer[i] * spin(state, i)).sum();
            let both: i32 = pairs.iter().map(|&(a, b, code)| code * spin(state, a) * spin(state, b)).sum();
            -f64::from(alone + both) / 2.0
        };
        normal((0..16).map(|state| (-beta * energy(state)).exp()))
    };
    for beta in [0.3_f32, 0.9] {
        for site in 0..4 {
            let one =
                decisions(16, &[site], &|state, site| share(|word| flips(word, cost(state, site), beta)));
            let bound = 2_f64.powi(-24) + 8.0 * U;
            assert!(one.drift(&law(f64::from(beta))) <= bound, "{}", one.drift(&law(f64::from(beta))));
            assert!(one.detailed_balance_error(&law(f64::from(beta))) <= bound);
            assert!(one.drift(&law(0.8 * f64::from(beta))) > 1e-3, "the control");
        }
    }
}
