//! Tells where the time of a training's steps went, and how near the machine's peak they came.

use harmonium::Backend;
use harmonium::profile::{Recording, Stage, peak, record};
use serde::{Deserialize, Serialize};

/// Counts what a training did.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Done {
    pub(crate) steps: u64,
    /// Rows of all batches.
    pub(crate) samples: u64,
}

/// Holds where the time of a training went; rates are in 10⁹ operations of a dense product a second.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Profile {
    pub(crate) backend: String,
    pub(crate) threads: usize,
    pub(crate) steps: u64,
    pub(crate) microseconds_per_step: f64,
    pub(crate) samples_per_second: f64,
    /// The peak of table look-ups on this machine, measured after the training.
    pub(crate) peak_gflops: f64,
    /// What steps consist of; the last is what is left of them.
    pub(crate) stages: Vec<Part>,
}

/// Is one stage of the steps.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) stage: String,
    pub(crate) calls: u64,
    pub(crate) microseconds_per_step: f64,
    /// Part of the steps' time, 0 to 1.
    pub(crate) share: f64,
    /// The rate, and what part of the peak that is; nothing where there are no products.
    pub(crate) gflops: Option<f64>,
    pub(crate) share_of_peak: Option<f64>,
}

/// Does some work, and records it if that is wanted.
pub(crate) fn recorded<R>(wanted: bool, work: impl FnOnce() -> R) -> (R, Option<Recording>) {
    if wanted {
        let (out, recording) = record(work);
        return (out, Some(recording));
    }
    (work(), None)
}

impl Profile {
    /// Measures the machine's peak and compares a training with it.
    pub(crate) fn new(recording: &Recording, done: Done) -> Self {
        let peak = peak();
        // A run that was finished before has no step left.
        let (steps, seconds) = (done.steps.max(1) as f64, recording.time.as_secs_f64().max(1e-9));
        let part = |stage: &Stage| {
            let time = stage.time.as_secs_f64();
            let rate = (stage.operations > 0).then(|| stage.operations as f64 / time.max(1e-9));
            Part {
                stage: stage.name.to_owned(),
                calls: stage.calls,
                microseconds_per_step: time * 1e6 / steps,
                share: time / seconds,
                gflops: rate.map(|rate| rate * 1e-9),
                share_of_peak: rate.map(|rate| rate / peak),
            }
        };
        Self {
            backend: Backend::current().to_string(),
            threads: rayon::current_num_threads(),
            steps: done.steps,
            microseconds_per_step: seconds * 1e6 / steps,
            samples_per_second: done.samples as f64 / seconds,
            peak_gflops: peak * 1e-9,
            stages: recording.stages.iter().chain([&rest(recording, done)]).map(part).collect(),
        }
    }

    /// Writes the table that a person reads, line by line.
    pub(crate) fn lines(&self) -> Vec<String> {
        let head = format!("{:<24} {:>9} {:>10} {:>8}", "stage", "calls", "µs a step", "share");
        let mut lines = vec![format!("{head} {:>9} {:>8}", "GFLOP/s", "of peak")];
        lines.extend(self.stages.iter().map(Part::line));
        lines.push(format!(
            "{:<24} {:>9} {:>10.1} {:>8}   {:.0} samples/s",
            "step",
            self.steps,
            self.microseconds_per_step,
            percent(1.0),
            self.samples_per_second
        ));
        lines.push(format!(
            "peak of table look-ups on this machine, measured now: {:.0} GFLOP/s ({}, threads: {}); a GFLOP is 10⁹ \
             operations of a dense product",
            self.peak_gflops, self.backend, self.threads
        ));
        lines
    }
}

impl Part {
    fn line(&self) -> String {
        let Self { stage, calls, microseconds_per_step, share, .. } = self;
        let line = format!("{stage:<24} {calls:>9} {microseconds_per_step:>10.1} {:>8}", percent(*share));
        match (self.gflops, self.share_of_peak) {
            (Some(gflops), Some(of_peak)) => format!("{line} {gflops:>9.1} {:>8}", percent(of_peak)),
            _ => line,
        }
    }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// Gives what the stages leave of the time.
fn rest(recording: &Recording, done: Done) -> Stage {
    let time = recording.time.saturating_sub(recording.stages.iter().map(|stage| stage.time).sum());
    Stage { name: "other", calls: done.steps, time, operations: 0 }
}
