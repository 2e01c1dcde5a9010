//! Compares samples of a model with rows it has not seen, and with those it has.

use harmonium_kernels::{Key, evaluate, purpose};
use serde::{Deserialize, Serialize};

use super::distance::some;
use super::{Adversarial, Discrepancy, Memory, Mmd, Moments, adversarial_accuracy, memory, mmd, moments};
use crate::{Batch, Error};

/// Says how samples are compared.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Compare {
    /// The most moments of an order.
    pub moments: usize,
    /// How the discrepancy is measured.
    pub mmd: Mmd,
    /// The most rows of a set that neighbours are looked for in; time grows with their square.
    pub neighbours: usize,
}

impl Default for Compare {
    fn default() -> Self {
        Self { moments: 100_000, mmd: Mmd::default(), neighbours: 10_000 }
    }
}

/// Holds all two-sample measures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Differences of moments, samples less held-out rows.
    pub moments: Moments,
    /// The maximum mean discrepancy.
    pub mmd: Discrepancy,
    /// Whether neighbours tell samples from held-out rows.
    pub adversarial: Adversarial,
    /// Whether training rows were learnt by heart, where they are given.
    pub memory: Option<Memory>,
}

/// Compares samples with held-out rows, and with training rows where there are some. `key` is that of the seed.
///
/// # Errors
/// Refuses options out of range, and rows of different kinds or widths, with missing values, or fewer than two.
pub fn compare(
    samples: &Batch,
    held_out: &Batch,
    training: Option<&Batch>,
    options: &Compare,
    key: Key,
) -> Result<Comparison, Error> {
    let key = key.fold_in(purpose::EVALUATE).fold_in(evaluate::COMPARE);
    let few = |rows: &Batch, n: u64| some(rows, options.neighbours, key.fold_in(3).fold_in(n));
    if options.neighbours < 2 {
        return Err(Error::option("neighbours", "2 or more", options.neighbours));
    }
    let (few_samples, held) = (few(samples, 0), few(held_out, 1));
    let training = training.map(|rows| few(rows, 2));
    Ok(Comparison {
        moments: moments(samples, held_out, options.moments, key.fold_in(0))?,
        mmd: mmd(samples, held_out, &options.mmd, key.fold_in(1))?,
        adversarial: adversarial_accuracy(&held, &few_samples, key.fold_in(2))?,
        memory: training.map(|rows| memory(&few_samples, &rows, &held, key.fold_in(4))).transpose()?,
    })
}
