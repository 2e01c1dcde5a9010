//! Declares what a training asks of its data, so that rows may lie in memory or in a file.

use std::ops::Range;

use crate::{Batch, Error};

/// Rows that a pass over all data holds at a time.
const BLOCK: usize = 4096;

/// Hands out rows, `(n, visible)`, by their number.
///
/// A [`Batch`] has all its rows in memory; a `data::PackedFile` reads those that are asked for.
pub trait Rows: Sync {
    /// Gives the number of rows.
    fn rows(&self) -> usize;

    /// Gives the number of visible units, that is of columns.
    fn units(&self) -> usize;

    /// Copies the named rows, in the order given: `(n, visible) → (rows.len(), visible)`.
    ///
    /// # Errors
    /// Refuses to read no row, or one that is not there; says what could not be read.
    fn read(&self, rows: &[u32]) -> Result<Batch, Error>;

    /// Gives all rows at once, where they lie in memory.
    ///
    /// Rows have their weights beside them: who takes all at once to count or to average must ask for these.
    fn whole(&self) -> Option<&Batch> {
        None
    }

    /// Gives how often each row is to count, if not all count once: finite, ≥ 0, one a row, with a sum that rounds to 1 row or
    /// more. A `data::Weighted` is any rows with weights.
    fn weights(&self) -> Option<&[f32]> {
        None
    }
}

impl<R: Rows + ?Sized> Rows for &R {
    fn rows(&self) -> usize {
        (**self).rows()
    }

    fn units(&self) -> usize {
        (**self).units()
    }

    fn read(&self, rows: &[u32]) -> Result<Batch, Error> {
        (**self).read(rows)
    }

    fn whole(&self) -> Option<&Batch> {
        (**self).whole()
    }

    fn weights(&self) -> Option<&[f32]> {
        (**self).weights()
    }
}

/// Gives the number of rows, or the sum of their weights, added in their order.
pub fn total(data: &dyn Rows) -> f64 {
    data.weights().map_or(data.rows() as f64, |weights| weights.iter().map(|&w| f64::from(w)).sum())
}

/// Gives the number of rows that an epoch reads: all of them once, or the sum of their weights, rounded.
pub fn per_epoch(data: &dyn Rows) -> usize {
    data.weights().map_or(data.rows(), |_| total(data).round() as usize)
}

/// Reads the first row that counts.
///
/// # Errors
/// As [`Rows::read`].
pub fn first(data: &dyn Rows) -> Result<Batch, Error> {
    let at = data.weights().and_then(|weights| weights.iter().position(|&w| w > 0.0)).unwrap_or(0);
    data.read(&[at as u32])
}

/// Computes the mean of a figure of each row, say of its log-likelihood; rows count as often as their weights say.
///
/// # Errors
/// Refuses another number of figures than of rows.
pub fn mean(data: &dyn Rows, figures: &[f64]) -> Result<f64, Error> {
    if figures.len() != data.rows() {
        return Err(Error::shape("figures", format!("{} figures", data.rows()), figures.len()));
    }
    let Some(weights) = data.weights() else {
        return Ok(figures.iter().sum::<f64>() / figures.len() as f64);
    };
    // A row that does not count must not turn the sum into no number.
    let counting = weights.iter().zip(figures).filter(|(w, _)| **w > 0.0);
    Ok(counting.map(|(&w, x)| f64::from(w) * x).sum::<f64>() / total(data))
}

/// Refuses a list that is empty or names a row that is not there.
///
/// # Errors
/// Says how many rows there are, and which was asked for.
pub fn check_named(named: &[u32], rows: usize) -> Result<(), Error> {
    if named.is_empty() {
        return Err(Error::shape("rows", "one at least", "none"));
    }
    match named.iter().find(|&&row| row as usize >= rows) {
        Some(row) => Err(Error::value("rows", "", format!("numbers below {rows}"), row)),
        None => Ok(()),
    }
}

/// Mixes the numbers of rows, in their order, to a part of an address: what is drawn for these rows together. By the finaliser of
/// splitmix64 (Steele, Lea & Flood 2014).
pub fn digest(rows: &[u32]) -> u64 {
    rows.iter().fold(rows.len() as u64, |sum, &row| {
        let z = (sum ^ u64::from(row)).wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ z >> 31
    })
}

/// Refuses data without rows, and with more than the order of an epoch can name.
///
/// # Errors
/// Says how many there may be.
pub fn check_count(field: &str, rows: usize) -> Result<(), Error> {
    if rows >= 1 && u32::try_from(rows).is_ok() {
        return Ok(());
    }
    Err(Error::shape(field, format!("1 to {} rows", u32::MAX), rows))
}

/// Reads neighbouring rows.
///
/// # Errors
/// As [`Rows::read`].
pub fn read_range(data: &dyn Rows, rows: Range<usize>) -> Result<Batch, Error> {
    check_count("data", data.rows())?;
    data.read(&rows.map(|row| row as u32).collect::<Vec<_>>())
}

/// Reads all rows once, a block at a time.
pub fn blocks(data: &dyn Rows) -> impl Iterator<Item = Result<Batch, Error>> + '_ {
    let rows = data.rows();
    (0..rows).step_by(BLOCK).map(move |start| read_range(data, start..rows.min(start + BLOCK)))
}

