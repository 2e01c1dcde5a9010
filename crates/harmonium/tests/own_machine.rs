//! Proves that a general machine is an energy over sites: energies, changes, and the law of chains that move by them.

mod common;

use common::machines::{exact, machines};
use common::{close, key};
use harmonium::sample::own::{Discrete, Sites, Update};
use harmonium::{Gibbs, Thermal};
use harmonium_oracle::rng::Rng;
use harmonium_oracle::sample::Table as Draws;
use harmonium_oracle::stats::{tv, tv_star};
use ndarray::Array2;

fn narrow(digits: &[usize]) -> Vec<u16> {
    digits.iter().map(|&digit| digit as u16).collect()
}

/// Energies and their changes are the oracle's to f64's rounding of some tens of terms.
#[test]
fn energies_and_changes_are_those_of_the_machine() {
    for machine in machines(1.0) {
        let (x, sites) = (exact(&machine), machine.sites());
        for state in x.states() {
            let at = narrow(&state);
            close(sites.energy(&at), x.energy(&state), 1e-12, &state);
            for site in 0..state.len() {
                for to in 0..sites.states(site) {
                    let mut other = state.clone();
                    other[site] = usize::from(to);
                    let change = x.energy(&other) - x.energy(&state);
                    close(sites.change(&at, site, to), change, 1e-12, (&state, site, to));
                }
            }
        }
    }
}

/// §2.4 with exact changes; control at 0.8 β.
#[test]
fn locally_informed_chains_of_a_machine_do_not_drift() {
    const N: usize = 20_000;
    for machine in machines(1.0).into_iter().step_by(2) {
        let (law, states) = (exact(&machine).probabilities(), exact(&machine).states());
        let (width, mut rng, draws) = (states[0].len(), Rng::new(6), Draws::new(&law));
        let start: Vec<u16> = (0..N).flat_map(|_| narrow(&states[draws.draw(&mut rng)])).collect();
        let start = Array2::from_shape_vec((N, width), start).unwrap();
        let model = Discrete::new(machine.sites(), Update::Informed { moves: 3 }).unwrap();
        let moved = |beta: f32, sweeps: u64| {
            let mut chains = start.clone();
            model.tempered(beta).run(&mut chains, 0..sweeps, key(7));
            let mut shares = vec![0.0; law.len()];
            let index = |row: ndarray::ArrayView1<'_, u16>| {
                states.iter().position(|state| narrow(state) == row.to_vec()).unwrap()
            };
            chains.rows().into_iter().for_each(|row| shares[index(row)] += 1.0 / N as f64);
            tv(&shares, &law)
        };
        assert!([0, 4, 16].into_iter().all(|sweeps| moved(1.0, sweeps) <= tv_star(&law, N)));
        assert!(moved(0.8, 16) > 1.5 * tv_star(&law, N), "the control");
    }
}
