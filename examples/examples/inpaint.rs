//! Finds the lower halves of images of MNIST from the upper ones, beside the mean image and the nearest neighbour's half.
//!
//! `cargo run --release -p harmonium-examples --example inpaint [-- [SEEDS] [--short] [--valid]]`; `--valid` learns the first
//! 50,000 images and judges by the first 1,000 of the others, as settings were chosen.
#![allow(clippy::print_stdout)] // An example speaks.

use harmonium::BitMatrix;
use harmonium::prelude::*;
use harmonium::rbm::Clamping;
use harmonium_examples::images::{images, likelier, machine, wrong};
use harmonium_examples::{Arguments, measure};

/// Pixels of the upper half.
const SEEN: usize = 392;

fn main() -> Result<(), Error> {
    let arguments = Arguments::read();
    let seeds = arguments.words.iter().find_map(|word| word.parse().ok()).unwrap_or(1);
    let (mut train, test) = images(arguments.has("--valid"))?;
    let mut test = test.rows.gather(0..1_000);
    let (mut options, mut epochs) = (Clamping { annealing: 100, warming: 50, ..Clamping::default() }, 25);
    if arguments.short {
        (train, test, epochs) = (train.gather(0..5_000), test.gather(0..100), 3);
        options = Clamping { chains: 5, sweeps: 20, ..options };
    }
    let mean = mean_image(&train.rows, &test)?;
    let nearest = nearest(&train.rows, &test)?;
    println!(
        "wrong of 392 pixels: mean image {:.2}, nearest {:.2}",
        wrong(&mean, &test)?,
        wrong(&nearest, &test)?
    );
    let hidden = BitMatrix::from_fn(test.rows(), test.units(), |_, pixel| pixel >= SEEN);
    measure("less wrong pixels, minus", seeds, |key| {
        let rbm = machine(&train.rows, epochs, key)?;
        let found = rbm.inpaint(&test.clone().masked(hidden.clone()), &options, key)?;
        Ok(-wrong(&likelier(&found.mean)?, &test)?)
    })
}

/// Keeps upper halves; below stands what most training images have.
fn mean_image(train: &Batch, test: &Batch) -> Result<Batch, Error> {
    let (counts, seen) = (train.bits()?.count_by_unit(), test.bits()?);
    let pixel = |r, f| if f < SEEN { seen.get(r, f) } else { 2 * counts[f] as usize > train.rows() };
    Batch::from_bits(BitMatrix::from_fn(test.rows(), test.units(), pixel))
}

/// Keeps upper halves; below stands that of the training image whose upper half differs least.
fn nearest(train: &Batch, test: &Batch) -> Result<Batch, Error> {
    let (known, seen) = (train.bits()?, test.bits()?);
    let last = u64::MAX >> (64 - SEEN % 64);
    let differing = |r: usize, n: usize| -> u32 {
        let (a, b) = (seen.row(r), known.row(n));
        let whole: u32 = (0..SEEN / 64).map(|word| (a[word] ^ b[word]).count_ones()).sum();
        whole + ((a[SEEN / 64] ^ b[SEEN / 64]) & last).count_ones()
    };
    let best = |r| (0..known.rows()).min_by_key(|&n| differing(r, n)).unwrap_or(0);
    let best: Vec<usize> = (0..seen.rows()).map(best).collect();
    let pixel = |r: usize, f| if f < SEEN { seen.get(r, f) } else { known.get(best[r], f) };
    Batch::from_bits(BitMatrix::from_fn(test.rows(), test.units(), pixel))
}
