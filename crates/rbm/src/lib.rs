//! Builds restricted Boltzmann machines: E(v, h) = −v·W·h − b·v − c·h, p ∝ e^−E.
//!
//! [`Rbm`] holds the parameters; [`View`] is the same machine at another inverse temperature or on the way from a base
//! model, and holds every formula once. [`Path`] is what annealed importance sampling walks along.

#[macro_use(mutant)]
extern crate harmonium_kernels;

mod energy_model;
mod enumerate;
mod evaluate;
mod features;
mod file;
mod gradients;
mod path;
mod pseudo;
mod rbm;
mod state;
mod trajectory;
mod view;

pub use evaluate::{Annealing, ENUMERABLE, Likelihood, Watch};
pub use file::{Header, Origin};
pub use gradients::{Exact, MeanField, Order, PseudoLikelihood};
pub use path::Path;
pub use rbm::{Parts, Rbm};
pub use state::State;
pub use view::View;
