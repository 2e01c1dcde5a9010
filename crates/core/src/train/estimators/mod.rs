//! Estimates the gradient of a batch, one algorithm a file.

mod cd;
mod fast;
mod pcd;
mod tempering;
mod trajectory;

pub use cd::Cd;
pub use fast::FastPcd;
pub use pcd::Pcd;
pub use tempering::Tempering;
pub use trajectory::Trajectory;

use std::borrow::Cow;

use harmonium_kernels::purpose;

use super::{Kept, Schedule};
use crate::address::Address;
use crate::stats::Phases;
use crate::{Batch, EnergyModel, Error, Params};

/// The sweeps of an estimator that takes none.
static NONE: Schedule = Schedule::Constant(0.0);

/// Says where the gradient of a batch is.
#[derive(Clone, Debug, PartialEq)]
pub enum Estimate {
    /// In the statistics of the two phases, whose contrast it is ([`Phases::contrast`]).
    Phases,
    /// Here, of the negative log-likelihood or of what stands for it. Of the phases the positive one alone is filled.
    Gradient(Params),
}

impl Estimate {
    /// Gives the gradient itself, before any transform.
    pub fn gradient(self, model: &impl EnergyModel, phases: &Phases) -> Params {
        match self {
            Self::Gradient(gradient) => gradient,
            Self::Phases => {
                let mut gradient = model.params();
                phases.contrast(&mut gradient);
                gradient
            }
        }
    }
}

/// Estimates the gradient of one batch: its two phases, or the finished gradient.
pub trait Estimator<M: EnergyModel> {
    /// Refuses options out of range.
    ///
    /// # Errors
    /// Names the option.
    fn check(&self) -> Result<(), Error>;

    /// Refuses models that the estimator can't treat, say because they are too large.
    ///
    /// # Errors
    /// Says what a model must be like.
    fn check_model(&self, _model: &M) -> Result<(), Error> {
        Ok(())
    }

    /// Adds the statistics of the data, and those of the model's own states unless it gives a finished gradient;
    /// `phases` come empty.
    ///
    /// # Errors
    /// Refuses what lives on from another model.
    fn estimate(
        &mut self,
        model: &M,
        data: &Batch,
        sweeps: u32,
        at: Address,
        phases: &mut Phases,
    ) -> Result<Estimate, Error>;

    /// Draws what is missing in the rows of an update, given what is there, by `sweeps` sweeps of the model whose gradient is
    /// estimated: `model` itself, unless the estimator hands another one on.
    fn complete<'a>(&self, model: &M, data: &'a Batch, sweeps: u32, at: Address) -> Cow<'a, Batch> {
        model.complete(data, sweeps, at.key(purpose::COMPLETE))
    }

    /// Judges the update that has just moved the model; one that is refused is taken back, as one that ran away is.
    ///
    /// # Errors
    /// Says what makes the moved model unfit to go on with.
    fn judge(&self, _model: &M, _at: Address) -> Result<(), Error> {
        Ok(())
    }

    /// Learns that the last good state was put back, into this estimator too, and that the training goes on from there.
    ///
    /// # Errors
    /// Refuses what lives on from another model.
    fn rolled_back(&mut self, _model: &M) -> Result<(), Error> {
        Ok(())
    }

    /// Gives the number of sweeps a step takes, as a schedule.
    fn sweeps(&self) -> &Schedule {
        &NONE
    }

    /// Copies what lives on between steps.
    fn kept(&self) -> Kept {
        Kept::default()
    }

    /// Takes note that the model has more hidden units now than what lives on was made for.
    ///
    /// # Errors
    /// Refuses where what lives on can't follow.
    fn grow(&mut self, model: &M) -> Result<(), Error> {
        let kept = self.kept();
        self.restore(model, kept)
    }

    /// Puts back what lived on.
    ///
    /// # Errors
    /// Refuses what is of another shape, and all where nothing lives on; then nothing is changed.
    fn restore(&mut self, _model: &M, kept: Kept) -> Result<(), Error> {
        kept.finished("this estimator")
    }
}

fn check_k(k: &Schedule) -> Result<(), Error> {
    k.check("k", 1.0, 1e6)
}

fn run<M: EnergyModel>(model: &M, state: &mut M::State, sweeps: u32, at: Address) {
    model.run(state, 0..u64::from(sweeps), at.key(purpose::NEGATIVE));
}
