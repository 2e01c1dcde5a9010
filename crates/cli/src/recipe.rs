//! Describes a run by one value, which checkpoint, model and report all hold.

use harmonium::Error;
use harmonium::data::{Binarize, Column, Fields, Kind, Role, Schema, Source};
use harmonium::evaluate::Betas;
use harmonium::train::{Action, Centre, Decay, Fit, Guard, Stopping};
use harmonium::units::Units;
use serde::{Deserialize, Serialize};

use crate::args::{Reading, Train, TrainOptions};
use crate::defaults;
use crate::estimator::Estimator;
use crate::folder::read_text;
use crate::rules;
use crate::source::{self, Parts};
use crate::stop::Judge;

/// Is all that decides a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recipe {
    /// The set or the absolute path of the file.
    pub(crate) data: String,
    pub(crate) binarize: Binarize,
    pub(crate) packed: Option<usize>,
    pub(crate) array: Option<String>,
    /// Whether rows are read from the file as they are needed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) stream: bool,
    /// What the columns are; none for bits that are read as such.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) schema: Option<Schema>,
    /// The lowest and the highest grey value of pictures that are no bits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) grey: Option<[f32; 2]>,
    /// The absolute path of the file with a weight for each row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) weights: Option<String>,
    /// BLAKE3 of the training bits, so that a resumed run meets the same ones.
    pub(crate) data_digest: String,
    /// Training rows kept for validation.
    pub(crate) validation: usize,
    pub(crate) hidden: Units,
    pub(crate) estimator: Estimator,
    pub(crate) fit: Fit,
    /// When the training ends before its last epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) stop: Option<Stop>,
    pub(crate) seed: u64,
    /// Temperatures of the final annealing; 0 for none.
    pub(crate) betas: usize,
}

/// Says by what epochs are judged, and how long the training goes on without a better one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stop {
    pub(crate) by: Judge,
    pub(crate) patience: u32,
}

impl Stop {
    fn new(options: &TrainOptions) -> Option<Self> {
        let patience = options.patience.unwrap_or(Stopping::default().patience);
        options.stop.map(|by| Self { by, patience })
    }

    /// Gives the rule.
    pub(crate) fn rule(self) -> Stopping {
        Stopping { patience: self.patience }
    }

    fn check(self, validation: usize) -> Result<(), Error> {
        if validation == 0 {
            let expected = "--validation N beside it, the rows that epochs are judged by";
            return Err(Error::option("stop", expected, format!("{} alone", self.by.name())));
        }
        self.rule().check()
    }
}

/// The settled defaults; DESIGN.md has the sweep behind them.
const EPOCHS: u32 = 30;
const CENTRE: f32 = 0.01;

impl Recipe {
    /// Makes a recipe from the options of `train`; the data's digest is filled in when they are read.
    ///
    /// # Errors
    /// Names the option that is out of range.
    pub(crate) fn new(data: &str, args: &Train) -> Result<Self, Error> {
        let options = &args.options;
        let source = Source::parse(data)?;
        let hidden = options.hidden.unwrap_or_default();
        let recipe = Self {
            data: absolute(data, &source),
            binarize: args.reading.how(&source),
            packed: args.reading.packed,
            array: args.reading.array.clone(),
            stream: options.stream,
            schema: schema(options)?,
            grey: None,
            weights: options.weights.as_ref().map(|path| absolute("", &Source::File(path.clone()))),
            data_digest: String::new(),
            validation: options.validation.unwrap_or(0),
            hidden: hidden.kind.units(hidden.count.unwrap_or(defaults::HIDDEN))?,
            estimator: Estimator::new(options)?,
            fit: fit(args)?,
            stop: Stop::new(options),
            seed: options.seed.unwrap_or(1),
            betas: options.betas.unwrap_or(14_500),
        };
        recipe.check()?;
        Ok(recipe)
    }

    /// Refuses options out of range before any data are read.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.hidden.count() == 0 {
            return Err(Error::option("hidden", "1 or more", 0));
        }
        if self.stream && self.schema.is_some() {
            let expected = "bits, that is neither --visible nor --schema, beside --stream";
            return Err(Error::option("stream", expected, "a kind"));
        }
        if self.betas != 0 && Betas::Count(self.betas).check().is_err() {
            return Err(Error::option("betas", "0, or 2 to 10000000", self.betas));
        }
        self.estimator.get().check()?;
        self.stop.map_or(Ok(()), |stop| stop.check(self.validation))?;
        if let (Some(_), false) = (self.fit.sparsity, matches!(self.hidden, Units::Bernoulli(_))) {
            return Err(Error::option("sparsity", "Bernoulli hidden units", &self.hidden));
        }
        self.fit.check()
    }

    /// Gives what the columns of data are to the machine, if it was not told bits.
    ///
    /// # Errors
    /// Refuses a schema that is not settled.
    pub(crate) fn fields(&self) -> Result<Option<Fields>, Error> {
        self.schema.as_ref().map(Fields::new).transpose()
    }

    /// Gives how the data are read.
    pub(crate) fn reading(&self) -> Reading {
        Reading { binarize: Some(self.binarize), packed: self.packed, array: self.array.clone() }
    }

    /// Loads the rows of `data`, which the recipe names by an absolute path, and settles what they are.
    ///
    /// # Errors
    /// Names what is wrong with the file or its values.
    pub(crate) fn load(&mut self, data: &str) -> Result<Parts, Error> {
        let reading = self.reading();
        if self.stream {
            return source::stream(data, &reading, self.validation);
        }
        let parts = match &mut self.schema {
            Some(schema) => source::table(data, &reading, schema, self.validation, self.seed)?,
            None => source::load(data, &reading, self.validation, self.seed)?,
        };
        match &self.weights {
            Some(file) => source::weighted(parts, file),
            None => Ok(parts),
        }
    }

    /// Tells whether it is these data that the run was trained on.
    pub(crate) fn is_of(&self, data: &str) -> bool {
        Source::parse(data).is_ok_and(|source| absolute(data, &source) == self.data)
    }

    /// Gives a short name of the data, for folders and titles.
    pub(crate) fn name(&self) -> String {
        let file =
            std::path::Path::new(&self.data).file_name().map(|name| name.to_string_lossy().into_owned());
        let name = file.unwrap_or_else(|| self.data.clone());
        name.split('.').next().unwrap_or("data").to_owned()
    }

    /// Writes the recipe as JSON.
    ///
    /// # Errors
    /// Reports a recipe that can't be written.
    pub(crate) fn to_json(&self) -> Result<String, Error> {
        serde_json::to_string_pretty(self)
            .map_err(|e| Error::format("recipe", "", "values that JSON can hold", e))
    }

    /// Reads a recipe.
    ///
    /// # Errors
    /// Names the place that does not fit.
    pub(crate) fn from_json(text: &str) -> Result<Self, Error> {
        serde_json::from_str(text).map_err(|e| Error::format("recipe", "", "a recipe of this version", e))
    }
}

