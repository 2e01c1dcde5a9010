//! Asks whether nearest neighbours can tell samples from data.

use harmonium_kernels::Key;
use serde::{Deserialize, Serialize};

use super::distance::{check, nearest, nearest_within, share_nearer, some};
use crate::{Batch, Error};

/// Is the accuracy of a nearest neighbour that is asked which rows are data and which are samples.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Adversarial {
    /// The mean of both, AA_TS: ½ where data and samples have one law; near 1 where the samples are unlike the data, near 0 where they
    /// copy it.
    pub accuracy: f64,
    /// Share of the data whose nearest row is data.
    pub data: f64,
    /// Share of the samples whose nearest row is a sample.
    pub samples: f64,
    /// Rows compared on each side.
    pub rows: usize,
}

/// Computes the nearest-neighbour adversarial accuracy (Yale, Dash, Dutta, Guyon, Pavao & Bennett 2020, equation 2) of samples
/// against data, by the number of bits that differ (of classes, twice the number of units) or by Euclidean distance.
///
/// Where one side has more rows, as many as the other has are drawn, because a larger set is nearer. A tie counts for
/// half, unlike in the paper: bits tie often, and ½ is to stay the ideal.
///
/// # Errors
/// Refuses rows of different kinds or widths, with missing values, or fewer than two.
pub fn adversarial_accuracy(data: &Batch, samples: &Batch, key: Key) -> Result<Adversarial, Error> {
    check("samples", samples, data)?;
    let rows = data.rows().min(samples.rows());
    let (data, samples) = (some(data, rows, key.fold_in(0)), some(samples, rows, key.fold_in(1)));
    let (data, samples) = (data.states(), samples.states());
    let of_data = share_nearer(&nearest_within(data), &nearest(data, samples));
    let of_samples = share_nearer(&nearest_within(samples), &nearest(samples, data));
    let accuracy = mutant!("B194", f64::midpoint(of_data, of_samples), of_samples);
    Ok(Adversarial { accuracy, data: of_data, samples: of_samples, rows })
}
