//! Describes units that are 0 or 1: U(x) = −b·x, Γ(I) = Σ ln(1 + e^(I + b)), ⟨x⟩ = σ(I + b).

use harmonium_kernels::bernoulli::{self, Affine};
use harmonium_kernels::{BitMatrix, Key};

use super::{Input, Means, States, Unit, mix};

/// Is a layer of units 0 or 1 with one bias a unit.
#[derive(Clone, Debug, PartialEq)]
pub struct Bernoulli {
    bias: Vec<f32>,
}

impl Bernoulli {
    /// Makes a layer from its biases.
    pub fn new(bias: Vec<f32>) -> Self {
        Self { bias }
    }

    /// Makes the independent layer that has these marginals: `ones[i]` of `rows`, smoothed by one row of ones and one of
    /// zeros, b = ln((ones + 1) / (rows − ones + 1)).
    pub fn from_counts(ones: &[f64], rows: f64) -> Self {
        // Sums of fractional weights may end a rounding above their total.
        let log_odds = |&n: &f64| libm::log((n + 1.0) / ((rows - n).max(0.0) + 1.0)) as f32;
        Self { bias: ones.iter().map(log_odds).collect() }
    }

    /// Makes the independent layer of Salakhutdinov & Murray's program (2008): every unit gets n/20 further ones in
    /// n/20 further rows, p = (ones + n/20) / (n + n/20). A unit that is always one counts as half a row zero.
    pub fn from_counts_sm08(ones: &[u64], rows: u64) -> Self {
        let more = rows as f64 / 20.0;
        let log_odds = |&n: &u64| libm::log((n as f64 + more) / ((rows - n) as f64).max(0.5)) as f32;
        Self { bias: ones.iter().map(log_odds).collect() }
    }

    fn affine<'a>(&'a self, input: &Input<'_>) -> Affine<'a> {
        Affine { quantum: input.quantum, gain: input.gain, bias: &self.bias }
    }
}

impl Unit for Bernoulli {
    fn bias(&self) -> &[f32] {
        &self.bias
    }

    fn parts_mut(&mut self) -> (&mut [f32], Vec<&mut [f32]>) {
        (&mut self.bias, Vec::new())
    }

    /// Adds biases in the order of the units.
    fn energy(&self, state: &States) -> Vec<f64> {
        let bits = state.expect_bits();
        (0..bits.rows()).map(|row| -dot(&self.bias, bits, row)).collect()
    }

    fn cgf(&self, input: &Input<'_>) -> Vec<f64> {
        bernoulli::softplus(&input.kernel(), &self.affine(input))
    }

    fn mean(&self, input: &Input<'_>) -> Means {
        Means::Codes(bernoulli::probabilities(&input.kernel(), &self.affine(input)))
    }

    fn sample(&self, input: &Input<'_>, key: Key) -> States {
        States::Bits(bernoulli::sample(&input.kernel(), &self.affine(input), key))
    }

    fn sample_with_means(&self, input: &Input<'_>, key: Key) -> (States, Means) {
        let (bits, codes) = bernoulli::sample_with_probabilities(&input.kernel(), &self.affine(input), key);
        (States::Bits(bits), Means::Codes(codes))
    }

    fn mode(&self, input: &Input<'_>) -> States {
        let (n, values) = (self.bias.len(), input.values());
        let active = |r: usize, j: usize| values[r * n + j] + self.bias[j] > 0.0;
        States::Bits(BitMatrix::from_fn(values.len() / n, n, active))
    }

    fn anneal(&self, base: &Self, beta: f32) -> Self {
        Self { bias: mix(&base.bias, &self.bias, beta) }
    }

    fn free(&self) -> Self {
        Self { bias: vec![0.0; self.bias.len()] }
    }
}

/// Computes b·x of one row in the order of the units.
pub(super) fn dot(bias: &[f32], bits: &BitMatrix, row: usize) -> f64 {
    let mut sum = 0.0;
    bits.for_each_one(row, |unit| sum += f64::from(bias[unit]));
    sum
}
