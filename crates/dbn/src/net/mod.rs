//! Tunes feed-forward networks by backpropagation: classifiers, regressions and deep autoencoders.
//!
//! A [`Network`] starts at random or from the machines of a stack; [`tune`] minimises a [`Loss`] of its outputs against
//! [`Targets`], batch by batch, by the rules of `core::train`. Nothing here knows how the machines were trained.
#![allow(clippy::needless_pass_by_value)] // A view is passed by value wherever ndarray is at home.

mod autoencoder;
mod backprop;
mod build;
mod chosen;
mod conjugate;
mod disturb;
mod file;
mod hamming;
mod judge;
mod layer;
mod line;
mod loss;
mod network;
mod numeric;
mod options;
mod predict;
mod product;
mod progress;
mod snapshot;
mod targets;
mod tuner;
mod update;

pub use autoencoder::Autoencoder;
pub use backprop::Disturbance;
pub use build::Head;
pub use conjugate::{Conjugate, Searched, conjugate, minimise};
pub use disturb::{Noise, Omit};
pub use file::NetworkHeader;
pub use hamming::{Hamming, Neighbour};
pub use layer::{Activation, Dense};
pub use loss::{Goal, Loss};
pub use network::Network;
pub use options::{Score, Tuning};
pub use progress::Progress;
pub use snapshot::TuningSnapshot;
pub use targets::Targets;
pub use tuner::{Tuner, tune};
