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
    fn whole(&self) -> Option<&Batch> {
        None
    }
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

/// Counts the ones of each unit over all rows of bits: `(n, visible) → visible`.
///
/// # Errors
/// As [`Rows::read`]; refuses real values.
pub fn count_by_unit(data: &dyn Rows) -> Result<Vec<u64>, Error> {
    let mut counts = vec![0; data.units()];
    for block in blocks(data) {
        counts.iter_mut().zip(block?.bits()?.count_by_unit()).for_each(|(sum, ones)| *sum += ones);
    }
    Ok(counts)
}

/// Computes the mean and the variance of each feature over the rows that have it, bits as 0 and 1: `(n, visible) → visible`,
/// twice.
///
/// Values are added in the order of the rows, about the first row, so that nothing is lost to a large mean. A feature that
/// no row has gets 0 and 0.
///
/// # Errors
/// As [`Rows::read`].
pub fn moments(data: &dyn Rows) -> Result<(Vec<f64>, Vec<f64>), Error> {
    let first: Vec<f64> = data.read(&[0])?.to_array().iter().map(|&x| f64::from(x)).collect();
    let mut sums = vec![[0.0; 3]; first.len()];
    for block in blocks(data) {
        let block = block?;
        for (r, row) in block.to_array().rows().into_iter().enumerate() {
            let has = |unit: usize| block.missing().is_none_or(|missing| !missing.get(r, unit));
            let features = sums.iter_mut().zip(row).zip(&first).enumerate();
            for (_, ((sum, &x), first)) in features.filter(|&(unit, _)| has(unit)) {
                let x = f64::from(x) - first;
                *sum = [sum[0] + 1.0, sum[1] + x, sum[2] + x * x];
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
            assert_eq!(count_by_unit(&all).unwrap(), all.bits().unwrap().count_by_unit());
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
