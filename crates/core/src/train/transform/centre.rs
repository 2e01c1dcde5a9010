//! Centres a gradient: on the running means of the data, or on the means of both phases, which is the enhanced gradient.

use serde::{Deserialize, Serialize};

use super::Transform;
use crate::stats::Phases;
use crate::{Block, Error, Params};

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

/// Is the enhanced gradient: ∂W' = Cov(v, h) of the model − Cov(v, h) of the data, with the biases corrected so that the
/// model is the same (Cho, Raiko & Ilin 2013).
///
/// It is centring whose offsets are ½⟨v⟩ positive + ½⟨v⟩ negative, and of h alike, of each batch anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Enhanced;

impl Default for Centre {
    fn default() -> Self {
        Self { rate: 0.01, offsets: None }
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
    pub(in crate::train) fn follow(&mut self, phases: &Phases) {
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

impl Enhanced {
    /// Gives the offsets of a batch: the means of both phases, half and half.
    pub(in crate::train) fn offsets(phases: &Phases) -> [Vec<f32>; 2] {
        [1, 2].map(|block| {
            let (data, model) = (phases.positive.means(block), phases.negative.means(block));
            data.iter().zip(model).map(|(d, m)| d * 0.5 + mutant!("B63", m, *d) * 0.5).collect()
        })
    }
}

impl Transform for Centre {
    fn apply(&mut self, gradient: &mut Params, _blocks: &[Block<'_>], phases: &Phases) {
        if gradient.tensors().len() < 3 {
            return; // Models of two layers have weights and two biases before all else.
        }
        self.follow(phases);
        self.offsets.iter().for_each(|offsets| centre(gradient, offsets));
    }
}

impl Transform for Enhanced {
    fn apply(&mut self, gradient: &mut Params, _blocks: &[Block<'_>], phases: &Phases) {
        if gradient.tensors().len() >= 3 {
            centre(gradient, &Self::offsets(phases));
        }
    }
}

/// Takes a gradient to the coordinates whose origin is (μ, λ).
fn centre(gradient: &mut Params, [mu, lambda]: &[Vec<f32>; 2]) {
    let [weights, visible, hidden, ..] = gradient.tensors_mut() else { return };
    let (db, dc) = (visible.values.clone(), hidden.values.clone());
    let width = dc.len();
    let lines = weights.values.chunks_mut(width).zip(mu.iter().zip(&db));
    lines.zip(&mut visible.values).for_each(|((line, (&mu, &db)), visible)| {
        let mut sum = 0.0;
        for ((part, dc), lambda) in line.chunks_mut(CELLS).zip(dc.chunks(CELLS)).zip(lambda.chunks(CELLS)) {
            shift(part, [mu, db], [dc, lambda]);
            sum += dot(part, lambda);
        }
        *visible -= mutant!("B56", sum, 0.0);
    });
    let columns = column_sums(&weights.values, mu, width);
    hidden.values.iter_mut().zip(columns).for_each(|(dc, sum)| *dc -= mutant!("B56", sum, 0.0));
}

/// Columns whose products are added up before they join the sum of their line.
const CELLS: usize = 32;
/// Lines whose products are added up before they join the sum of their column.
const LINES: usize = 1024;

/// Subtracts μ_i dc_j + λ_j db_i from a part of line i.
#[inline(always)]
pub(in crate::train) fn shift(part: &mut [f32], [mu, db]: [f32; 2], [dc, lambda]: [&[f32]; 2]) {
    for ((w, &dc), &lambda) in part.iter_mut().zip(dc).zip(lambda) {
        *w -= mu * dc + lambda * db;
    }
}

/// Adds products in eight lanes, in the order of the entries: a fixed order is a fixed sum.
#[inline(always)]
pub(in crate::train) fn dot(a: &[f32], b: &[f32]) -> f32 {
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