/// Reads all rows that count once, a block at a time, each with its weight.
pub(crate) fn weighted_blocks(
    data: &dyn Rows,
) -> impl Iterator<Item = Result<(Vec<f64>, Batch), Error>> + '_ {
    let weight = |row: usize| data.weights().map_or(1.0, |weights| f64::from(weights[row]));
    (0..data.rows()).step_by(BLOCK).filter_map(move |start| {
        let all = start..data.rows().min(start + BLOCK);
        let named: Vec<u32> = all.filter(|&row| weight(row) > 0.0).map(|row| row as u32).collect();
        let weights = named.iter().map(|&row| mutant!("B114", weight(row as usize), 1.0)).collect();
        (!named.is_empty()).then(|| Ok((weights, data.read(&named)?)))
    })
}

/// Counts the ones of each unit over all rows of bits, each as often as its weight says: `(n, visible) → visible`.
///
/// # Errors
/// As [`Rows::read`]; refuses real values.
pub fn count_by_unit(data: &dyn Rows) -> Result<Vec<f64>, Error> {
    let mut counts = vec![0.0; data.units()];
    for block in weighted_blocks(data) {
        let (weights, block) = block?;
        let bits = block.bits()?;
        for (row, weight) in weights.into_iter().enumerate() {
            bits.for_each_one(row, |unit| counts[unit] += weight);
        }
    }
    Ok(counts)
}

/// Computes the mean and the variance of each feature over the rows that have it, bits as 0 and 1: `(n, visible) → visible`,
/// twice.
///
/// Values are added in the order of the rows, about the first row, so that nothing is lost to a large mean; each counts as
/// often as the weight of its row says. A feature that no row has gets 0 and 0.
///
/// # Errors
/// As [`Rows::read`].
pub fn moments(data: &dyn Rows) -> Result<(Vec<f64>, Vec<f64>), Error> {
    let first: Vec<f64> = first(data)?.to_array().iter().map(|&x| f64::from(x)).collect();
    let mut sums = vec![[0.0; 3]; first.len()];
    for block in weighted_blocks(data) {
        let (weights, block) = block?;
        for (r, row) in block.to_array().rows().into_iter().enumerate() {
            let has = |unit: usize| block.missing().is_none_or(|missing| !missing.get(r, unit));
            let features = sums.iter_mut().zip(row).zip(&first).enumerate();
            for (_, ((sum, &x), first)) in features.filter(|&(unit, _)| has(unit)) {
                let x = f64::from(x) - first;
                let w = weights[r];
                *sum = [sum[0] + w, sum[1] + w * x, sum[2] + w * (x * x)];
            }
        }
    }
    let moment = |([n, x, square], first): ([f64; 3], f64)| match n {
        0.0 => (0.0, 0.0),
        _ => (first + x / n, (square / n - (x / n) * (x / n)).max(0.0)),
    };
    Ok(sums.into_iter().zip(first).map(moment).unzip())
}

impl Rows for Batch {
    fn rows(&self) -> usize {
        self.rows()
    }

    fn units(&self) -> usize {
        self.units()
    }

    fn read(&self, rows: &[u32]) -> Result<Batch, Error> {
        check_named(rows, self.rows())?;
        Ok(self.gather(rows.iter().map(|&row| row as usize)))
    }

    fn whole(&self) -> Option<&Batch> {
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use harmonium_kernels::BitMatrix;

    use super::*;

    #[test]
    fn other_rows_and_other_orders_draw_elsewhere() {
        let lists: [&[u32]; 6] = [&[0], &[1], &[0, 1], &[1, 0], &[0, 0], &[0, 1, 2]];
        for (n, a) in lists.iter().enumerate() {
            assert!(lists[..n].iter().all(|b| digest(a) != digest(b)), "{a:?}");
        }
    }

    fn batch(rows: usize, units: usize) -> Batch {
        Batch::from_bits(BitMatrix::from_fn(rows, units, |r, u| (r * 7 + u * u) % 5 < 2)).unwrap()
    }

    #[test]
    fn rows_come_in_the_order_asked_for() {
        let all = batch(10, 67);
        let some = all.read(&[7, 0, 7]).unwrap();
        assert_eq!(some, all.gather([7, 0, 7]));
        for (named, said) in
            [(&[][..], "rows: expected one at least, got none"), (&[0, 10], "below 10, got 10")]
        {
            assert!(all.read(named).unwrap_err().to_string().ends_with(said));
        }
    }

    #[test]
    fn a_pass_meets_every_row_once() {
        for rows in [1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 3] {
            let all = batch(rows, 3);
            let counts = all.bits().unwrap().count_by_unit().into_iter().map(|ones| ones as f64);
            assert_eq!(count_by_unit(&all).unwrap(), counts.collect::<Vec<_>>());
            let words: Vec<u64> =
                blocks(&all).flat_map(|block| block.unwrap().bits().unwrap().words().to_vec()).collect();
            assert_eq!(words, all.bits().unwrap().words());
        }
    }

    #[test]
    fn counts_that_an_order_cannot_hold_are_refused() {
        // Where numbers of rows have 32 bits, no number is too large.
        for (rows, fits) in
            [(0, false), (1, true), (u32::MAX as usize, true), (usize::MAX, usize::BITS == 32)]
        {
            assert_eq!(check_count("data", rows).is_ok(), fits, "{rows}");
        }
    }
}
