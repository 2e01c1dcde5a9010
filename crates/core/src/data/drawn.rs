//! Draws bits from grey values anew each time that rows are read, so that a training never sees the same bits twice.

use harmonium_kernels::{BitMatrix, Key, purpose};
use rayon::prelude::*;

use super::binarize::{check_shares, sample_row};
use super::{Table, Values};
use crate::rows::{check_named, digest};
use crate::{Batch, Error, Rows};

/// Is a table of grey values whose rows are bits drawn with these values as probabilities, other ones in each epoch.
///
/// A draw's address is made of all rows that are read with it: an epoch, whose batches are others, sees other bits of the same
/// row, and the same list of rows gives the same bits again. Batches of one row see one draw of it for good.
///
/// This is another task than training on bits that are drawn once ([`binarize()`](super::binarize())): figures on such are not
/// comparable with figures on these, unless the test rows are drawn alike.
///
/// ```
/// use harmonium_core::{Key, Rows, data};
/// let grey = data::Table::from_reals("grey", 2, 2, vec![0.0, 0.5, 1.0, 0.5])?;
/// let rows = data::Drawn::new(grey, Key::from_seed(1))?;
/// let drawn = rows.read(&[1, 0])?.to_array();
/// assert_eq!(drawn.column(0).to_vec(), [1.0, 0.0]);
/// # Ok::<(), harmonium_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Drawn {
    table: Table,
    key: Key,
}

impl Drawn {
    /// Takes values as probabilities; `key` is that of the seed.
    ///
    /// # Errors
    /// Names the first value outside [0, 1].
    pub fn new(table: Table, key: Key) -> Result<Self, Error> {
        check_shares(&table)?;
        Ok(Self { table, key: key.fold_in(purpose::BINARIZE).fold_in(ANEW) })
    }

    /// Gives the grey values.
    pub fn table(&self) -> &Table {
        &self.table
    }

    fn sample<T: Copy + Sync>(
        &self,
        values: &[T],
        rows: &[u32],
        real: impl Fn(T) -> f32 + Sync,
    ) -> BitMatrix {
        let (columns, key) = (self.table.columns(), self.key.fold_in(mutant!("B380", digest(rows), 0)));
        let stride = columns.div_ceil(64);
        let mut words = vec![0; rows.len() * stride];
        words.par_chunks_mut(stride).zip(rows).enumerate().for_each(|(place, (words, &row))| {
            let start = row as usize * columns;
            sample_row(words, &values[start..start + columns], &real, key.stream(place as u64));
        });
        BitMatrix::from_words(rows.len(), columns, words)
            .expect("every row fills its columns and no bit behind them")
    }
}

/// Folded in where bits that are drawn once have the number of their part.
const ANEW: u64 = 1 << 40;

impl Rows for Drawn {
    fn rows(&self) -> usize {
        self.table.rows()
    }

    fn units(&self) -> usize {
        self.table.columns()
    }

    fn read(&self, rows: &[u32]) -> Result<Batch, Error> {
        check_named(rows, self.rows())?;
        Batch::from_bits(match self.table.values() {
            Values::Bits(bits) => bits.gather(rows.iter().map(|&row| row as usize)),
            Values::Bytes(bytes) => self.sample(bytes, rows, |byte| f32::from(byte) / 255.0),
            Values::Reals(reals) => self.sample(reals, rows, |value| value),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Half of the pixels at 0.3: other lists of rows draw other bits, the same list the same, and shares are kept.
    ///
    /// 20,000 draws of a share 0.3 have a standard deviation of 0.0032; five of them is 0.0162.
    #[test]
    fn other_batches_draw_other_bits_of_the_same_share() {
        let grey = Table::from_reals("grey", 100, 200, vec![0.3; 20_000]).unwrap();
        let rows = Drawn::new(grey, Key::from_seed(3)).unwrap();
        let (up, down): (Vec<u32>, Vec<u32>) = ((0..100).collect(), (0..100).rev().collect());
        let [first, again, turned] = [&up, &up, &down].map(|list| rows.read(list).unwrap().to_array());
        assert_eq!(first, again);
        let same = (0..100).filter(|&row| first.row(row) == turned.row(99 - row)).count();
        assert_eq!(same, 0);
        assert_eq!((0..100).filter(|&row| first.row(row) == turned.row(row)).count(), 0);
        for drawn in [&first, &turned] {
            assert!((drawn.mean().unwrap() - 0.3).abs() < 0.0162);
        }
    }

    #[test]
    fn certain_pixels_stay_and_bytes_are_shares_of_255() {
        let bytes: Vec<u8> = (0..64 * 70).map(|at| if at % 3 == 0 { 255 } else { 0 }).collect();
        let rows = Drawn::new(Table::from_bytes("grey", 64, 70, bytes).unwrap(), Key::from_seed(4)).unwrap();
        let drawn = rows.read(&[63, 5, 5]).unwrap().to_array();
        for (place, row) in [63, 5, 5].into_iter().enumerate() {
            for column in 0..70 {
                assert_eq!(drawn[(place, column)], f32::from(u8::from((row * 70 + column) % 3 == 0)));
            }
        }
    }

    #[test]
    fn values_that_are_no_shares_and_rows_that_are_not_there_are_refused() {
        let table = Table::from_reals("t", 1, 2, vec![0.5, 1.5]).unwrap();
        let error = Drawn::new(table, Key::from_seed(1)).unwrap_err().to_string();
        assert!(error.contains("column 1") && error.contains("[0, 1]"), "{error}");
        let table = Table::from_reals("t", 1, 2, vec![0.5, 0.5]).unwrap();
        assert!(Drawn::new(table, Key::from_seed(1)).unwrap().read(&[1]).is_err());
    }
}
