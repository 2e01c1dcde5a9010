//! Compares free energies of training and validation rows (Hinton 2010, §6).

use serde::{Deserialize, Serialize};

use super::{Doctor, Finding, Remark, Severity};

/// Is mean F of validation rows minus mean F of training rows, in nats, with what it is measured against. ln Z cancels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gap {
    /// The difference of the means.
    pub mean: f64,
    /// The standard deviation of F over the training rows.
    pub spread: f64,
    /// The standard error of the difference.
    pub error: f64,
}

impl Gap {
    /// Compares the free energies of training and validation rows, in nats; some of each.
    pub fn of(train: &[f64], validation: &[f64]) -> Self {
        let ((a, u), (b, v)) = (moments(train), moments(validation));
        let error = (u / train.len() as f64 + v / validation.len() as f64).sqrt();
        Self { mean: mutant!("B82", b - a, a - b), spread: u.sqrt(), error }
    }

    /// Gives the gap up to which training and validation rows look alike: `gap` deviations, and three standard errors
    /// where rows are few.
    pub fn limit(&self, options: &Doctor) -> f64 {
        (options.gap * self.spread).max(3.0 * self.error)
    }
}

/// Finds a gap that has grown by more than its limit: the gaps of earlier epochs, and that of now. Rows that differ from the
/// start are another population, which is no fault of the training.
pub fn overfitting(before: &[f64], now: &Gap, options: &Doctor) -> Vec<Remark> {
    let limit = now.limit(options);
    let least = before.iter().copied().fold(f64::INFINITY, f64::min);
    // A gap that is not a number has not grown.
    let grown = now.mean - least.max(0.0) > limit;
    if before.is_empty() || !grown {
        return Vec::new();
    }
    let found = format!("the free-energy gap has grown to {:.2} nats, from {least:.2}", now.mean);
    let figures = [("gap", now.mean), ("limit", limit), ("standard deviation of F", now.spread)];
    let severity = if now.mean > 4.0 * limit { Severity::Serious } else { Severity::Warning };
    vec![Finding::Overfitting.remark(severity, found, &figures, &[])]
}

/// Gives mean and variance; fewer than two values say nothing about the latter, so that no gap of theirs is beyond its limit.
fn moments(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let square: f64 = values.iter().map(|x| (x - mean).powi(2)).sum();
    (mean, if values.len() < 2 { f64::INFINITY } else { square / (n - 1.0) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(offset: f64) -> Vec<f64> {
        (0..100).map(|i| offset + f64::from(i % 10)).collect()
    }

    #[test]
    fn the_gap_is_positive_where_validation_rows_are_less_likely() {
        let gap = Gap::of(&rows(-50.0), &rows(-47.0));
        // Ten values 0 to 9, ten times each: Σ (x − 4.5)² = 825.
        let variance = 825.0 / 99.0_f64;
        assert_eq!((gap.mean, gap.spread), (3.0, variance.sqrt()));
        assert!((gap.error - (variance / 50.0).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn only_a_gap_that_has_grown_is_a_remark() {
        let options = Doctor::default();
        let wide = Gap::of(&rows(0.0), &rows(3.0));
        assert_eq!(overfitting(&[0.1, 0.5], &wide, &options)[0].severity, Severity::Warning);
        assert_eq!(overfitting(&[3.5, 3.2], &wide, &options), []);
        assert_eq!(overfitting(&[], &wide, &options), []);
        assert_eq!(overfitting(&[0.1], &Gap::of(&rows(0.0), &rows(1.0)), &options), []);
    }

    /// Ten rows of each: three standard errors are 3 √(2/10) = 1.3 deviations, more than half of one.
    #[test]
    fn few_rows_prove_little() {
        let gap = Gap::of(&rows(0.0)[..10], &rows(3.0)[..10]);
        assert!(gap.limit(&Doctor::default()) > 1.3 * gap.spread);
        assert_eq!(overfitting(&[0.0], &gap, &Doctor::default()), []);
        let gap = Gap::of(&[0.0, 1.0], &[100.0]);
        assert_eq!((gap.mean, overfitting(&[0.0], &gap, &Doctor::default())), (99.5, vec![]));
    }
}
