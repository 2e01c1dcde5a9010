//! Proves that sweeps of general machines leave their law alone: transition matrices (O3), exact starts (O4), clamping.

mod common;

use common::key;
use common::machines::{
    batch, bits, digits, draw, exact, kernels, machines as all, tau_draw, tau_sweep, visible_states,
};
use common::tolerance::TAU_0;
use harmonium::bm::{Graph, Machine, Rule, View};
use harmonium::units::Units;
use harmonium::{BitMatrix, EnergyModel, Gibbs, Thermal};
use harmonium_kernels::bernoulli::fill;
use harmonium_oracle::machine::Machine as Exact;
use harmonium_oracle::math::sum;
use harmonium_oracle::rng::Rng;
use harmonium_oracle::sample::Table;
use harmonium_oracle::stats::{g_test, holm, tv};
use harmonium_oracle::transition::Matrix;

/// Builds the matrix of drawing one unit.
fn unit_matrix(view: &View<'_>, x: &Exact, unit: usize) -> Matrix {
    let rows = x.states().into_iter().map(|state| {
        let mut row = vec![0.0; x.states().len()];
        for (to, p) in
            draw(view, &bits(x, std::slice::from_ref(&state)), unit, x.base()).into_iter().enumerate()
        {
            let mut end = state.clone();
            end[unit] = to;
            row[x.index(&end)] += p;
        }
        row
    });
    Matrix::from_rows(&rows.collect::<Vec<_>>())
}

/// O3, without noise: one draw of a unit is reversible, and leaves the law alone within the rounding of f32; sweeps of all
/// units then do as well. At half the temperature they do not (the negative control).
#[test]
fn transition_matrices_leave_the_law_invariant() {
    for (machine, _) in kernels(0.8).into_iter().step_by(2) {
        let x = exact(&machine);
        for beta in [1.0, 0.5_f32] {
            let view = machine.tempered(beta);
            let law = x.tempered(f64::from(beta)).probabilities();
            let mut total: Option<Matrix> = None;
            for unit in 0..x.units {
                let one = unit_matrix(&view, &x, unit);
                assert!(one.row_sum_error() <= TAU_0);
                assert!(one.drift(&law) <= tau_draw(&x), "unit {unit}: {}", one.drift(&law));
                assert!(one.detailed_balance_error(&law) <= 2.0 * tau_draw(&x));
                total = Some(total.map_or(one.clone(), |before| before.then(&one)));
            }
            let sweep = total.unwrap();
            assert!(sweep.drift(&law) <= tau_sweep(&x));
            let wrong = x.tempered(2.0 * f64::from(beta)).probabilities();
            assert!(sweep.drift(&wrong) > 1e-3, "{}", sweep.drift(&wrong));
            assert!(sweep.sweeps_to(&law, 1e-4, 5000).is_some(), "sweeps reach the law from every start");
        }
    }
}

/// Spins whose flips cost nothing do not go round for ever: three in a ring, of which up-down-up is turned over one by one, and three
/// without couplings.
#[test]
fn metropolis_sweeps_reach_every_state() {
    for coupling in [1.0, 0.0] {
        let ring = Graph::new(3, [[0, 1], [1, 2], [2, 0]]).unwrap();
        let machine = Machine::from_parts(ring, Units::Spin(3), vec![coupling; 3], vec![0.0; 3]).unwrap();
        let machine = machine.with_rule(Rule::Metropolis);
        let (x, view) = (exact(&machine), machine.view());
        let sweep =
            (1..3).fold(unit_matrix(&view, &x, 0), |all, unit| all.then(&unit_matrix(&view, &x, unit)));
        assert!(sweep.sweeps_to(&x.probabilities(), 1e-4, 5000).is_some(), "coupling {coupling}");
    }
}

/// The matrix of heat bath is that of the oracle's conditionals.
#[test]
fn heat_bath_draws_from_the_conditionals() {
    for (machine, _) in kernels(0.8).into_iter().step_by(4) {
        let (x, view) = (exact(&machine), machine.view());
        for state in x.states().into_iter().step_by(5) {
            for unit in 0..x.units {
                let got = draw(&view, &bits(&x, std::slice::from_ref(&state)), unit, x.base());
                assert!(tv(&got, &x.conditional(&state, unit)) <= tau_draw(&x));
            }
        }
    }
}

/// The link from draws to sweeps: unit j of row r takes word j of stream r of `fold_in(0)`, proposals those of `fold_in(1)`,
/// in the order of the scan.
#[test]
fn sweeps_are_draws_in_their_order() {
    for (seed, (machine, order)) in kernels(0.8).into_iter().enumerate() {
        let (x, view, key) = (exact(&machine), machine.view(), key(seed as u64));
        let start = machine.init(20, key);
        let mut state = start.clone();
        machine.sweep(&mut state, key);
        for row in 0..20 {
            let mut one = digits(&x, start.bits())[row].clone();
            let mut words = [vec![0; x.units], vec![0; x.units]];
            (0..2).for_each(|n| fill(key.fold_in(n as u64), row as u64, &mut words[n]));
            for &unit in &order {
                one[unit] = view.drawn(
                    &bits(&x, std::slice::from_ref(&one)),
                    0,
                    unit,
                    [words[0][unit], words[1][unit]],
                );
            }
            assert_eq!(digits(&x, state.bits())[row], one, "kernel {seed}, row {row}");
        }
        let mut many = start.clone();
        machine.run(&mut many, 0..3, key);
        let mut each = start;
        (0..3).for_each(|sweep| machine.sweep(&mut each, key.fold_in(sweep)));
        assert_eq!(many, each);
    }
}

