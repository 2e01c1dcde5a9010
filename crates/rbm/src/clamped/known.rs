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
    /// What flips left of the units: an input that each receives from what was seen of it, `(n, visible)`.
    Seen(Array2<f32>),
    /// What normal noise left of them: such an input, the precision of what was seen, and what was not.
    Blurred(Array2<f32>, Vec<f64>, Option<BitMatrix>),
    /// Sums of blocks of bits.
    Sums(Sums),
}

impl Known {
    /// Gives the number of rows.
    pub(super) fn rows(&self) -> usize {
        match self {
            Self::Given(states, _) => states.rows(),
            Self::Seen(shifts) | Self::Blurred(shifts, ..) => shifts.nrows(),
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
            Self::Seen(shifts) => Self::Seen(shifts.select(Axis(0), &rows)),
            Self::Blurred(shifts, precisions, missing) => {
                let missing = missing.as_ref().map(|missing| missing.gather(rows.iter().copied()));
                Self::Blurred(shifts.select(Axis(0), &rows), precisions.clone(), missing)
            }
            Self::Sums(sums) => Self::Sums(sums.gather(&rows)),
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
            Self::Seen(shifts) => layer.sample_with_means(&shifted(input, shifts), key),
            Self::Blurred(shifts, precisions, missing) => {
                let input = shifted(input, shifts);
                let (drawn, means) = observed(layer, precisions).sample_with_means(&input, key);
                let Some(missing) = missing else { return (drawn, means) };
                let (free, free_means) = layer.sample_with_means(&input, key);
                (mutant!("B356", drawn.filled(missing, &free), drawn), either(missing, means, &free_means))
            }
            Self::Sums(sums) => sums.draw(layer, input, key),
        }
    }
}

/// Adds what units receive from what was seen of them.
fn shifted(input: &Input<'_>, shifts: &Array2<f32>) -> Input<'static> {
    let sum = |(i, shift): (f32, &f32)| i + mutant!("B292", shift, &0.0);
    Input::reals(input.values().into_iter().zip(shifts).map(sum).collect(), 1.0)
}

/// Gives the layer with the precision of what was seen.
fn observed<'a>(layer: &'a Layer, precisions: &[f64]) -> Cow<'a, Layer> {
    match layer {
        Layer::Gaussian(own) => Cow::Owned(Layer::Gaussian(own.observed(precisions))),
        _ => Cow::Borrowed(layer),
    }
}

/// Takes other means under a mask.
fn either(mask: &BitMatrix, means: Means, other: &Means) -> Means {
    let (Means::Reals(mut values), Means::Reals(other)) = (means, other) else { return other.clone() };
    let width = mask.units();
    values.iter_mut().zip(other).enumerate().for_each(|(at, (x, y))| {
        if mask.get(at / width, at % width) {
            *x = *y;
        }
    });
    Means::Reals(values)
}
