//! Defines the binary restricted Boltzmann machine: energy, free energies, conditionals, tempered and annealed views.
//!
//! E(v, h) = −Σᵢⱼ vᵢ Wᵢⱼ hⱼ − Σᵢ bᵢ vᵢ − Σⱼ cⱼ hⱼ and p(v, h) = e^(−E) / Z, with v and h in {0, 1}.

use crate::bits::{is_on, value};
use crate::math::{sigmoid, softplus};
use crate::rng::Rng;

/// Holds the parameters of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Rbm {
    /// Number of visible units, V.
    pub visible: usize,
    /// Number of hidden units, H.
    pub hidden: usize,
    /// Couplings W, row-major V × H.
    pub weights: Vec<f64>,
    /// Visible biases b.
    pub visible_bias: Vec<f64>,
    /// Hidden biases c.
    pub hidden_bias: Vec<f64>,
}

impl Rbm {
    /// Makes a model whose parameters are all zero.
    pub fn zeros(visible: usize, hidden: usize) -> Self {
        let weights = vec![0.0; visible * hidden];
        Self { visible, hidden, weights, visible_bias: vec![0.0; visible], hidden_bias: vec![0.0; hidden] }
    }

    /// Draws every parameter from a normal law of mean 0 and standard deviation `scale`.
    pub fn normal(visible: usize, hidden: usize, scale: f64, rng: &mut Rng) -> Self {
        let mut out = Self::zeros(visible, hidden);
        (0..out.parameters()).for_each(|n| *out.parameter_mut(n) = scale * rng.normal());
        out
    }

    /// Gives the number of parameters.
    pub fn parameters(&self) -> usize {
        self.weights.len() + self.visible + self.hidden
    }

    /// Gives parameter `n` of W, b, c one after the other.
    ///
    /// # Panics
    /// When `n` is not below the number of parameters.
    pub fn parameter_mut(&mut self, n: usize) -> &mut f64 {
        let blocks = [&mut self.weights, &mut self.visible_bias, &mut self.hidden_bias];
        blocks.into_iter().flatten().nth(n).expect("the index of a parameter")
    }

    /// Gives the coupling Wᵢⱼ.
    pub fn weight(&self, i: usize, j: usize) -> f64 {
        self.weights[i * self.hidden + j]
    }

    /// Gives E(v, h).
    pub fn energy(&self, v: u64, h: u64) -> f64 {
        let mut total = 0.0;
        for i in (0..self.visible).filter(|&i| is_on(v, i)) {
            total += self.visible_bias[i];
            total += (0..self.hidden).map(|j| self.weight(i, j) * value(h, j)).sum::<f64>();
        }
        -total - (0..self.hidden).map(|j| self.hidden_bias[j] * value(h, j)).sum::<f64>()
    }

    /// Gives the activation of every hidden unit, cⱼ + Σᵢ vᵢ Wᵢⱼ.
    pub fn hidden_activations(&self, v: u64) -> Vec<f64> {
        let sum = |j| (0..self.visible).map(|i| value(v, i) * self.weight(i, j)).sum::<f64>();
        (0..self.hidden).map(|j| self.hidden_bias[j] + sum(j)).collect()
    }

    /// Gives the activation of every visible unit, bᵢ + Σⱼ Wᵢⱼ hⱼ.
    pub fn visible_activations(&self, h: u64) -> Vec<f64> {
        let sum = |i| (0..self.hidden).map(|j| self.weight(i, j) * value(h, j)).sum::<f64>();
        (0..self.visible).map(|i| self.visible_bias[i] + sum(i)).collect()
    }

    /// Gives p(hⱼ = 1 | v) for every j.
    pub fn hidden_probabilities(&self, v: u64) -> Vec<f64> {
        self.hidden_activations(v).into_iter().map(sigmoid).collect()
    }

    /// Gives p(vᵢ = 1 | h) for every i.
    pub fn visible_probabilities(&self, h: u64) -> Vec<f64> {
        self.visible_activations(h).into_iter().map(sigmoid).collect()
    }

    /// Gives F(v) = −ln Σ_h e^(−E(v, h)).
    pub fn free_energy(&self, v: u64) -> f64 {
        let bias: f64 = (0..self.visible).map(|i| self.visible_bias[i] * value(v, i)).sum();
        -bias - self.hidden_activations(v).into_iter().map(softplus).sum::<f64>()
    }

    /// Gives the free energy of a hidden state, −ln Σ_v e^(−E(v, h)).
    pub fn hidden_free_energy(&self, h: u64) -> f64 {
        let bias: f64 = (0..self.hidden).map(|j| self.hidden_bias[j] * value(h, j)).sum();
        -bias - self.visible_activations(h).into_iter().map(softplus).sum::<f64>()
    }

