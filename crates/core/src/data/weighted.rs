//! Gives rows weights, and orders the rows of an epoch so that each comes as often as its weight says.
//!
//! A weight is the number of times that its row is read in an epoch, in expectation. Nothing behind the order of the rows knows
//! of weights: estimators, transforms and averages see rows, some of them more often.

use harmonium_kernels::{Key, purpose};
use rand::RngCore;

use super::shuffled;
use crate::rows::{per_epoch, total};
use crate::{Batch, Error, Rows};

/// The stream of an epoch's key that the offset of its rows comes from; the shuffle reads stream 0.
const OFFSET: u64 = 1;

/// Is rows with a weight each, `(n, visible)` and `n`: how often a row is read in an epoch, in expectation.
///
/// An epoch reads Σw rows, rounded to a whole number N, so that every epoch has as many updates. Row i is among them
/// ⌊N wᵢ / Σw⌋ or ⌈N wᵢ / Σw⌉ times, N wᵢ / Σw in expectation: weights that are whole numbers train the same machine, to the bit,
/// as rows that stand there so often. Weights that only say how rows compare go through [`Weighted::relative`].
///
/// ```
/// use harmonium_core::{Batch, Key, data};
/// let rows = Batch::new(ndarray::array![[0.0, 1.0], [1.0, 1.0], [1.0, 0.0]].view())?;
/// let rows = data::Weighted::new(rows, vec![2.0, 0.0, 1.0])?;
/// let mut order = data::order(&rows, Key::from_seed(1), 0);
/// order.sort();
/// assert_eq!(order, [0, 0, 2]);
/// # Ok::<(), harmonium_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Weighted<R> {
    data: R,
    weights: Vec<f32>,
}

impl<R: Rows> Weighted<R> {
    /// Gives each row its weight, in place of any that it has.
    ///
    /// # Errors
    /// Names the first weight that is negative or not finite; refuses other than one a row, and a sum below half a row or
    /// above the 2³² − 1 rows that an epoch can order.
    pub fn new(data: R, weights: Vec<f32>) -> Result<Self, Error> {
        check(&data, &weights)?;
        let out = Self { data, weights };
        let rows = total(&out).round();
        if (1.0..=f64::from(u32::MAX)).contains(&rows) {
            return Ok(out);
        }
        Err(Error::shape("weights", format!("a sum of 0.5 to {} rows", u32::MAX), total(&out)))
    }

    /// Gives rows weights that only say how they compare: they are scaled so that an epoch reads as many rows as there are.
    ///
    /// # Errors
    /// As [`Weighted::new`]; refuses weights that are all zero.
    pub fn relative(data: R, weights: Vec<f32>) -> Result<Self, Error> {
        check(&data, &weights)?;
        let sum: f64 = weights.iter().map(|&w| f64::from(w)).sum();
        if sum == 0.0 {
            return Err(Error::shape("weights", "one above 0", "none"));
        }
        let scale = data.rows() as f64 / sum;
        let weights = weights.into_iter().map(|w| (f64::from(w) * scale) as f32).collect();
        Self::new(data, weights)
    }

    /// Gives the rows without their weights.
    pub fn into_inner(self) -> R {
        self.data
    }
}

fn check(data: &dyn Rows, weights: &[f32]) -> Result<(), Error> {
    if weights.len() != data.rows() {
        return Err(Error::shape("weights", format!("{} weights", data.rows()), weights.len()));
    }
    match weights.iter().position(|w| !(w.is_finite() && *w >= 0.0)) {
        Some(row) => {
            Err(Error::value("weights", format!("row {row}"), "a finite number, 0 or above", weights[row]))
        }
        None => Ok(()),
    }
}

impl<R: Rows> Rows for Weighted<R> {
    fn rows(&self) -> usize {
        self.data.rows()
    }

    fn units(&self) -> usize {
        self.data.units()
    }

    fn read(&self, rows: &[u32]) -> Result<Batch, Error> {
        self.data.read(rows)
    }

    fn whole(&self) -> Option<&Batch> {
        self.data.whole()
    }

