//! Defines one unit by its natural parameters: energy, reference measure and the derivatives of the energy.

use crate::gamma::ln_gamma;

/// Holds one unit; curvatures are the factors of x² / 2, not their logarithms.
#[derive(Clone, Debug, PartialEq)]
pub enum Unit {
    /// x ∈ {0, 1}.
    Bernoulli {
        /// b.
        bias: f64,
    },
    /// x ∈ {−1, 1}.
    Spin {
        /// b.
        bias: f64,
    },
    /// One-hot.
    Categorical {
        /// b, one a class.
        bias: Vec<f64>,
    },
    /// Real.
    Gaussian {
        /// b.
        bias: f64,
        /// e^(−ζ) = 1/σ².
        curvature: f64,
    },
    /// x ≥ 0.
    Relu {
        /// b.
        bias: f64,
        /// 1, or β in a tempered model; no parameter.
        curvature: f64,
    },
    /// Real, each side with its own curvature.
    Drelu {
        /// b.
        bias: f64,
        /// δ.
        shift: f64,
        /// e^(g₊).
        plus: f64,
        /// e^(g₋).
        minus: f64,
    },
    /// 0 … n.
    Binomial {
        /// b.
        bias: f64,
        /// n.
        trials: u32,
    },
    /// 0, 1, 2, ….
    Poisson {
        /// b.
        bias: f64,
    },
}

impl Unit {
    /// Gives b, one entry a feature.
    pub fn bias(&self) -> &[f64] {
        match self {
            Self::Categorical { bias } => bias,
            Self::Bernoulli { bias }
            | Self::Spin { bias }
            | Self::Gaussian { bias, .. }
            | Self::Relu { bias, .. }
            | Self::Drelu { bias, .. }
            | Self::Binomial { bias, .. }
            | Self::Poisson { bias } => std::slice::from_ref(bias),
        }
    }

    /// Gives U(x).
    pub fn energy(&self, x: &[f64]) -> f64 {
        let linear: f64 = self.bias().iter().zip(x).map(|(b, x)| b * x).sum();
        let square = x[0] * x[0] / 2.0;
        let rest = match *self {
            Self::Gaussian { curvature, .. } | Self::Relu { curvature, .. } => curvature * square,
            Self::Drelu { shift, plus, .. } if x[0] >= 0.0 => plus * square - shift * x[0],
            Self::Drelu { shift, minus, .. } => minus * square + shift * x[0],
            _ => 0.0,
        };
        rest - linear
    }

    /// Gives ln m(x); −∞ outside the domain.
    pub fn log_measure(&self, x: &[f64]) -> f64 {
        let inside = match *self {
            Self::Bernoulli { .. } => x[0] == 0.0 || x[0] == 1.0,
            Self::Spin { .. } => x[0].abs() == 1.0,
            Self::Categorical { .. } => one_hot(x).is_some(),
            Self::Gaussian { .. } | Self::Drelu { .. } => x[0].is_finite(),
            Self::Relu { .. } => x[0] >= 0.0 && x[0].is_finite(),
            Self::Binomial { trials, .. } => x[0].fract() == 0.0 && (0.0..=f64::from(trials)).contains(&x[0]),
            Self::Poisson { .. } => x[0].fract() == 0.0 && x[0] >= 0.0,
        };
        if inside { self.log_count(x[0]) } else { f64::NEG_INFINITY }
    }

    /// Gives ln C(n, x) or −ln x!; 0 where the measure is flat.
    fn log_count(&self, x: f64) -> f64 {
        match *self {
            Self::Binomial { trials, .. } => {
                let n = f64::from(trials);
                ln_gamma(n + 1.0) - ln_gamma(x + 1.0) - ln_gamma(n - x + 1.0)
            }
            Self::Poisson { .. } => -ln_gamma(x + 1.0),
            _ => 0.0,
        }
    }

    /// Gives ∂U/∂θ at x: for the bias of every feature, then for ζ, or for δ, g₊ and g₋.
    pub fn energy_gradient(&self, x: &[f64]) -> Vec<f64> {
        let square = x[0] * x[0] / 2.0;
        let own = match *self {
            Self::Gaussian { curvature, .. } => vec![-curvature * square],
            Self::Drelu { plus, .. } if x[0] >= 0.0 => vec![-x[0], plus * square, 0.0],
            Self::Drelu { minus, .. } => vec![x[0], 0.0, minus * square],
            _ => Vec::new(),
        };
        x.iter().map(|x| -x).chain(own).collect()
    }
}

/// Gives the class of a one-hot vector.
pub(super) fn one_hot(x: &[f64]) -> Option<usize> {
    let proper = x.iter().all(|&x| x == 0.0 || x == 1.0) && x.iter().sum::<f64>() == 1.0;
    x.iter().position(|&x| x == 1.0).filter(|_| proper)
}
