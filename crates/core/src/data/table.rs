//! Holds a table of data: rows are samples, columns are values.

use std::ops::Range;

use harmonium_kernels::BitMatrix;
use ndarray::Array2;

use crate::rows::check_named;
use crate::{Batch, Error, Rows};

/// Holds the values of a [`Table`], row after row, in the least memory that keeps them.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Grey values: byte b stands for b / 255.
    Bytes(Vec<u8>),
    /// Real values, all finite.
    Reals(Vec<f32>),
    /// Zeros and ones.
    Bits(BitMatrix),
}

/// Holds `(rows, columns)` values; at least one row and one column, every value finite.
///
/// Rows and columns are counted from 0, here and in every error.
///
/// ```
/// use harmonium_core::data::Table;
/// let table = Table::from_bytes("pixels", 2, 2, vec![0, 51, 102, 255])?;
/// assert_eq!(table.value(0, 1), 0.2);
/// assert_eq!(table.slice_rows(1..2)?.value(0, 1), 1.0);
/// # Ok::<(), harmonium_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    rows: usize,
    columns: usize,
    values: Values,
}

impl Table {
    /// Takes grey bytes, `rows · columns` of them; `field` names their origin in errors.
    ///
    /// # Errors
    /// No rows, no columns, more than 2³² − 1 rows, or a wrong number of bytes.
    pub fn from_bytes(field: &str, rows: usize, columns: usize, bytes: Vec<u8>) -> Result<Self, Error> {
        check_shape(field, rows, columns, bytes.len())?;
        Ok(Self { rows, columns, values: Values::Bytes(bytes) })
    }

    /// Takes unsigned bytes of a file: zeros and ones where there is nothing else, as no grey picture is that dark, and grey
    /// values otherwise.
    pub(super) fn from_small(
        field: &str,
        rows: usize,
        columns: usize,
        bytes: Vec<u8>,
    ) -> Result<Self, Error> {
        check_shape(field, rows, columns, bytes.len())?;
        if bytes.iter().any(|&byte| byte > 1) {
            return Self::from_bytes(field, rows, columns, bytes);
        }
        Self::from_bits(
            field,
            BitMatrix::from_fn(rows, columns, |row, column| bytes[row * columns + column] == 1),
        )
    }

    /// Takes real values, `rows · columns` of them.
    ///
    /// # Errors
    /// As [`Table::from_bytes`]; a NaN or an infinity, with its row and column.
    pub fn from_reals(field: &str, rows: usize, columns: usize, reals: Vec<f32>) -> Result<Self, Error> {
        check_shape(field, rows, columns, reals.len())?;
        if let Some(index) = reals.iter().position(|value| !value.is_finite()) {
            let place = place(index / columns, index % columns);
            return Err(Error::value(field, place, "a finite 32-bit number", reals[index]));
        }
        Ok(Self { rows, columns, values: Values::Reals(reals) })
    }

    /// Takes bits; rows and columns are those of the matrix.
    ///
    /// # Errors
    /// No rows, no columns, or more than 2³² − 1 rows.
    pub fn from_bits(field: &str, bits: BitMatrix) -> Result<Self, Error> {
        let (rows, columns) = (bits.rows(), bits.units());
        check_sides(field, rows, columns)?;
        Ok(Self { rows, columns, values: Values::Bits(bits) })
    }

    /// Gives the number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Gives the number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Gives all values as they are stored.
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// Reads one value; a byte b is b / 255.
    ///
    /// # Panics
    /// If the row or the column is outside the table.
    pub fn value(&self, row: usize, column: usize) -> f32 {
        assert!(
            row < self.rows && column < self.columns,
            "value ({row}, {column}) of ({}, {})",
            self.rows,
            self.columns
        );
        let index = row * self.columns + column;
        match &self.values {
            Values::Bytes(bytes) => f32::from(bytes[index]) / 255.0,
            Values::Reals(reals) => reals[index],
            Values::Bits(bits) => f32::from(u8::from(bits.get(row, column))),
        }
    }

