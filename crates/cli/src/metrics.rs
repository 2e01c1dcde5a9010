//! Keeps one line of figures an epoch.

use std::path::{Path, PathBuf};

use harmonium::Error;
use harmonium::doctor::Remark;
use serde::{Deserialize, Serialize};

use crate::folder::{read_text, write_text};

/// Holds what one epoch gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Metric {
    /// Finished epochs.
    pub(crate) epoch: u32,
    /// Updates done.
    pub(crate) step: u64,
    pub(crate) learning_rate: f64,
    pub(crate) samples_per_second: f64,
    /// Mean over some training rows, in nats; no likelihood. None where visible units have not two states.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) pseudo_log_likelihood: Option<f64>,
    /// Mean of ln p(v given h) over the same rows, h being drawn given v, in nats; for other visible units than bits.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) reconstruction_log_likelihood: Option<f64>,
    /// Wrong bits a row after one pass up and down, means over the same rows; for other units the root mean square, each column
    /// in its own standard deviation.
    pub(crate) reconstruction_error: f64,
    /// Mean F of validation rows minus mean F of as many training rows, in nats.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) free_energy_gap: Option<f64>,
    /// What `--stop` judged the epoch by, greater being better; none where it was not a number.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) score: Option<f64>,
    /// What the checks found for the first time.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub(crate) remarks: Vec<Remark>,
    /// What the guard did in this epoch.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub(crate) notices: Vec<String>,
}

/// Holds all lines of a run and where they are kept.
#[derive(Debug)]
pub(crate) struct Metrics {
    path: PathBuf,
    lines: Vec<Metric>,
}

impl Metrics {
    /// Starts without lines.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, lines: Vec::new() }
    }

    /// Reads the lines up to a step; later ones belong to a future that a crash undid.
    ///
    /// # Errors
    /// Says which line can't be read.
    pub(crate) fn read(path: PathBuf, step: u64) -> Result<Self, Error> {
        let text = if path.exists() { read_text(&path)? } else { String::new() };
        let lines = text.lines().enumerate().map(|(number, line)| parse(&path, number, line));
        let mut lines = lines.collect::<Result<Vec<Metric>, Error>>()?;
        lines.retain(|metric| metric.step <= step);
        Ok(Self { path, lines })
    }

    /// Adds a line and saves all.
    ///
    /// # Errors
    /// Says which operation failed.
    pub(crate) fn push(&mut self, metric: Metric) -> Result<(), Error> {
        self.lines.push(metric);
        let text: Result<Vec<String>, _> = self.lines.iter().map(serde_json::to_string).collect();
        let text = text.map_err(|e| Error::format("metrics", "", "values that JSON can hold", e))?;
        write_text(&self.path, &(text.join("\n") + "\n"))
    }

    /// Gives the lines.
    pub(crate) fn lines(&self) -> &[Metric] {
        &self.lines
    }
}

fn parse(path: &Path, number: usize, line: &str) -> Result<Metric, Error> {
    let place = format!("line {}", number + 1);
    serde_json::from_str(line).map_err(|e| Error::format(path.display(), place, "the figures of an epoch", e))
}
