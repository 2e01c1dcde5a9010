//! Samples the Ising model on a periodic square lattice, and knows its exact solution.
//!
//! The energy is E = −J Σ s s′ over the 2 · rows · columns bonds between neighbours, spins s = ±1, and p(s) ∝ e^(−E / T). Energies
//! and temperatures are in units of |J|. Along a side of two sites both neighbours are the same site, and both bonds count.
//!
//! [`Lattice`] is a state, [`Ising`] says how it moves, [`Observed`] sums up what was seen on the way, and [`exact`] has Onsager's
//! solution of the infinite lattice beside Kaufman's of a finite one. [`Ferromagnet`] moves clusters on any [`crate::Graph`].

mod cluster;
pub mod exact;
mod ferromagnet;
mod moves;
mod observed;
mod spins;

pub use ferromagnet::Ferromagnet;
pub use moves::{Ising, Moves, Sweeps};
pub use observed::{Estimate, Observed};
pub use spins::Lattice;