    /// Copies some rows: `(n, columns) → (range.len(), columns)`.
    ///
    /// # Errors
    /// An empty range, or one that ends behind the last row.
    pub fn slice_rows(&self, range: Range<usize>) -> Result<Self, Error> {
        if range.is_empty() || range.end > self.rows {
            let expected = format!("a range of one row or more within 0..{}", self.rows);
            return Err(Error::shape("rows", expected, format!("{range:?}")));
        }
        let part = range.start * self.columns..range.end * self.columns;
        let rows = range.len();
        let values = match &self.values {
            Values::Bytes(bytes) => Values::Bytes(bytes[part].to_vec()),
            Values::Reals(reals) => Values::Reals(reals[part].to_vec()),
            Values::Bits(bits) => Values::Bits(bits.gather(range)),
        };
        Ok(Self { rows, columns: self.columns, values })
    }
}

/// A table hands out bits as such, and other values as real ones; bytes stay bytes until they are read.
impl Rows for Table {
    fn rows(&self) -> usize {
        self.rows
    }

    fn units(&self) -> usize {
        self.columns
    }

    fn read(&self, rows: &[u32]) -> Result<Batch, Error> {
        check_named(rows, self.rows)?;
        let row = |r: usize| rows[r] as usize;
        match &self.values {
            Values::Bits(bits) => Batch::from_bits(bits.gather(rows.iter().map(|&row| row as usize))),
            _ => Batch::reals(Array2::from_shape_fn((rows.len(), self.columns), |(r, c)| {
                self.value(row(r), c)
            })),
        }
    }
}

/// Names a place in a table the way every error does.
pub(super) fn place(row: usize, column: usize) -> String {
    format!("row {row}, column {column} (counted from 0)")
}

fn check_shape(field: &str, rows: usize, columns: usize, values: usize) -> Result<(), Error> {
    check_sides(field, rows, columns)?;
    if rows.checked_mul(columns) != Some(values) {
        let expected = format!("{rows} rows × {columns} columns of values");
        return Err(Error::shape(field, expected, format!("{values} values")));
    }
    Ok(())
}

pub(super) fn check_sides(field: &str, rows: usize, columns: usize) -> Result<(), Error> {
    if rows == 0 || columns == 0 {
        let got = format!("{rows} rows and {columns} columns");
        return Err(Error::shape(field, "one row and one column at least", got));
    }
    // The order of the rows in an epoch is kept in 32-bit indices.
    if u32::try_from(rows).is_err() {
        return Err(Error::shape(field, format!("at most {} rows", u32::MAX), rows));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn the_three_kinds_of_values_read_and_slice_alike() {
        let bits = BitMatrix::from_fn(3, 2, |r, c| r == c);
        let reals: Vec<f32> = (0..6).map(|i| f32::from(u8::from(i / 2 == i % 2))).collect();
        let bytes = reals.iter().map(|&v| if v == 1.0 { 255 } else { 0 }).collect();
        let tables = [
            Table::from_bits("t", bits).unwrap(),
            Table::from_bytes("t", 3, 2, bytes).unwrap(),
            Table::from_reals("t", 3, 2, reals).unwrap(),
        ];
        for table in tables {
            let part = table.slice_rows(1..3).unwrap();
            assert_eq!((part.rows(), part.columns()), (2, 2));
            assert_eq!((part.value(0, 0), part.value(0, 1), part.value(1, 1)), (0.0, 1.0, 0.0));
            assert!(table.slice_rows(1..1).is_err());
            assert!(table.slice_rows(2..4).is_err());
            assert_eq!(table.read(&[2, 1]).unwrap().to_array(), array![[0.0, 0.0], [0.0, 1.0]]);
            assert!(table.read(&[3]).is_err() && table.read(&[]).is_err());
        }
    }

    #[test]
    fn a_shape_that_does_not_hold_is_refused() {
        for (rows, columns) in [(0, 1), (1, 0), (2, 2), (usize::MAX, 2)] {
            let error = Table::from_bytes("t", rows, columns, vec![0]).unwrap_err();
            assert!(matches!(error.kind(), crate::ErrorKind::Shape(_)), "{error}");
        }
        assert!(Table::from_bits("t", BitMatrix::zeros(0, 3)).is_err());
    }

    #[test]
    fn a_value_that_is_not_finite_is_named_with_its_place() {
        let error = Table::from_reals("t", 2, 2, vec![0.0, 1.0, f32::INFINITY, f32::NAN]).unwrap_err();
        let said = "t at row 1, column 0 (counted from 0): expected a finite 32-bit number, got inf";
        assert_eq!(error.to_string(), said);
    }
}
