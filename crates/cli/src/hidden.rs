//! Reads how many hidden units there are and of which kind, and says what their means are like.

use std::str::FromStr;

use harmonium::Error;
use harmonium::data::Kind;
use harmonium::units::{Layer, Unit, Units};
use ndarray::{Array2, ArrayView2, Axis};

/// Says how many hidden units there are, and of which kind, as far as somebody asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hidden {
    pub(crate) count: Option<usize>,
    pub(crate) kind: Kind,
}

impl Default for Hidden {
    fn default() -> Self {
        Self { count: None, kind: Kind::Bernoulli }
    }
}

impl FromStr for Hidden {
    type Err = Error;

    /// Reads `N`, `KIND` or `N,KIND`.
    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = || Error::option("hidden", "a number, a kind, or both as N,KIND", text);
        let count = |text: &str| text.parse::<usize>().map(Some).map_err(|_| wrong());
        let kind = |text: &str| text.parse::<Kind>();
        match text.split_once(',') {
            Some((number, name)) => Ok(Self { count: count(number)?, kind: kind(name)? }),
            None if text.starts_with(|c: char| c.is_ascii_digit()) => {
                Ok(Self { count: count(text)?, ..Self::default() })
            }
            None => Ok(Self { count: None, kind: kind(text)? }),
        }
    }
}

/// Says from which epoch on there are how many hidden units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grown {
    pub(crate) epoch: u32,
    pub(crate) hidden: usize,
}

impl FromStr for Grown {
    type Err = Error;

    /// Reads `EPOCH:N`.
    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = || Error::option("growth", "an epoch and a number of hidden units as EPOCH:N", text);
        let (epoch, hidden) = text.split_once(':').ok_or_else(wrong)?;
        let (epoch, hidden) = (epoch.parse().ok(), hidden.parse().ok());
        epoch.zip(hidden).map(|(epoch, hidden)| Self { epoch, hidden }).ok_or_else(wrong)
    }
}

/// Gives means of hidden units as probabilities, where they are such: those of spins are (1 + mean) / 2.
#[allow(clippy::needless_pass_by_value)] // A view is passed by value wherever ndarray is at home.
pub(crate) fn probabilities(layer: &Layer, means: ArrayView2<'_, f32>) -> Option<Array2<f32>> {
    match layer.units() {
        Units::Bernoulli(_) | Units::Categorical { .. } => Some(means.to_owned()),
        Units::Spin(_) => Some(means.mapv(|m| f32::midpoint(m, 1.0))),
        _ => None,
    }
}

/// Gives the deviation that draws of hidden units have around their means: that of counts grows with the mean.
#[allow(clippy::needless_pass_by_value)]
pub(crate) fn noise(layer: &Layer, means: ArrayView2<'_, f32>) -> Vec<f64> {
    let mean = |j: usize| means.column(j).iter().map(|&m| f64::from(m)).sum::<f64>() / means.nrows() as f64;
    let learned = if let Layer::Gaussian(layer) = layer { layer.log_variance() } else { &[] };
    let one = |j: usize| match layer.units() {
        Units::Poisson(_) | Units::Binomial { .. } => mean(j).max(1e-12).sqrt(),
        _ => learned.get(j).map_or(1.0, |&z| (f64::from(z) / 2.0).exp()),
    };
    (0..means.len_of(Axis(1)).min(layer.bias().len())).map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_a_kind_or_both_are_read() {
        let read = |text: &str| text.parse::<Hidden>().map(|hidden| (hidden.count, hidden.kind)).ok();
        assert_eq!(read("500"), Some((Some(500), Kind::Bernoulli)));
        assert_eq!(read("relu"), Some((None, Kind::Relu)));
        assert_eq!(read("20,categorical:3"), Some((Some(20), Kind::Categorical(Some(3)))));
        for wrong in ["many", "20,", ",relu", "relu,20", "-3", "99999999999999999999", ""] {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
    }
}
