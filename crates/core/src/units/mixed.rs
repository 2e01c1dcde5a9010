//! Describes a layer of parts of different kinds side by side: U and Γ are sums over the parts.
//!
//! All features are kept as numbers: bits as 0 and 1, spins as −1 and +1, the class of a categorical unit as a 1 among zeros.

use std::ops::Range;

use harmonium_kernels::{BitMatrix, Key};
use ndarray::{Array2, ArrayView2, Axis, concatenate, s};

use super::{Extra, Input, Layer, Means, States, Unit, Units};

/// Is a layer of parts, each of one kind; part p draws from `key.fold_in(p)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Mixed {
    /// The parts, for all that they have besides their biases.
    kinds: Vec<Layer>,
    /// The biases of all parts, one part after the other.
    bias: Vec<f32>,
}

impl Mixed {
    /// Joins layers.
    ///
    /// # Panics
    /// If they do not fit together, which [`Units::check`] tells.
    pub fn new(parts: Vec<Layer>) -> Self {
        let units = Units::Mixed(parts.iter().map(Layer::units).collect());
        assert!(units.check().is_ok(), "parts that fit together: {units}");
        let bias = parts.iter().flat_map(|part| part.bias().to_vec()).collect();
        Self { kinds: parts, bias }
    }

    /// Gives the parts, each with its features' places.
    pub fn parts(&self) -> Vec<(Layer, Range<usize>)> {
        let mut end = 0;
        let part = |kind: &Layer| {
            let place = end..end + kind.features();
            end = place.end;
            let mut part = kind.clone();
            part.parts_mut().0.copy_from_slice(&self.bias[place.clone()]);
            (part, place)
        };
        self.kinds.iter().map(part).collect()
    }

    fn map(&self, change: impl FnMut((usize, Layer)) -> Layer) -> Self {
        let parts = self.parts().into_iter().map(|(part, _)| part).enumerate();
        Self::new(parts.map(change).collect())
    }

    /// Adds up what the parts have, row by row.
    fn sum(&self, of: impl FnMut((Layer, Range<usize>)) -> Vec<f64>) -> Vec<f64> {
        let add = |mut sum: Vec<f64>, part: Vec<f64>| {
            sum.iter_mut().zip(part).for_each(|(sum, x)| *sum += x);
            sum
        };
        self.parts().into_iter().map(of).reduce(add).unwrap_or_default()
    }

    /// Computes features of each part from its share of the input, and puts them side by side.
    fn join(&self, input: &Input<'_>, of: impl Fn(usize, &Layer, &Input<'_>) -> Array2<f32>) -> Array2<f32> {
        let shares = self.shares(input).into_iter().enumerate();
        let parts: Vec<Array2<f32>> = shares.map(|(p, (part, share))| of(p, &part, &share)).collect();
        let views: Vec<ArrayView2<'_, f32>> = parts.iter().map(|part| part.view()).collect();
        concatenate(Axis(1), &views).expect("parts of one number of rows").as_standard_layout().into_owned()
    }

    fn shares(&self, input: &Input<'_>) -> Vec<(Layer, Input<'static>)> {
        let values = States::reals(input.values(), self.bias.len()).to_array();
        let share =
            |place: Range<usize>| Input::reals(values.slice(s![.., place]).iter().copied().collect(), 1.0);
        self.parts().into_iter().map(|(part, place)| (part, share(place))).collect()
    }
}

/// Gives the states of a part from its features.
#[allow(clippy::needless_pass_by_value)] // A view is passed by value wherever ndarray is at home.
fn states(part: &Layer, features: ArrayView2<'_, f32>) -> States {
    if part.units().is_binary() {
        let (rows, units) = features.dim();
        return States::Bits(BitMatrix::from_fn(rows, units, |r, u| features[(r, u)] > 0.0));
    }
    States::Reals(features.as_standard_layout().into_owned())
}

impl Unit for Mixed {
    fn bias(&self) -> &[f32] {
        &self.bias
    }

    fn parts_mut(&mut self) -> (&mut [f32], Vec<&mut [f32]>) {
        (&mut self.bias, self.kinds.iter_mut().flat_map(|kind| kind.parts_mut().1).collect())
    }

    fn energy(&self, state: &States) -> Vec<f64> {
        let values = state.expect_reals();
        self.sum(|(part, place)| part.energy(&states(&part, values.slice(s![.., place]))))
    }

    fn log_measure(&self, state: &States) -> Vec<f64> {
        let values = state.expect_reals();
        self.sum(|(part, place)| part.log_measure(&states(&part, values.slice(s![.., place]))))
    }

    fn cgf(&self, input: &Input<'_>) -> Vec<f64> {
        let mut shares = self.shares(input).into_iter();
        self.sum(|_| shares.next().map(|(part, share)| part.cgf(&share)).unwrap_or_default())
    }

    fn mean(&self, input: &Input<'_>) -> Means {
        let means = self.join(input, |_, part, share| part.means_of(&part.mean(share)));
        Means::Reals(means.into_raw_vec_and_offset().0)
    }

    fn sample(&self, input: &Input<'_>, key: Key) -> States {
        let draw = |p: usize, part: &Layer, share: &Input<'_>| {
            part.features_of(&part.sample(share, key.fold_in(p as u64)))
        };
        States::Reals(self.join(input, draw))
    }

    fn mode(&self, input: &Input<'_>) -> States {
        States::Reals(self.join(input, |_, part, share| part.features_of(&part.mode(share))))
    }

    fn anneal(&self, base: &Self, beta: f32) -> Self {
        let bases = base.parts();
        self.map(|(p, part)| part.anneal(&bases[p].0, beta))
    }

    fn temper(&self, beta: f32) -> Self {
        self.map(|(_, part)| part.temper(beta))
    }

    fn free(&self) -> Self {
        self.map(|(_, part)| part.free())
    }

    fn extra(&self) -> Vec<Extra<'_>> {
        self.kinds.iter().flat_map(Unit::extra).collect()
    }

    fn extra_states(&self, state: &States) -> Vec<Array2<f32>> {
        let values = state.expect_reals();
        let of = |(part, place): (Layer, Range<usize>)| {
            part.extra_states(&states(&part, values.slice(s![.., place])))
        };
        self.parts().into_iter().flat_map(of).collect()
    }

    fn extra_means(&self, input: &Input<'_>) -> Vec<Array2<f32>> {
        self.shares(input).into_iter().flat_map(|(part, share)| part.extra_means(&share)).collect()
    }
}
