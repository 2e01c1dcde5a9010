//! Chooses at run time how the gradient of a layer is estimated.

use std::borrow::Cow;

use harmonium_core::address::Address;
use harmonium_core::stats::Phases;
use harmonium_core::train::{Cd, Estimate, Estimator, FastPcd, Kept, Pcd, Schedule, Tempering};
use harmonium_core::{Batch, EnergyModel, Error};
use serde::{Deserialize, Serialize};

/// Is an estimator that any machine of a stack can be trained with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Learner {
    /// Contrastive divergence.
    Cd(Cd),
    /// Persistent contrastive divergence.
    Pcd(Pcd),
    /// Persistent chains on weights that forget fast.
    Fast(FastPcd),
    /// Persistent chains at several temperatures.
    Tempering(Tempering),
}

impl Default for Learner {
    fn default() -> Self {
        Self::Cd(Cd::default())
    }
}

/// Asks the estimator, whichever it is.
macro_rules! each {
    ($self:expr, $estimator:ident => $out:expr) => {
        match $self {
            Learner::Cd($estimator) => $out,
            Learner::Pcd($estimator) => $out,
            Learner::Fast($estimator) => $out,
            Learner::Tempering($estimator) => $out,
        }
    };
}

impl Learner {
    /// Refuses options out of range.
    ///
    /// # Errors
    /// Names the option.
    pub fn check(&self) -> Result<(), Error> {
        each!(self, estimator => estimator.check())
    }
}

impl<M: EnergyModel + Clone> Estimator<M> for Learner {
    fn check(&self) -> Result<(), Error> {
        Self::check(self)
    }

    fn check_model(&self, model: &M) -> Result<(), Error> {
        each!(self, estimator => estimator.check_model(model))
    }

    fn estimate(
        &mut self,
        model: &M,
        data: &Batch,
        sweeps: u32,
        at: Address,
        phases: &mut Phases,
    ) -> Result<Estimate, Error> {
        each!(self, estimator => estimator.estimate(model, data, sweeps, at, phases))
    }

    fn complete<'a>(&self, model: &M, data: &'a Batch, sweeps: u32, at: Address) -> Cow<'a, Batch> {
        each!(self, estimator => estimator.complete(model, data, sweeps, at))
    }

    fn judge(&self, model: &M, at: Address) -> Result<(), Error> {
        each!(self, estimator => estimator.judge(model, at))
    }

    fn rolled_back(&mut self, model: &M) -> Result<(), Error> {
        each!(self, estimator => estimator.rolled_back(model))
    }

    fn sweeps(&self) -> &Schedule {
        each!(self, estimator => Estimator::<M>::sweeps(estimator))
    }

    fn kept(&self) -> Kept {
        each!(self, estimator => Estimator::<M>::kept(estimator))
    }

    fn grow(&mut self, model: &M) -> Result<(), Error> {
        each!(self, estimator => estimator.grow(model))
    }

    fn restore(&mut self, model: &M, kept: Kept) -> Result<(), Error> {
        each!(self, estimator => estimator.restore(model, kept))
    }
}
