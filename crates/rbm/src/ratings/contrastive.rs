//! Estimates the gradient of −ln p(r) of a row by contrastive divergence (Hinton 2002), with visible units for its ratings alone.

use harmonium_core::address::Address;
use harmonium_core::purpose;
use harmonium_kernels::Key;
use rand::RngCore;

use super::expand::add;
use super::pseudo::RowGradient;
use super::row::{Pair, Work, activate, softmax_of};
use super::{HiddenKind, RatingsRbm};

/// Draws k sweeps from a row, and gives the difference of both phases; hidden units count with their means in each.
pub(super) fn gradient(rbm: &RatingsRbm, row: &[Pair], sweeps: u32, at: Address, stream: u64) -> RowGradient {
    let g = rbm.gain(row.len());
    let positive = means(rbm, row, g);
    let mut hidden = draw(rbm, &positive, at.key(purpose::POSITIVE), stream);
    let mut chain = row.to_vec();
    let mut negative = Vec::new();
    for sweep in 0..u64::from(sweeps) {
        let key = at.key(purpose::NEGATIVE).fold_in(sweep);
        visible(rbm, &mut chain, &hidden, g, key.fold_in(0), stream);
        negative = means(rbm, &chain, g);
        hidden = draw(rbm, &negative, key.fold_in(1), stream);
    }
    let mut out = RowGradient::zero(rbm, row.len());
    out.loss = row.iter().zip(&chain).filter(|(a, b)| a != b).count() as f64;
    phase(rbm, row, &positive, -g, &mut out);
    phase(rbm, &chain, &negative, g, &mut out);
    out
}

/// Computes the means of the hidden units given a row; of Bernoulli units p(h = 1).
pub(super) fn means(rbm: &RatingsRbm, row: &[Pair], g: f32) -> Vec<f32> {
    let input = rbm.hidden_input(row, g);
    let hidden = input.len();
    let mut work = Work::of(input);
    activate(rbm.options.kind, &mut work, hidden);
    work.means
}

/// Draws the hidden units from their means: unit j of a row takes word j, or the two words from 2j.
fn draw(rbm: &RatingsRbm, means: &[f32], key: Key, stream: u64) -> Vec<f32> {
    let mut words = key.stream(stream);
    let mut uniform = || f64::from(words.next_u32() >> 8) * (1.0 / 16_777_216.0);
    let one = |&mean: &f32| match rbm.options.kind {
        HiddenKind::Bernoulli => f32::from(u8::from(uniform() < f64::from(mean))),
        HiddenKind::Gaussian => {
            // Box and Muller's first number.
            let radius = libm::sqrt(-2.0 * libm::log(1.0 - uniform()));
            mean + (radius * libm::cos(std::f64::consts::TAU * uniform())) as f32
        }
    };
    means.iter().map(one).collect()
}

/// Draws the levels of a row, one item after the other: given the hidden units, only the lateral coupling ties them.
fn visible(rbm: &RatingsRbm, chain: &mut [Pair], hidden: &[f32], g: f32, key: Key, stream: u64) {
    let mut words = key.stream(stream);
    let (n, mut pull) = (chain.len(), rbm.pull(chain));
    for (item, level) in chain.iter_mut() {
        pull -= rbm.above(*item, usize::from(*level));
        let p = softmax_of(&rbm.given_hidden(*item, hidden, g, rbm.lateral(pull, n)));
        let u = f64::from(words.next_u32() >> 8) * (1.0 / 16_777_216.0);
        let mut below = 0.0;
        let place = p.iter().position(|p| {
            below += p;
            u < below
        });
        *level = place.unwrap_or(p.len() - 1) as u8;
        pull += rbm.above(*item, usize::from(*level));
    }
}

/// Adds ⟨∂E/∂θ⟩ of one phase, with its sign and g in `sign`.
fn phase(rbm: &RatingsRbm, row: &[Pair], means: &[f32], sign: f32, out: &mut RowGradient) {
    let (hidden, k) = (rbm.options.hidden, rbm.scale.levels);
    let whole: Vec<f32> = means.iter().map(|mean| sign * mean).collect();
    for (at, &(_, level)) in row.iter().enumerate() {
        out.add_levels(rbm, at, usize::from(level), &whole);
        out.bias[at * k + usize::from(level)] += sign.signum();
        if !out.conditional.is_empty() {
            add(&mut out.conditional[at * hidden..][..hidden], &whole, 1.0);
        }
    }
    add(&mut out.hidden, means, mutant!("B282", sign.signum(), sign.abs()));
}

impl RatingsRbm {
    /// Computes ln p of an item's levels given hidden states or means, up to a constant: b + s · coupling + g Σ_j W h.
    pub(super) fn given_hidden(&self, item: u32, hidden: &[f32], g: f32, coupling: f32) -> Vec<f64> {
        let k = self.scale.levels;
        let score = |level: usize| {
            let weights = self.weight(item, level as u8);
            let sum: f64 = weights.iter().zip(hidden).map(|(&w, &h)| f64::from(w) * f64::from(h)).sum();
            let bias = self.bias[item as usize * k + level];
            f64::from(bias) + f64::from(coupling) * f64::from(self.above(item, level)) + f64::from(g) * sum
        };
        (0..k).map(score).collect()
    }
}
