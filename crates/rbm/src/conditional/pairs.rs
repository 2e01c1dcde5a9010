//! Says what a row holds, a condition before the visible units, and joins and splits such rows.
//!
//! Where both are binary a row is bits. Else it is numbers, as those of mixed units: bits as 0 and 1, spins as −1 and +1,
//! classes as a 1 among zeros.

use harmonium_core::units::{States, Unit, Units};
use harmonium_core::{Batch, Error};
use harmonium_kernels::{BitMatrix, Grid};
use ndarray::{Array2, Axis, Slice};

/// Names the kinds of the two parts of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pairs {
    condition: Units,
    visible: Units,
}

impl Pairs {
    /// Joins a condition, of one kind without parameters besides biases, and visible units of any kind.
    ///
    /// # Errors
    /// Refuses conditions of other kinds or without features, and mixed visible units of a single part.
    pub fn new(condition: Units, visible: Units) -> Result<Self, Error> {
        let mixed = matches!(condition, Units::Mixed(_));
        if mixed || condition.features() == 0 || !extra_free(&condition)? {
            let expected = "units of one simple kind (real numbers of any kind: Gaussian)";
            return Err(Error::option("condition", expected, condition));
        }
        visible.check()?;
        if matches!(&visible, Units::Mixed(parts) if parts.len() < 2) {
            return Err(Error::option("visible units", "several parts, or units of one kind", visible));
        }
        let pairs = Self { condition, visible };
        pairs.units().check()?;
        Ok(pairs)
    }

    /// Gives the kind of the condition.
    pub fn condition(&self) -> &Units {
        &self.condition
    }

    /// Gives the kind of the visible units.
    pub fn visible(&self) -> &Units {
        &self.visible
    }

    /// Gives the kind of whole rows, as files name it: mixed units whose first part is the condition.
    pub fn units(&self) -> Units {
        let own = match &self.visible {
            Units::Mixed(parts) => parts.clone(),
            one => vec![one.clone()],
        };
        Units::Mixed([vec![self.condition.clone()], own].concat())
    }

    /// Reads the two parts from the kind of whole rows.
    ///
    /// # Errors
    /// Refuses anything but mixed units of two parts or more.
    pub(super) fn of(units: &Units) -> Result<Self, Error> {
        units.check()?;
        let Units::Mixed(parts) = units else {
            return Err(Error::format("header", "visible", "a condition and visible units", units));
        };
        match &parts[..] {
            [condition, visible] => Self::new(condition.clone(), visible.clone()),
            [condition, rest @ ..] => Self::new(condition.clone(), Units::Mixed(rest.to_vec())),
            [] => Err(Error::format("header", "visible", "a condition and visible units", units)),
        }
    }

    /// Puts visible rows behind their conditions: `(n, condition)` and `(n, visible) → (n, condition + visible)`.
    ///
    /// # Errors
    /// Refuses rows of another kind or number, and missing values in a condition.
    pub fn join(&self, condition: &Batch, visible: &Batch) -> Result<Batch, Error> {
        self.check_condition(condition)?;
        visible.check_kind("visible", &self.visible)?;
        if condition.rows() != visible.rows() {
            let expected = format!("{} rows, one a condition", condition.rows());
            return Err(Error::shape("visible", expected, format!("{} rows", visible.rows())));
        }
        let rows = Batch::from_states(self.joined(condition.states(), visible.states()))?;
        let Some(missing) = visible.missing() else { return Ok(rows) };
        let width = self.condition.features();
        Ok(rows.masked(BitMatrix::from_fn(visible.rows(), width + visible.units(), |row, unit| {
            unit >= width && missing.get(row, unit - width)
        })))
    }

    /// Refuses rows that are no conditions.
    ///
    /// # Errors
    /// Says which width or kind was expected, or names the first value that is out of range.
    pub fn check_condition(&self, condition: &Batch) -> Result<(), Error> {
        condition.check_kind("condition", &self.condition)?;
        condition.check_complete("condition")
    }

    /// Refuses rows that [`Pairs::join`] would not give.
    ///
    /// # Errors
    /// As [`Pairs::join`].
    pub fn check(&self, field: &str, rows: &Batch) -> Result<(), Error> {
        if self.is_binary() {
            rows.check_units(field, self.units().features())?;
            self.check_classes(field, rows.bits()?, rows.missing())?;
        } else {
            rows.check_kind(field, &self.units())?;
        }
        let width = self.condition.features();
        let gone = |row: usize| (0..width).find(|&unit| rows.missing().is_some_and(|m| m.get(row, unit)));
        match (0..rows.rows()).find_map(|row| gone(row).map(|unit| (row, unit))) {
            Some((row, unit)) => {
                let place = format!("row {row}, column {unit}");
                Err(Error::value("condition", place, "a value", "a missing one"))
            }
            None => Ok(()),
        }
    }

