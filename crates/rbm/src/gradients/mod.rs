//! Computes gradients without samples, in f64: by enumeration, of the pseudo-likelihood, and in mean field.

mod exact;
mod mean_field;
mod pseudo;

pub use exact::Exact;
pub use mean_field::{MeanField, Order};
pub use pseudo::PseudoLikelihood;

use harmonium_core::stats::Phases;
use harmonium_core::{Error, HasParams, Params};

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

/// Refuses machines whose units are not bits 0 and 1 on both sides.
fn check_bits(rbm: &Rbm, estimator: &str) -> Result<(), Error> {
    for layer in [rbm.visible(), rbm.hidden()] {
        if layer.bernoulli().is_none() {
            return Err(Error::shape(estimator, "Bernoulli units on both sides", layer.units()));
        }
    }
    Ok(())
}

/// Rounds W, b and c to a gradient.
fn gradient(rbm: &Rbm, blocks: [Vec<f64>; 3]) -> Params {
    let mut out = rbm.params();
    for (tensor, block) in out.tensors_mut().iter_mut().zip(blocks) {
        tensor.values = block.into_iter().map(|x| x as f32).collect();
    }
    out
}

/// Subtracts the statistics of the data from those of the model.
fn contrast(rbm: &Rbm, phases: &Phases, mut model: [Vec<f64>; 3]) -> Params {
    for (n, block) in model.iter_mut().enumerate() {
        let data = phases.positive.means(n);
        block.iter_mut().zip(data).for_each(|(model, data)| *model -= f64::from(data));
    }
    gradient(rbm, model)
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
