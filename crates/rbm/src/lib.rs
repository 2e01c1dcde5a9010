//! Builds restricted Boltzmann machines: E(v, h) = U(v) + U(h) − v·W·h, p ∝ e^−E, with units of any kind on either side; for
//! bits U(v) = −b·v.
//!
//! [`Rbm`] holds the parameters; [`View`] is the same machine at another inverse temperature or on the way from a base
//! model, and holds every formula once. [`Path`] is what annealed importance sampling walks along.

#[macro_use(mutant)]
extern crate harmonium_kernels;

mod clamped;
mod classifier;
mod conditional;
mod coupling;
mod dropout;
mod energy_model;
mod enumerate;
mod evaluate;
mod features;
mod file;
mod gauge;
mod general;
mod gradients;
mod grey;
mod growth;
mod impute;
mod path;
mod pseudo;
pub mod ratings;
mod rbm;
mod reals;
mod replicated;
mod sites;
mod state;
mod trajectory;
mod view;

pub use clamped::{Clamped, Clamping, Coarse, Noise};
pub use classifier::{Classifier, ClassifierView, Discriminative, Hybrid, labelled};
pub use conditional::{Conditional, ConditionalState, ConditionalView, History, Pairs, Prediction, Rolling};
pub use dropout::{Dropout, Thinned, ThinnedState, ThinnedView};
pub use evaluate::ENUMERABLE;
pub use file::{Header, Origin};
pub use gradients::{Exact, MeanField, Order, PseudoLikelihood};
pub use grey::Grey;
pub use harmonium_core::evaluate::{Annealing, Likelihood, Watch};
pub use harmonium_core::sample::Imputed;
pub use impute::Imputing;
pub use path::Path;
pub use rbm::{Parts, Rbm};
pub use reals::VisibleReals;
pub use replicated::{LengthPath, MAX_LENGTH, Perplexity, ReplicatedSoftmax, ReplicatedView};
pub use sites::VisibleSites;
pub use state::State;
pub use view::View;
