//! Shows each update to whoever watches, and lets them stop the training.

use std::ops::ControlFlow;

use super::{Snapshot, Training};
use crate::{HasParams, Params};

/// Is what an observer gets to see after an update.
pub struct Step<'a, M> {
    /// The model after the update.
    pub model: &'a M,
    /// The gradient that it was updated with, after all transforms, if the observer wants it.
    pub gradient: Option<&'a Params>,
    /// The training: step, epoch, rate.
    pub training: &'a Training,
    /// Rows of the batch.
    pub rows: usize,
    /// Whether this update ended an epoch.
    pub ends_epoch: bool,
    /// What the guard did just before, if anything.
    pub notice: Option<&'a str>,
    /// The last state that the guard took for good. A training that goes on from it gives the same bits as one that was
    /// never stopped, even if numbers run away later; at the end of an epoch it is the present state.
    pub good: &'a Snapshot,
    pub(super) snapshot: &'a dyn Fn() -> Snapshot,
}

impl<M> Step<'_, M> {
    /// Copies all that a training needs to go on from here, bit for bit.
    pub fn snapshot(&self) -> Snapshot {
        (self.snapshot)()
    }
}

impl<M: HasParams + Clone> Step<'_, M> {
    /// Gives a copy of the model with the average of its parameters, once that has begun.
    pub fn averaged(&self) -> Option<M> {
        self.training.averaged(self.model)
    }
}

/// Watches a training.
pub trait Observer<M> {
    /// Gets every update; `Break` ends the training after it.
    fn observe(&mut self, step: &Step<'_, M>) -> ControlFlow<()>;

    /// Tells whether the observer wants gradients. They are formed strip by strip and never stored otherwise, which makes
    /// a training faster and changes no bit of it.
    fn wants_gradient(&self) -> bool {
        false
    }
}

/// Watches with gradients.
pub struct WithGradient<F>(pub F);

impl<M, F: FnMut(&Step<'_, M>) -> ControlFlow<()>> Observer<M> for WithGradient<F> {
    fn observe(&mut self, step: &Step<'_, M>) -> ControlFlow<()> {
        self.0(step)
    }

    fn wants_gradient(&self) -> bool {
        true
    }
}

/// Watches nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl<M> Observer<M> for Silent {
    fn observe(&mut self, _step: &Step<'_, M>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

impl<M, F: FnMut(&Step<'_, M>) -> ControlFlow<()>> Observer<M> for F {
    fn observe(&mut self, step: &Step<'_, M>) -> ControlFlow<()> {
        self(step)
    }
}
