//! Trains deep Boltzmann machines, whose layers infer together (Salakhutdinov & Hinton 2009).
//!
//! E = Σ U_l(x_l) − Σ x_{l−1}·W_l·x_l over the visible layer 0 and hidden layers 1 … L; for bits U(x) = −b·x. Layers of even number are
//! independent given those of odd number and the other way round, so that a deep machine samples as a machine of two layers
//! does. What it can't do is sum its hidden units out: given data they are inferred by mean field ([`Inference`]).

mod bound;
mod centre;
mod dbm;
mod denoise;
mod energy_model;
mod evaluate;
mod file;
mod link;
mod mean_field;
mod params;
mod path;
mod pretrain;
mod sample;
mod state;
mod statistics;
mod view;

pub use centre::Centred;
pub use dbm::Dbm;
pub use file::Header;
pub use mean_field::{Inference, Posterior};
pub use path::Path;
pub use pretrain::{Doubled, Twice, handed_on};
pub use sample::Dense;
pub use state::State;
pub use view::View;
