//! Pulls the weights of each hidden unit together: L1 within a unit, L2 between them.

use serde::{Deserialize, Serialize};

use super::decay::sign;
use super::{Transform, strength};
use crate::stats::Phases;
use crate::{Block, Error, Params};

/// Adds the gradient of λ/2 Σ_μ (Σ_i |w_iμ|)² / N, N the visible units (the L1² penalty of Tubiana, Cocco & Monasson
/// 2019): units with much weight lose more of it, so that all become sparse alike. Biases are left alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GroupL1 {
    /// λ, 0 or more.
    pub strength: f32,
}

impl GroupL1 {
    /// Refuses a negative strength.
    ///
    /// # Errors
    /// Names the option.
    pub fn check(&self) -> Result<(), Error> {
        strength("group_l1", self.strength)
    }

    /// Gives λ / N Σ_i |w_iμ| of each hidden unit; the sums are f64, over the lines in their order.
    fn pulls(self, weights: &[f32], lines: usize) -> Vec<f32> {
        let width = weights.len() / lines;
        let mut sums = vec![0.0; width];
        for line in weights.chunks(width) {
            sums.iter_mut().zip(line).for_each(|(sum, w)| *sum += f64::from(w.abs()));
        }
        let scale = f64::from(self.strength) / lines as f64;
        sums.into_iter().map(|sum| (sum * scale) as f32).collect()
    }
}

impl Transform for GroupL1 {
    fn apply(&mut self, gradient: &mut Params, blocks: &[Block<'_>], _phases: &Phases) {
        let matrices = gradient.tensors_mut().iter_mut().zip(blocks).filter(|(g, _)| g.shape.len() > 1);
        for (gradient, weights) in matrices {
            let pulls = self.pulls(weights.values, weights.shape[0]);
            let lines = gradient.values.chunks_mut(pulls.len()).zip(weights.values.chunks(pulls.len()));
            for (gradient, weights) in lines {
                let entries = gradient.iter_mut().zip(weights).zip(&pulls);
                entries.for_each(|((g, &w), pull)| *g += mutant!("B64", sign(w), w) * pull);
            }
        }
    }
}
