//! Holds the options of up-down.

use harmonium_core::Error;
use harmonium_core::train::{Decay, Guard, Method, Schedule, check_chains};
use serde::{Deserialize, Serialize};

/// Says how a whole stack is fine-tuned by up-down, the contrastive form of wake-sleep (Hinton, Osindero & Teh 2006, section 5
/// and appendix B).
///
/// In the wake phase the layers are drawn upwards, and generative weights learn to give back what is below; the top machine
/// learns by contrastive divergence or with persistent chains; in the sleep phase the layers are drawn downwards from where its
/// chains stand, and recognition weights learn to find what is above.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UpDown {
    /// Passes over the data; 0 leaves the stack as it is.
    pub epochs: u32,
    /// Rows of an update; the last batch of an epoch may be shorter.
    pub batch: usize,
    /// η of all weights, per update of mean gradients.
    pub learning_rate: Schedule,
    /// The rule that turns gradients into steps.
    pub method: Method,
    /// Sweeps of the top machine a step.
    pub k: Schedule,
    /// Persistent chains of the top machine; with 0 its chains start from what the data make it see.
    pub chains: usize,
    /// Pulls all weights towards zero.
    pub decay: Decay,
    /// Watches for numbers that run away.
    pub guard: Guard,
}

impl Default for UpDown {
    fn default() -> Self {
        Self {
            epochs: 10,
            batch: 100,
            learning_rate: Schedule::Constant(0.01),
            method: Method::default(),
            k: Schedule::Constant(3.0),
            chains: 0,
            decay: Decay::default(),
            guard: Guard::default(),
        }
    }
}

impl UpDown {
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
        self.k.check("k", 1.0, 1e6)?;
        if self.chains > 0 {
            check_chains(self.chains)?;
        }
        self.decay.check()?;
        self.guard.check()
    }
}
