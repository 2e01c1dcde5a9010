//! Shows each update of a tuning to whoever watches.

use super::{Network, Tuner, TuningSnapshot};

/// Is what an observer gets to see after an update.
#[derive(Clone, Copy)]
pub struct Progress<'a> {
    /// The network after the update.
    pub network: &'a Network,
    /// The tuning: step, epoch, rate, best epoch.
    pub tuner: &'a Tuner,
    /// The mean loss of the batch before the update, as it was disturbed.
    pub loss: f64,
    /// Rows of the batch.
    pub rows: usize,
    /// Whether this update ended an epoch.
    pub ends_epoch: bool,
    /// What the validation rows scored at the end of an epoch, greater being better: minus the loss, or minus the share of
    /// errors.
    pub score: Option<f64>,
    /// What the guard did just before, if anything.
    pub notice: Option<&'a str>,
}

impl Progress<'_> {
    /// Copies all that the tuning needs to go on from here, bit for bit.
    pub fn snapshot(&self) -> TuningSnapshot {
        self.tuner.snapshot(self.network)
    }
}
