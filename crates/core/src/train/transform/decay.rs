//! Pulls weights towards zero: L1 and L2.

use serde::{Deserialize, Serialize};

use super::Transform;
use crate::stats::Phases;
use crate::{Block, Error, Params};

/// Pulls weights towards zero; biases are left alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Decay {
    /// λ of λ Σ |w|.
    pub l1: f32,
    /// λ of λ/2 Σ w².
    pub l2: f32,
}

impl Decay {
    /// Refuses negative or non-finite strengths.
    ///
    /// # Errors
    /// Names the option.
    pub fn check(&self) -> Result<(), Error> {
        for (field, value) in [("l1", self.l1), ("l2", self.l2)] {
            if !(value.is_finite() && value >= 0.0) {
                return Err(Error::option(field, "0 or more", value));
            }
        }
        Ok(())
    }

    pub(in crate::train) fn is_none(&self) -> bool {
        self.l1 == 0.0 && self.l2 == 0.0
    }

    /// Adds λ₁ sign w + λ₂ w to a part of the gradient.
    #[inline(always)]
    pub(in crate::train) fn pull(&self, gradient: &mut [f32], weights: &[f32]) {
        for (g, &w) in gradient.iter_mut().zip(weights) {
            *g += mutant!("B34", sign(w) * self.l1, w.abs() * self.l1) + w * self.l2;
        }
    }
}

impl Transform for Decay {
    fn apply(&mut self, gradient: &mut Params, blocks: &[Block<'_>], _phases: &Phases) {
        if self.is_none() {
            return;
        }
        let blocks = gradient.tensors_mut().iter_mut().zip(blocks);
        for (gradient, weights) in blocks.filter(|(g, _)| mutant!("B35", g.shape.len() > 1, true)) {
            self.pull(&mut gradient.values, weights.values);
        }
    }
}

/// Gives the sign of w, and 0 for 0: where |w| has a corner, its gradient is none.
#[inline(always)]
pub(super) fn sign(w: f32) -> f32 {
    if w > 0.0 {
        1.0
    } else if w < 0.0 {
        -1.0
    } else {
        0.0
    }
}
