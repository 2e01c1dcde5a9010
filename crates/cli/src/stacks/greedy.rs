//! Trains the machines of a stack one after the other, and up-down, with a checkpoint in any phase.

use harmonium::dbn::stack::{Dbn, Inferred, Phase as Stage, Progress, Stacking, StackingHeader};
use harmonium::persist::Checkpoints;
use harmonium::rbm::Rbm;
use harmonium::{Batch, Error, Rows};

use super::model::Model;
use super::train::{Phase, Run, is_absence};
use super::watch::{At, Measured, Watch};
use crate::args::Output;
use crate::console;
use crate::folder::VFS;

/// Rows that the figures of an epoch are computed on.
const PROBED: usize = 256;
/// The folder of the checkpoints.
const FOLDER: &str = "layers";

/// Trains a deep belief network.
///
/// # Errors
/// Says what ran away and which file could not be read or written.
pub(crate) fn belief(run: &Run, watch: &mut Watch, output: Output) -> Result<Phase<Vec<Model>>, Error> {
    let rows = run.bits()?;
    Ok(match stack(run, &rows, watch, output)? {
        Phase::Over(dbn) => Phase::Over(vec![Model::Dbn(dbn)]),
        Phase::Stopped => Phase::Stopped,
    })
}

/// Trains the machines of the plan on bits, and what else the plan has.
///
/// # Errors
/// As [`belief`].
pub(crate) fn stack(
    run: &Run,
    rows: &dyn Rows,
    watch: &mut Watch,
    output: Output,
) -> Result<Phase<Dbn>, Error> {
    let checkpoints = Checkpoints::open(&VFS, &run.checkpoints(FOLDER)?)?;
    let mut stacking = newest(run, &checkpoints, output)?;
    let labels = run.recipe.plan.classes.and(run.labels()).map(Vec::as_slice);
    let named: Vec<u32> = (0..rows.rows().min(PROBED) as u32).collect();
    let (probe, origin) = (rows.read(&named)?, run.origin(0)?);
    let mut present = None;
    let ended = stacking.run(rows, labels, run.recipe.key(), &mut |progress: &Progress<'_>| {
        let number = number(run, progress.phase);
        if present != Some(number) {
            present = Some(number);
            watch.begin(number, &progress.phase.to_string(), (progress.step, progress.total));
        }
        let at = At {
            step: progress.step,
            epoch: progress.epoch,
            ends_epoch: progress.ends_epoch,
            rows: progress.rows,
            rate: progress.rate,
            notice: progress.notice,
        };
        let save = || {
            let (header, tensors) = progress.stacking().to_tensors(&origin);
            checkpoints.save(before(run, rows, number) + progress.step, &header, &tensors).map(|_| ())
        };
        watch.look(&at, || measure(run, progress, &probe), save)
    })?;
    if watch.end()? && ended.phase != Stage::Done {
        return Ok(Phase::Stopped);
    }
    ended.notices.iter().for_each(|notice| console::note(output, notice));
    Ok(Phase::Over(stacking.finish()?))
}

fn newest(run: &Run, checkpoints: &Checkpoints<'_>, output: Output) -> Result<Stacking, Error> {
    let newest = match checkpoints.resume::<StackingHeader>() {
        Err(error) if is_absence(&error) => return Stacking::new(run.recipe.plan.clone()),
        other => other?,
    };
    newest.skipped.iter().for_each(|skipped| console::note(output, skipped));
    run.same(&newest.loaded.header.recipe)?;
    Ok(Stacking::from_loaded(newest.loaded, run.recipe.plan.clone())?.0)
}

/// Numbers the phases, from 1 on.
fn number(run: &Run, phase: Stage) -> usize {
    match phase {
        Stage::Layer(layer) => layer,
        Stage::UpDown | Stage::Done => run.recipe.plan.layers.len() + 1,
    }
}

/// Counts the updates of all phases before one.
fn before(run: &Run, rows: &dyn Rows, phase: usize) -> u64 {
    let fits = run.recipe.plan.layers.iter().map(|layer| &layer.fit);
    fits.take(phase - 1).map(|fit| (rows.rows().div_ceil(fit.batch) as u64) * u64::from(fit.epochs)).sum()
}

/// Measures how well the machine in training gives back what it sees of some rows.
fn measure(run: &Run, progress: &Progress<'_>, probe: &Batch) -> Result<Measured, Error> {
    let whole = progress.stacking();
    let below = match progress.phase {
        Stage::Layer(_) => whole.finished().iter().collect(),
        _ => whole.finished().iter().take(whole.finished().len() - 1).collect::<Vec<_>>(),
    };
    let (key, machine) = (run.recipe.key(), progress.machine);
    let named: Vec<u32> = (0..probe.rows() as u32).collect();
    let inferred = Inferred::new(probe, below, key);
    let seen = inferred.read(&named)?;
    // The top machine has its label beside what it sees; the figure is that of the latter.
    let back = if machine.visible_units() == seen.units() {
        machine.reconstruct(&seen, key)?
    } else {
        return labelled(run, machine, &seen, &named);
    };
    Ok(("squared error", squared(&seen, &back, seen.units()), None))
}

/// Measures a machine with a label.
fn labelled(run: &Run, machine: &Rbm, seen: &Batch, named: &[u32]) -> Result<Measured, Error> {
    let classes = machine.visible_units() - seen.units();
    let labels = run.labels().map_or(&[][..], Vec::as_slice);
    let bits = seen.bits()?;
    let joined = harmonium::BitMatrix::from_fn(named.len(), machine.visible_units(), |row, unit| {
        if unit < seen.units() {
            bits.get(row, unit)
        } else {
            labels.get(row).copied().flatten() == Some((unit - seen.units()) % classes)
        }
    });
    let joined = Batch::from_bits(joined)?;
    let back = machine.reconstruct(&joined, run.recipe.key())?;
    Ok(("squared error", squared(&joined, &back, seen.units()), None))
}

/// Computes the mean over rows of the squared error, summed over the first columns.
pub(crate) fn squared(rows: &Batch, back: &ndarray::Array2<f32>, columns: usize) -> f64 {
    let values = rows.to_array();
    let one = |((_, column), &x): ((usize, usize), &f32)| (column < columns).then_some(f64::from(x));
    let off = &values - back;
    off.indexed_iter().filter_map(one).map(|x| x * x).sum::<f64>() / rows.rows() as f64
}
