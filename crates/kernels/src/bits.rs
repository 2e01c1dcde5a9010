//! Packs binary states, 64 units to a word.
#![allow(unsafe_code)]

use crate::parallel;
use crate::shared::Shared;

/// Holds rows of bits: row = sample or chain, bit j of a row = unit j.
///
/// Bit `j` is bit `j % 64` of word `j / 64` of its row. The bits behind the last unit are always zero.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct BitMatrix {
    rows: usize,
    units: usize,
    stride: usize,
    words: Vec<u64>,
}

impl BitMatrix {
    /// Makes `(rows, units)` bits, all zero.
    pub fn zeros(rows: usize, units: usize) -> Self {
        let stride = units.div_ceil(64);
        Self { rows, units, stride, words: vec![0; rows * stride] }
    }

    /// Makes `(rows, units)` bits from a function of row and unit.
    pub fn from_fn(rows: usize, units: usize, mut bit: impl FnMut(usize, usize) -> bool) -> Self {
        let mut out = Self::zeros(rows, units);
        for row in 0..rows {
            for unit in 0..units {
                out.set(row, unit, bit(row, unit));
            }
        }
        out
    }

    /// Takes words as they are stored, `units.div_ceil(64)` a row; `None` if their number or a padding bit is off.
    pub fn from_words(rows: usize, units: usize, words: Vec<u64>) -> Option<Self> {
        let stride = units.div_ceil(64);
        let fits = rows.checked_mul(stride) == Some(words.len());
        let out = Self { rows, units, stride, words };
        (fits && (0..rows).all(|row| out.padding(row) == 0)).then_some(out)
    }

    /// Gives the number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Gives the number of units, that is of bits in a row.
    pub fn units(&self) -> usize {
        self.units
    }

    /// Gives the number of words in a row.
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// Gives all words, row after row.
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// Gives all words for writing; the caller keeps the padding zero.
    pub(crate) fn words_mut(&mut self) -> &mut [u64] {
        &mut self.words
    }

    /// Gives the words of one row.
    pub fn row(&self, row: usize) -> &[u64] {
        &self.words[row * self.stride..(row + 1) * self.stride]
    }

    /// Gives the words of one row for writing; the caller keeps the padding zero.
    pub(crate) fn row_mut(&mut self, row: usize) -> &mut [u64] {
        &mut self.words[row * self.stride..(row + 1) * self.stride]
    }

    /// Reads one bit.
    ///
    /// # Panics
    /// If the matrix has no such row or unit.
    pub fn get(&self, row: usize, unit: usize) -> bool {
        assert!(unit < self.units, "unit {unit} of {}", self.units);
        self.row(row)[unit / 64] >> (unit % 64) & 1 == 1
    }

    /// Writes one bit.
    ///
    /// # Panics
    /// If the matrix has no such row or unit.
    pub fn set(&mut self, row: usize, unit: usize, value: bool) {
        assert!(
            row < self.rows && unit < self.units,
            "bit ({row}, {unit}) of ({}, {})",
            self.rows,
            self.units
        );
        let word = &mut self.words[row * self.stride + unit / 64];
        *word = *word & !(1 << (unit % 64)) | u64::from(value) << (unit % 64);
    }

    /// Copies the named rows, in the order given: `(n, units) → (rows.len(), units)`.
    ///
    /// # Panics
    /// If the matrix has no such row.
    pub fn gather(&self, rows: impl IntoIterator<Item = usize>) -> Self {
        let mut words = Vec::new();
        rows.into_iter().for_each(|row| words.extend_from_slice(self.row(row)));
        let count = words.len().checked_div(self.stride).unwrap_or(0);
        Self { rows: count, units: self.units, stride: self.stride, words }
    }

    /// Counts the ones of each unit over all rows: `(n, units) → units`.
    pub fn count_by_unit(&self) -> Vec<u64> {
        let mut counts = vec![0; self.units];
        for row in 0..self.rows {
            self.for_each_one(row, |unit| counts[unit] += 1);
        }
        counts
    }

    /// Calls `f` with each unit of a row whose bit is one, in ascending order.
    pub fn for_each_one(&self, row: usize, mut f: impl FnMut(usize)) {
        for (index, &word) in self.row(row).iter().enumerate() {
            let mut rest = word;
            while rest != 0 {
                f(index * 64 + rest.trailing_zeros() as usize);
                rest &= rest - 1;
            }
        }
    }

    /// Exchanges rows and units: `(n, units) → (units, n)`.
    pub fn transposed(&self) -> Self {
        let mut out = Self::zeros(self.units, self.rows);
        let (units, stride) = (self.units, out.stride);
        let lines = Shared::new(&mut out.words);
        parallel::each(self.stride, |word| {
            let count = units.min(word * 64 + 64) - word * 64;
            // SAFETY: every word of the rows becomes lines of its own.
            let lines = unsafe { lines.part(word * 64 * stride, count * stride) };
            for row in (0..self.rows).step_by(64) {
                let columns = transpose64(self.block(row, word));
                lines[row / 64..]
                    .iter_mut()
                    .step_by(stride)
                    .zip(columns)
                    .for_each(|(line, bits)| *line = bits);
            }
        });
        out
    }

    fn block(&self, row: usize, word: usize) -> [u64; 64] {
        std::array::from_fn(
            |i| if row + i < self.rows { self.words[(row + i) * self.stride + word] } else { 0 },
        )
    }

    fn padding(&self, row: usize) -> u64 {
        match (self.units % 64, self.row(row).last()) {
            (0, _) | (_, None) => 0,
            (used, Some(&last)) => mutant!("B48", last >> used, 0),
        }
    }
}

/// Transposes 64 × 64 bits by exchanging halves, quarters and so on (Warren, Hacker's Delight, 7-3).
pub(crate) fn transpose64(mut a: [u64; 64]) -> [u64; 64] {
    let mut mask = 0x0000_0000_FFFF_FFFF_u64;
    let mut width = 32;
    while width != 0 {
        let mut k = 0;
        while k < 64 {
            let t = (a[k] >> width ^ a[k + width]) & mask;
            a[k] ^= t << width;
            a[k + width] ^= t;
            k = (k + width + 1) & !width;
        }
        width >>= 1;
        mask ^= mask << width;
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(rows: usize, units: usize) -> BitMatrix {
        BitMatrix::from_fn(rows, units, |r, u| (r * 31 + u * u * 7 + r * u) % 5 < 2)
    }

    #[test]
    fn a_transposed_matrix_has_its_bits_exchanged() {
        for (rows, units) in [(1, 1), (3, 64), (64, 65), (65, 63), (100, 784), (129, 1)] {
            let a = pattern(rows, units);
            let t = a.transposed();
            assert_eq!(t, BitMatrix::from_fn(units, rows, |u, r| a.get(r, u)));
            assert_eq!(t.transposed(), a);
        }
    }

    #[test]
    fn words_with_a_padding_bit_are_refused() {
        assert!(BitMatrix::from_words(1, 65, vec![u64::MAX, 1]).is_some());
        assert!(BitMatrix::from_words(1, 65, vec![u64::MAX, 2]).is_none());
        assert!(BitMatrix::from_words(2, 65, vec![0, 0]).is_none());
    }

    #[test]
    fn counts_and_gathered_rows_follow_the_bits() {
        let a = pattern(70, 67);
        let counts: Vec<u64> = (0..67).map(|u| (0..70).filter(|&r| a.get(r, u)).count() as u64).collect();
        assert_eq!(a.count_by_unit(), counts);
        assert_eq!(a.gather([5, 5, 69]).row(2), a.row(69));
    }
}
