//! Joins a run's folder and recipe with its data.

use harmonium::persist::{digest_bits, digest_rows};
use harmonium::{Batch, Error};

use crate::folder::Folder;
use crate::recipe::Recipe;
use crate::source::{Parts, Training};

/// Is a run with its data split.
pub(crate) struct Run {
    pub(crate) folder: Folder,
    pub(crate) recipe: Recipe,
    pub(crate) train: Training,
    pub(crate) validation: Option<Batch>,
    pub(crate) test: Option<Batch>,
}

/// Digests the rows, and behind them which values are missing.
///
/// # Errors
/// Says which rows could not be read.
pub(crate) fn digest(train: &Training) -> Result<String, Error> {
    let rows = digest_rows(train.all())?;
    let missing = train.shown().missing().map(|mask| format!("+{}", digest_bits(mask)));
    Ok(rows + &missing.unwrap_or_default())
}

impl Run {
    /// Loads the data of an existing run, and makes sure that they are those it was begun with.
    ///
    /// # Errors
    /// Says what is wrong with them.
    pub(crate) fn load(folder: Folder, mut recipe: Recipe) -> Result<Self, Error> {
        recipe.check()?;
        let Parts { train, validation, test } = recipe.load(&recipe.data.clone())?;
        let digest = digest(&train)?;
        if digest != recipe.data_digest {
            let expected = format!("the rows of the run, digest {}", recipe.data_digest);
            return Err(Error::value("data", &recipe.data, expected, format!("digest {digest}")));
        }
        Ok(Self { folder, recipe, train, validation, test })
    }

    /// Chooses the rows that the run is judged on: the best that it did not train on.
    pub(crate) fn judged(&self) -> (&'static str, &Batch) {
        match (&self.test, &self.validation) {
            // Test rows are for a recipe that is settled: while rows are kept for validation, those decide.
            (_, Some(rows)) => ("validation", rows),
            (Some(rows), None) => ("test", rows),
            (None, None) => ("training", self.train.shown()),
        }
    }
}
