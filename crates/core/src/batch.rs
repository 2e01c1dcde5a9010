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
    /// Which features are missing, if any are.
    missing: Option<BitMatrix>,
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

    /// Takes rows for units of this kind in which NaN stands for a missing value: `(n, visible)`, one column a unit (of
    /// categorical units its class); of mixed units one column a feature.
    ///
    /// # Errors
    /// Names the first value that the units can't take, and refuses an array without rows or columns.
    #[allow(clippy::needless_pass_by_value)]
    pub fn with_missing(values: ArrayView2<'_, f32>, units: &Units) -> Result<Self, Error> {
        units.check()?;
        let (classes, expected) = match units {
            Units::Categorical { units, classes } => (Some(*classes), *units),
            other => (None, other.features()),
        };
        if values.ncols() != expected {
            let got = format!("{} columns", values.ncols());
            return Err(Error::shape("data", format!("{expected} columns"), got));
        }
        let placeholder = if matches!(units, Units::Spin(_)) { -1.0 } else { 0.0 };
        let known = values.mapv(|x| if x.is_nan() { placeholder } else { x });
        let batch = match units {
            Units::Categorical { classes, .. } => {
                Self::classes(to_classes(&known, *classes)?.view(), *classes)?
            }
            Units::Spin(_) => Self::spins(known.view())?,
            Units::Bernoulli(_) => Self::new(known.view())?,
            _ => Self::reals(known)?,
        };
        let wide = classes.unwrap_or(1);
        let missing = BitMatrix::from_fn(batch.rows(), batch.units(), |r, f| values[(r, f / wide)].is_nan());
        Ok(batch.masked(missing))
    }

    /// Marks features as missing; what stands in their place counts for nothing.
    ///
    /// # Panics
    /// If the mask is of another shape.
    #[must_use]
    pub fn masked(self, missing: BitMatrix) -> Self {
        assert_eq!((missing.rows(), missing.units()), (self.rows(), self.units()), "shape of the mask");
        let any = missing.words().iter().any(|&word| word != 0);
        Self { missing: any.then_some(missing), ..self }
    }

    /// Gives which features are missing, if any are: `(n, visible)`.
    pub fn missing(&self) -> Option<&BitMatrix> {
        self.missing.as_ref()
    }

    /// Gives the same rows with these states, and nothing missing.
    ///
    /// # Panics
    /// If the states are of another shape.
    #[must_use]
    pub fn completed(&self, states: States) -> Self {
        assert_eq!((states.rows(), states.features()), (self.rows(), self.units()), "shape of the rows");
        Self { states, classes: self.classes, missing: None }
    }

    /// Refuses missing values.
    ///
    /// # Errors
    /// Names the first one.
    pub fn check_complete(&self, field: &str) -> Result<(), Error> {
        let Some(missing) = &self.missing else { return Ok(()) };
        let first = (0..self.rows())
            .find_map(|row| (0..self.units()).find(|&unit| missing.get(row, unit)).map(|unit| (row, unit)));
        let (row, column) = first.unwrap_or_default();
        Err(Error::value(field, format!("row {row}, column {column}"), "a value", "a missing one"))
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
        Ok(Self { states, classes: None, missing: None })
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
        let rows: Vec<usize> = rows.into_iter().collect();
        let states = self.states.gather(rows.iter().copied());
        assert!(states.rows() > 0, "a batch holds at least one row");
        let missing = self.missing.as_ref().map(|missing| missing.gather(rows));
        Self { states, classes: self.classes, missing }
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
            (States::Reals(values), units) if !units.is_binary() => {
                units.check_values(field, values, self.missing.as_ref())
            }
            _ => Err(kind(&format!("{units}"))),
        }
    }
}

/// Reads classes that are written as numbers.
fn to_classes(values: &Array2<f32>, classes: usize) -> Result<Array2<u16>, Error> {
    let wrong = |x: f32| !(x >= 0.0 && x.fract() == 0.0 && x < classes as f32);
    refuse(&values.view(), wrong, &format!("a class below {classes}"))?;
    Ok(values.mapv(|x| x as u16))
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
