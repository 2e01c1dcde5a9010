//! Describes layers of units of any kind: energy, measure, conditional law, exact lists of states.
//!
//! A state of a layer is its *features* x, one number a unit, or q numbers a categorical unit (one 1 among zeros).
//! Given an *input* I of as many entries, the layer has density ∝ m(x) e^(I·x − U(x)): m is the reference measure,
//! which no temperature touches, and U is linear in the natural parameters. With a = I + b:
//!
//! | kind | x | m | U | Γ(I) = ln Σ m e^(I x − U) |
//! |---|---|---|---|---|
//! | Bernoulli | 0, 1 | 1 | −b x | ln(1 + e^a) |
//! | spin | −1, 1 | 1 | −b x | ln 2cosh a |
//! | categorical, q classes | one-hot | 1 | −b·x | ln Σ_c e^(a_c) |
//! | Gaussian | real | 1 | e^(−ζ) x² / 2 − b x | e^ζ a² / 2 + ½ ln 2π e^ζ |
//! | ReLU | x ≥ 0 | 1 | x² / 2 − b x | half-line integral |
//! | dReLU | real | 1 | x ≥ 0: e^(g₊) x² / 2 − (b + δ) x; x < 0: e^(g₋) x² / 2 − (b − δ) x | two half-lines |
//! | binomial, n trials | 0 … n | C(n, x) | −b x | n ln(1 + e^a) |
//! | Poisson | 0, 1, 2, … | 1/x! | −b x | e^a |

mod kind;
mod law;
mod layer;
mod states;
mod unit;

#[cfg(test)]
mod tests;

pub use kind::{Class, Kind};
pub use layer::Layer;
pub use states::{MAX_STATES, State};
pub use unit::Unit;
