//! Proves bounds of parameters, adapted rates and how options join, update by update, against f64 formulas.

mod common;

use std::ops::ControlFlow;

use common::tolerance::U;
use common::{all_close, batch, close, key, model};
use harmonium::rbm::Rbm;
use harmonium::stats::Phases;
use harmonium::train::{
    Adapt, Centre, Clip, Constraints, Decay, Fisher, Fit, GroupL1, Mask, Method, Pcd, Schedule, Sign, Silent,
    Sparsity, Step, Training, Transform, WithGradient, fit,
};
use harmonium::units::Units;
use harmonium::{Batch, EnergyModel, HasParams, Params};

const SIZE: (usize, usize) = (4, 3);
const ROWS: [u64; 5] = [0b0101, 0b0101, 0b1100, 0b0001, 0b1111];

fn machine() -> Rbm {
    model(SIZE.0, SIZE.1, 1.0, 22)
}

fn entries(params: &Params) -> Vec<f64> {
    params.tensors().iter().flat_map(|t| t.values.iter().map(|&x| f64::from(x))).collect()
}

fn data() -> Batch {
    batch(SIZE.0, &ROWS)
}

/// Trains with these options and gives (parameters before, gradient, parameters after) of every update.
fn walk(rbm: &Rbm, options: &Fit) -> Vec<(Params, Params, Params)> {
    let (mut rbm, mut out) = (rbm.clone(), Vec::new());
    let mut before = rbm.params();
    let mut look = WithGradient(|step: &Step<'_, Rbm>| {
        let after = step.model.params();
        let gradient = step.gradient.expect("a gradient was asked for").clone();
        out.push((std::mem::replace(&mut before, after.clone()), gradient, after));
        ControlFlow::Continue(())
    });
    fit(&mut rbm, &data(), &mut Pcd::new(1, 4), options, key(8), &mut look).unwrap();
    out
}

fn options() -> Fit {
    Fit { epochs: 6, batch: 3, learning_rate: Schedule::Constant(0.5), ..Fit::default() }
}

/// After w − η g, each weight moves by η λ towards 0 and stops there; biases do not.
#[test]
fn proximal_steps_make_exact_zeros() {
    let constraints = Constraints { proximal: 0.25, ..Constraints::default() };
    let mut zeros = 0;
    for (before, gradient, after) in walk(&machine(), &Fit { constraints, ..options() }) {
        for block in 0..3 {
            let [x, g, y] = [&before, &gradient, &after].map(|p| &p.tensors()[block].values);
            for n in 0..x.len() {
                let moved = f64::from(x[n]) - 0.5 * f64::from(g[n]);
                let threshold = if block == 0 { 0.125 } else { 0.0 };
                let expected = moved.signum() * (moved.abs() - threshold).max(0.0);
                close(f64::from(y[n]), expected, 4.0 * 4.0 * U, (block, n));
                zeros += usize::from(block == 0 && y[n] == 0.0);
            }
        }
    }
    assert!(zeros > 10, "{zeros} weights at 0");
}

#[test]
fn signs_are_kept_and_the_others_become_zero() {
    for (sign, side) in [(Sign::Positive, 1.0), (Sign::Negative, -1.0)] {
        let constraints = Constraints { sign: Some(sign), ..Constraints::default() };
        let steps = walk(&machine(), &Fit { constraints, ..options() });
        for (n, (before, gradient, after)) in steps.iter().enumerate() {
            let [x, g, y] = [before, gradient, after].map(|p| &p.tensors()[0].values);
            for i in 0..x.len() {
                let start = f64::from(x[i]) * side;
                // Before the first update the bound holds already.
                let moved = if n == 0 { start.max(0.0) } else { start } - 0.5 * side * f64::from(g[i]);
                close(f64::from(y[i]) * side, moved.max(0.0), 4.0 * 4.0 * U, (n, i));
            }
        }
        let biases = |p: &Params| p.tensors()[1..].iter().flat_map(|t| t.values.clone()).collect::<Vec<_>>();
        let last = biases(&steps.last().unwrap().2);
        assert!(last.iter().any(|b| *b > 0.0) && last.iter().any(|b| *b < 0.0), "biases are free");
    }
}

/// Columns longer than c are scaled down to it; the others are plain steps.
#[test]
fn hidden_units_have_a_largest_norm() {
    let most = f64::from(0.9_f32);
    let constraints = Constraints { max_norm: Some(0.9), ..Constraints::default() };
    let (mut long, mut short) = (0, 0);
    let (nv, nh) = SIZE;
    let column = |p: &Params, j: usize| -> Vec<f64> {
        (0..nv).map(|i| f64::from(p.tensors()[0].values[i * nh + j])).collect()
    };
    let norm = |x: &[f64]| x.iter().map(|w| w * w).sum::<f64>().sqrt();
    let limited = |x: &[f64]| x.iter().map(|w| w * (most / norm(x)).min(1.0)).collect::<Vec<_>>();
    for (n, (before, gradient, after)) in
        walk(&machine(), &Fit { constraints, ..options() }).iter().enumerate()
    {
        for j in 0..nh {
            let start = column(before, j);
            let start = if n == 0 { limited(&start) } else { start };
            let moved: Vec<f64> = start.iter().zip(column(gradient, j)).map(|(w, g)| w - 0.5 * g).collect();
            all_close(&column(after, j), &limited(&moved), 16.0 * 4.0 * U, (n, j));
            assert!(norm(&column(after, j)) < most * (1.0 + 4.0 * U));
            *(if norm(&moved) > most { &mut long } else { &mut short }) += 1;
        }
    }
    assert!(long > 3 && short > 3, "{long} scaled, {short} not");
}

