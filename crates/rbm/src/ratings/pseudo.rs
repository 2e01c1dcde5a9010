//! Differentiates −Σ_i ln p(r_i | all other ratings of the row): the pseudo-likelihood (Besag 1975), exactly.
//!
//! With x_jk = a_j + g W_ikj, a the input of the others, and e_k = p(k) − [k = r_i]: the gradient is e_k for b_ik, g e_k σ(x_jk) for W_ikj, and
//! d_j = Σ_k e_k σ(x_jk) for a_j, hence d for c, g d for W of each other rating, and g d for D of each other item. With Σ d over all ratings
//! of a row at hand, the share of all but one is a difference: a row of n ratings takes n K steps a hidden unit, and not n² K.

use super::RatingsRbm;
use super::expand::{add, gather};
use super::row::{Pair, softmax_of};

/// Holds the gradient of a row, for its items alone.
pub(super) struct RowGradient {
    /// `(n, M, hidden)`.
    pub(super) kept: Vec<f32>,
    /// `(n, K)`.
    pub(super) bias: Vec<f32>,
    /// `(hidden)`.
    pub(super) hidden: Vec<f32>,
    /// `(n, hidden)`; the same whatever the level.
    pub(super) conditional: Vec<f32>,
    /// The loss of the row.
    pub(super) loss: f64,
}

impl RowGradient {
    pub(super) fn zero(rbm: &RatingsRbm, n: usize) -> Self {
        let hidden = rbm.options.hidden;
        Self {
            kept: vec![0.0; n * rbm.kept_levels() * hidden],
            bias: vec![0.0; n * rbm.scale.levels],
            hidden: vec![0.0; hidden],
            conditional: vec![0.0; if rbm.conditional.is_empty() { 0 } else { n * hidden }],
            loss: 0.0,
        }
    }

    /// Adds a gradient of the weights of one level, or of several, to those kept.
    pub(super) fn add_levels(&mut self, rbm: &RatingsRbm, at: usize, first: usize, levels: &[f32]) {
        let (hidden, m) = (rbm.options.hidden, rbm.kept_levels());
        let out = &mut self.kept[at * m * hidden..(at + 1) * m * hidden];
        gather(&rbm.basis[first * m..], levels, out, hidden);
    }
}

/// Computes the loss of a row and its gradient.
pub(super) fn gradient(rbm: &RatingsRbm, row: &[Pair]) -> RowGradient {
    let (hidden, k, g) = (rbm.options.hidden, rbm.scale.levels, rbm.gain(row.len()));
    let (total, pull) = (rbm.hidden_input(row, g), rbm.pull(row));
    let (mut out, mut work) = (RowGradient::zero(rbm, row.len()), rbm.work());
    let mut shares = vec![0.0; row.len() * hidden];
    let mut input = vec![0.0; hidden];
    for (at, &(item, level)) in row.iter().enumerate() {
        input.copy_from_slice(&total);
        add(&mut input, rbm.weight(item, level), mutant!("B280", -g, 0.0));
        rbm.known(&mut input, item, -g);
        let own = rbm.above(item, usize::from(level));
        let coupling = rbm.lateral(mutant!("B281", pull - own, pull), row.len());
        let p = softmax_of(&rbm.scores(item, &input, g, coupling, &mut work));
        out.loss -= libm::log(p[usize::from(level)].max(f64::MIN_POSITIVE));
        let share = &mut shares[at * hidden..][..hidden];
        for (of_level, (p, means)) in p.iter().zip(work.means.chunks_exact_mut(hidden)).enumerate() {
            let residual = (p - f64::from(u8::from(of_level == usize::from(level)))) as f32;
            out.bias[at * k + of_level] = residual;
            add(share, means, residual);
            means.iter_mut().for_each(|mean| *mean *= g * residual);
        }
        out.add_levels(rbm, at, 0, &work.means);
        add(&mut out.hidden, share, 1.0);
    }
    for (at, &(_, level)) in row.iter().enumerate() {
        let share = shares[at * hidden..][..hidden].iter();
        let others: Vec<f32> = out.hidden.iter().zip(share).map(|(all, own)| g * (all - own)).collect();
        out.add_levels(rbm, at, usize::from(level), &others);
        if !out.conditional.is_empty() {
            out.conditional[at * hidden..][..hidden].copy_from_slice(&others);
        }
    }
    out
}
