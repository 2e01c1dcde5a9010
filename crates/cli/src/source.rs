//! Loads the rows that a command names, as bits.

use harmonium::data::{Binarize, ReadOptions, Source, Table, binarize, load_tables};
use harmonium::{Batch, Error, Key, purpose};

use crate::args::Reading;

/// Chooses between the parts of a set that has two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Train,
    Test,
}

/// Holds the training rows, and the test rows where the set has some.
pub(crate) struct Rows {
    pub(crate) train: Batch,
    pub(crate) test: Option<Batch>,
}

impl Reading {
    fn options(&self) -> ReadOptions {
        ReadOptions { packed: self.packed, array: self.array.clone() }
    }

    /// Gives how grey values become bits: as asked, else sampled for mnist, else not at all.
    pub(crate) fn how(&self, source: &Source) -> Binarize {
        self.binarize.unwrap_or(match source {
            Source::Mnist => Binarize::Sample,
            Source::File(_) => Binarize::None,
        })
    }
}

/// Loads both parts of a set.
///
/// # Errors
/// Names what is wrong with the file or its values.
pub(crate) fn load(data: &str, reading: &Reading, seed: u64) -> Result<Rows, Error> {
    let source = Source::parse(data)?;
    let tables = load_tables(&source, &reading.options())?;
    let how = reading.how(&source);
    let train = bits(&tables.train, how, seed, Part::Train)?;
    let test = tables.test.as_ref().map(|test| bits(test, how, seed, Part::Test)).transpose()?;
    Ok(Rows { train, test })
}

/// Loads one part of a set; a file has but one.
///
/// # Errors
/// Names what is wrong with the file or its values.
pub(crate) fn load_part(data: &str, reading: &Reading, seed: u64, part: Part) -> Result<Batch, Error> {
    let source = Source::parse(data)?;
    let tables = load_tables(&source, &reading.options())?;
    let table = tables.test.as_ref().filter(|_| part == Part::Test).unwrap_or(&tables.train);
    let part = if tables.test.is_some() { part } else { Part::Train };
    bits(table, reading.how(&source), seed, part)
}

fn bits(table: &Table, how: Binarize, seed: u64, part: Part) -> Result<Batch, Error> {
    let key = Key::from_seed(seed).fold_in(purpose::BINARIZE).fold_in(u64::from(part == Part::Test));
    Batch::from_bits(binarize(table, how, key)?)
}
