//! Stacks Boltzmann machines: deep belief networks, deep Boltzmann machines, deep autoencoders and their fine-tuning.
//!
//! [`stack`] is the deep belief network, trained machine by machine; [`deep`] is the deep Boltzmann machine, whose layers infer
//! together; [`net`] is the feed-forward network that either becomes for fine-tuning by backpropagation.

#[allow(unused_imports)] // Bugs are planted below.
#[macro_use(mutant)]
extern crate harmonium_kernels;

mod names;

pub mod deep;
pub mod net;
pub mod stack;

pub use names::MAX_LAYERS;
