//! Turns importance weights into an estimate with its interval.

use serde::{Deserialize, Serialize};

use super::LogSumExp;

/// Holds log weights whose mean weight estimates a ratio of two partition functions.
#[derive(Clone, Debug, PartialEq)]
pub struct Weights {
    log: Vec<f64>,
}

/// Is a lower and an upper end, in nats.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The lower end; −∞ where the weights can't bound it.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Interval {
    /// Gives the width in nats.
    pub fn width(&self) -> f64 {
        self.high - self.low
    }
}

impl Weights {
    /// Takes log weights, one a run.
    pub fn new(log: Vec<f64>) -> Self {
        Self { log }
    }

    /// Gives the log weights.
    pub fn log(&self) -> &[f64] {
        &self.log
    }

    /// Gives ln of the mean weight, in nats.
    pub fn log_mean(&self) -> f64 {
        let sum: LogSumExp = self.log.iter().copied().collect();
        sum.value() - mutant!("B53", libm::log(self.log.len() as f64), 0.0)
    }

    /// Gives the interval of `sigmas` standard errors of the mean weight about it, in log space.
    pub fn interval(&self, sigmas: f64) -> Interval {
        let (mean, error) = (self.log_mean(), sigmas * self.relative_error());
        let low = if error < 1.0 { libm::log1p(-error) } else { f64::NEG_INFINITY };
        Interval { low: mean + low, high: mean + libm::log1p(error) }
    }

    /// Gives (Σ w)² / Σ w²: how many equal weights would be as good.
    pub fn effective(&self) -> f64 {
        let sum: LogSumExp = self.log.iter().copied().collect();
        let squares: LogSumExp = self.log.iter().map(|x| 2.0 * x).collect();
        libm::exp(2.0 * sum.value() - squares.value())
    }

    /// Gives the standard error of the mean weight, relative to it.
    pub(super) fn relative_error(&self) -> f64 {
        let (n, mean) = (self.log.len() as f64, self.log_mean());
        let squares = self.log.iter().map(|x| {
            let off = libm::exp(x - mean) - 1.0;
            off * off
        });
        if n < 2.0 { f64::INFINITY } else { (squares.sum::<f64>() / (n - 1.0) / n).sqrt() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_weights_are_certain() {
        let weights = Weights::new(vec![7.5; 10]);
        assert!((weights.log_mean() - 7.5).abs() < 1e-14);
        assert!(weights.interval(3.0).width() < 1e-12);
        assert!((weights.effective() - 10.0).abs() < 1e-12);
    }

    #[test]
    fn the_interval_is_that_of_the_mean() {
        // Weights 1 and 3: mean 2, standard error √(2/2) = 1, relative ½.
        let weights = Weights::new(vec![0.0, 3.0_f64.ln()]);
        assert!((weights.log_mean() - 2.0_f64.ln()).abs() < 1e-15);
        let interval = weights.interval(1.0);
        assert!((interval.low - 1.0_f64.ln()).abs() < 1e-15 && (interval.high - 3.0_f64.ln()).abs() < 1e-15);
        assert!((weights.effective() - 1.6).abs() < 1e-12);
        assert_eq!(weights.interval(3.0).low, f64::NEG_INFINITY);
    }
}
