//! Describes the run of a stack by one value, which checkpoint, model and report all hold.

use std::path::{Path, PathBuf};

use harmonium::data::{Binarize, Source};
use harmonium::dbn::net::Tuning;
use harmonium::dbn::stack::Greedy;
use harmonium::train::{Fit, Pcd};
use harmonium::{Error, Key};
use serde::{Deserialize, Serialize};

use super::plan::{check_options, classes, given_to_finetune, given_to_train, joint, plan, unrolled};
use crate::args::{Finetune, Made, Reading, Train};
use crate::folder::{Folder, read_text, write_text};
use crate::recipe::quoted;

/// Names what a run makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Goal {
    Dbn,
    Dbm,
    Autoencoder,
    Classifier,
}

/// Is all that decides the run of a stack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recipe {
    pub(crate) model: Goal,
    /// The set or the absolute path of the file.
    pub(crate) data: String,
    pub(crate) binarize: Binarize,
    pub(crate) packed: Option<usize>,
    pub(crate) array: Option<String>,
    /// The absolute path of the file with the classes, or none; if not set, those of the set.
    pub(crate) labels: Option<String>,
    /// BLAKE3 of the training rows, so that a resumed run meets the same ones.
    pub(crate) data_digest: String,
    /// The machines, how they are trained, and up-down; of a classifier none.
    pub(crate) plan: Greedy,
    /// The training of a whole deep Boltzmann machine, and its persistent chains.
    pub(crate) joint: Option<(Fit, Pcd)>,
    /// The training by backpropagation.
    pub(crate) tuning: Option<Tuning>,
    /// The model file that a classifier starts from, and its digest.
    pub(crate) start: Option<(String, String)>,
    /// Whether the same network is trained from a random start beside it.
    pub(crate) random: bool,
    /// The options that were given, as one writes them.
    pub(crate) given: String,
    pub(crate) seed: u64,
    /// Temperatures of the final annealing; 0 for none.
    pub(crate) betas: usize,
}

/// Updates of an epoch, at least, where nobody asked for a size of batches.
const UPDATES: usize = 50;
/// Updates that a layer needs to leave the plateau of small weights behind it, and its epochs where there are many rows.
const ENOUGH: usize = 5000;
pub(super) const EPOCHS: u32 = 30;

impl Recipe {
    /// Makes the recipe of a dbn, dbm or autoencoder; the digest of its rows is filled in when they are read.
    ///
    /// # Errors
    /// Names the option that is out of range or does not belong here.
    pub(crate) fn new(model: Made, data: &str, args: &Train) -> Result<Self, Error> {
        check_options(&args.options)?;
        let goal = match model {
            Made::Dbn => Goal::Dbn,
            Made::Dbm => Goal::Dbm,
            Made::Autoencoder | Made::Rbm => Goal::Autoencoder,
        };
        if args.stack.binary_codes && goal != Goal::Autoencoder {
            return Err(Error::option("binary-codes", "--model autoencoder beside it", format!("{model:?}")));
        }
        let (source, options) = (Source::parse(data)?, &args.options);
        let how = if goal == Goal::Autoencoder || source == Source::Mnist {
            Binarize::Sample
        } else {
            Binarize::None
        };
        let recipe = Self {
            model: goal,
            data: absolute(data),
            binarize: args.reading.binarize.unwrap_or(how),
            packed: args.reading.packed,
            array: args.reading.array.clone(),
            labels: args.stack.labels.as_deref().map(absolute),
            data_digest: String::new(),
            plan: plan(goal, args)?,
            joint: (goal == Goal::Dbm).then(|| joint(args)),
            tuning: (goal == Goal::Autoencoder).then(|| unrolled(args)),
            start: None,
            random: false,
            given: given_to_train(args),
            seed: options.seed.unwrap_or(1),
            betas: options.betas.unwrap_or(if goal == Goal::Autoencoder { 0 } else { 5000 }),
        };
        recipe.check()?;
        Ok(recipe)
    }

    /// Makes the recipe of a classifier.
    ///
    /// # Errors
    /// Names the option that is out of range.
    pub(crate) fn classifier(args: &Finetune, start: &Path, digest: &str) -> Result<Self, Error> {
        let source = Source::parse(&args.data)?;
        let how = if source == Source::Mnist { Binarize::Sample } else { Binarize::None };
        let recipe = Self {
            model: Goal::Classifier,
            data: absolute(&args.data),
            binarize: args.reading.binarize.unwrap_or(how),
            packed: args.reading.packed,
            array: args.reading.array.clone(),
            labels: args.labels.as_deref().map(absolute),
            data_digest: String::new(),
            plan: Greedy::default(),
            joint: None,
            tuning: Some(classes(args)),
            start: Some((absolute(&start.display().to_string()), digest.into())),
            random: args.random,
            given: given_to_finetune(args),
            seed: args.seed.unwrap_or(1),
            betas: 0,
        };
        recipe.check()?;
        Ok(recipe)
    }

