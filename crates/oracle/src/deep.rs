//! Enumerates deep Boltzmann machines of bits and spins: energies, laws, sweeps, mean field and its bound.
//!
//! E(x) = −Σ_l b_l·x_l − Σ_l x_{l−1}·W_l·x_l over layers 0 … L, layer 0 visible. A state is a mask: the first unit of the visible layer
//! is bit 0, and layers follow each other.

use crate::bits::{is_on, states};
use crate::math::{log_sum_exp, sigmoid, sum};
use crate::rng::Rng;
use crate::transition::Matrix;

/// Holds the parameters of a machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Deep {
    /// Units of each layer.
    pub sizes: Vec<usize>,
    /// Whether the units of a layer are −1 and +1 instead of 0 and 1.
    pub spins: Vec<bool>,
    /// W_l of each pair of neighbours, row-major, lower × upper.
    pub weights: Vec<Vec<f64>>,
    /// b_l of each layer.
    pub biases: Vec<Vec<f64>>,
}

impl Deep {
    /// Draws every parameter from a normal law of mean 0 and standard deviation `scale`; all units are bits.
    pub fn normal(sizes: &[usize], scale: f64, rng: &mut Rng) -> Self {
        let mut draw = |n: usize| (0..n).map(|_| scale * rng.normal()).collect::<Vec<f64>>();
        let weights = sizes.windows(2).map(|pair| draw(pair[0] * pair[1])).collect();
        let biases = sizes.iter().map(|&n| draw(n)).collect();
        Self { sizes: sizes.to_vec(), spins: vec![false; sizes.len()], weights, biases }
    }

    /// Gives L, the number of hidden layers.
    pub fn depth(&self) -> usize {
        self.weights.len()
    }

    /// Gives the number of units of all layers.
    pub fn units(&self) -> usize {
        self.sizes.iter().sum()
    }

    /// Gives the features of all layers in a state.
    pub fn features(&self, state: u64) -> Vec<Vec<f64>> {
        let mut from = 0;
        let layer = |(&size, &spin): (&usize, &bool)| {
            let value = |unit| match (is_on(state, from + unit), spin) {
                (true, _) => 1.0,
                (false, true) => -1.0,
                (false, false) => 0.0,
            };
            let out = (0..size).map(value).collect();
            from += size;
            out
        };
        self.sizes.iter().zip(&self.spins).map(layer).collect()
    }

    /// Gives −∂E/∂θ, or its mean under independent units with these means: W_1, b_0, b_1, W_2, b_2 and so on.
    pub fn statistics(&self, x: &[Vec<f64>]) -> Vec<f64> {
        let mut out = Vec::new();
        for l in 1..x.len() {
            out.extend(x[l - 1].iter().flat_map(|a| x[l].iter().map(move |b| a * b)));
            if l == 1 {
                out.extend(&x[0]);
            }
            out.extend(&x[l]);
        }
        out
    }

    /// Gives the parameters in the order of the statistics.
    pub fn parameters(&self) -> Vec<f64> {
        let mut out = Vec::new();
        for l in 1..self.sizes.len() {
            out.extend(&self.weights[l - 1]);
            if l == 1 {
                out.extend(&self.biases[0]);
            }
            out.extend(&self.biases[l]);
        }
        out
    }

    /// Gives the machine with other parameters, in the same order.
    #[must_use]
    pub fn with_parameters(&self, parameters: &[f64]) -> Self {
        let (mut out, mut rest) = (self.clone(), parameters.iter().copied());
        let mut fill = |values: &mut Vec<f64>| values.iter_mut().zip(&mut rest).for_each(|(own, x)| *own = x);
        for l in 1..self.sizes.len() {
            // `zip` would take one more of the rest if it came first.
            fill(&mut out.weights[l - 1]);
            if l == 1 {
                fill(&mut out.biases[0]);
            }
            fill(&mut out.biases[l]);
        }
        out
    }

    /// Gives E of a state.
    pub fn energy(&self, state: u64) -> f64 {
        let x = self.statistics(&self.features(state));
        -sum(self.parameters().into_iter().zip(x).map(|(theta, x)| theta * x))
    }

    /// Gives −E of every state.
    pub fn minus_energies(&self) -> Vec<f64> {
        (0..states(self.units()) as u64).map(|state| -self.energy(state)).collect()
    }

