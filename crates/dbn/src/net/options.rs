//! Holds the options of a fine-tuning as one plain value.

use harmonium_core::Error;
use harmonium_core::train::{Average, Guard, Method, Schedule, Stopping};
use serde::{Deserialize, Serialize};

use super::{Loss, Network, Noise, Omit};

/// Says how long, in which batches and by which rule a network is tuned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tuning {
    /// Passes over the rows; 0 leaves the network as it is.
    pub epochs: u32,
    /// Rows of an update; the last batch of an epoch may be shorter.
    pub batch: usize,
    /// η, per update of mean gradients.
    pub learning_rate: Schedule,
    /// The rule that turns gradients into steps.
    pub method: Method,
    /// What is minimised.
    pub loss: Loss,
    /// λ of the weights' decay: λ/2 Σ w² is added to the loss; biases do not decay.
    pub decay: f32,
    /// The largest length of a unit's incoming weights, if set: longer ones are shortened to it after each update (Srebro &
    /// Shraibman 2005; Hinton et al. 2012).
    pub max_norm: Option<f32>,
    /// Leaves units out at random.
    pub dropout: Omit,
    /// Adds noise to the inputs of a code layer, if set.
    pub noise: Option<Noise>,
    /// Epochs in which the last layer learns alone, before all others follow.
    pub head_first: u32,
    /// Averages the parameters beside the training, if set.
    pub average: Option<Average>,
    /// The last rows of the data, so many, are not trained on: they judge each epoch, each row once, and the best one's
    /// parameters are kept.
    pub validation: usize,
    /// What the validation rows judge by.
    pub score: Score,
    /// Ends a training whose validation rows no longer get better, if set.
    pub stopping: Option<Stopping>,
    /// Watches for numbers that run away.
    pub guard: Guard,
}

/// Names what validation rows judge a network by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Score {
    /// The mean loss.
    #[default]
    Loss,
    /// The share of rows whose likeliest class is wrong; for classes alone.
    Errors,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            epochs: 10,
            batch: 100,
            learning_rate: Schedule::Constant(0.1),
            method: Method::default(),
            loss: Loss::default(),
            decay: 0.0,
            max_norm: None,
            dropout: Omit::default(),
            noise: None,
            head_first: 0,
            average: None,
            validation: 0,
            score: Score::default(),
            stopping: None,
            guard: Guard::default(),
        }
    }
}

impl Tuning {
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
        Schedule::Constant(f64::from(self.decay)).check("decay", 0.0, 1e6)?;
        if let Some(norm) = self.max_norm.filter(|norm| !(*norm > 0.0 && norm.is_finite())) {
            return Err(Error::option("max_norm", "a positive number", norm));
        }
        self.dropout.check()?;
        self.average.as_ref().map_or(Ok(()), Average::check)?;
        self.stopping.as_ref().map_or(Ok(()), Stopping::check)?;
        if self.stopping.is_some() && self.validation == 0 {
            return Err(Error::option("validation", "rows that a stopping rule can judge by", 0));
        }
        self.guard.check()
    }

    /// Refuses options that a network or its targets can't have.
    pub(super) fn check_network(&self, network: &Network, classes: bool) -> Result<(), Error> {
        self.noise.as_ref().map_or(Ok(()), |noise| noise.check(network.layers().len()))?;
        if self.score == Score::Errors && !classes {
            return Err(Error::option("score", "the loss, where targets are no classes", "errors"));
        }
        Ok(())
    }

    /// Tells whether a schedule depends on the number of epochs, so that a finished tuning can't be prolonged.
    pub fn depends_on_length(&self) -> bool {
        let averaged = self.average.is_some_and(|average| average.start > 0.0);
        self.learning_rate.depends_on_length() || self.method.depends_on_length() || averaged
    }
}
