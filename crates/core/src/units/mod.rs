//! Describes a layer's units as functions of their input: energy, cumulants, means and draws.

mod bernoulli;

pub use bernoulli::Bernoulli;

use std::borrow::Cow;

use harmonium_kernels::product::Product;
use harmonium_kernels::{Key, bernoulli as bernoulli_kernel};
use serde::{Deserialize, Serialize};

/// Holds what a layer receives from the other: sums of codes, `(n, units)`, and what one of them weighs.
///
/// The sums may still be a product of bits and weights; a layer that can uses them where they arise.
#[derive(Clone, Debug)]
pub struct Input<'a> {
    sums: Sums<'a>,
    /// The weight of one code, 2^-s.
    pub quantum: f32,
    /// β of a tempered view; 1 for the model itself.
    pub gain: f32,
}

#[derive(Clone, Debug)]
enum Sums<'a> {
    Known(Vec<i32>),
    Product(Product<'a>),
}

impl<'a> Input<'a> {
    /// Makes an input of sums that are known, row-major.
    pub fn known(sums: Vec<i32>, quantum: f32, gain: f32) -> Self {
        Self { sums: Sums::Known(sums), quantum, gain }
    }

    /// Makes an input of a product that is still to be computed.
    pub fn product(product: Product<'a>, gain: f32) -> Self {
        Self { quantum: product.quantum(), sums: Sums::Product(product), gain }
    }

    /// Computes the sums, if that is still to be done: for inputs that are used more than once.
    #[must_use]
    pub fn computed(self) -> Input<'static> {
        let (quantum, gain) = (self.quantum, self.gain);
        Input::known(self.into_sums(), quantum, gain)
    }

    /// Lends the sums for changes; computes them first, if that is still to be done.
    pub fn sums_mut(&mut self) -> &mut [i32] {
        if let Sums::Product(product) = &self.sums {
            self.sums = Sums::Known(product.sums());
        }
        match &mut self.sums {
            Sums::Known(sums) => sums,
            Sums::Product(_) => &mut [],
        }
    }

    /// Gives the sums and drops the rest.
    pub fn into_sums(self) -> Vec<i32> {
        match self.sums {
            Sums::Known(sums) => sums,
            Sums::Product(product) => product.sums(),
        }
    }

    /// Gives Σ q of each unit, row-major.
    pub fn sums(&self) -> Cow<'_, [i32]> {
        match &self.sums {
            Sums::Known(sums) => Cow::Borrowed(sums),
            Sums::Product(product) => Cow::Owned(product.sums()),
        }
    }

    fn kernel(&self) -> bernoulli_kernel::Input<'_> {
        match &self.sums {
            Sums::Known(sums) => bernoulli_kernel::Input::Sums(sums),
            Sums::Product(product) => bernoulli_kernel::Input::Product(*product),
        }
    }
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
    fn cgf(&self, input: &Input<'_>) -> Vec<f64>;

    /// Computes ⟨x⟩ = ∂Γ/∂I.
    fn mean(&self, input: &Input<'_>) -> Self::Mean;

    /// Draws states, row r from stream r of the key, unit j from word j.
    fn sample(&self, input: &Input<'_>, key: Key) -> Self::State;

    /// Gives the most likely states; a tie gives zero.
    fn mode(&self, input: &Input<'_>) -> Self::State;

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
