//! Standardises real columns, (x − mean) / deviation, and turns results back into the data's own units.

use ndarray::{Array2, Axis};

use super::{States, Units};
use crate::Error;

/// Below this share of the largest |x| a deviation is rounding, and the column constant.
const CONSTANT: f64 = 1e-6;

/// Holds mean and deviation of each feature; 0 and 1 where the units are no real ones.
#[derive(Clone, Debug, PartialEq)]
pub struct Scaling {
    mean: Vec<f32>,
    deviation: Vec<f32>,
}

impl Scaling {
    /// Makes a scaling from known figures, say of a file.
    ///
    /// # Errors
    /// Refuses figures that are not finite, deviations that are not above 0, and other numbers than `features`.
    pub fn new(mean: Vec<f32>, deviation: Vec<f32>, features: usize) -> Result<Self, Error> {
        if mean.len() != features || deviation.len() != features {
            let got = format!("{} and {}", mean.len(), deviation.len());
            return Err(Error::shape("scaling", format!("{features} means and deviations"), got));
        }
        let wrong = |(&mean, &deviation): (&f32, &f32)| {
            !(mean.is_finite() && deviation.is_finite() && deviation > 0.0)
        };
        if let Some(at) = mean.iter().zip(&deviation).position(wrong) {
            let got = format!("{} and {}", mean[at], deviation[at]);
            return Err(Error::value(
                "scaling",
                format!("column {at}"),
                "a mean and a deviation above 0",
                got,
            ));
        }
        Ok(Self { mean, deviation })
    }

    /// Fits the Gaussian columns of a layer to the moments of data; none if the layer has no such units. A constant column is
    /// only shifted.
    pub fn fit(units: &Units, means: &[f64], variances: &[f64]) -> Option<Self> {
        let real = real_features(units);
        if !real.contains(&true) {
            return None;
        }
        let figures = means.iter().zip(variances).zip(real).map(|((&mean, &variance), real)| {
            let deviation = variance.sqrt();
            match real {
                false => (0.0, 1.0),
                true if deviation <= CONSTANT * mean.abs() || deviation == 0.0 => (mean as f32, 1.0),
                true => (mean as f32, deviation as f32),
            }
        });
        let (mean, deviation) = figures.unzip();
        Some(Self { mean, deviation })
    }

    /// Gives the means.
    pub fn mean(&self) -> &[f32] {
        &self.mean
    }

    /// Gives the deviations.
    pub fn deviation(&self) -> &[f32] {
        &self.deviation
    }

    /// Standardises moments as [`Scaling::apply`] does states.
    pub fn of_moments(&self, (means, variances): (Vec<f64>, Vec<f64>)) -> (Vec<f64>, Vec<f64>) {
        let figures = self.mean.iter().zip(&self.deviation).map(|(&m, &d)| (f64::from(m), f64::from(d)));
        let one = |((mean, variance), (m, d)): ((f64, f64), (f64, f64))| ((mean - m) / d, variance / (d * d));
        means.into_iter().zip(variances).zip(figures).map(one).unzip()
    }

    /// Standardises states; bits stay as they are.
    #[must_use]
    pub fn apply(&self, states: &States) -> States {
        self.turn(states, |x, mean, deviation| (x - mean) / deviation)
    }

    /// Turns standardised states back.
    #[must_use]
    pub fn invert(&self, states: &States) -> States {
        self.turn(states, |x, mean, deviation| x * deviation + mean)
    }

    /// Gives Σ ln deviation: what a density of standardised values lies above that of the data's own, in nats.
    pub fn log_volume(&self) -> f64 {
        self.deviation.iter().map(|&d| libm::log(f64::from(d))).sum()
    }

    fn turn(&self, states: &States, value: impl Fn(f32, f32, f32) -> f32) -> States {
        let States::Reals(values) = states else { return states.clone() };
        let mut out: Array2<f32> = values.clone();
        for mut row in out.axis_iter_mut(Axis(0)) {
            for ((x, &mean), &deviation) in row.iter_mut().zip(&self.mean).zip(&self.deviation) {
                *x = value(*x, mean, deviation);
            }
        }
        States::Reals(out)
    }
}

/// Tells which features are those of Gaussian units.
fn real_features(units: &Units) -> Vec<bool> {
    match units {
        Units::Mixed(parts) => parts.iter().flat_map(real_features).collect(),
        Units::Gaussian(count) | Units::Diagonal(count) => vec![true; *count],
        other => vec![false; other.features()],
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn real_columns_are_standardised_and_come_back() {
        let units = Units::Mixed(vec![Units::Bernoulli(1), Units::Diagonal(2)]);
        let scaling = Scaling::fit(&units, &[0.5, 10.0, 3.0], &[0.25, 4.0, 0.0]).unwrap();
        let states = States::Reals(array![[1.0, 14.0, 3.0], [0.0, 6.0, 3.0]]);
        let scaled = scaling.apply(&states);
        assert_eq!(scaled.to_array(), array![[1.0, 2.0, 0.0], [0.0, -2.0, 0.0]]);
        assert_eq!(scaling.invert(&scaled), states);
        assert!((scaling.log_volume() - 2.0_f64.ln()).abs() < 1e-12);
        assert!(Scaling::fit(&Units::Poisson(2), &[1.0, 2.0], &[1.0, 2.0]).is_none());
        assert!(Scaling::new(vec![0.0], vec![0.0], 1).is_err());
    }
}
