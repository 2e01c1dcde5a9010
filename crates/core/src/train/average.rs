//! Averages the parameters over updates: an exponential mean, or the plain one over the last part of a training.

use serde::{Deserialize, Serialize};

use super::fit::same_shape;
use super::{Fit, Snapshot};
use crate::{Error, HasParams, Params};

/// Says over which updates the parameters are averaged, and how.
///
/// θ̄ ← θ̄ + w (θ − θ̄) after each update, with w = max(1 − β, 1/n) at the n-th of them: the plain mean as long as fewer than
/// 1 / (1 − β) are in it, and then the exponential one. β = 1 is the plain mean throughout (Ruppert 1988; Polyak &
/// Juditsky 1992).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Average {
    /// β, from 0 to 1.
    pub decay: f32,
    /// The part of the training that goes by first, from 0 to below 1.
    pub start: f64,
}

/// The plain mean over the second half.
impl Default for Average {
    fn default() -> Self {
        Self { decay: 1.0, start: 0.5 }
    }
}

impl Average {
    /// Gives the exponential mean from the first update on.
    pub fn exponential(decay: f32) -> Self {
        Self { decay, start: 0.0 }
    }

    /// Refuses options out of range.
    ///
    /// # Errors
    /// Names the option.
    pub fn check(&self) -> Result<(), Error> {
        if !(0.0..=1.0).contains(&self.decay) {
            return Err(Error::option("average decay", "0 to 1", self.decay));
        }
        if !(0.0..1.0).contains(&self.start) {
            return Err(Error::option("average start", "0 to below 1", self.start));
        }
        Ok(())
    }

    /// Gives w for the parameters after `step` updates of `total`, if they count.
    pub(super) fn weight(&self, step: u64, total: u64) -> Option<f32> {
        let before = (self.start * total as f64).ceil() as u64;
        let n = step.saturating_sub(before);
        (n > 0).then(|| mutant!("B66", 1.0 - self.decay, 0.0).max(1.0 / n as f32))
    }
}

/// Moves averages towards values.
#[inline(always)]
pub(super) fn follow(averages: &mut [f32], values: &[f32], weight: f32) {
    averages.iter_mut().zip(values).for_each(|(mean, x)| *mean += (x - *mean) * weight);
}

/// Lends the average of a block for an update, with its weight.
pub(super) type Share<'a> = Option<(&'a mut Params, f32)>;

/// Lends the average for an update that counts, and begins it with zeros, which the first weight of 1 replaces.
pub(super) fn share<'a>(
    average: &'a mut Option<Params>,
    options: &Fit,
    (step, total): (u64, u64),
    model: &impl HasParams,
) -> Share<'a> {
    let weight = options.average?.weight(step, total)?;
    Some((average.get_or_insert_with(|| model.params().zeros_like()), weight))
}

/// Refuses a snapshot whose average is missing, is not asked for, or has other shapes.
pub(super) fn check(snapshot: &Snapshot, options: &Fit, total: u64) -> Result<(), Error> {
    match (&snapshot.average, options.average.and_then(|average| average.weight(snapshot.step, total))) {
        (None, None) => Ok(()),
        (Some(average), Some(_)) => same_shape("average", &snapshot.params, average),
        (None, Some(_)) => Err(Error::shape("average", "the average of the parameters", "none")),
        (Some(_), None) => Err(Error::shape("average", "none at this step", "one")),
    }
}
