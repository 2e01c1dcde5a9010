//! Pulls the mean activity of hidden units towards a target.

use serde::{Deserialize, Serialize};

use super::{Transform, strength};
use crate::stats::Phases;
use crate::{Block, Error, Params};

/// Adds the gradient of λ Σ_j −ρ ln q_j − (1 − ρ) ln(1 − q_j), q_j the mean of p(h_j = 1 | v) over the batch (Lee,
/// Ekanadham & Ng 2008, with the cross-entropy of Nair & Hinton 2009 for the square).
///
/// As Hinton (2010, §11) has it, the penalty is followed through the mean input of a unit, where its slope is q − ρ:
/// ∂/∂c_j = λ (q_j − ρ) and ∂/∂w_ij = λ (q_j − ρ) ⟨v_i⟩. With one row a batch that is the gradient itself.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sparsity {
    /// ρ, between 0 and 1.
    pub target: f32,
    /// λ, 0 or more.
    pub strength: f32,
}

impl Default for Sparsity {
    fn default() -> Self {
        Self { target: 0.1, strength: 0.01 }
    }
}

impl Sparsity {
    /// Refuses a target that is no probability, and a negative strength.
    ///
    /// # Errors
    /// Names the option.
    pub fn check(&self) -> Result<(), Error> {
        if !(self.target > 0.0 && self.target < 1.0) {
            return Err(Error::option("sparsity target", "between 0 and 1", self.target));
        }
        strength("sparsity strength", self.strength)
    }
}

impl Transform for Sparsity {
    fn apply(&mut self, gradient: &mut Params, _blocks: &[Block<'_>], phases: &Phases) {
        let [weights, _, hidden, ..] = gradient.tensors_mut() else {
            return; // Models of two layers have these three blocks before all else.
        };
        let [v, q] = [1, 2].map(|block| phases.positive.means(block));
        let pulls: Vec<f32> = q.into_iter().map(|q| self.strength * (q - self.target)).collect();
        hidden.values.iter_mut().zip(&pulls).for_each(|(g, pull)| *g += pull);
        for (line, v) in weights.values.chunks_mut(pulls.len()).zip(v) {
            line.iter_mut().zip(&pulls).for_each(|(g, pull)| *g += pull * v);
        }
    }
}
