//! Proves what belief networks compute and draw against enumeration in f64: bounds, samples, reconstructions.

mod common;

use common::tolerance::{TAU_0, tau_f, tau_hidden_step, tau_sweep, tau_z};
use common::{balanced, batch, close, every, exact, key, masks, model};
use harmonium::Batch;
use harmonium::dbn::stack::{Bounding, Dbn, Sampling};
use harmonium::rbm::{Classifier, Rbm};
use harmonium::units::Units;
use harmonium_oracle::belief::Belief;
use harmonium_oracle::bits::value;
use harmonium_oracle::rbm::Rbm as Exact;
use harmonium_oracle::stats::{ALPHA, tv, tv_star, z_score, z_star};
use ndarray::Array2;

/// Units of each stack, the data's first; those of the top machine's hidden layer last.
const STACKS: [&[usize]; 4] = [&[4, 3], &[4, 3, 2], &[4, 3, 2, 2], &[5, 2, 3]];

/// Makes a stack whose recognition weights are others than its generative ones, with a label of `classes` or none.
pub(crate) fn stack(units: &[usize], classes: usize, scale: f64, seed: u64) -> Dbn {
    let (top, lower) = (units.len() - 2, |n: usize| model(units[n], units[n + 1], scale, seed + n as u64));
    let below: Vec<Rbm> = (0..top).map(lower).collect();
    let crown = balanced(units[top] + classes, units[top + 1], scale, seed + 20);
    let dbn = match classes {
        0 => Dbn::from_rbms(below.into_iter().chain([crown]).collect()),
        classes => Dbn::with_labels(below, Classifier::from_rbm(crown, classes).unwrap()),
    };
    let own = (0..top).map(|n| model(units[n], units[n + 1], scale, seed + 40 + n as u64)).collect();
    dbn.unwrap().with_recognition(own).unwrap()
}

/// Reads a stack into the oracle.
pub(crate) fn oracle(dbn: &Dbn) -> Belief {
    let lower = dbn.depth() - 1;
    let (generative, recognition) = (dbn.rbms(), dbn.recognisers().unwrap());
    Belief {
        generative: generative[..lower].iter().map(|rbm| exact(rbm)).collect(),
        recognition: recognition[..lower].iter().map(exact).collect(),
        top: exact(generative[lower]),
        classes: dbn.classes().unwrap_or(0),
    }
}

fn largest(units: usize, of: impl Fn(u64) -> f64) -> f64 {
    every(units).into_iter().map(of).fold(0.0, f64::max)
}

/// Bounds what f32 costs a bound: each ln p and ln q errs by its softplus terms, −F and ln Z by τ_F and τ_Z (that of a label, ln Σ e^I,
/// moves by at most its largest input's move); and q, which is their exponential, weighs all terms.
fn tau_bound(law: &Belief) -> f64 {
    let mut tau = 2.0 * tau_z(&law.top) + largest(law.top.visible, |x| tau_f(&law.top, x)) + TAU_0;
    let mut terms = largest(law.shared(), |x| law.log_weight(x, None).abs());
    for (layer, (p, q)) in law.generative.iter().zip(&law.recognition).enumerate() {
        let turned = p.transposed();
        tau += largest(p.hidden, |h| tau_f(&turned, h)) + largest(q.visible, |v| tau_f(q, v));
        terms += largest(p.visible, |v| largest(p.hidden, |h| law.generated(layer, v, h).ln().abs()));
        terms += largest(q.visible, |v| largest(q.hidden, |h| law.recognised(layer, v, h).ln().abs()));
    }
    tau * (1.0 + terms)
}

#[test]
fn bounds_are_those_of_enumeration() {
    for (n, units) in STACKS.into_iter().enumerate() {
        for classes in [0, 2] {
            let dbn = stack(units, classes, 1.0, n as u64);
            let (law, options) = (oracle(&dbn), Bounding::default());
            let (visible, tau) = (law.visible(None), tau_bound(&law));
            for v in every(units[0]) {
                let found = dbn.bound(&batch(units[0], &[v]), &options, key(1)).unwrap();
                close(found.bound, law.bound(v), tau, (units, classes, v));
                close(found.log_z, law.log_z(None), tau, (units, classes));
                assert!(found.bound <= visible[v as usize].ln() + tau, "{units:?} {v}: {found}");
                assert!(found.error == 0.0 && found.draws.is_none() && found.interval.width() == 0.0);
                assert!(found.to_string().ends_with("exact bound"), "{found}");
            }
        }
    }
}

