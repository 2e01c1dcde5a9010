//! Changes a gradient before the optimiser sees it: centring, penalties, scaling and clipping.

mod centre;
mod clip;
mod decay;
mod fisher;
mod group;
mod sparsity;

pub use centre::{Centre, Enhanced};
pub(super) use centre::{dot, shift};
pub use clip::Clip;
pub use decay::Decay;
pub use fisher::Fisher;
pub use group::GroupL1;
pub use sparsity::Sparsity;

use crate::stats::Phases;
use crate::{Block, Error, Params};

/// Changes a gradient, given the parameters and the statistics that it came from.
pub trait Transform {
    /// Applies the change in place.
    fn apply(&mut self, gradient: &mut Params, blocks: &[Block<'_>], phases: &Phases);
}

/// Refuses a number that is not positive and finite.
pub(super) fn positive(field: &str, value: f32) -> Result<(), Error> {
    if value.is_finite() && value > 0.0 {
        return Ok(());
    }
    Err(Error::option(field, "a positive number", value))
}

/// Refuses a number that is negative or not finite.
pub(super) fn strength(field: &str, value: f32) -> Result<(), Error> {
    if value.is_finite() && value >= 0.0 {
        return Ok(());
    }
    Err(Error::option(field, "0 or more", value))
}
