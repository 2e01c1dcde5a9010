//! Rejects updates after which a model no longer swaps with its newest copy, and keeps what was restored.

use harmonium_kernels::{Key, purpose};

use super::{Earlier, Trajectory, exponents};
use crate::address::Address;
use crate::sample::exchange::{of_rung, packed, unpacked};
use crate::units::States;
use crate::{EnergyModel, Error};

/// What sets the keys of a judged update apart from those of swaps after sweeps, which are fewer.
const JUDGED: u64 = 1 << 33;

impl Trajectory {
    /// Refuses a model that swaps too seldom, if such are refused at all.
    pub(super) fn reject<M: EnergyModel + Clone>(&self, model: &M, at: Address) -> Result<(), Error> {
        let Some(chains) = self.judged() else { return Ok(()) };
        let share = self.share(model, chains, at.key(purpose::SWAP).fold_in(JUDGED))?;
        // Written so that NaN fails.
        if mutant!("B116", share >= f64::from(self.least), true) {
            return Ok(());
        }
        let (place, expected) =
            (format!("step {}", at.step()), format!("a share of at least {}", self.least));
        Err(Error::diverged("swaps with the newest earlier model", place, expected, share))
    }

    /// Keeps a restored model with its chains, so that the next update has a near rung.
    pub(super) fn keep_restored<M: EnergyModel>(&mut self, model: &M) -> Result<(), Error> {
        let Some(chains) = self.judged() else { return Ok(()) };
        let kept = Earlier::of(model);
        // A training that was resumed where it had been put back has the copy already.
        if self.earlier[0].params == kept.params {
            return Ok(());
        }
        let mut states = unpacked(model, chains, self.chains)?;
        states.insert(1, states[0].clone());
        self.state = Some(packed(model, &states));
        self.earlier.insert(0, mutant!("B117", kept, self.earlier[0].clone()));
        Ok(())
    }

    /// Gives the chains if updates are judged: a full ladder has no room for the copy that would help.
    fn judged(&self) -> Option<&States> {
        self.state.as_ref().filter(|_| self.least > 0.0 && !self.is_full())
    }

    /// Gives the mean probability of a swap between the model and the newest copy, after a sweep of either.
    fn share<M: EnergyModel + Clone>(&self, model: &M, chains: &States, key: Key) -> Result<f64, Error> {
        let newest = self.earlier[0].model(model)?;
        let swept = |rung: usize, model: &M| {
            let own = rung * self.chains..(rung + 1) * self.chains;
            let mut state = model.unpack(chains.gather(own))?;
            model.sweep(&mut state, of_rung(key, rung));
            Ok::<_, Error>(state)
        };
        let gains = exponents([model, &newest], [&swept(0, model)?, &swept(1, &newest)?]);
        Ok(gains.iter().map(|gain| libm::exp(gain.min(0.0))).sum::<f64>() / gains.len() as f64)
    }
}
