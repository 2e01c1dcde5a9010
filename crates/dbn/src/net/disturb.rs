//! Draws what a training puts between layers: units that are left out, and noise on the inputs of a code.

use std::f64::consts::TAU;

use harmonium_core::{Error, Key, purpose};
use harmonium_kernels::chacha::{self, BLOCK};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::{Disturbance, Network};

/// The half-steps of a layer's key: its mask and its noise.
const MASK: u64 = 0;
const NOISE: u64 = 1;

/// Leaves units out at random, in training alone (Hinton et al. 2012; Srivastava et al. 2014). Units that stay are multiplied by
/// 1 / (1 − p), so that nothing changes at test time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Omit {
    /// p of the inputs, from 0 to below 1.
    pub inputs: f32,
    /// p of the units of every layer but the last.
    pub hidden: f32,
}

/// Adds Gaussian noise to the inputs of a layer's units in training, so that codes move to the ends of a sigmoid (Salakhutdinov
/// & Hinton 2009, §3.3).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Noise {
    /// The layer, counted from 1 at the bottom.
    pub layer: usize,
    /// The deviation of the noise.
    pub deviation: f32,
}

impl Omit {
    /// Refuses options out of range.
    ///
    /// # Errors
    /// Names the option.
    pub fn check(&self) -> Result<(), Error> {
        for (name, p) in [("dropout of inputs", self.inputs), ("dropout of hidden units", self.hidden)] {
            if !(0.0..1.0).contains(&p) {
                return Err(Error::option(name, "0 to below 1", p));
            }
        }
        Ok(())
    }
}

impl Noise {
    /// Refuses options out of range.
    ///
    /// # Errors
    /// Names the option.
    pub fn check(&self, layers: usize) -> Result<(), Error> {
        if !(1..=layers).contains(&self.layer) {
            return Err(Error::option("noise layer", format!("1 to {layers}"), self.layer));
        }
        if !(self.deviation >= 0.0 && self.deviation.is_finite()) {
            return Err(Error::option("noise deviation", "0 or more", self.deviation));
        }
        Ok(())
    }
}

impl Disturbance {
    /// Draws masks and noise for `rows` rows of an update. The key of a layer is that of the seed / DROPOUT / step / layer /
    /// 0 for its mask or 1 for its noise; row r draws from stream r, unit j from word j. A unit is left out where
    /// (word >> 8) · 2⁻²⁴ < p.
    pub fn draw(network: &Network, rows: usize, omit: Omit, noise: Option<Noise>, key: (Key, u64)) -> Self {
        let own = |layer: usize, half: u64| {
            key.0.fold_in(purpose::DROPOUT).fold_in(key.1).fold_in(layer as u64).fold_in(half)
        };
        let layers = network.layers().iter().enumerate();
        let mask = |(l, layer): (usize, &super::Dense)| {
            let p = if l == 0 { omit.inputs } else { omit.hidden };
            (p > 0.0).then(|| mask(rows, layer.inputs(), p, own(mutant!("B219", l, 0), MASK)))
        };
        let masks = layers.clone().map(mask).collect();
        let noise = layers.map(|(l, layer)| {
            let noise = noise.filter(|noise| noise.layer == l + 1 && noise.deviation > 0.0)?;
            Some(normals(rows, layer.units(), noise.deviation, own(l, NOISE)))
        });
        Self { masks, noise: noise.collect() }
    }
}

/// Draws factors of units: 0, or 1 / (1 − p).
fn mask(rows: usize, units: usize, p: f32, key: Key) -> Array2<f32> {
    let (kept, least) = (mutant!("B229", 1.0 / (1.0 - p), 1.0), (p * 16_777_216.0).ceil() as u32);
    by_row(rows, units, |row, out| {
        for (block, out) in out.chunks_mut(BLOCK).enumerate() {
            let words = chacha::block(key.words(), block as u64, row as u64);
            out.iter_mut().zip(words).for_each(|(x, word)| *x = if word >> 8 < least { 0.0 } else { kept });
        }
    })
}

/// Draws normal values, two from two words (Box & Muller 1958), in f64.
fn normals(rows: usize, units: usize, deviation: f32, key: Key) -> Array2<f32> {
    let unit = |word: u32| (f64::from(word) + 0.5) / 4_294_967_296.0;
    by_row(rows, units, |row, out| {
        for (block, out) in out.chunks_mut(BLOCK).enumerate() {
            let words = chacha::block(key.words(), block as u64, row as u64);
            for (pair, words) in out.chunks_mut(2).zip(words.chunks(2)) {
                let length = f64::from(deviation) * (-2.0 * libm::log(unit(words[0]))).sqrt();
                let (sine, cosine) = libm::sincos(TAU * unit(words[1]));
                pair.iter_mut().zip([cosine, sine]).for_each(|(x, side)| *x = (length * side) as f32);
            }
        }
    })
}

fn by_row(rows: usize, units: usize, fill: impl Fn(usize, &mut [f32]) + Sync) -> Array2<f32> {
    use ndarray::Axis;
    use ndarray::parallel::prelude::*;
    let mut out = Array2::zeros((rows, units));
    let lines = out.axis_iter_mut(Axis(0)).into_par_iter().enumerate();
    lines.for_each(|(row, mut line)| line.as_slice_mut().into_iter().for_each(|line| fill(row, line)));
    out
}
