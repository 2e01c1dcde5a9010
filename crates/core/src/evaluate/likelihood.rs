//! Holds what a measured log-likelihood is made of, and how one asks for it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Ais, AisEstimate, Betas, Interval};
use crate::units::Layer;
use crate::{Batch, Error};

/// Says how ln Z is estimated, from where the backward runs start, and what is too uncertain to be given out.
#[derive(Clone, Debug)]
pub struct Annealing<'a> {
    /// Runs and temperatures.
    pub ais: Ais,
    /// The independent base; else the model's own, else one fitted to rows.
    pub base: Option<&'a Layer>,
    /// Rows from which chains walk to become samples for the backward runs; without them [`super::log_likelihood`] takes the
    /// rows it measures, and [`super::annealed_likelihood`] leaves the backward estimate out.
    pub starts: Option<&'a Batch>,
    /// Sweeps of those chains; 0 leaves the backward estimate out.
    pub sweeps: u64,
    /// The widest bracket of ln Z, in nats, that [`super::log_likelihood`] gives out.
    pub widest: f64,
}

impl Default for Annealing<'_> {
    fn default() -> Self {
        let ais = Ais { betas: Betas::Adaptive(10_000), ..Ais::default() };
        Self { ais, base: None, starts: None, sweeps: 1000, widest: 3.0 }
    }
}

impl Annealing<'_> {
    /// Refuses runs and temperatures out of range, and a widest bracket that is no width.
    ///
    /// # Errors
    /// Names the option.
    pub fn check(&self) -> Result<(), Error> {
        self.ais.check()?;
        if self.widest >= 0.0 { Ok(()) } else { Err(Error::option("widest", "0 or more", self.widest)) }
    }
}

/// Names the stages of an evaluation to whoever watches it.
pub type Watch<'a> = dyn FnMut(&str, usize, usize) + 'a;

/// Holds a log-likelihood, mean over rows, and what it was made of; in nats.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Likelihood {
    /// ln Z.
    pub log_z: f64,
    /// Its interval; both ends are equal where it is exact.
    pub log_z_interval: Interval,
    /// ln Z from the backward runs, with its interval.
    pub log_z_reverse: Option<(f64, Interval)>,
    /// ln Z from the runs of both directions together, by Bennett's acceptance ratio of their weights, with its interval.
    #[serde(default)]
    pub log_z_bennett: Option<(f64, Interval)>,
    /// Sweeps that the backward runs' chains were given to reach the model.
    pub reverse_sweeps: Option<u64>,
    /// What ln Z is at least, where every row has a probability: the largest −F(v) of the rows, since p(v) ≤ 1.
    #[serde(default)]
    pub log_z_least: Option<f64>,
    /// Whether −F(v) is bounded from below and not computed, so that the log-likelihood is a bound, too.
    #[serde(default)]
    pub is_bound: bool,
    /// Effective number of forward runs.
    pub ess: Option<f64>,
    /// Effective number of backward runs.
    #[serde(default)]
    pub reverse_ess: Option<f64>,
    /// Mean of −F(v).
    pub mean_unnormalized: f64,
    /// Mean of −F(v) − ln Z.
    pub log_likelihood: f64,
    /// Its interval, from that of ln Z alone: how the rows vary is not in it.
    pub log_likelihood_interval: Interval,
}

impl Likelihood {
    /// Makes one of an exact ln Z.
    pub(super) fn exact(mean_unnormalized: f64, log_z: f64) -> Self {
        let exact = AisEstimate { log_z, interval: Interval { low: log_z, high: log_z }, ess: 0.0 };
        Self { ess: None, ..Self::annealed(mean_unnormalized, &exact) }
    }

    /// Makes one of the estimate of forward runs.
    pub(super) fn annealed(mean_unnormalized: f64, forward: &AisEstimate) -> Self {
        let Interval { low, high } = forward.interval;
        Self {
            log_z: forward.log_z,
            log_z_interval: forward.interval,
            log_z_reverse: None,
            log_z_bennett: None,
            log_z_least: None,
            is_bound: false,
            reverse_sweeps: None,
            ess: Some(forward.ess),
            reverse_ess: None,
            mean_unnormalized,
            log_likelihood: mean_unnormalized - forward.log_z,
            log_likelihood_interval: Interval {
                low: mean_unnormalized - high,
                high: mean_unnormalized - low,
            },
        }
    }

    /// Gives between what ln Z lies: from the lower end of the forward runs' interval, which err low, to the upper end of the
    /// backward runs', which err high, where there are any; and never less than the forward interval, nor without the backward one or
    /// what ln Z is at least.
    pub fn bracket(&self) -> Interval {
        let Interval { low, high } = self.log_z_interval;
        let found = match self.log_z_reverse {
            Some((_, back)) => {
                Interval { low: low.min(back.high), high: mutant!("B190", high.max(back.high), high) }
            }
            None => self.log_z_interval,
        };
        let least = mutant!("B308", self.log_z_least, None).unwrap_or(found.high);
        Interval { high: found.high.max(least), ..found }
    }

