//! Writes the report of a run from its files.

use harmonium::doctor::Remark;
use harmonium::rbm::Rbm;
use harmonium::{Batch, Error, check_backend};

use super::plates;
use crate::folder::{Folder, open_model, write_text};
use crate::likelihood::Figures;
use crate::metrics::{Metric, Metrics};
use crate::outcome::{Chains, Guarded, Outcome, sample};
use crate::report::{Ailment, Curve, Diagnosis, Figure, Report, Series, render};
use crate::run::Run;
use crate::{args, checkup, console};

/// Carries out `report`.
///
/// # Errors
/// Says which file of the run can't be read.
pub(crate) fn run(args: &args::Report) -> Result<(), Error> {
    console::threads(args.output)?;
    if crate::stacks::finish::again(&args.run, args.output)? {
        return Ok(());
    }
    let folder = Folder::at(&args.run);
    let recipe = folder.read_recipe()?;
    let run = Run::load(folder, recipe)?;
    let (rbm, header) = open_model(run.folder.path())?;
    let metrics = Metrics::read(run.folder.metrics(), u64::MAX)?;
    let outcome = Outcome::read(&run)?.filter(|outcome| outcome.steps == header.step);
    let outcome = outcome.unwrap_or_else(|| Outcome::unfinished(&run, &rbm, header.step));
    let samples = sample(&rbm, run.train.shown(), run.recipe.seed, args.output);
    write(&run, &rbm, &metrics, &outcome, &samples)?;
    console::line(format!("report {}", run.folder.report().display()))
}

/// Writes the report.
///
/// # Errors
/// Says what could not be computed or written.
pub(crate) fn write(
    run: &Run,
    rbm: &Rbm,
    metrics: &Metrics,
    outcome: &Outcome,
    samples: &Batch,
) -> Result<(), Error> {
    let recipe = run.recipe.to_json()?;
    let shown = plates::Shown { run, rbm, samples };
    let report = Report {
        title: format!("RBM {} × {} on {}", rbm.visible_units(), rbm.hidden_units(), run.recipe.name()),
        summary: summary(outcome),
        notices: outcome.notices.clone(),
        diagnosis: Some(diagnosis(outcome.remarks.as_deref(), metrics.lines())),
        curves: curves(metrics.lines()),
        units: Some(shown.units()?),
        recipe: flat(&recipe),
        command: command(run),
        environment: environment()?,
        ..shown.rows()?
    };
    write_text(&run.folder.report(), &render(&report))
}

fn summary(outcome: &Outcome) -> Vec<Figure> {
    let mut figures = Vec::new();
    if let (Some(name), Some(found)) = (&outcome.evaluated_on, &outcome.figures) {
        figures.push(likelihood(name, found));
        if let Some(pseudo) = found.pseudo_log_likelihood {
            let pseudo = format!("{pseudo:.2} nats a row");
            let how = "no likelihood: each pixel from all others";
            figures.push(Figure::exact("pseudo log-likelihood", &pseudo, how));
        }
    }
    if let Some(gap) = outcome.sample_free_energy_gap {
        let how = "mean F of samples minus mean F of the rows; 3σ of both means";
        let interval = [gap.mean - gap.three_sigma, gap.mean + gap.three_sigma];
        figures.push(Figure::estimate("free energy of samples", gap.mean, interval, "nats", how));
    }
    figures.extend(outcome.chains.as_ref().map(chains));
    let epochs = outcome.stopped.as_ref().map_or(outcome.epochs, |stopped| stopped.best_epoch);
    figures.push(Figure::exact("updates", &outcome.steps.to_string(), &format!("{epochs} epochs")));
    let Guarded { rollbacks, lowest_rate } = outcome.guard;
    let lowered =
        format!("how often the guard put a good state back; lowest rate {lowest_rate} of that asked for");
    figures.push(Figure::exact("rollbacks", &rollbacks.to_string(), &lowered));
    let [training, all] = outcome.seconds;
    figures.push(Figure::exact(
        "seconds",
        &format!("{training:.1}"),
        &format!("{all:.1} with the evaluation"),
    ));
    figures.push(Figure::exact("digest", outcome.digest.get(..12).unwrap_or_default(), &outcome.digest));
    figures
}

/// Says how the chains of the finished machine move, and how often those of the training swapped places.
fn chains(chains: &Chains) -> Figure {
    let Chains { effective, sweeps, swap_rates } = chains;
    let rates = swap_rates.iter().map(|rate| rate.map_or("none".into(), |rate| format!("{rate:.2}")));
    let rates = rates.collect::<Vec<_>>().join(", ");
    let swaps =
        if rates.is_empty() { rates } else { format!("; shares of accepted swaps in the training: {rates}") };
    let detail =
        format!("independent states that {sweeps} sweeps of a chain are worth, by its free energy{swaps}");
    Figure::exact("effective sample size", &format!("{effective:.1}"), &detail)
}

