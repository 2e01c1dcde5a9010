//! Holds what every energy-based model shares: units, sampling, training, evaluation, data and files.

pub mod data;
pub mod error;
pub mod persist;

pub use error::{Error, ErrorKind};
pub use harmonium_kernels::{BitMatrix, Key, purpose};
