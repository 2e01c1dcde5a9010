//! Keeps parameters within bounds after each step: exact zeros, signs, norms, masks and frozen blocks.

mod mask;
mod norm;
mod proximal;
mod sign;

pub use mask::Mask;
pub use sign::Sign;

use serde::{Deserialize, Serialize};

use super::transform::{positive, strength};
use crate::{Error, HasParams, Params};

/// Says what parameters must obey. All but the names speak of weights; biases are free.
///
/// Masks, signs and norms hold from before the first update on, all of them after every update.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Constraints {
    /// λ of λ Σ |w| as a proximal step: after each step weights move by η λ towards 0 and stop there (Daubechies, Defrise &
    /// De Mol 2004; Parikh & Boyd 2014). Unlike [`super::Decay`]'s L1 it makes exact zeros.
    pub proximal: f32,
    /// The sign that weights must have.
    pub sign: Option<Sign>,
    /// The largest Euclidean norm of the weights of a hidden unit (Srebro & Shraibman 2005).
    pub max_norm: Option<f32>,
    /// Weights that are exactly 0.
    pub masks: Vec<Mask>,
    /// Names of blocks that stay as they are; no other constraint touches them.
    pub frozen: Vec<String>,
}

/// Is what can be done to one weight at a time after its step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bound {
    threshold: f32,
    sign: Option<Sign>,
}

impl Constraints {
    /// Refuses options out of range.
    ///
    /// # Errors
    /// Names the option.
    pub fn check(&self) -> Result<(), Error> {
        strength("proximal", self.proximal)?;
        self.max_norm.map_or(Ok(()), |norm| positive("max_norm", norm))
    }

    /// Refuses names and entries that the model does not have.
    ///
    /// # Errors
    /// Names the option and the blocks there are.
    pub(super) fn check_model(&self, params: &Params) -> Result<(), Error> {
        let names: Vec<&str> = params.tensors().iter().map(|t| t.name).collect();
        let unknown = |name: &&String| !names.contains(&name.as_str());
        if let Some(name) = self.frozen.iter().find(unknown) {
            return Err(Error::option("frozen", format!("one of {}", names.join(", ")), name));
        }
        self.masks.iter().try_for_each(|mask| mask.check(params))
    }

    /// Tells whether all that there is to do is done weight by weight.
    pub(super) fn fuse(&self) -> bool {
        self.max_norm.is_none() && self.masks.is_empty() && self.frozen.is_empty()
    }

    /// Gives what is done to each weight after a step of this rate, if anything is.
    pub(super) fn bound(&self, rate: f32) -> Option<Bound> {
        let bound = Bound { threshold: rate * self.proximal, sign: self.sign };
        (self.proximal > 0.0 || self.sign.is_some()).then_some(bound)
    }

    /// Tells whether a block must stay as it is.
    pub(super) fn freezes(&self, name: &str) -> bool {
        self.frozen.iter().any(|frozen| frozen == name)
    }

    /// Takes out of a gradient what can't move, so that no norm and no moment counts it.
    pub(super) fn release(&self, gradient: &mut Params) {
        for tensor in gradient.tensors_mut() {
            if self.freezes(tensor.name) {
                tensor.values.fill(0.0);
            }
            self.masks.iter().for_each(|mask| mask.apply(tensor.name, &mut tensor.values));
        }
    }

    /// Brings a model that was moved at this rate back within bounds; `like` has its shapes.
    pub(super) fn apply(&self, model: &mut impl HasParams, like: &Params, rate: f32) {
        let bound = self.bound(rate);
        for (block, like) in model.blocks_mut().into_iter().zip(like.tensors()) {
            if like.shape.len() < 2 || self.freezes(block.name) {
                continue;
            }
            self.masks.iter().for_each(|mask| mask.apply(block.name, block.values));
            bound.iter().for_each(|bound| bound.apply(block.values));
            self.max_norm.iter().for_each(|&most| norm::limit(block.values, like.shape[0], most));
        }
    }

    /// Brings a model within bounds before its first update, by nothing but what bounds ask for.
    pub(super) fn begin(&self, model: &mut impl HasParams) {
        if *self != Self::default() {
            let like = model.params();
            self.apply(model, &like, 0.0);
            model.refresh();
        }
    }
}

impl Bound {
    #[inline(always)]
    pub(super) fn apply(self, weights: &mut [f32]) {
        proximal::shrink(weights, self.threshold);
        if let Some(sign) = self.sign {
            sign.apply(weights);
        }
    }
}
