//! Trains a machine: from the start, or on from a checkpoint.

use std::path::Path;
use std::process::ExitCode;

use harmonium::data::{marginals, scaled};
use harmonium::persist::Checkpoints;
use harmonium::rbm::{Header, Origin, Rbm};
use harmonium::train::{Snapshot, Summary, Training};
use harmonium::units::Scaling;
use harmonium::{Error, ErrorKind, Key, Rows};

use super::finish;
use crate::args::{Output, Train};
use crate::checkup::Checkup;
use crate::clock::Clock;
use crate::folder::{Folder, VFS};
use crate::metrics::Metrics;
use crate::recipe::Recipe;
use crate::run::{Run, digest};
use crate::source::Parts;
use crate::stop::{Stopped, Stopper};
use crate::watch::{Checks, Probe, Watch, Watched};
use crate::{INTERRUPTED, console, interrupt, profile};

/// Carries out `train`.
///
/// # Errors
/// Says what stopped it.
pub(crate) fn run(args: &Train) -> Result<ExitCode, Error> {
    console::threads(args.output)?;
    interrupt::listen();
    if let Some(code) = crate::stacks::train::run(args)? {
        return Ok(code);
    }
    match (&args.resume, &args.data) {
        (Some(folder), _) => resume(folder, args),
        (None, Some(data)) => start(data, args),
        (None, None) => Err(Error::option("data", "mnist or a file", "nothing")),
    }
}

fn start(data: &str, args: &Train) -> Result<ExitCode, Error> {
    let mut recipe = Recipe::new(data, args)?;
    let Parts { train, validation, test } = recipe.load(data)?;
    recipe.data_digest = digest(&train)?;
    recipe.settle(&args.options, train.shown())?;
    if args.options.settled {
        recipe.settle_by_size(args, train.all())?;
    }
    let rbm = beginning(&recipe, train.all())?;
    recipe.estimator.get().check_model(&rbm)?;
    recipe.stop.map_or(Ok(()), |stop| stop.check_rows(&rbm, train.shown(), validation.as_ref()))?;
    let folder = Folder::create(args.out.as_deref(), &recipe.name())?;
    folder.write_recipe(&recipe)?;
    let metrics = Metrics::new(folder.metrics());
    let run = Run { folder, recipe, train, validation, test };
    go(&run, rbm, None, metrics, args)
}

fn resume(path: &Path, args: &Train) -> Result<ExitCode, Error> {
    let folder = Folder::at(path);
    let mut recipe = folder.read_recipe()?;
    prolong(&mut recipe, args.epochs)?;
    let run = Run::load(folder, recipe)?;
    let (rbm, snapshot) = newest(&run, args.output)?;
    run.folder.write_recipe(&run.recipe)?;
    let step = snapshot.as_ref().map_or(0, |snapshot| snapshot.step);
    let metrics = Metrics::read(run.folder.metrics(), step)?;
    go(&run, rbm, snapshot.as_ref(), metrics, args)
}

/// Gives the machine of the newest checkpoint that can be read; a new one for a run that has saved none yet.
fn newest(run: &Run, output: Output) -> Result<(Rbm, Option<Snapshot>), Error> {
    let checkpoints = Checkpoints::open(&VFS, &run.folder.checkpoints())?;
    let newest = match checkpoints.resume::<Header>() {
        Err(error) if is_absence(&error) => {
            console::note(output, "there is no checkpoint yet: the run begins anew");
            return Ok((beginning(&run.recipe, run.train.all())?, None));
        }
        other => other?,
    };
    newest.skipped.iter().for_each(|skipped| console::note(output, skipped));
    let (rbm, snapshot, header) = Rbm::from_checkpoint(newest.loaded)?;
    same_recipe(&run.recipe, &header)?;
    Ok((rbm, Some(snapshot)))
}

/// Refuses a recipe that was changed since the checkpoint, but for its number of epochs.
fn same_recipe(recipe: &Recipe, header: &Header) -> Result<(), Error> {
    let mut saved = Recipe::from_json(&header.recipe)?;
    saved.fit.epochs = recipe.fit.epochs;
    if saved == *recipe {
        return Ok(());
    }
    Err(Error::value("recipe.json", "", "the recipe of the checkpoint", "another one"))
}

fn is_absence(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound)
}

fn beginning(recipe: &Recipe, train: &dyn Rows) -> Result<Rbm, Error> {
    let key = Key::from_seed(recipe.seed);
    let Some(schema) = &recipe.schema else { return Rbm::for_data(train, recipe.hidden.clone(), key) };
    let visible = schema.units()?;
    match scaled(&visible, train)? {
        Some(scaling) => begin_scaled(&Rbm::new(visible, recipe.hidden.clone(), key)?, train, scaling),
        None => Rbm::fitted(visible, train, recipe.hidden.clone(), key),
    }
}

/// Gives a machine the scale and the marginals of its data.
fn begin_scaled(rbm: &Rbm, train: &dyn Rows, scaling: Scaling) -> Result<Rbm, Error> {
    let visible = marginals(&rbm.visible().units(), train, Some(&scaling))?;
    let mut rbm = Rbm::from_layers(rbm.weights(), visible.clone(), rbm.hidden().clone())?;
    rbm.set_scaling(Some(scaling))?;
    rbm.set_base(visible)?;
    Ok(rbm)
}