/// The mean of 4,000 draws of each of 16 rows, standardised by the error that it says it has, is a normal number.
#[test]
fn draws_estimate_the_bound_and_their_error() {
    let mut scores = Vec::new();
    for classes in [0, 3] {
        for seed in 0..6 {
            let dbn = stack(&[4, 3, 2], classes, 1.0, 100 * seed + 3);
            let rows = batch(4, &every(4));
            let exact = dbn.bound(&rows, &Bounding::default(), key(seed)).unwrap();
            let options = Bounding { draws: 4_000, enumerate: false, ..Bounding::default() };
            let drawn = dbn.bound(&rows, &options, key(seed)).unwrap();
            assert!(drawn.interval.low < drawn.bound && drawn.bound < drawn.interval.high);
            let text = drawn.to_string();
            assert!(text.contains("3σ [") && text.contains("4000 draws"), "{text}");
            scores.push((drawn.expectation - exact.expectation) / drawn.error);
        }
    }
    let worst = scores.iter().map(|z| z.abs()).fold(0.0, f64::max);
    assert!(worst < z_star(scores.len()), "{scores:?}");
    // The squares of 12 such numbers sum to 12 ± √24; a chi-square of 12 is above 2 with probability 1 − 10⁻³·⁷.
    assert!(scores.iter().map(|z| z * z).sum::<f64>() > 1.0, "errors far too wide: {scores:?}");
}

/// Whatever the draws, ln p(v | h) − F₂(h) − ln q(h | v) is −F₁(v) where machine 2 is machine 1 upside down (Hinton, Osindero & Teh
/// 2006, section 4): the bound is the likelihood of machine 1.
#[test]
fn a_machine_upside_down_keeps_the_bound() {
    for (seed, scale) in [(1, 0.5), (2, 1.0), (3, 3.0)] {
        let machine = model(5, 4, scale, seed);
        let turned = Rbm::from_layers(
            machine.weights().t().to_owned(),
            machine.hidden().clone(),
            machine.visible().clone(),
        );
        let rows = batch(5, &every(5));
        let alone = machine.exact_likelihood(&rows).unwrap().log_likelihood;
        let single = Dbn::from_rbms(vec![machine.clone()]).unwrap();
        let dbn = Dbn::from_rbms(vec![machine, turned.unwrap()]).unwrap();
        let tau = tau_bound(&oracle(&dbn));
        for enumerate in [true, false] {
            let options = Bounding { enumerate, ..Bounding::default() };
            let found = dbn.bound(&rows, &options, key(seed)).unwrap();
            close(found.bound, alone, tau, (seed, enumerate));
            assert!(found.error < tau, "{found}");
        }
        close(single.bound(&rows, &Bounding::default(), key(seed)).unwrap().bound, alone, tau, "one machine");
    }
}

/// The same with real data, in their own units.
#[test]
fn bounds_of_real_data_are_densities_of_their_own_units() {
    let data = Array2::from_shape_fn((40, 3), |(r, u)| ((r * (2 * u + 3)) % 11) as f32 * 2.5 - 4.0);
    let rows = Batch::reals(data).unwrap();
    let fresh = Rbm::fitted(Units::Gaussian(3), &rows, Units::Bernoulli(4), key(2)).unwrap();
    let weights = Array2::from_shape_fn((3, 4), |(i, j)| (i as f32 - j as f32) * 0.3);
    let mut machine = Rbm::from_layers(weights, fresh.visible().clone(), fresh.hidden().clone()).unwrap();
    machine.set_scaling(fresh.scaling().cloned()).unwrap();
    let turned = Rbm::from_layers(
        machine.weights().t().to_owned(),
        machine.hidden().clone(),
        machine.visible().clone(),
    );
    let alone = machine.exact_likelihood(&rows).unwrap().log_likelihood;
    let dbn = Dbn::from_rbms(vec![machine, turned.unwrap()]).unwrap();
    let found = dbn.bound(&rows, &Bounding::default(), key(1)).unwrap();
    close(found.bound, alone, 1e-4, "real data");
    let drawn = dbn.sample(&Sampling { chains: 9, sweeps: 3, class: None }, key(1), &mut |_| ()).unwrap();
    assert_eq!((drawn.states.rows(), drawn.means.dim()), (9, (9, 3)));
    assert_eq!(dbn.reconstruct(&rows, 2, key(1)).unwrap().dim(), (40, 3));
}

/// Gives the law of a stack of which the class is known.
fn given(law: &Belief, class: usize) -> Belief {
    let (units, hidden) = (law.shared(), law.top.hidden);
    let mut top = Exact::zeros(units, hidden);
    top.weights.copy_from_slice(&law.top.weights[..units * hidden]);
    top.visible_bias.copy_from_slice(&law.top.visible_bias[..units]);
    (0..hidden).for_each(|j| top.hidden_bias[j] = law.top.hidden_bias[j] + law.top.weight(units + class, j));
    Belief { top, classes: 0, ..law.clone() }
}

/// Bounds how far chains of a top machine without a label are from its law after so many sweeps, wherever they start.
fn residue(law: &Belief, sweeps: usize) -> f64 {
    let prior = law.prior(None);
    let after = |x: usize| {
        let mut point = vec![0.0; prior.len()];
        point[x] = 1.0;
        (0..sweeps).for_each(|_| point = law.swept(&point));
        tv(&point, &prior)
    };
    (0..prior.len()).map(after).fold(0.0, f64::max)
}