    /// Gives ln Z.
    pub fn log_z(&self) -> f64 {
        log_sum_exp(&self.minus_energies())
    }

    /// Gives p of every state.
    pub fn probabilities(&self) -> Vec<f64> {
        let (minus, log_z) = (self.minus_energies(), self.log_z());
        minus.into_iter().map(|x| (x - log_z).exp()).collect()
    }

    /// Gives ln Σ_h e^(−E(v, h)) of every visible state.
    pub fn unnormalized(&self) -> Vec<f64> {
        let (minus, visible) = (self.minus_energies(), states(self.sizes[0]));
        let of = |v: usize| minus.iter().skip(v).step_by(visible).copied().collect::<Vec<f64>>();
        (0..visible).map(|v| log_sum_exp(&of(v))).collect()
    }

    /// Gives the mean statistics of the machine.
    pub fn means(&self) -> Vec<f64> {
        let mut out = vec![0.0; self.parameters().len()];
        for (state, p) in self.probabilities().into_iter().enumerate() {
            let x = self.statistics(&self.features(state as u64));
            out.iter_mut().zip(x).for_each(|(mean, x)| *mean += p * x);
        }
        out
    }

    /// Gives the machine with energy β E.
    #[must_use]
    pub fn tempered(&self, beta: f64) -> Self {
        self.with_parameters(&self.parameters().into_iter().map(|x| beta * x).collect::<Vec<_>>())
    }

    /// Gives what a layer receives from its neighbours, its bias left out.
    pub fn input(&self, l: usize, x: &[Vec<f64>]) -> Vec<f64> {
        let unit = |j: usize| {
            let width = self.sizes[l];
            let below = (l > 0)
                .then(|| x[l - 1].iter().enumerate().map(|(i, x)| x * self.weights[l - 1][i * width + j]));
            let above = (l < self.depth()).then(|| {
                let row = &self.weights[l][j * self.sizes[l + 1]..];
                x[l + 1].iter().zip(row).map(|(x, w)| x * w)
            });
            sum(below.into_iter().flatten()) + sum(above.into_iter().flatten())
        };
        (0..self.sizes[l]).map(unit).collect()
    }

    /// Gives the probabilities that the units of a layer are on, or +1, at an input.
    pub fn on(&self, l: usize, input: &[f64]) -> Vec<f64> {
        let slope = if self.spins[l] { 2.0 } else { 1.0 };
        input.iter().zip(&self.biases[l]).map(|(i, b)| sigmoid(slope * (i + b))).collect()
    }

    fn mean(&self, l: usize, input: &[f64]) -> Vec<f64> {
        let on = self.on(l, input);
        if self.spins[l] { on.into_iter().map(|p| 2.0 * p - 1.0).collect() } else { on }
    }

    /// Infers the hidden layers of a visible state: a pass upwards in which every layer but the last receives twice what comes from
    /// below, then steps over the layers of odd and of even number. Gives the means of all layers.
    pub fn mean_field(&self, v: u64, steps: usize) -> Vec<Vec<f64>> {
        let mut x = self.features(v);
        x[1..].iter_mut().flatten().for_each(|x| *x = 0.0);
        for l in 1..=self.depth() {
            let gain = if l < self.depth() { 2.0 } else { 1.0 };
            // Layers above are still at 0.
            let input: Vec<f64> = self.input(l, &x).into_iter().map(|i| gain * i).collect();
            x[l] = self.mean(l, &input);
        }
        for _ in 0..if self.depth() == 1 { 0 } else { steps } {
            for first in [1, 2] {
                for l in (first..=self.depth()).step_by(2) {
                    x[l] = self.mean(l, &self.input(l, &x));
                }
            }
        }
        x
    }

    /// Gives E_q[−E] + H(q) of independent hidden units with these means.
    pub fn bound(&self, x: &[Vec<f64>]) -> f64 {
        let energy = sum(self.parameters().into_iter().zip(self.statistics(x)).map(|(theta, x)| theta * x));
        let surprise = |p: f64| if p > 0.0 { -p * p.ln() } else { 0.0 };
        let entropy = x.iter().zip(&self.spins).skip(1).flat_map(|(x, &spin)| {
            let p = move |x: f64| if spin { 0.5 + 0.5 * x } else { x };
            x.iter().map(move |&x| surprise(p(x)) + surprise(1.0 - p(x)))
        });
        energy + sum(entropy)
    }

