//! Loads the rows that a command names, as bits or as a schema says.

use std::path::Path;

use harmonium::data::{
    Binarize, Fields, Frame, Kind, PackedFile, Part, ReadOptions, Role, Schema, Source, Weighted, open,
    split_last,
};
use harmonium::{Batch, Error, Key, Rows};

use crate::args::Reading;
use crate::picture::spread;

/// Rows of a streamed file that are kept in memory, for figures that are computed on loaded rows.
const SHOWN: usize = 10_000;

/// Holds the rows to train on: loaded, or in a file that is read as they are needed.
pub(crate) enum Training {
    Loaded(Batch),
    /// Rows with the rows' weights beside them, twice: as a training reads them, and alone.
    Weighted(Weighted<Batch>, Batch),
    /// The file, and rows spread evenly over it.
    Streamed(PackedFile, Batch),
}

/// Holds the rows of a run.
pub(crate) struct Parts {
    pub(crate) train: Training,
    pub(crate) validation: Option<Batch>,
    pub(crate) test: Option<Batch>,
}

impl Training {
    /// Gives all rows.
    pub(crate) fn all(&self) -> &dyn Rows {
        match self {
            Self::Loaded(rows) => rows,
            Self::Weighted(rows, _) => rows,
            Self::Streamed(file, _) => file,
        }
    }

    /// Gives the rows in memory, which stand for all.
    pub(crate) fn shown(&self) -> &Batch {
        match self {
            Self::Loaded(rows) | Self::Weighted(_, rows) | Self::Streamed(_, rows) => rows,
        }
    }

    /// Says so where figures of training rows are not those of all.
    pub(crate) fn notice(&self) -> Option<String> {
        if let Self::Weighted(..) = self {
            return Some("figures of training rows count each row once, whatever its weight".into());
        }
        let (all, shown) = (self.all().rows(), self.shown().rows());
        let text = || format!("figures of training rows are those of {shown}, spread evenly over all {all}");
        (shown < all).then(text)
    }
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

    fn load(&self, source: &Source, part: Part, seed: u64) -> Result<Option<Batch>, Error> {
        source.load(part, &self.options(), self.how(source), Key::from_seed(seed))
    }

    /// Reads a part as it lies: bits are made where they were asked for, or where mnist is to be bits.
    fn frame(&self, source: &Source, part: Part, schema: &Schema, seed: u64) -> Result<Option<Frame>, Error> {
        let how = self.binarize.unwrap_or(match source {
            Source::Mnist if asks_for_bits(schema) => Binarize::Sample,
            _ => Binarize::None,
        });
        source.frame(part, &self.options(), how, Key::from_seed(seed))
    }
}

/// Loads both parts of a set, the last `validation` training rows apart.
///
/// # Errors
/// Names what is wrong with the file or its values; refuses to leave no row to train on.
pub(crate) fn load(data: &str, reading: &Reading, validation: usize, seed: u64) -> Result<Parts, Error> {
    let source = Source::parse(data)?;
    let train = reading.load(&source, Part::Train, seed)?.ok_or_else(|| no_rows(data))?;
    let test = reading.load(&source, Part::Test, seed)?;
    let (train, validation) = split(train, validation)?;
    Ok(Parts { train: Training::Loaded(train), validation, test })
}

/// Loads both parts of a set as a schema says, and settles what it leaves open.
///
/// # Errors
/// As [`load`]; names a column or a value that does not fit the schema.
pub(crate) fn table(
    data: &str,
    reading: &Reading,
    schema: &mut Schema,
    validation: usize,
    seed: u64,
) -> Result<Parts, Error> {
    let source = Source::parse(data)?;
    let frame = reading.frame(&source, Part::Train, schema, seed)?.ok_or_else(|| no_rows(data))?;
    *schema = schema.settled(&frame)?;
    let fields = Fields::new(schema)?;
    let train = fields.batch(&frame, schema)?;
    let test = reading.frame(&source, Part::Test, schema, seed)?;
    let test = test.map(|frame| fields.batch(&frame, schema)).transpose()?;
    let (train, validation) = split(train, validation)?;
    Ok(Parts { train: Training::Loaded(train), validation, test })
}

