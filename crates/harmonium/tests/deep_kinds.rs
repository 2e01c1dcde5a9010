//! Proves deep machines of every kind of unit: one hidden layer is the machine of two layers, further ones keep the bound's rules; and
//! missing values are drawn given the others.

mod common;

use common::deep::{deep, deeps, judge};
use common::units::{batch, coupled_rows, kinds, machine, pairs, random};
use common::{all_close, close, key};
use harmonium::dbn::deep::{Dbm, Inference};
use harmonium::rbm::Rbm;
use harmonium::train::{Cd, Fit, Ladder, Schedule, Silent, Tempering, fit};
use harmonium::units::{States, Units};
use harmonium::{BitMatrix, EnergyModel, Gibbs, HasParams, Marginal, Thermal};
use harmonium_oracle::rng::Rng;
use harmonium_oracle::stats::{g_test, holm};
use ndarray::Array2;

/// Makes a deep machine of one hidden layer of these parameters; nothing where the hidden layer has others than biases.
fn deepened(rbm: &Rbm) -> Option<Dbm> {
    let layers = vec![rbm.visible().clone(), rbm.hidden().clone()];
    Dbm::from_layers(layers, vec![rbm.weights()]).ok()
}

/// Sweeps, energies, statistics and free energies are those of the machine of two layers: bit for bit, but the last, which has other
/// sums.
#[test]
fn one_hidden_layer_of_any_kind_is_a_machine_of_two_layers() {
    let mut known = 0;
    for (seed, (visible, hidden)) in pairs(4, 3).into_iter().enumerate() {
        let rbm = machine(&visible, &hidden, 0.3, seed as u64);
        let Some(dbm) = deepened(&rbm) else { continue };
        known += 1;
        let data = batch(rbm.visible(), &coupled_rows(&visible, 70, 1));
        dbm.check_data(&data).unwrap();
        let (mut own, mut other) = (dbm.clamp(&data), rbm.clamp(&data));
        let (mut a, mut b) = (dbm.stats(), rbm.stats());
        dbm.accumulate(&own, &mut a);
        rbm.accumulate(&other, &mut b);
        assert_eq!(a, b, "{visible} and {hidden}");
        (own, other) = (dbm.unpack(dbm.pack(&own)).unwrap(), rbm.unpack(rbm.pack(&other)).unwrap());
        dbm.run(&mut own, 0..3, key(2));
        rbm.run(&mut other, 0..3, key(2));
        assert_eq!(
            (own.visible(), &own.layers()[1]),
            (other.visible(), other.hidden()),
            "{visible} and {hidden}"
        );
        assert_eq!(
            dbm.tempered(0.5).energy(&own),
            rbm.tempered(0.5).energy(&other),
            "{visible} and {hidden}"
        );
        let (bound, free) = (dbm.variational_bound(&data).unwrap(), rbm.free_energy(&data).unwrap());
        for (bound, free) in bound.iter().zip(free) {
            // Means of bits are rounded to 16 bits in J·m alone, and add up again in I·m.
            close(*bound, -free, 2e-3 * (1.0 + free.abs()), (&visible, &hidden));
        }
    }
    assert!(known > 40, "{known} pairs");
}

