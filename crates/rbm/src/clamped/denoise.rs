//! Takes noise off rows: p(v | noisy) ∝ e^−F(v) · p(noisy | v), the noise model clamped, not one pass up and down.

use std::borrow::Cow;

use harmonium_core::units::{Layer, Unit, Units};
use harmonium_core::{Batch, EnergyModel, Error, Key};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::known::Known;
use super::{Clamped, Clamping};
use crate::{Imputed, Rbm};

/// Rounds of expectation and maximisation that find the rate of flips.
const ROUNDS: u32 = 12;
/// The most rows that the rate is found from.
const ENOUGH: usize = 500;

/// Says what happened to rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Noise {
    /// Each bit or spin was flipped with this probability; of classes each was replaced by one of the others.
    Flips(f32),
    /// Normal noise of this deviation, in the data's own units, was added to each real value.
    Normal(f32),
}

impl Noise {
    /// Refuses rates and deviations out of range.
    ///
    /// # Errors
    /// Names the option.
    pub fn check(self) -> Result<(), Error> {
        match self {
            Self::Flips(rate) if !(rate > 0.0 && rate < 1.0) => {
                Err(Error::option("flips", "a rate between 0 and 1", rate))
            }
            Self::Normal(deviation) if !(deviation > 0.0 && deviation.is_finite()) => {
                Err(Error::option("noise", "a deviation above 0", deviation))
            }
            _ => Ok(()),
        }
    }
}

impl Rbm {
    /// Clamps noise and what it left of rows, `(n, visible)`; a unit that is missing gets nothing from the noise.
    ///
    /// # Errors
    /// Refuses rows that the visible units can't take, a noise that is not one of these units, and one out of range.
    pub fn denoising<'a>(&'a self, noisy: &'a Batch, noise: Noise) -> Result<Clamped<'a>, Error> {
        self.check_data(noisy)?;
        noise.check()?;
        let known = match noise {
            Noise::Flips(rate) => Known::Seen(self.flips(noisy, f64::from(rate))?),
            Noise::Normal(deviation) => self.blurred(noisy, f64::from(deviation))?,
        };
        Ok(Clamped::new(self, Cow::Borrowed(noisy), known))
    }

    /// Computes p(v = 1 | noisy) of every bit, and mean and deviation of every real unit: `(n, visible)` each. `key` is that of
    /// the seed.
    ///
    /// # Errors
    /// As [`Rbm::denoising`]; refuses options out of range.
    pub fn denoise(
        &self,
        noisy: &Batch,
        noise: Noise,
        options: &Clamping,
        key: Key,
    ) -> Result<Imputed, Error> {
        self.denoising(noisy, noise)?.marginals(options, key, &mut |_| ())
    }

    /// Estimates the rate of flips by expectation and maximisation (Dempster, Laird & Rubin 1977) from at most 500 rows: the
    /// rate is the mean probability that what was seen of a unit is not what it was. As it is a mean over all units of all rows, few chains and
    /// sweeps do where there are many of them. `key` is that of the seed; `seen` hears which share of the work is done, up to 1.
    ///
    /// # Errors
    /// As [`Rbm::denoise`].
    pub fn flip_rate(
        &self,
        noisy: &Batch,
        options: &Clamping,
        key: Key,
        seen: &mut dyn FnMut(f64),
    ) -> Result<f32, Error> {
        let rows = noisy.gather(0..noisy.rows().min(ENOUGH));
        let mut rate = 0.1;
        for round in 0..ROUNDS {
            let mut done = |count: usize| {
                seen((f64::from(round) + count as f64 / rows.rows() as f64) / f64::from(ROUNDS));
            };
            let found = self.denoising(&rows, Noise::Flips(rate))?.marginals(options, key, &mut done)?;
            rate = self.flipped(&rows, &found.mean).clamp(1e-4, 0.5);
        }
        Ok(rate)
    }

    /// Gives the mean probability that a unit differs from what was seen.
    fn flipped(&self, seen: &Batch, means: &Array2<f32>) -> f32 {
        let wide = if self.visible.signs() { 2.0 } else { 1.0 };
        let given = self.visible.features_of(seen.states());
        let there = |place: &(usize, usize)| seen.missing().is_none_or(|gone| !gone.get(place.0, place.1));
        let (mut sum, mut count) = (0.0, 0);
        for (place, x) in given.indexed_iter().filter(|(place, _)| there(place)) {
            sum += f64::from((x - means[place]).abs()) / wide;
            count += 1;
        }
        // A class that differs moves two features of its K.
        let (units, moved) = match self.visible.units() {
            Units::Categorical { classes, .. } => (f64::from(count) / classes as f64, 2.0),
            _ => (f64::from(count), 1.0),
        };
        (sum / moved / units.max(1.0)) as f32
    }

    /// Gives the input that each feature gets from what was seen of it: ln p(seen | on) − ln p(seen | off).
    fn flips(&self, noisy: &Batch, rate: f64) -> Result<Array2<f32>, Error> {
        let odds = libm::log((1.0 - rate) / mutant!("B293", rate, rate * rate));
        // x of −1 or 1 gets x·I, so that I is half of the difference.
        let (on, off) = match self.visible.units() {
            Units::Bernoulli(_) => (odds, -odds),
            Units::Spin(_) => (odds / 2.0, -odds / 2.0),
            Units::Categorical { classes, .. } => (odds + libm::log(classes as f64 - 1.0), 0.0),
            other => return Err(Error::option("noise", format!("none of flips for {other}"), "flips")),
        };
        let bits = noisy.bits()?;
        let shift = |(r, f): (usize, usize)| {
            let gone = noisy.missing().is_some_and(|missing| missing.get(r, f));
            (if gone {
                0.0
            } else if bits.get(r, f) {
                on
            } else {
                off
            }) as f32
        };
        Ok(Array2::from_shape_fn((noisy.rows(), noisy.units()), shift))
    }

    /// Gives x / τ² and 1 / τ² of what was seen, standardised as the machine is.
    fn blurred(&self, noisy: &Batch, deviation: f64) -> Result<Known, Error> {
        let Layer::Gaussian(_) = &self.visible else {
            let kind = format!("flips, not normal noise, for {}", self.visible.units());
            return Err(Error::option("noise", kind, "normal"));
        };
        let own = |f: usize| self.scaling().map_or(1.0, |scaling| f64::from(scaling.deviation()[f]));
        let precisions: Vec<f64> = (0..noisy.units()).map(|f| (own(f) / deviation).powi(2)).collect();
        let seen = self.take(noisy).to_array();
        let input = Array2::from_shape_fn(seen.dim(), |(r, f)| {
            let gone = noisy.missing().is_some_and(|missing| missing.get(r, f));
            if gone { 0.0 } else { (f64::from(seen[(r, f)]) * precisions[f]) as f32 }
        });
        Ok(Known::Blurred(input, precisions, noisy.missing().cloned()))
    }
}
