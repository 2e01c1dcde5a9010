//! Fixes chosen weights at exactly zero.

use serde::{Deserialize, Serialize};

use crate::{Error, Params};

/// Names entries of a block of weights that are 0 throughout: a machine that is not connected everywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mask {
    /// The block, say `weights`.
    pub block: String,
    /// Its entries that are 0, numbered row-major: i · hidden + j for `(visible, hidden)` weights.
    pub zeros: Vec<usize>,
}

impl Mask {
    /// Refuses a block that the model does not have or that is no matrix, and entries behind its end.
    ///
    /// # Errors
    /// Names the option.
    pub(super) fn check(&self, params: &Params) -> Result<(), Error> {
        let matrix = params.get(&self.block).filter(|tensor| tensor.shape.len() > 1);
        let Some(tensor) = matrix else {
            return Err(Error::option("mask", "the name of a block of weights", &self.block));
        };
        let count = tensor.values.len();
        match self.zeros.iter().find(|&&entry| entry >= count) {
            Some(entry) => Err(Error::option("mask", format!("entries below {count}"), entry)),
            None => Ok(()),
        }
    }

    /// Puts zeros into a block, if it is the one that is meant.
    pub(super) fn apply(&self, name: &str, values: &mut [f32]) {
        if name == self.block {
            self.zeros.iter().for_each(|&entry| values[entry] = 0.0);
        }
    }
}
