//! Sweeps square Ising lattices with one bit a spin: a vector holds hundreds of sites, and a colour of the checkerboard is one
//! pass.
//!
//! Sites (r, c) with even r + c are colour 0, the others colour 1. Row r of a colour is a run of `columns / 2` bits: site k of
//! it is column 2 k + ((r + colour) mod 2). All four neighbours of a site have the other colour, so that a colour is decided
//! at once: bitwise adders count the neighbours that agree with a site, and a random word a site is compared with the
//! threshold of that count, all words of a vector side by side and one bit of them at a time (after Block, Virnau & Preis
//! 2010 and Isakov et al. 2015; the comparison by bits is ours).
//!
//! Randomness: bit d, from the highest on, of the word of site k in row r is bit k mod 32 of word d mod 16 of block
//! k / 32 + 2^32 · (d / 16) of the ChaCha8 stream r. The lower half of a word is computed where the upper half left a site open.

mod kernel;
mod planes;
mod rule;

pub use planes::Planes;
pub use rule::{Moves, Precision, Rule};

#[cfg(test)]
mod tests;
