//! Describes units that are 0 or 1: U(x) = −b·x, Γ(I) = Σ ln(1 + e^(I + b)), ⟨x⟩ = σ(I + b).

use harmonium_kernels::bernoulli::{self, Affine};
use harmonium_kernels::{BitMatrix, Key};

use super::{Input, Unit};

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
    pub fn from_counts(ones: &[u64], rows: u64) -> Self {
        let log_odds = |&n: &u64| libm::log((n as f64 + 1.0) / ((rows - n) as f64 + 1.0)) as f32;
        Self { bias: ones.iter().map(log_odds).collect() }
    }

    /// Makes the independent layer of Salakhutdinov & Murray's program (2008): every unit gets n/20 further ones in
    /// n/20 further rows, p = (ones + n/20) / (n + n/20). A unit that is always one counts as half a row zero.
    pub fn from_counts_sm08(ones: &[u64], rows: u64) -> Self {
        let more = rows as f64 / 20.0;
        let log_odds = |&n: &u64| libm::log((n as f64 + more) / ((rows - n) as f64).max(0.5)) as f32;
        Self { bias: ones.iter().map(log_odds).collect() }
    }

    /// Gives the biases.
    pub fn bias(&self) -> &[f32] {
        &self.bias
    }

    /// Gives the biases for writing.
    pub fn bias_mut(&mut self) -> &mut [f32] {
        &mut self.bias
    }

    /// Computes b·x of one row in the order of the units.
    pub fn dot(&self, states: &BitMatrix, row: usize) -> f64 {
        let mut sum = 0.0;
        states.for_each_one(row, |unit| sum += f64::from(self.bias[unit]));
        sum
    }

    /// Gives ln Z of the layer alone: Γ(0), in nats.
    pub fn log_z(&self) -> f64 {
        let input = Input::known(vec![0; self.bias.len()], 1.0, 1.0);
        self.cgf(&input)[0]
    }

    /// Draws states and computes the means that they were drawn with.
    pub fn sample_with_means(&self, input: &Input<'_>, key: Key) -> (BitMatrix, Vec<u16>) {
        bernoulli::sample_with_probabilities(&input.kernel(), &self.affine(input), key)
    }

    fn affine<'a>(&'a self, input: &Input<'_>) -> Affine<'a> {
        Affine { quantum: input.quantum, gain: input.gain, bias: &self.bias }
    }
}

impl Unit for Bernoulli {
    type State = BitMatrix;
    type Mean = Vec<u16>;

    fn units(&self) -> usize {
        self.bias.len()
    }

    fn energy(&self, state: &BitMatrix) -> Vec<f64> {
        (0..state.rows()).map(|row| -self.dot(state, row)).collect()
    }

    fn cgf(&self, input: &Input<'_>) -> Vec<f64> {
        bernoulli::softplus(&input.sums(), &self.affine(input))
    }

    fn mean(&self, input: &Input<'_>) -> Vec<u16> {
        bernoulli::probabilities(&input.kernel(), &self.affine(input))
    }

    fn sample(&self, input: &Input<'_>, key: Key) -> BitMatrix {
        bernoulli::sample(&input.kernel(), &self.affine(input), key)
    }

    fn mode(&self, input: &Input<'_>) -> BitMatrix {
        let (n, sums) = (self.bias.len(), input.sums());
        let active =
            |r: usize, j: usize| sums[r * n + j] as f32 * input.quantum * input.gain + self.bias[j] > 0.0;
        BitMatrix::from_fn(sums.len() / n, n, active)
    }

    fn anneal(&self, base: &Self, beta: f32) -> Self {
        let mix = |(b, a): (&f32, &f32)| (1.0 - beta) * a + beta * b;
        Self { bias: self.bias.iter().zip(&base.bias).map(mix).collect() }
    }
}