    /// Refuses bits of which not one of each categorical unit is on, unless it is missing.
    fn check_classes(&self, field: &str, bits: &BitMatrix, missing: Option<&BitMatrix>) -> Result<(), Error> {
        let mut first = 0;
        for part in [&self.condition, &self.visible] {
            if let Units::Categorical { units, classes } = part {
                let odd = |&(row, unit): &(usize, usize)| {
                    let begin = first + unit * classes;
                    let on = (begin..begin + classes).filter(|&f| bits.get(row, f)).count();
                    on != 1 && !missing.is_some_and(|missing| missing.get(row, begin))
                };
                let all = (0..bits.rows()).flat_map(|row| (0..*units).map(move |unit| (row, unit)));
                if let Some((row, unit)) = { all }.find(odd) {
                    let place = format!("row {row}, column {}", first + unit * classes);
                    return Err(Error::value(field, place, "one class of each unit", "none or several"));
                }
            }
            first += part.features();
        }
        Ok(())
    }

    /// Refuses a condition that is too wide beside a layer of so many features.
    pub(super) fn check_width(&self, layer: usize) -> Result<(), Error> {
        let widest = layer.saturating_add(self.condition.features());
        if widest <= Grid::MAX_UNITS {
            return Ok(());
        }
        let expected = format!("at most {} features with those of a layer", Grid::MAX_UNITS);
        Err(Error::option("condition", expected, widest))
    }

    /// Tells whether a bit t of the condition stands for 2t − 1.
    pub(super) fn has_signs(&self) -> bool {
        matches!(self.condition, Units::Spin(_))
    }

    /// Tells whether whole rows are bits.
    pub(super) fn is_binary(&self) -> bool {
        self.condition.is_binary() && self.visible.is_binary()
    }

    /// Puts states behind those of a condition.
    pub(super) fn joined(&self, condition: &States, visible: &States) -> States {
        if let (States::Bits(u), States::Bits(v)) = (condition, visible) {
            let width = u.units();
            let bit = |row, unit| if unit < width { u.get(row, unit) } else { v.get(row, unit - width) };
            return States::Bits(BitMatrix::from_fn(u.rows(), width + v.units(), bit));
        }
        let [u, v] = [features(&self.condition, condition), features(&self.visible, visible)];
        let (rows, width) = (u.nrows(), u.ncols());
        let value = |(row, at)| if at < width { u[(row, at)] } else { v[(row, at - width)] };
        States::Reals(Array2::from_shape_fn((rows, width + v.ncols()), value))
    }

    /// Takes whole rows apart: the states of the condition and of the visible units.
    pub(super) fn split(&self, rows: &States) -> (States, States) {
        let width = self.condition.features();
        (part(&self.condition, rows, 0, width), part(&self.visible, rows, width, rows.features()))
    }
}

/// Tells whether units of a kind have no parameters but biases.
fn extra_free(units: &Units) -> Result<bool, Error> {
    units.check()?;
    Ok(units.layer(vec![0.0; units.features()]).extra().is_empty())
}

/// Gives states as numbers, spins as −1 and +1.
pub(super) fn features(units: &Units, states: &States) -> Array2<f32> {
    let sign = matches!(units, Units::Spin(_)) && states.bits().is_some();
    let values = states.to_array();
    if sign { values.mapv_into(|t| 2.0 * t - 1.0) } else { values }
}

/// Gives the states of units from their columns of whole rows.
fn part(units: &Units, rows: &States, begin: usize, end: usize) -> States {
    match rows {
        States::Bits(bits) => States::Bits(BitMatrix::from_fn(bits.rows(), end - begin, |row, unit| {
            bits.get(row, begin + unit)
        })),
        States::Reals(values) => {
            let own = values.slice_axis(Axis(1), Slice::from(begin..end));
            if !units.is_binary() {
                return States::Reals(own.as_standard_layout().into_owned());
            }
            States::Bits(BitMatrix::from_fn(own.nrows(), end - begin, |row, unit| own[(row, unit)] > 0.0))
        }
    }
}
