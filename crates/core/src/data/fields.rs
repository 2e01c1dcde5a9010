//! Turns the columns of a table into features of visible units, and back.

use ndarray::Array2;

use super::settle::{self, some};
use super::{Cell, Column, Frame, Kind, Role, Schema};
use crate::{Batch, Error};

/// Holds the columns that a settled schema uses, in the order of the file, and where their features are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields {
    /// The columns.
    pub each: Vec<Field>,
    /// The columns of each kind by their place in `each`; parts of the visible layer are in this order.
    pub(super) groups: Vec<(Kind, Vec<usize>)>,
    /// Columns of the file, used or not.
    columns: usize,
}

/// Is a column that is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// The kind of its unit.
    pub kind: Kind,
    /// What the classes are called, if not by their numbers.
    pub classes: Vec<String>,
    /// Its number in the file, counted from 0.
    pub column: usize,
    /// The first of its features.
    pub first: usize,
}

impl Field {
    /// Writes a value as the data have it; a class by its number or by its name.
    pub fn show(&self, value: f32) -> String {
        let class = self.classes.get(value as usize).filter(|_| value >= 0.0);
        class.map_or_else(|| value.to_string(), Clone::clone)
    }

    /// Reads a cell: a number, or a class by its name; NaN where it is missing.
    fn read(&self, frame: &Frame, row: usize, column: usize) -> Result<f32, Error> {
        let cell = frame.cell(row, column, self.kind.is_whole());
        if cell == Cell::Gap {
            return Ok(f32::NAN);
        }
        if !self.classes.is_empty() {
            let label = frame.label(row, column);
            let known = self.classes.iter().position(|class| *class == label);
            // An array has no words: there classes that are called by words go by their numbers.
            let words = self.classes.iter().all(|class| class.parse::<f32>().is_err());
            let number = label.parse().ok().filter(|&at: &usize| at < self.classes.len());
            let known = known.or(number.filter(|_| words && matches!(frame, Frame::Numbers(..))));
            let expected = || format!("one of {}", some(&self.classes));
            return known
                .map(|at| at as f32)
                .ok_or_else(|| self.refused(frame, (row, column), &expected(), &label));
        }
        let Cell::Number(x) = cell else {
            return Err(self.refused(frame, (row, column), "a number", &frame.label(row, column)));
        };
        let x = if self.kind == Kind::Spin && frame.is_bits() { 2.0 * x - 1.0 } else { x };
        match self.kind.refuses(x) {
            Some(expected) => Err(self.refused(frame, (row, column), &expected, &x.to_string())),
            None => Ok(x),
        }
    }

    fn refused(&self, frame: &Frame, at: (usize, usize), expected: &str, got: &str) -> Error {
        let got: String = got.chars().take(40).collect();
        let expected = format!("{expected} ({})", self.kind);
        Error::value(frame.field(), frame.place(at.0, at.1), expected, format!("{got:?}"))
    }
}

impl Fields {
    /// Lays out the columns of a settled schema.
    ///
    /// # Errors
    /// Refuses a schema that uses no column or is not settled.
    pub fn new(schema: &Schema) -> Result<Self, Error> {
        let columns = schema.listed();
        let field = |(column, Column { name, kind, classes, .. }): (usize, &Column)| match *kind {
            Role::Units(kind) => {
                Some(Ok(Field { name: name.clone(), kind, classes: classes.clone(), column, first: 0 }))
            }
            Role::Ignore => None,
            Role::Auto => Some(Err(Error::value("schema", format!("column {name}"), "a kind", "auto"))),
        };
        let each: Vec<Field> = columns.iter().enumerate().filter_map(field).collect::<Result<_, Error>>()?;
        if each.is_empty() {
            return Err(Error::shape("schema", "one column at least that is not left out", "none"));
        }
        let mut out = Self { groups: groups(&each), each, columns: columns.len() };
        out.place();
        Ok(out)
    }

    fn place(&mut self) {
        let mut next = 0;
        for (kind, members) in &self.groups {
            for &member in members {
                self.each[member].first = next;
                next += kind.width();
            }
        }
    }

    /// Gives the number of features.
    pub fn features(&self) -> usize {
        self.groups.iter().map(|(kind, members)| kind.width() * members.len()).sum()
    }

    /// Tells whether all columns are of one kind.
    pub fn is_uniform(&self) -> bool {
        self.groups.len() == 1
    }

