//! Holds checked rows: bits packed 64 to a word, or real values.

use harmonium_kernels::BitMatrix;
use ndarray::{Array2, ArrayView2};

use crate::Error;
use crate::units::{States, Units};

/// Holds data, `(n, visible)`, one sample a row: bits, classes or real values.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    states: States,
    /// Classes of a column, where the bits are one for each.
    classes: Option<usize>,
}

impl Batch {
    /// Packs values that are exactly 0 or 1: `(n, visible)`.
    ///
    /// # Errors
    /// Names the first value that is neither, and refuses an array without rows or columns.
    #[allow(clippy::needless_pass_by_value)] // A view is passed by value wherever ndarray is at home.
    pub fn new(values: ArrayView2<'_, f32>) -> Result<Self, Error> {
        let wrong = |x: f32| mutant!("B52", x != 0.0 && x != 1.0, !(-3.0..=3.0).contains(&x));
        refuse(&values, wrong, "0 or 1")?;
        let (rows, units) = values.dim();
        Self::from_bits(BitMatrix::from_fn(rows, units, |r, u| values[(r, u)] == 1.0))
    }

    /// Packs spins, values that are exactly −1 or +1: `(n, visible)`. +1 is the bit that is set.
    ///
    /// # Errors
    /// Names the first value that is neither, and refuses an array without rows or columns.
    #[allow(clippy::needless_pass_by_value)]
    pub fn spins(values: ArrayView2<'_, f32>) -> Result<Self, Error> {
        refuse(&values, |x| x != 1.0 && x != -1.0, "-1 or 1")?;
        let (rows, units) = values.dim();
        Self::from_bits(BitMatrix::from_fn(rows, units, |r, u| values[(r, u)] == 1.0))
    }

    /// Takes classes from 0 to below `classes`, one a column: `(n, units)`. Each becomes one bit a class.
    ///
    /// # Errors
    /// Names the first value that is no such class, and refuses fewer than two classes and an array without rows or columns.
    #[allow(clippy::needless_pass_by_value)]
    pub fn classes(values: ArrayView2<'_, u16>, classes: usize) -> Result<Self, Error> {
        Units::Categorical { units: values.ncols(), classes }.check()?;
        if let Some(((row, column), got)) = values.indexed_iter().find(|&(_, &c)| usize::from(c) >= classes) {
            let expected = format!("a class below {classes}");
            return Err(Error::value("data", format!("row {row}, column {column}"), expected, got));
        }
        let bit = |r: usize, u: usize| usize::from(values[(r, u / classes)]) == u % classes;
        let bits = BitMatrix::from_fn(values.nrows(), values.ncols() * classes, bit);
        Ok(Self { classes: Some(classes), ..Self::from_bits(bits)? })
    }

    /// Takes real values: `(n, visible)`.
    ///
    /// # Errors
    /// Names the first value that is not finite, and refuses an array without rows or columns.
    pub fn reals(values: Array2<f32>) -> Result<Self, Error> {
        refuse(&values.view(), |x| !x.is_finite(), "a finite number")?;
        Self::from_states(States::Reals(values))
    }

    /// Takes packed bits.
    ///
    /// # Errors
    /// Refuses a matrix without rows or columns.
    pub fn from_bits(bits: BitMatrix) -> Result<Self, Error> {
        Self::from_states(States::Bits(bits))
    }

    /// Takes states of a layer, say samples.
    ///
    /// # Errors
    /// Refuses states without rows or columns.
    pub fn from_states(states: States) -> Result<Self, Error> {
        if states.rows() == 0 || states.features() == 0 {
            let got = format!("{} x {}", states.rows(), states.features());
            return Err(Error::shape("data", "at least one row and one column", got));
        }
        Ok(Self { states, classes: None })
    }

    /// Gives the number of rows.
    pub fn rows(&self) -> usize {
        self.states.rows()
    }

    /// Gives the number of visible features, that is of columns; a column of classes has one a class.
    pub fn units(&self) -> usize {
        self.states.features()
    }

    /// Gives the rows as states of a visible layer.
    pub fn states(&self) -> &States {
        &self.states
    }

    /// Gives the packed rows.
    ///
    /// # Errors
    /// Refuses data that are no bits.
    pub fn bits(&self) -> Result<&BitMatrix, Error> {
        self.states.bits().ok_or_else(|| Error::shape("data", "bits", "real values"))
    }

    /// Names the kind of units that take such values.
    pub fn natural_units(&self) -> Units {
        match (&self.states, self.classes) {
            (States::Reals(_), _) => Units::Gaussian(self.units()),
            (_, None) => Units::Bernoulli(self.units()),
            (_, Some(classes)) => Units::Categorical { units: self.units() / classes, classes },
        }
    }

    /// Copies the named rows, in the order given.
    ///
    /// # Panics
    /// If no row is named, or one that is not there.
    #[must_use]
    pub fn gather(&self, rows: impl IntoIterator<Item = usize>) -> Self {
        let states = self.states.gather(rows);
        assert!(states.rows() > 0, "a batch holds at least one row");
        Self { states, classes: self.classes }
    }

    /// Gives bits as 0 and 1, and real values as they are: `(n, visible)`.
    pub fn to_array(&self) -> Array2<f32> {
        self.states.to_array()
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

    /// Refuses rows that units of this kind can't take.
    ///
    /// # Errors
    /// Says which width or kind was expected, or names the first value that is out of range.
    pub fn check_kind(&self, field: &str, units: &Units) -> Result<(), Error> {
        self.check_units(field, units.features())?;
        let kind = |expected: &str| Error::shape(field, expected, format!("{}", self.natural_units()));
        match (&self.states, units) {
            (States::Bits(_), Units::Categorical { classes, .. }) if self.classes != Some(*classes) => {
                Err(kind(&format!("{units}")))
            }
            (States::Bits(_), units) if units.is_binary() => Ok(()),
            (States::Reals(values), units) if !units.is_binary() => units.check_values(field, values),
            _ => Err(kind(&format!("{units}"))),
        }
    }
}

fn refuse(values: &ArrayView2<'_, f32>, wrong: impl Fn(f32) -> bool, expected: &str) -> Result<(), Error> {
    match values.indexed_iter().find(|&(_, &x)| wrong(x)) {
        Some(((row, column), got)) => {
            Err(Error::value("data", format!("row {row}, column {column}"), expected, got))
        }
        None => Ok(()),
    }
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