/// Bounds of machines whose layers are of any kinds do not fall with more steps, and training and sampling keep numbers finite.
#[test]
fn layers_of_any_kinds_go_together() {
    let bits = Units::Bernoulli(3);
    let outer = kinds(4).into_iter().map(|kind| [kind, bits.clone(), Units::Spin(2)]);
    let inner = kinds(3)
        .into_iter()
        .map(|kind| [Units::Bernoulli(4), kind, Units::Categorical { units: 2, classes: 3 }]);
    for (seed, units) in outer.chain(inner).enumerate() {
        let mut rng = Rng::new(seed as u64);
        let layers: Vec<_> = units.iter().map(|units| random(units, 0.3, &mut rng)).collect();
        let weights = units.windows(2).map(|pair| {
            Array2::from_shape_fn((pair[0].features(), pair[1].features()), |_| (0.3 * rng.normal()) as f32)
        });
        let weights: Vec<_> = weights.collect();
        let Ok(mut dbm) = Dbm::from_layers(layers, weights) else {
            assert!(matches!(units[1], Units::Diagonal(_) | Units::Drelu(_)), "{} is refused", units[1]);
            continue;
        };
        let data = batch(&dbm.layers()[0], &coupled_rows(&units[0], 60, 1));
        let mut before = vec![f64::NEG_INFINITY; 60];
        for iterations in [1, 3, 10, 40] {
            dbm = dbm.with_inference(Inference { iterations, tolerance: 0.0 }).unwrap();
            let bounds = dbm.variational_bound(&data).unwrap();
            for (bound, before) in bounds.iter().zip(&mut before) {
                assert!(*bound >= *before - 2e-3 * (1.0 + bound.abs()), "{units:?}: {bound} after {before}");
                *before = *bound;
            }
        }
        let options = Fit { epochs: 2, batch: 20, learning_rate: Schedule::Constant(0.01), ..Fit::default() };
        fit(&mut dbm, &data, &mut Cd::new(1), &options, key(3), &mut Silent).unwrap();
        let state = dbm.sample(10, 6, key(4), &mut |_| ());
        let chains = dbm.unpack(dbm.pack(&state)).unwrap();
        assert_eq!(dbm.pack(&chains), dbm.pack(&state), "{units:?}");
        assert!(
            dbm.energy(&state).iter().chain(&dbm.variational_bound(&data).unwrap()).all(|x| x.is_finite())
        );
        assert_eq!(dbm.reconstruct(&data).unwrap().dim(), (60, units[0].features()));
    }
}

/// Draws of missing values follow p(missing | rest) of the enumerated machine; G-test, Holm over all machines.
#[test]
fn missing_values_are_drawn_given_the_others() {
    let (n, mut found) = (10_000, Vec::new());
    for (seed, dbm) in deeps(0.6).into_iter().enumerate() {
        let x = judge(&dbm);
        let row = (1 << x.sizes[0]) - 1_u64;
        let data =
            common::batch(x.sizes[0], &vec![row; n]).masked(BitMatrix::from_fn(n, x.sizes[0], |_, u| u == 0));
        let filled = dbm.complete(&data, 60, key(seed as u64));
        let got = common::masks(filled.states());
        assert!(got.iter().all(|v| v | 1 == row));
        let ones = got.iter().filter(|v| **v == row).count() as u64;
        let log = x.unnormalized();
        let odds = (log[row as usize] - log[row as usize & !1]).exp();
        let p = odds / (1.0 + odds);
        found.push(g_test(&[n as u64 - ones, ones], &[1.0 - p, p]).p_value);
    }
    let least = holm(&found).into_iter().fold(1.0, f64::min);
    assert!(least > 1e-6, "adjusted p-value {least:e}");
}

/// Tempered chains train a deep machine as they train any other.
#[test]
fn tempering_trains_deep_machines() {
    let mut dbm = deep(&[4, 3, 2], &[], 0.5, 1);
    let data = common::batch(4, &[1, 2, 3, 12, 15]);
    let ladder = Ladder::Even { rungs: 3, lowest: 0.0 };
    let mut estimator = Tempering::default();
    estimator.ladder = ladder;
    let before = dbm.params();
    fit(&mut dbm, &data, &mut estimator, &Fit::default(), key(1), &mut Silent).unwrap();
    let moved: Vec<f64> = dbm.params().tensors().iter().map(|t| f64::from(t.values[0])).collect();
    let start: Vec<f64> = before.tensors().iter().map(|t| f64::from(t.values[0])).collect();
    assert_ne!(moved, start);
    all_close(&moved, &start, 5.0, "finite");
    assert!(matches!(dbm.pack(&dbm.init(3, key(2))), States::Bits(bits) if bits.units() == 6));
}