    /// Finds the columns in a file: by their names where both have such, else by their numbers, columns that are left out
    /// being there or not.
    ///
    /// # Errors
    /// Names a column that is not there or is there twice, or says how many there should be.
    pub fn places(&self, frame: &Frame) -> Result<Vec<usize>, Error> {
        if let Some(names) = frame.names() {
            let known = settle::names(frame);
            let at = |field: &Field| known.iter().position(|name| *name == field.name);
            let numbered = |field: &Field| field.name == (field.column + 1).to_string();
            if !self.each.iter().all(numbered) {
                let absent = |field: &Field| {
                    let expected = format!("a column {} ({})", field.name, field.kind);
                    Error::shape(frame.field(), expected, format!("columns {}", some(names)))
                };
                let twice = |field: &&Field| names.iter().filter(|name| **name == field.name).count() > 1;
                if let Some(field) = self.each.iter().find(|field| mutant!("B205", twice(field), false)) {
                    let expected = "columns of different names";
                    return Err(Error::value(
                        frame.field(),
                        "line 1",
                        expected,
                        format!("two called {}", field.name),
                    ));
                }
                let found = |field: &Field| mutant!("B129", at(field), Some(field.column));
                return self.each.iter().map(|field| found(field).ok_or_else(|| absent(field))).collect();
            }
        }
        let got = frame.columns();
        if got == self.columns {
            return Ok(self.each.iter().map(|field| field.column).collect());
        }
        if got == self.each.len() {
            return Ok((0..got).collect());
        }
        Err(Error::shape("data", format!("{} columns", self.each.len()), format!("{got} columns")))
    }

    /// Reads the rows of a file: one column a field, classes by their numbers, NaN where a value is missing.
    ///
    /// # Errors
    /// As [`Fields::places`]; names the first value that does not fit its column.
    pub fn values(&self, frame: &Frame) -> Result<Array2<f32>, Error> {
        let places = self.places(frame)?;
        let mut values = Vec::with_capacity(frame.rows() * places.len());
        for row in 0..frame.rows() {
            for (field, &column) in self.each.iter().zip(&places) {
                values.push(field.read(frame, row, column)?);
            }
        }
        Array2::from_shape_vec((frame.rows(), places.len()), values)
            .map_err(|e| Error::shape("data", "whole rows", e))
    }

    /// Makes rows for the visible units: `(n, columns) → (n, features)`.
    ///
    /// # Errors
    /// As [`Fields::values`].
    pub fn batch(&self, frame: &Frame, schema: &Schema) -> Result<Batch, Error> {
        let (values, units) = (self.values(frame)?, schema.units()?);
        if self.is_uniform() {
            return Batch::with_missing(values.view(), &units);
        }
        Batch::with_missing(self.encoded(&values).view(), &units)
    }

    /// Spreads classes over their features.
    fn encoded(&self, values: &Array2<f32>) -> Array2<f32> {
        let mut out = Array2::zeros((values.nrows(), self.features()));
        for (place, field) in self.each.iter().enumerate() {
            for row in 0..values.nrows() {
                let x = values[(row, place)];
                for class in 0..field.kind.width() {
                    let on = if x.is_nan() { x } else { f32::from(u8::from(x == class as f32)) };
                    let value = if matches!(field.kind, Kind::Categorical(_)) { on } else { x };
                    out[(row, mutant!("B125", field.first, place) + class)] = value;
                }
            }
        }
        out
    }

    /// Gives back one column a field; of classes the likeliest: `(n, features) → (n, columns)`.
    ///
    /// # Panics
    /// If the features are not those of these fields.
    pub fn decoded(&self, features: &Array2<f32>) -> Array2<f32> {
        Array2::from_shape_fn((features.nrows(), self.each.len()), |(row, place)| {
            let field = &self.each[place];
            let value = |class: usize| features[(row, field.first + class)];
            if !matches!(field.kind, Kind::Categorical(_)) {
                return value(0);
            }
            let better = |best: usize, class: usize| if value(class) > value(best) { class } else { best };
            (1..field.kind.width()).fold(0, better) as f32
        })
    }
}

/// Puts columns of one kind together, in the order in which the kinds come.
fn groups(each: &[Field]) -> Vec<(Kind, Vec<usize>)> {
    let mut out: Vec<(Kind, Vec<usize>)> = Vec::new();
    for (place, field) in each.iter().enumerate() {
        match out.iter_mut().find(|(kind, _)| *kind == field.kind) {
            Some((_, members)) => members.push(place),
            None => out.push((field.kind, vec![place])),
        }
    }
    out
}

#[cfg(test)]
#[path = "fields_tests.rs"]
mod tests;