/// Gives the rows to train on the weights of a file, one for each row of the data; those of rows kept for validation are left out.
///
/// # Errors
/// Says what could not be read; refuses other than one number a row, and weights that are none.
pub(crate) fn weighted(parts: Parts, file: &str) -> Result<Parts, Error> {
    let table = open(Path::new(file), &ReadOptions::default())?;
    let rows = parts.train.shown().rows();
    let expected = rows + parts.validation.as_ref().map_or(0, Batch::rows);
    if (table.rows(), table.columns()) != (expected, 1) {
        let got = format!("{} × {}", table.rows(), table.columns());
        return Err(Error::shape("weights", format!("one column of {expected} rows"), got));
    }
    let weights = (0..rows).map(|row| table.value(row, 0)).collect();
    let Training::Loaded(train) = parts.train else { return Ok(parts) };
    let weighted = Weighted::relative(train.clone(), weights)?;
    Ok(Parts { train: Training::Weighted(weighted, train), ..parts })
}

/// Tells whether all columns are bits or spins.
fn asks_for_bits(schema: &Schema) -> bool {
    let binary = |role: Role| matches!(role, Role::Units(Kind::Bernoulli | Kind::Spin));
    let roles: Vec<Role> = schema.columns.iter().map(|column| column.kind).collect();
    let used = roles.iter().chain([&schema.others]).filter(|role| matches!(role, Role::Units(_)));
    let all = used.clone().all(|&role| binary(role));
    all && used.count() > 0
}

/// Opens a file of packed bits to train on; the last `validation` rows are loaded.
///
/// # Errors
/// Refuses anything but an npy file of packed bits, and to leave no row to train on.
pub(crate) fn stream(data: &str, reading: &Reading, validation: usize) -> Result<Parts, Error> {
    let (Source::File(path), Some(units), None) = (Source::parse(data)?, reading.packed, &reading.array)
    else {
        return Err(Error::option("stream", "a file *.npy of bits, with --packed", data));
    };
    let (file, validation) = PackedFile::open(&path, units)?.split_last(validation)?;
    let shown: Vec<u32> = spread(file.rows(), SHOWN).into_iter().map(|row| row as u32).collect();
    let shown = file.read(&shown)?;
    Ok(Parts { train: Training::Streamed(file, shown), validation, test: None })
}

/// Loads one part of a set, as bits or as a schema says; a file has but one.
///
/// # Errors
/// Names what is wrong with the file or its values.
pub(crate) fn load_part(
    data: &str,
    reading: &Reading,
    schema: Option<&Schema>,
    seed: u64,
    part: Part,
) -> Result<Batch, Error> {
    let source = Source::parse(data)?;
    if let Some(schema) = schema {
        let read = |part| reading.frame(&source, part, schema, seed);
        let frame = match read(part)? {
            Some(frame) => frame,
            None => read(Part::Train)?.ok_or_else(|| no_rows(data))?,
        };
        return Fields::new(schema)?.batch(&frame, schema);
    }
    let found = match reading.load(&source, part, seed)? {
        Some(rows) => Some(rows),
        None => reading.load(&source, Part::Train, seed)?,
    };
    found.ok_or_else(|| no_rows(data))
}

fn no_rows(data: &str) -> Error {
    Error::option("data", "a source with rows", data)
}

/// Keeps the last rows for validation.
fn split(rows: Batch, validation: usize) -> Result<(Batch, Option<Batch>), Error> {
    if validation == 0 {
        return Ok((rows, None));
    }
    let (train, held_out) = split_last(rows.rows(), validation)?;
    Ok((rows.gather(train), Some(rows.gather(held_out))))
}
