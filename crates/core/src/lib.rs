//! Holds what every energy-based model shares: units, sampling, training, evaluation, data and files.
//!
//! One batch walks like this: [`data`] hands out rows, [`train::fit`] derives the step's keys, an
//! [`train::Estimator`] fills the [`stats::Phases`], their contrast is the gradient, [`train::Transform`]s change it, the
//! [`train::Optimizer`] moves the parameters, the [`train::Guard`] looks at them, an [`train::Observer`] looks at all.
//! Nothing here knows a particular model, and nothing draws without a [`Key`].

#[macro_use(mutant)]
extern crate harmonium_kernels;

pub mod address;
pub mod batch;
pub mod data;
pub mod doctor;
pub mod error;
pub mod evaluate;
pub mod linear;
pub mod model;
pub mod params;
pub mod persist;
pub mod rows;
pub mod sample;
pub mod stats;
pub mod train;
pub mod units;

pub use batch::Batch;
pub use error::{Error, ErrorKind};
pub use harmonium_kernels::{Backend, BitMatrix, Key, profile, purpose};
pub use model::{Annealed, EnergyModel, Gibbs, HiddenMeans, Marginal, Thermal};
pub use params::{Block, BlockMut, HasParams, Params};
pub use rows::Rows;

/// Makes sure that the back end which the environment asks for, if any, is one that this machine has.
///
/// # Errors
/// Names the variable, the back ends, and what was got.
pub fn check_backend() -> Result<Backend, Error> {
    Backend::select().map_err(|got| Error::option("back end", "one that this machine has", got))
}
