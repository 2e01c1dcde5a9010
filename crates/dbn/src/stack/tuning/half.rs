//! Holds one half of a machine with the moments of its optimiser.

use harmonium_core::stats::Phases;
use harmonium_core::train::{Kept, Optimizer, Snapshot, Transform};
use harmonium_core::{EnergyModel, Error, Params};

use crate::stack::UpDown;

/// Is a model with the moments of its optimiser.
pub(super) struct Half<M> {
    pub(super) model: M,
    optimizer: Optimizer,
}

impl<M: EnergyModel> Half<M> {
    pub(super) fn new(model: M, options: &UpDown) -> Self {
        let optimizer = Optimizer::new(options.method.clone(), &model.params());
        Self { model, optimizer }
    }

    pub(super) fn snapshot(&self, step: u64, rate: (f32, u32), kept: Kept) -> Snapshot {
        let (first, second, powers) = self.optimizer.state();
        Snapshot {
            step,
            rate,
            params: self.model.params(),
            shift: self.model.shift(),
            moments: (mutant!("B234", first.clone(), first.zeros_like()), second.clone(), powers),
            offsets: None,
            kept,
            average: None,
            adapted: None,
        }
    }

    /// Puts a snapshot back; the caller drops the whole where that is refused.
    pub(super) fn restore(&mut self, snapshot: &Snapshot) -> Result<(), Error> {
        let (first, second, powers) = self.optimizer.state_mut();
        same_shape("moments", first, &snapshot.moments.0)?;
        same_shape("second moments", second, &snapshot.moments.1)?;
        (*first, *second, *powers) = snapshot.moments.clone();
        self.model.restore(&snapshot.params, snapshot.shift)
    }

    /// Moves the model against a gradient; gives the largest |parameter| after it.
    pub(super) fn update(&mut self, mut gradient: Params, options: &UpDown, phases: &Phases, at: At) -> f32 {
        options.decay.clone().apply(&mut gradient, &self.model.blocks(), phases);
        self.optimizer.update(&mut self.model, &gradient, at.rate, at.place);
        self.model.refresh()
    }
}

/// Holds the learning rate of an update, and its place in the training: step, steps in all, epoch.
#[derive(Clone, Copy)]
pub(super) struct At {
    pub(super) rate: f32,
    pub(super) place: (u64, u64, u32),
}

/// Refuses tensors of other names or shapes.
fn same_shape(field: &str, expected: &Params, got: &Params) -> Result<(), Error> {
    let outline =
        |p: &Params| p.tensors().iter().map(|t| format!("{} {:?}", t.name, t.shape)).collect::<Vec<_>>();
    let (expected, got) = (outline(expected), outline(got));
    if expected == got {
        return Ok(());
    }
    Err(Error::shape(field, expected.join(", "), got.join(", ")))
}
