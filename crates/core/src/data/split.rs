//! Splits rows into training and validation rows, and into folds.

use std::ops::Range;

use crate::Error;

/// Takes the last `validation` of `rows` rows for validation: (training rows, validation rows).
///
/// # Errors
/// No training row would be left.
pub fn split_last(rows: usize, validation: usize) -> Result<(Range<usize>, Range<usize>), Error> {
    if validation >= rows {
        return Err(Error::option("validation", format!("fewer than the {rows} rows there are"), validation));
    }
    let training = rows - validation;
    Ok((0..training, training..rows))
}

/// Gives the fold, 0 to 4, of row `i` of a file: splitmix64(i) mod 5 (Steele, Lea and Flood 2014).
///
/// It depends on no generator of a library, so that anyone can make the same folds.
pub fn fold(i: u64) -> u32 {
    let z = i.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ z >> 31) % 5) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_rows_are_for_validation() {
        assert_eq!(split_last(60_000, 10_000).unwrap(), (0..50_000, 50_000..60_000));
        assert_eq!(split_last(1, 0).unwrap(), (0..1, 1..1));
        for (rows, validation) in [(0, 0), (5, 5), (5, 6), (5, usize::MAX)] {
            assert!(split_last(rows, validation).is_err());
        }
    }

    #[test]
    fn the_first_folds_are_the_published_ones() {
        assert_eq!([0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(fold), [0, 0, 4, 4, 2, 0, 3, 0, 4, 0]);
        assert!(fold(u64::MAX) < 5);
    }

    /// The sizes are those of the rows of MovieLens-100K and of InstEval.
    #[test]
    fn the_sizes_of_the_folds_are_the_published_ones() {
        for (rows, sizes) in [
            (100_000, [20_115, 19_759, 20_022, 19_967, 20_137]),
            (73_421, [14_791, 14_548, 14_678, 14_614, 14_790]),
        ] {
            let mut counts = [0; 5];
            (0..rows).for_each(|i| counts[fold(i) as usize] += 1);
            assert_eq!(counts, sizes);
        }
    }
}
