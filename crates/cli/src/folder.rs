//! Knows where the files of a run lie, and opens whatever a user calls a model.

use std::path::{Path, PathBuf};

use harmonium::Error;
use harmonium::data::Schema;
use harmonium::persist::{RealVfs, Vfs, newest, write_bytes_atomically};
use harmonium::rbm::{Header, Rbm};
use harmonium::units::Units;

use crate::recipe::Recipe;

/// The file system that all commands use.
pub(crate) static VFS: RealVfs = RealVfs;

/// Is the folder of one run.
#[derive(Clone, Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// Takes an existing run.
    pub(crate) fn at(path: &Path) -> Self {
        Self(path.to_path_buf())
    }

    /// Makes the folder of a new run.
    ///
    /// # Errors
    /// Refuses a folder that already holds a run.
    pub(crate) fn create(wanted: Option<&Path>, name: &str) -> Result<Self, Error> {
        let folder = match wanted {
            Some(path) => Self(path.to_path_buf()),
            None => Self::next(name),
        };
        if folder.recipe().exists() || folder.model().exists() {
            let place = folder.path().display();
            return Err(Error::option("out", "a folder without a run in it", place));
        }
        create_all(folder.path())?;
        Ok(folder)
    }

    fn next(name: &str) -> Self {
        let numbered = (1..).map(|n| PathBuf::from("runs").join(format!("{name}-{n:03}")));
        Self(numbered.into_iter().find(|path| !path.exists()).unwrap_or_default())
    }

    /// Gives the folder itself.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Gives the recipe's file.
    pub(crate) fn recipe(&self) -> PathBuf {
        self.0.join("recipe.json")
    }

    /// Gives the schema's file, which a run on other data than bits has.
    pub(crate) fn schema(&self) -> PathBuf {
        self.0.join("schema.json")
    }

    /// Gives the finished model's file.
    pub(crate) fn model(&self) -> PathBuf {
        self.0.join("model.hmn")
    }

    /// Gives the file with the best state of a run that stops early.
    pub(crate) fn best(&self) -> PathBuf {
        self.0.join("best.hmn")
    }

    /// Gives the checkpoints' folder.
    pub(crate) fn checkpoints(&self) -> PathBuf {
        self.0.join("checkpoints")
    }

    /// Gives the file with one line of figures an epoch.
    pub(crate) fn metrics(&self) -> PathBuf {
        self.0.join("metrics.jsonl")
    }

    /// Gives the file with the final figures.
    pub(crate) fn result(&self) -> PathBuf {
        self.0.join("result.json")
    }

    /// Gives the report's file.
    pub(crate) fn report(&self) -> PathBuf {
        self.0.join("report.html")
    }

    /// Reads the recipe of the run.
    ///
    /// # Errors
    /// Says so where there is none, or what is wrong with it.
    pub(crate) fn read_recipe(&self) -> Result<Recipe, Error> {
        Recipe::from_json(&read_text(&self.recipe())?)
    }

    /// Writes the recipe of the run.
    ///
    /// # Errors
    /// Says which operation failed.
    pub(crate) fn write_recipe(&self, recipe: &Recipe) -> Result<(), Error> {
        if let Some(schema) = &recipe.schema {
            let text = serde_json::to_string_pretty(schema);
            let text = text.map_err(|e| Error::format("schema", "", "values that JSON can hold", e))?;
            write_text(&self.schema(), &text)?;
        }
        write_text(&self.recipe(), &recipe.to_json()?)
    }
}

/// Opens a model file, a checkpoint, or the newest model of a run's folder.
///
/// # Errors
/// Says which file could not be read and why.
pub(crate) fn open_model(path: &Path) -> Result<(Rbm, Header), Error> {
    if !path.is_dir() {
        return Rbm::load(&VFS, path);
    }
    let folder = Folder::at(path);
    let checkpoint = newest::<Header>(&VFS, &folder.checkpoints());
    if !folder.model().exists() {
        return Rbm::from_loaded(checkpoint?.loaded);
    }
    let finished = Rbm::load(&VFS, &folder.model())?;
    match checkpoint {
        // A run that was prolonged has gone on since its model was written; one that stops early has gone on to worse.
        Ok(newest) if newest.step > finished.1.step && !stops(&finished.1) => Rbm::from_loaded(newest.loaded),
        _ => Ok(finished),
    }
}

/// Gives what the columns of data are to a model that takes no bits: as its recipe says, else by its visible units.
pub(crate) fn schema(rbm: &Rbm, header: &Header) -> Option<Schema> {
    let units = rbm.visible().units();
    let told = Recipe::from_json(&header.recipe).ok().and_then(|recipe| recipe.schema);
    let fits = |schema: &Schema| schema.units().is_ok_and(|found| found == units);
    let plain = matches!(units, Units::Bernoulli(_));
    told.filter(fits).or_else(|| (!plain).then(|| Schema::of(&units)))
}

fn stops(header: &Header) -> bool {
    Recipe::from_json(&header.recipe).is_ok_and(|recipe| recipe.stop.is_some())
}

/// Gives the seed of a command: as asked, else the model's, else 1.
pub(crate) fn seed(asked: Option<u64>, header: &Header) -> u64 {
    asked.unwrap_or(if header.recipe.is_empty() { 1 } else { header.seed })
}

/// Writes a text as a whole or not at all.
///
/// # Errors
/// Says which operation failed.
pub(crate) fn write_text(path: &Path, text: &str) -> Result<(), Error> {
    write_bytes_atomically(&VFS, path, text.as_bytes())
}

/// Refuses a place where no file can be written, before long work is done for it.
///
/// # Errors
/// Says what stands there, or that its folder is missing.
pub(crate) fn check_place(path: &Path) -> Result<(), Error> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if path.is_dir() {
        return Err(Error::option("out", "the name of a file", format!("the folder {}", path.display())));
    }
    match folder.filter(|folder| !folder.is_dir()) {
        Some(folder) => Err(Error::option("out", "a folder that is there", folder.display())),
        None => Ok(()),
    }
}

/// Reads a text.
///
/// # Errors
/// Says which operation failed, or that the file is no text.
pub(crate) fn read_text(path: &Path) -> Result<String, Error> {
    let mut text = String::new();
    let mut source = VFS.open(path).map_err(|e| Error::io("open", path, e))?;
    source.read_to_string(&mut text).map_err(|e| Error::io("read", path, e))?;
    Ok(text)
}

/// Makes a folder and those that it lies in.
///
/// # Errors
/// Says which one could not be made.
pub(crate) fn create_all(path: &Path) -> Result<(), Error> {
    for part in path.ancestors().collect::<Vec<_>>().into_iter().rev() {
        if !part.as_os_str().is_empty() && !part.is_dir() {
            VFS.create_dir(part).map_err(|e| Error::io("create folder", part, e))?;
        }
    }
    Ok(())
}
