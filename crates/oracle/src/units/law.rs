//! Computes the conditional law of a unit given its input in closed form.

use std::f64::consts::TAU;

use super::unit::Unit;
use crate::half_line::HalfLine;
use crate::math::{log_sum_exp, sigmoid, softplus};
use crate::normal::survival;

/// Holds the share and the law of each side of a rectified unit; the negative side is mirrored.
struct Sides {
    plus: (f64, HalfLine),
    minus: Option<(f64, HalfLine)>,
}

impl Unit {
    /// Gives a = I + b.
    ///
    /// # Panics
    /// When there is not one input a feature.
    pub fn activation(&self, input: &[f64]) -> Vec<f64> {
        assert_eq!(input.len(), self.bias().len(), "one input a feature");
        self.bias().iter().zip(input).map(|(b, i)| b + i).collect()
    }

    /// Gives Γ(I) = ln Σ_x m(x) e^(I·x − U(x)), or the integral.
    pub fn cgf(&self, input: &[f64]) -> f64 {
        let a = self.activation(input);
        match *self {
            Self::Bernoulli { .. } => softplus(a[0]),
            Self::Spin { .. } => a[0].abs() + (-2.0 * a[0].abs()).exp().ln_1p(),
            Self::Categorical { .. } => log_sum_exp(&a),
            Self::Gaussian { curvature, .. } => {
                a[0] * a[0] / (2.0 * curvature) + (TAU / curvature).ln() / 2.0
            }
            Self::Relu { .. } | Self::Drelu { .. } => {
                let (plus, minus) = self.halves(a[0]);
                log_sum_exp(&[plus.log_z(), minus.map_or(f64::NEG_INFINITY, |half| half.log_z())])
            }
            Self::Binomial { trials, .. } => f64::from(trials) * softplus(a[0]),
            Self::Poisson { .. } => a[0].exp(),
        }
    }

    /// Gives E x, one entry a feature.
    pub fn mean(&self, input: &[f64]) -> Vec<f64> {
        let a = self.activation(input);
        match *self {
            Self::Bernoulli { .. } => vec![sigmoid(a[0])],
            Self::Spin { .. } => vec![a[0].tanh()],
            Self::Categorical { .. } => a.iter().map(|x| (x - log_sum_exp(&a)).exp()).collect(),
            Self::Gaussian { curvature, .. } => vec![a[0] / curvature],
            Self::Relu { .. } | Self::Drelu { .. } => {
                let sides = self.sides(a[0]);
                let minus = sides.minus.map_or(0.0, |(share, half)| share * half.mean());
                vec![sides.plus.0 * sides.plus.1.mean() - minus]
            }
            Self::Binomial { trials, .. } => vec![f64::from(trials) * sigmoid(a[0])],
            Self::Poisson { .. } => vec![a[0].exp()],
        }
    }

    /// Gives the covariance of the features, row-major.
    pub fn covariance(&self, input: &[f64]) -> Vec<f64> {
        let a = self.activation(input);
        match *self {
            Self::Bernoulli { .. } => vec![sigmoid(a[0]) * sigmoid(-a[0])],
            Self::Spin { .. } => vec![4.0 * sigmoid(2.0 * a[0]) * sigmoid(-2.0 * a[0])],
            Self::Categorical { .. } => one_hot_covariance(&self.mean(input)),
            Self::Gaussian { curvature, .. } => vec![1.0 / curvature],
            Self::Relu { .. } | Self::Drelu { .. } => vec![self.sides(a[0]).variance()],
            Self::Binomial { trials, .. } => vec![f64::from(trials) * sigmoid(a[0]) * sigmoid(-a[0])],
            Self::Poisson { .. } => vec![a[0].exp()],
        }
    }

    /// Gives Var x, one entry a feature.
    pub fn variance(&self, input: &[f64]) -> Vec<f64> {
        self.covariance(input).into_iter().step_by(input.len() + 1).collect()
    }

    /// Gives E ∂U/∂θ, in the order of [`Unit::energy_gradient`].
    pub fn mean_energy_gradient(&self, input: &[f64]) -> Vec<f64> {
        let mean = self.mean(input);
        let own = match *self {
            Self::Gaussian { curvature, .. } => {
                vec![-curvature * (self.variance(input)[0] + mean[0] * mean[0]) / 2.0]
            }
            Self::Drelu { plus, minus, .. } => self.sides(input[0] + self.bias()[0]).own(plus, minus),
            _ => Vec::new(),
        };
        mean.iter().map(|x| -x).chain(own).collect()
    }

    /// Gives P(X ≤ x); of a categorical unit, X is the index of the class.
    pub fn cdf(&self, input: &[f64], x: f64) -> f64 {
        let a = self.activation(input);
        match *self {
            Self::Gaussian { curvature, .. } => survival((a[0] / curvature - x) * curvature.sqrt()),
            Self::Relu { .. } | Self::Drelu { .. } => self.sides(a[0]).cdf(x),
            _ => self.counted_cdf(input, x),
        }
    }

    /// Gives the laws of the two half-lines at activation `a`; a ReLU has one.
    pub(super) fn halves(&self, a: f64) -> (HalfLine, Option<HalfLine>) {
        match *self {
            Self::Relu { curvature, .. } => (HalfLine { curvature, slope: a }, None),
            Self::Drelu { shift, plus, minus, .. } => (
                HalfLine { curvature: plus, slope: a + shift },
                Some(HalfLine { curvature: minus, slope: shift - a }),
            ),
            _ => unreachable!("only rectified units have half-lines"),
        }
    }

    fn sides(&self, a: f64) -> Sides {
        let (plus, minus) = self.halves(a);
        // The logarithm of the odds of the negative side.
        let odds = minus.map_or(f64::NEG_INFINITY, |half| half.log_z() - plus.log_z());
        Sides { plus: (sigmoid(-odds), plus), minus: minus.map(|half| (sigmoid(odds), half)) }
    }
}

impl Sides {
    /// Adds the variances of the sides and that between their means, all of one sign.
    fn variance(&self) -> f64 {
        let (share, plus) = self.plus;
        let Some((rest, minus)) = self.minus else { return plus.variance() };
        let gap = plus.mean() + minus.mean();
        share * plus.variance() + rest * minus.variance() + share * rest * gap * gap
    }

    /// Gives E of −|x|, γ₊ x² / 2 on x ≥ 0 and γ₋ x² / 2 on x < 0.
    fn own(&self, plus: f64, minus: f64) -> Vec<f64> {
        let (share, up) = self.plus;
        let (rest, down) = self.minus.expect("a dReLU has two sides");
        let distance = share * up.mean() + rest * down.mean();
        vec![-distance, share * plus * up.square() / 2.0, rest * minus * down.square() / 2.0]
    }

    fn cdf(&self, x: f64) -> f64 {
        if x >= 0.0 {
            return 1.0 - self.plus.0 * self.plus.1.survival(x);
        }
        self.minus.map_or(0.0, |(share, half)| share * half.survival(-x))
    }
}

/// Gives diag p − p pᵀ, without cancellation on the diagonal.
fn one_hot_covariance(p: &[f64]) -> Vec<f64> {
    let others = |c: usize| p.iter().enumerate().filter(|(d, _)| *d != c).map(|(_, p)| p).sum::<f64>();
    let entry = |c: usize, d: usize| if c == d { p[c] * others(c) } else { -p[c] * p[d] };
    (0..p.len()).flat_map(|c| (0..p.len()).map(move |d| (c, d))).map(|(c, d)| entry(c, d)).collect()
}
