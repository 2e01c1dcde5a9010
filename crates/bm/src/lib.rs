//! Holds general Boltzmann machines: units that any graph couples, and what is found by sampling them.

#[macro_use(mutant)]
extern crate harmonium_kernels;

mod chain;
mod codes;
mod colouring;
mod convert;
mod dense;
mod energy_model;
mod evaluable;
mod exact;
mod form;
mod gradients;
mod graph;
pub mod ground;
mod hopfield;
pub mod lattice;
mod linear;
mod machine;
mod maximise;
mod mean_field;
mod path;
pub mod read;
mod scan;
mod state;
mod sums;
mod view;

pub use codes::Storage;
pub use colouring::Colouring;
pub use exact::ENUMERABLE;
pub use gradients::{Exact, MeanField, PseudoLikelihood};
pub use graph::{Graph, Neighbour};
pub use hopfield::{Learning, Recall};
pub use machine::Machine;
pub use maximise::{Maximum, Newton};
pub use mean_field::Order;
pub use path::Path;
pub use scan::{Rule, Scan};
pub use state::State;
pub use view::View;
