//! Proves that deep machines have their law: energies, transition matrices of sweeps (O3), exact starts (O4), tempering.

mod common;

use common::deep::{deep, deeps, every_row, judge, layers, masks, packed, tau_energy, tau_sweep};
use common::tolerance::TAU_0;
use common::{close, key, threshold};
use harmonium::dbn::deep::{Dbm, View};
use harmonium::rbm::Rbm;
use harmonium::train::{Fit, Pcd, Silent, fit};
use harmonium::units::{States, Unit, Units};
use harmonium::{Batch, EnergyModel, Gibbs, HasParams, Thermal};
use harmonium_kernels::{bernoulli, numeric};
use harmonium_oracle::rng::Rng;
use harmonium_oracle::sample::Table;
use harmonium_oracle::stats::{g_test, holm};
use ndarray::Array1;

/// Gives the activations of a layer in a state, spins' doubled: what decides their draws.
fn activations(view: &View<'_>, l: usize, states: &[States]) -> Vec<f32> {
    let (input, layer) = (view.input(l, states).values(), view.layer(l));
    let slope = if layer.signs() { 2.0 } else { 1.0 };
    input.iter().zip(layer.bias().iter().cycle()).map(|(i, b)| slope * (i + b)).collect()
}

/// O3, without noise: the thresholds of the library's draws make half-steps that leave the law alone within the rounding of
/// f32. The law of another temperature drifts (the control).
#[test]
fn transition_matrices_leave_the_law_invariant() {
    for dbm in deeps(0.8) {
        let x = judge(&dbm);
        for beta in [1.0, 0.5_f32] {
            let (view, law) = (dbm.tempered(beta), x.tempered(f64::from(beta)).probabilities());
            let on = |l: usize, state: u64| {
                let all = activations(&view, l, &layers(&x, &[state]));
                all.into_iter().map(|a| f64::from(threshold(a)) / 16_777_216.0).collect::<Vec<_>>()
            };
            let sweep = x.half_step(1, &on).then(&x.half_step(0, &on));
            assert!(sweep.row_sum_error() <= TAU_0);
            assert!(sweep.drift(&law) <= tau_sweep(&x), "{}", sweep.drift(&law));
            let wrong = x.tempered(2.0 * f64::from(beta)).probabilities();
            assert!(sweep.drift(&wrong) > 1e-3);
            assert!(sweep.sweeps_to(&law, 1e-4, 5000).is_some(), "sweeps reach the law from every start");
        }
    }
}

/// The link from thresholds to sweeps: layer 1 takes words of half-step 0, the visible layer those of half-step 1, layer l those of l.
#[test]
fn sweeps_are_draws_in_their_order() {
    for (seed, dbm) in deeps(0.8).into_iter().enumerate() {
        let (x, view, key) = (judge(&dbm), dbm.view(), key(seed as u64));
        let mut state = dbm.init(20, key);
        let mut expected = state.layers().to_vec();
        dbm.sweep(&mut state, key);
        for l in (1..x.sizes.len()).step_by(2).chain((0..x.sizes.len()).step_by(2)) {
            let all = activations(&view, l, &expected);
            let half = key.fold_in([1, 0].get(l).copied().unwrap_or(l as u64));
            let bit = |row: usize, unit: usize| {
                let mut words = vec![0; x.sizes[l]];
                bernoulli::fill(half, row as u64, &mut words);
                numeric::bernoulli(words[unit], all[row * x.sizes[l] + unit])
            };
            expected[l] = States::Bits(harmonium::BitMatrix::from_fn(20, x.sizes[l], bit));
        }
        assert_eq!(masks(&x, state.layers()), masks(&x, &expected), "machine {seed}");
        let mut many = dbm.unpack(dbm.pack(&state)).unwrap();
        dbm.run(&mut many, 0..3, key);
        (0..3).for_each(|sweep| dbm.sweep(&mut state, key.fold_in(sweep)));
        assert_eq!(dbm.pack(&many), dbm.pack(&state), "what is packed decides all that follows");
    }
}

#[test]
fn energies_are_those_of_the_formula() {
    for dbm in deeps(1.5) {
        let x = judge(&dbm);
        let all: Vec<u64> = (0..1 << x.units()).collect();
        let mut state = dbm.unpack(packed(&x, &all)).unwrap();
        // A sweep gives every layer a state.
        dbm.sweep(&mut state, key(5));
        for beta in [1.0, 0.3_f32] {
            let energies: Array1<f64> = dbm.tempered(beta).energy(&state);
            for (mask, energy) in masks(&x, state.layers()).into_iter().zip(energies) {
                close(energy, f64::from(beta) * x.energy(mask), tau_energy(&x), mask);
            }
        }
    }
}

#[test]
fn exact_states_stay_exact() {
    exact_starts(20_000);
}

#[test]
#[ignore = "long form of exact_states_stay_exact: 10⁶ draws a machine"]
fn a_million_exact_states_stay_exact() {
    exact_starts(1_000_000);
}

/// O4: one sweep from exact states, G-test of all cells, Holm over all machines.
fn exact_starts(n: usize) {
    let mut found = Vec::new();
    for (seed, dbm) in deeps(0.8).into_iter().enumerate() {
        let (x, mut rng) = (judge(&dbm), Rng::new(seed as u64));
        let (law, table) = (x.probabilities(), Table::new(&x.probabilities()));
        let start: Vec<u64> = (0..n).map(|_| table.draw(&mut rng) as u64).collect();
        let mut state = dbm.unpack(packed(&x, &start)).unwrap();
        dbm.sweep(&mut state, key(seed as u64));
        let mut counts = vec![0_u64; law.len()];
        masks(&x, state.layers()).into_iter().for_each(|mask| counts[mask as usize] += 1);
        found.push(g_test(&counts, &law).p_value);
    }
    let least = holm(&found).into_iter().fold(1.0, f64::min);
    assert!(least > 1e-6, "adjusted p-value {least:e}");
}