    /// Refuses options out of range before any data are read.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.model != Goal::Classifier {
            self.plan.check()?;
        }
        if let Some((fit, pcd)) = &self.joint {
            fit.check()?;
            pcd.check()?;
        }
        if self.betas == 1 {
            return Err(Error::option("betas", "0, or 2 or more", 1));
        }
        self.tuning.as_ref().map_or(Ok(()), Tuning::check)
    }

    /// Gives how the data are read.
    pub(crate) fn reading(&self) -> Reading {
        Reading { binarize: Some(self.binarize), packed: self.packed, array: self.array.clone() }
    }

    /// Settles the rows of an update and the epochs of a layer, where nobody asked, by the number of rows: an epoch has 50 updates at
    /// least, as far as a batch keeps ten rows, and a layer 5000, as far as 200 epochs give them.
    pub(crate) fn settle(&mut self, batch: Option<usize>, epochs: Option<u32>, rows: usize) {
        let own = batch.unwrap_or_else(|| (rows / UPDATES).clamp(10, 100));
        let enough = ENOUGH / rows.div_ceil(own.max(1)).max(1);
        let epochs = epochs.unwrap_or((enough as u32).clamp(EPOCHS, 200));
        self.plan.layers.iter_mut().for_each(|layer| layer.fit.epochs = epochs);
        self.plan.layers.iter_mut().for_each(|layer| layer.fit.batch = own);
        self.plan.tuning.iter_mut().for_each(|tuning| tuning.batch = own);
        self.joint.iter_mut().for_each(|(fit, _)| fit.batch = own);
        self.tuning.iter_mut().for_each(|tuning| tuning.batch = own);
    }

    /// Gives the command that makes this run again.
    pub(crate) fn command(&self) -> String {
        let first = match &self.start {
            None => format!("harmonium train {}", quoted(&self.data)),
            Some((start, _)) => format!("harmonium finetune {} --data {}", quoted(start), quoted(&self.data)),
        };
        let labels = self.labels.as_ref().map(|labels| format!(" --labels {}", quoted(labels)));
        let array = self.array.as_ref().map(|array| format!(" --array {}", quoted(array)));
        let packed = self.packed.map(|packed| format!(" --packed {packed}"));
        let parts = [labels, array, packed].into_iter().flatten().collect::<String>();
        format!("{first} --binarize {}{parts} --seed {}{}", self.binarize, self.seed, self.given)
    }

    /// Gives the key of the seed.
    pub(crate) fn key(&self) -> Key {
        Key::from_seed(self.seed)
    }

    /// Gives a short name of the data, for folders and titles.
    pub(crate) fn name(&self) -> String {
        let path = Path::new(&self.data);
        let file =
            path.file_name().map_or_else(|| self.data.clone(), |name| name.to_string_lossy().into_owned());
        file.split('.').next().unwrap_or("data").to_owned()
    }

    /// Writes the recipe as JSON.
    ///
    /// # Errors
    /// Reports a recipe that can't be written.
    pub(crate) fn to_json(&self) -> Result<String, Error> {
        let text = serde_json::to_string_pretty(self);
        text.map_err(|e| Error::format("recipe", "", "values that JSON can hold", e))
    }

    /// Saves the recipe in the folder of its run.
    ///
    /// # Errors
    /// Says which operation failed.
    pub(crate) fn write(&self, folder: &Folder) -> Result<(), Error> {
        write_text(&folder.recipe(), &self.to_json()?)
    }

    /// Reads the recipe of a run, if it is that of a stack.
    ///
    /// # Errors
    /// Names the place that does not fit.
    pub(crate) fn read(folder: &Folder) -> Result<Option<Self>, Error> {
        if !folder.recipe().is_file() {
            return Ok(None);
        }
        Self::parse(&read_text(&folder.recipe())?)
    }

    /// Reads a recipe, if it is that of a stack: those of single machines name no model.
    ///
    /// # Errors
    /// As [`Recipe::read`].
    pub(crate) fn parse(text: &str) -> Result<Option<Self>, Error> {
        let value: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
        if value.get("model").is_none() {
            return Ok(None);
        }
        let recipe = serde_json::from_value(value);
        recipe.map(Some).map_err(|e| Error::format("recipe", "", "the recipe of a stack", e))
    }
}

/// Makes a path independent of the folder that the command ran in.
fn absolute(data: &str) -> String {
    if matches!(data, "mnist" | "none") {
        return data.to_owned();
    }
    let path = PathBuf::from(data);
    std::path::absolute(&path).unwrap_or(path).display().to_string()
}
