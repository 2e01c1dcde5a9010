//! Runs chains of any model, and shows what they pass to observers.

use harmonium_kernels::{Key, evaluate, parallel, purpose};
use serde::{Deserialize, Serialize};

use super::{Observer, Seen};
use crate::{Error, Gibbs};

/// The most chains that run side by side.
pub const MAX_CHAINS: usize = 1_000_000;

/// Refuses no chains and too many.
///
/// # Errors
/// Names the option.
pub fn check_chains(chains: usize) -> Result<(), Error> {
    if (1..=MAX_CHAINS).contains(&chains) {
        return Ok(());
    }
    Err(Error::option("chains", format!("1 to {MAX_CHAINS}"), chains))
}

/// Says how many chains run, and which of their states are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Chains {
    /// Chains side by side, each from its own stream.
    pub chains: usize,
    /// Sweeps before anything is looked at.
    pub burn_in: u64,
    /// Sweeps after that.
    pub sweeps: u64,
    /// Of these, every so many-th is looked at.
    pub thin: u64,
}

impl Default for Chains {
    fn default() -> Self {
        Self { chains: 100, burn_in: 1000, sweeps: 1000, thin: 1 }
    }
}

impl Chains {
    /// Refuses no chains, too many, and a thinning that leaves no sweep to look at.
    ///
    /// # Errors
    /// Names the option.
    pub fn check(&self) -> Result<(), Error> {
        check_chains(self.chains)?;
        if !(1..=u64::from(u32::MAX)).contains(&self.sweeps) {
            return Err(Error::option("sweeps", format!("1 to {}", u32::MAX), self.sweeps));
        }
        if self.burn_in > u64::from(u32::MAX) {
            return Err(Error::option("burn-in", format!("at most {}", u32::MAX), self.burn_in));
        }
        if !(1..=self.sweeps).contains(&self.thin) {
            return Err(Error::option("thin", format!("1 to {} sweeps", self.sweeps), self.thin));
        }
        Ok(())
    }

    /// Tells whether observers see the chains after this many sweeps in all.
    pub(crate) fn shows(&self, done: u64) -> bool {
        done > self.burn_in && (done - self.burn_in).is_multiple_of(self.thin)
    }

    /// Starts chains and lets them sweep; gives where they end. Sweep n draws from `key` / `EVALUATE` / `SAMPLE` / n.
    ///
    /// # Errors
    /// Refuses options out of range.
    pub fn run<M: Gibbs>(
        &self,
        model: &M,
        key: Key,
        observers: &mut [&mut dyn Observer],
    ) -> Result<M::State, Error> {
        self.check()?;
        let mut state = model.init(self.chains, key.fold_in(purpose::CHAINS));
        let sweeps = sweeps(key);
        parallel::team(|| {
            for done in 1..=self.burn_in + self.sweeps {
                model.sweep(&mut state, sweeps.fold_in(done - 1));
                if mutant!("B170", self.shows(done), done.is_multiple_of(self.thin)) {
                    show(done, model, &state, observers);
                }
            }
        });
        Ok(state)
    }
}

/// Gives the key that sweeps of samplers draw from.
pub(super) fn sweeps(key: Key) -> Key {
    key.fold_in(purpose::EVALUATE).fold_in(evaluate::SAMPLE)
}

/// Shows states to all observers.
pub(super) fn show<M: Gibbs>(sweep: u64, model: &M, state: &M::State, observers: &mut [&mut dyn Observer]) {
    let (pack, energy) = (|| model.pack(state), || model.energy(state));
    let seen = Seen::new(sweep, &pack, &energy);
    observers.iter_mut().for_each(|observer| observer.see(&seen));
}
