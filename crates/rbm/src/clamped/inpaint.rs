//! Fills gaps of rows by chains of their own, which start at independent units and are annealed.

use std::borrow::Cow;

use harmonium_core::{Batch, EnergyModel, Error, Key};
use harmonium_kernels::BitMatrix;

use super::known::Known;
use super::{Clamped, Clamping};
use crate::{Imputed, Rbm};

impl Rbm {
    /// Clamps what is there of rows with gaps, `(n, visible)` of any kind of units.
    ///
    /// # Errors
    /// Refuses rows that the visible units can't take.
    pub fn inpainting<'a>(&'a self, data: &'a Batch) -> Result<Clamped<'a>, Error> {
        self.check_data(data)?;
        let none = || BitMatrix::zeros(data.rows(), data.units());
        let missing = data.missing().cloned().unwrap_or_else(none);
        Ok(Clamped::new(self, Cow::Borrowed(data), Known::Given(self.take(data).into_owned(), missing)))
    }

    /// Computes mean and deviation of what is missing given what is there; unlike [`Rbm::impute`] by several chains a row, which
    /// are annealed, so that several completions of an image are all found. `key` is that of the seed.
    ///
    /// # Errors
    /// As [`Rbm::inpainting`]; refuses options out of range.
    pub fn inpaint(&self, data: &Batch, options: &Clamping, key: Key) -> Result<Imputed, Error> {
        self.inpainting(data)?.marginals(options, key, &mut |_| ())
    }
}
