//! Runs chains from the data: contrastive divergence.

use harmonium_kernels::purpose;
use serde::{Deserialize, Serialize};

use super::{Estimate, Estimator, check_k, run};
use crate::address::Address;
use crate::stats::Phases;
use crate::train::{Kept, Schedule};
use crate::{Batch, EnergyModel, Error};

/// Is contrastive divergence: k sweeps from the data (Hinton 2002).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cd {
    /// Sweeps a step.
    pub k: Schedule,
}

impl Default for Cd {
    fn default() -> Self {
        Self { k: Schedule::Constant(1.0) }
    }
}

impl Cd {
    /// Makes CD-k.
    pub fn new(k: u32) -> Self {
        Self { k: Schedule::Constant(f64::from(k)) }
    }

    /// Refuses options out of range.
    ///
    /// # Errors
    /// Names the option.
    pub fn check(&self) -> Result<(), Error> {
        check_k(&self.k)
    }
}

impl<M: EnergyModel> Estimator<M> for Cd {
    fn check(&self) -> Result<(), Error> {
        Self::check(self)
    }

    fn estimate(
        &mut self,
        model: &M,
        data: &Batch,
        sweeps: u32,
        at: Address,
        phases: &mut Phases,
    ) -> Result<Estimate, Error> {
        let mut state = model.infer(data, at.key(purpose::POSITIVE).fold_in(0).fold_in(0));
        model.accumulate(&state, &mut phases.positive);
        run(model, &mut state, sweeps, at);
        model.accumulate(&state, &mut phases.negative);
        Ok(Estimate::Phases)
    }

    fn sweeps(&self) -> &Schedule {
        &self.k
    }

    fn restore(&mut self, _model: &M, kept: Kept) -> Result<(), Error> {
        kept.finished("CD")
    }
}