    /// Exchanges the roles of the two sides; the energy stays.
    #[must_use]
    pub fn transposed(&self) -> Self {
        let mut out = Self::zeros(self.hidden, self.visible);
        out.visible_bias.clone_from(&self.hidden_bias);
        out.hidden_bias.clone_from(&self.visible_bias);
        for n in 0..self.weights.len() {
            out.weights[n] = self.weight(n % self.visible, n / self.visible);
        }
        out
    }

    /// Gives the model of energy β E.
    #[must_use]
    pub fn tempered(&self, beta: f64) -> Self {
        let mut out = self.clone();
        (0..out.parameters()).for_each(|n| *out.parameter_mut(n) *= beta);
        out
    }

    /// Gives the model of energy (1 − β) E_base + β E, where E_base = −Σᵢ aᵢ vᵢ.
    ///
    /// # Panics
    /// When `base_bias`, the aᵢ, is not as long as the visible side.
    #[must_use]
    pub fn annealed(&self, base_bias: &[f64], beta: f64) -> Self {
        assert_eq!(base_bias.len(), self.visible, "one base bias a visible unit");
        let mut out = self.tempered(beta);
        for (b, a) in out.visible_bias.iter_mut().zip(base_bias) {
            *b += (1.0 - beta) * a;
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bits::states;
    use crate::check::{TAU_0, all_close, close, model, models};
    use crate::math::log_sum_exp;

    /// Gives −E(v, h) of every h.
    fn minus_energies(rbm: &Rbm, v: u64) -> Vec<f64> {
        (0..states(rbm.hidden) as u64).map(|h| -rbm.energy(v, h)).collect()
    }

    #[test]
    fn energy_of_two_by_two_in_numbers() {
        let rbm = Rbm {
            visible: 2,
            hidden: 2,
            weights: vec![1.0, 2.0, 4.0, 8.0],
            visible_bias: vec![16.0, 32.0],
            hidden_bias: vec![64.0, 128.0],
        };
        assert_eq!(rbm.energy(0, 0), 0.0);
        assert_eq!(rbm.energy(0b01, 0b10), -(2.0 + 16.0 + 128.0));
        assert_eq!(rbm.energy(0b10, 0b01), -(4.0 + 32.0 + 64.0));
        assert_eq!(rbm.energy(0b11, 0b11), -255.0);
    }

    #[test]
    fn free_energy_sums_out_the_other_side() {
        for rbm in models() {
            let swapped = rbm.transposed();
            (0..states(rbm.visible) as u64)
                .for_each(|v| close(-rbm.free_energy(v), log_sum_exp(&minus_energies(&rbm, v)), TAU_0));
            (0..states(rbm.hidden) as u64).for_each(|h| {
                close(-rbm.hidden_free_energy(h), log_sum_exp(&minus_energies(&swapped, h)), TAU_0);
            });
        }
    }

    /// p(hⱼ = 1 | v) = Σ_{h: hⱼ = 1} e^(−E(v, h)) / Σ_h e^(−E(v, h)), and the same with the sides exchanged.
    #[test]
    fn conditionals_are_ratios_of_sums() {
        for rbm in models() {
            for rbm in [rbm.clone(), rbm.transposed()] {
                for v in 0..states(rbm.visible) as u64 {
                    let x = minus_energies(&rbm, v);
                    let on =
                        |j| (0..x.len()).filter(|&h| is_on(h as u64, j)).map(|h| x[h]).collect::<Vec<_>>();
                    let ratio = |j| (log_sum_exp(&on(j)) - log_sum_exp(&x)).exp();
                    let expected: Vec<f64> = (0..rbm.hidden).map(ratio).collect();
                    all_close(&rbm.hidden_probabilities(v), &expected, TAU_0);
                    all_close(&rbm.transposed().visible_probabilities(v), &expected, TAU_0);
                }
            }
        }
    }

    #[test]
    fn views_mix_energies() {
        let (rbm, a) = (model(4, 3, 2), [0.3, -1.0, 2.0, 0.0]);
        let base = Rbm { visible_bias: a.to_vec(), ..Rbm::zeros(4, 3) };
        for beta in [0.0, 0.3, 1.0, 2.0] {
            let (tempered, annealed) = (rbm.tempered(beta), rbm.annealed(&a, beta));
            for n in 0..128 {
                let (v, h) = (n & 15, n >> 4);
                close(tempered.energy(v, h), beta * rbm.energy(v, h), TAU_0);
                let mixed = (1.0 - beta) * base.energy(v, h) + beta * rbm.energy(v, h);
                close(annealed.energy(v, h), mixed, TAU_0);
            }
        }
    }

    #[test]
    fn transposing_exchanges_the_arguments_of_the_energy() {
        let rbm = model(4, 3, 5);
        (0..128)
            .for_each(|n| close(rbm.transposed().energy(n >> 4, n & 15), rbm.energy(n & 15, n >> 4), TAU_0));
        assert_eq!(rbm.transposed().transposed(), rbm);
    }
}