    /// Builds the half-step that draws the layers of one parity given the others; `on` gives the probabilities of a layer in a
    /// state.
    pub fn half_step(&self, parity: usize, on: &dyn Fn(usize, u64) -> Vec<f64>) -> Matrix {
        let count = states(self.units());
        let offsets: Vec<usize> = (0..self.sizes.len()).map(|l| self.sizes[..l].iter().sum()).collect();
        let drawn: Vec<usize> = (parity..self.sizes.len()).step_by(2).collect();
        let rows = (0..count as u64).map(|start| {
            let mut row = vec![0.0; count];
            let mut ends = vec![(start, 1.0)];
            for &l in &drawn {
                for (unit, p) in on(l, start).into_iter().enumerate() {
                    let bit = 1 << (offsets[l] + unit);
                    ends = ends
                        .into_iter()
                        .flat_map(|(x, q)| [(x | bit, q * p), (x & !bit, q * (1.0 - p))])
                        .collect();
                }
            }
            ends.into_iter().for_each(|(end, p)| row[end as usize] += p);
            row
        });
        Matrix::from_rows(&rows.collect::<Vec<_>>())
    }

    /// Builds the sweep: layers of odd number given the others, then those of even number.
    pub fn sweep(&self) -> Matrix {
        let on = |l: usize, state: u64| self.on(l, &self.input(l, &self.features(state)));
        self.half_step(1, &on).then(&self.half_step(0, &on))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{TAU_0, all_close, close};
    use crate::enumerate::{log_z_joint, minus_free_energies};
    use crate::rbm::Rbm;

    fn machines() -> Vec<Deep> {
        let mut rng = Rng::new(3);
        let sizes: [&[usize]; 4] = [&[3, 2], &[2, 3, 2], &[2, 2, 1, 2], &[1, 1, 1, 1, 1]];
        let mut all: Vec<Deep> = sizes.iter().map(|sizes| Deep::normal(sizes, 1.0, &mut rng)).collect();
        let spins = Deep { spins: vec![true, false, true], ..all[1].clone() };
        all.push(spins);
        all
    }

    #[test]
    fn one_hidden_layer_is_a_restricted_machine() {
        let deep = &machines()[0];
        let rbm = Rbm {
            visible: 3,
            hidden: 2,
            weights: deep.weights[0].clone(),
            visible_bias: deep.biases[0].clone(),
            hidden_bias: deep.biases[1].clone(),
        };
        close(deep.log_z(), log_z_joint(&rbm), TAU_0);
        all_close(&deep.unnormalized(), &minus_free_energies(&rbm), TAU_0);
        // Mean field is exact there.
        for v in 0..8 {
            close(deep.bound(&deep.mean_field(v, 3)), deep.unnormalized()[v as usize], TAU_0);
        }
    }

    #[test]
    fn sweeps_leave_the_law_alone() {
        for deep in machines() {
            let (sweep, law) = (deep.sweep(), deep.probabilities());
            assert!(sweep.row_sum_error() <= TAU_0 && sweep.drift(&law) <= TAU_0);
            assert!(deep.tempered(0.7).sweep().drift(&law) > 1e-3);
        }
    }

    #[test]
    fn bounds_rise_with_every_step_and_stay_below() {
        for deep in machines() {
            for (v, exact) in deep.unnormalized().into_iter().enumerate() {
                let bounds: Vec<f64> = (0..30).map(|n| deep.bound(&deep.mean_field(v as u64, n))).collect();
                assert!(bounds.windows(2).all(|pair| pair[1] >= pair[0] - TAU_0));
                assert!(bounds.iter().all(|&bound| bound <= exact + TAU_0));
            }
        }
    }

    #[test]
    fn parameters_come_back() {
        for deep in machines() {
            let changed: Vec<f64> = deep.parameters().iter().map(|x| x + 1.0).collect();
            assert_eq!(deep.with_parameters(&changed).parameters(), changed);
            assert_eq!(deep.with_parameters(&deep.parameters()), deep);
        }
    }
}
