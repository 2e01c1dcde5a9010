//! Describes a layer's units as functions of their input: energy, cumulants, means and draws.

mod bernoulli;

pub use bernoulli::Bernoulli;

use harmonium_kernels::Key;
use serde::{Deserialize, Serialize};

/// Holds what a layer receives from the other: exact sums of codes, `(n, units)`, and what one of them weighs.
#[derive(Clone, Debug)]
pub struct Input {
    /// Σ q of each unit, row-major.
    pub sums: Vec<i32>,
    /// The weight of one code, 2^-s.
    pub quantum: f32,
    /// β of a tempered view; 1 for the model itself.
    pub gain: f32,
}

/// Is a layer of units of one kind; every quantity is a function of the input I that the other layer sends.
///
/// U(x) is the layer's own energy, and Γ(I) = ln Σ_x e^(I·x − U(x)) its cumulant generating function.
pub trait Unit: Clone + Send + Sync {
    /// The states of a layer, `(n, units)`.
    type State;
    /// The means of a layer, `(n, units)`.
    type Mean;

    /// Gives the number of units.
    fn units(&self) -> usize;

    /// Computes U(x) of each row, in nats.
    fn energy(&self, state: &Self::State) -> Vec<f64>;

    /// Computes Γ(I) of each row, in nats.
    fn cgf(&self, input: &Input) -> Vec<f64>;

    /// Computes ⟨x⟩ = ∂Γ/∂I.
    fn mean(&self, input: &Input) -> Self::Mean;

    /// Draws states, row r from stream r of the key, unit j from word j.
    fn sample(&self, input: &Input, key: Key) -> Self::State;

    /// Gives the most likely states; a tie gives zero.
    fn mode(&self, input: &Input) -> Self::State;

    /// Makes the layer with energy (1 − β) U_base + β U.
    fn anneal(&self, base: &Self, beta: f32) -> Self;
}

/// Names a kind of units and how many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Units {
    /// Units that are 0 or 1.
    Bernoulli(usize),
}

impl Units {
    /// Gives the number of units.
    pub fn count(self) -> usize {
        match self {
            Self::Bernoulli(count) => count,
        }
    }
}

impl std::fmt::Display for Units {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bernoulli(count) => write!(f, "{count} Bernoulli"),
        }
    }
}
