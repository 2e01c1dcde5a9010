//! Proves penalties, coordinates and bounds against f64 formulas, finite differences and enumerated statistics.

mod common;

use std::ops::ControlFlow;

use common::tolerance::{U, tau_g, tau_phase};
use common::{all_close, batch, bits, close, exact, key, means, model};
use harmonium::rbm::Rbm;
use harmonium::stats::Phases;
use harmonium::train::{
    Adapt, Centre, Clip, Constraints, Decay, Enhanced, Fisher, Fit, GroupL1, Mask, Method, Pcd, Schedule,
    Sign, Silent, Sparsity, Step, Training, Transform, WithGradient, fit,
};
use harmonium::{Batch, EnergyModel, HasParams, Params};

const SIZE: (usize, usize) = (4, 3);
const ROWS: [u64; 5] = [0b0101, 0b0101, 0b1100, 0b0001, 0b1111];
const CHAINS: [u64; 3] = [0b0001, 0, 0b0111];

fn machine() -> Rbm {
    model(SIZE.0, SIZE.1, 1.0, 22)
}

fn phases(rbm: &Rbm, positive: &[u64], negative: &[u64]) -> Phases {
    let mut out = Phases::new(rbm.stats());
    rbm.accumulate(&rbm.clamp(&batch(SIZE.0, positive)), &mut out.positive);
    rbm.accumulate(&rbm.clamp(&batch(SIZE.0, negative)), &mut out.negative);
    out
}

fn entries(params: &Params) -> Vec<f64> {
    params.tensors().iter().flat_map(|t| t.values.iter().map(|&x| f64::from(x))).collect()
}

/// Gives the gradient of the machine before and after a transform.
fn both(rbm: &Rbm, phases: &Phases, transform: &mut impl Transform) -> (Vec<f64>, Vec<f64>) {
    let mut gradient = rbm.params();
    phases.contrast(&mut gradient);
    let before = entries(&gradient);
    transform.apply(&mut gradient, &rbm.blocks(), phases);
    (before, entries(&gradient))
}

/// Gives ∂P/∂θ by central differences, exact for quadratic P but for rounding and, at a corner, where it is the middle.
fn slopes(penalty: impl Fn(&[f64]) -> f64, theta: &[f64], h: f64) -> Vec<f64> {
    let moved = |n: usize, by: f64| {
        let mut x = theta.to_vec();
        x[n] += by;
        penalty(&x)
    };
    (0..theta.len()).map(|n| (moved(n, h) - moved(n, -h)) / (2.0 * h)).collect()
}

/// Compares what a transform adds with the slopes of its penalty. All numbers are below 8: a handful of roundings of the
/// gradient and the sums in it, and the differences' own error.
fn has_slopes(
    rbm: &Rbm,
    phases: &Phases,
    transform: &mut impl Transform,
    penalty: impl Fn(&[f64]) -> f64,
    differences: f64,
) {
    let (before, after) = both(rbm, phases, transform);
    let added: Vec<f64> = after.iter().zip(&before).map(|(a, b)| a - b).collect();
    let expected = slopes(penalty, &entries(&rbm.params()), 1e-4);
    assert!(expected.iter().any(|x| x.abs() > 1e-2), "the penalty pulls");
    all_close(&added, &expected, 8.0 * 8.0 * U + differences, "slopes");
}

/// Rounding of P below 10² at 10⁻¹⁶ over 2h.
const ROUNDING: f64 = 1e2 * 1e-16 / 1e-4;

#[test]
fn decay_is_the_slope_of_its_penalty() {
    let (rbm, count) = (machine(), SIZE.0 * SIZE.1);
    let penalty = |x: &[f64]| {
        let sum: f64 = x[..count].iter().map(|w| f64::from(0.3_f32) * w.abs() + 0.25 * w * w).sum();
        sum
    };
    let phases = phases(&rbm, &ROWS, &CHAINS);
    has_slopes(&rbm, &phases, &mut Decay { l1: 0.3, l2: 0.5 }, penalty, ROUNDING);
}

