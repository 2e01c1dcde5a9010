//! Trains deep belief networks machine by machine, and samples, bounds and fine-tunes them (Hinton, Osindero & Teh 2006).
//!
//! A [`Dbn`] of machines 1 to L has the law p(v, h₁, …, h_L) = p(v | h₁) p(h₁ | h₂) … p(h_{L−1}, h_L): all layers but the
//! last two are directed downwards, and the last machine, which may have a label among its visible units, is undirected.
//! [`Stacking`] trains it, phase by phase, from a [`Greedy`] plan: each machine by core's own `fit` on what those below infer of
//! the data ([`Inferred`]), and then all weights together by up-down ([`UpDown`]).

mod bound;
mod dbn;
mod directed;
mod file;
mod greedy;
mod inferred;
mod keys;
mod learner;
mod phases;
mod predict;
mod progress;
mod sample;
mod stacking;
mod start;
mod top;
mod tuning;
mod up;
mod updown;

pub use bound::{Bound, Bounding};
pub use dbn::Dbn;
pub use file::{Header, StackingHeader};
pub use greedy::{Greedy, Recipe};
pub use inferred::Inferred;
pub use keys::layer as key_of_layer;
pub use learner::Learner;
pub use progress::{Phase, Progress};
pub use sample::{Generated, Sampling};
pub use stacking::{Ended, Stacking, train};
pub use updown::UpDown;