/// Masked weights are 0 throughout, and so are their gradients; all others are plain steps.
#[test]
fn masked_weights_are_zero_throughout() {
    let mask = Mask { block: "weights".into(), zeros: vec![0, 5, 11] };
    let constraints = Constraints { masks: vec![mask], ..Constraints::default() };
    for method in [Method::default(), Method::adamw(0.1)] {
        let fit = Fit { constraints: constraints.clone(), method: method.clone(), ..options() };
        for (before, gradient, after) in walk(&machine(), &fit) {
            let [x, g, y] = [&before, &gradient, &after].map(|p| &p.tensors()[0].values);
            for n in 0..x.len() {
                if [0, 5, 11].contains(&n) {
                    assert!(y[n] == 0.0 && g[n] == 0.0, "entry {n}");
                } else {
                    assert!(y[n] != 0.0, "entry {n}");
                    let expected = f64::from(x[n]) - 0.5 * f64::from(g[n]);
                    let plain = method == Method::default();
                    assert!(!plain || (f64::from(y[n]) - expected).abs() <= 16.0 * U, "entry {n}");
                }
            }
        }
    }
}

/// A frozen block keeps every bit, whatever else there is; the others move as they would.
#[test]
fn frozen_blocks_stay() {
    let rbm = machine();
    for (at, name) in ["weights", "visible_bias", "hidden_bias"].into_iter().enumerate() {
        let frozen = vec![name.to_owned()];
        let constraints =
            Constraints { frozen, proximal: 0.1, max_norm: Some(0.5), ..Constraints::default() };
        let (method, decay) = (Method::adamw(0.1), Decay { l1: 0.1, l2: 0.1 });
        let steps = walk(&rbm, &Fit { constraints, method, decay, ..options() });
        let last = &steps.last().unwrap().2;
        for (n, block) in rbm.blocks().iter().enumerate() {
            assert_eq!(last.tensors()[n].values == block.values, n == at, "{name}: {}", block.name);
        }
        assert!(steps.iter().all(|step| step.1.tensors()[at].values.iter().all(|g| *g == 0.0)));
    }
}

/// The factor of the rate is the product of 1 + κ cos over successive gradients, within its limits; the steps have it.
#[test]
fn rates_follow_the_cosine_of_successive_gradients() {
    let adapt = Adapt { strength: 0.4, least: 0.5, most: 1.5 };
    let (mut rbm, mut factor) = (machine(), 1.0_f64);
    let (mut before, mut last): (Vec<f64>, Option<Vec<f64>>) = (entries(&rbm.params()), None);
    let (mut limits, mut inside) = (0, 0);
    let mut look = WithGradient(|step: &Step<'_, Rbm>| {
        let gradient = entries(step.gradient.expect("a gradient was asked for"));
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        if let Some(last) = &last {
            let cosine = dot(&gradient, last) / (dot(&gradient, &gradient) * dot(last, last)).sqrt();
            factor = (factor * (1.0 + f64::from(0.4_f32) * cosine)).clamp(0.5, 1.5);
            *(if factor == 0.5 || factor == 1.5 { &mut limits } else { &mut inside }) += 1;
        }
        // Up to twenty updates, four roundings of a number below 2 each.
        close(f64::from(step.training.rate()), 0.5 * factor, 20.0 * 4.0 * 2.0 * U, "rate");
        let after = entries(&step.model.params());
        let expected: Vec<f64> = before.iter().zip(&gradient).map(|(x, g)| x - 0.5 * factor * g).collect();
        all_close(&after, &expected, 200.0 * U, "step");
        (before, last) = (after, Some(gradient));
        ControlFlow::Continue(())
    });
    let options = Fit { epochs: 10, adapt: Some(adapt), ..options() };
    fit(&mut rbm, &data(), &mut Pcd::new(1, 4), &options, key(8), &mut look).unwrap();
    assert!(inside > 3 && limits > 0, "{inside} within the limits, {limits} at them");
}

