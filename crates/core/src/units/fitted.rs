//! Fits a layer alone to marginals: to counts of bits and classes, or to means and variances of values.

use super::noisy_rectified;
use super::normal::HalfLine;
use super::{Bernoulli, Categorical, Gaussian, Layer, Mixed, Rectified, Sides, Spin, Units};

/// The least variance that a column is taken to have, so that a constant one has a density.
const LEAST: f64 = 1e-3;

impl Units {
    /// Makes the independent layer with the marginals of `rows` rows in which bit i is set `ones[i]` times, smoothed. Both are
    /// sums of weights where rows have them.
    ///
    /// # Panics
    /// If the units are not binary, or the counts not one a feature.
    pub fn from_counts(&self, ones: &[f64], rows: f64) -> Layer {
        assert_eq!(ones.len(), self.features(), "one count a feature");
        match *self {
            Self::Bernoulli(_) => Layer::Bernoulli(Bernoulli::from_counts(ones, rows)),
            Self::Spin(_) => Layer::Spin(Spin::from_counts(ones, rows)),
            Self::Categorical { classes, .. } => Layer::Categorical(Categorical::from_counts(ones, classes)),
            _ => panic!("counts of {self}"),
        }
    }

    /// Makes the independent layer with these means, and with these variances where they are parameters; counts are
    /// smoothed as one row in `rows` is.
    ///
    /// # Panics
    /// If the moments are not one a feature.
    pub fn from_moments(&self, means: &[f64], variances: &[f64], rows: u64) -> Layer {
        let variances: Vec<f64> = variances.iter().map(|v| v.max(LEAST)).collect();
        let each = |f: &dyn Fn(f64, f64) -> f64| -> Vec<f32> {
            means.iter().zip(&variances).map(|(&mean, &variance)| f(mean, variance) as f32).collect()
        };
        let one = 1.0 / rows as f64;
        match *self {
            Self::Mixed(ref parts) => Layer::Mixed(Mixed::new(fit_parts(parts, means, &variances, rows))),
            Self::Bernoulli(_) | Self::Categorical { .. } => {
                self.from_counts(&counts(means, rows), rows as f64)
            }
            Self::Spin(_) => {
                let shares: Vec<f64> = means.iter().map(|mean| f64::midpoint(*mean, 1.0)).collect();
                self.from_counts(&counts(&shares, rows), rows as f64)
            }
            Self::Diagonal(_) => {
                let log_variance = each(&|_, variance| libm::log(variance));
                Layer::Gaussian(Gaussian::new(each(&|mean, variance| mean / variance), log_variance, true))
            }
            Self::Drelu(_) => {
                let log = each(&|_, variance| -libm::log(variance));
                let sides =
                    Sides { kink: vec![0.0; log.len()], log_positive: log.clone(), log_negative: log };
                Layer::Rectified(Rectified::two_sided(each(&|mean, variance| mean / variance), sides))
            }
            Self::Relu(_) => {
                self.layer(each(&|mean, _| bias_with_mean(mean, &|a| HalfLine::new(a, 1.0).mean())))
            }
            Self::NoisyRelu(_) => self.layer(each(&|mean, _| bias_with_mean(mean, &noisy_rectified::mean))),
            Self::Poisson(_) => self.layer(each(&|mean, _| libm::log(mean + one))),
            Self::Binomial { trials, .. } => {
                let most = f64::from(trials);
                self.layer(each(&|mean, _| libm::log((mean + one) / (most - mean + one))))
            }
            Self::Gaussian(_) => self.layer(each(&|mean, _| mean)),
        }
    }
}

fn fit_parts(parts: &[Units], means: &[f64], variances: &[f64], rows: u64) -> Vec<Layer> {
    let mut begin = 0;
    let part = |units: &Units| {
        let place = begin..begin + units.features();
        begin = place.end;
        units.from_moments(&means[place.clone()], &variances[place], rows)
    };
    parts.iter().map(part).collect()
}

/// Gives how often a bit with this mean was set.
fn counts(shares: &[f64], rows: u64) -> Vec<f64> {
    shares.iter().map(|share| (share * rows as f64).round()).collect()
}

/// Gives the bias of a rectified unit with this mean, by bisection: the mean grows with it.
fn bias_with_mean(mean: f64, mean_of: &dyn Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (-20.0, mean.max(1.0) + 1.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if mean_of(middle) < mean {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Input, Means, Unit};

    #[test]
    fn a_fitted_layer_has_the_given_means() {
        // Smoothing moves a mean by at most 2 in 2000 rows; f32 parameters by less.
        let (means, variances) = ([1.9_f64, 0.3, 6.0], [1.0, 0.4, 9.0]);
        for units in [
            Units::Gaussian(3),
            Units::Diagonal(3),
            Units::Drelu(3),
            Units::Relu(3),
            Units::NoisyRelu(3),
            Units::Poisson(3),
            Units::Binomial { units: 3, trials: 20 },
        ] {
            let layer = units.from_moments(&means, &variances, 2000);
            assert_eq!(layer.units(), units);
            let Means::Reals(found) = layer.mean(&Input::zero(1, 3)) else { panic!("real means") };
            for (found, expected) in found.iter().zip(means) {
                assert!((f64::from(*found) - expected).abs() < 0.01, "{units}: {found} for {expected}");
            }
        }
    }
}
