//! Holds checked binary rows, packed 64 units to a word.

use harmonium_kernels::BitMatrix;
use ndarray::{Array2, ArrayView2};

use crate::Error;

/// Holds binary data, `(n, visible)`, one sample a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    bits: BitMatrix,
}

impl Batch {
    /// Packs values that are exactly 0 or 1: `(n, visible)`.
    ///
    /// # Errors
    /// Names the first value that is neither, and refuses an array without rows or columns.
    #[allow(clippy::needless_pass_by_value)] // A view is passed by value wherever ndarray is at home.
    pub fn new(values: ArrayView2<'_, f32>) -> Result<Self, Error> {
        let wrong = |x: f32| mutant!("B52", x != 0.0 && x != 1.0, !(-3.0..=3.0).contains(&x));
        if let Some(((row, column), got)) = values.indexed_iter().find(|&(_, &x)| wrong(x)) {
            return Err(Error::value("data", format!("row {row}, column {column}"), "0 or 1", got));
        }
        let (rows, units) = values.dim();
        Self::from_bits(BitMatrix::from_fn(rows, units, |r, u| values[(r, u)] == 1.0))
    }

    /// Takes packed bits.
    ///
    /// # Errors
    /// Refuses a matrix without rows or columns.
    pub fn from_bits(bits: BitMatrix) -> Result<Self, Error> {
        if bits.rows() == 0 || bits.units() == 0 {
            let got = format!("{} x {}", bits.rows(), bits.units());
            return Err(Error::shape("data", "at least one row and one column", got));
        }
        Ok(Self { bits })
    }

    /// Gives the number of rows.
    pub fn rows(&self) -> usize {
        self.bits.rows()
    }

    /// Gives the number of visible units, that is of columns.
    pub fn units(&self) -> usize {
        self.bits.units()
    }

    /// Gives the packed rows.
    pub fn bits(&self) -> &BitMatrix {
        &self.bits
    }

    /// Copies the named rows, in the order given.
    ///
    /// # Panics
    /// If no row is named, or one that is not there.
    pub fn gather(&self, rows: impl IntoIterator<Item = usize>) -> Self {
        let bits = self.bits.gather(rows);
        assert!(bits.rows() > 0, "a batch holds at least one row");
        Self { bits }
    }

    /// Unpacks to 0 and 1: `(n, visible)`.
    pub fn to_array(&self) -> Array2<f32> {
        unpack(&self.bits)
    }

    /// Refuses rows of another width than `units`.
    ///
    /// # Errors
    /// Says which width was expected and which was got.
    pub fn check_units(&self, field: &str, units: usize) -> Result<(), Error> {
        if self.units() == units {
            return Ok(());
        }
        Err(Error::shape(field, format!("{units} columns"), format!("{} columns", self.units())))
    }
}

/// Unpacks bits to 0 and 1: `(n, units)`.
pub fn unpack(bits: &BitMatrix) -> Array2<f32> {
    Array2::from_shape_fn((bits.rows(), bits.units()), |(r, u)| f32::from(u8::from(bits.get(r, u))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn values_come_back_and_others_than_bits_are_named() {
        let x = array![[0.0, 1.0, 1.0], [1.0, 0.0, 0.0]];
        assert_eq!(Batch::new(x.view()).unwrap().to_array(), x);
        let error = Batch::new(array![[0.0, 0.5]].view()).unwrap_err();
        assert_eq!(error.to_string(), "data at row 0, column 1: expected 0 or 1, got 0.5");
        assert!(Batch::new(Array2::zeros((0, 3)).view()).is_err());
    }

    #[test]
    fn reversed_and_transposed_views_are_read_as_they_look() {
        let x = array![[0.0, 1.0, 1.0], [1.0, 0.0, 0.0]];
        let turned = x.t();
        assert_eq!(Batch::new(turned).unwrap().to_array(), turned);
    }
}
