//! Changes a gradient before the optimiser sees it: centring, L1 and L2.

use serde::{Deserialize, Serialize};

use crate::stats::Phases;
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

    pub(super) fn is_none(&self) -> bool {
        self.l1 == 0.0 && self.l2 == 0.0
    }

    /// Adds λ₁ sign w + λ₂ w to a part of the gradient.
    #[inline(always)]
    pub(super) fn pull(&self, gradient: &mut [f32], weights: &[f32]) {
        for (g, &w) in gradient.iter_mut().zip(weights) {
            *g += mutant!("B34", sign(w) * self.l1, w.abs() * self.l1) + w * self.l2;
        }
    }
}

impl Transform for Decay {
    fn apply(&mut self, gradient: &mut Params, blocks: &[Block<'_>], _phases: &Phases) {
        if self.is_none() {
            return;
        }
        let blocks = gradient.tensors_mut().iter_mut().zip(blocks);
        for (gradient, weights) in blocks.filter(|(g, _)| mutant!("B35", g.shape.len() > 1, true)) {
            self.pull(&mut gradient.values, weights.values);
        }
    }
}

/// Gives the sign of w, and 0 for 0: where |w| has a corner, its gradient is none.
#[inline(always)]
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

    /// Moves the offsets towards the means of the data.
    pub(super) fn follow(&mut self, phases: &Phases) {
        let means = [phases.positive.means(1), phases.positive.means(2)];
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
        let [weights, visible, hidden, ..] = gradient.tensors_mut() else {
            return; // Only models of two layers have these three blocks.
        };
        self.follow(phases);
        let Some([mu, lambda]) = &self.offsets else { return };
        let (db, dc) = (visible.values.clone(), hidden.values.clone());
        let width = dc.len();
        let lines = weights.values.chunks_mut(width).zip(mu.iter().zip(&db));
        lines.zip(&mut visible.values).for_each(|((line, (&mu, &db)), visible)| {
            let mut sum = 0.0;
            for ((part, dc), lambda) in line.chunks_mut(CELLS).zip(dc.chunks(CELLS)).zip(lambda.chunks(CELLS))
            {
                shift(part, [mu, db], [dc, lambda]);
                sum += dot(part, lambda);
            }
            *visible -= mutant!("B56", sum, 0.0);
        });
        let columns = column_sums(&weights.values, mu, width);
        hidden.values.iter_mut().zip(columns).for_each(|(dc, sum)| *dc -= mutant!("B56", sum, 0.0));
    }
}

/// Columns whose products are added up before they join the sum of their line.
const CELLS: usize = 32;
/// Lines whose products are added up before they join the sum of their column.
const LINES: usize = 1024;

/// Subtracts μ_i dc_j + λ_j db_i from a part of line i.
#[inline(always)]
pub(super) fn shift(part: &mut [f32], [mu, db]: [f32; 2], [dc, lambda]: [&[f32]; 2]) {
    for ((w, &dc), &lambda) in part.iter_mut().zip(dc).zip(lambda) {
        *w -= mu * dc + lambda * db;
    }
}

/// Adds products in eight lanes, in the order of the entries: a fixed order is a fixed sum.
#[inline(always)]
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0; 8];
    for (a, b) in a.chunks(8).zip(b.chunks(8)) {
        lanes.iter_mut().zip(a.iter().zip(b)).for_each(|(lane, (a, b))| *lane += a * b);
    }
    lanes.iter().sum()
}

/// Computes Wᵀ μ, each column summed over the lines in their order, block by block.
fn column_sums(weights: &[f32], mu: &[f32], width: usize) -> Vec<f32> {
    let block = |(weights, mu): (&[f32], &[f32])| {
        let mut sums = vec![0.0; width];
        for (line, &mu) in weights.chunks(width).zip(mu) {
            sums.iter_mut().zip(line).for_each(|(sum, w)| *sum += w * mu);
        }
        sums
    };
    let mut blocks = weights.chunks(LINES * width).zip(mu.chunks(LINES)).map(block);
    let mut total = blocks.next().unwrap_or_default();
    blocks.for_each(|block| total.iter_mut().zip(block).for_each(|(sum, x)| *sum += x));
    total
}
