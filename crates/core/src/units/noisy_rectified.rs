//! Draws noisy rectified units, x = max(0, a + N(0, σ(a))) with a = I + b (Nair & Hinton 2010, §2.1): a heuristic.
//!
//! They stand for stepped sigmoid units: infinitely many Bernoulli units with the same weights and the biases b − ½, b − 3/2, …,
//! of which x counts those that are on (Teh & Hinton 2001). Draws and means are exact for the noisy rectified unit: those of a
//! Gaussian whose lower part is moved to zero. U and Γ are exact for the stepped sigmoid unit: Γ(I) = Σ_i ln(1 + e^(a − i + ½)),
//! and U(x) = x²/2 − b·x with the first x Bernoulli units on. The two are not the same: means differ by up to 0.42, near a = −0.3,
//! and no energy has these draws for its law. So machines with such units train and have features, and they have no ln Z.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use harmonium_kernels::Key;

use super::normal::{quantile, uniform};
use super::{Input, Means, States, Unit, by_row, mix, words};

/// Is a layer of noisy rectified units with one bias each.
#[derive(Clone, Debug, PartialEq)]
pub struct NoisyRectified {
    bias: Vec<f32>,
}

impl NoisyRectified {
    /// Makes a layer from its biases.
    pub fn new(bias: Vec<f32>) -> Self {
        Self { bias }
    }

    fn rows(&self, input: &Input<'_>, unit: impl Fn(f64, usize, usize) -> f32 + Sync) -> Vec<f32> {
        let (values, n) = (input.values(), self.bias.len());
        by_row(values.len() / n, |row| {
            let line = values[row * n..(row + 1) * n].iter().zip(&self.bias).enumerate();
            line.map(|(j, (i, b))| unit(f64::from(i + b), row, j)).collect()
        })
    }
}

/// Gives the deviation of the noise: its variance is σ(a), that of the number of stepped units that are on.
fn deviation(a: f64) -> f64 {
    let variance = 1.0 / (1.0 + libm::exp(-a));
    mutant!("B96", variance.sqrt(), variance)
}

/// Computes ⟨max(0, a + s z)⟩ = a Φ(a/s) + s φ(a/s), z ∼ N(0, 1), s² = σ(a).
pub(super) fn mean(a: f64) -> f64 {
    let s = deviation(a);
    if s == 0.0 {
        return a.max(0.0);
    }
    let t = a / s;
    let (below, density) =
        (0.5 * libm::erfc(-t * FRAC_1_SQRT_2), libm::exp(-t * t / 2.0) / (2.0 * PI).sqrt());
    mutant!("B97", (a * below + s * density).max(0.0), a.max(0.0))
}

/// Computes Γ = Σ_i ln(1 + e^(a − i + ½)), i = 1, 2, …
///
/// By Jacobi's triple product Γ(a) + Γ(−a) = a²/2 + ½ ln 2π − Σ_k ln(1 − e^−k) + ln θ, so that only falling terms are summed;
/// θ = 1 + 2 e^(−2π²) cos 2πa, and what follows is below 1e-34.
fn stepped(a: f64) -> f64 {
    if a <= 0.0 {
        return (1..=40).map(|i| libm::log1p(libm::exp(a - f64::from(i) + 0.5))).sum();
    }
    let theta = 2.0 * libm::exp(-2.0 * PI * PI) * libm::cos(2.0 * PI * a);
    let euler: f64 = (1..=40).map(|k| libm::log1p(-libm::exp(-f64::from(k)))).sum();
    a * a / 2.0 + libm::log(2.0 * PI) / 2.0 - euler + libm::log1p(theta) - stepped(-a)
}

impl Unit for NoisyRectified {
    fn bias(&self) -> &[f32] {
        &self.bias
    }

    fn parts_mut(&mut self) -> (&mut [f32], Vec<&mut [f32]>) {
        (&mut self.bias, Vec::new())
    }

    /// Gives x²/2 − b·x: what a stepped sigmoid unit has with its first x Bernoulli units on.
    fn energy(&self, state: &States) -> Vec<f64> {
        let one = |(&x, &b): (&f32, &f32)| f64::from(x) * (f64::from(x) / 2.0 - f64::from(b));
        let rows = state.expect_reals().rows();
        rows.into_iter().map(|row| row.iter().zip(&self.bias).map(one).sum()).collect()
    }

    /// Gives that of stepped sigmoid units.
    fn cgf(&self, input: &Input<'_>) -> Vec<f64> {
        let values = input.values();
        let one = |(i, b): (&f32, &f32)| stepped(f64::from(i + b));
        values.chunks_exact(self.bias.len()).map(|row| row.iter().zip(&self.bias).map(one).sum()).collect()
    }

    fn mean(&self, input: &Input<'_>) -> Means {
        Means::Reals(self.rows(input, |a, _, _| mean(a) as f32))
    }

    fn sample(&self, input: &Input<'_>, key: Key) -> States {
        let n = self.bias.len();
        let draws = words(key, input.len() / n, n);
        let draw = |a: f64, row: usize, unit: usize| {
            (a + deviation(a) * quantile(uniform(draws[row * n + unit]))).max(0.0) as f32
        };
        States::reals(self.rows(input, draw), n)
    }

    /// Gives the draw without noise.
    fn mode(&self, input: &Input<'_>) -> States {
        States::reals(self.rows(input, |a, _, _| a.max(0.0) as f32), self.bias.len())
    }

    fn anneal(&self, base: &Self, beta: f32) -> Self {
        Self { bias: mix(&base.bias, &self.bias, beta) }
    }

    fn free(&self) -> Self {
        Self { bias: vec![0.0; self.bias.len()] }
    }
}
