//! Watches for numbers that run away, and puts the last good state back.

use serde::{Deserialize, Serialize};

use crate::Error;

/// Says what counts as running away, and what to do then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Guard {
    /// What to do.
    pub action: Action,
    /// The largest |parameter| that is still believed.
    pub limit: f32,
    /// Updates between two states that can be put back; the end of an epoch is always one.
    pub every: u64,
}

/// Says what happens after the last good state was put back.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Action {
    /// The training ends with an error.
    Stop,
    /// The training goes on from there with a lower rate, a limited number of times.
    Retry {
        /// What the learning rate is multiplied with.
        factor: f32,
        /// How often before the training ends with an error.
        max: u32,
    },
}

impl Default for Guard {
    fn default() -> Self {
        Self { action: Action::Stop, limit: 1e3, every: 100 }
    }
}

impl Action {
    /// Gives the command line's action: half the rate, at most five times.
    pub fn retry() -> Self {
        Self::Retry { factor: 0.5, max: 5 }
    }
}

impl Guard {
    /// Refuses options out of range.
    ///
    /// # Errors
    /// Names the option.
    pub fn check(&self) -> Result<(), Error> {
        if !(self.limit > 0.0 && self.limit.is_finite()) {
            return Err(Error::option("guard limit", "a positive number", self.limit));
        }
        if self.every == 0 {
            return Err(Error::option("guard every", "1 or more", 0));
        }
        match self.action {
            Action::Retry { factor, .. } if !(factor > 0.0 && factor < 1.0) => {
                Err(Error::option("guard factor", "between 0 and 1", factor))
            }
            _ => Ok(()),
        }
    }

    /// Says what is wrong with the largest |parameter| after `step` updates, if anything is.
    pub fn fault(&self, largest: f32, step: u64) -> Option<Error> {
        // Written so that NaN fails.
        let good = mutant!("B25", largest <= self.limit, true);
        let expected = format!("at most {}", self.limit);
        (!good).then(|| Error::diverged("largest parameter", format!("step {step}"), expected, largest))
    }
}
