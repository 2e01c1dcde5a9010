//! Names kinds of units, and tells what each needs.

use std::cell::Cell;

use harmonium_kernels::BitMatrix;
use ndarray::{Array2, ArrayView2, Axis, Slice};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::{
    Bernoulli, Categorical, Count, Counts, Gaussian, Layer, Mixed, NoisyRectified, Rectified, Sides, Spin,
};
use crate::Error;

/// Names a kind of units and how many there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Units {
    /// Units that are 0 or 1.
    Bernoulli(usize),
    /// Units that are −1 or +1.
    Spin(usize),
    /// Units that take one of `classes` classes (softmax, Potts).
    Categorical {
        /// Units.
        units: usize,
        /// Classes of each.
        classes: usize,
    },
    /// Real units with variance 1: for standardised data.
    Gaussian(usize),
    /// Real units with a variance that is learned.
    Diagonal(usize),
    /// Real units that are 0 or more: truncated Gaussians.
    Relu(usize),
    /// Real units with a slope and a precision on either side of zero.
    Drelu(usize),
    /// Counts from 0 to `trials`.
    Binomial {
        /// Units.
        units: usize,
        /// The largest count.
        trials: u32,
    },
    /// Counts without a bound.
    Poisson(usize),
    /// Parts of different kinds, side by side.
    Mixed(#[serde(deserialize_with = "simple_parts")] Vec<Units>),
    /// Real units that are 0 or more, max(0, a + noise): a heuristic without an energy, for hidden layers alone.
    NoisyRelu(usize),
}

thread_local! {
    /// Whether the parts of mixed units are being read.
    static READING: Cell<bool> = const { Cell::new(false) };
}

/// Reads parts, but no parts of parts: a file must not be able to nest them until the stack ends.
fn simple_parts<'de, D: Deserializer<'de>>(source: D) -> Result<Vec<Units>, D::Error> {
    if READING.replace(true) {
        return Err(D::Error::custom("mixed units have simple parts"));
    }
    let parts = Vec::deserialize(source);
    READING.set(false);
    parts
}

impl Units {
    /// Gives the number of units.
    pub fn count(&self) -> usize {
        match self {
            Self::Bernoulli(units)
            | Self::Spin(units)
            | Self::Gaussian(units)
            | Self::Diagonal(units)
            | Self::Relu(units)
            | Self::Drelu(units)
            | Self::Poisson(units)
            | Self::NoisyRelu(units)
            | Self::Categorical { units, .. }
            | Self::Binomial { units, .. } => *units,
            Self::Mixed(parts) => parts.iter().fold(0, |sum, part| sum.saturating_add(part.count())),
        }
    }

    /// Gives the number of features, which couple to the other layer: one a unit, of a categorical unit one a class.
    pub fn features(&self) -> usize {
        match self {
            Self::Categorical { units, classes } => units.saturating_mul(*classes),
            Self::Mixed(parts) => parts.iter().fold(0, |sum, part| sum.saturating_add(part.features())),
            other => other.count(),
        }
    }

    /// Tells whether all states can be counted, so that they have probabilities and not densities.
    pub fn is_discrete(&self) -> bool {
        match self {
            Self::Bernoulli(_)
            | Self::Spin(_)
            | Self::Categorical { .. }
            | Self::Binomial { .. }
            | Self::Poisson(_) => true,
            Self::Mixed(parts) => parts.iter().all(Self::is_discrete),
            _ => false,
        }
    }

    /// Tells whether the states are bits.
    pub fn is_binary(&self) -> bool {
        matches!(self, Self::Bernoulli(_) | Self::Spin(_) | Self::Categorical { .. })
    }

    /// Tells whether there are largest states.
    fn is_bounded(&self) -> bool {
        match self {
            Self::Mixed(parts) => parts.iter().all(Self::is_bounded),
            other => other.is_binary() || matches!(other, Self::Binomial { .. }),
        }
    }

    /// Tells whether draws follow p ∝ e^−E, so that there is a ln Z, and swaps by energies are right.
    pub fn follow_energy(&self) -> bool {
        !matches!(self, Self::NoisyRelu(_))
    }

