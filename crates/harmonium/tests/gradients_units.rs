//! Proves the exact gradient and that of the pseudo-likelihood on every pair of unit kinds that has one, against the oracle.

mod common;

use common::units::{batch, exact, machine, pairs, rows_of};
use common::{close, key};
use harmonium::address::Address;
use harmonium::rbm::{Exact, PseudoLikelihood, Rbm};
use harmonium::stats::Phases;
use harmonium::train::{Estimate, Estimator, Fit, Method, Schedule, Silent, fit};
use harmonium::units::{Unit, Units};
use harmonium::{Batch, EnergyModel, Gibbs, HasParams, Key};
use harmonium_oracle::layered::{Rbm as Oracle, Statistics};

/// Lists statistics in the order of the library's parameters.
fn named(rbm: &Rbm, statistics: &Statistics) -> Vec<f64> {
    let block = |name: &str| -> Vec<f64> {
        match name {
            "weights" => statistics.weights.clone(),
            "visible_bias" => statistics.visible[0].clone(),
            "hidden_bias" => statistics.hidden[0].clone(),
            other => {
                let visible = other.starts_with("visible");
                let (blocks, layer) = if visible {
                    (&statistics.visible, rbm.visible())
                } else {
                    (&statistics.hidden, rbm.hidden())
                };
                let place = layer.extra().iter().position(|e| e.names[usize::from(!visible)] == other);
                blocks[1 + place.expect("a further parameter of the layer")].clone()
            }
        }
    };
    rbm.params().tensors().iter().flat_map(|tensor| block(tensor.name)).collect()
}

fn finite(units: &Units) -> bool {
    units.is_binary() || matches!(units, Units::Binomial { .. })
}

fn drawn(rbm: &Rbm, rows: usize, key: Key) -> Vec<Vec<f64>> {
    rows_of(rbm.visible(), rbm.init(rows, key).visible())
}

fn gradient(rbm: &Rbm, estimator: &mut dyn Estimator<Rbm>, data: &Batch) -> Vec<f64> {
    estimator.check_model(rbm).unwrap();
    let mut phases = Phases::new(rbm.stats());
    let estimate = estimator.estimate(rbm, data, 0, Address::new(key(1), 0), &mut phases).unwrap();
    let Estimate::Gradient(gradient) = estimate else { panic!("a finished gradient") };
    assert_eq!((phases.positive.rows(), phases.negative.rows()), (data.rows() as u64, 0));
    gradient.tensors().iter().flat_map(|t| t.values.iter().map(|&x| f64::from(x))).collect()
}

/// What a mean of x ŷ is off by: 2⁻¹⁵ for two phases of probabilities in 16 bits, times the largest feature; roundings of f32
/// values and inputs.
fn bound(rows: &[Vec<f64>], expected: f64) -> f64 {
    let largest = rows.iter().flatten().fold(1.0_f64, |most, x| most.max(x.abs()));
    2.0_f64.powi(-14) * largest + 1e-5 * (1.0 + expected.abs())
}

/// Every pair with a layer that can be listed, from either side; the oracle sums or integrates over the other one.
#[test]
fn exact_gradients_are_those_of_the_enumeration_on_every_pair() {
    let mut count = 0;
    let both = pairs(4, 3).into_iter().chain(pairs(2, 3));
    for (seed, (v, h)) in both.filter(|(v, h)| finite(v) || finite(h)).enumerate() {
        let rbm = machine(&v, &h, 0.4, 2000 + seed as u64);
        let (x, rows) = (exact(&rbm), drawn(&rbm, 7, key(seed as u64)));
        let got = gradient(&rbm, &mut Exact::new(), &batch(rbm.visible(), &rows));
        let ascent = named(&rbm, &x.gradient(&rows, None).unwrap());
        let means = named(&rbm, &x.model_statistics().unwrap());
        for (n, (got, ascent)) in got.iter().zip(&ascent).enumerate() {
            let size = ascent.abs().max(means[n].abs());
            close(*got, -ascent, bound(&rows, size), (v.to_string(), h.to_string(), n));
        }
        count += 1;
    }
    assert_eq!(count, 2 * 56, "every proper pair of these kinds has a layer with states");
}

