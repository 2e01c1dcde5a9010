//! Finishes a run: model, evaluation, result, report.

use harmonium::evaluate::{Ais, Betas};
use harmonium::rbm::{Annealing, Origin, Rbm};
use harmonium::train::Summary;
use harmonium::{Batch, Error, HasParams, Key, Marginal};
use serde::{Deserialize, Serialize};

use super::report;
use super::train::Run;
use crate::args::{Method, Output};
use crate::clock::Clock;
use crate::console;
use crate::folder::{VFS, write_text};
use crate::likelihood::{self, Figures};
use crate::metrics::Metrics;

/// Runs of the final annealing, and sweeps of its backward chains.
const RUNS: usize = 100;
const REVERSE_SWEEPS: u64 = 1000;
/// Samples of the report, and sweeps of their chains.
const SAMPLES: usize = 1000;
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
    /// Seconds of training, and of all.
    pub(crate) seconds: [f64; 2],
}

/// Is mean F of samples minus mean F of the evaluated rows, in nats: near 0 where chains reach the model and the model
/// resembles the data.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Gap {
    pub(crate) mean: f64,
    /// Three standard errors of the difference of the two means.
    pub(crate) three_sigma: f64,
}

/// Is the last line of `train --json`.
#[derive(Serialize)]
struct LastLine<'a> {
    result: &'a Outcome,
}

/// Finishes a run whose training is done.
///
/// # Errors
/// Says which file could not be written.
pub(crate) fn run(
    run: &Run,
    rbm: &Rbm,
    metrics: &Metrics,
    summary: &Summary,
    seconds: f64,
    output: Output,
) -> Result<(), Error> {
    let clock = Clock::start();
    let origin = Origin { seed: run.recipe.seed, step: summary.steps, recipe: run.recipe.to_json()? };
    rbm.save(&VFS, &run.folder.model(), &origin)?;
    let (name, rows) = judged(run);
    let figures = if run.recipe.betas == 0 { None } else { Some(evaluate(run, rbm, rows, output)?) };
    let samples = sample(rbm, run.recipe.seed, output)?;
    let gap = gap(rbm, &samples, rows)?;
    let outcome = Outcome {
        run: run.folder.path().display().to_string(),
        epochs: run.recipe.fit.epochs,
        steps: summary.steps,
        digest: rbm.digest(),
        evaluated_on: figures.is_some().then(|| name.to_owned()),
        figures,
        sample_free_energy_gap: Some(gap),
        notices: notices(metrics, summary),
        seconds: [seconds, seconds + clock.seconds()],
    };
    write_outcome(run, &outcome)?;
    report::write(run, rbm, metrics, &outcome, &samples)?;
    tell(run, &outcome, output)
}

fn gap(rbm: &Rbm, samples: &Batch, rows: &Batch) -> Result<Gap, Error> {
    let moments = |rows: &Batch| -> Result<(f64, f64), Error> {
        let f = rbm.free_energy(rows)?;
        Ok((f.mean().unwrap_or(f64::NAN), f.var(0.0) / f.len() as f64))
    };
    let ((a, u), (b, v)) = (moments(samples)?, moments(rows)?);
    Ok(Gap { mean: a - b, three_sigma: 3.0 * (u + v).sqrt() })
}

/// Gathers what the guard did in all epochs, also before an interruption, and what else a user should know.
fn notices(metrics: &Metrics, summary: &Summary) -> Vec<String> {
    let mut out: Vec<String> = metrics.lines().iter().flat_map(|line| line.notices.clone()).collect();
    out.extend(summary.notices.iter().filter(|notice| !out.contains(notice)).cloned().collect::<Vec<_>>());
    out
}

/// Chooses the rows that a run is judged on: the best that it did not train on.
pub(crate) fn judged(run: &Run) -> (&'static str, &Batch) {
    match (&run.test, &run.validation) {
        // Test rows are for a recipe that is settled: while rows are kept for validation, those decide.
        (_, Some(rows)) => ("validation", rows),
        (Some(rows), None) => ("test", rows),
        (None, None) => ("training", &run.train),
    }
}

fn evaluate(run: &Run, rbm: &Rbm, rows: &Batch, output: Output) -> Result<Figures, Error> {
    let method = likelihood::default_method(rbm);
    let ais = Ais { runs: RUNS, betas: Betas::Count(run.recipe.betas) };
    let annealing = Annealing { ais, base: None, starts: Some(&run.train), sweeps: REVERSE_SWEEPS };
    let key = Key::from_seed(run.recipe.seed);
    let figures = likelihood::measure(rbm, rows, method, &annealing, key, output)?;
    if method == Method::Ais && figures.certain().is_err() {
        console::note(output, "the interval is too wide to compare models: evaluate with more runs or betas");
    }
    Ok(figures)
}

/// Draws the samples of the report from fresh chains.
pub(crate) fn sample(rbm: &Rbm, seed: u64, output: Output) -> Result<Batch, Error> {
    let key = Key::from_seed(seed);
    let bar = console::bar(output, SAMPLE_SWEEPS, "sampling");
    let samples = rbm.sample(SAMPLES, SAMPLE_SWEEPS, key, &mut |done| {
        bar.set_position(done);
    });
    bar.finish_and_clear();
    Batch::from_bits(samples)
}

fn write_outcome(run: &Run, outcome: &Outcome) -> Result<(), Error> {
    let text = serde_json::to_string_pretty(outcome);
    let text = text.map_err(|e| Error::format("result", "", "values that JSON can hold", e))?;
    write_text(&run.folder.result(), &text)
}

fn tell(run: &Run, outcome: &Outcome, output: Output) -> Result<(), Error> {
    if output.json {
        return console::json(&LastLine { result: outcome });
    }
    if let (Some(name), Some(figures)) = (&outcome.evaluated_on, &outcome.figures) {
        console::line(format!("{name} rows: {}", figures.sentence()))?;
    }
    if let Some(gap) = outcome.sample_free_energy_gap {
        let Gap { mean, three_sigma } = gap;
        console::line(format!(
            "free energy of {SAMPLES} samples: {mean:+.2} ± {three_sigma:.2} nats from that of the rows"
        ))?;
    }
    console::line(format!("digest {}", outcome.digest))?;
    console::line(format!("report {}", run.folder.report().display()))
}