/// What takes a whole gradient gives the same bits whether somebody looks at it or not.
#[test]
fn looking_changes_no_bit_of_what_is_not_fused() {
    let constraints = Constraints { max_norm: Some(0.9), ..Constraints::default() };
    let all = [
        Fit { group_l1: Some(GroupL1 { strength: 0.1 }), ..options() },
        Fit { sparsity: Some(Sparsity::default()), ..options() },
        Fit { fisher: Some(Fisher::default()), ..options() },
        Fit { clip: Some(Clip { norm: 0.1 }), ..options() },
        Fit { adapt: Some(Adapt::default()), ..options() },
        Fit { constraints, ..options() },
    ];
    let train = |options: &Fit| {
        let mut rbm = machine();
        fit(&mut rbm, &data(), &mut Pcd::new(1, 4), options, key(8), &mut Silent).unwrap();
        rbm.params()
    };
    let plain = train(&options());
    for options in all {
        let seen = walk(&machine(), &options).last().unwrap().2.clone();
        let unseen = train(&options);
        assert!(seen == unseen, "{options:?}");
        assert!(unseen != plain, "no effect: {options:?}");
    }
}

/// Penalties and bounds act through `Fit` as they do by themselves: the gradient that an observer sees has all of them.
#[test]
fn a_training_applies_what_its_options_name() {
    let rbm = machine();
    let mut sparsity = Sparsity { target: 0.2, strength: 0.3 };
    let (mut group, mut decay) = (GroupL1 { strength: 0.4 }, Decay { l1: 0.01, l2: 0.02 });
    let base = Fit { epochs: 1, batch: 5, ..options() };
    let first = |options: &Fit| walk(&rbm, options)[0].1.clone();
    let mut expected = first(&base);
    // The penalties look at the data's phase alone.
    let mut phases = Phases::new(rbm.stats());
    rbm.accumulate(&rbm.clamp(&data()), &mut phases.positive);
    decay.apply(&mut expected, &rbm.blocks(), &phases);
    group.apply(&mut expected, &rbm.blocks(), &phases);
    sparsity.apply(&mut expected, &rbm.blocks(), &phases);
    Clip { norm: 0.2 }.apply(&mut expected, &rbm.blocks(), &phases);
    let (group_l1, clip) = (Some(group), Some(Clip { norm: 0.2 }));
    let got = first(&Fit { decay, group_l1, sparsity: Some(sparsity), clip, ..base });
    assert!(got == expected);
}

#[test]
fn options_out_of_range_are_refused_by_name() {
    let base = Fit::default;
    let bounds = |constraints| Fit { constraints, ..base() };
    let none = Constraints::default;
    let mask = |block: &str, entry| Mask { block: block.into(), zeros: vec![entry] };
    let refused = [
        (Fit { group_l1: Some(GroupL1 { strength: -1.0 }), ..base() }, "group_l1"),
        (Fit { sparsity: Some(Sparsity { target: 1.0, strength: 0.1 }), ..base() }, "sparsity target"),
        (Fit { sparsity: Some(Sparsity { target: 0.5, strength: f32::NAN }), ..base() }, "sparsity strength"),
        (Fit { clip: Some(Clip { norm: 0.0 }), ..base() }, "clip"),
        (Fit { fisher: Some(Fisher { damping: 0.0 }), ..base() }, "fisher damping"),
        (Fit { adapt: Some(Adapt { strength: 1.0, ..Adapt::default() }), ..base() }, "adapt strength"),
        (Fit { adapt: Some(Adapt { least: 0.0, ..Adapt::default() }), ..base() }, "adapt least"),
        (Fit { adapt: Some(Adapt { most: f32::INFINITY, ..Adapt::default() }), ..base() }, "adapt most"),
        (Fit { adapt: Some(Adapt { most: f32::NAN, ..Adapt::default() }), ..base() }, "adapt most"),
        (Fit { enhanced: true, centre: Some(Centre::default()), ..base() }, "enhanced"),
        (Fit { enhanced: true, fisher: Some(Fisher::default()), ..base() }, "fisher"),
        (bounds(Constraints { proximal: -0.1, ..none() }), "proximal"),
        (bounds(Constraints { max_norm: Some(0.0), ..none() }), "max_norm"),
        (bounds(Constraints { frozen: vec!["bias".into()], ..none() }), "frozen"),
        (bounds(Constraints { masks: vec![mask("hidden_bias", 0)], ..none() }), "mask"),
        (bounds(Constraints { masks: vec![mask("weights", 12)], ..none() }), "mask"),
    ];
    for (options, field) in refused {
        let text = Training::new(&machine(), &data(), &options).unwrap_err().to_string();
        assert!(text.starts_with(&format!("{field}: expected")), "{text}");
    }
}

/// Means of spins and classes are no probabilities of bits, which a sparsity could pull at.
#[test]
fn sparsity_is_refused_without_bernoulli_hidden_units() {
    let data = batch(5, &[0b10110, 0b01101]);
    for hidden in [Units::Spin(3), Units::Gaussian(3), Units::Categorical { units: 2, classes: 3 }] {
        let rbm = Rbm::new(Units::Bernoulli(5), hidden, key(1)).unwrap();
        let options = Fit { sparsity: Some(Sparsity::default()), ..Fit::default() };
        let error = Training::new(&rbm, &data, &options).map(|_| ()).unwrap_err().to_string();
        assert!(error.starts_with("sparsity: expected Bernoulli hidden units"), "{error}");
    }
}
