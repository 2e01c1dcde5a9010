//! Holds general Boltzmann machines: units that any graph couples, and what is found by sampling them.
//!
//! [`Machine`] holds the parameters, and [`View`] samples it at any inverse temperature or on the way from a base. A sweep
//! visits the units in the order of a [`Scan`] and draws each by a [`Rule`]; what a unit receives is an exact integer, so
//! that neither the order of sums nor the [`Storage`] changes a bit. Small machines are enumerated: ln Z, exact samples,
//! [`Exact`] gradients, and the maximum of the likelihood by [`Newton`]'s method.

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
mod file;
mod form;
mod gradients;
mod graph;
pub mod ground;
mod hopfield;
pub mod lattice;
mod law;
mod linear;
mod machine;
mod maximise;
mod mean_field;
mod parameters;
mod path;
pub mod read;
mod scan;
mod sites;
mod stand;
mod state;
mod sums;
mod view;

pub use codes::Storage;
pub use colouring::Colouring;
pub use exact::ENUMERABLE;
pub use file::Header;
pub use gradients::{Exact, MeanField, PseudoLikelihood};
pub use graph::{Graph, Neighbour};
pub use hopfield::{Learning, Recall};
pub use machine::Machine;
pub use maximise::{Maximum, Newton};
pub use mean_field::Order;
pub use path::Path;
pub use scan::{Rule, Scan};
pub use sites::UnitSites;
pub use state::State;
pub use view::View;
