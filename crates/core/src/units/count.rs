//! Describes units that count: binomial (0 … n) and Poisson (0, 1, 2, …), with U(x) = −b·x.
//!
//! How many ways lead to a count belongs to the measure, not to the energy, and is not tempered: C(n, x) ways for a binomial
//! unit, 1/x! for a Poisson unit. Hence Γ(I) = n ln(1 + e^a) or e^a, with a = I + b.

use harmonium_kernels::Key;

use super::normal::uniform;
use super::{Input, Means, States, Unit, by_row, mix, words};

/// The largest activation of a Poisson unit that is used: a rate of 22,026.
const MOST: f64 = 10.0;

/// Says which counts there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counts {
    /// 0 … n.
    Binomial(u32),
    /// 0, 1, 2, …
    Poisson,
}

/// Is a layer of counting units with one bias a unit.
#[derive(Clone, Debug, PartialEq)]
pub struct Count {
    counts: Counts,
    bias: Vec<f32>,
}

impl Count {
    /// Makes a layer from its biases.
    pub fn new(bias: Vec<f32>, counts: Counts) -> Self {
        Self { counts, bias }
    }

    /// Says which counts there are.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    fn rows(&self, input: &Input<'_>, unit: impl Fn(f64, usize, usize) -> f32 + Sync) -> Vec<f32> {
        let (values, n) = (input.values(), self.bias.len());
        by_row(values.len() / n, |row| {
            let line = values[row * n..(row + 1) * n].iter().zip(&self.bias).enumerate();
            line.map(|(j, (i, b))| unit(f64::from(i + b), row, j)).collect()
        })
    }
}

impl Counts {
    fn cgf(self, a: f64) -> f64 {
        match self {
            Self::Binomial(n) => f64::from(n) * (a.max(0.0) + libm::log1p(libm::exp(-a.abs()))),
            Self::Poisson => libm::exp(a.min(MOST)),
        }
    }

    fn mean(self, a: f64) -> f64 {
        match self {
            Self::Binomial(n) => f64::from(n) / (1.0 + libm::exp(-a)),
            Self::Poisson => libm::exp(a.min(MOST)),
        }
    }

    /// Gives the likeliest count.
    fn mode(self, a: f64) -> f64 {
        match self {
            Self::Binomial(n) => {
                let ones = f64::from(n) + 1.0;
                (ones / (1.0 + libm::exp(-a))).ceil().clamp(1.0, ones) - 1.0
            }
            Self::Poisson => self.mean(a).ceil().max(1.0) - 1.0,
        }
    }

    /// Gives p(x) / p(x − 1).
    fn ratio(self, a: f64, x: f64) -> f64 {
        match self {
            Self::Binomial(n) => (f64::from(n) + 1.0 - x) / x * libm::exp(a),
            Self::Poisson => libm::exp(a.min(MOST)) / x,
        }
    }

    fn log_mass(self, a: f64, x: f64) -> f64 {
        let a = if self == Self::Poisson { a.min(MOST) } else { a };
        self.log_measure(x) + a * x - self.cgf(a)
    }

    /// Computes ln C(n, x), or −ln x!.
    fn log_measure(self, x: f64) -> f64 {
        let ways = match self {
            Self::Binomial(n) => {
                let n = f64::from(n);
                libm::lgamma(n + 1.0) - libm::lgamma(n - x + 1.0)
            }
            Self::Poisson => 0.0,
        };
        ways - libm::lgamma(x + 1.0)
    }

    /// Gives the smallest x with P(≤ x) > u, walking up or down from the mode.
    fn quantile(self, a: f64, u: f64) -> f64 {
        if !a.is_finite() {
            return if a > 0.0 && self != Self::Poisson { self.mode(a) } else { 0.0 };
        }
        let mode = self.mode(a);
        let at_mode = libm::exp(self.log_mass(a, mode));
        let mut below = self.mass_below(a, mode, at_mode);
        let (mut x, mut mass) = (mode, at_mode);
        if u < below {
            while u < below && x > 0.0 {
                mass /= self.ratio(a, x);
                x -= 1.0;
                below -= mass;
            }
            return x;
        }
        while u >= below + mass && mass > 0.0 {
            below += mass;
            x += 1.0;
            mass *= self.ratio(a, x);
        }
        x
    }

    /// Sums p(x) for x below the mode, downwards until nothing is left to add.
    fn mass_below(self, a: f64, mode: f64, at_mode: f64) -> f64 {
        let (mut sum, mut x, mut mass) = (0.0, mode, at_mode);
        while x > 0.0 && mass > at_mode * 1e-18 {
            mass /= self.ratio(a, x);
            x -= 1.0;
            sum += mass;
        }
        sum
    }
}

impl Unit for Count {
    fn bias(&self) -> &[f32] {
        &self.bias
    }

    fn parts_mut(&mut self) -> (&mut [f32], Vec<&mut [f32]>) {
        (&mut self.bias, Vec::new())
    }

    fn energy(&self, state: &States) -> Vec<f64> {
        let one = |(&x, &b): (&f32, &f32)| -f64::from(b) * f64::from(x);
        let rows = state.expect_reals().rows();
        rows.into_iter().map(|row| row.iter().zip(&self.bias).map(one).sum()).collect()
    }

    fn log_measure(&self, state: &States) -> Vec<f64> {
        let rows = state.expect_reals().rows();
        rows.into_iter().map(|row| row.iter().map(|&x| self.counts.log_measure(f64::from(x))).sum()).collect()
    }

    fn cgf(&self, input: &Input<'_>) -> Vec<f64> {
        let values = input.values();
        let one = |(i, b): (&f32, &f32)| self.counts.cgf(f64::from(i + b));
        values.chunks_exact(self.bias.len()).map(|row| row.iter().zip(&self.bias).map(one).sum()).collect()
    }

    fn mean(&self, input: &Input<'_>) -> Means {
        Means::Reals(self.rows(input, |a, _, _| self.counts.mean(a) as f32))
    }

    fn sample(&self, input: &Input<'_>, key: Key) -> States {
        let n = self.bias.len();
        let draws = words(key, input.len() / n, n);
        let draw =
            |a: f64, row: usize, unit: usize| self.counts.quantile(a, uniform(draws[row * n + unit])) as f32;
        States::reals(self.rows(input, draw), n)
    }

    fn mode(&self, input: &Input<'_>) -> States {
        States::reals(self.rows(input, |a, _, _| self.counts.mode(a) as f32), self.bias.len())
    }

    fn anneal(&self, base: &Self, beta: f32) -> Self {
        Self { bias: mix(&base.bias, &self.bias, beta), ..*self }
    }

    fn free(&self) -> Self {
        Self { bias: vec![0.0; self.bias.len()], ..*self }
    }
}