    fn weights(&self) -> Option<&[f32]> {
        Some(&self.weights)
    }
}

/// Gives the order in which an epoch reads rows: [`shuffled`], with each row as often as its weight says.
///
/// The rows of an epoch are a systematic sample (Madow and Madow 1944; as resampling, Kitagawa 1996): marks stand at
/// u, u + 1, …, u + N − 1 with one u, uniform in [0, 1), for the epoch; row i is read once for each mark between N/Σw times the
/// sum of the weights before it and that sum with its own. u is the first word of stream 1 of the key whose stream 0 shuffles.
///
/// # Panics
/// If an epoch has 2³² rows or more; [`Weighted`] never has.
pub fn order(data: &dyn Rows, key: Key, epoch: u64) -> Vec<u32> {
    let order = shuffled(per_epoch(data), key, epoch);
    let Some(weights) = data.weights() else { return order };
    let word = key.fold_in(purpose::SHUFFLE).fold_in(epoch).stream(OFFSET).next_u32();
    let sample = systematic(weights, order.len(), f64::from(mutant!("B115", word, 0)) * 2.0_f64.powi(-32));
    order.into_iter().map(|at| sample[at as usize]).collect()
}

/// Lists `rows` rows, each as often as marks at u, u + 1, … meet its share, in their order.
fn systematic(weights: &[f32], rows: usize, u: f64) -> Vec<u32> {
    let sum: f64 = weights.iter().map(|&w| f64::from(w)).sum();
    let (scale, mut before) = (rows as f64 / sum, 0.0);
    let mut out = Vec::with_capacity(rows);
    for (row, &weight) in weights.iter().enumerate() {
        before += f64::from(weight);
        // The last share ends at the last mark, whatever the scale was rounded to.
        let end = if before == sum { rows } else { marks(before * scale, u).min(rows) };
        out.resize(end, row as u32);
    }
    out
}

/// Counts the marks u, u + 1, … below `end`: a whole number is as many, whatever u is.
fn marks(end: f64, u: f64) -> usize {
    end.floor() as usize + usize::from(end - end.floor() > u)
}

#[cfg(test)]
mod tests {
    use harmonium_kernels::BitMatrix;

    use super::*;

    fn rows(n: usize) -> Batch {
        Batch::from_bits(BitMatrix::from_fn(n, 3, |r, u| (r + u) % 2 == 0)).unwrap()
    }

    #[test]
    fn whole_weights_are_counts_whatever_the_offset() {
        for u in [0.0, 0.3, 1.0 - 2.0_f64.powi(-32)] {
            assert_eq!(systematic(&[2.0, 0.0, 1.0, 3.0, 0.0], 6, u), [0, 0, 2, 3, 3, 3]);
            assert_eq!(systematic(&[0.0, 1e6, 0.0], 1_000_000, u), vec![1; 1_000_000]);
        }
    }

    #[test]
    fn fractions_round_to_both_sides() {
        assert_eq!(systematic(&[1.5, 0.5], 2, 0.4), [0, 0]);
        assert_eq!(systematic(&[1.5, 0.5], 2, 0.6), [0, 1]);
        // 2.5 rows are 3, so that each weight stands for 1.2 times itself.
        assert_eq!(systematic(&[1.25, 1.25], 3, 0.4), [0, 0, 1]);
        assert_eq!(systematic(&[1.25, 1.25], 3, 0.6), [0, 1, 1]);
    }

    #[test]
    fn an_order_without_weights_is_the_shuffled_one() {
        let (all, key) = (rows(50), Key::from_seed(3));
        assert_eq!(order(&all, key, 2), shuffled(50, key, 2));
        let once = Weighted::new(&all, vec![1.0; 50]).unwrap();
        assert_eq!(order(&once, key, 2), shuffled(50, key, 2));
    }

    #[test]
    fn relative_weights_make_as_many_rows_as_there_are() {
        for scale in [1e-30, 1.0, 1e30] {
            let weights = (0..90_u8).map(|w| f32::from(w) * scale).collect();
            assert_eq!(per_epoch(&Weighted::relative(rows(90), weights).unwrap()), 90);
        }
    }
}
