//! Walks from one row to another in the space of codes.

use harmonium_core::units::{States, Unit};
use harmonium_core::{Batch, Error};
use ndarray::Array2;

use crate::Rbm;

impl Rbm {
    /// Mixes the codes of two rows, (1 − t) ⟨h | a⟩ + t ⟨h | b⟩ for `steps` even values of t from 0 to 1, and gives the means of
    /// the visible units there: `(1, visible)` each `→ (steps, visible)`, in the data's own units.
    ///
    /// # Errors
    /// Refuses other than one row each, rows that the visible units can't take or with missing values, and fewer than two steps.
    pub fn interpolate(&self, from: &Batch, to: &Batch, steps: usize) -> Result<Array2<f32>, Error> {
        if from.rows() != 1 || to.rows() != 1 {
            let got = format!("{} and {}", from.rows(), to.rows());
            return Err(Error::shape("rows to walk between", "one and one", got));
        }
        if !(2..=10_000).contains(&steps) {
            return Err(Error::option("steps", "2 to 10000", steps));
        }
        let (a, b) = (self.transform(from)?, self.transform(to)?);
        let mix = |(step, j): (usize, usize)| {
            let t = step as f32 / (steps - 1) as f32;
            (1.0 - t) * a[(0, j)] + t * b[(0, j)]
        };
        let codes = States::Reals(Array2::from_shape_fn((steps, self.hidden_units()), mix));
        let view = self.view();
        let means = self.visible.means_of(&view.visible.mean(&view.visible_input(&codes)));
        Ok(self.give(States::Reals(means)).to_array())
    }
}
