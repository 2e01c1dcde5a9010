//! Shows the training of a stack to whoever watches it.

use std::fmt;

use harmonium_rbm::Rbm;

use super::Stacking;

/// Names what a stack is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The greedy training of a machine, counted from 1.
    Layer(usize),
    /// The fine-tuning of all.
    UpDown,
    /// Nothing more.
    Done,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Layer(layer) => write!(f, "layer {layer}"),
            Self::UpDown => f.write_str("up-down"),
            Self::Done => f.write_str("done"),
        }
    }
}

/// Is what an observer gets to see after an update.
pub struct Progress<'a> {
    /// What the stack is at.
    pub phase: Phase,
    /// Updates done in this phase.
    pub step: u64,
    /// Updates of the whole phase.
    pub total: u64,
    /// Finished epochs of this phase.
    pub epoch: u32,
    /// Whether this update ended one.
    pub ends_epoch: bool,
    /// Rows of the batch.
    pub rows: usize,
    /// The learning rate of the next update.
    pub rate: f32,
    /// What the guard did just before, if anything.
    pub notice: Option<&'a str>,
    /// The machine in training; in up-down that at the top.
    pub machine: &'a Rbm,
    pub(super) state: &'a dyn Fn() -> Stacking,
}

impl Progress<'_> {
    /// Copies all that the training needs to go on, bit for bit, from the last state that the guard took for good; at the end of
    /// an epoch that is the present one.
    pub fn stacking(&self) -> Stacking {
        (self.state)()
    }
}
