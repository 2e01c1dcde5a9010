//! Measures how far outputs are from targets, and how the loss changes with the inputs of the last layer.

use harmonium_core::{Batch, Error};
use ndarray::parallel::prelude::*;
use ndarray::{Array2, ArrayView1, ArrayViewMut1, Axis, Zip};
use serde::{Deserialize, Serialize};

use super::numeric::softplus;
use super::{Activation, Network};

/// Names what is minimised: the mean over rows of one of these, each summed over the outputs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Loss {
    /// −ln p of the targets: of a softmax −ln y_class; of sigmoid units −Σ t ln y + (1 − t) ln(1 − y), with t in [0, 1].
    #[default]
    CrossEntropy,
    /// ½ Σ (y − t)².
    Squared,
}

/// Holds the targets of a batch.
#[derive(Clone, Debug, PartialEq)]
pub enum Goal {
    /// A class of each row.
    Classes(Vec<usize>),
    /// Values of each row, `(n, outputs)`.
    Values(Array2<f32>),
}

impl Goal {
    /// Takes the values of rows.
    pub fn of(data: &Batch) -> Self {
        Self::Values(data.to_array())
    }
}

impl Loss {
    /// Refuses a last layer that the loss does not belong to.
    pub(super) fn check(self, network: &Network, classes: bool) -> Result<(), Error> {
        let last = network.last().activation();
        let fits = match (self, last) {
            (Self::CrossEntropy, Activation::Softmax) => classes,
            (Self::CrossEntropy, Activation::Sigmoid) => !classes,
            (Self::Squared, last) => last != Activation::Softmax && !classes,
            _ => false,
        };
        if fits {
            return Ok(());
        }
        let expected = "cross-entropy for a softmax with classes or sigmoid units with values, or squared errors of values";
        let targets = if classes { "classes" } else { "values" };
        Err(Error::option("loss", expected, format!("{self:?} of {last:?} units with {targets}")))
    }

    /// Turns inputs of the last layer into the derivatives of each row's own loss, and gives the losses, one a row.
    pub(super) fn delta(self, z: &mut Array2<f32>, activation: Activation, goal: &Goal) -> Vec<f64> {
        let rows = z.axis_iter_mut(Axis(0)).into_par_iter().enumerate();
        rows.map(|(row, z)| match goal {
            Goal::Classes(labels) => class(z, labels[row]),
            Goal::Values(values) => self.values(z, activation, values.row(row)),
        })
        .collect()
    }

    fn values(self, mut z: ArrayViewMut1<'_, f32>, activation: Activation, t: ArrayView1<'_, f32>) -> f64 {
        let loss = match self {
            // −t ln σ(z) − (1 − t) ln(1 − σ(z)) = ln(1 + e^z) − t z, for any z.
            Self::CrossEntropy => sum(&z, &t, |z, t| softplus(z) - t * z),
            Self::Squared => 0.0,
        };
        activation.apply(z.view_mut().insert_axis(Axis(0)));
        if self == Self::CrossEntropy {
            z -= &t;
            return loss;
        }
        let loss = 0.5 * sum(&z, &t, |y, t| (y - t) * (y - t));
        let y = z.to_owned();
        z -= &t;
        activation.back(&mut z.insert_axis(Axis(0)), y.view().insert_axis(Axis(0)));
        loss
    }
}

/// Adds terms in eight lanes, each in the order of the columns.
fn sum(z: &ArrayViewMut1<'_, f32>, t: &ArrayView1<'_, f32>, term: impl Fn(f32, f32) -> f32) -> f64 {
    let mut terms = vec![0.0; z.len()];
    Zip::from(&mut terms[..]).and(z).and(t).for_each(|out: &mut f32, &z, &t| *out = term(z, t));
    let mut lanes = [0.0_f64; 8];
    for terms in terms.chunks(8) {
        lanes.iter_mut().zip(terms).for_each(|(lane, &term)| *lane += f64::from(term));
    }
    lanes.iter().sum()
}

/// Turns inputs of a softmax into y − t, and gives −ln y of the class, in f64.
fn class(mut z: ArrayViewMut1<'_, f32>, label: usize) -> f64 {
    let most = z.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = z.iter().map(|&z| libm::exp(f64::from(z) - f64::from(most))).sum();
    let loss = libm::log(sum) + f64::from(most) - f64::from(z[label]);
    super::layer::softmax(z.view_mut());
    z[label] -= mutant!("B217", 1.0, 0.0);
    loss
}
