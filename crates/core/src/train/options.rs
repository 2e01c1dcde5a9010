//! Holds the options of a training as one plain value.

use serde::{Deserialize, Serialize};

use super::{Centre, Decay, Guard, Method, Schedule};
use crate::Error;

/// Says how long, in which batches and by which rule a model is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fit {
    /// Passes over the data; 0 leaves the model as it is.
    pub epochs: u32,
    /// Rows of an update; the last batch of an epoch may be shorter.
    pub batch: usize,
    /// η, per update of mean gradients.
    pub learning_rate: Schedule,
    /// The rule that turns gradients into steps.
    pub method: Method,
    /// Centres the gradient, if set.
    pub centre: Option<Centre>,
    /// Pulls the weights towards zero.
    pub decay: Decay,
    /// Watches for numbers that run away.
    pub guard: Guard,
}

impl Default for Fit {
    fn default() -> Self {
        Self {
            epochs: 10,
            batch: 100,
            learning_rate: Schedule::Constant(0.05),
            method: Method::default(),
            centre: None,
            decay: Decay::default(),
            guard: Guard::default(),
        }
    }
}

impl Fit {
    /// Refuses options out of range.
    ///
    /// # Errors
    /// Names the first option that is wrong.
    pub fn check(&self) -> Result<(), Error> {
        if self.batch == 0 {
            return Err(Error::option("batch", "1 or more", 0));
        }
        self.learning_rate.check("learning_rate", 0.0, 1e6)?;
        self.method.check()?;
        self.centre.as_ref().map_or(Ok(()), Centre::check)?;
        self.decay.check()?;
        self.guard.check()
    }

    /// Tells whether a schedule depends on the number of epochs, so that a finished training can't be prolonged.
    pub fn depends_on_length(&self) -> bool {
        self.learning_rate.depends_on_length() || self.method.depends_on_length()
    }
}
