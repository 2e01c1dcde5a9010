//! Holds what a run came to, and the samples that it is shown with.

use harmonium::doctor::Remark;
use harmonium::rbm::Rbm;
use harmonium::train::Summary;
use harmonium::{Batch, Error, HasParams, Key, Marginal};
use serde::{Deserialize, Serialize};

use crate::args::Output;
use crate::console;
use crate::folder::{read_text, write_text};
use crate::gaps;
use crate::likelihood::Figures;
use crate::profile::Profile;
use crate::run::Run;
use crate::stop::Stopped;

/// Samples of the report, and sweeps of their chains.
pub(crate) const SAMPLES: usize = 1000;
pub(crate) const SAMPLE_SWEEPS: u64 = 1000;

/// Holds what a finished run came to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) run: String,
    pub(crate) epochs: u32,
    pub(crate) steps: u64,
    pub(crate) digest: String,
    /// The rows that the figures are of: test, validation or training.
    pub(crate) evaluated_on: Option<String>,
    pub(crate) figures: Option<Figures>,
    pub(crate) sample_free_energy_gap: Option<Gap>,
    pub(crate) notices: Vec<String>,
    /// What the guard did.
    #[serde(default)]
    pub(crate) guard: Guarded,
    /// How the run ended, if epochs were judged.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) stopped: Option<Stopped>,
    /// How its chains move; not measured where the run was not finished.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) chains: Option<Chains>,
    /// What the checks of the finished machine found; none were made where the run was not finished.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) remarks: Option<Vec<Remark>>,
    /// Seconds of training, and of all.
    pub(crate) seconds: [f64; 2],
    /// Where the time of the training went, if somebody asked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) profile: Option<Profile>,
}

/// Counts what the guard did.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Guarded {
    /// How often it put the last good state back.
    pub(crate) rollbacks: u32,
    /// The lowest share of its rate that the training went on with.
    pub(crate) lowest_rate: f32,
}

impl Default for Guarded {
    fn default() -> Self {
        Self { rollbacks: 0, lowest_rate: 1.0 }
    }
}

impl From<&Summary> for Guarded {
    fn from(summary: &Summary) -> Self {
        Self { rollbacks: summary.rollbacks, lowest_rate: summary.lowest_rate }
    }
}

/// Says how chains of the finished machine move.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Chains {
    /// Independent states that a chain is worth.
    pub(crate) effective: f64,
    /// Sweeps that it took.
    pub(crate) sweeps: u64,
    /// Share of accepted swaps of each pair of temperatures, or of earlier models, where chains of the training swapped places.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub(crate) swap_rates: Vec<Option<f64>>,
}

/// Is mean F of samples minus mean F of the evaluated rows, in nats: near 0 where chains reach the model and the model
/// resembles the data.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Gap {
    pub(crate) mean: f64,
    /// Three standard errors of the difference of the two means.
    pub(crate) three_sigma: f64,
}

impl Outcome {
    /// Saves the outcome in the run's folder.
    ///
    /// # Errors
    /// Says which operation failed.
    pub(crate) fn write(&self, run: &Run) -> Result<(), Error> {
        let text = serde_json::to_string_pretty(self);
        let text = text.map_err(|e| Error::format("result", "", "values that JSON can hold", e))?;
        write_text(&run.folder.result(), &text)
    }

    /// Reads the outcome of a run, if it has one.
    ///
    /// # Errors
    /// Says what is wrong with the file.
    pub(crate) fn read(run: &Run) -> Result<Option<Self>, Error> {
        let path = run.folder.result();
        if !path.exists() {
            return Ok(None);
        }
        let outcome = serde_json::from_str(&read_text(&path)?);
        outcome.map(Some).map_err(|e| Error::format(path.display(), "", "the result of a run", e))
    }

    /// Stands for the result of a run that was not finished.
    pub(crate) fn unfinished(run: &Run, rbm: &Rbm, steps: u64) -> Self {
        Self {
            run: run.folder.path().display().to_string(),
            epochs: run.recipe.fit.epochs,
            steps,
            digest: rbm.digest(),
            evaluated_on: None,
            figures: None,
            sample_free_energy_gap: None,
            notices: vec![format!("The run stopped at step {steps}, before its last epoch.")],
            guard: Guarded::default(),
            stopped: None,
            chains: None,
            remarks: None,
            seconds: [0.0; 2],
            profile: None,
        }
    }
}

impl Gap {
    /// Compares the free energies of samples and rows.
    ///
    /// # Errors
    /// Refuses rows of another width.
    pub(crate) fn of(rbm: &Rbm, samples: &Batch, rows: &Batch) -> Result<Self, Error> {
        let moments = |rows: &Batch| -> Result<(f64, f64), Error> {
            let f = rbm.free_energy(rows)?;
            Ok((f.mean().unwrap_or(f64::NAN), f.var(0.0) / f.len() as f64))
        };
        let ((a, u), (b, v)) = (moments(samples)?, moments(rows)?);
        Ok(Self { mean: a - b, three_sigma: 3.0 * (u + v).sqrt() })
    }
}

/// Draws the samples of the report from fresh chains; they are rows of the kind of others.
pub(crate) fn sample(rbm: &Rbm, like: &Batch, seed: u64, output: Output) -> Batch {
    let key = Key::from_seed(seed);
    let bar = console::bar(output, SAMPLE_SWEEPS, "sampling");
    let samples = rbm.sample(SAMPLES, SAMPLE_SWEEPS, key, &mut |done| {
        bar.set_position(done);
    });
    bar.finish_and_clear();
    gaps::alike(like, samples)
}
