//! Proves updates of one's own energies by exact starts (O4), joint draws (O5), ranks (O6) and a small magnet (O12).

mod common;

use common::key;
use common::own::Table;
use harmonium::Gibbs;
use harmonium::sample::own::{Discrete, Product, Sites, Update};
use harmonium_oracle::rng::Rng;
use harmonium_oracle::sample::Table as Draws;
use harmonium_oracle::stats::{g_test, holm, mean, variance, z_score, z_star};
use ndarray::Array2;

const UPDATES: [Update; 3] = [Update::HeatBath, Update::Metropolis, Update::Informed { moves: 3 }];

fn drawn(table: &Table, n: usize, seed: u64) -> Vec<usize> {
    let (draws, mut rng) = (Draws::new(&table.law()), Rng::new(seed));
    (0..n).map(|_| draws.draw(&mut rng)).collect()
}

fn indices(table: &Table, state: &Array2<u16>) -> Vec<usize> {
    state.rows().into_iter().map(|row| table.index(&row.to_vec())).collect()
}

/// O4: a sweep from `n` exact states; G-test on all cells, Holm over tables and updates, α = 1e-6.
fn exact_starts(n: usize) {
    let mut found = Vec::new();
    for (seed, shape) in [&[2, 2, 2, 2, 2][..], &[3, 2, 4], &[7]].into_iter().enumerate() {
        let table = Table::normal(shape, 1.0, 60 + seed as u64);
        for update in UPDATES {
            let model = Discrete::new(table.clone(), update).unwrap();
            let mut state = table.rows(&drawn(&table, n, seed as u64));
            model.sweep(&mut state, key(seed as u64));
            let mut counts = vec![0; table.energies.len()];
            indices(&table, &state).into_iter().for_each(|index| counts[index] += 1);
            found.push(g_test(&counts, &table.law()).p_value);
        }
    }
    let least = holm(&found).into_iter().fold(1.0, f64::min);
    assert!(least > 1e-6, "adjusted p-value {least:e}");
}

#[test]
fn exact_starts_stay_exact() {
    exact_starts(100_000);
}

#[test]
#[ignore = "long form of exact_starts_stay_exact: 10⁶ starts"]
fn a_million_exact_starts_stay_exact() {
    exact_starts(1_000_000);
}

/// O5 (Geweke 2004): θ ∼ N(0, 1) tilts a table, E(x; θ) = E(x) − θ a(x), where p(θ | x) is N(a(x), 1) if the joint law is taken as
/// e^(−E(x) + θ a(x) − θ²/2): chains that draw θ given x and sweep x given θ keep that law, whose x has p ∝ e^(−E + a²/2).
/// 20 functions after 8 rounds, |z| < z*(20) with 4,000 chains. Control: x swept without θ.
#[test]
fn joint_draws_agree_with_alternating_ones() {
    const N: usize = 4000;
    let base = Table::normal(&[3, 2, 2], 1.0, 71);
    let tilt = Table::normal(&[3, 2, 2], 1.0, 72).energies;
    let joint = Table {
        energies: base.energies.iter().zip(&tilt).map(|(e, a)| e - a * a / 2.0).collect(),
        ..base.clone()
    };
    let functions = |at: usize, theta: f64| -> Vec<f64> {
        let x = base.state(at);
        let mut out: Vec<f64> = (0..11).map(|n| f64::from(u8::from(at == n))).collect();
        out.extend([theta, theta * theta, theta.cos(), tilt[at] * theta, f64::from(x[0]) * theta]);
        out.extend([f64::from(x[1]) * theta, f64::from(x[2]) * theta, tilt[at], (2.0 * theta).sin()]);
        out
    };
    let run = |update: Update, tilted: bool| {
        let mut rng = Rng::new(73);
        let all = drawn(&joint, N, 74).into_iter().enumerate().map(|(chain, start)| {
            let (mut at, mut theta) = (start, 0.0);
            for round in 0..8 {
                theta = tilt[at] + rng.normal();
                let energies = base.energies.iter().zip(&tilt);
                let energies =
                    energies.map(|(e, a)| if tilted { e - theta * a } else { *e }).collect::<Vec<_>>();
                let model = Discrete::new(Table { energies, ..base.clone() }, update).unwrap();
                let mut state = base.rows(&[at]);
                model.sweep(&mut state, key(75).fold_in(chain as u64).fold_in(round));
                at = base.index(&state.row(0).to_vec());
            }
            functions(at, if tilted { theta } else { tilt[at] + rng.normal() })
        });
        all.collect::<Vec<_>>()
    };
    let mut rng = Rng::new(76);
    let direct: Vec<Vec<f64>> =
        drawn(&joint, 20 * N, 77).into_iter().map(|at| functions(at, tilt[at] + rng.normal())).collect();
    let worst = |found: &[Vec<f64>]| {
        let score = |n: usize| {
            let [a, b] = [found, &direct].map(|rows| rows.iter().map(|row| row[n]).collect::<Vec<_>>());
            let error = (variance(&a) / a.len() as f64 + variance(&b) / b.len() as f64).sqrt();
            ((mean(&a) - mean(&b)) / error).abs()
        };
        (0..20).map(score).fold(0.0, f64::max)
    };
    for update in UPDATES {
        let found = worst(&run(update, true));
        assert!(found < z_star(20), "{update:?}: {found}");
    }
    let control = worst(&run(UPDATES[0], false));
    assert!(control > 2.0 * z_star(20), "the control: {control}");
}

