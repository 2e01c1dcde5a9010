//! Reads problems from the text files of the field: G-set for Max-Cut, qbsolv for QUBO, coordinates (COO) for both kinds.

mod coo;
mod gset;
mod lines;
mod qubo;

pub use coo::coo;
pub use gset::gset;
pub use qubo::qubo;
