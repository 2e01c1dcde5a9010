//! Names kinds of units by one word, as options, schemas and recipes write them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::units::Units;

/// Names a kind of units, with its number of classes or trials where that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Kind {
    /// 0 or 1: `bernoulli`.
    Bernoulli,
    /// −1 or +1: `spin`.
    Spin,
    /// One of several classes: `categorical:N`, or `categorical` where data tell how many.
    Categorical(Option<usize>),
    /// Real numbers with variance 1 after standardisation: `gaussian`.
    Gaussian,
    /// Real numbers with a variance that is learned: `diagonal`.
    Diagonal,
    /// Real numbers of 0 or more: `relu`.
    Relu,
    /// Real numbers with a kink at zero: `drelu`.
    Drelu,
    /// Counts up to a largest one: `binomial:N`, or `binomial` where data tell it.
    Binomial(Option<u32>),
    /// Counts without a bound: `poisson`.
    Poisson,
}

/// The kinds as they are written.
pub(super) const KINDS: &str =
    "bernoulli, spin, categorical[:N], gaussian, diagonal, relu, drelu, binomial[:N] or poisson";

impl Kind {
    /// Makes units of this kind.
    ///
    /// # Errors
    /// Refuses a number of classes or trials that is not known or out of range.
    pub fn units(self, count: usize) -> Result<Units, Error> {
        let units = match self {
            Self::Bernoulli => Units::Bernoulli(count),
            Self::Spin => Units::Spin(count),
            Self::Categorical(Some(classes)) => Units::Categorical { units: count, classes },
            Self::Gaussian => Units::Gaussian(count),
            Self::Diagonal => Units::Diagonal(count),
            Self::Relu => Units::Relu(count),
            Self::Drelu => Units::Drelu(count),
            Self::Binomial(Some(trials)) => Units::Binomial { units: count, trials },
            Self::Poisson => Units::Poisson(count),
            Self::Categorical(None) | Self::Binomial(None) => {
                return Err(Error::option("kind", format!("{self}:N, with a number"), self));
            }
        };
        units.check()?;
        Ok(units)
    }

    /// Names the kind of units that are all of one; none has a name that can't be measured, as noisy rectified units.
    pub fn of(units: &Units) -> Option<Self> {
        Some(match *units {
            Units::Bernoulli(_) => Self::Bernoulli,
            Units::Spin(_) => Self::Spin,
            Units::Categorical { classes, .. } => Self::Categorical(Some(classes)),
            Units::Gaussian(_) => Self::Gaussian,
            Units::Diagonal(_) => Self::Diagonal,
            Units::Relu(_) => Self::Relu,
            Units::Drelu(_) => Self::Drelu,
            Units::Binomial { trials, .. } => Self::Binomial(Some(trials)),
            Units::Poisson(_) => Self::Poisson,
            Units::NoisyRelu(_) | Units::Mixed(_) => return None,
        })
    }

    /// Gives how many features a unit has.
    pub fn width(self) -> usize {
        if let Self::Categorical(Some(classes)) = self { classes } else { 1 }
    }

    /// Tells whether the values are whole numbers, so that a byte stands for itself and not for a grey value.
    pub(super) fn is_whole(self) -> bool {
        matches!(self, Self::Categorical(_) | Self::Binomial(_) | Self::Poisson)
    }

    /// Says what was expected where a number is none that the units can be.
    pub(super) fn refuses(self, x: f32) -> Option<String> {
        let whole = x >= 0.0 && x.fract() == 0.0;
        let (fits, expected) = match self {
            Self::Bernoulli => (x == 0.0 || x == 1.0, "0 or 1".to_owned()),
            Self::Spin => (x == -1.0 || x == 1.0, "-1 or 1".into()),
            Self::Categorical(Some(q)) => (whole && x < q as f32, format!("a class below {q}")),
            Self::Categorical(None) => (whole && x < 65_536.0, "a class: 0, 1, 2, …".into()),
            Self::Binomial(Some(n)) => (whole && x <= n as f32, format!("a count from 0 to {n}")),
            Self::Binomial(None) | Self::Poisson => (whole, "a count: 0, 1, 2, …".into()),
            Self::Relu => (x >= 0.0, "0 or more".into()),
            Self::Gaussian | Self::Diagonal | Self::Drelu => (x.is_finite(), "a finite number".into()),
        };
        (!fits).then_some(expected)
    }
}

impl FromStr for Kind {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (name, number) = text.split_once(':').map_or((text, None), |(name, number)| (name, Some(number)));
        let wrong = || Error::option("kind", KINDS, text);
        let plain = |kind| if number.is_none() { Ok(kind) } else { Err(wrong()) };
        let number = || number.map(str::parse).transpose().map_err(|_| wrong());
        match name {
            "bernoulli" => plain(Self::Bernoulli),
            "spin" => plain(Self::Spin),
            "gaussian" => plain(Self::Gaussian),
            "diagonal" => plain(Self::Diagonal),
            "relu" => plain(Self::Relu),
            "drelu" => plain(Self::Drelu),
            "poisson" => plain(Self::Poisson),
            "categorical" => Ok(Self::Categorical(number()?.map(|n: u32| n as usize))),
            "binomial" => Ok(Self::Binomial(number()?)),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bernoulli => f.write_str("bernoulli"),
            Self::Spin => f.write_str("spin"),
            Self::Categorical(None) => f.write_str("categorical"),
            Self::Categorical(Some(classes)) => write!(f, "categorical:{classes}"),
            Self::Gaussian => f.write_str("gaussian"),
            Self::Diagonal => f.write_str("diagonal"),
            Self::Relu => f.write_str("relu"),
            Self::Drelu => f.write_str("drelu"),
            Self::Binomial(None) => f.write_str("binomial"),
            Self::Binomial(Some(trials)) => write!(f, "binomial:{trials}"),
            Self::Poisson => f.write_str("poisson"),
        }
    }
}

impl TryFrom<String> for Kind {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<Kind> for String {
    fn from(kind: Kind) -> Self {
        kind.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back() {
        let names = [
            "bernoulli",
            "spin",
            "categorical",
            "categorical:3",
            "gaussian",
            "diagonal",
            "relu",
            "drelu",
            "binomial",
            "binomial:16",
            "poisson",
        ];
        for name in names {
            let kind: Kind = name.parse().unwrap();
            assert_eq!(kind.to_string(), name);
            if let Ok(units) = kind.units(5) {
                assert_eq!((Kind::of(&units), units.count()), (Some(kind), 5));
                assert_eq!(units.features(), 5 * kind.width());
            }
        }
        for wrong in ["", "Gaussian", "gaussian:2", "binomial:", "binomial:-1", "categorical:x", "mixed"] {
            let error = wrong.parse::<Kind>().unwrap_err().to_string();
            assert!(error.starts_with("kind: expected bernoulli, spin,"), "{error}");
        }
        assert!(Kind::Categorical(Some(1)).units(3).is_err() && Kind::Binomial(None).units(3).is_err());
    }

    #[test]
    fn numbers_that_do_not_fit_are_refused() {
        let refused = |kind: &str, x| kind.parse::<Kind>().unwrap().refuses(x).is_some();
        for (kind, right, wrong) in [
            ("bernoulli", 1.0, 0.5),
            ("spin", -1.0, 0.0),
            ("categorical:3", 2.0, 3.0),
            ("binomial:3", 3.0, 4.0),
            ("poisson", 7.0, -1.0),
            ("relu", 0.0, -0.1),
            ("gaussian", -2.5, f32::INFINITY),
        ] {
            assert!(!refused(kind, right) && refused(kind, wrong), "{kind}");
        }
    }
}
