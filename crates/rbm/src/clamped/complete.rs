//! Completes rows of a class: bits of which some are known, or none, given what they show.

use harmonium_core::units::States;
use harmonium_core::{Batch, Error, Key};
use harmonium_kernels::BitMatrix;
use ndarray::s;

use super::Clamping;
use crate::{Classifier, Imputed};

impl Classifier {
    /// Computes p(x = 1 | class, what is there of x) of every bit that is missing: `(n, units)` and one class a row. `key` is
    /// that of the seed.
    ///
    /// # Errors
    /// Refuses rows of another width or of other values than bits, classes that there are not, and options out of range.
    pub fn complete_class(
        &self,
        x: &Batch,
        classes: &[usize],
        options: &Clamping,
        key: Key,
    ) -> Result<Imputed, Error> {
        let rows = self.of_class(x, classes)?;
        let found = self.rbm().inpaint(&rows, options, key)?;
        let own = s![.., ..self.units()];
        Ok(Imputed { mean: found.mean.slice(own).to_owned(), spread: found.spread.slice(own).to_owned() })
    }

    /// Draws such rows: the last states of all chains, `(n × chains, units)`.
    ///
    /// # Errors
    /// As [`Classifier::complete_class`].
    pub fn draw_class(
        &self,
        x: &Batch,
        classes: &[usize],
        options: &Clamping,
        key: Key,
    ) -> Result<Batch, Error> {
        let rows = self.of_class(x, classes)?;
        let drawn = self.rbm().inpainting(&rows)?.draws(options, key)?;
        let bits = drawn.bits()?;
        Batch::from_bits(BitMatrix::from_fn(bits.rows(), self.units(), |r, u| bits.get(r, u)))
    }

    /// Puts classes behind rows, as what is known.
    fn of_class(&self, x: &Batch, classes: &[usize]) -> Result<Batch, Error> {
        x.check_units("data", self.units())?;
        if classes.len() != x.rows() {
            let (rows, given) = (x.rows(), classes.len());
            return Err(Error::shape("classes", format!("one for each of {rows} rows"), given));
        }
        if let Some((row, &class)) = classes.iter().enumerate().find(|&(_, &class)| class >= self.classes()) {
            let expected = format!("a class below {}", self.classes());
            return Err(Error::value("classes", format!("row {row}"), expected, class));
        }
        let (bits, n, width) = (x.bits()?, self.units(), self.rbm().visible_units());
        let on =
            |r: usize, f: usize| if f < n { bits.get(r, f) } else { classes[r] == mutant!("B301", f - n, 0) };
        let gone = |r: usize, f: usize| f < n && x.missing().is_some_and(|missing| missing.get(r, f));
        let rows = Batch::from_states(States::Bits(BitMatrix::from_fn(x.rows(), width, on)))?;
        Ok(rows.masked(BitMatrix::from_fn(x.rows(), width, gone)))
    }
}
