//! Trains networks by backpropagation: unrolled autoencoders and classifiers.

use harmonium::data::Binarize;
use harmonium::dbn::deep::Dbm;
use harmonium::dbn::net::{
    Activation, Autoencoder, Dense, Head, Network, NetworkHeader, Progress, Targets, Tuner, TuningSnapshot,
};
use harmonium::persist::Checkpoints;
use harmonium::{Batch, Error, Key, Rows};
use ndarray::Array1;

use super::greedy;
use super::judge::Seen;
use super::model::Model;
use super::shown::Shown;
use super::train::{Phase, Run, is_absence};
use super::watch::{At, Watch};
use crate::args::Output;
use crate::console;
use crate::folder::VFS;

/// The number of a phase, its name, and the folder of its checkpoints.
type Named<'a> = (usize, &'a str, &'a str);

/// Trains an autoencoder: machines, and then the network that they unroll to.
///
/// # Errors
/// Says what ran away and which file could not be read or written.
pub(crate) fn autoencoder(run: &Run, watch: &mut Watch, output: Output) -> Result<Phase<Vec<Model>>, Error> {
    // Shares are drawn anew in each epoch; values at a threshold are the same bits each time.
    let phase = match run.recipe.binarize {
        Binarize::Sample => greedy::stack(run, &run.train.drawn(run.recipe.key())?, watch, output)?,
        Binarize::Threshold | Binarize::None => greedy::stack(run, &run.bits()?, watch, output)?,
    };
    let Phase::Over(stack) = phase else { return Ok(Phase::Stopped) };
    let unrolled = Network::unrolled(&stack.rbms())?;
    let code = stack.depth();
    let named = (code + 1, "unrolled", "tuning");
    let phase = network(run, named, unrolled, (&run.train.grey()?, &Targets::Inputs), watch, output)?;
    Ok(match phase {
        Phase::Over(network) => Phase::Over(vec![Model::Autoencoder(Autoencoder::new(network, code)?)]),
        Phase::Stopped => Phase::Stopped,
    })
}

/// Refuses models that no classifier can start from.
///
/// # Errors
/// Says which can.
pub(crate) fn check_start(model: &Model) -> Result<(), Error> {
    match model {
        Model::Rbm(_) | Model::Dbn(_) | Model::Dbm(_) => Ok(()),
        other => Err(Error::shape("model", "a dbn, a dbm or an rbm to start from", other.kind())),
    }
}

/// Trains a classifier, and beside it one from a random start if that is asked for.
///
/// # Errors
/// As [`autoencoder`]; refuses a start that is another than the run began with.
pub(crate) fn classifier(run: &Run, watch: &mut Watch, output: Output) -> Result<Phase<Vec<Model>>, Error> {
    let labels = run.labels().map_or(&[][..], Vec::as_slice);
    let (start, classes, targets) = (start(run)?, run.classes.unwrap_or(0), Targets::Classes(labels));
    let (first, dbm) = beginning(&start, classes, run.recipe.key())?;
    let rows = shown(run, dbm.as_ref())?;
    let plain = if run.recipe.random { Some(random(&start, classes, run.recipe.key())?) } else { None };
    let mut models = Vec::new();
    match network(run, (1, "fine-tuning", "tuning"), first, (&*rows, &targets), watch, output)? {
        Phase::Over(network) => models.push(Model::Classifier(network, dbm)),
        Phase::Stopped => return Ok(Phase::Stopped),
    }
    if let Some(plain) = plain {
        let rows = shown(run, None)?;
        match network(run, (2, "random start", "random"), plain, (&*rows, &targets), watch, output)? {
            Phase::Over(network) => models.push(Model::Classifier(network, None)),
            Phase::Stopped => return Ok(Phase::Stopped),
        }
    }
    Ok(Phase::Over(models))
}

/// Gives the rows that a network learns from. Shares are drawn anew in each epoch, so that no row is learnt by heart.
fn shown(run: &Run, dbm: Option<&Dbm>) -> Result<Box<dyn Rows>, Error> {
    let how = run.recipe.binarize;
    if how == Binarize::Sample && dbm.is_none() {
        let judging = run.recipe.tuning.as_ref().map_or(0, |tuning| tuning.validation);
        let (drawn, grey) = (run.train.drawn(run.recipe.key())?, run.train.grey()?);
        return Ok(Box::new(Shown { drawn, grey, judging }));
    }
    Ok(Box::new(inputs(&run.train.seen(how, dbm.is_some())?, dbm)?))
}

/// Gives what the network sees of rows: their grey values, or their bits and beside them what a deep Boltzmann machine infers of these.
///
/// # Errors
/// Refuses rows that the machine can't take.
pub(crate) fn inputs(rows: &Seen, dbm: Option<&Dbm>) -> Result<Batch, Error> {
    match dbm {
        Some(dbm) => Batch::reals(dbm.network_inputs(&rows.bits)?),
        None => Ok(rows.grey.clone()),
    }
}