    /// Refuses pairs of layers whose Z is or may become infinite, as both are unbounded, and visible units without an energy.
    ///
    /// # Errors
    /// Names the pair, or the visible units.
    pub fn check_pair(&self, hidden: &Self) -> Result<(), Error> {
        if !self.follow_energy() {
            return Err(Error::option(
                "visible units",
                "units with an energy (these are for hidden layers)",
                self,
            ));
        }
        if self.is_bounded() || hidden.is_bounded() {
            return Ok(());
        }
        let expected = "one layer of bounded units (Z is finite for any weights only then)";
        Err(Error::option("units", expected, format!("{self} and {hidden}")))
    }

    /// Refuses kinds without classes or trials, and parts that do not fit together: none, parts of parts, and two of a kind
    /// with parameters besides biases, whose names would be the same.
    ///
    /// # Errors
    /// Says what was expected.
    pub fn check(&self) -> Result<(), Error> {
        match self {
            Self::Categorical { classes, .. } if !(2..=65_536).contains(classes) => {
                Err(Error::option("classes", "2 to 65536", classes))
            }
            Self::Binomial { trials, .. } if !(1..=1_000_000).contains(trials) => {
                Err(Error::option("trials", "1 to 1000000", trials))
            }
            Self::Mixed(parts) => check_parts(parts),
            _ => Ok(()),
        }
    }

    /// Refuses values that units of this kind never take, but where they are missing.
    ///
    /// # Errors
    /// Names the first such value; refuses classes of which a part is missing.
    pub fn check_values(
        &self,
        field: &str,
        values: &Array2<f32>,
        missing: Option<&BitMatrix>,
    ) -> Result<(), Error> {
        let is_missing = |row: usize, column: usize| missing.is_some_and(|mask| mask.get(row, column));
        self.check_columns(field, &values.view(), 0, &is_missing)
    }

    fn check_columns(
        &self,
        field: &str,
        values: &ArrayView2<'_, f32>,
        first: usize,
        is_missing: &dyn Fn(usize, usize) -> bool,
    ) -> Result<(), Error> {
        if let Self::Mixed(parts) = self {
            let mut begin = 0;
            return parts.iter().try_for_each(|part| {
                let end = begin + part.features();
                let own = values.slice_axis(Axis(1), Slice::from(begin..end));
                let checked = part.check_columns(field, &own, first + begin, is_missing);
                begin = end;
                checked
            });
        }
        let (fits, expected) = self.range();
        let place = |row: usize, column: usize| format!("row {row}, column {}", first + column);
        let wrong =
            |&((row, column), &x): &((usize, usize), &f32)| !fits(x) && !is_missing(row, first + column);
        if let Some(((row, column), x)) = values.indexed_iter().find(wrong) {
            return Err(Error::value(field, place(row, column), expected, x));
        }
        let Self::Categorical { units, classes } = self else { return Ok(()) };
        let odd = |&(row, unit): &(usize, usize)| {
            let features = unit * classes..(unit + 1) * classes;
            let gone = features.clone().filter(|&f| is_missing(row, first + f)).count();
            let sum: f32 = features.map(|f| values[(row, f)]).sum();
            gone != *classes && (gone != 0 || sum != 1.0)
        };
        match (0..values.nrows()).flat_map(|row| (0..*units).map(move |unit| (row, unit))).find(odd) {
            Some((row, unit)) => Err(Error::value(
                field,
                place(row, unit * classes),
                "one class of each unit",
                "none or several",
            )),
            None => Ok(()),
        }
    }

    /// Tells which numbers a feature may be.
    fn range(&self) -> (Box<dyn Fn(f32) -> bool>, String) {
        let whole = |x: f32| x >= 0.0 && x.fract() == 0.0;
        match *self {
            Self::Bernoulli(_) | Self::Categorical { .. } => {
                (Box::new(|x| x == 0.0 || x == 1.0), "0 or 1".into())
            }
            Self::Spin(_) => (Box::new(|x| x == -1.0 || x == 1.0), "-1 or 1".into()),
            Self::Relu(_) | Self::NoisyRelu(_) => (Box::new(|x| x >= 0.0), "0 or more".into()),
            Self::Poisson(_) => (Box::new(whole), "a count: 0, 1, 2, …".into()),
            Self::Binomial { trials, .. } => {
                (Box::new(move |x| whole(x) && x <= trials as f32), format!("a count from 0 to {trials}"))
            }
            _ => (Box::new(f32::is_finite), "a finite number".into()),
        }
    }

