//! Proves what changes a gradient against f64 formulas, finite differences and enumerated statistics.

mod common;

use common::tolerance::{U, tau_g, tau_phase};
use common::{all_close, batch, close, exact, means, model};
use harmonium::rbm::Rbm;
use harmonium::stats::Phases;
use harmonium::train::{Clip, Decay, Enhanced, Fisher, GroupL1, Sparsity, Transform};
use harmonium::{EnergyModel, HasParams, Params};

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
