//! Prepares the digits of 8 × 8 pixels as scikit-learn's example of a machine before a logistic regression does.

use std::path::Path;

use harmonium::data::{Binarize, ReadOptions, Table, binarize, fold, open};
use harmonium::{Batch, Error, Key, purpose};
use ndarray::{Array2, Axis, s};

/// Is a set of pictures of 64 pixels with their classes.
#[derive(Clone, Debug, PartialEq)]
pub struct Digits {
    /// The pixels: `(n, 64)`.
    pub pixels: Array2<f32>,
    /// The digit of each picture.
    pub labels: Vec<usize>,
}

/// Is a training set and a test set.
pub type Split = (Digits, Digits);

impl Digits {
    /// Reads the 1,797 digits of the repository, pixels of 0 to 16.
    ///
    /// # Errors
    /// As [`open`].
    pub fn read() -> Result<Self, Error> {
        let table = table("digits.csv.gz")?;
        let pixels = Array2::from_shape_fn((table.rows(), 64), |(row, pixel)| table.value(row, pixel));
        Ok(Self { pixels, labels: (0..table.rows()).map(|row| table.value(row, 64) as usize).collect() })
    }

    /// Takes the named rows, in their order.
    pub fn rows(&self, rows: &[usize]) -> Self {
        Self {
            pixels: self.pixels.select(Axis(0), rows),
            labels: rows.iter().map(|&row| self.labels[row]).collect(),
        }
    }

    /// Puts copies below that are shifted up, left, right and down by one pixel, zeros coming in: `(n, 64) → (5 n, 64)`.
    #[must_use]
    pub fn nudged(&self) -> Self {
        let digits = self.labels.len();
        let pixels = Array2::from_shape_fn((5 * digits, 64), |(row, pixel)| {
            let (down, right) = [(1, 1), (2, 1), (1, 2), (1, 0), (0, 1)][row / digits];
            // Counted from 1, so that what comes in is 0 or 9.
            let (y, x) = (pixel / 8 + down, pixel % 8 + right);
            let inside = (1..=8).contains(&y) && (1..=8).contains(&x);
            if inside { self.pixels[(row % digits, (y - 1) * 8 + x - 1)] } else { 0.0 }
        });
        Self { pixels, labels: self.labels.repeat(5) }
    }

    /// Maps each column to 0 to 1 by the extremes that it has in `fit`; what never varies there becomes 0.
    #[must_use]
    pub fn scaled(&self, fit: &Self) -> Self {
        let mut pixels = self.pixels.clone();
        for (mut column, known) in pixels.columns_mut().into_iter().zip(fit.pixels.columns()) {
            let least = known.iter().copied().fold(f32::INFINITY, f32::min);
            let span = known.iter().copied().fold(f32::NEG_INFINITY, f32::max) - least;
            column.mapv_inplace(|x| if span > 0.0 { ((x - least) / span).clamp(0.0, 1.0) } else { 0.0 });
        }
        Self { pixels, labels: self.labels.clone() }
    }

    /// Takes the rows whose number has one of these folds.
    fn of_folds(&self, folds: std::ops::Range<u32>) -> Self {
        let rows: Vec<usize> =
            (0..self.labels.len()).filter(|&row| folds.contains(&fold(row as u64))).collect();
        self.rows(&rows)
    }

    /// Draws bits with the pixels as probabilities, which must lie in 0 to 1.
    ///
    /// # Errors
    /// As [`binarize()`].
    pub fn bits(&self, key: Key) -> Result<Batch, Error> {
        let table =
            Table::from_reals("pixels", self.labels.len(), 64, self.pixels.iter().copied().collect())?;
        let key = key.fold_in(purpose::BINARIZE).fold_in(0);
        Batch::from_bits(binarize(&table, Binarize::Sample, key)?)
    }

    /// Copies the first rows alone.
    #[must_use]
    pub fn first(&self, rows: usize) -> Self {
        Self { pixels: self.pixels.slice(s![..rows, ..]).to_owned(), labels: self.labels[..rows].to_vec() }
    }
}

/// Gives scikit-learn's protocol: all 8,985 nudged pictures scaled together, then split at random by the stored list. Copies of a
/// training digit are among the test rows. For validation fold 0 of the training rows stands in for these.
///
/// # Errors
/// As [`open`].
pub fn published(valid: bool) -> Result<Split, Error> {
    let all = Digits::read()?.nudged();
    let all = all.scaled(&all);
    let list = table("split.csv")?;
    let test: Vec<usize> = (0..list.rows()).map(|row| list.value(row, 0) as usize).collect();
    let train: Vec<usize> = (0..all.labels.len()).filter(|row| !test.contains(row)).collect();
    let train = all.rows(&train);
    Ok(if valid { (train.of_folds(1..5), train.of_folds(0..1)) } else { (train, all.rows(&test)) })
}

/// Gives the honest protocol: digits are split before they are nudged, those of fold 0 to test by; the test digits stay as they
/// are, and the scale is that of the training pictures. For validation fold 1 stands in for the test digits.
///
/// # Errors
/// As [`open`].
pub fn honest(valid: bool) -> Result<Split, Error> {
    let digits = Digits::read()?;
    let first = u32::from(valid);
    let train = digits.of_folds(first + 1..5).nudged();
    Ok((train.scaled(&train), digits.of_folds(first..first + 1).scaled(&train)))
}

fn table(name: &str) -> Result<Table, Error> {
    open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/digits").join(name), &ReadOptions::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_shifted_up_left_right_and_down() {
        let mut one = Digits { pixels: Array2::zeros((1, 64)), labels: vec![3] };
        one.pixels[(0, 27)] = 1.0;
        let place = |row: usize, all: &Digits| {
            (0..64).filter(|&pixel| all.pixels[(row, pixel)] > 0.0).collect::<Vec<_>>()
        };
        let nudged = one.nudged();
        assert_eq!([0, 1, 2, 3, 4].map(|row| place(row, &nudged)), [[27], [19], [26], [28], [35]]);
        assert!(nudged.labels == [3; 5]);
        one.pixels = Array2::zeros((1, 64));
        one.pixels[(0, 7)] = 1.0;
        assert_eq!([1, 2, 3, 4].map(|row| place(row, &one.nudged()).len()), [0, 1, 0, 1]);
    }

    #[test]
    fn the_published_split_has_every_picture_once() {
        let (train, test) = published(false).unwrap();
        assert_eq!((train.labels.len(), test.labels.len()), (7_188, 1_797));
        // The first test rows of the list are 2646, 1283 and 1691: digits 849, shifted up, and 1283 and 1691 themselves.
        let all = Digits::read().unwrap().labels;
        assert_eq!(test.labels[..3], [all[849], all[1283], all[1691]]);
        let sum = |set: &Digits| set.labels.iter().sum::<usize>();
        assert_eq!(sum(&train) + sum(&test), 5 * all.iter().sum::<usize>());
        assert!(train.pixels.iter().chain(&test.pixels).all(|x| (0.0..=1.0).contains(x)));
    }

    #[test]
    fn no_copy_of_an_honest_test_digit_is_trained_on() {
        let (train, test) = honest(false).unwrap();
        assert_eq!(train.labels.len() + 5 * test.labels.len(), 8_985);
        let whole =
            |set: &Digits| set.pixels.rows().into_iter().map(|row| format!("{row}")).collect::<Vec<_>>();
        let known = whole(&train);
        assert!(whole(&test).iter().all(|row| !known.contains(row)));
    }
}