    /// Gives as many units of the same kind as asked for; none where parts of different kinds stand side by side.
    #[must_use]
    pub fn resized(&self, units: usize) -> Option<Self> {
        Some(match self {
            Self::Bernoulli(_) => Self::Bernoulli(units),
            Self::Spin(_) => Self::Spin(units),
            Self::Categorical { classes, .. } => Self::Categorical { units, classes: *classes },
            Self::Gaussian(_) => Self::Gaussian(units),
            Self::Diagonal(_) => Self::Diagonal(units),
            Self::Relu(_) => Self::Relu(units),
            Self::NoisyRelu(_) => Self::NoisyRelu(units),
            Self::Drelu(_) => Self::Drelu(units),
            Self::Binomial { trials, .. } => Self::Binomial { units, trials: *trials },
            Self::Poisson(_) => Self::Poisson(units),
            Self::Mixed(_) => return None,
        })
    }

    /// Makes a layer with these biases, and with variance 1 and no kink where there are such.
    ///
    /// # Panics
    /// If there is not one bias a feature, or [`Units::check`] refuses the kind.
    pub fn layer(&self, bias: Vec<f32>) -> Layer {
        assert_eq!(bias.len(), self.features(), "one bias a feature");
        let zeros = vec![0.0; bias.len()];
        match self {
            Self::Bernoulli(_) => Layer::Bernoulli(Bernoulli::new(bias)),
            Self::Spin(_) => Layer::Spin(Spin::new(bias)),
            Self::Categorical { classes, .. } => Layer::Categorical(Categorical::new(bias, *classes)),
            Self::Gaussian(_) => Layer::Gaussian(Gaussian::new(bias, zeros, false)),
            Self::Diagonal(_) => Layer::Gaussian(Gaussian::new(bias, zeros, true)),
            Self::Relu(_) => Layer::Rectified(Rectified::one_sided(bias)),
            Self::NoisyRelu(_) => Layer::NoisyRectified(NoisyRectified::new(bias)),
            Self::Drelu(_) => {
                let sides = Sides { kink: zeros.clone(), log_positive: zeros.clone(), log_negative: zeros };
                Layer::Rectified(Rectified::two_sided(bias, sides))
            }
            Self::Binomial { trials, .. } => Layer::Count(Count::new(bias, Counts::Binomial(*trials))),
            Self::Poisson(_) => Layer::Count(Count::new(bias, Counts::Poisson)),
            Self::Mixed(parts) => {
                let mut rest = &bias[..];
                let part = |units: &Self| {
                    let (own, others) = rest.split_at(units.features());
                    rest = others;
                    units.layer(own.to_vec())
                };
                Layer::Mixed(Mixed::new(parts.iter().map(part).collect()))
            }
        }
    }
}

fn check_parts(parts: &[Units]) -> Result<(), Error> {
    let number = |is: &dyn Fn(&Units) -> bool| parts.iter().filter(|part| is(part)).count();
    let twice = number(&|part| matches!(part, Units::Diagonal(_))) > 1
        || number(&|part| matches!(part, Units::Drelu(_))) > 1;
    let unfit = number(&|part| matches!(part, Units::Mixed(_)) || !part.follow_energy()) > 0;
    if parts.is_empty() || twice || unfit {
        let expected = "parts of simple kinds with an energy, at most one Diagonal and one Drelu";
        return Err(Error::option("mixed units", expected, Units::Mixed(parts.to_vec())));
    }
    parts.iter().try_for_each(Units::check)
}

impl std::fmt::Display for Units {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bernoulli(count) => write!(f, "{count} Bernoulli"),
            Self::Spin(count) => write!(f, "{count} spin"),
            Self::Categorical { units, classes } => write!(f, "{units} categorical of {classes} classes"),
            Self::Gaussian(count) => write!(f, "{count} Gaussian"),
            Self::Diagonal(count) => write!(f, "{count} Gaussian with learned variance"),
            Self::Relu(count) => write!(f, "{count} ReLU"),
            Self::Drelu(count) => write!(f, "{count} dReLU"),
            Self::NoisyRelu(count) => write!(f, "{count} noisy ReLU"),
            Self::Binomial { units, trials } => write!(f, "{units} binomial of {trials} trials"),
            Self::Poisson(count) => write!(f, "{count} Poisson"),
            Self::Mixed(parts) => {
                let parts: Vec<String> = parts.iter().map(ToString::to_string).collect();
                write!(f, "mixed ({})", parts.join(", "))
            }
        }
    }
}
