//! Says how long chains walk of which something is known.

use harmonium_core::Error;
use serde::{Deserialize, Serialize};

/// Says how many chains a row gets, and what they do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Clamping {
    /// Chains of each row.
    pub chains: usize,
    /// Sweeps on the way from independent units to the machine, the inverse temperature rising evenly; chains that start
    /// cold reach fewer modes.
    pub annealing: u32,
    /// Further sweeps before anything is counted.
    pub warming: u32,
    /// Sweeps that are counted.
    pub sweeps: u32,
}

impl Default for Clamping {
    fn default() -> Self {
        Self { chains: 20, annealing: 50, warming: 20, sweeps: 100 }
    }
}

impl Clamping {
    /// Refuses options out of range.
    ///
    /// # Errors
    /// Names the option.
    pub fn check(&self) -> Result<(), Error> {
        if !(1..=10_000).contains(&self.chains) {
            return Err(Error::option("chains", "1 to 10000", self.chains));
        }
        if self.sweeps == 0 {
            return Err(Error::option("sweeps", "1 or more", 0));
        }
        Ok(())
    }

    /// Gives the number of all sweeps.
    pub(super) fn total(&self) -> u64 {
        u64::from(self.annealing) + u64::from(self.warming) + u64::from(self.sweeps)
    }

    /// Tells whether a sweep, from 1 on, is counted.
    pub(super) fn counts(&self, sweep: u64) -> bool {
        sweep > u64::from(self.annealing) + u64::from(self.warming)
    }

    /// Gives β of a sweep, from 1 on.
    pub(super) fn beta(&self, sweep: u64) -> f32 {
        let rising = u64::from(self.annealing);
        if sweep > rising { 1.0 } else { sweep as f32 / (rising + 1) as f32 }
    }
}
