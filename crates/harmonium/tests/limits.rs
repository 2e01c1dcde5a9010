//! Proves limits that have closed forms (oracle O11): β = 0, β large, no weights, one hidden unit, idle units.

mod common;

use common::tolerance::{rounding, tau_p, tau_softplus, tau_z};
use common::{chains, close, every, every_row, exact, key, library, masks, model, models};
use harmonium::rbm::Rbm;
use harmonium::{Gibbs, Marginal, Thermal};
use harmonium_oracle::math::{sigmoid, softplus};
use harmonium_oracle::rbm::Rbm as Exact;
use harmonium_oracle::rng::Rng;

/// At β = 0 all units are fair coins: F = −H ln 2, ln Z = (V + H) ln 2, and every unit follows the word alone.
#[test]
fn beta_zero_is_fair_coins() {
    for rbm in models() {
        let (nv, nh, cold) = (rbm.visible_units(), rbm.hidden_units(), rbm.tempered(0.0));
        let bound = (nv + nh) as f64 * tau_softplus(0.0, 0.0);
        let ln2 = std::f64::consts::LN_2;
        for f in cold.free_energies(every_row(&rbm).states()) {
            close(f, -(nh as f64) * ln2, bound, (nv, nh));
        }
        close(cold.log_z().unwrap(), (nv + nh) as f64 * ln2, bound, (nv, nh));
        let zero = library(&Exact::zeros(nv, nh));
        let (mut a, mut b) = (chains(&rbm, &every(nv)), chains(&zero, &every(nv)));
        cold.sweep(&mut a, key(1));
        zero.sweep(&mut b, key(1));
        assert_eq!(a, b);
    }
}

/// At β = 10⁴ a half-step gives the sign of the activation: |β I| beyond 17 leaves no 24-bit word undecided.
#[test]
fn large_beta_gives_the_mode() {
    for rbm in models().iter().filter(|rbm| rbm.weights().iter().any(|w| w.abs() > 0.5)) {
        let (x, rows) = (exact(rbm), every(rbm.visible_units()));
        let drawn = masks(&rbm.tempered(1e4).sample_hidden(every_row(rbm).states(), key(5)));
        for (v, h) in rows.into_iter().zip(drawn) {
            for (j, i) in x.hidden_activations(v).into_iter().enumerate().filter(|(_, i)| i.abs() > 2e-3) {
                assert_eq!(h >> j & 1 == 1, i > 0.0, "state {v}, unit {j}, activation {i}");
            }
        }
    }
}

fn without_weights(nv: usize, nh: usize, seed: u64) -> Rbm {
    let mut out = Exact::normal(nv, nh, 2.0, &mut Rng::new(seed));
    out.weights.fill(0.0);
    library(&out)
}

/// W = 0 factorises: probabilities are σ of the biases, ln Z a sum of softplus, pseudo-likelihood the likelihood.
#[test]
fn no_weights_means_no_dependence() {
    for (seed, &(nv, nh)) in common::SIZES.iter().enumerate() {
        let rbm = without_weights(nv, nh, seed as u64);
        let (x, data) = (exact(&rbm), every_row(&rbm));
        let biases = || x.visible_bias.iter().chain(&x.hidden_bias);
        let bound: f64 = biases().map(|&b| tau_softplus(0.0, b)).sum();
        let log_z: f64 = biases().map(|&b| softplus(b)).sum();
        close(rbm.log_z().unwrap(), log_z, bound, (nv, nh));
        let (f, pseudo) = (rbm.free_energy(&data).unwrap(), rbm.pseudo_log_likelihood(&data).unwrap());
        let pairs = 2.0 * nv as f64 * bound;
        (0..data.rows()).for_each(|v| close(pseudo[v], -f[v] - log_z, bound + pairs, v));
        for row in rbm.transform(&data).unwrap().rows() {
            for (&got, &c) in row.iter().zip(&x.hidden_bias) {
                close(f64::from(got), sigmoid(c), tau_p(0.0, c) + rounding(f64::from(got)), c);
            }
        }
    }
}

/// One hidden unit: Z = Π (1 + e^b) + e^c Π (1 + e^(b + w)).
#[test]
fn one_hidden_unit_has_a_closed_form() {
    for (seed, nv) in [1, 2, 5, 8, 63, 64, 65, 129].into_iter().enumerate() {
        let rbm = model(nv, 1, 0.5, 80 + seed as u64);
        let x = exact(&rbm);
        let off: f64 = x.visible_bias.iter().map(|&b| softplus(b)).sum();
        let on: f64 = x.visible_bias.iter().zip(&x.weights).map(|(b, w)| softplus(b + w)).sum();
        let expected = off + softplus(x.hidden_bias[0] + on - off);
        let terms =
            |s: f64| x.visible_bias.iter().zip(&x.weights).map(move |(b, w)| tau_softplus(s * w, b + s * w));
        close(rbm.log_z().unwrap(), expected, terms(1.0).sum::<f64>().max(terms(0.0).sum()) + 1e-10, nv);
    }
}

/// A hidden unit without couplings adds softplus(c) to ln Z and takes it from every F; a visible one likewise.
#[test]
fn idle_units_add_their_own_term() {
    for rbm in models() {
        let x = exact(&rbm);
        let mut more = Exact::zeros(x.visible, x.hidden + 1);
        more.visible_bias.clone_from(&x.visible_bias);
        more.hidden_bias = [&x.hidden_bias[..], &[0.75]].concat();
        for n in 0..x.weights.len() {
            more.weights[n / x.hidden * (x.hidden + 1) + n % x.hidden] = x.weights[n];
        }
        let more = library(&more);
        assert_eq!(rbm.shift(), more.shift());
        let term = softplus(0.75);
        let bound = 2.0 * tau_z(&exact(&more));
        close(more.log_z().unwrap() - rbm.log_z().unwrap(), term, bound, "ln Z");
        let f = |rbm: &Rbm| rbm.free_energy(&every_row(rbm)).unwrap();
        f(&rbm).iter().zip(f(&more)).for_each(|(a, b)| close(a - b, term, bound, "F"));
        let transposed = library(&exact(&more).transposed());
        close(transposed.log_z().unwrap(), more.log_z().unwrap(), bound, "transposed");
    }
}

/// Biases of ±200 clamp every unit: chains do not move, whatever the words.
#[test]
fn certain_units_never_move() {
    let mut sure = Exact::normal(8, 4, 1.0, &mut Rng::new(90));
    sure.visible_bias = (0..8).map(|i| if i % 3 == 0 { 200.0 } else { -200.0 }).collect();
    sure.hidden_bias = (0..4).map(|j| if j % 2 == 0 { 200.0 } else { -200.0 }).collect();
    let rbm = library(&sure);
    // One word of 2²⁴, that of 24 zero bits, switches on even a unit of probability e^−200; none is drawn here.
    let mut state = rbm.init(1000, key(3));
    (0..10).for_each(|sweep| rbm.sweep(&mut state, key(4).fold_in(sweep)));
    assert!(masks(state.visible()).iter().all(|&v| v == 0b0100_1001));
    assert!(masks(state.hidden()).iter().all(|&h| h == 0b0101));
}
