//! Provides the rows to train on: MNIST, or synthetic bits where another width is asked for.

use std::path::Path;

use harmonium::data::{Binarize, ReadOptions, Table, binarize, mnist_folder, open};
use harmonium::{Batch, BitMatrix, Error, Key};

/// The share of ones in the synthetic bits; in the thresholded training images it is 0.13.
const DENSITY: f32 = 0.14;

/// The width of MNIST.
const PIXELS: usize = 784;

/// Provides the first `n` rows: of MNIST for 784 units, else synthetic ones.
///
/// # Errors
/// Refuses more rows than there are, and a folder without the training images.
pub(crate) fn rows(n: usize, units: usize, folder: Option<&Path>) -> Result<Batch, Error> {
    if units == PIXELS { images(n, folder) } else { Batch::from_bits(synthetic(n, units)?) }
}

/// Makes random bits, the same ones for equal sizes.
///
/// # Errors
/// None for sizes above zero.
pub(crate) fn synthetic(n: usize, units: usize) -> Result<BitMatrix, Error> {
    let grey = Table::from_reals("synthetic bits", n, units, vec![DENSITY; n * units])?;
    binarize(&grey, Binarize::Sample, Key::from_seed(0))
}

/// Reads the first training images; a pixel above 127 becomes 1.
fn images(n: usize, folder: Option<&Path>) -> Result<Batch, Error> {
    let folder = folder.map_or_else(mnist_folder, |folder| Ok(folder.to_path_buf()))?;
    let plain = folder.join("train-images-idx3-ubyte");
    let path = if plain.is_file() { plain } else { folder.join("train-images-idx3-ubyte.gz") };
    let table = open(&path, &ReadOptions::default())?;
    if n > table.rows() {
        return Err(Error::option("n", format!("at most {} rows", table.rows()), n));
    }
    Batch::from_bits(binarize(&table.slice_rows(0..n)?, Binarize::Threshold, Key::from_seed(0))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn synthetic_bits_are_as_dense_as_images() {
        let bits = synthetic(1000, 64).unwrap();
        let ones: u64 = bits.count_by_unit().iter().sum();
        // 64,000 draws at 0.14: standard deviation √(64000 · 0.14 · 0.86) = 88; five of them.
        assert!((8960 - 440..=8960 + 440).contains(&ones), "{ones}");
        assert_eq!(synthetic(1000, 64).unwrap(), bits);
    }

    #[test]
    fn a_folder_without_images_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = rows(1, PIXELS, Some(folder.path())).unwrap_err().to_string();
        assert!(error.contains("train-images-idx3-ubyte"), "{error}");
    }
}