/// Allows more epochs where no schedule depends on their number.
fn prolong(recipe: &mut Recipe, epochs: Option<u32>) -> Result<(), Error> {
    let Some(epochs) = epochs.filter(|&epochs| epochs != recipe.fit.epochs) else { return Ok(()) };
    if epochs < recipe.fit.epochs {
        return Err(Error::option("epochs", format!("{} or more", recipe.fit.epochs), epochs));
    }
    if recipe.fit.depends_on_length() {
        let expected = format!("{}, as a schedule of this run depends on it", recipe.fit.epochs);
        return Err(Error::option("epochs", expected, epochs));
    }
    recipe.fit.epochs = epochs;
    Ok(())
}

/// Trains from where the machine stands, and finishes the run.
fn go(
    run: &Run,
    mut rbm: Rbm,
    from: Option<&Snapshot>,
    metrics: Metrics,
    args: &Train,
) -> Result<ExitCode, Error> {
    let (clock, output) = (Clock::start(), args.output);
    let way_on = format!("go on with: harmonium train --resume {}", run.folder.path().display());
    interrupt::advise(format!("interrupted; {way_on}"));
    let (mut summary, watched) = interrupt::armed(|| fit(run, &mut rbm, from, metrics, args))?;
    if let Some(profile) = watched.profile.as_ref().filter(|_| !output.json) {
        profile.lines().into_iter().try_for_each(console::line)?;
    }
    let over = watched.checks.stopper.as_ref().is_some_and(Stopper::is_over);
    if summary.stopped && (interrupt::wanted() || !over) {
        console::note(output, format!("saved at step {}; {way_on}", watched.saved.unwrap_or_default()));
        return Ok(ExitCode::from(INTERRUPTED));
    }
    let stopped = put_back(&mut rbm, &mut summary, &watched)?;
    let rbm = run.recipe.estimator.finished(rbm)?;
    summary.notices.iter().chain(&run.train.notice()).for_each(|notice| console::note(output, notice));
    finish::run(run, &rbm, (&watched, &summary), stopped, clock.seconds(), output)?;
    Ok(ExitCode::SUCCESS)
}

/// Puts the best state back, if epochs were judged.
fn put_back(rbm: &mut Rbm, summary: &mut Summary, watched: &Watched) -> Result<Option<Stopped>, Error> {
    let last = watched.metrics.lines().last().map_or(0, |line| line.epoch);
    let Some(stopper) = &watched.checks.stopper else { return Ok(None) };
    let Some((best, stopped)) = stopper.finish(last)? else { return Ok(None) };
    (*rbm, summary.steps) = (best, stopped.best_step);
    summary.notices.push(stopped.sentence());
    Ok(Some(stopped))
}

fn checks(run: &Run, metrics: &Metrics) -> Result<Checks, Error> {
    let lines = metrics.lines();
    let checkup = Checkup::new(run.train.shown(), &run.recipe, lines)?;
    let stopper = match (run.recipe.stop, &run.validation) {
        (Some(stop), Some(rows)) => {
            Some(Stopper::new(stop, rows, run.recipe.seed, run.folder.best(), lines)?)
        }
        _ => None,
    };
    Ok(Checks { checkup, stopper })
}

fn fit(
    run: &Run,
    rbm: &mut Rbm,
    from: Option<&Snapshot>,
    metrics: Metrics,
    args: &Train,
) -> Result<(Summary, Watched), Error> {
    let mut training = Training::new(rbm, run.train.all(), &run.recipe.fit)?;
    let checkpoints = Checkpoints::open(&VFS, &run.folder.checkpoints())?;
    let seed = run.recipe.seed;
    let origin = Origin { seed, step: 0, recipe: run.recipe.to_json()? };
    let probe = Probe::new(run.train.shown(), run.validation.as_ref(), seed)?;
    let bar = console::bar(args.output, training.total(), "training");
    let checks = checks(run, &metrics)?;
    let mut watch = Watch::new(args.output, checkpoints, origin, metrics, probe, checks, bar);
    let mut estimator = run.recipe.estimator.clone();
    let estimator = estimator.get_mut();
    if let Some(snapshot) = from {
        training.restore(rbm, estimator, snapshot)?;
    }
    watch.checks.checkup.prepare(rbm, &training);
    if watch.is_over() {
        let (lowest_rate, rollbacks) = from.map_or((1.0, 0), |snapshot| snapshot.rate);
        let (steps, notices) = (training.step(), Vec::new());
        let summary = Summary { steps, stopped: true, notices, rollbacks, lowest_rate };
        return Ok((summary, watch.finish(None)?));
    }
    let key = Key::from_seed(seed);
    let (summary, recording) =
        profile::recorded(args.profile, || training.run(rbm, run.train.all(), estimator, key, &mut watch));
    let summary = summary?;
    let average = if summary.stopped { None } else { training.averaged(rbm) };
    average.into_iter().for_each(|average| *rbm = average);
    Ok((summary, watch.finish(recording.as_ref())?))
}