/// Bounds the variation that f32 adds: a sweep at the top, and a half-step for each layer below.
fn tau_draws(law: &Belief) -> f64 {
    tau_sweep(&law.top) + law.generative.iter().map(|p| tau_hidden_step(&p.transposed())).sum::<f64>()
}

const CHAINS: usize = 20_000;
const SWEEPS: u64 = 40;

/// Draws from a stack and compares with p(v), or p(v | class); the means are those that the states were drawn with.
#[track_caller]
fn samples_follow(dbn: &Dbn, class: Option<usize>, expected: &[f64], slack: f64, seed: u64) {
    let options = Sampling { chains: CHAINS, sweeps: SWEEPS, class };
    let drawn = dbn.sample(&options, key(seed), &mut |_| ()).unwrap();
    let mut seen = vec![0.0; expected.len()];
    masks(&drawn.states).iter().for_each(|&v| seen[v as usize] += 1.0 / CHAINS as f64);
    let (off, bound) = (tv(&seen, expected), tv_star(expected, CHAINS) + slack);
    assert!(off <= bound, "{class:?}: {off} > {bound}");
    let (states, units) = (drawn.states.to_array(), drawn.states.features());
    for unit in 0..units {
        let (at, means) = (states.column(unit), drawn.means.column(unit));
        let rest: Vec<f64> = at.iter().zip(&means).map(|(x, m)| f64::from(x - m)).collect();
        let z = z_score(&rest, 0.0).abs();
        assert!(z <= z_star(units), "{class:?}, unit {unit}: {z}");
    }
    let known = drawn.labels.is_some_and(|labels| labels.iter().all(|&label| Some(label) == class));
    assert!(class.is_none() || known);
}

#[test]
fn samples_follow_the_law() {
    for (n, units) in STACKS.into_iter().enumerate() {
        let dbn = stack(units, 0, 0.8, 60 + n as u64);
        let law = oracle(&dbn);
        samples_follow(
            &dbn,
            None,
            &law.visible(None),
            residue(&law, SWEEPS as usize / 2) + tau_draws(&law),
            7,
        );
    }
}

#[test]
fn samples_of_a_class_follow_its_law() {
    for (n, units) in STACKS.into_iter().enumerate() {
        let dbn = stack(units, 3, 0.8, 80 + n as u64);
        let law = oracle(&dbn);
        for class in 0..3 {
            let given = given(&law, class);
            let slack = residue(&given, SWEEPS as usize / 2) + tau_draws(&given);
            samples_follow(&dbn, Some(class), &law.visible(Some(class)), slack, 8);
        }
    }
}

/// Where the label is free, it is drawn along: the pair (v, y) follows p(y) p(v | y).
#[test]
fn labels_are_drawn_with_their_rows() {
    for (n, units) in STACKS.into_iter().enumerate() {
        let dbn = stack(units, 2, 0.8, 90 + n as u64);
        let law = oracle(&dbn);
        samples_follow(&dbn, None, &law.visible(None), tau_draws(&law), 9);
        let options = Sampling { chains: CHAINS, sweeps: SWEEPS, class: None };
        let drawn = dbn.sample(&options, key(9), &mut |_| ()).unwrap();
        let count = 1 << units[0];
        let (mut seen, mut expected) = (vec![0.0; 2 * count], Vec::new());
        for (v, y) in masks(&drawn.states).iter().zip(drawn.labels.unwrap()) {
            seen[y * count + *v as usize] += 1.0 / CHAINS as f64;
        }
        for y in 0..2 {
            let p = (law.log_z(Some(y)) - law.log_z(None)).exp();
            expected.extend(law.visible(Some(y)).iter().map(|v| p * v));
        }
        let (off, bound) = (tv(&seen, &expected), tv_star(&expected, CHAINS) + tau_draws(&law));
        assert!(off <= bound, "{units:?}: {off} > {bound}");
    }
}

/// The mean over many draws of one row, within Hoeffding's bound: up by q, at the top through its hidden units, and down.
#[test]
fn reconstructions_have_their_expectation() {
    let dbn = stack(&[4, 3, 2, 2], 0, 1.5, 17);
    let law = oracle(&dbn);
    let (draws, v) = (40_000, 0b0110);
    let row = batch(4, &vec![v; draws]);
    for layer in 1..=3 {
        let mut at = vec![0.0; 16];
        at[v as usize] = 1.0;
        at = law.upwards(at, layer.min(2));
        if layer == 3 {
            at = law.swept(&at);
        }
        let expected = law.downwards(at, layer.min(2));
        let means = dbn.reconstruct(&row, layer, key(3)).unwrap();
        let bound = ((2.0 * 12.0 / ALPHA).ln() / (2.0 * draws as f64)).sqrt() + tau_draws(&law);
        for unit in 0..4 {
            let mean = means.column(unit).iter().map(|&m| f64::from(m)).sum::<f64>() / draws as f64;
            let own = expected.iter().enumerate().map(|(v, p)| p * value(v as u64, unit)).sum();
            close(mean, own, bound, (layer, unit));
        }
    }
}