/// A layer between wide ones receives from both sides what neither alone could send: the sum of 2,000 codes is exact.
#[test]
fn sums_from_both_sides_fit() {
    let sizes = [1000, 2, 1000];
    let layers = sizes.map(|n| Units::Bernoulli(n).layer(vec![0.0; n]));
    let weights = [(1000, 2), (2, 1000)].map(|shape| ndarray::Array2::from_elem(shape, 1.9_f32));
    let dbm = Dbm::from_layers(layers.to_vec(), weights.to_vec()).unwrap();
    let on = |n: usize| States::Bits(harmonium::BitMatrix::from_fn(1, n, |_, _| true));
    let weight = dbm.weights(1).unwrap()[(0, 0)];
    assert_eq!(dbm.view().input(1, &sizes.map(on)).values(), [2000.0 * weight; 2]);
}

/// With one hidden layer every sweep and every update of persistent chains is that of a restricted machine, bit for bit.
#[test]
fn one_hidden_layer_is_a_restricted_machine() {
    let data = Batch::from_bits(common::coins(90, 70, 1)).unwrap();
    let units = [Units::Bernoulli(70), Units::Bernoulli(40)];
    let mut dbm = Dbm::new(&units, key(3)).unwrap();
    let mut rbm = Rbm::new(units[0].clone(), units[1].clone(), key(3)).unwrap();
    let options = Fit { epochs: 3, batch: 20, ..Fit::default() };
    let mut pcd = [Pcd::new(2, 30), Pcd::new(2, 30)];
    fit(&mut dbm, &data, &mut pcd[0], &options, key(4), &mut Silent).unwrap();
    fit(&mut rbm, &data, &mut pcd[1], &options, key(4), &mut Silent).unwrap();
    let values = |model: &dyn HasParams| {
        let tensors = model.params().tensors().to_vec();
        tensors.into_iter().map(|t| t.values).collect::<Vec<_>>()
    };
    assert_eq!(values(&dbm), values(&rbm));
    assert_eq!(pcd[0].standing(), pcd[1].standing());
    assert_eq!(dbm.weights(1).unwrap(), rbm.weights());
}

/// What does not fit is named, and nothing is made.
#[test]
fn machines_that_can_not_be_are_refused() {
    let say = |units: &[Units]| Dbm::new(units, key(1)).unwrap_err().to_string();
    let bits = Units::Bernoulli;
    assert_eq!(say(&[bits(3)]), "layers: expected 1 to 16, got 0");
    assert_eq!(say(&vec![bits(2); 18]), "layers: expected 1 to 16, got 17");
    assert_eq!(say(&[bits(3), bits(0)]), "units of layer 1: expected 1 or more, got 0");
    assert!(
        say(&[bits(3), Units::NoisyRelu(2)]).starts_with("units of layer 1: expected units with an energy")
    );
    assert!(
        say(&[bits(3), Units::Gaussian(2), Units::Gaussian(2)])
            .starts_with("units: expected one layer of bounded")
    );
    assert!(
        say(&[bits(40_000), bits(1), bits(40_000)]).starts_with("units next to one: expected at most 65536")
    );
    let good = deep(&[3, 2, 2], &[], 0.5, 1);
    let parts = |f: &dyn Fn(&mut Vec<ndarray::Array2<f32>>)| {
        let mut weights = vec![good.weights(1).unwrap(), good.weights(2).unwrap()];
        f(&mut weights);
        Dbm::from_layers(good.layers().to_vec(), weights).unwrap_err().to_string()
    };
    assert_eq!(parts(&|w| drop(w.pop())), "weights: expected 2 matrices, got 1");
    assert_eq!(parts(&|w| w.swap(0, 1)), "weights_1: expected (3, 2), got (2, 2)");
    assert_eq!(
        parts(&|w| w[1][(0, 1)] = f32::NAN),
        "weights_2 at entry 1: expected a finite number, got NaN"
    );
    let wide = Batch::from_bits(common::coins(2, 4, 1)).unwrap();
    assert!(good.check_data(&wide).is_err() && good.weights(0).is_err() && good.bias(3).is_err());
    assert!(good.unpack(every_row(&judge(&good)).states().clone()).is_err());
    // A machine whose parameters can't be restored stays as it was.
    let (mut changed, mut params) = (good.clone(), good.params());
    params.tensors_mut()[3].values[0] = f32::INFINITY;
    assert!(changed.restore(&params, good.shift()).is_err() && changed.restore(&good.params(), 100).is_err());
    assert_eq!(changed, good);
}

/// Every parameter, the grid and the shape show in the digest.
#[test]
fn digests_tell_machines_apart() {
    let machine = deep(&[3, 2, 2], &[], 0.5, 1);
    let mut seen = vec![machine.digest()];
    for block in 0..machine.blocks().len() {
        let mut other = machine.clone();
        other.blocks_mut()[block].values[0] += 0.25;
        other.refresh();
        seen.push(other.digest());
    }
    let different: std::collections::HashSet<&String> = seen.iter().collect();
    assert_eq!(different.len(), seen.len());
}
