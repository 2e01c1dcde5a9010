//! Changes a gradient before the optimiser sees it: centring, L1 and L2.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::stats::{CHUNK, Phases};
use crate::{Block, Error, Params};

/// Changes a gradient, given the parameters and the statistics that it came from.
pub trait Transform {
    /// Applies the change in place.
    fn apply(&mut self, gradient: &mut Params, blocks: &[Block<'_>], phases: &Phases);
}

/// Pulls weights towards zero; biases are left alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Decay {
    /// λ of λ Σ |w|.
    pub l1: f32,
    /// λ of λ/2 Σ w².
    pub l2: f32,
}

/// Centres a two-layer gradient: ∂W' = ⟨(v − μ)(h − λ)ᵀ⟩, with the biases corrected so that the model is the same
/// (Melchior, Fischer & Wiskott 2016, algorithm 1; offsets from the data).
///
/// μ and λ are running means of the positive phase. The first batch sets them; then they move by `rate` an update.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Centre {
    /// How fast the offsets follow the batch, above 0 and at most 1.
    pub rate: f32,
    /// The offsets: one per visible unit, then one per hidden unit; empty before the first update.
    #[serde(skip)]
    pub offsets: Option<[Vec<f32>; 2]>,
}

impl Default for Centre {
    fn default() -> Self {
        Self { rate: 0.01, offsets: None }
    }
}

impl Decay {
    /// Refuses negative or non-finite strengths.
    ///
    /// # Errors
    /// Names the option.
    pub fn check(&self) -> Result<(), Error> {
        for (field, value) in [("l1", self.l1), ("l2", self.l2)] {
            if !(value.is_finite() && value >= 0.0) {
                return Err(Error::option(field, "0 or more", value));
            }
        }
        Ok(())
    }
}

impl Transform for Decay {
    fn apply(&mut self, gradient: &mut Params, blocks: &[Block<'_>], _phases: &Phases) {
        let Self { l1, l2 } = *self;
        if l1 == 0.0 && l2 == 0.0 {
            return;
        }
        let blocks = gradient.tensors_mut().iter_mut().zip(blocks);
        for (gradient, weights) in blocks.filter(|(g, _)| mutant!("B35", g.shape.len() > 1, true)) {
            let parts = gradient.values.par_chunks_mut(CHUNK).zip(weights.values.par_chunks(CHUNK));
            parts.for_each(|(gradient, weights)| {
                for (g, &w) in gradient.iter_mut().zip(weights) {
                    *g += mutant!("B34", sign(w) * l1, w.abs() * l1) + w * l2;
                }
            });
        }
    }
}

/// Gives the sign of w, and 0 for 0: where |w| has a corner, its gradient is none.
fn sign(w: f32) -> f32 {
    if w > 0.0 {
        1.0
    } else if w < 0.0 {
        -1.0
    } else {
        0.0
    }
}

impl Centre {
    /// Refuses a rate outside (0, 1].
    ///
    /// # Errors
    /// Names the option.
    pub fn check(&self) -> Result<(), Error> {
        if self.rate > 0.0 && self.rate <= 1.0 {
            return Ok(());
        }
        Err(Error::option("centre rate", "above 0 and at most 1", self.rate))
    }

    fn follow(&mut self, phases: &Phases, sizes: [usize; 2]) {
        let mean =
            |side: usize, n: usize| (0..n).map(|i| phases.positive.mean(side + 1, i)).collect::<Vec<f32>>();
        let means = [mean(0, sizes[0]), mean(1, sizes[1])];
        match &mut self.offsets {
            None => self.offsets = Some(means),
            Some(offsets) => {
                for (offset, mean) in offsets.iter_mut().flatten().zip(means.iter().flatten()) {
                    *offset = *offset * (1.0 - self.rate) + mean * self.rate;
                }
            }
        }
    }
}

impl Transform for Centre {
    fn apply(&mut self, gradient: &mut Params, _blocks: &[Block<'_>], phases: &Phases) {
        let [weights, visible, hidden] = gradient.tensors_mut() else {
            return; // Only models of two layers have these three blocks.
        };
        self.follow(phases, [visible.values.len(), hidden.values.len()]);
        let Some([mu, lambda]) = &self.offsets else { return };
        let (db, dc) = (visible.values.clone(), hidden.values.clone());
        let rows = weights.values.par_chunks_mut(dc.len()).zip(mu.par_iter().zip(&db));
        rows.zip(&mut visible.values).for_each(|((row, (&mu, &db)), visible)| {
            for ((w, &dc), &lambda) in row.iter_mut().zip(&dc).zip(lambda) {
                *w -= mu * dc + lambda * db;
            }
            *visible -= mutant!("B56", dot(row, lambda), 0.0);
        });
        subtract_columns(&weights.values, mu, &mut hidden.values);
    }
}

/// Adds products in eight lanes, in the order of the entries: a fixed order is a fixed sum.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0; 8];
    for (a, b) in a.chunks(8).zip(b.chunks(8)) {
        lanes.iter_mut().zip(a.iter().zip(b)).for_each(|(lane, (a, b))| *lane += a * b);
    }
    lanes.iter().sum()
}

/// Subtracts Wᵀ μ, each column summed over the rows in their order.
fn subtract_columns(weights: &[f32], mu: &[f32], out: &mut [f32]) {
    const COLUMNS: usize = 64;
    let width = out.len();
    out.par_chunks_mut(COLUMNS).enumerate().for_each(|(chunk, out)| {
        let start = chunk * COLUMNS;
        let mut sums = [0.0; COLUMNS];
        for (row, &mu) in weights.chunks(width).zip(mu) {
            let row = &row[start..start + out.len()];
            sums.iter_mut().zip(row).for_each(|(sum, w)| *sum += w * mu);
        }
        out.iter_mut().zip(sums).for_each(|(out, sum)| *out -= mutant!("B56", sum, 0.0));
    });
}
