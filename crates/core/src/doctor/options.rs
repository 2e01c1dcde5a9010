//! Holds the thresholds of all findings, each with where it comes from.

use serde::{Deserialize, Serialize};

use crate::Error;

/// Says from where on a figure is worth a remark.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Doctor {
    /// Share of the units that must be concerned. One unit in fifty is within what a healthy training leaves unused, and
    /// nothing would be won by changing an option for it.
    pub few: f64,
    /// Mean activation below which a hidden unit is dead, and distance from 1 at which it is saturated. A unit that
    /// differs in one row of 200 tells at most H(0.005) = 0.045 bits of the one bit it could.
    pub idle: f64,
    /// Distance of two hidden units' weights, as a share of the longer, up to which they are duplicates: at 0.1 the inputs
    /// of both have a correlation of at least 1 − 0.1²/2 = 0.995 on uncorrelated columns.
    pub alike: f64,
    /// Largest |weight|: draws have 24 bits, and σ(−16.6) = 2^-24, so that one active unit behind a larger weight
    /// decides the other by itself, and no draw ever goes against it.
    pub largest: f64,
    /// Share of columns that never change. Work is in proportion to columns, and a quarter of it is worth a change to the
    /// data; images have borders of 5 to 15 % that nobody would cut off.
    pub constant: f64,
    /// Largest ratio of a real-valued column's standard deviation to 1, either way, and of its mean to its deviation.
    /// Between 1/10 and 10 one learning rate still serves all columns: gradients scale as the deviation.
    pub scale: f64,
    /// Mean of all bits above which centring is missed: at 3/4 the mean of the columns is three times as large as that
    /// of the same data with zeros and ones swapped, which an uncentred gradient pays for (Montavon and Müller 2012).
    pub ones: f64,
    /// Independent states a chain, over the sweeps looked at, below which it is stuck. A chain that moves freely has about as
    /// many as sweeps; one that never moves has at most one.
    pub effective: f64,
    /// Rate of accepted swaps below which two temperatures are apart. The best rate is 0.23 (Kone and Kofke 2005), and round
    /// trips take a time in proportion to 1/rate of the worst pair.
    pub swaps: f64,
    /// Effective annealing runs as a share of all, below which they are few: at a tenth the weights' deviation is three times
    /// their mean (Kong 1992: effective number = runs / (1 + variance of the weights)), and 3σ reach to no weight at all.
    pub runs: f64,
    /// Free-energy gap in standard deviations of F over training rows. At 0.5, F of a validation row exceeds that of a
    /// training row with probability Φ(0.5/√2) = 0.64: training rows can be told by their F.
    pub gap: f64,
    /// Largest size of an epoch's updates, were they all noise, relative to the weights: √batches · ‖ΔW‖/‖W‖. From 1 on the
    /// noise of one epoch overwrites what all epochs before it have learnt. Hinton (2010, §7) looks at the same ratio.
    pub fast: f64,
    /// Least size of all updates of the training, were they all of one direction: updates · ‖ΔW‖/‖W‖. Below 0.1 not even
    /// that would change the weights by a tenth.
    pub slow: f64,
    /// Largest |weight| from which on a machine has begun to learn: initial weights have a deviation of 0.01 (Hinton 2010, §8),
    /// and no normal draw is ten times that.
    pub begun: f64,
}

impl Default for Doctor {
    fn default() -> Self {
        Self {
            few: 0.02,
            idle: 0.005,
            alike: 0.1,
            largest: 16.6,
            constant: 0.25,
            scale: 10.0,
            ones: 0.75,
            effective: 1.5,
            swaps: 0.1,
            runs: 0.1,
            gap: 0.5,
            fast: 1.0,
            slow: 0.1,
            begun: 0.1,
        }
    }
}

impl Doctor {
    /// Refuses thresholds out of range.
    ///
    /// # Errors
    /// Names the first that is.
    pub fn check(&self) -> Result<(), Error> {
        let shares = [
            ("few", self.few),
            ("idle", self.idle),
            ("alike", self.alike),
            ("constant", self.constant),
            ("ones", self.ones),
            ("swaps", self.swaps),
            ("runs", self.runs),
        ];
        let positive = [
            ("largest", self.largest),
            ("scale", self.scale),
            ("effective", self.effective),
            ("gap", self.gap),
            ("fast", self.fast),
            ("slow", self.slow),
            ("begun", self.begun),
        ];
        let wrong = shares.into_iter().find(|(_, x)| !(0.0..=1.0).contains(x));
        if let Some((name, got)) = wrong {
            return Err(Error::option(format!("doctor {name}"), "0 to 1", got));
        }
        match positive.into_iter().find(|(_, x)| !(*x > 0.0 && x.is_finite())) {
            Some((name, got)) => Err(Error::option(format!("doctor {name}"), "a positive number", got)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_out_of_range_are_named() {
        Doctor::default().check().unwrap();
        let error = Doctor { idle: 1.5, ..Doctor::default() }.check().unwrap_err().to_string();
        assert_eq!(error, "doctor idle: expected 0 to 1, got 1.5");
        let error = Doctor { fast: f64::NAN, ..Doctor::default() }.check().unwrap_err().to_string();
        assert_eq!(error, "doctor fast: expected a positive number, got NaN");
    }

    /// σ(−16.6) is just above 2^-24, which is the least probability that a draw can tell from 0.
    #[test]
    fn the_largest_weight_is_where_draws_end() {
        let odds = libm::exp(-Doctor::default().largest);
        let least = 1.0 / f64::from(1 << 24);
        assert!(odds > least && odds < 1.1 * least, "{odds:e} against {least:e}");
    }
}
