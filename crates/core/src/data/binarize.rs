//! Turns grey values into bits, by a threshold or by draws that depend on key, row and column alone.

use std::fmt;
use std::str::FromStr;

use harmonium_kernels::{BitMatrix, Key};
use rand::RngCore;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::table::place;
use super::{Table, Values};
use crate::Error;

/// Says how values in [0, 1] become bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Binarize {
    /// 1 if the value is 0.5 or more, that is from byte 128 on.
    Threshold,
    /// 1 with the value as probability.
    Sample,
    /// The values are bits already: anything but 0 and 1 is an error.
    #[default]
    None,
}

impl Binarize {
    const NAMES: [(&str, Self); 3] =
        [("threshold", Self::Threshold), ("sample", Self::Sample), ("none", Self::None)];
}

impl FromStr for Binarize {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let found = Self::NAMES.into_iter().find(|(name, _)| *name == text);
        found
            .map(|(_, value)| value)
            .ok_or_else(|| Error::option("binarize", "threshold, sample or none", text))
    }
}

impl fmt::Display for Binarize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = Self::NAMES.into_iter().find(|(_, value)| value == self);
        f.write_str(found.map_or("", |(name, _)| name))
    }
}

/// Makes bits of a table: `(n, columns) → (n, columns)`.
///
/// [`Binarize::Sample`] takes word j of `key.stream(r)` for column j of row r, counted from 0 in this table:
/// bit = ((word >> 8) · 2⁻²⁴ < value). A value of 1 always gives 1, a value of 0 never does.
///
/// The caller folds the key: `key.fold_in(purpose::BINARIZE).fold_in(0)` for training rows,
/// `.fold_in(1)` for test rows. The other two ways draw nothing.
///
/// # Errors
/// A value outside [0, 1], or, with [`Binarize::None`], one that is not 0 or 1; the first such, with its place.
pub fn binarize(table: &Table, how: Binarize, key: Key) -> Result<BitMatrix, Error> {
    binarize_part(table, 0, how, key)
}

/// Makes bits of the rows of a larger table from row `first` on, as [`binarize`] would make them of the whole.
pub(super) fn binarize_part(
    table: &Table,
    first: usize,
    how: Binarize,
    key: Key,
) -> Result<BitMatrix, Error> {
    let at = (first, table.columns());
    match table.values() {
        Values::Bits(bits) => Ok(bits.clone()),
        Values::Bytes(bytes) => {
            if how == Binarize::None {
                let refused = bytes.iter().position(|byte| !matches!(byte, 0 | 255));
                check(table, first, refused, "0 or 1 (byte 0 or 255)")?;
            }
            Ok(bits(bytes, at, how, key, |byte| f32::from(byte) / 255.0))
        }
        Values::Reals(reals) => {
            let expected = if how == Binarize::None { "0 or 1" } else { "a value in [0, 1]" };
            let allowed =
                |v: f32| if how == Binarize::None { v == 0.0 || v == 1.0 } else { (0.0..=1.0).contains(&v) };
            check(table, first, reals.iter().position(|&value| !allowed(value)), expected)?;
            Ok(bits(reals, at, how, key, |value| value))
        }
    }
}

/// Refuses values that are no probabilities.
pub(super) fn check_shares(table: &Table) -> Result<(), Error> {
    let Values::Reals(reals) = table.values() else { return Ok(()) };
    check(table, 0, reals.iter().position(|value| !(0.0..=1.0).contains(value)), "a value in [0, 1]")
}

fn check(table: &Table, first: usize, refused: Option<usize>, expected: &str) -> Result<(), Error> {
    let Some(index) = refused else { return Ok(()) };
    let (row, column) = (index / table.columns(), index % table.columns());
    Err(Error::value("data", place(first + row, column), expected, table.value(row, column)))
}

/// Fills a matrix row by row; no row knows another, so their order cannot matter.
fn bits<T: Copy + Sync>(
    values: &[T],
    (first, columns): (usize, usize),
    how: Binarize,
    key: Key,
    real: impl Fn(T) -> f32 + Sync,
) -> BitMatrix {
    let stride = columns.div_ceil(64);
    let rows = values.len() / columns;
    let mut words = vec![0; rows * stride];
    words.par_chunks_mut(stride).zip(values.par_chunks(columns)).enumerate().for_each(
        |(row, (words, values))| match how {
            Binarize::Sample => sample_row(words, values, &real, key.stream((first + row) as u64)),
            Binarize::Threshold | Binarize::None => set_bits(words, values, |value| real(value) >= 0.5),
        },
    );
    BitMatrix::from_words(rows, columns, words).expect("every row fills its columns and no bit behind them")
}

/// Draws the bits of a row, one word of the stream for each.
pub(super) fn sample_row<T: Copy>(
    words: &mut [u64],
    values: &[T],
    real: impl Fn(T) -> f32,
    mut stream: impl RngCore,
) {
    set_bits(words, values, |value| stream.next_u32() >> 8 < level(real(value)));
}

/// Counts the 24-bit numbers m with m · 2⁻²⁴ < value. Scaling by a power of two is exact, hence so is the count.
fn level(value: f32) -> u32 {
    (value * 16_777_216.0).ceil() as u32
}

fn set_bits<T: Copy>(words: &mut [u64], values: &[T], mut bit: impl FnMut(T) -> bool) {
    for (word, values) in words.iter_mut().zip(values.chunks(64)) {
        *word = values.iter().enumerate().fold(0, |word, (i, &value)| word | u64::from(bit(value)) << i);
    }
}

