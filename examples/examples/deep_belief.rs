//! Trains a deep belief network with a label at the top on MNIST: greedily, then by up-down; prints test accuracy and bound after
//! each, and one sample of each class.
//!
//! `cargo run --release -p harmonium-examples --example deep_belief [-- [SEED] [--short]]`: 784-500-500-2000 of all 60,000 images,
//! or, in the short form, 784-100-100-200 of 5,000.
#![allow(clippy::print_stdout)] // An example speaks.

use std::ops::ControlFlow;

use harmonium::data::{Binarize, Mnist, Table, binarize, mnist, mnist_folder};
use harmonium::dbn::stack::{Bounding, Dbn, Greedy, Progress, Recipe, Sampling, Stacking, UpDown};
use harmonium::evaluate::{Ais, Betas};
use harmonium::prelude::*;
use harmonium_examples::Arguments;

fn main() -> Result<(), Error> {
    let arguments = Arguments::read();
    let seed = arguments.words.iter().find_map(|word| word.parse().ok()).unwrap_or(1);
    let (set, key) = (mnist(&mnist_folder()?)?, Key::from_seed(seed));
    let (rows, epochs) = if arguments.short { (5_000, 10) } else { (60_000, 30) };
    let (train, test) = (images(&set.train, rows)?, images(&set.test, rows.min(10_000))?);
    let labels: Vec<Option<usize>> = set.train_labels[..rows].iter().map(|&l| Some(usize::from(l))).collect();

    let widths = if arguments.short { [100, 100, 200] } else { [500, 500, 2_000] };
    let fit = Fit { epochs, learning_rate: Schedule::Linear { from: 0.1, to: 0.01 }, ..Fit::default() };
    let layer = |units| Recipe { hidden: Units::Bernoulli(units), fit: fit.clone(), ..Recipe::default() };
    let layers = widths.into_iter().map(layer).collect();
    let mut stacking = Stacking::new(Greedy { layers, classes: Some(10), ..Greedy::default() })?;
    stacking.run(&train, Some(&labels), key, &mut said)?;
    let greedy = stacking.finish()?;
    report("greedy", &greedy, (&set, &test), key)?;

    let rate = Schedule::Linear { from: 0.02, to: 0.0 };
    let options = UpDown { epochs, learning_rate: rate, ..UpDown::default() };
    let mut tuning = Stacking::tuning(&greedy, options)?;
    tuning.run(&train, Some(&labels), key, &mut said)?;
    let tuned = tuning.finish()?;
    report("up-down", &tuned, (&set, &test), key)?;

    for class in 0..10 {
        let options = Sampling { chains: 1, sweeps: 200, class: Some(class) };
        let sample = tuned.sample(&options, key, &mut |_| ())?;
        println!("{class}");
        for line in sample.means.row(0).to_vec().chunks(28).step_by(2) {
            println!("{}", line.iter().map(|&p| if p > 0.5 { '#' } else { '.' }).collect::<String>());
        }
    }
    Ok(())
}

/// Reads pixels of at least 128 of 255 as ink.
fn images(images: &Table, rows: usize) -> Result<Batch, Error> {
    Ok(Batch::from_bits(binarize(images, Binarize::Threshold, Key::from_seed(1))?)?.gather(0..rows))
}

/// Says each tenth epoch.
fn said(progress: &Progress<'_>) -> ControlFlow<()> {
    if progress.ends_epoch && progress.epoch.is_multiple_of(10) {
        println!("{} epoch {}", progress.phase, progress.epoch);
    }
    ControlFlow::Continue(())
}

/// Prints accuracy, and the bound of the first images; its ln Z comes from a short annealing, whatever its width.
fn report(name: &str, dbn: &Dbn, (set, test): (&Mnist, &Batch), key: Key) -> Result<(), Error> {
    let right = dbn.predict(test)?.into_iter().zip(&set.test_labels).filter(|(y, l)| *y == usize::from(**l));
    let accuracy = 100.0 * right.count() as f64 / test.rows() as f64;
    let ais = Ais { runs: 50, betas: Betas::Count(500) };
    let annealing = Annealing { ais, sweeps: 0, widest: f64::INFINITY, ..Annealing::default() };
    let bound = dbn.bound(&test.gather(0..100), &Bounding { annealing, ..Bounding::default() }, key)?;
    println!("{name}: test accuracy {accuracy:.2} %, {bound}");
    Ok(())
}
