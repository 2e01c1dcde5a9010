//! Trains deep Boltzmann machines: layer by layer with doubled weights, and then as a whole.

use harmonium::dbn::deep::{Centred, Dbm, Doubled, Header, Twice, handed_on};
use harmonium::dbn::stack::{Learner, key_of_layer};
use harmonium::persist::Checkpoints;
use harmonium::rbm::{self, Origin, Rbm};
use harmonium::train::{Fit, Pcd, Schedule, Snapshot, Step, Training};
use harmonium::{Batch, Error, HasParams};

use super::greedy::squared;
use super::model::Model;
use super::train::{Phase, Run, is_absence};
use super::watch::{At, Measured, Watch};
use crate::args::Output;
use crate::console;
use crate::folder::VFS;

/// Rows that the figures of an epoch are computed on.
const PROBED: usize = 256;

/// Trains a deep Boltzmann machine.
///
/// # Errors
/// Says what ran away and which file could not be read or written.
pub(crate) fn machine(run: &Run, watch: &mut Watch, output: Output) -> Result<Phase<Vec<Model>>, Error> {
    let rows = run.bits()?;
    let (mut below, mut machines) = (rows.clone(), Vec::new());
    let layers = run.recipe.plan.layers.len();
    for n in 0..layers {
        let Phase::Over(rbm) = layer(run, n, &below, watch, output)? else { return Ok(Phase::Stopped) };
        if n + 1 < layers {
            below = handed_on(&rbm, &below, Twice::of(n, layers), key_of_layer(run.recipe.key(), n))?;
        }
        machines.push(rbm);
    }
    let mut dbm = Dbm::from_rbms(&machines.iter().collect::<Vec<_>>())?;
    dbm.set_marginals(&rows)?;
    joint(run, dbm, &rows, watch, output)
}

/// Pretrains one machine, from 0 on.
fn layer(run: &Run, n: usize, rows: &Batch, watch: &mut Watch, output: Output) -> Result<Phase<Rbm>, Error> {
    let recipe = &run.recipe.plan.layers[n];
    let (key, name) = (key_of_layer(run.recipe.key(), n), format!("layer {}", n + 1));
    let file = run.folder.path().join(format!("layer-{}.hmn", n + 1));
    if file.is_file() {
        let (rbm, header) = Rbm::load(&VFS, &file)?;
        run.same(&header.recipe)?;
        return Ok(Phase::Over(rbm));
    }
    let mut rbm = Rbm::for_data(rows, recipe.hidden.clone(), key)?;
    let mut estimator =
        Doubled { twice: Twice::of(n, run.recipe.plan.layers.len()), k: sweeps(&recipe.learner) };
    let mut training = Training::new(&rbm, rows, &recipe.fit)?;
    let checkpoints = Checkpoints::open(&VFS, &run.checkpoints(&format!("layer-{}", n + 1))?)?;
    if let Some(newest) = found(checkpoints.resume::<rbm::Header>(), output)? {
        run.same(&newest.header.recipe)?;
        let (saved, snapshot, _) = Rbm::from_checkpoint(newest)?;
        rbm = saved;
        training.restore(&mut rbm, &mut estimator, &snapshot)?;
    }
    watch.begin(n + 1, &name, (training.step(), training.total()));
    let (origin, probe) = (run.origin(0)?, rows.gather(0..rows.rows().min(PROBED)));
    let mut observer = |step: &Step<'_, Rbm>| {
        let save = || save_layer(&checkpoints, step.model, step.good, &origin);
        watch.look(&at(step), || Ok(measured(&probe, &step.model.reconstruct(&probe, key)?)), save)
    };
    let summary = training.run(&mut rbm, rows, &mut estimator, key, &mut observer)?;
    if watch.end()? && training.step() < training.total() {
        return Ok(Phase::Stopped);
    }
    summary.notices.iter().for_each(|notice| console::note(output, notice));
    // What goes on is what the file holds, so that a run that finds the file goes on with the same bits.
    rbm.save(&VFS, &file, &origin)?;
    Ok(Phase::Over(Rbm::load(&VFS, &file)?.0))
}

fn sweeps(learner: &Learner) -> Schedule {
    match learner {
        Learner::Cd(cd) => cd.k.clone(),
        _ => Schedule::Constant(1.0),
    }
}

fn save_layer(
    checkpoints: &Checkpoints<'_>,
    rbm: &Rbm,
    good: &Snapshot,
    origin: &Origin,
) -> Result<(), Error> {
    let (header, tensors) = rbm.to_checkpoint(good, origin);
    checkpoints.save(good.step, &header, &tensors).map(|_| ())
}

/// Trains the whole machine by mean field and persistent chains.
fn joint(
    run: &Run,
    mut dbm: Dbm,
    rows: &Batch,
    watch: &mut Watch,
    output: Output,
) -> Result<Phase<Vec<Model>>, Error> {
    let Some((fit, pcd)): Option<&(Fit, Pcd)> = run.recipe.joint.as_ref() else {
        return Err(Error::format("recipe", "joint", "the training of the whole machine", "none"));
    };
    let mut estimator = Centred::new(pcd.clone());
    let mut training = Training::new(&dbm, rows, fit)?;
    let checkpoints = Checkpoints::open(&VFS, &run.checkpoints("joint")?)?;
    if let Some(newest) = found(checkpoints.resume::<Header>(), output)? {
        run.same(&newest.header.recipe)?;
        let (saved, snapshot, _) = Dbm::from_checkpoint(newest)?;
        dbm = saved;
        training.restore(&mut dbm, &mut estimator, &snapshot)?;
    }
    watch.begin(run.recipe.plan.layers.len() + 1, "joint", (training.step(), training.total()));
    let (origin, probe) = (run.origin(0)?, rows.gather(0..rows.rows().min(PROBED)));
    let mut observer = |step: &Step<'_, Dbm>| {
        let save = || {
            let (header, tensors) = step.model.to_checkpoint(step.good, &origin);
            checkpoints.save(step.good.step, &header, &tensors).map(|_| ())
        };
        watch.look(&at(step), || Ok(measured(&probe, &step.model.reconstruct(&probe)?)), save)
    };
    let summary = training.run(&mut dbm, rows, &mut estimator, run.recipe.key(), &mut observer)?;
    if watch.end()? && training.step() < training.total() {
        return Ok(Phase::Stopped);
    }
    summary.notices.iter().for_each(|notice| console::note(output, notice));
    Ok(Phase::Over(vec![Model::Dbm(training.averaged(&dbm).unwrap_or(dbm))]))
}

/// Takes the newest checkpoint, if there is one, and tells of those that were damaged.
fn found<H>(
    newest: Result<harmonium::persist::Newest<H>, Error>,
    output: Output,
) -> Result<Option<harmonium::persist::Loaded<H>>, Error> {
    match newest {
        Err(error) if is_absence(&error) => Ok(None),
        other => {
            let newest = other?;
            newest.skipped.iter().for_each(|skipped| console::note(output, skipped));
            Ok(Some(newest.loaded))
        }
    }
}

fn at<'a, M: HasParams>(step: &'a Step<'_, M>) -> At<'a> {
    At {
        step: step.training.step(),
        epoch: step.training.epoch(),
        ends_epoch: step.ends_epoch,
        rows: step.rows,
        rate: step.training.rate(),
        notice: step.notice,
    }
}

fn measured(probe: &Batch, back: &ndarray::Array2<f32>) -> Measured {
    ("squared error", squared(probe, back, probe.units()), None)
}
