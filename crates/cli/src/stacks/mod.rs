//! Trains and uses stacks of machines: deep belief networks, deep Boltzmann machines, autoencoders and classifiers.

pub(crate) mod codes;
mod data;
mod deep;
pub(crate) mod finish;
mod greedy;
mod judge;
pub(crate) mod model;
mod page;
mod plan;
pub(crate) mod predict;
mod recipe;
mod shown;
pub(crate) mod train;
mod tune;
pub(crate) mod used;
mod watch;
