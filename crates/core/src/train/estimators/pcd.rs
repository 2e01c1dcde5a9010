//! Runs chains that go on where they stood: persistent contrastive divergence.

use harmonium_kernels::purpose;
use serde::{Deserialize, Serialize};

use super::{Estimate, Estimator, check_k, run};
use crate::address::Address;
use crate::sample::check_chains;
use crate::stats::Phases;
use crate::train::{Kept, Schedule};
use crate::units::States;
use crate::{Batch, EnergyModel, Error};

/// Is persistent contrastive divergence: k sweeps from where the chains stood (Younes 1989, Tieleman 2008).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pcd {
    /// Sweeps a step.
    pub k: Schedule,
    /// Chains that run, whatever the size of the batch.
    pub chains: usize,
    /// Where the chains stand, packed by the model.
    #[serde(skip)]
    state: Option<States>,
}

impl Default for Pcd {
    fn default() -> Self {
        Self::new(1, 100)
    }
}

impl Pcd {
    /// Makes PCD-k with this many chains.
    pub fn new(k: u32, chains: usize) -> Self {
        Self { k: Schedule::Constant(f64::from(k)), chains, state: None }
    }

    /// Refuses options out of range.
    ///
    /// # Errors
    /// Names the option.
    pub fn check(&self) -> Result<(), Error> {
        check_chains(self.chains)?;
        check_k(&self.k)
    }

    /// Gives where the chains stand, packed by the model; nothing before the first update.
    pub fn standing(&self) -> Option<&States> {
        self.state.as_ref()
    }
}

impl<M: EnergyModel> Estimator<M> for Pcd {
    fn check(&self) -> Result<(), Error> {
        Self::check(self)
    }

    fn check_model(&self, model: &M) -> Result<(), Error> {
        model.check_free()
    }

    fn estimate(
        &mut self,
        model: &M,
        data: &Batch,
        sweeps: u32,
        at: Address,
        phases: &mut Phases,
    ) -> Result<Estimate, Error> {
        model.accumulate(&model.clamp(data), &mut phases.positive);
        let kept = mutant!("B40", self.state.take(), None);
        let mut state = match kept {
            Some(chains) => model.unpack(chains)?,
            None => model.init(self.chains, at.seed().fold_in(purpose::CHAINS)),
        };
        run(model, &mut state, sweeps, at);
        model.accumulate(&state, &mut phases.negative);
        self.state = Some(model.pack(&state));
        Ok(Estimate::Phases)
    }

    fn sweeps(&self) -> &Schedule {
        &self.k
    }

    fn kept(&self) -> Kept {
        Kept::default().with_chains(self.state.as_ref())
    }

    fn restore(&mut self, model: &M, mut kept: Kept) -> Result<(), Error> {
        let chains = kept.take_chains(self.chains)?;
        kept.finished("PCD")?;
        chains.clone().map(|bits| model.unpack(bits)).transpose()?;
        self.state = chains;
        Ok(())
    }
}
