//! Asks whether a model has learnt its training rows by heart.

use harmonium_kernels::Key;
use serde::{Deserialize, Serialize};

use super::distance::{check, nearest, share_nearer, some};
use crate::{Batch, Error};

/// Compares the distances of samples to training rows with those to held-out rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// Mean distance of a sample to the nearest training row over that to the nearest held-out row: 1 where the model has
    /// learnt the law, near 0 where it repeats its training rows. 1 where both are 0.
    pub ratio: f64,
    /// Share of the samples that are nearer to a training row than to any held-out row; ½ is ideal.
    pub nearer: f64,
    /// Share of the samples that are a training row.
    pub copies: f64,
    /// Share of the samples that are a held-out row: what copies there would be without memory.
    pub coincidences: f64,
    /// Rows compared on either side.
    pub rows: usize,
}

/// Measures whether samples are nearer to the rows that a model was trained on than to rows of the same law that it has not
/// seen, by the number of bits that differ or by Euclidean distance (after the nearest-neighbour tests of memorising of
/// Meehan, Chaudhuri & Dasgupta 2020, section 3). Where one set has more rows, as many as the other has are drawn, because a larger one is nearer.
///
/// # Errors
/// Refuses rows of different kinds or widths, with missing values, or fewer than two.
pub fn memory(samples: &Batch, training: &Batch, held_out: &Batch, key: Key) -> Result<Memory, Error> {
    check("samples", samples, held_out)?;
    check("training rows", training, held_out)?;
    let rows = training.rows().min(held_out.rows());
    let all = mutant!("B195", rows, training.rows());
    let (training, held_out) = (some(training, all, key.fold_in(0)), some(held_out, rows, key.fold_in(1)));
    let [seen, unseen] = [&training, &held_out].map(|set| nearest(samples.states(), set.states()));
    let count =
        |distances: &[f64]| distances.iter().filter(|&&d| d == 0.0).count() as f64 / samples.rows() as f64;
    Ok(Memory {
        ratio: ratio(&seen, &unseen, samples.states().bits().is_none()),
        nearer: share_nearer(&seen, &unseen),
        copies: count(&seen),
        coincidences: count(&unseen),
        rows,
    })
}

/// Divides the means of distances, which are squares of real rows.
fn ratio(seen: &[f64], unseen: &[f64], squares: bool) -> f64 {
    let sum =
        |distances: &[f64]| -> f64 { distances.iter().map(|d| if squares { d.sqrt() } else { *d }).sum() };
    let (seen, unseen) = (sum(seen), sum(unseen));
    if seen == 0.0 && unseen == 0.0 { 1.0 } else { seen / unseen }
}
