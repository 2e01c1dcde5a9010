//! Reads the six sets of the sweep, each with rows to train on and rows to judge by.

use std::path::{Path, PathBuf};

use harmonium::data::{
    Binarize, Cells, Part, ReadOptions, Source, binarize, fold, mnist, mnist_folder, open,
};
use harmonium::prelude::*;
use ndarray::Array2;

/// The value from which a pixel of the digits, 0 to 16, is on.
const INK: f32 = 8.0;

/// Is a set by its name, and how many hidden units its machines get: so many that ln Z is exact or its estimate tight.
pub(crate) struct Set {
    pub(crate) name: &'static str,
    pub(crate) hidden: usize,
    pub(crate) train: Batch,
    pub(crate) valid: Batch,
}

/// Reads a set; none where its files are not at hand.
///
/// # Errors
/// Refuses an unknown name; what is wrong with a file.
pub(crate) fn read(name: &str, extra: Option<&Path>) -> Result<Option<Set>, Error> {
    let rows = |folder: &str| extra.map(|extra| extra.join(folder)).filter(|folder| folder.is_dir());
    match name {
        "mnist" => images().map(Some),
        "digits" => digits(&root().join("data/digits/digits.csv.gz")).map(Some),
        "house-votes" => rows("house-votes-84").map(|folder| votes(&folder)).transpose(),
        "nltcs" => rows("debd/nltcs").map(|folder| parts("nltcs", 50, &folder)).transpose(),
        "mushrooms" => rows("debd/mushrooms").map(|folder| parts("mushrooms", 20, &folder)).transpose(),
        "voting" => rows("debd/voting").map(|folder| parts("voting", 16, &folder)).transpose(),
        other => Err(Error::option("sets", "mnist, digits, nltcs, mushrooms, voting or house-votes", other)),
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Makes the parts of a set that is split by the rule of five folds: the first judges.
fn split(all: &Batch) -> (Batch, Batch) {
    let of = |judges: bool| all.gather((0..all.rows()).filter(|&row| (fold(row as u64) == 0) == judges));
    (of(false), of(true))
}

fn images() -> Result<Set, Error> {
    let images = mnist(&mnist_folder()?)?.train;
    let bits = binarize(&images, Binarize::Sample, Key::from_seed(1).fold_in(purpose::BINARIZE))?;
    let all = Batch::from_bits(bits)?;
    let (train, valid) = (all.gather(0..50_000), all.gather(50_000..60_000));
    Ok(Set { name: "mnist", hidden: 100, train, valid })
}

fn digits(file: &Path) -> Result<Set, Error> {
    let table = open(file, &ReadOptions::default())?;
    let ink = |(row, column)| f32::from(u8::from(table.value(row, column) >= INK));
    let all = Batch::new(Array2::from_shape_fn((table.rows(), 64), ink).view())?;
    let (train, valid) = split(&all);
    Ok(Set { name: "digits", hidden: 100, train, valid })
}

/// Reads the votes: missing ones stay missing in the rows to train on, and rows that have any judge nothing.
fn votes(folder: &Path) -> Result<Set, Error> {
    let cells = Cells::open(&folder.join("house-votes-84.csv.gz"))?;
    let vote = |(row, column)| match cells.text(row, column + 1) {
        "y" => 1.0,
        "n" => 0.0,
        _ => f32::NAN,
    };
    let values = Array2::from_shape_fn((cells.rows(), 16), vote);
    let (train, valid) = split(&Batch::with_missing(values.view(), &Units::Bernoulli(16))?);
    let whole = |row: &usize| valid.missing().is_none_or(|missing| (0..16).all(|c| !missing.get(*row, c)));
    let valid = Batch::new(valid.gather((0..valid.rows()).filter(whole)).to_array().view())?;
    Ok(Set { name: "house-votes", hidden: 50, train, valid })
}

/// Reads a set of the Density Estimation Benchmark, split as given.
fn parts(name: &'static str, hidden: usize, folder: &Path) -> Result<Set, Error> {
    let rows = |part: &str| -> Result<Batch, Error> {
        let source = Source::File(folder.join(format!("{name}.{part}.data.gz")));
        let rows = source.load(Part::Train, &ReadOptions::default(), Binarize::None, Key::from_seed(1))?;
        rows.ok_or_else(|| Error::shape(name, "rows", "none"))
    };
    Ok(Set { name, hidden, train: rows("train")?, valid: rows("valid")? })
}
