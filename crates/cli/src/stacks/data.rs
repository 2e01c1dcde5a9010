//! Loads rows with their labels, as grey values and as bits.

use std::path::Path;

use harmonium::data::{
    Binarize, Drawn, Part, ReadOptions, Source, Table, Values, binarize, mnist, mnist_folder, open,
};
use harmonium::{Batch, Error, Key, purpose};
use ndarray::Array2;

use super::judge::Seen;
use crate::args::Reading;

/// The largest class.
const MOST: f32 = 999.0;

/// The classes of rows, none for those that have none.
pub(crate) type Labels = Vec<Option<usize>>;

/// Holds rows and what is known of them.
pub(crate) struct Loaded {
    table: Table,
    pub(crate) labels: Option<Labels>,
    key: Key,
}

/// Loads a part of a set; a file has but one. `labels` names a file, or none for no labels; mnist has its own.
///
/// # Errors
/// Names what is wrong with a file or its values; refuses other than one label a row.
pub(crate) fn load(
    data: &str,
    reading: &Reading,
    labels: Option<&str>,
    part: Part,
    seed: u64,
) -> Result<Loaded, Error> {
    let (table, own) = match Source::parse(data)? {
        Source::Mnist if reading.packed.is_some() || reading.array.is_some() => {
            return Err(Error::option("packed", "a file, as mnist has pictures of its own", "mnist"));
        }
        Source::Mnist => {
            let set = mnist(&mnist_folder()?)?;
            let (table, own) =
                if part == Part::Train { (set.train, set.train_labels) } else { (set.test, set.test_labels) };
            (table, Some(own.into_iter().map(|label| Some(usize::from(label))).collect()))
        }
        Source::File(path) => {
            (open(&path, &ReadOptions { packed: reading.packed, array: reading.array.clone() })?, None)
        }
    };
    let labels = match labels {
        Some("none") => None,
        Some(file) => Some(read_labels(Path::new(file), table.rows())?),
        None => own,
    };
    let key = Key::from_seed(seed).fold_in(purpose::BINARIZE).fold_in(u64::from(part == Part::Test));
    Ok(Loaded { table, labels, key })
}

impl Loaded {
    /// Gives the number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.table.rows()
    }

    /// Gives the rows as a model takes them: as grey values, and as bits if it takes bits.
    ///
    /// # Errors
    /// As [`Loaded::grey`] and [`Loaded::bits`].
    pub(crate) fn seen(&self, how: Binarize, bits: bool) -> Result<Seen, Error> {
        let grey = self.grey()?;
        Ok(Seen { bits: if bits { self.bits(how)? } else { grey.clone() }, grey })
    }

    /// Gives the values from 0 to 1 as they are.
    ///
    /// # Errors
    /// Refuses values that are not finite.
    pub(crate) fn grey(&self) -> Result<Batch, Error> {
        let (rows, columns) = (self.table.rows(), self.table.columns());
        Batch::reals(Array2::from_shape_fn((rows, columns), |(r, c)| self.table.value(r, c)))
    }

    /// Gives bits that are drawn anew in each epoch; `key` is that of the seed.
    ///
    /// # Errors
    /// As [`Drawn::new`].
    pub(crate) fn drawn(&self, key: Key) -> Result<Drawn, Error> {
        Drawn::new(self.table.clone(), key)
    }

    /// Gives bits.
    ///
    /// # Errors
    /// As [`binarize()`].
    pub(crate) fn bits(&self, how: Binarize) -> Result<Batch, Error> {
        Batch::from_bits(binarize(&self.table, how, self.key)?)
    }
}

/// Reads one class a row.
fn read_labels(path: &Path, rows: usize) -> Result<Labels, Error> {
    let table = open(path, &ReadOptions::default())?;
    let field = format!("labels {}", path.display());
    if (table.rows(), table.columns()) != (rows, 1) {
        let got = format!("{} x {}", table.rows(), table.columns());
        return Err(Error::shape(field, format!("one column of {rows} labels, one a row of the data"), got));
    }
    let one = |row: usize| match table.values() {
        Values::Bytes(bytes) => f32::from(bytes[row]),
        _ => table.value(row, 0),
    };
    let class = |row: usize| match one(row) {
        -1.0 => Ok(None),
        x if (0.0..=MOST).contains(&x) && x.fract() == 0.0 => Ok(Some(x as usize)),
        x => {
            let place = format!("row {row} (counted from 0)");
            Err(Error::value(&field, place, format!("a whole number from 0 to {MOST}, or -1"), x))
        }
    };
    (0..rows).map(class).collect()
}

/// Counts the classes, and refuses labels that tell nothing apart or that a model does not have.
///
/// # Errors
/// Names the row, or says how many classes there are.
pub(crate) fn count(labels: &[Option<usize>], classes: Option<usize>) -> Result<usize, Error> {
    let most = labels.iter().flatten().max().map_or(0, |most| most + 1);
    if let Some(classes) = classes {
        let wrong = labels.iter().position(|label| label.is_some_and(|label| label >= classes));
        let refuse = |row: usize| {
            let got = labels[row].unwrap_or_default();
            Err(Error::value(
                "labels",
                format!("row {row} (counted from 0)"),
                format!("a class below {classes}"),
                got,
            ))
        };
        return wrong.map_or(Ok(classes), refuse);
    }
    let mut known = labels.iter().flatten();
    let first = known.next();
    if first.is_none() || known.all(|label| Some(label) == first) {
        let got = first.map_or("none".to_owned(), |label| format!("class {label} alone"));
        return Err(Error::shape("labels", "two classes at least", got));
    }
    Ok(most)
}
