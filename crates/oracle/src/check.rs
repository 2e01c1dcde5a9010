//! Compares numbers and lists the models that the unit tests run over.

use crate::rbm::Rbm;
use crate::rng::Rng;

/// Bound of an oracle identity: two f64 routes to one number (τ₀).
pub(crate) const TAU_0: f64 = 1e-12;

/// Bound of a central difference.
pub(crate) const DIFFERENCE: f64 = 1e-7;

/// Asserts |a − b| ≤ bound · max(1, |a|, |b|).
#[track_caller]
pub(crate) fn close(a: f64, b: f64, bound: f64) {
    let scale = a.abs().max(b.abs()).max(1.0);
    assert!((a - b).abs() <= bound * scale, "{a} and {b} differ by {:e}", (a - b).abs());
}

/// Asserts [`close`] entry by entry.
#[track_caller]
pub(crate) fn all_close(a: &[f64], b: &[f64], bound: f64) {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).for_each(|(&a, &b)| close(a, b, bound));
}

/// Gives a random model of every exact size at every weight scale, and one with no hidden unit.
pub(crate) fn models() -> Vec<Rbm> {
    let sizes = [(1, 1), (2, 1), (3, 2), (4, 3), (5, 5), (6, 4), (8, 4), (3, 0)];
    let mut rng = Rng::new(1);
    let mut out = Vec::new();
    for (visible, hidden) in sizes {
        for scale in [0.0, 0.1, 1.0, 3.0, 10.0] {
            out.push(Rbm::normal(visible, hidden, scale, &mut rng));
        }
    }
    out
}

/// Gives a model with couplings of deviation `scale` whose biases balance them: every unit is on half of the time.
pub(crate) fn centred(visible: usize, hidden: usize, scale: f64, seed: u64) -> Rbm {
    let mut out = Rbm::normal(visible, hidden, scale, &mut Rng::new(seed));
    let w = out.clone();
    out.visible_bias =
        (0..visible).map(|i| -(0..hidden).map(|j| w.weight(i, j)).sum::<f64>() / 2.0).collect();
    out.hidden_bias = (0..hidden).map(|j| -(0..visible).map(|i| w.weight(i, j)).sum::<f64>() / 2.0).collect();
    out
}

/// Gives one model of moderate couplings.
pub(crate) fn model(visible: usize, hidden: usize, seed: u64) -> Rbm {
    Rbm::normal(visible, hidden, 1.0, &mut Rng::new(seed))
}
