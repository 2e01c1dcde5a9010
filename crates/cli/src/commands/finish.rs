//! Finishes a run: model, evaluation, result, report.

use harmonium::evaluate::{Ais, Betas};
use harmonium::rbm::{Annealing, Origin, Rbm};
use harmonium::train::Summary;
use harmonium::{Batch, Error, HasParams, Key};
use serde::Serialize;

use super::report;
use crate::args::{Method, Output};
use crate::clock::Clock;
use crate::folder::VFS;
use crate::likelihood::{self, Figures};
use crate::metrics::Metrics;
use crate::outcome::{Gap, Outcome, SAMPLES, sample};
use crate::run::Run;
use crate::stop::Stopped;
use crate::watch::Watched;
use crate::{checkup, console};

/// Runs of the final annealing, and sweeps of its backward chains.
const RUNS: usize = 100;
const REVERSE_SWEEPS: u64 = 1000;
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
    (watched, summary): (&Watched, &Summary),
    stopped: Option<Stopped>,
    seconds: f64,
    output: Output,
) -> Result<(), Error> {
    let clock = Clock::start();
    let origin = Origin { seed: run.recipe.seed, step: summary.steps, recipe: run.recipe.to_json()? };
    rbm.save(&VFS, &run.folder.model(), &origin)?;
    let (name, rows) = run.judged();
    let figures = if run.recipe.betas == 0 { None } else { Some(evaluate(run, rbm, rows, output)?) };
    let samples = sample(rbm, run.recipe.seed, output)?;
    let gap = Gap::of(rbm, &samples, rows)?;
    let held_out = watched.probe.free_energy_gap(rbm)?;
    let (checkup, lines) = (&watched.checks.checkup, watched.metrics.lines());
    let remarks = checkup.finish(rbm, held_out.as_ref(), lines, run.recipe.seed)?;
    let outcome = Outcome {
        run: run.folder.path().display().to_string(),
        epochs: run.recipe.fit.epochs,
        steps: summary.steps,
        digest: rbm.digest(),
        evaluated_on: figures.is_some().then(|| name.to_owned()),
        figures,
        sample_free_energy_gap: Some(gap),
        notices: notices(run, &watched.metrics, summary),
        guard: summary.into(),
        stopped,
        remarks: Some(remarks),
        seconds: [seconds, seconds + clock.seconds()],
        profile: watched.profile.clone(),
    };
    outcome.write(run)?;
    report::write(run, rbm, &watched.metrics, &outcome, &samples)?;
    tell(run, &outcome, output)
}

/// Gathers what the guard did in all epochs, also before an interruption, and what else a user should know.
fn notices(run: &Run, metrics: &Metrics, summary: &Summary) -> Vec<String> {
    let mut out: Vec<String> = metrics.lines().iter().flat_map(|line| line.notices.clone()).collect();
    out.extend(summary.notices.iter().filter(|notice| !out.contains(notice)).cloned().collect::<Vec<_>>());
    out.extend(run.train.notice());
    out
}

fn evaluate(run: &Run, rbm: &Rbm, rows: &Batch, output: Output) -> Result<Figures, Error> {
    let method = likelihood::default_method(rbm);
    let ais = Ais { runs: RUNS, betas: Betas::Count(run.recipe.betas) };
    let annealing = Annealing { ais, base: None, starts: Some(run.train.shown()), sweeps: REVERSE_SWEEPS };
    let key = Key::from_seed(run.recipe.seed);
    let figures = likelihood::measure(rbm, rows, method, &annealing, key, output)?;
    if method == Method::Ais && figures.certain().is_err() {
        console::note(output, "the interval is too wide to compare models: evaluate with more runs or betas");
    }
    Ok(figures)
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
    for remark in outcome.remarks.iter().flatten() {
        console::line(checkup::line(remark))?;
    }
    console::line(format!("digest {}", outcome.digest))?;
    console::line(format!("report {}", run.folder.report().display()))
}
