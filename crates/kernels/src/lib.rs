//! Computes what a Boltzmann machine needs from slices of integers and bits.
//!
//! This crate is the only one that holds unsafe code and the only one that names an instruction set. It knows no
//! model: bit-packed states ([`BitMatrix`]), addressed random streams ([`Key`]), weights on a fixed-point grid
//! ([`Coupling`]), exact integer products ([`product`]) and fused sampling ([`bernoulli`]). Each path of the SIMD back
//! ends gives the very bits of the scalar one ([`backend`]).
//!
//! Functions here panic when shapes do not fit: the crates above check once and then call.

// An iterator that ends up as a call would not be compiled for the back end; a loop by index is.
#![allow(clippy::needless_range_loop)]

#[macro_use]
pub mod mutants;

pub mod backend;
pub mod bernoulli;
mod bits;
pub mod chacha;
pub mod flips;
mod grid;
mod key;
pub mod multispin;
pub mod numeric;
pub mod parallel;
pub mod product;
pub mod profile;
pub mod sequential;
mod shared;
mod simd;
pub mod softmax;

pub use backend::Backend;
pub use bits::BitMatrix;
pub use grid::{Coupling, Grid};
pub use key::{Key, evaluate, purpose};