fn start(run: &Run) -> Result<Model, Error> {
    let Some((path, digest)) = &run.recipe.start else {
        return Err(Error::format("recipe", "start", "a model to start from", "none"));
    };
    let model = Model::open(path.as_ref())?;
    check_start(&model)?;
    let got = model.digest();
    if got == *digest {
        return Ok(model);
    }
    Err(Error::value(
        "start",
        path,
        format!("the model of the run, digest {digest}"),
        format!("digest {got}"),
    ))
}

/// Makes the network that a model becomes, with a new head.
fn beginning(start: &Model, classes: usize, key: Key) -> Result<(Network, Option<Dbm>), Error> {
    let head = Some(Head::classes(classes));
    match start {
        Model::Rbm(rbm) => Ok((Network::from_rbms(&[rbm], head, key)?, None)),
        Model::Dbn(dbn) => {
            let machines = dbn.recognisers()?;
            Ok((Network::from_rbms(&machines.iter().collect::<Vec<_>>(), head, key)?, None))
        }
        Model::Dbm(dbm) => {
            let layer = |(weights, bias)| Dense::new(weights, Array1::from(bias), Activation::Sigmoid);
            let mut layers: Vec<Dense> = dbm.network()?.into_iter().map(layer).collect::<Result<_, _>>()?;
            let top = Network::new(&[layers[1].units(), classes], &[Activation::Softmax], key)?;
            layers.extend_from_slice(top.layers());
            Ok((Network::from_layers(layers)?, Some(dbm.clone())))
        }
        other => Err(Error::shape("model", "a dbn, a dbm or an rbm to start from", other.kind())),
    }
}

/// Makes a network of the same layers with random weights.
fn random(start: &Model, classes: usize, key: Key) -> Result<Network, Error> {
    let mut sizes = start.widths();
    let hidden = sizes.len() - 1;
    sizes.push(classes);
    let activation = |layer| if layer == hidden { Activation::Softmax } else { Activation::Sigmoid };
    Network::new(&sizes, &(0..=hidden).map(activation).collect::<Vec<_>>(), key)
}

/// Trains a network from where its checkpoint stands.
fn network(
    run: &Run,
    (number, name, folder): Named<'_>,
    mut network: Network,
    (rows, targets): (&dyn Rows, &Targets<'_>),
    watch: &mut Watch,
    output: Output,
) -> Result<Phase<Network>, Error> {
    let Some(options) = &run.recipe.tuning else {
        return Err(Error::format("recipe", "tuning", "options of backpropagation", "none"));
    };
    let mut tuner = Tuner::new(&network, rows, targets, options)?;
    let checkpoints = Checkpoints::open(&VFS, &run.checkpoints(folder)?)?;
    if let Some(snapshot) = newest(run, &checkpoints, output)? {
        tuner.restore(&mut network, &snapshot)?;
    }
    watch.begin(number, name, (tuner.step(), tuner.total()));
    let (origin, mut sums) = (run.origin(0)?, (0.0, 0.0));
    let mut observer = |progress: &Progress<'_>| {
        sums = (sums.0 + progress.loss * progress.rows as f64, sums.1 + progress.rows as f64);
        let tuner = progress.tuner;
        let at = At {
            step: tuner.step(),
            epoch: tuner.epoch(),
            ends_epoch: progress.ends_epoch,
            rows: progress.rows,
            rate: tuner.rate(),
            notice: progress.notice,
        };
        let save = || {
            let (header, tensors) = progress.network.to_checkpoint(&progress.snapshot(), &origin);
            checkpoints.save(tuner.step(), &header, &tensors).map(|_| ())
        };
        let mean = sums.0 / sums.1;
        if progress.ends_epoch {
            sums = (0.0, 0.0);
        }
        watch.look(&at, || Ok(("cross-entropy", mean, progress.score.map(|score| -score))), save)
    };
    let summary = tuner.run(&mut network, rows, targets, run.recipe.key(), &mut observer)?;
    // Whoever stops an epoch before the last one by Ctrl-C wants to go on; the rule of the validation rows does not.
    let unfinished = summary.stopped && tuner.step() < tuner.total() && !judged(&tuner, options);
    if watch.end()? && unfinished {
        return Ok(Phase::Stopped);
    }
    summary.notices.iter().for_each(|notice| console::note(output, notice));
    Ok(Phase::Over(network))
}

/// Tells whether the validation rows have ended the training.
fn judged(tuner: &Tuner, options: &harmonium::dbn::net::Tuning) -> bool {
    let last = tuner.best().map_or(0, |(epoch, _)| epoch);
    let whole = tuner.step().is_multiple_of(tuner.batches());
    options.stopping.is_some_and(|rule| whole && tuner.epoch().saturating_sub(last) >= rule.patience)
}

fn newest(run: &Run, checkpoints: &Checkpoints<'_>, output: Output) -> Result<Option<TuningSnapshot>, Error> {
    let newest = match checkpoints.resume::<NetworkHeader>() {
        Err(error) if is_absence(&error) => return Ok(None),
        other => other?,
    };
    newest.skipped.iter().for_each(|skipped| console::note(output, skipped));
    run.same(&newest.loaded.header.recipe)?;
    Ok(Some(Network::from_checkpoint(newest.loaded)?.1))
}
