//! Proves that a machine's visible half is an energy over sites: energies, proposals and the law of locally informed chains.

mod common;

use common::tolerance::tau_f;
use common::{close, exact, key, model};
use harmonium::rbm::Rbm;
use harmonium::sample::own::{Discrete, Sites, Update};
use harmonium::units::{States, Units};
use harmonium::{Gibbs, Thermal};
use harmonium_oracle::enumerate::visible_distribution;
use harmonium_oracle::rng::Rng;
use harmonium_oracle::sample::Table as Draws;
use harmonium_oracle::stats::{tv, tv_star};

fn state(units: usize, v: u64) -> Vec<u16> {
    (0..units).map(|i| (v >> i & 1) as u16).collect()
}

/// F is the machine's, and changes are differences of it, to τ_F; proposals are of first order: a remainder Σ_j W_ij²/8 at most, as
/// the second derivative of the softplus is ¼ at most.
#[test]
fn energies_changes_and_proposals_are_those_of_the_free_energy() {
    for (seed, scale) in [0.1, 1.0, 3.0].into_iter().enumerate() {
        let rbm = model(5, 4, scale, seed as u64);
        let (x, sites) = (exact(&rbm), rbm.visible_sites().unwrap());
        for v in 0..32 {
            let (at, mut changes) = (state(5, v), [0.0; 10]);
            close(sites.energy(&at), x.free_energy(v), tau_f(&x, v), (seed, v));
            sites.changes(&at, &mut changes);
            for site in 0..5 {
                let to = 1 - at[site];
                let flipped = x.free_energy(v ^ 1 << site) - x.free_energy(v);
                let bound = tau_f(&x, v) + tau_f(&x, v ^ 1 << site);
                close(sites.change(&at, site, to), flipped, bound, (seed, v, site));
                let squares: f64 = (0..4).map(|j| x.weight(site, j).powi(2)).sum();
                close(changes[2 * site + usize::from(to)], flipped, squares / 8.0 + bound, (seed, v, site));
                assert_eq!(changes[2 * site + usize::from(at[site])], 0.0);
            }
        }
    }
}

/// §2.4 with first-order proposals; control at 0.8 β.
#[test]
fn locally_informed_chains_of_a_machine_do_not_drift() {
    const N: usize = 20_000;
    let rbm = model(6, 4, 1.0, 5);
    let (law, mut rng) = (visible_distribution(&exact(&rbm)), Rng::new(6));
    let model = Discrete::new(rbm.visible_sites().unwrap(), Update::Informed { moves: 3 }).unwrap();
    let start: Vec<u16> = (0..N).flat_map(|_| state(6, Draws::new(&law).draw(&mut rng) as u64)).collect();
    let start = ndarray::Array2::from_shape_vec((N, 6), start).unwrap();
    let moved = |beta: f32, sweeps: u64| {
        let mut chains = start.clone();
        model.tempered(beta).run(&mut chains, 0..sweeps, key(7));
        let (States::Bits(bits), mut shares) = (model.pack(&chains), vec![0.0; 64]) else { panic!("bits") };
        bits.words().iter().for_each(|&v| shares[v as usize] += 1.0 / N as f64);
        tv(&shares, &law)
    };
    for sweeps in [0, 1, 4, 16] {
        assert!(moved(1.0, sweeps) <= tv_star(&law, N), "after {sweeps}");
    }
    assert!(moved(0.8, 16) > 2.0 * tv_star(&law, N), "the control");
}

#[test]
fn other_units_are_refused() {
    let rbm = Rbm::new(Units::Spin(3), Units::Bernoulli(2), key(1)).unwrap();
    let refused = rbm.visible_sites().unwrap_err().to_string();
    assert!(refused.starts_with("sites: expected bits on both sides"), "{refused}");
}
