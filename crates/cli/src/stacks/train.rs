//! Trains a stack or a classifier: from the start, or on from its checkpoints, phase by phase.

use std::path::Path;
use std::process::ExitCode;

use harmonium::data::{Part, split_last};
use harmonium::persist::digest_rows;
use harmonium::rbm::Origin;
use harmonium::{Batch, Error, ErrorKind};

use super::data::{self, Labels, Loaded};
use super::model::Model;
use super::recipe::{Goal, Recipe};
use super::watch::Watch;
use super::{deep, finish, greedy, tune};
use crate::args::{Finetune, Made, Output, Train};
use crate::clock::Clock;
use crate::folder::{Folder, create_all};
use crate::{INTERRUPTED, console, interrupt};

/// Is a run with its rows.
pub(crate) struct Run {
    pub(crate) folder: Folder,
    pub(crate) recipe: Recipe,
    pub(crate) train: Loaded,
    pub(crate) test: Option<Loaded>,
    /// Classes that the labels have.
    pub(crate) classes: Option<usize>,
}

/// Says how a phase ended.
pub(crate) enum Phase<T> {
    Over(T),
    Stopped,
}

/// Carries out `train` for stacks; gives nothing where a single machine is asked for.
///
/// # Errors
/// Says what stopped it.
pub(crate) fn run(args: &Train) -> Result<Option<ExitCode>, Error> {
    if let Some(path) = &args.resume {
        let folder = Folder::at(path);
        let Some(recipe) = Recipe::read(&folder)? else { return Ok(None) };
        if let Some(epochs) = args.epochs {
            return Err(Error::option("epochs", "those of the run, as its rates decline over them", epochs));
        }
        recipe.check()?;
        let run = Run::load(folder, recipe)?;
        return go(&run, args.output).map(Some);
    }
    let stack = &args.stack;
    match (stack.model, &args.data) {
        (None | Some(Made::Rbm), _) => {
            let given = [
                ("layers", stack.layers.is_some()),
                ("labels", stack.labels.is_some()),
                ("tune-epochs", stack.tune_epochs.is_some()),
                ("tune-rate", stack.tune_rate.is_some()),
                ("binary-codes", stack.binary_codes),
            ];
            match given.iter().find(|(_, given)| *given) {
                Some((name, _)) => {
                    Err(Error::option(name, "--model dbn, dbm or autoencoder beside it", "a single machine"))
                }
                None => Ok(None),
            }
        }
        (Some(model), Some(data)) => {
            if args.profile || args.options.validation.is_some() {
                let name = if args.profile { "profile" } else { "validation" };
                return Err(Error::option(name, "--model rbm", "a stack"));
            }
            let mut recipe = Recipe::new(model, data, args)?;
            let rows = Rows::load(&mut recipe)?;
            recipe.settle(args.options.batch, args.epochs, rows.train.rows());
            begin(recipe, rows, args.out.as_deref(), args.output).map(Some)
        }
        (Some(_), None) => Err(Error::option("data", "mnist or a file", "nothing")),
    }
}

/// Carries out `finetune`.
///
/// # Errors
/// Says what stopped it.
pub(crate) fn finetune(args: &Finetune) -> Result<ExitCode, Error> {
    console::threads(args.output)?;
    interrupt::listen();
    let model = Model::open(&args.model)?;
    tune::check_start(&model)?;
    let mut recipe = Recipe::classifier(args, &super::model::file(&args.model), &model.digest())?;
    let rows = Rows::load(&mut recipe)?;
    if rows.classes.is_none() {
        return Err(Error::option("labels", "a file with a class for each row", "none"));
    }
    let count = rows.train.rows();
    recipe.settle(args.batch, None, count);
    let tuning = recipe.tuning.as_mut();
    let validation = args.validation.unwrap_or(count / 6);
    split_last(count, validation)?;
    if let Some(tuning) = tuning {
        tuning.validation = validation;
        tuning.stopping = tuning.stopping.filter(|_| validation > 0);
    }
    begin(recipe, rows, args.out.as_deref(), args.output)
}

/// Holds the rows of a recipe.
struct Rows {
    train: Loaded,
    test: Option<Loaded>,
    classes: Option<usize>,
}

impl Rows {
    /// Loads the rows, and settles what they decide: their digest, and the classes of a label at the top.
    fn load(recipe: &mut Recipe) -> Result<Self, Error> {
        let (reading, labels) = (recipe.reading(), recipe.labels.clone());
        let load = |part, labels| data::load(&recipe.data, &reading, labels, part, recipe.seed);
        let train = load(Part::Train, labels.as_deref())?;
        // Labels from a file are those of the training rows.
        let test = if recipe.data == "mnist" { Some(load(Part::Test, None)?) } else { None };
        let classes = train.labels.as_deref().map(|labels| data::count(labels, None)).transpose()?;
        if recipe.model == Goal::Dbn {
            recipe.plan.classes = classes;
            recipe.plan.check()?;
        }
        recipe.data_digest = digest(recipe, &train)?;
        Ok(Self { train, test, classes })
    }
}

