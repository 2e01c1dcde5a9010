//! Lets an option change over a training.

use serde::{Deserialize, Serialize};

use crate::Error;

/// Gives a value for each point of a training; progress runs from 0 to 1 over all epochs asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Schedule {
    /// The same value throughout.
    Constant(f64),
    /// A straight line.
    Linear {
        /// The value at the start.
        from: f64,
        /// The value at the end.
        to: f64,
    },
    /// Equal ratios in equal times: `from · (to / from)^progress`; both are positive.
    Exponential {
        /// The value at the start.
        from: f64,
        /// The value at the end.
        to: f64,
    },
    /// Half a cosine: `to + (from − to) (1 + cos π progress) / 2` (Loshchilov & Hutter 2017, eq. 5, without restarts).
    Cosine {
        /// The value at the start.
        from: f64,
        /// The value at the end.
        to: f64,
    },
    /// Another schedule whose values are multiplied by n / `updates` at the n-th update, and by 1 once that is reached.
    Warmup {
        /// The updates that it takes, 1 or more.
        updates: u64,
        /// What is warmed up to.
        then: Box<Schedule>,
    },
    /// Values that hold from an epoch on: `(epoch, value)`, the first at epoch 0, epochs rising.
    Steps(Vec<(u32, f64)>),
}

impl Schedule {
    /// Gives the value at `step` of `total`, `epoch` being the number of finished epochs.
    pub fn at(&self, step: u64, total: u64, epoch: u32) -> f64 {
        let progress = step as f64 / total.max(1) as f64;
        match self {
            Self::Constant(value) => *value,
            Self::Linear { from, to } => from + (to - from) * progress,
            Self::Exponential { from, to } => from * libm::pow(to / from, progress),
            Self::Cosine { from, to } => {
                to + (from - to) * 0.5 * (1.0 + libm::cos(std::f64::consts::PI * progress))
            }
            Self::Warmup { updates, then } => {
                let warmth = (step + 1) as f64 / *updates as f64;
                then.at(step, total, epoch) * warmth.min(1.0)
            }
            Self::Steps(steps) => {
                steps.iter().rfind(|(start, _)| *start <= epoch).map_or(0.0, |(_, value)| *value)
            }
        }
    }

    /// Tells whether the values depend on how many epochs were asked for.
    pub fn depends_on_length(&self) -> bool {
        match self {
            Self::Constant(_) | Self::Steps(_) => false,
            Self::Linear { .. } | Self::Exponential { .. } | Self::Cosine { .. } => true,
            Self::Warmup { then, .. } => then.depends_on_length(),
        }
    }

    /// Refuses values that are not finite or fall outside `least..=most`.
    ///
    /// # Errors
    /// Names the field and the range.
    pub fn check(&self, field: &str, least: f64, most: f64) -> Result<(), Error> {
        let fits = |x: f64| x.is_finite() && (least..=most).contains(&x);
        let expected = || format!("a number in {least}..{most}");
        match self {
            Self::Steps(steps) if steps.first().is_none_or(|(start, _)| *start != 0) => {
                Err(Error::option(field, "steps that start at epoch 0", format!("{steps:?}")))
            }
            Self::Steps(steps) if !steps.is_sorted_by(|a, b| a.0 < b.0) => {
                Err(Error::option(field, "steps at rising epochs", format!("{steps:?}")))
            }
            Self::Exponential { from, to } if !(*from > 0.0 && *to > 0.0) => {
                Err(Error::option(field, "two positive ends", format!("{from} to {to}")))
            }
            Self::Warmup { updates: 0, .. } => Err(Error::option(field, "a warm-up of 1 update or more", 0)),
            Self::Warmup { then, updates } => {
                then.check(field, least, most)?;
                // The first update has the smallest share of all.
                let lowest = then.values().into_iter().fold(f64::INFINITY, f64::min) / *updates as f64;
                if fits(lowest) { Ok(()) } else { Err(Error::option(field, expected(), lowest)) }
            }
            other => match other.values().into_iter().find(|&x| !fits(x)) {
                Some(got) => Err(Error::option(field, expected(), got)),
                None => Ok(()),
            },
        }
    }

    fn values(&self) -> Vec<f64> {
        match self {
            Self::Constant(value) => vec![*value],
            Self::Linear { from, to } | Self::Exponential { from, to } | Self::Cosine { from, to } => {
                vec![*from, *to]
            }
            Self::Warmup { then, .. } => then.values(),
            Self::Steps(steps) => steps.iter().map(|(_, value)| *value).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_follow_their_shape() {
        assert_eq!(Schedule::Constant(0.1).at(7, 10, 0), 0.1);
        assert_eq!(Schedule::Linear { from: 1.0, to: 0.0 }.at(5, 10, 0), 0.5);
        let exponential = Schedule::Exponential { from: 1.0, to: 0.01 };
        assert!((exponential.at(5, 10, 0) - 0.1).abs() < 1e-15);
        let cosine = Schedule::Cosine { from: 3.0, to: 1.0 };
        // cos(π/3) = 1/2, and the ends.
        let [start, third, end] = [0, 1, 3].map(|step| cosine.at(step, 3, 0));
        assert!((start - 3.0).abs() < 1e-15 && (third - 2.5).abs() < 1e-15 && (end - 1.0).abs() < 1e-15);
        let warm = Schedule::Warmup { updates: 4, then: Box::new(Schedule::Linear { from: 1.0, to: 0.0 }) };
        assert_eq!([0, 1, 3, 5].map(|step| warm.at(step, 10, 0)), [0.25, 0.45, 0.7, 0.5]);
        assert!(warm.depends_on_length() && cosine.depends_on_length());
        let steps = Schedule::Steps(vec![(0, 0.5), (5, 0.9)]);
        assert_eq!((steps.at(0, 1, 4), steps.at(0, 1, 5)), (0.5, 0.9));
    }

    #[test]
    fn bad_values_are_named() {
        for bad in [f64::NAN, -0.1, f64::INFINITY] {
            let error = Schedule::Constant(bad).check("learning_rate", 0.0, 1e3).unwrap_err();
            assert!(error.to_string().starts_with("learning_rate: expected"), "{error}");
        }
        assert!(Schedule::Exponential { from: 0.1, to: 0.0 }.check("learning_rate", 0.0, 1.0).is_err());
        let warm = |updates, value| Schedule::Warmup { updates, then: Box::new(Schedule::Constant(value)) };
        assert!(warm(0, 1.0).check("learning_rate", 0.0, 1.0).is_err());
        assert!(warm(5, 2.0).check("learning_rate", 0.0, 1.0).is_err());
        // A fifth of a sweep at the first update is less than the one that is asked for.
        assert!(warm(5, 1.0).check("k", 1.0, 10.0).is_err() && warm(5, 1.0).check("rate", 0.0, 10.0).is_ok());
        assert!(Schedule::Cosine { from: 0.1, to: -0.1 }.check("learning_rate", 0.0, 1.0).is_err());
        assert!(Schedule::Steps(vec![(1, 0.1)]).check("learning_rate", 0.0, 1.0).is_err());
    }
}