#[cfg(test)]
mod tests {
    use harmonium_kernels::purpose;

    use super::*;

    fn key() -> Key {
        Key::from_seed(1).fold_in(purpose::BINARIZE).fold_in(0)
    }

    /// All bytes, in rows of a width that is no multiple of 64.
    fn ramp() -> Table {
        Table::from_bytes("ramp", 40, 70, (0..2800_u32).map(|i| (i * 7 % 256) as u8).collect()).unwrap()
    }

    #[test]
    fn a_sampled_bit_is_its_word_compared_with_its_value() {
        let table = ramp();
        let bits = binarize(&table, Binarize::Sample, key()).unwrap();
        for row in 0..40 {
            let mut stream = key().stream(row as u64);
            for column in 0..70 {
                let uniform = (stream.next_u32() >> 8) as f32 / 16_777_216.0;
                assert_eq!(bits.get(row, column), uniform < table.value(row, column), "({row}, {column})");
            }
        }
    }

    #[test]
    fn reals_and_bytes_of_the_same_values_give_the_same_bits() {
        let table = ramp();
        let reals = (0..2800).map(|i| table.value(i / 70, i % 70)).collect();
        let reals = Table::from_reals("ramp", 40, 70, reals).unwrap();
        for how in [Binarize::Sample, Binarize::Threshold] {
            assert_eq!(binarize(&reals, how, key()).unwrap(), binarize(&table, how, key()).unwrap());
        }
    }

    #[test]
    fn zero_never_gives_a_one_and_one_always_does() {
        let ends = Table::from_bytes("ends", 500, 200, [0, 255].repeat(50_000)).unwrap();
        let bits = binarize(&ends, Binarize::Sample, key()).unwrap();
        assert_eq!(bits, BitMatrix::from_fn(500, 200, |_, column| column % 2 == 1));
        assert_eq!(bits, binarize(&ends, Binarize::None, key()).unwrap());
        assert_eq!((level(0.0), level(-0.0), level(1.0)), (0, 0, 1 << 24));
        assert_eq!(
            (level(f32::MIN_POSITIVE), level(0.5), level(1.0 - f32::EPSILON / 2.0)),
            (1, 1 << 23, (1 << 24) - 1)
        );
    }

    #[test]
    fn the_threshold_lies_between_bytes_127_and_128() {
        let grey = Table::from_bytes("grey", 1, 4, vec![0, 127, 128, 255]).unwrap();
        assert_eq!(binarize(&grey, Binarize::Threshold, key()).unwrap().words(), [0b1100]);
        let reals = Table::from_reals("reals", 1, 4, vec![0.0, 0.499_999_97, 0.5, 1.0]).unwrap();
        assert_eq!(binarize(&reals, Binarize::Threshold, key()).unwrap().words(), [0b1100]);
    }

    #[test]
    fn the_first_sampled_words_are_frozen() {
        let grey = Table::from_bytes("grey", 2, 64, vec![128; 128]).unwrap();
        let words = binarize(&grey, Binarize::Sample, key()).unwrap().words().to_vec();
        assert_eq!(words, [1_806_343_919_742_867_349, 17_522_099_375_309_787_330]);
    }

    #[test]
    fn values_outside_name_their_place() {
        for bad in [-0.1, 1.000_000_1, 2.0, 255.0, -1e-30] {
            let table = Table::from_reals("t", 2, 2, vec![0.0, 1.0, bad, -5.0]).unwrap();
            for how in [Binarize::Threshold, Binarize::Sample, Binarize::None] {
                let error = binarize(&table, how, key()).unwrap_err().to_string();
                assert!(error.starts_with("data at row 1, column 0 (counted from 0): expected"), "{error}");
            }
        }
        let grey = Table::from_reals("t", 1, 2, vec![1.0, 0.5]).unwrap();
        let error = binarize(&grey, Binarize::None, key()).unwrap_err().to_string();
        assert_eq!(error, "data at row 0, column 1 (counted from 0): expected 0 or 1, got 0.5");
        assert!(binarize(&ramp(), Binarize::None, key()).unwrap_err().to_string().contains("column 1 "));
    }

    #[test]
    fn a_part_has_the_bits_and_the_places_of_the_whole() {
        let table = ramp();
        let part = table.slice_rows(13..29).unwrap();
        for how in [Binarize::Sample, Binarize::Threshold] {
            let whole = binarize(&table, how, key()).unwrap();
            assert_eq!(binarize_part(&part, 13, how, key()).unwrap(), whole.gather(13..29));
        }
        let error = binarize_part(&part, 13, Binarize::None, key()).unwrap_err().to_string();
        assert!(error.starts_with("data at row 13, column 0 (counted from 0)"), "{error}");
    }

    #[test]
    fn bits_stay_as_they_are() {
        let bits = BitMatrix::from_fn(3, 65, |r, u| (r + u) % 3 == 0);
        let table = Table::from_bits("t", bits.clone()).unwrap();
        for how in [Binarize::Threshold, Binarize::Sample, Binarize::None] {
            assert_eq!(binarize(&table, how, key()).unwrap(), bits);
        }
    }

    #[test]
    fn names_come_back() {
        for (name, value) in Binarize::NAMES {
            assert_eq!(name.parse::<Binarize>().unwrap(), value);
            assert_eq!(value.to_string(), name);
        }
        let error = "Sample".parse::<Binarize>().unwrap_err().to_string();
        assert_eq!(error, "binarize: expected threshold, sample or none, got Sample");
    }
}