/// Digests the rows as they are trained on, and behind them the labels.
fn digest(recipe: &Recipe, train: &Loaded) -> Result<String, Error> {
    let rows = match recipe.model {
        Goal::Dbn | Goal::Dbm => train.bits(recipe.binarize)?,
        Goal::Autoencoder | Goal::Classifier => train.grey()?,
    };
    let mut out = digest_rows(&rows)?;
    if let Some(labels) = &train.labels {
        let label = |label: &Option<usize>| label.map_or(-1.0, |label| label as f32);
        let values: Vec<f32> = labels.iter().map(label).collect();
        out = harmonium::persist::digest(&[(out.as_str(), &[values.len()][..], &values[..])], 0);
    }
    Ok(out)
}

impl Run {
    /// Loads the rows of an existing run, and makes sure that they are those it was begun with.
    ///
    /// # Errors
    /// Says what is wrong with them.
    pub(crate) fn load(folder: Folder, mut recipe: Recipe) -> Result<Self, Error> {
        let (begun, plan) = (recipe.data_digest.clone(), recipe.plan.clone());
        let Rows { train, test, classes } = Rows::load(&mut recipe)?;
        if begun != recipe.data_digest || plan != recipe.plan {
            let expected = format!("the rows and labels of the run, digest {begun}");
            return Err(Error::value(
                "data",
                &recipe.data,
                expected,
                format!("digest {}", recipe.data_digest),
            ));
        }
        Ok(Self { folder, recipe, train, test, classes })
    }

    /// Gives the rows as bits.
    ///
    /// # Errors
    /// Refuses values that are none.
    pub(crate) fn bits(&self) -> Result<Batch, Error> {
        self.train.bits(self.recipe.binarize)
    }

    /// Gives the labels that a training takes.
    pub(crate) fn labels(&self) -> Option<&Labels> {
        self.train.labels.as_ref()
    }

    /// Gives what files of this run tell of it.
    ///
    /// # Errors
    /// Reports a recipe that can't be written.
    pub(crate) fn origin(&self, step: u64) -> Result<Origin, Error> {
        Ok(Origin { seed: self.recipe.seed, step, recipe: self.recipe.to_json()? })
    }

    /// Gives the folder with the checkpoints of a phase, making it.
    ///
    /// # Errors
    /// Says which folder could not be made.
    pub(crate) fn checkpoints(&self, phase: &str) -> Result<std::path::PathBuf, Error> {
        let folder = self.folder.checkpoints().join(phase);
        create_all(&folder)?;
        Ok(folder)
    }

    /// Refuses a checkpoint of another recipe.
    ///
    /// # Errors
    /// Says that the recipe was changed.
    pub(crate) fn same(&self, saved: &str) -> Result<(), Error> {
        if Recipe::parse(saved)?.as_ref() == Some(&self.recipe) {
            return Ok(());
        }
        Err(Error::value("recipe.json", "", "the recipe of the checkpoint", "another one"))
    }
}

/// Tells whether there is no checkpoint yet.
pub(crate) fn is_absence(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound)
}

fn begin(recipe: Recipe, rows: Rows, out: Option<&Path>, output: Output) -> Result<ExitCode, Error> {
    let folder = Folder::create(out, &recipe.name())?;
    recipe.write(&folder)?;
    let Rows { train, test, classes } = rows;
    go(&Run { folder, recipe, train, test, classes }, output)
}

/// Trains from where the run stands, and finishes it.
fn go(run: &Run, output: Output) -> Result<ExitCode, Error> {
    let clock = Clock::start();
    let way_on = format!("go on with: harmonium train --resume {}", run.folder.path().display());
    interrupt::advise(format!("interrupted; {way_on}"));
    let mut watch = Watch::new(run.folder.metrics(), output)?;
    let trained = interrupt::armed(|| match run.recipe.model {
        Goal::Dbn => greedy::belief(run, &mut watch, output),
        Goal::Autoencoder => tune::autoencoder(run, &mut watch, output),
        Goal::Dbm => deep::machine(run, &mut watch, output),
        Goal::Classifier => tune::classifier(run, &mut watch, output),
    })?;
    match trained {
        Phase::Over(models) => {
            finish::run(run, &models, &watch, clock.seconds(), output)?;
            Ok(ExitCode::SUCCESS)
        }
        Phase::Stopped => {
            console::note(output, format!("saved; {way_on}"));
            Ok(ExitCode::from(INTERRUPTED))
        }
    }
}