/// Makes the schema that options ask for, if they do.
fn schema(options: &TrainOptions) -> Result<Option<Schema>, Error> {
    let schema = match (&options.visible, &options.schema) {
        (Some(kind), _) => Schema::uniform(*kind),
        (None, Some(path)) if path.as_os_str() == "auto" => Schema::default(),
        (None, Some(path)) => Schema::from_json(&path.display().to_string(), &read_text(path)?)?,
        (None, None) if options.drop.is_empty() => return Ok(None),
        (None, None) => {
            return Err(Error::option("drop", "--visible or --schema beside it", options.drop.join(",")));
        }
    };
    let dropped = options.drop.iter().map(|name| Column::new(name.as_str(), Role::Ignore));
    let schema = Schema { columns: schema.columns.iter().cloned().chain(dropped).collect(), ..schema };
    schema.check()?;
    Ok(Some(schema))
}

fn fit(args: &Train) -> Result<Fit, Error> {
    let options = &args.options;
    Ok(Fit {
        epochs: args.epochs.unwrap_or(EPOCHS),
        batch: options.batch.unwrap_or(100),
        learning_rate: rules::rate(options, 1.0),
        method: rules::method(options)?,
        centre: centre(options.centre.unwrap_or(CENTRE)),
        decay: Decay { l1: options.l1.unwrap_or(0.0), l2: options.l2.unwrap_or(0.0) },
        group_l1: rules::group_l1(options),
        sparsity: rules::sparsity(options),
        clip: rules::clip(options),
        adapt: rules::adapt(options),
        constraints: rules::constraints(options),
        growth: rules::growth(options),
        average: rules::average(options),
        guard: Guard { action: Action::retry(), ..Guard::default() },
        ..Fit::default()
    })
}

/// Makes the centring of a rate; 0 is none.
fn centre(rate: f32) -> Option<Centre> {
    (rate != 0.0).then(|| Centre { rate, ..Centre::default() })
}

/// Makes a path independent of the folder that the command ran in.
fn absolute(data: &str, source: &Source) -> String {
    match source {
        Source::Mnist => data.to_owned(),
        Source::File(path) => {
            std::path::absolute(path).unwrap_or_else(|_| path.clone()).display().to_string()
        }
    }
}

impl Recipe {
    /// Gives the command that makes this run again; a schema is read from its file.
    pub(crate) fn command(&self, schema: &std::path::Path) -> String {
        let mut words = vec!["harmonium train".to_owned(), quoted(&self.data)];
        let mut option = |name: &str, value: String| words.push(format!("--{name} {value}"));
        if self.schema.is_some() {
            option("schema", quoted(&schema.display().to_string()));
        }
        option("binarize", self.binarize.to_string());
        self.packed.iter().for_each(|columns| option("packed", columns.to_string()));
        self.array.iter().for_each(|name| option("array", quoted(name)));
        if self.stream {
            words.push("--stream".into());
        }
        let mut option = |name: &str, value: String| words.push(format!("--{name} {value}"));
        self.weights.iter().for_each(|file| option("weights", quoted(file)));
        let kind = Kind::of(&self.hidden).filter(|&kind| kind != Kind::Bernoulli);
        let kind = kind.map_or(String::new(), |kind| format!(",{kind}"));
        option("hidden", format!("{}{kind}", self.hidden.count()));
        self.estimator.options().into_iter().for_each(|(name, value)| option(name, value));
        option("epochs", self.fit.epochs.to_string());
        option("batch", self.fit.batch.to_string());
        words.extend(rules::method_words(&self.fit));
        let mut option = |name: &str, value: String| words.push(format!("--{name} {value}"));
        option("centre", self.fit.centre.as_ref().map_or(0.0, |centre| centre.rate).to_string());
        option("l1", self.fit.decay.l1.to_string());
        option("l2", self.fit.decay.l2.to_string());
        words.extend(rules::extra_words(&self.fit));
        let mut option = |name: &str, value: String| words.push(format!("--{name} {value}"));
        option("validation", self.validation.to_string());
        if let Some(Stop { by, patience }) = self.stop {
            option("stop", by.name().into());
            option("patience", patience.to_string());
        }
        option("betas", self.betas.to_string());
        option("seed", self.seed.to_string());
        words.join(" ")
    }
}

/// Writes a word as a shell takes it.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    if word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}