/// Central differences of step 1e-4 of the oracle's pseudo-likelihood in f64: h² times third derivatives of at most a few
/// hundred, and its rounding of 1e-13 over the step.
#[test]
fn pseudo_gradients_are_differences_of_the_pseudo_likelihood_on_every_pair() {
    let mut count = 0;
    for (seed, (v, h)) in pairs(4, 3).into_iter().filter(|(v, _)| finite(v)).enumerate() {
        let rbm = machine(&v, &h, 0.4, 2200 + seed as u64);
        let (x, rows) = (exact(&rbm), drawn(&rbm, 19, key(seed as u64)));
        let data = batch(rbm.visible(), &rows);
        let got = gradient(&rbm, &mut PseudoLikelihood::new(), &data);
        let slope = |n: usize| {
            let at = |shift: f64| {
                let mut moved = x.clone();
                *moved.parameter_mut(n) += shift;
                -moved.pseudo_log_likelihood(&rows, None).unwrap()
            };
            (at(1e-4) - at(-1e-4)) / 2e-4
        };
        let slopes = arranged(&rbm, &x, (0..x.parameters()).map(slope).collect());
        for (n, (got, slope)) in got.iter().zip(&slopes).enumerate() {
            close(*got, *slope, 4.0 * bound(&rows, *slope), (v.to_string(), h.to_string(), n));
        }
        let value = rbm.pseudo_log_likelihood(&data).unwrap().mean().unwrap();
        let expected = x.pseudo_log_likelihood(&rows, None).unwrap();
        close(value, expected, 1e-5 * (1.0 + expected.abs()), (v.to_string(), h.to_string()));
        count += 1;
    }
    assert_eq!(count, 4 * 9, "visible units with states beside any hidden ones");
}

/// Puts entries in the order of the oracle's parameters into that of the library's.
fn arranged(rbm: &Rbm, x: &Oracle, entries: Vec<f64>) -> Vec<f64> {
    let mut rest = entries;
    let mut take = |n: usize| {
        let tail = rest.split_off(n);
        std::mem::replace(&mut rest, tail)
    };
    let weights = take(x.weights.len());
    let visible = x.visible.parameters.iter().map(|block| take(block.len())).collect();
    let hidden = x.hidden.parameters.iter().map(|block| take(block.len())).collect();
    named(rbm, &Statistics { weights, visible, hidden })
}

/// Rows are summed task by task: threads change no bit, and nothing is drawn.
#[test]
fn threads_and_seeds_change_no_bit() {
    let v = Units::Categorical { units: 5, classes: 3 };
    let rbm = machine(&v, &Units::Relu(4), 0.5, 5);
    let data = batch(rbm.visible(), &drawn(&rbm, 67, key(3)));
    let of = |seed: u64, threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let mut out = Vec::new();
        let mut estimators: [Box<dyn Estimator<Rbm> + Send>; 2] =
            [Box::new(PseudoLikelihood::new()), Box::new(Exact::new())];
        for estimator in &mut estimators {
            let (mut phases, at) = (Phases::new(rbm.stats()), Address::new(key(seed), seed));
            out.push(pool.install(|| estimator.estimate(&rbm, &data, 0, at, &mut phases).unwrap()));
        }
        out
    };
    let expected = of(1, 1);
    for (seed, threads) in [(2, 1), (1, 2), (1, 3), (9, 7)] {
        assert!(of(seed, threads) == expected, "seed {seed}, {threads} threads");
    }
}

/// A Potts machine learns by either: the exact likelihood rises.
#[test]
fn potts_machines_learn_without_samples() {
    let units = Units::Categorical { units: 4, classes: 3 };
    let rows = common::units::coupled_rows(&units, 300, 9);
    let data = batch(&units.layer(vec![0.0; 12]), &rows);
    let options = Fit {
        epochs: 40,
        batch: 100,
        learning_rate: Schedule::Constant(0.02),
        method: Method::adam(),
        ..Fit::default()
    };
    let mut estimators: [Box<dyn Estimator<Rbm>>; 2] =
        [Box::new(PseudoLikelihood::new()), Box::new(Exact::new())];
    for estimator in &mut estimators {
        let mut rbm = Rbm::for_data(&data, Units::Gaussian(3), key(2)).unwrap();
        let before = rbm.exact_likelihood(&data).unwrap().log_likelihood;
        fit(&mut rbm, &data, &mut **estimator, &options, key(3), &mut Silent).unwrap();
        let after = rbm.exact_likelihood(&data).unwrap().log_likelihood;
        assert!(after - before > 0.3, "{before} to {after}");
    }
}

#[test]
fn machines_without_such_gradients_are_refused() {
    let refused = |v: Units, h: Units, estimator: &dyn Estimator<Rbm>| {
        let rbm = Rbm::new(v, h, key(1)).unwrap();
        estimator.check_model(&rbm).unwrap_err().to_string()
    };
    let (exact, pseudo) = (Exact::new(), PseudoLikelihood::new());
    let said = refused(Units::Spin(30), Units::Gaussian(30), &exact);
    assert!(
        said.starts_with("exact gradient: expected at most 2^20 states of the smaller layer, got 1"),
        "{said}"
    );
    let said = refused(Units::Gaussian(3), Units::Bernoulli(30), &exact);
    assert!(said.starts_with("exact gradient: expected at most 2^20 states"), "{said}");
    assert_eq!(
        refused(Units::Gaussian(3), Units::Bernoulli(3), &pseudo),
        "gradient of the pseudo-likelihood: expected visible units with states that can be listed, got 3 Gaussian"
    );
    for estimator in [&exact as &dyn Estimator<Rbm>, &pseudo] {
        let said = refused(Units::Bernoulli(3), Units::NoisyRelu(3), estimator);
        assert!(
            said.ends_with("expected hidden units whose draws follow an energy, got 3 noisy ReLU"),
            "{said}"
        );
    }
}
