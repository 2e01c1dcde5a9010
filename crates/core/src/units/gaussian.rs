//! Describes real units with a bell-shaped density: U(x) = x²/2σ² − b·x, so that x ∼ N(σ² (I + b), σ²).
//!
//! σ² is e^ζ; a ζ that is learned is held within ±8, so that no step of an optimiser leaves the domain.

use std::f64::consts::PI;

use harmonium_kernels::Key;
use ndarray::Array2;

use super::normal::{quantile, uniform};
use super::{Extra, Input, Means, States, Unit, by_row, mix, words};

/// The largest |ζ| = |ln σ²| that is used while it is learned.
const MOST: f32 = 8.0;

/// Is a layer of real units with a bias and a variance each.
#[derive(Clone, Debug, PartialEq)]
pub struct Gaussian {
    bias: Vec<f32>,
    log_variance: Vec<f32>,
    learned: bool,
}

impl Gaussian {
    /// Makes a layer from its biases and from ln σ² of each unit; `learned` makes ln σ² a parameter.
    ///
    /// # Panics
    /// If the two are not equally long.
    pub fn new(bias: Vec<f32>, log_variance: Vec<f32>, learned: bool) -> Self {
        assert_eq!(bias.len(), log_variance.len(), "units of both parameters");
        Self { bias, log_variance, learned }
    }

    /// Gives ln σ² of each unit.
    pub fn log_variance(&self) -> &[f32] {
        &self.log_variance
    }

    /// Makes the layer with x seen through further noise, whose precisions (1/variance) are given: 1/σ² grows by them. What was
    /// seen, times its precision, is an input.
    ///
    /// # Panics
    /// If there are not as many precisions as units.
    #[must_use]
    pub fn observed(&self, precisions: &[f64]) -> Self {
        assert_eq!(precisions.len(), self.bias.len(), "units of the precisions");
        let seen = |(v, p): (f64, &f64)| -libm::log(1.0 / v + mutant!("B291", p, &0.0)) as f32;
        let log_variance = self.variances().into_iter().zip(precisions).map(seen).collect();
        Self { bias: self.bias.clone(), log_variance, learned: false }
    }

    /// Gives σ² of each unit as it is used.
    pub fn variances(&self) -> Vec<f64> {
        let most = if self.learned { MOST } else { f32::MAX };
        self.log_variance.iter().map(|&z| libm::exp(f64::from(z.clamp(-most, most)))).collect()
    }

    fn scaled(&self, base: f64, own: f64, other: &[f64]) -> Vec<f32> {
        let precision = |(own_v, base_v): (&f64, &f64)| own / own_v + base / base_v;
        self.variances().iter().zip(other).map(precision).map(|p| -libm::log(p) as f32).collect()
    }

    fn rows(&self, input: &Input<'_>, unit: impl Fn(f64, f64, usize, usize) -> f32 + Sync) -> Vec<f32> {
        let (values, variances, n) = (input.values(), self.variances(), self.bias.len());
        by_row(values.len() / n, |row| {
            let line = values[row * n..(row + 1) * n].iter().zip(&self.bias).zip(&variances).enumerate();
            line.map(|(j, ((i, b), v))| unit(f64::from(i + b) * v, *v, row, j)).collect()
        })
    }
}

impl Unit for Gaussian {
    fn bias(&self) -> &[f32] {
        &self.bias
    }

    fn parts_mut(&mut self) -> (&mut [f32], Vec<&mut [f32]>) {
        (&mut self.bias, self.learned.then_some(&mut self.log_variance[..]).into_iter().collect())
    }

    fn energy(&self, state: &States) -> Vec<f64> {
        let (states, variances) = (state.expect_reals(), self.variances());
        let one = |((&x, &b), v): ((&f32, &f32), &f64)| {
            f64::from(x) * f64::from(x) / (2.0 * v) - f64::from(b) * f64::from(x)
        };
        states
            .rows()
            .into_iter()
            .map(|row| row.iter().zip(&self.bias).zip(&variances).map(one).sum())
            .collect()
    }

    /// Computes Σ σ² (I + b)²/2 + ln(2π σ²)/2.
    fn cgf(&self, input: &Input<'_>) -> Vec<f64> {
        let (values, variances) = (input.values(), self.variances());
        let one = |((i, b), v): ((&f32, &f32), &f64)| {
            f64::from(i + b).powi(2) * v / 2.0 + libm::log(2.0 * PI * v) / 2.0
        };
        let lines = values.chunks_exact(self.bias.len());
        lines.map(|line| line.iter().zip(&self.bias).zip(&variances).map(one).sum()).collect()
    }

    fn mean(&self, input: &Input<'_>) -> Means {
        Means::Reals(self.rows(input, |mean, _, _, _| mean as f32))
    }

    fn sample(&self, input: &Input<'_>, key: Key) -> States {
        let n = self.bias.len();
        let draws = words(key, input.len() / n, n);
        let draw = |mean: f64, variance: f64, row: usize, unit: usize| {
            (mean + variance.sqrt() * quantile(uniform(draws[row * n + unit]))) as f32
        };
        States::reals(self.rows(input, draw), n)
    }

    fn mode(&self, input: &Input<'_>) -> States {
        States::reals(self.rows(input, |mean, _, _, _| mean as f32), self.bias.len())
    }

    /// Mixes biases and precisions.
    fn anneal(&self, base: &Self, beta: f32) -> Self {
        let (own, other) = (f64::from(beta), 1.0 - f64::from(beta));
        let log_variance = self.scaled(other, own, &base.variances());
        Self { bias: mix(&base.bias, &self.bias, beta), log_variance, learned: false }
    }

    fn temper(&self, beta: f32) -> Self {
        let log_variance = self.scaled(0.0, f64::from(beta), &self.variances());
        Self { bias: self.bias.iter().map(|b| beta * b).collect(), log_variance, learned: false }
    }

    fn free(&self) -> Self {
        Self { bias: vec![0.0; self.bias.len()], ..self.clone() }
    }

    fn extra(&self) -> Vec<Extra<'_>> {
        let names = ["visible_log_variance", "hidden_log_variance"];
        self.learned.then_some(Extra { names, values: &self.log_variance }).into_iter().collect()
    }

    /// Gives −∂U/∂ζ = x²/2σ².
    fn extra_states(&self, state: &States) -> Vec<Array2<f32>> {
        if !self.learned {
            return Vec::new();
        }
        let (mut out, variances) = (state.expect_reals().clone(), self.variances());
        for mut row in out.rows_mut() {
            row.iter_mut().zip(&variances).for_each(|(x, v)| *x = (f64::from(*x).powi(2) / (2.0 * v)) as f32);
        }
        vec![out]
    }

    /// Gives ⟨x²⟩/2σ² = (μ²/σ² + 1)/2.
    fn extra_means(&self, input: &Input<'_>) -> Vec<Array2<f32>> {
        if !self.learned {
            return Vec::new();
        }
        let values = self.rows(input, |mean, variance, _, _| {
            f64::midpoint(mean * mean / variance, mutant!("B86", 1.0, 0.0)) as f32
        });
        vec![States::reals(values, self.bias.len()).to_array()]
    }
}
