//! Reads MNIST as black and white, spoils it, and learns it: what the examples of noise, gaps and strangers share.

use std::ops::Range;

use harmonium::data::{Binarize, Mnist, Table, binarize, mnist, mnist_folder};
use harmonium::prelude::*;
use harmonium::train::{Average, Training};
use harmonium::{BitMatrix, Key};
use ndarray::Array2;
use rand::RngCore;

/// The side of an image.
pub const SIDE: usize = 28;

/// Holds images of pixels at least 128 of 255, and what they show.
#[derive(Clone, Debug)]
pub struct Images {
    /// The pixels, `(n, 784)`.
    pub rows: Batch,
    /// The digits.
    pub labels: Vec<u8>,
}

impl Images {
    /// Copies some of them.
    #[must_use]
    pub fn gather(&self, rows: impl Iterator<Item = usize> + Clone) -> Self {
        Self { rows: self.rows.gather(rows.clone()), labels: rows.map(|row| self.labels[row]).collect() }
    }
}

/// Reads images to learn and to judge by: all 60,000 and the test images, or, while settings are chosen, the first 50,000 and
/// the other 10,000.
///
/// # Errors
/// Says what could not be read.
pub fn images(valid: bool) -> Result<(Images, Images), Error> {
    let Mnist { train, test, train_labels, test_labels } = mnist(&mnist_folder()?)?;
    let bits = |table| Batch::from_bits(binarize(table, Binarize::Threshold, Key::from_seed(1))?);
    let train = Images { rows: bits(&train)?, labels: train_labels };
    if valid {
        return Ok((train.gather(0..50_000), train.gather(50_000..60_000)));
    }
    Ok((train, Images { rows: bits(&test)?, labels: test_labels }))
}

/// Gives the grey values of the same images, 0 to 1, `(n, 784)`: of [`images`] to learn and to judge by.
///
/// # Errors
/// Says what could not be read.
pub fn greys(valid: bool) -> Result<[Array2<f32>; 2], Error> {
    let Mnist { train, test, .. } = mnist(&mnist_folder()?)?;
    let grey = |table: &Table, rows: Range<usize>| {
        Array2::from_shape_fn((rows.len(), table.columns()), |(r, c)| table.value(rows.start + r, c))
    };
    if valid {
        return Ok([grey(&train, 0..50_000), grey(&train, 50_000..60_000)]);
    }
    Ok([grey(&train, 0..60_000), grey(&test, 0..10_000)])
}

/// Learns the images by 500 hidden units and persistent chains.
///
/// # Errors
/// None for images as they are read.
pub fn machine(train: &Batch, epochs: u32, key: Key) -> Result<Rbm, Error> {
    let mut rbm = Rbm::for_data(train, Units::Bernoulli(500), key)?;
    let options = Fit {
        epochs,
        learning_rate: Schedule::Linear { from: 0.1, to: 0.0 },
        centre: Some(Centre::default()),
        average: Some(Average { start: 0.7, ..Average::default() }),
        ..Fit::default()
    };
    let mut training = Training::new(&rbm, train, &options)?;
    training.run(&mut rbm, train, &mut Pcd::new(1, 100), key, &mut Silent)?;
    Ok(training.averaged(&rbm).unwrap_or(rbm))
}

/// Flips each bit with this probability, row r by stream r.
///
/// # Errors
/// Refuses data that are no bits.
pub fn flipped(data: &Batch, rate: f64, key: Key) -> Result<Batch, Error> {
    let bits = data.bits()?;
    let mut out = bits.clone();
    for row in 0..bits.rows() {
        let mut words = key.stream(row as u64);
        for unit in 0..bits.units() {
            let flip = f64::from(words.next_u32()) < rate * 4_294_967_296.0;
            out.set(row, unit, bits.get(row, unit) != flip);
        }
    }
    Batch::from_bits(out)
}

/// Gives what most of the nine pixels around each one are; beyond the edges there is no ink.
///
/// # Errors
/// Refuses data that are no bits.
pub fn median(data: &Batch) -> Result<Batch, Error> {
    let bits = data.bits()?;
    let near = |at: usize| at.saturating_sub(1)..SIDE.min(at + 2);
    let most = |r: usize, pixel: usize| {
        let ink = near(pixel / SIDE).flat_map(|y| near(pixel % SIDE).map(move |x| y * SIDE + x));
        ink.filter(|&other| bits.get(r, other)).count() >= 5
    };
    Batch::from_bits(BitMatrix::from_fn(bits.rows(), bits.units(), most))
}

/// Counts the wrong bits of an image, on average.
///
/// # Errors
/// Refuses data that are no bits.
pub fn wrong(found: &Batch, truth: &Batch) -> Result<f64, Error> {
    let words = found.bits()?.words().iter().zip(truth.bits()?.words());
    Ok(words.map(|(a, b)| f64::from((a ^ b).count_ones())).sum::<f64>() / truth.rows() as f64)
}

/// Takes probabilities of at least ½ for ink.
///
/// # Errors
/// None for whole rows.
pub fn likelier(means: &Array2<f32>) -> Result<Batch, Error> {
    Batch::from_bits(BitMatrix::from_fn(means.nrows(), means.ncols(), |r, u| means[(r, u)] >= 0.5))
}
