//! Declares what an energy over real numbers must be able to do.

use crate::Error;

/// Is an energy over real vectors with its gradient.
pub trait Smooth: Sync {
    /// Gives the number of coordinates, 1 or more.
    fn dim(&self) -> usize;

    /// Computes E(x) in nats, a finite number; ∫ e^−E(x) dx must be finite too.
    fn energy(&self, x: &[f64]) -> f64;

    /// Writes ∂E/∂x.
    fn gradient(&self, x: &[f64], out: &mut [f64]);

    /// Refuses parameters that do not fit each other.
    ///
    /// # Errors
    /// Says what was expected.
    fn check(&self) -> Result<(), Error> {
        Ok(())
    }
}
