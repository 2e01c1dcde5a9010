//! Finishes a run: model, evaluation, result, report.

use std::borrow::Cow;

use harmonium::evaluate::{Ais, Annealing, Betas};
use harmonium::rbm::{Origin, Rbm};
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
use crate::picture::spread;
use crate::run::Run;
use crate::stop::Stopped;
use crate::watch::Watched;
use crate::{checkup, console, gaps};

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
    let (name, all) = run.judged();
    let rows = gaps::whole(all);
    let figures = match &rows {
        Some(rows) if run.recipe.betas != 0 => Some(evaluate(run, rbm, rows, output)?),
        _ => None,
    };
    let samples = sample(rbm, all, run.recipe.seed, output);
    let gap = rows.as_ref().map(|rows| Gap::of(rbm, &samples, rows)).transpose()?;
    let held_out = watched.probe.free_energy_gap(rbm)?;
    let (checkup, lines) = (&watched.checks.checkup, watched.metrics.lines());
    let (mut remarks, chains) = checkup.finish(rbm, held_out.as_ref(), lines)?;
    remarks.extend(checkup::annealing(figures.as_ref()));
    let outcome = Outcome {
        run: run.folder.path().display().to_string(),
        epochs: run.recipe.fit.epochs,
        steps: summary.steps,
        digest: rbm.digest(),
        evaluated_on: figures.is_some().then(|| name.to_owned()),
        figures,
        sample_free_energy_gap: gap,
        notices: notices(run, &watched.metrics, summary),
        guard: summary.into(),
        stopped,
        chains: Some(chains),
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
    out.extend(missing(run));
    out
}

/// Says what missing values mean for the figures.
fn missing(run: &Run) -> Option<String> {
    let (name, rows) = run.judged();
    let whole = gaps::whole(rows).map_or(0, |whole| whole.rows());
    let all = rows.rows();
    (whole < all).then(|| match whole {
        0 => format!(
            "values are missing in each of the {all} {name} rows, so their likelihood is not measured"
        ),
        _ => {
            format!("likelihoods are those of the {whole} of {all} {name} rows in which no value is missing")
        }
    })
}

fn evaluate(run: &Run, rbm: &Rbm, rows: &Batch, output: Output) -> Result<Figures, Error> {
    let method = likelihood::default_method(rbm);
    let ais = Ais { runs: RUNS, betas: Betas::Count(run.recipe.betas) };
    let starts = starts(run, rbm);
    let annealing = Annealing { ais, starts: Some(&starts), sweeps: REVERSE_SWEEPS, ..Annealing::default() };
    let key = Key::from_seed(run.recipe.seed);
    let figures = likelihood::measure(rbm, rows, method, &annealing, key, output)?;
    if method == Method::Ais && figures.certain().is_err() {
        console::note(output, "the interval is too wide to compare models: evaluate with more runs or betas");
    }
    Ok(figures)
}

/// Gives the rows that backward runs start at: without gaps all of them, else some, with draws in their gaps.
fn starts<'a>(run: &'a Run, rbm: &Rbm) -> Cow<'a, Batch> {
    let shown = run.train.shown();
    if shown.missing().is_none() {
        return Cow::Borrowed(shown);
    }
    let some = shown.gather(spread(shown.rows(), 10 * RUNS));
    Cow::Owned(gaps::filled(rbm, &some, run.recipe.seed).into_owned())
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
