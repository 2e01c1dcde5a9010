//! Estimates both phases of the gradient: contrastive divergence and its persistent form.

use harmonium_kernels::purpose;
use serde::{Deserialize, Serialize};

use super::Schedule;
use crate::address::Address;
use crate::stats::Phases;
use crate::units::States;
use crate::{Batch, EnergyModel, Error};

/// The most chains that run side by side.
pub const MAX_CHAINS: usize = 1_000_000;

/// Fills the statistics of the positive and the negative phase for one batch.
pub trait Estimator<M: EnergyModel> {
    /// Refuses options out of range.
    ///
    /// # Errors
    /// Names the option.
    fn check(&self) -> Result<(), Error>;

    /// Adds the statistics of the data and of the model's own states; `phases` come empty.
    ///
    /// # Errors
    /// Refuses chains that were made for another model.
    fn estimate(
        &mut self,
        model: &M,
        data: &Batch,
        sweeps: u32,
        at: Address,
        phases: &mut Phases,
    ) -> Result<(), Error>;

    /// Gives the number of sweeps a step takes, as a schedule.
    fn sweeps(&self) -> &Schedule;

    /// Packs the chains that live on between steps, if there are any.
    fn chains(&self) -> Option<&States>;

    /// Puts packed chains back.
    ///
    /// # Errors
    /// Refuses chains of another width or number, and any where none live on.
    fn restore(&mut self, model: &M, chains: Option<States>) -> Result<(), Error>;
}

/// Is contrastive divergence: k sweeps from the data (Hinton 2002).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cd {
    /// Sweeps a step.
    pub k: Schedule,
}

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

impl Default for Cd {
    fn default() -> Self {
        Self { k: Schedule::Constant(1.0) }
    }
}

impl Default for Pcd {
    fn default() -> Self {
        Self::new(1, 100)
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
        if !(1..=MAX_CHAINS).contains(&self.chains) {
            return Err(Error::option("chains", format!("1 to {MAX_CHAINS}"), self.chains));
        }
        check_k(&self.k)
    }
}

fn check_k(k: &Schedule) -> Result<(), Error> {
    k.check("k", 1.0, 1e6)
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
    ) -> Result<(), Error> {
        let mut state = model.infer(data, at.key(purpose::POSITIVE).fold_in(0).fold_in(0));
        model.accumulate(&state, &mut phases.positive);
        run(model, &mut state, sweeps, at);
        model.accumulate(&state, &mut phases.negative);
        Ok(())
    }

    fn sweeps(&self) -> &Schedule {
        &self.k
    }

    fn chains(&self) -> Option<&States> {
        None
    }

    fn restore(&mut self, _model: &M, chains: Option<States>) -> Result<(), Error> {
        match chains {
            None => Ok(()),
            Some(bits) => Err(Error::shape("chains", "none for CD", format!("{} chains", bits.rows()))),
        }
    }
}

impl<M: EnergyModel> Estimator<M> for Pcd {
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
    ) -> Result<(), Error> {
        model.accumulate(&model.clamp(data), &mut phases.positive);
        let kept = mutant!("B40", self.state.take(), None);
        let mut state = match kept {
            Some(chains) => model.unpack(chains)?,
            None => model.init(self.chains, at.seed().fold_in(purpose::CHAINS)),
        };
        run(model, &mut state, sweeps, at);
        model.accumulate(&state, &mut phases.negative);
        self.state = Some(model.pack(&state));
        Ok(())
    }

    fn sweeps(&self) -> &Schedule {
        &self.k
    }

    fn chains(&self) -> Option<&States> {
        self.state.as_ref()
    }

    fn restore(&mut self, model: &M, chains: Option<States>) -> Result<(), Error> {
        if let Some(bits) = &chains {
            if bits.rows() != self.chains {
                let got = format!("{} chains", bits.rows());
                return Err(Error::shape("chains", format!("{} chains", self.chains), got));
            }
            model.unpack(bits.clone())?;
        }
        self.state = chains;
        Ok(())
    }
}

fn run<M: EnergyModel>(model: &M, state: &mut M::State, sweeps: u32, at: Address) {
    model.run(state, 0..u64::from(sweeps), at.key(purpose::NEGATIVE));
}
