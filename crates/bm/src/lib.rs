//! Holds general Boltzmann machines: units that any graph couples, and what is found by sampling them.

#[macro_use(mutant)]
extern crate harmonium_kernels;

mod graph;
pub mod ground;
pub mod lattice;
pub mod read;

pub use graph::{Graph, Neighbour};
