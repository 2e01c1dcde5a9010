//! Holds data as they lie in a file, before a schema says what their columns are.

use std::path::Path;

use super::binarize::binarize;
use super::open::{Format, format};
use super::table::place;
use super::{Binarize, Cell, Cells, ReadOptions, Table, Values, open};
use crate::{Error, Key};

/// Holds text, in which values may be missing, or numbers.
#[derive(Clone, Debug, PartialEq)]
pub enum Frame {
    /// The cells of comma-separated text.
    Text(Cells),
    /// The numbers of an array, and where they come from.
    Numbers(String, Table),
}

impl Frame {
    /// Reads a file as [`open()`] does, but keeps the text of `*.csv` and `*.data`.
    ///
    /// # Errors
    /// As [`open()`] and [`Cells::open`].
    pub fn open(path: &Path, options: &ReadOptions) -> Result<Self, Error> {
        options.check()?;
        if format(path)?.0 == Format::Csv {
            options.check_unused(&path.display().to_string())?;
            return Cells::open(path).map(Self::Text);
        }
        Ok(Self::Numbers(path.display().to_string(), open(path, options)?))
    }

    /// Gives the number of rows.
    pub fn rows(&self) -> usize {
        match self {
            Self::Text(cells) => cells.rows(),
            Self::Numbers(_, table) => table.rows(),
        }
    }

    /// Gives the number of columns.
    pub fn columns(&self) -> usize {
        match self {
            Self::Text(cells) => cells.columns(),
            Self::Numbers(_, table) => table.columns(),
        }
    }

    /// Gives the names of the columns, if there are any.
    pub fn names(&self) -> Option<&[String]> {
        match self {
            Self::Text(cells) => cells.names(),
            Self::Numbers(..) => None,
        }
    }

    /// Makes bits of grey values, if asked to; `key` is that of the part.
    ///
    /// # Errors
    /// As [`binarize()`]; refuses text with words or missing values.
    pub fn binarized(self, how: Binarize, key: Key) -> Result<Self, Error> {
        if how == Binarize::None {
            return Ok(self);
        }
        let (field, table) = match self {
            Self::Text(cells) => (cells.field().to_owned(), cells.table(how)?),
            Self::Numbers(field, table) => (field, table),
        };
        let bits = binarize(&table, how, key)?;
        let table = Table::from_bits(&field, bits)?;
        Ok(Self::Numbers(field, table))
    }

    /// Names where the data come from.
    pub(super) fn field(&self) -> &str {
        match self {
            Self::Text(cells) => cells.field(),
            Self::Numbers(field, _) => field,
        }
    }

    /// Reads a cell; a byte is a grey value b / 255, or itself where values are `whole`.
    pub(super) fn cell(&self, row: usize, column: usize, whole: bool) -> Cell<'_> {
        match self {
            Self::Text(cells) => Cell::read(cells.text(row, column)),
            Self::Numbers(_, table) => match table.values() {
                Values::Bytes(bytes) if whole => {
                    Cell::Number(f32::from(bytes[row * table.columns() + column]))
                }
                _ => Cell::Number(table.value(row, column)),
            },
        }
    }

    /// Tells whether the values are bits, each of which may stand for a spin.
    pub(super) fn is_bits(&self) -> bool {
        matches!(self, Self::Numbers(_, table) if matches!(table.values(), Values::Bits(_)))
    }

    /// Gives a cell as a class would be called.
    pub(super) fn label(&self, row: usize, column: usize) -> String {
        match (self, self.cell(row, column, true)) {
            (Self::Text(cells), _) => cells.text(row, column).to_owned(),
            (_, Cell::Number(x)) => x.to_string(),
            _ => String::new(),
        }
    }

    /// Names a place in the way of its file.
    pub(super) fn place(&self, row: usize, column: usize) -> String {
        match self {
            Self::Text(cells) => cells.place(row, column),
            Self::Numbers(..) => place(row, column),
        }
    }
}
