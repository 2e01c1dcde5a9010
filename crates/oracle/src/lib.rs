//! Gives exact answers on small models by f64 enumeration, as the judge of the library.
//!
//! Everything is written from the formulas, in the plainest way, and nothing is shared with the library: the crate has
//! no dependency. It therefore panics on misuse, as tests do. Small states are bit masks (bit i = unit i);
//! [`wide`], [`ais`] and [`trainer`] take states as slices of `bool` and work at any width.

pub mod ais;
pub mod bits;
pub mod enumerate;
pub mod gamma;
pub mod gradient;
pub mod half_line;
pub mod likelihood;
pub mod math;
pub mod moments;
pub mod normal;
pub mod quadrature;
pub mod rbm;
pub mod rng;
pub mod sample;
pub mod stats;
pub mod trainer;
pub mod transition;
pub mod units;
pub mod wide;

#[cfg(test)]
mod check;
