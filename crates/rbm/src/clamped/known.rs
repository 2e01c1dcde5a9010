//! Holds what is known of rows, and draws the visible units accordingly.

use std::borrow::Cow;

use harmonium_core::Key;
use harmonium_core::units::{Input, Layer, Means, States, Unit};
use harmonium_kernels::BitMatrix;
use ndarray::{Array2, Axis};

use super::coarse::Sums;

/// Holds what is known of rows.
#[derive(Clone, Debug)]
pub(super) enum Known {
    /// Units as they are, but for those under the mask.
    Given(States, BitMatrix),
    /// What noise left of the units: an input that each receives from what was seen of it, `(n, visible)`, and of real units
    /// the precision of that.
    Seen(Array2<f32>, Option<Vec<f64>>),
    /// Sums of blocks of bits.
    Sums(Sums),
}

impl Known {
    /// Gives the number of rows.
    pub(super) fn rows(&self) -> usize {
        match self {
            Self::Given(states, _) => states.rows(),
            Self::Seen(shifts, _) => shifts.nrows(),
            Self::Sums(sums) => sums.rows(),
        }
    }

    /// Gives the mask of what is not known, where the rest is known as it is.
    pub(super) fn given(&self) -> Option<&BitMatrix> {
        match self {
            Self::Given(_, missing) => Some(missing),
            _ => None,
        }
    }

    /// Copies the named rows, in the order given.
    pub(super) fn gather(&self, rows: impl Iterator<Item = usize>) -> Self {
        let rows: Vec<usize> = rows.collect();
        match self {
            Self::Given(states, missing) => {
                Self::Given(states.gather(rows.iter().copied()), missing.gather(rows))
            }
            Self::Seen(shifts, precisions) => Self::Seen(shifts.select(Axis(0), &rows), precisions.clone()),
            Self::Sums(sums) => Self::Sums(sums.gather(&rows)),
        }
    }

    /// Gives the visible layer with the precision of what was seen.
    pub(super) fn layer<'a>(&self, layer: &'a Layer) -> Cow<'a, Layer> {
        match (self, layer) {
            (Self::Seen(_, Some(precisions)), Layer::Gaussian(own)) => {
                Cow::Owned(Layer::Gaussian(own.observed(precisions)))
            }
            _ => Cow::Borrowed(layer),
        }
    }

    /// Draws visible units given the input from the hidden ones and what is known; gives their means as well.
    pub(super) fn draw(&self, layer: &Layer, input: &Input<'_>, key: Key) -> (States, Means) {
        match self {
            Self::Given(states, missing) => {
                let (drawn, means) = layer.sample_with_means(input, key);
                let filled = states.filled(missing, &drawn);
                (mutant!("B298", filled, drawn), means)
            }
            Self::Seen(shifts, _) => {
                let sum = |(i, shift): (f32, &f32)| i + mutant!("B292", shift, &0.0);
                let values = input.values().into_iter().zip(shifts).map(sum).collect();
                layer.sample_with_means(&Input::reals(values, 1.0), key)
            }
            Self::Sums(sums) => sums.draw(layer, input, key),
        }
    }
}
