//! Adapts the learning rate by the cosine between successive gradients.

use serde::{Deserialize, Serialize};

use super::fit::same_shape;
use super::transform::positive;
use super::{Fit, Snapshot};
use crate::{Error, Params};

/// Multiplies the learning rate by 1 + κ cos(g, g′) before each update, g′ the gradient of the update before: faster where
/// gradients agree, slower where they turn back (Almeida et al. 1998; the multiplicative rule of Baydin et al. 2018).
///
/// Gradients are taken after all transforms, over all blocks.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Adapt {
    /// κ, above 0 and below 1.
    pub strength: f32,
    /// The smallest factor that the rate of the schedule can get, above 0 and at most 1.
    pub least: f32,
    /// The largest, 1 or more.
    pub most: f32,
}

/// Is what the next update needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Adapted {
    /// The factor of the rate.
    pub factor: f32,
    /// The gradient of the last update.
    pub gradient: Params,
}

impl Default for Adapt {
    fn default() -> Self {
        Self { strength: 0.02, least: 0.1, most: 10.0 }
    }
}

impl Adapt {
    /// Refuses options out of range.
    ///
    /// # Errors
    /// Names the option.
    pub fn check(&self) -> Result<(), Error> {
        if !(self.strength > 0.0 && self.strength < 1.0) {
            return Err(Error::option("adapt strength", "between 0 and 1", self.strength));
        }
        if !(self.least > 0.0 && self.least <= 1.0) {
            return Err(Error::option("adapt least", "above 0 and at most 1", self.least));
        }
        if self.most < 1.0 {
            return Err(Error::option("adapt most", "1 or more", self.most));
        }
        positive("adapt most", self.most)
    }

    /// Takes note of a gradient and gives the factor of its update's rate.
    pub(super) fn follow(&self, state: &mut Option<Adapted>, gradient: &Params) -> f32 {
        let Some(last) = state else {
            return state.insert(Adapted { factor: 1.0, gradient: gradient.clone() }).factor;
        };
        let factor = last.factor * (1.0 + self.strength * cosine(gradient, &last.gradient));
        last.factor = factor.clamp(self.least, self.most);
        last.gradient.clone_from(gradient);
        last.factor
    }
}

/// Computes g · g′ / (|g| |g′|); 0 where a gradient is 0 or ran away.
fn cosine(a: &Params, b: &Params) -> f32 {
    let cosine = a.dot(b) / (a.dot(a).sqrt() * b.dot(b).sqrt());
    if cosine.is_finite() { mutant!("B67", cosine, cosine.abs()) as f32 } else { 0.0 }
}

/// Refuses a snapshot whose last gradient is missing, is not asked for, or has other shapes.
pub(super) fn check(snapshot: &Snapshot, options: &Fit) -> Result<(), Error> {
    match (&snapshot.adapted, options.adapt.is_some() && snapshot.step > 0) {
        (None, false) => Ok(()),
        (Some(adapted), true) => same_shape("last gradient", &snapshot.params, &adapted.gradient),
        (None, true) => Err(Error::shape("last gradient", "that of the last update", "none")),
        (Some(_), false) => Err(Error::shape("last gradient", "none at this step", "one")),
    }
}
