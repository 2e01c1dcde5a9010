//! Holds general Boltzmann machines: units that any graph couples, and what is found by sampling them.

mod graph;
pub mod ground;
pub mod read;

pub use graph::{Graph, Neighbour};
