//! Computes what a Boltzmann machine needs from slices of integers and bits.
//!
//! This crate is the only one that holds unsafe code and the only one that names an instruction set. It knows no
//! model: bit-packed states ([`BitMatrix`]), addressed random streams ([`Key`]), weights on a fixed-point grid,
//! exact integer products and fused sampling. Each path of the SIMD back
//! ends gives the very bits of the scalar one.
//!
//! Functions here panic when shapes do not fit: the crates above check once and then call.

#[macro_use]
pub mod mutants;

mod bits;
pub mod chacha;
mod key;

pub use bits::BitMatrix;
pub use key::{Key, purpose};