/// λ/2 Σ_j (Σ_i |w_ij|)² / N.
#[test]
fn group_l1_is_the_slope_of_its_penalty() {
    let mut rbm = machine();
    rbm.blocks_mut()[0].values[4] = 0.0; // At the corner the slope is none.
    rbm.refresh();
    let (nv, nh) = SIZE;
    let penalty = |x: &[f64]| {
        let sum = |j: usize| (0..nv).map(|i| x[i * nh + j].abs()).sum::<f64>();
        f64::from(0.7_f32) / 2.0 * (0..nh).map(|j| sum(j).powi(2)).sum::<f64>() / nv as f64
    };
    let phases = phases(&rbm, &ROWS, &CHAINS);
    has_slopes(&rbm, &phases, &mut GroupL1 { strength: 0.7 }, penalty, ROUNDING);
}

fn cross_entropy(target: f64, q: f64) -> f64 {
    -target * q.ln() - (1.0 - target) * (1.0 - q).ln()
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// With one row, q_j is σ(c_j + Σ_i v_i w_ij) and the slopes are those of the penalty itself. Differences of third order
/// cost h² times a third derivative below 1; q itself is known to τ of a phase.
#[test]
fn sparsity_is_the_slope_of_its_penalty_for_one_row() {
    let (rbm, (nv, nh)) = (machine(), SIZE);
    let (target, strength) = (f64::from(0.1_f32), f64::from(0.5_f32));
    let row = 0b0101_u64;
    let penalty = |x: &[f64]| {
        let input = |j: usize| (0..nv).map(|i| (row >> i & 1) as f64 * x[i * nh + j]).sum::<f64>();
        let q = |j: usize| sigmoid(x[nv * nh + nv + j] + input(j));
        strength * (0..nh).map(|j| cross_entropy(target, q(j))).sum::<f64>()
    };
    let phases = phases(&rbm, &[row], &CHAINS);
    let mut sparsity = Sparsity { target: 0.1, strength: 0.5 };
    // The machine samples with weights on their grid, 2^-20 from the masters the penalty is told.
    let off = 1e-8 + ROUNDING + tau_phase(&exact(&rbm)) + 4.0 / f64::from(1 << 20);
    has_slopes(&rbm, &phases, &mut sparsity, penalty, off);
}

/// With several rows the mean input is moved: q_j is σ(logit q_j + δc_j + Σ_i ⟨v_i⟩ δw_ij).
#[test]
fn sparsity_moves_the_mean_input_of_several_rows() {
    let (rbm, (nv, nh)) = (machine(), SIZE);
    let phases = phases(&rbm, &ROWS, &CHAINS);
    let (start, all) = (entries(&rbm.params()), means(&phases.positive, &rbm));
    let (v, q) = (&all[nv * nh..nv * nh + nv], &all[nv * nh + nv..]);
    let (target, strength) = (f64::from(0.3_f32), 2.0);
    let penalty = |x: &[f64]| {
        let moved = |j: usize| {
            let by = |n: usize| x[n] - start[n];
            by(nv * nh + nv + j) + (0..nv).map(|i| v[i] * by(i * nh + j)).sum::<f64>()
        };
        let q = |j: usize| sigmoid((q[j] / (1.0 - q[j])).ln() + moved(j));
        strength * (0..nh).map(|j| cross_entropy(target, q(j))).sum::<f64>()
    };
    has_slopes(&rbm, &phases, &mut Sparsity { target: 0.3, strength: 2.0 }, penalty, 1e-8 + ROUNDING);
}

/// Gives ⟨v_i⟩, ⟨h_j⟩ and the covariance of v_i and h_j over rows, from the oracle's conditionals.
fn moments(rbm: &Rbm, rows: &[u64]) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let (x, (nv, nh), n) = (exact(rbm), SIZE, rows.len() as f64);
    let bit = |v: &u64, i: usize| (v >> i & 1) as f64;
    let mean = |f: &dyn Fn(&u64) -> f64| rows.iter().map(f).sum::<f64>() / n;
    let v: Vec<f64> = (0..nv).map(|i| mean(&|row| bit(row, i))).collect();
    let h: Vec<f64> = (0..nh).map(|j| mean(&|row| x.hidden_probabilities(*row)[j])).collect();
    let both = |i, j| mean(&|row| bit(row, i) * x.hidden_probabilities(*row)[j]);
    let covariance =
        (0..nv).flat_map(|i| (0..nh).map(move |j| (i, j))).map(|(i, j)| both(i, j) - v[i] * h[j]);
    let covariance = covariance.collect();
    (v, h, covariance)
}

