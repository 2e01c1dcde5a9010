//! Adds hidden units to a machine: without weights they change no probability of the visible units.

use harmonium_core::units::{Input, Layer, Unit, Units};
use harmonium_core::{Error, Key};
use harmonium_kernels::Grid;
use ndarray::Array2;
use ndarray_rand::RandomExt;
use ndarray_rand::rand_distr::Uniform;

use crate::Rbm;
use crate::rbm::checked;

impl Rbm {
    /// Names the hidden layer with so many units.
    pub(crate) fn grown_units(&self, hidden: usize) -> Result<Units, Error> {
        let own = self.hidden.units();
        if hidden < own.count() {
            return Err(Error::option("growth", format!("{} hidden units or more", own.count()), hidden));
        }
        let units = own.resized(hidden);
        let units = units.ok_or_else(|| Error::option("growth", "hidden units of one simple kind", own))?;
        checked("hidden", &units)?;
        Ok(units)
    }

    /// Adds hidden units up to the layer of `units`: zero biases, variance 1 and no kink where there are such, and weights
    /// between ±`spread` from stream 0; gives the means of the new features without input.
    ///
    /// The grid stays where it holds the wider layer, which may cost old weights their last bit above 1,024 units.
    pub(crate) fn grow_to(&mut self, units: &Units, spread: f32, key: Key) -> Result<Vec<f32>, Error> {
        let (old, new) = (self.hidden_units(), units.features());
        self.master = widened(&self.master, (old, new), spread, &mut key.stream(0))?;
        let mut layer = units.layer(vec![0.0; new]);
        mutant!("B108", copy_parameters(&mut self.hidden, &mut layer), ());
        self.hidden = layer;
        let largest = harmonium_core::params::largest(&self.master);
        let kept = Grid::restored(self.visible_units(), new, self.grid.shift(), largest);
        self.grid = kept.unwrap_or_else(|| Grid::settled(self.visible_units(), new, largest));
        let means = self.hidden.free().mean(&Input::zero(1, new));
        Ok(self.hidden.means_of(&means).iter().skip(old).copied().collect())
    }
}

/// Puts columns from `old` to `new` behind each line of a matrix, drawn evenly between ±`spread`.
pub(crate) fn widened(
    values: &[f32],
    (old, new): (usize, usize),
    spread: f32,
    stream: &mut impl ndarray_rand::rand::Rng,
) -> Result<Vec<f32>, Error> {
    let shape = (values.len() / old, new - old);
    let more = if spread > 0.0 {
        let range =
            Uniform::new(-spread, spread).map_err(|e| Error::option("growth spread", "a range", e))?;
        Array2::random_using(shape, range, stream)
    } else {
        Array2::zeros(shape)
    };
    let lines = values.chunks(old).zip(more.rows());
    Ok(lines.flat_map(|(line, more)| line.iter().copied().chain(more.to_vec()).collect::<Vec<_>>()).collect())
}

/// Copies the parameters of a layer into the first units of a wider one.
fn copy_parameters(from: &mut Layer, to: &mut Layer) {
    let ((bias, extra), (wide_bias, wide_extra)) = (from.parts_mut(), to.parts_mut());
    for (small, large) in std::iter::once((bias, wide_bias)).chain(extra.into_iter().zip(wide_extra)) {
        large[..small.len()].copy_from_slice(small);
    }
}
