//! Hands out some of the rows of a data set, with their weights.

use harmonium_core::{Batch, Error, Rows, rows};

/// Is the rows that a tuning learns from, in their order.
pub(super) struct Chosen<'a> {
    data: &'a dyn Rows,
    rows: &'a [u32],
    weights: Option<Vec<f32>>,
}

impl<'a> Chosen<'a> {
    /// Chooses rows that are there.
    ///
    /// # Errors
    /// Refuses rows whose weights together count for none.
    pub(super) fn new(data: &'a dyn Rows, rows: &'a [u32]) -> Result<Self, Error> {
        let of = |weights: &[f32]| rows.iter().map(|&row| weights[row as usize]).collect();
        let out = Self { data, rows, weights: data.weights().map(of) };
        if rows::per_epoch(&out) > 0 {
            return Ok(out);
        }
        Err(Error::shape("weights", "a sum of half a row at least over the training rows", rows::total(&out)))
    }

    /// Gives the number of a row in the whole data set.
    pub(super) fn of_all(&self, row: u32) -> u32 {
        self.rows[row as usize]
    }
}

impl Rows for Chosen<'_> {
    fn rows(&self) -> usize {
        self.rows.len()
    }

    fn units(&self) -> usize {
        self.data.units()
    }

    fn read(&self, rows: &[u32]) -> Result<Batch, Error> {
        rows::check_named(rows, self.rows.len())?;
        self.data.read(&rows.iter().map(|&row| self.of_all(row)).collect::<Vec<_>>())
    }

    fn weights(&self) -> Option<&[f32]> {
        self.weights.as_deref()
    }
}