/// Cho, Raiko & Ilin 2013: Cov of the data less Cov of the model; ∇b − Σ_j ⟨h_j⟩ ∇W and ∇c − Σ_i ⟨v_i⟩ ∇W with means over
/// both, half and half. Our gradient is that of the negative log-likelihood: all signs turn.
#[test]
fn enhanced_gradients_are_differences_of_covariances() {
    let (rbm, (nv, nh)) = (machine(), SIZE);
    let (_, got) = both(&rbm, &phases(&rbm, &ROWS, &CHAINS), &mut Enhanced);
    let ((v, h, data), (v_model, h_model, free)) = (moments(&rbm, &ROWS), moments(&rbm, &CHAINS));
    let w: Vec<f64> = data.iter().zip(&free).map(|(d, m)| m - d).collect();
    let half = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a + b) / 2.0).collect::<Vec<_>>();
    let (mu, lambda) = (half(&v, &v_model), half(&h, &h_model));
    let b = (0..nv).map(|i| v_model[i] - v[i] - (0..nh).map(|j| lambda[j] * w[i * nh + j]).sum::<f64>());
    let c = (0..nh).map(|j| h_model[j] - h[j] - (0..nv).map(|i| mu[i] * w[i * nh + j]).sum::<f64>());
    let expected: Vec<f64> = w.iter().copied().chain(b).chain(c).collect();
    // Statistics at τ_g enter three times a weight, and four weights a bias; all numbers are below 4.
    all_close(&got, &expected, 16.0 * tau_g(&exact(&rbm)) + 16.0 * 4.0 * U, "enhanced");
}

/// Each entry by the variance of its own statistic under the chains, v, h and v h being bits: m (1 − m).
#[test]
fn fisher_divides_by_variances() {
    let (rbm, (nv, nh)) = (machine(), SIZE);
    let damping = f64::from(0.05_f32);
    let (before, after) = both(&rbm, &phases(&rbm, &ROWS, &CHAINS), &mut Fisher { damping: 0.05 });
    let (v, h, covariance) = moments(&rbm, &CHAINS);
    let pairs = (0..nv * nh).map(|n| covariance[n] + v[n / nh] * h[n % nh]);
    let all: Vec<f64> = pairs.chain(v.iter().copied()).chain(h.iter().copied()).collect();
    for (n, m) in all.into_iter().enumerate() {
        let divisor = m * (1.0 - m) + damping;
        // The divisor is off by at most τ of a phase, and is at least ε.
        let bound = (tau_phase(&exact(&rbm)) + 4.0 * U) / damping;
        let expected = before[n] / divisor;
        close(after[n], expected, expected.abs() * bound + U, n);
    }
}

/// The norm is that of all entries; the direction stays, and a short gradient stays as it is.
#[test]
fn clipping_shortens_and_does_not_turn() {
    let rbm = machine();
    let phases = phases(&rbm, &ROWS, &CHAINS);
    let (before, after) = both(&rbm, &phases, &mut Clip { norm: 0.25 });
    let norm = before.iter().map(|g| g * g).sum::<f64>().sqrt();
    assert!(norm > 0.5, "{norm}");
    let expected: Vec<f64> = before.iter().map(|g| g * 0.25 / norm).collect();
    all_close(&after, &expected, 4.0 * U, "clipped");
    let (before, after) = both(&rbm, &phases, &mut Clip { norm: 10.0 });
    assert!(before == after);
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
    let rows = batch(SIZE.0, &ROWS);
    let base = Fit { epochs: 1, batch: 5, ..options() };
    let first = |options: &Fit| walk(&rbm, options)[0].1.clone();
    let mut expected = first(&base);
    let positive = phases(&rbm, &ROWS, &CHAINS);
    assert_eq!(rows.bits(), &bits(SIZE.0, &ROWS));
    decay.apply(&mut expected, &rbm.blocks(), &positive);
    group.apply(&mut expected, &rbm.blocks(), &positive);
    sparsity.apply(&mut expected, &rbm.blocks(), &positive);
    Clip { norm: 0.2 }.apply(&mut expected, &rbm.blocks(), &positive);
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