/// Parts what was found in the finished machine from what an epoch had and the end has not.
fn diagnosis(last: Option<&[Remark]>, lines: &[Metric]) -> Diagnosis {
    let stays = |remark: &Remark| last.unwrap_or_default().iter().any(|r| r.finding == remark.finding);
    let each = lines.iter().flat_map(|line| line.remarks.iter().map(|remark| (line.epoch, remark)));
    let passed = each.filter(|(_, remark)| !stays(remark)).map(|(epoch, remark)| (epoch, ailment(remark)));
    Diagnosis { last: last.map(|last| last.iter().map(ailment).collect()), passed: passed.collect() }
}

fn ailment(remark: &Remark) -> Ailment {
    Ailment {
        severity: remark.severity.to_string(),
        found: remark.found.clone(),
        advice: remark.advice.clone(),
        options: checkup::options(remark),
        figures: remark.figures.iter().map(|figure| (figure.name.clone(), figure.value)).collect(),
        units: remark.units.clone(),
    }
}

fn likelihood(name: &str, found: &Figures) -> Figure {
    let label = format!("log-likelihood, {} {name} rows", found.rows);
    match (found.log_likelihood, found.log_likelihood_interval) {
        (Some(mean), Some([low, high])) if found.method == "ais" => {
            let interval = [low.unwrap_or(f64::NEG_INFINITY), high.unwrap_or(f64::INFINITY)];
            let how = format!("3σ of the mean weight, {}", found.how());
            Figure::estimate(&label, mean, interval, "nats", &how)
        }
        (Some(mean), _) => Figure::exact(&label, &format!("{mean:.4} nats"), "exact, by enumeration"),
        (None, _) => Figure::exact(&label, "not measured", ""),
    }
}

fn curves(lines: &[Metric]) -> Vec<Curve> {
    let x: Vec<f64> = lines.iter().map(|line| f64::from(line.epoch)).collect();
    let curve = |name: &str, unit: &str, note: &str, of: &dyn Fn(&Metric) -> f64| Curve {
        name: name.into(),
        unit: unit.into(),
        x_label: "epoch".into(),
        x: x.clone(),
        series: vec![Series::new(name, lines.iter().map(of).collect())],
        note: note.into(),
    };
    let none = f64::NAN;
    let pseudo = curve(
        "Pseudo log-likelihood",
        "nats a row",
        "Mean over some training rows; it is no likelihood, but it rises with it.",
        &|m| m.pseudo_log_likelihood.unwrap_or(none),
    );
    let back = curve(
        "Reconstruction log-likelihood",
        "nats a row",
        "Mean of ln p(v | h) over some training rows, h being drawn given them; it is no likelihood.",
        &|m| m.reconstruction_log_likelihood.unwrap_or(none),
    );
    let bits = lines.iter().all(|line| line.reconstruction_log_likelihood.is_none());
    let error = if bits { "wrong bits a row" } else { "deviations of the columns" };
    let known = |curve: &Curve| curve.series[0].values.iter().any(|value| value.is_finite());
    let mut out: Vec<Curve> = [pseudo, back].into_iter().filter(known).collect();
    let first = out.len();
    out.extend([
        curve(
            "Reconstruction error",
            error,
            "One pass up and down; it says how well rows are copied, not how likely they are.",
            &|m| m.reconstruction_error,
        ),
        curve("Learning rate", "", "", &|m| m.learning_rate),
        curve("Throughput", "samples a second", "", &|m| m.samples_per_second),
    ]);
    if lines.iter().any(|line| line.free_energy_gap.is_some()) {
        let note =
            "Mean F of validation rows minus mean F of training rows: it grows when the model overfits.";
        out.insert(
            first,
            curve("Free-energy gap", "nats a row", note, &|m| m.free_energy_gap.unwrap_or(f64::NAN)),
        );
    }
    out
}

/// Lists the leaves of the recipe with their paths.
fn flat(recipe: &str) -> Vec<(String, String)> {
    let mut out = Vec::new();
    if let Ok(value) = serde_json::from_str(recipe) {
        leaves("", &value, &mut out);
    }
    out
}

pub(crate) fn leaves(path: &str, value: &serde_json::Value, out: &mut Vec<(String, String)>) {
    match value {
        serde_json::Value::Object(fields) => {
            for (name, value) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                leaves(&path, value, out);
            }
        }
        serde_json::Value::String(text) => out.push((path.to_owned(), text.clone())),
        other => out.push((path.to_owned(), other.to_string())),
    }
}

fn command(run: &Run) -> String {
    run.recipe.command(&run.folder.schema())
}

pub(crate) fn environment() -> Result<Vec<(String, String)>, Error> {
    let pair = |name: &str, value: String| (name.to_owned(), value);
    Ok(vec![
        pair("harmonium", env!("CARGO_PKG_VERSION").to_owned()),
        pair("back end", check_backend()?.to_string()),
        pair("threads", rayon::current_num_threads().to_string()),
        pair("system", format!("{} {}", std::env::consts::OS, std::env::consts::ARCH)),
    ])
}
