//! Says what a machine of ratings is made of, and how it is trained.

use harmonium_core::Error;
use harmonium_core::train::{Guard, Method, Schedule};
use serde::{Deserialize, Serialize};

/// Is the kind of the hidden units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HiddenKind {
    /// 0 or 1.
    #[default]
    Bernoulli,
    /// Real, with energy ½ h².
    Gaussian,
}

/// Says what the weights of an item's levels have to do with each other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Levels {
    /// Weights of their own for each level, as published.
    Free,
    /// Sums of the orthonormal polynomials of degree 1, 2, … over the levels, times these factors: levels near each other have weights
    /// near each other, and weights of few ratings go further. K levels take the first K − 1 factors; there are no more degrees.
    Polynomials(Vec<f32>),
}

/// Describes a machine of ratings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RatingsOptions {
    /// Hidden units.
    pub hidden: usize,
    /// Their kind.
    pub kind: HiddenKind,
    /// How the weights of levels hang together.
    pub levels: Levels,
    /// The rank of the factored weights W = A·B (Salakhutdinov, Mnih & Hinton 2007, eq. 11); 0 for whole weights.
    pub rank: usize,
    /// Whether hidden units know which items are rated (their §4).
    pub conditional: bool,
    /// n₀, ratings at which the weights are √½ of themselves; 0 for none of it, as published.
    pub damping: f32,
    /// λ of the lateral coupling; 0 for none of it, as published.
    pub lateral: f32,
}

impl Default for RatingsOptions {
    fn default() -> Self {
        Self {
            hidden: 100,
            kind: HiddenKind::Bernoulli,
            levels: Levels::Polynomials(vec![1.0, 0.5]),
            rank: 0,
            conditional: true,
            damping: 50.0,
            lateral: 10.0,
        }
    }
}

impl RatingsOptions {
    /// Gives the machine of the paper.
    pub fn published(hidden: usize) -> Self {
        Self {
            hidden,
            levels: Levels::Free,
            conditional: true,
            damping: 0.0,
            lateral: 0.0,
            ..Self::default()
        }
    }

    /// Gives the kept weights of an item and a level: one for each hidden unit, or for each factor.
    pub(super) fn width(&self) -> usize {
        if self.rank == 0 { self.hidden } else { self.rank }
    }

    /// Refuses options out of range.
    ///
    /// # Errors
    /// Names the option.
    pub fn check(&self) -> Result<(), Error> {
        if !(1..=65_536).contains(&self.hidden) {
            return Err(Error::option("hidden", "1 to 65536", self.hidden));
        }
        if self.rank > 65_536 {
            return Err(Error::option("rank", "0 to 65536", self.rank));
        }
        for (name, value) in [("damping", self.damping), ("lateral", self.lateral)] {
            if !(0.0..=1e6).contains(&value) {
                return Err(Error::option(name, "0 to a million", value));
            }
        }
        let Levels::Polynomials(factors) = &self.levels else { return Ok(()) };
        if factors.is_empty() {
            return Err(Error::option("levels", "1 factor or more", 0));
        }
        match factors.iter().find(|f| !(**f > 0.0 && **f <= 100.0)) {
            Some(got) => Err(Error::option("levels", "factors above 0, to 100", got)),
            None => Ok(()),
        }
    }
}

/// Says what is made small.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Objective {
    /// −Σ ln p(r_i | all others of the row): exact, without chains (Besag 1975), and just what a prediction asks for.
    Pseudo,
    /// Contrastive divergence, as published, with this many sweeps: `Steps(vec![(0, 1.0), (20, 3.0)])` begins with one.
    Contrastive(Schedule),
}

/// Says how a machine of ratings is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RatingsFit {
    /// Walks over the rows.
    pub epochs: u32,
    /// Rows of an update.
    pub batch: usize,
    /// η; gradients are means over the rows of a batch.
    pub learning_rate: Schedule,
    /// The rule of updates.
    pub method: Method,
    /// λ: adds ½ λ (ratings of the item) / (rows) θ² to the loss for the weights and conditional weights of each item, so that an item of few
    /// ratings keeps the say of its few.
    pub decay: f32,
    /// What is made small.
    pub objective: Objective,
    /// What counts as running away.
    pub guard: Guard,
}

impl Default for RatingsFit {
    fn default() -> Self {
        Self {
            epochs: 20,
            batch: 50,
            learning_rate: Schedule::Linear { from: 0.02, to: 0.0 },
            method: Method::adam(),
            decay: 0.02,
            objective: Objective::Pseudo,
            guard: Guard { limit: 1e4, ..Guard::default() },
        }
    }
}

impl RatingsFit {
    /// Gives contrastive divergence with momentum, whose sweeps grow from 1 to 3, as published.
    pub fn published(epochs: u32) -> Self {
        let sweeps = Schedule::Steps(vec![(0, 1.0), (epochs.div_ceil(2).max(1), 3.0)]);
        Self {
            epochs,
            learning_rate: Schedule::Constant(0.02),
            method: Method::Sgd { momentum: Schedule::Constant(0.8) },
            decay: 0.01,
            objective: Objective::Contrastive(sweeps),
            ..Self::default()
        }
    }

    /// Refuses options out of range.
    ///
    /// # Errors
    /// Names the option.
    pub fn check(&self) -> Result<(), Error> {
        if self.batch == 0 {
            return Err(Error::option("batch", "1 or more", 0));
        }
        if !(0.0..=1e3).contains(&self.decay) {
            return Err(Error::option("decay", "0 to 1000", self.decay));
        }
        self.learning_rate.check("learning_rate", 0.0, 1e3)?;
        self.method.check()?;
        self.guard.check()?;
        match &self.objective {
            Objective::Pseudo => Ok(()),
            Objective::Contrastive(sweeps) => sweeps.check("k", 1.0, 1000.0),
        }
    }
}

/// Says how p(rating | the ratings that are known) is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Inference {
    /// All states of the hidden units summed up, which takes linear time (their eq. 8).
    #[default]
    Exact,
    /// Means of the hidden units given what is known, then one step down (their eq. 9, 10).
    MeanField,
}
