//! Takes flips off images of MNIST: p(v | noisy) ∝ e^−F(v) · noise, beside a median filter of 3 × 3 pixels.
//!
//! `cargo run --release -p harmonium-examples --example denoise [-- [SEEDS] [--short] [--valid]]`; `--valid` learns the first
//! 50,000 images and judges by the other 10,000, as settings were chosen.
#![allow(clippy::print_stdout)] // An example speaks.

use harmonium::prelude::*;
use harmonium::rbm::{Clamping, Noise};
use harmonium_examples::images::{flipped, images, likelier, machine, median, wrong};
use harmonium_examples::{Arguments, measure};

fn main() -> Result<(), Error> {
    let arguments = Arguments::read();
    let seeds = arguments.words.iter().find_map(|word| word.parse().ok()).unwrap_or(1);
    let (mut train, mut test) = images(arguments.has("--valid"))?;
    let mut options = Clamping { chains: 4, annealing: 25, warming: 10, sweeps: 50 };
    let mut epochs = 25;
    if arguments.short {
        (train, test, epochs) = (train.gather(0..5_000), test.gather(0..200), 3);
        options.sweeps = 20;
    }
    measure("wrong pixels saved against the median, 10 % and 20 %", seeds, |key| {
        let rbm = machine(&train.rows, epochs, key)?;
        let mut saved = 0.0;
        for (n, rate) in [0.1, 0.2].into_iter().enumerate() {
            let noisy = flipped(&test.rows, rate, key.fold_in(purpose::EVALUATE).fold_in(32 + n as u64))?;
            let found = rbm.denoise(&noisy, Noise::Flips(rate as f32), &options, key)?;
            let found = wrong(&likelier(&found.mean)?, &test.rows)?;
            let (noisy_wrong, filtered) = (wrong(&noisy, &test.rows)?, wrong(&median(&noisy)?, &test.rows)?);
            let guessed = rbm.flip_rate(&noisy, &Clamping { sweeps: 20, ..options }, key, &mut |_| ())?;
            println!(
                "{rate}: noisy {noisy_wrong:.2}, median {filtered:.2}, machine {found:.2}; rate estimated {guessed:.4}"
            );
            saved += filtered - found;
        }
        Ok(saved)
    })
}
