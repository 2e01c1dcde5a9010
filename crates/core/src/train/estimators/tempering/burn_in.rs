//! Spaces a ladder anew while it burns in, and puts a spaced one back.

use super::Tempering;
use crate::Error;
use crate::sample::{Ladder, equal_barrier};
use crate::train::Kept;

/// Is a ladder on its way.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Spaced {
    pub(super) betas: Vec<f32>,
    /// Updates so far.
    pub(super) updates: u64,
    /// Rounds of swaps before the ladder last changed.
    pub(super) since: u64,
}

impl Tempering {
    /// Counts an update, and spaces the ladder anew where a round of its burn-in ends.
    pub(super) fn adapt(&mut self) {
        if self.adapt == 0 {
            return;
        }
        let (betas, rates) = (self.betas(), self.swap_rates());
        let start = || Spaced { betas: betas.clone(), updates: 0, since: 0 };
        let adapted = self.adapted.get_or_insert_with(start);
        adapted.updates += 1;
        if adapted.updates > self.adapt || adapted.updates == 1 || !adapted.updates.is_power_of_two() {
            return;
        }
        let rejected: Vec<f64> = rates.iter().map(|rate| mutant!("B118", 1.0 - rate, *rate)).collect();
        adapted.betas = equal_barrier(&betas, &rejected);
        adapted.since = self.rounds;
        self.done.fill(0);
    }

    /// Takes an adapted ladder out of what was kept.
    pub(super) fn take_adapted(&self, kept: &mut Kept, rounds: Option<u64>) -> Result<Option<Spaced>, Error> {
        if self.adapt == 0 {
            return Ok(None);
        }
        let betas = kept.take_reals("betas", &[self.rungs()])?;
        let counts = kept.take_counts("ladder", 2)?;
        let (Some(betas), Some(counts)) = (betas, counts) else { return Ok(None) };
        Ladder::Betas(betas.clone()).check()?;
        if rounds.is_none_or(|rounds| counts[1] > rounds) {
            return Err(Error::value("ladder", "", "a change before the last round", counts[1]));
        }
        Ok(Some(Spaced { betas, updates: counts[0], since: counts[1] }))
    }
}