/// O6: the truth is one of 20 draws given the first site, 19 of which chains made after 60 sweeps: its rank by energy is even over 20
/// bins, χ²₁₉ < 63.68 with 2,000 replicates, ties broken at random. What chains had not forgotten by then could only fail the
/// test. Control: chains that did not sweep.
#[test]
fn ranks_of_the_truth_are_even() {
    let whole = Table::normal(&[3, 2, 4], 1.0, 81);
    let statistic = |update: Update, sweeps: u64| {
        let (mut bins, mut rng) = ([0.0; 20], Rng::new(82));
        for (replicate, truth) in drawn(&whole, 2000, 83).into_iter().enumerate() {
            // The first site counts fastest: given it, every third energy is left.
            let energies: Vec<f64> = whole.energies.iter().skip(truth % 3).step_by(3).copied().collect();
            let given = Table { states: vec![2, 4], energies, vague: false };
            let model = Discrete::new(given.clone(), update).unwrap();
            let mut state = model.init(19, key(84).fold_in(replicate as u64));
            model.run(&mut state, 0..sweeps, key(85).fold_in(replicate as u64));
            let own = given.energies[truth / 3];
            let others: Vec<f64> = indices(&given, &state).into_iter().map(|at| given.energies[at]).collect();
            let (below, ties) =
                (others.iter().filter(|e| **e < own).count(), others.iter().filter(|e| **e == own).count());
            bins[below + rng.below(ties + 1)] += 1.0;
        }
        bins.iter().map(|n: &f64| (n - 100.0).powi(2) / 100.0).sum::<f64>()
    };
    for update in UPDATES {
        let found = statistic(update, 60);
        assert!(found < 63.68, "{update:?}: {found}");
    }
    let control = statistic(UPDATES[0], 0);
    assert!(control > 2.0 * 63.68, "the control: {control}");
}

/// Is the Ising magnet of 4 × 4 spins with periodic ends: E = −J Σ s s' over 32 bonds, s = 2x − 1.
struct Magnet(f64);

impl Magnet {
    fn bonds(x: &[u16], site: usize) -> f64 {
        let (row, column) = (site / 4, site % 4);
        let around = [(row + 1, column), (row + 3, column), (row, column + 1), (row, column + 3)];
        around.iter().map(|(r, c)| 2.0 * f64::from(x[r % 4 * 4 + c % 4]) - 1.0).sum()
    }
}

impl Sites for Magnet {
    fn sites(&self) -> usize {
        16
    }

    fn energy(&self, x: &[u16]) -> f64 {
        let terms = (0..16).map(|site| (2.0 * f64::from(x[site]) - 1.0) * Self::bonds(x, site));
        -self.0 / 2.0 * terms.sum::<f64>()
    }

    fn change(&self, x: &[u16], site: usize, to: u16) -> f64 {
        -2.0 * self.0 * (f64::from(to) - f64::from(x[site])) * Self::bonds(x, site)
    }
}

/// A field on the same spins, the second expert: E = −B Σ s.
struct Field(f64);

impl Sites for Field {
    fn sites(&self) -> usize {
        16
    }

    fn energy(&self, x: &[u16]) -> f64 {
        -self.0 * x.iter().map(|&x| 2.0 * f64::from(x) - 1.0).sum::<f64>()
    }
}

/// O12: energy, its square (specific heat) and magnetisation of 1,500 chains after 100 sweeps from fair coins against the sum over
/// 65,536 states, |z| < z*(9). J = 0.3 is warm enough that 100 sweeps forget a start.
#[test]
fn a_small_magnet_has_its_energy_heat_and_magnetisation() {
    let magnet = || Product(Magnet(0.3), Field(0.05));
    let figures = |energy: f64, x: &[u16]| {
        [energy, energy * energy, x.iter().map(|&x| 2.0 * f64::from(x) - 1.0).sum::<f64>().abs()]
    };
    let (mut z, mut exact) = (0.0, [0.0; 3]);
    for n in 0..1_u32 << 16 {
        let x: Vec<u16> = (0..16).map(|i| (n >> i & 1) as u16).collect();
        let energy = magnet().energy(&x);
        z += (-energy).exp();
        figures(energy, &x).iter().zip(&mut exact).for_each(|(f, sum)| *sum += f * (-energy).exp());
    }
    for update in [Update::HeatBath, Update::Metropolis, Update::Informed { moves: 16 }] {
        let model = Discrete::new(magnet(), update).unwrap();
        let mut state = model.init(1500, key(91));
        model.run(&mut state, 0..100, key(92));
        let rows = state.rows().into_iter().zip(model.energy(&state));
        let found: Vec<[f64; 3]> = rows.map(|(x, energy)| figures(energy, &x.to_vec())).collect();
        for (figure, sum) in exact.iter().enumerate() {
            let values: Vec<f64> = found.iter().map(|row| row[figure]).collect();
            let score = z_score(&values, sum / z);
            assert!(score.abs() < z_star(9), "{update:?}, figure {figure}: {score}");
        }
    }
}
