//! Computes gradients without samples, in f64: by enumeration, of the pseudo-likelihood, and in mean field.

mod exact;
mod listed;
mod mean_field;
mod pseudo;
mod shares;

pub use exact::Exact;
pub use mean_field::{MeanField, Order};
pub use pseudo::PseudoLikelihood;
pub(crate) use shares::{check, log_likelihoods};

use harmonium_core::stats::Phases;
use harmonium_core::units::Unit;
use harmonium_core::{HasParams, Params};

use crate::Rbm;

/// Tasks that a sum over rows or states is cut into: a fixed number is a fixed order of sums.
const TASKS: usize = 16;

/// Is the machine that samples, in f64.
struct Wide {
    /// W, row-major `(visible, hidden)`.
    weights: Vec<f64>,
    visible_bias: Vec<f64>,
    hidden_bias: Vec<f64>,
}

impl Wide {
    fn of(rbm: &Rbm) -> Self {
        let wide = |x: &[f32]| x.iter().map(|&x| f64::from(x)).collect();
        Self {
            weights: rbm.weights().iter().map(|&w| f64::from(w)).collect(),
            visible_bias: wide(rbm.visible_bias()),
            hidden_bias: wide(rbm.hidden_bias()),
        }
    }

    /// Gives the couplings of a visible unit.
    fn row(&self, visible: usize) -> &[f64] {
        let width = self.hidden_bias.len();
        &self.weights[visible * width..(visible + 1) * width]
    }

    /// Exchanges the layers.
    fn transposed(&self) -> Self {
        Self {
            weights: transposed(&self.weights, self.hidden_bias.len()),
            visible_bias: self.hidden_bias.clone(),
            hidden_bias: self.visible_bias.clone(),
        }
    }
}

/// Exchanges rows and columns of a matrix of this width.
fn transposed(values: &[f64], width: usize) -> Vec<f64> {
    let height = values.len() / width;
    (0..values.len()).map(|n| values[n % height * width + n / height]).collect()
}

/// Tells whether the units are bits 0 and 1 on both sides.
fn are_bits(rbm: &Rbm) -> bool {
    [rbm.visible(), rbm.hidden()].iter().all(|layer| layer.bernoulli().is_some())
}

/// Rounds the blocks of a gradient, W, b, c and what further parameters there are.
fn gradient(rbm: &Rbm, blocks: impl IntoIterator<Item = Vec<f64>>) -> Params {
    let mut out = rbm.params();
    for (tensor, block) in out.tensors_mut().iter_mut().zip(blocks) {
        tensor.values = block.into_iter().map(|x| x as f32).collect();
    }
    out
}

/// Subtracts the statistics of the data from those of the model.
fn contrast(rbm: &Rbm, phases: &Phases, model: impl IntoIterator<Item = Vec<f64>>) -> Params {
    let blocks = model.into_iter().zip(data(rbm, phases)).map(|(mut block, data)| {
        block.iter_mut().zip(data).for_each(|(model, data)| *model -= data);
        block
    });
    gradient(rbm, blocks.collect::<Vec<_>>())
}

/// Gives the statistics of the data, block by block. Products of spins are kept as those of their bits: with v = s t − o,
/// ⟨v hᵀ⟩ = s s' ⟨t t'ᵀ⟩ − s o' ⟨t⟩ − o s' ⟨t'⟩ + o o'.
fn data(rbm: &Rbm, phases: &Phases) -> Vec<Vec<f64>> {
    let means = |n: usize| phases.positive.means(n).into_iter().map(f64::from).collect::<Vec<_>>();
    let mut out: Vec<Vec<f64>> = (0..rbm.blocks().len()).map(means).collect();
    let [(s, o), (s1, o1)] =
        [rbm.visible(), rbm.hidden()].map(|layer| if layer.signs() { (2.0, 1.0) } else { (1.0, 0.0) });
    let both_bits = rbm.visible().units().is_binary() && rbm.hidden().units().is_binary();
    if both_bits && o + o1 > 0.0 {
        let width = out[2].len();
        for n in 0..out[0].len() {
            let (t, t1) = ((out[1][n / width] + o) / s, (out[2][n % width] + o1) / s1);
            out[0][n] = s * s1 * out[0][n] - s * o1 * t - o * s1 * t1 + o * o1;
        }
    }
    out
}

/// Turns activations into σ and gives Σ ln(1 + e^a). Logarithms are taken of products of 512 factors up to 2.
fn soften(activations: &mut [f64]) -> f64 {
    let mut total = 0.0;
    for part in activations.chunks_mut(512) {
        let mut product = 1.0;
        for a in part {
            let e = libm::exp(-a.abs());
            let inverse = 1.0 / (1.0 + e);
            product *= 1.0 + e;
            total += a.max(0.0);
            *a = if *a >= 0.0 { inverse } else { e * inverse };
        }
        total += libm::log(product);
    }
    total
}

fn sigmoid(a: f64) -> f64 {
    let e = libm::exp(-a.abs());
    if a >= 0.0 { 1.0 / (1.0 + e) } else { e / (1.0 + e) }
}

/// Adds two lists entry by entry.
fn add(to: &mut [f64], from: &[f64]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
}
