//! Proves sweeps of deep machines by joint draws (O5) and ranks (O6).

mod common;

use common::oracles::{RANKS, alternated, burn_in, decisions, mixed, ranked};
use common::tolerance::TAU_0;
use common::{deep, key};
use harmonium::dbn::deep::Dbm;
use harmonium::{Gibbs, Key, Thermal};
use harmonium_oracle::deep::Deep;
use harmonium_oracle::stats::z_star;
use harmonium_oracle::transition::Matrix;

fn read(state: usize) -> Vec<f64> {
    (0..7).map(|i| (state >> i & 1) as f64).collect()
}

/// Is sweeps of a deep machine between numbers of its states.
fn deep_swept(dbm: &Dbm, x: &Deep, beta: f32, states: &[usize], sweeps: u64, key: Key) -> Vec<usize> {
    let states: Vec<u64> = states.iter().map(|&state| state as u64).collect();
    let mut state = dbm.unpack(deep::packed(x, &states)).unwrap();
    dbm.tempered(beta).run(&mut state, 0..sweeps, key);
    deep::masks(x, state.layers()).into_iter().map(|mask| mask as usize).collect()
}

/// O5 of deep machines: θ is β. Control: sweeps at half of β.
#[test]
fn joint_draws_of_deep_machines_agree_with_alternating_ones() {
    let betas = [0.4_f32, 0.7, 1.0];
    for (seed, spins) in [(81, &[][..]), (82, &[1])] {
        let dbm = deep::deep(&[3, 2, 2], spins, 1.2, seed);
        let x = deep::judge(&dbm);
        let laws = betas.map(|beta| x.tempered(f64::from(beta)).probabilities());
        let run = |by: f32| {
            alternated(&laws, &read, seed, &|value, states, key| {
                deep_swept(&dbm, &x, by * betas[value], &states, 1, key)
            })
        };
        assert!(run(1.0) < z_star(20), "{}", run(1.0));
        assert!(run(0.5) > 2.0 * z_star(20), "the control");
    }
}

/// Builds the matrix of a sweep from the formulas: layers of odd depth given those of even depth, then these.
fn deep_matrix(x: &Deep) -> Matrix {
    let starts = x.sizes.iter().scan(0, |at, size| Some(std::mem::replace(at, *at + size)));
    let spans: Vec<_> = starts.zip(&x.sizes).map(|(start, size)| start..start + size).collect();
    let order = spans.iter().skip(1).step_by(2).chain(spans.iter().step_by(2)).cloned().flatten();
    let one = |unit: usize| {
        decisions(1 << x.units(), &[unit], &|state, unit| {
            let change = x.energy((state ^ 1 << unit) as u64) - x.energy(state as u64);
            1.0 / (1.0 + change.exp())
        })
    };
    order.map(one).reduce(|all, next| all.then(&next)).expect("a unit")
}

/// O6 of deep machines, all units free: chains begin with all units off, sweep as often as the matrix asks for. Control: no sweeps.
#[test]
fn ranks_of_deep_machines_are_even() {
    let dbm = deep::deep(&[3, 2, 2], &[1], 0.8, 83);
    let x = deep::judge(&dbm);
    let (law, kernel) = (x.probabilities(), deep_matrix(&x));
    assert!(kernel.drift(&law) <= TAU_0);
    let sweeps = burn_in(&kernel, &law);
    let statistic = |sweeps: u64| {
        let of = |state: usize| mixed(&law, &read(state), state);
        ranked(&law, &of, 84, &|count| deep_swept(&dbm, &x, 1.0, &vec![0; count], sweeps, key(85)))
    };
    let found = statistic(sweeps);
    assert!(found < RANKS, "after {sweeps} sweeps: {found}");
    assert!(statistic(0) > 2.0 * RANKS, "the control");
}
