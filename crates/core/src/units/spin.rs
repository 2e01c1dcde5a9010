//! Describes units that are −1 or +1: U(x) = −b·x, Γ(I) = Σ ln 2cosh(I + b), ⟨x⟩ = tanh(I + b).
//!
//! A spin is x = 2t − 1 of a bit t, and p(t = 1 | I) = σ(2 (I + b)): states are the bits, and draws, means and cumulants are
//! those of Bernoulli units with twice the activation.

use harmonium_kernels::Key;

use super::bernoulli::dot;
use super::{Bernoulli, Input, Means, States, Unit, mix};

/// Is a layer of units −1 or +1 with one bias (field) a unit.
#[derive(Clone, Debug, PartialEq)]
pub struct Spin {
    bias: Vec<f32>,
}

impl Spin {
    /// Makes a layer from its biases.
    pub fn new(bias: Vec<f32>) -> Self {
        Self { bias }
    }

    /// Makes the independent layer with these marginals of +1, smoothed as [`Bernoulli::from_counts`] does: b is half of
    /// the log-odds.
    pub fn from_counts(ones: &[f64], rows: f64) -> Self {
        Self { bias: Bernoulli::from_counts(ones, rows).bias().iter().map(|b| b / 2.0).collect() }
    }

    /// Gives the layer of the bits, whose activation is twice as large.
    fn bits(&self) -> Bernoulli {
        Bernoulli::new(self.bias.iter().map(|b| 2.0 * b).collect())
    }
}

fn doubled<'a>(input: &'a Input<'_>) -> Input<'a> {
    input.with_gain(2.0 * input.gain)
}

impl Unit for Spin {
    fn bias(&self) -> &[f32] {
        &self.bias
    }

    fn parts_mut(&mut self) -> (&mut [f32], Vec<&mut [f32]>) {
        (&mut self.bias, Vec::new())
    }

    /// Adds biases in the order of the units: −b·(2t − 1).
    fn energy(&self, state: &States) -> Vec<f64> {
        let (bits, all) = (state.expect_bits(), self.bias.iter().map(|&b| f64::from(b)).sum::<f64>());
        (0..bits.rows()).map(|row| all - 2.0 * dot(&self.bias, bits, row)).collect()
    }

    /// Computes Σ ln(1 + e^2a) − a, a = I + b.
    fn cgf(&self, input: &Input<'_>) -> Vec<f64> {
        let values = input.values();
        let lines = values.chunks_exact(self.bias.len());
        let sums = lines.map(|line| line.iter().zip(&self.bias).map(|(i, b)| f64::from(i + b)).sum::<f64>());
        self.bits()
            .cgf(&doubled(input))
            .into_iter()
            .zip(sums)
            .map(|(soft, sum)| soft - mutant!("B85", sum, 0.0))
            .collect()
    }

    fn mean(&self, input: &Input<'_>) -> Means {
        self.bits().mean(&doubled(input))
    }

    fn sample(&self, input: &Input<'_>, key: Key) -> States {
        self.bits().sample(&doubled(input), key)
    }

    fn sample_with_means(&self, input: &Input<'_>, key: Key) -> (States, Means) {
        self.bits().sample_with_means(&doubled(input), key)
    }

    fn mode(&self, input: &Input<'_>) -> States {
        self.bits().mode(&doubled(input))
    }

    fn anneal(&self, base: &Self, beta: f32) -> Self {
        Self { bias: mix(&base.bias, &self.bias, beta) }
    }

    fn free(&self) -> Self {
        Self { bias: vec![0.0; self.bias.len()] }
    }

    fn signs(&self) -> bool {
        true
    }
}