    /// Gives between what the log-likelihood lies, or its bound where it is one: mean −F(v) less the bracket of ln Z.
    pub fn log_likelihood_bracket(&self) -> Interval {
        let Interval { low, high } = self.bracket();
        Interval { low: self.mean_unnormalized - high, high: self.mean_unnormalized - low }
    }

    fn fmt_bound(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Interval { low, high } = self.log_likelihood_bracket();
        match self.ess {
            None => write!(f, "at least {:.4} nats a row, with ln Z exact", self.log_likelihood),
            Some(ess) => write!(
                f,
                "at least {:.2} nats a row, from both directions [{low:.2}, {high:.2}], effective runs {ess:.0}",
                self.log_likelihood
            ),
        }
    }

    /// Refuses a bracket wider than so many nats, or one that is no number.
    ///
    /// # Errors
    /// Says how wide it is and what helps.
    pub fn certain(self, widest: f64) -> Result<Self, Error> {
        let width = self.bracket().width();
        if mutant!("B191", width <= widest, true) {
            return Ok(self);
        }
        let expected = format!("an interval of at most {widest} nats");
        Err(Error::uncertain("log_z", expected, format!("one {width:.0} nats wide: use more betas or runs")))
    }
}

impl fmt::Display for Likelihood {
    /// Says the log-likelihood, and never an estimate without its interval.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Interval { low, high } = self.log_likelihood_interval;
        if self.is_bound {
            return self.fmt_bound(f);
        }
        let Some(ess) = self.ess else { return write!(f, "{:.4} nats a row, exact", self.log_likelihood) };
        write!(
            f,
            "{:.2} nats a row, 3σ [{low:.2}, {high:.2}], effective runs {ess:.0}",
            self.log_likelihood
        )?;
        match (self.log_z_reverse, self.reverse_sweeps) {
            (Some((log_z, Interval { low, high })), Some(sweeps)) => {
                let [mean, low, high] = [log_z, high, low].map(|end| self.mean_unnormalized - end);
                write!(f, ", reverse {mean:.2} [{low:.2}, {high:.2}] after {sweeps} sweeps")
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(low: f64, high: f64, back: Option<(f64, f64)>) -> Likelihood {
        let log_z = f64::midpoint(low, high);
        let forward = AisEstimate { log_z, interval: Interval { low, high }, ess: 9.0 };
        let log_z_reverse = back.map(|(low, high)| (f64::midpoint(low, high), Interval { low, high }));
        Likelihood { log_z_reverse, ..Likelihood::annealed(-5.0, &forward) }
    }

    #[test]
    fn the_bracket_reaches_from_the_forward_to_the_backward_runs() {
        assert_eq!(found(1.0, 2.0, None).bracket(), Interval { low: 1.0, high: 2.0 });
        assert_eq!(found(1.0, 2.0, Some((1.5, 4.5))).bracket(), Interval { low: 1.0, high: 4.5 });
        // Backward runs that don't even reach the forward ones widen it, too.
        assert_eq!(found(1.0, 2.0, Some((-9.0, -8.0))).bracket(), Interval { low: -8.0, high: 2.0 });
    }

    #[test]
    fn bounds_say_that_they_are() {
        let found = Likelihood { is_bound: true, ..found(1.0, 2.0, Some((1.5, 3.0))) };
        assert_eq!(
            found.to_string(),
            "at least -6.50 nats a row, from both directions [-8.00, -6.00], effective runs 9"
        );
        let exact = Likelihood { is_bound: true, ..Likelihood::exact(-5.0, 1.0) };
        assert_eq!(exact.to_string(), "at least -6.0000 nats a row, with ln Z exact");
    }

    #[test]
    fn no_row_is_more_than_certain() {
        let found = Likelihood { log_z_least: Some(40.0), ..found(1.0, 2.0, None) };
        assert_eq!(found.bracket(), Interval { low: 1.0, high: 40.0 });
        assert!(found.certain(3.0).is_err());
    }

    #[test]
    fn what_is_too_wide_is_refused() {
        assert!(found(1.0, 2.0, Some((1.5, 3.9))).certain(3.0).is_ok());
        let refused = found(1.0, 2.0, Some((39.0, 41.0))).certain(3.0).unwrap_err().to_string();
        assert!(refused.contains("at most 3 nats, got one 40 nats wide: use more betas"), "{refused}");
        assert!(found(f64::NEG_INFINITY, 2.0, None).certain(3.0).is_err());
        assert!(found(f64::NAN, 2.0, None).certain(3.0).is_err());
    }
}
