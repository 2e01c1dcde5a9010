//! Says where in a training a draw belongs: seed / purpose / step / sweep / half-step.

use harmonium_kernels::Key;

/// Is the seed's key together with the number of the update.
#[derive(Clone, Copy, Debug)]
pub struct Address {
    seed: Key,
    step: u64,
}

impl Address {
    /// Joins a seed's key and a step.
    pub fn new(seed: Key, step: u64) -> Self {
        Self { seed, step }
    }

    /// Gives the key of a purpose in this step.
    pub fn key(&self, purpose: u64) -> Key {
        self.seed.fold_in(purpose).fold_in(self.step)
    }

    /// Gives the number of the update.
    pub fn step(&self) -> u64 {
        self.step
    }

    /// Gives the key of the seed itself.
    pub fn seed(&self) -> Key {
        self.seed
    }
}