/// O4: one sweep from exact states, G-test of all cells, Holm over all kernels. Fresh chains follow the biases alone.
fn exact_starts(n: usize) {
    let mut found = Vec::new();
    for (seed, (machine, _)) in kernels(0.8).into_iter().enumerate() {
        let x = exact(&machine);
        let mut state = machine.sample_exact(n, key(seed as u64)).unwrap();
        machine.sweep(&mut state, key(100 + seed as u64));
        found.push(g_test(&counts(&x, state.bits()), &x.probabilities()).p_value);
        let alone = Exact { edges: vec![], triples: vec![], ..x.clone() };
        let fresh = machine.init(n, key(seed as u64));
        found.push(g_test(&counts(&x, fresh.bits()), &alone.probabilities()).p_value);
    }
    let least = holm(&found).into_iter().fold(1.0, f64::min);
    assert!(least > 1e-6, "adjusted p-value {least:e}");
}

#[test]
fn exact_states_stay_exact() {
    exact_starts(20_000);
}

#[test]
#[ignore = "long: 10⁶ draws a kernel"]
fn a_million_exact_states_stay_exact() {
    exact_starts(1_000_000);
}

fn counts(x: &Exact, bits: &BitMatrix) -> Vec<u64> {
    let mut out = vec![0; x.states().len()];
    digits(x, bits).iter().for_each(|state| out[x.index(state)] += 1);
    out
}

/// Clamped units never move; the others start exactly at their law given them and stay there: all, none and some of them.
#[test]
fn clamped_units_stay_and_the_others_follow_the_conditional() {
    let mut found = Vec::new();
    for (seed, (machine, _)) in kernels(0.6).into_iter().enumerate() {
        let (x, n) = (exact(&machine), 2_000);
        let width = x.width();
        let start = machine.sample_exact(1, key(seed as u64)).unwrap();
        let one = digits(&x, start.bits())[0].clone();
        let conditional = Exact { visible: 2, ..x.clone() }.posterior(&one[..2]);
        let (states, table, mut rng) = (x.states(), Table::new(&conditional), Rng::new(seed as u64));
        let drawn: Vec<Vec<usize>> = (0..n).map(|_| states[table.draw(&mut rng)].clone()).collect();
        let begin = machine.unpack(bits(&x, &drawn).into()).unwrap();
        let mask =
            |free: &dyn Fn(usize) -> bool| BitMatrix::from_fn(n, x.units * width, |_, f| free(f / width));
        let mut state = begin.clone();
        machine.sample_given(&mut state, &mask(&|_| false), 3, key(1)).unwrap();
        assert_eq!(state.bits(), begin.bits(), "nothing is free");
        machine.sample_given(&mut state, &mask(&|unit| unit >= 2), 4, key(2)).unwrap();
        let seen = counts(&x, state.bits());
        assert!(seen.iter().zip(&conditional).all(|(&seen, &p)| seen == 0 || p > 0.0), "clamped units moved");
        let kept: Vec<usize> = (0..seen.len()).filter(|&at| conditional[at] > 0.0).collect();
        let pick = |at: &usize| (seen[*at], conditional[*at]);
        let (seen, p): (Vec<u64>, Vec<f64>) = kept.iter().map(pick).unzip();
        found.push(g_test(&seen, &p).p_value);
        let mut whole = begin.clone();
        machine.sample_given(&mut whole, &mask(&|_| true), 3, key(3)).unwrap();
        let mut free = begin;
        (0..3).for_each(|sweep| machine.sweep(&mut free, key(3).fold_in(sweep)));
        assert_eq!(whole, free, "everything is free");
        assert!(machine.sample_given(&mut whole, &BitMatrix::zeros(n, 1), 1, key(1)).is_err());
    }
    let least = holm(&found).into_iter().fold(1.0, f64::min);
    assert!(least > 1e-6, "adjusted p-value {least:e}");
}

/// Missing values are drawn given the others; those that are there stay.
#[test]
fn missing_values_are_completed_from_the_conditional() {
    for (seed, machine) in all(0.6).into_iter().map(|m| m.with_hidden(1).unwrap()).enumerate() {
        let (x, n) = (exact(&machine), 5_000);
        let (rows, width) = (visible_states(&x), x.width());
        let row = rows[rows.len() / 2].clone();
        let data = batch(&x, &vec![row.clone(); n]);
        let gone = BitMatrix::from_fn(n, data.units(), |_, feature| feature / width == 0);
        let holes = data.masked(gone);
        let filled = machine.complete(&holes, 60, key(seed as u64));
        let got = digits(&x, filled.states().expect_bits());
        assert!(got.iter().all(|got| got[1..] == row[1..]));
        let with = |digit: usize| {
            let mut v = row.clone();
            v[0] = digit;
            (-x.free_energy(&v)).exp()
        };
        let weights: Vec<f64> = (0..x.base()).map(with).collect();
        let p: Vec<f64> = weights.iter().map(|w| w / sum(weights.iter().copied())).collect();
        let counts: Vec<u64> =
            (0..x.base()).map(|digit| got.iter().filter(|got| got[0] == digit).count() as u64).collect();
        assert!(g_test(&counts, &p).p_value > 1e-6);
    }
}
