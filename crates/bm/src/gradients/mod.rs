//! Computes gradients without samples, in f64: by enumeration, of the pseudo-likelihood, and in mean field.

mod exact;
mod mean_field;
mod pseudo;

pub use exact::Exact;
pub use mean_field::MeanField;
pub use pseudo::PseudoLikelihood;

use harmonium_core::{HasParams, Params};

use crate::Machine;

/// Makes the gradient of the negative log-likelihood: the statistics of the model less those of the data.
fn contrast(machine: &Machine, model: Vec<Vec<f64>>, data: &[Vec<f64>]) -> Params {
    let mut out = machine.params();
    for ((tensor, model), data) in out.tensors_mut().iter_mut().zip(model).zip(data) {
        tensor.values = model.into_iter().zip(data).map(|(model, data)| (model - data) as f32).collect();
    }
    out
}

/// Divides sums by the number of rows.
fn means(mut sums: Vec<Vec<f64>>, rows: usize) -> Vec<Vec<f64>> {
    sums.iter_mut().flatten().for_each(|sum| *sum /= rows as f64);
    sums
}
