//! Proves the exact gradient against the enumeration of the oracle, and its training against the likelihood.

mod common;

use common::tolerance::tau_phase;
use common::{all_close, batch, exact, key, model, models};
use harmonium::address::Address;
use harmonium::rbm::{Exact, Rbm};
use harmonium::stats::Phases;
use harmonium::train::{Estimate, Estimator, Fit, Silent, Training, fit};
use harmonium::units::Units;
use harmonium::{Batch, EnergyModel, HasParams, Params};
use harmonium_oracle::enumerate::log_z_hidden;
use harmonium_oracle::gradient;
use harmonium_oracle::likelihood::empirical;
use harmonium_oracle::rbm::Rbm as Wide;

fn estimate(rbm: &Rbm, data: &Batch) -> Vec<f64> {
    let mut phases = Phases::new(rbm.stats());
    let estimate = Exact::new().estimate(rbm, data, 0, Address::new(key(1), 0), &mut phases).unwrap();
    let Estimate::Gradient(gradient) = estimate else { panic!("a finished gradient") };
    assert_eq!(phases.positive.rows(), data.rows() as u64);
    entries(&gradient)
}

fn entries(params: &Params) -> Vec<f64> {
    params.tensors().iter().flat_map(|t| t.values.iter().map(|&x| f64::from(x))).collect()
}

fn rows(units: usize) -> Vec<u64> {
    [0b0011_0011, 0b0011_0011, 0b1100_1100, 0b1101_0001, 0].map(|v: u64| v & ((1 << units) - 1)).to_vec()
}

/// The positive phase is in 16 bits, τ_phase; the negative one is f64, and the difference is rounded to f32 once, 2⁻²⁴.
#[test]
fn gradients_are_those_of_the_enumeration() {
    for rbm in models() {
        let (x, rows) = (exact(&rbm), rows(rbm.visible_units()));
        let expected = gradient::exact(&x, &empirical(x.visible, &rows, None));
        let got = estimate(&rbm, &batch(x.visible, &rows));
        all_close(&got, &expected.entries(), tau_phase(&x) + 1.2e-7, (x.visible, x.hidden));
    }
}

/// Layers over one block of states and over many, enumerated from either side: the moments are derivatives of ln Z,
/// which the oracle sums over the other side. Step 1e-4: truncation ≤ h²/6 · 1 (third cumulants of bits), rounding of
/// ln Z ≤ 40 costs 1e-14 · 40 / 1e-4.
#[test]
fn many_blocks_of_states_add_up() {
    for (visible, hidden) in [(13, 5), (5, 13), (12, 12), (9, 70), (70, 9)] {
        let rbm = model(visible, hidden, 0.7, 400 + visible as u64);
        let data = Batch::from_bits(common::coins(7, visible, 3)).unwrap();
        let got = estimate(&rbm, &data);
        let mut phases = Phases::new(rbm.stats());
        rbm.accumulate(&rbm.clamp(&data), &mut phases.positive);
        let (x, positive) = (exact(&rbm), common::means(&phases.positive, &rbm));
        let small = if visible < hidden { x.transposed() } else { x.clone() };
        let log_z = |x: &Wide| if visible < hidden { log_z_hidden(&x.transposed()) } else { log_z_hidden(x) };
        assert!(small.hidden <= 13);
        for n in (0..x.parameters()).step_by(7) {
            let at = |shift: f64| {
                let mut moved = x.clone();
                *moved.parameter_mut(n) += shift;
                log_z(&moved)
            };
            let moment = (at(1e-4) - at(-1e-4)) / 2e-4;
            common::close(got[n], moment - positive[n], 1e-7, (visible, hidden, n));
        }
    }
}

/// Biases of 300 put the terms of Z beyond any f64; the moments are 0 and 1 all the same.
#[test]
fn terms_beyond_the_range_of_numbers_are_summed() {
    for sign in [1.0, -1.0] {
        let mut x = exact(&model(12, 4, 0.5, 9));
        x.visible_bias.fill(sign * 300.0);
        let rbm = common::library(&x);
        let got = estimate(&rbm, &batch(12, &[0]));
        let expected = if sign > 0.0 { 1.0 } else { 0.0 };
        all_close(&got[48..60], &[expected; 12], 1e-7, sign);
    }
}

/// Descent on an exact gradient raises the likelihood at every step while steps are small.
#[test]
fn training_climbs_the_likelihood() {
    let data = batch(8, &rows(8));
    let mut rbm = Rbm::for_data(&data, Units::Bernoulli(4), key(2)).unwrap();
    let options = Fit { epochs: 20, batch: 5, ..Fit::default() };
    let mut last = rbm.exact_likelihood(&data).unwrap().log_likelihood;
    for round in 0..5 {
        fit(&mut rbm, &data, &mut Exact::new(), &options, key(3), &mut Silent).unwrap();
        let now = rbm.exact_likelihood(&data).unwrap().log_likelihood;
        assert!(now > last, "round {round}: {last} to {now}");
        last = now;
    }
}

/// It keeps nothing, so a training cut anywhere ends alike.
#[test]
fn a_training_goes_on_bit_for_bit() {
    let data = batch(8, &rows(8));
    let options = Fit { epochs: 4, batch: 2, ..Fit::default() };
    let fresh = || Rbm::for_data(&data, Units::Bernoulli(4), key(2)).unwrap();
    let mut whole = fresh();
    fit(&mut whole, &data, &mut Exact::new(), &options, key(3), &mut Silent).unwrap();
    let mut cut = fresh();
    let mut training = Training::new(&cut, &data, &options).unwrap();
    let mut stop = |step: &harmonium::train::Step<'_, Rbm>| match step.training.step() {
        5 => std::ops::ControlFlow::Break(()),
        _ => std::ops::ControlFlow::Continue(()),
    };
    training.run(&mut cut, &data, &mut Exact::new(), key(3), &mut stop).unwrap();
    let snapshot = training.snapshot(&cut, &Exact::new());
    let (mut other, mut again) = (fresh(), Training::new(&cut, &data, &options).unwrap());
    again.restore(&mut other, &mut Exact::new(), &snapshot).unwrap();
    again.run(&mut other, &data, &mut Exact::new(), key(3), &mut Silent).unwrap();
    assert!(other == whole && other.digest() == whole.digest());
}

/// A layer too wide is refused before anything changes.
#[test]
fn machines_too_large_are_refused() {
    let data = Batch::from_bits(common::coins(5, 21, 1)).unwrap();
    let mut rbm = Rbm::for_data(&data, Units::Bernoulli(21), key(1)).unwrap();
    let before = rbm.clone();
    let error = fit(&mut rbm, &data, &mut Exact::new(), &Fit::default(), key(1), &mut Silent).unwrap_err();
    let expected = "exact gradient: expected at most 20 units in the smaller layer, got 21";
    assert_eq!(error.to_string(), expected);
    assert!(rbm == before);
}
