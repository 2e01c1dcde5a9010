//! Divides a gradient by the diagonal of the Fisher matrix: the natural gradient without its cross terms.

use serde::{Deserialize, Serialize};

use super::{Transform, positive};
use crate::stats::Phases;
use crate::{Block, Error, Params};

/// Divides each entry by its F + ε, F the diagonal of the Fisher matrix of p(v, h): the variance of ∂E/∂θ under the model
/// (Amari 1998; Desjardins et al. 2013 have the whole matrix of the joint model).
///
/// For binary units v, h and v h are bits, so F = m (1 − m) with m the mean of the negative phase.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fisher {
    /// ε, above 0: the steps are at most 1/ε of the gradient's.
    pub damping: f32,
}

impl Default for Fisher {
    fn default() -> Self {
        Self { damping: 0.1 }
    }
}

impl Fisher {
    /// Refuses a damping that is not positive.
    ///
    /// # Errors
    /// Names the option.
    pub fn check(&self) -> Result<(), Error> {
        positive("fisher damping", self.damping)
    }
}

impl Transform for Fisher {
    fn apply(&mut self, gradient: &mut Params, _blocks: &[Block<'_>], phases: &Phases) {
        for (block, tensor) in gradient.tensors_mut().iter_mut().enumerate() {
            let means = phases.negative.means(block);
            tensor.values.iter_mut().zip(means).for_each(|(g, m)| *g /= m * (1.0 - m) + self.damping);
        }
    }
}
