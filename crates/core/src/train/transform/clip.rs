//! Shortens gradients that are too long.

use serde::{Deserialize, Serialize};

use super::{Transform, positive};
use crate::stats::Phases;
use crate::{Block, Error, Params};

/// Scales a gradient whose Euclidean norm over all blocks is above `norm` down to it (Pascanu, Mikolov & Bengio 2013,
/// algorithm 1).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clip {
    /// The largest norm, above 0.
    pub norm: f32,
}

impl Clip {
    /// Refuses a norm that is not positive.
    ///
    /// # Errors
    /// Names the option.
    pub fn check(&self) -> Result<(), Error> {
        positive("clip", self.norm)
    }
}

impl Transform for Clip {
    fn apply(&mut self, gradient: &mut Params, _blocks: &[Block<'_>], _phases: &Phases) {
        let square = gradient.dot(gradient);
        let norm = mutant!("B69", square.sqrt(), square);
        // A norm that is no number stays: the guard must see what ran away.
        if norm > f64::from(self.norm) {
            let factor = (f64::from(self.norm) / norm) as f32;
            gradient.tensors_mut().iter_mut().flat_map(|t| &mut t.values).for_each(|g| *g *= factor);
        }
    }
}
