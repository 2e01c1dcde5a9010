//! Classifies MNIST by hybrid training of a classification RBM: pixels are drawn anew from their grey values in each epoch, and
//! classes are predicted from the mean of p(y | x) over draws of the same image.
//!
//! `cargo run --release -p harmonium-examples --example classify [-- [SEEDS] [--short] [--valid]]`: seeds 1 to SEEDS, one if
//! none is named. `--valid` trains on the first 50,000 rows and judges by the other 10,000, as the recipe was chosen; the test
//! rows are judged by a machine of all 60,000.
#![allow(clippy::print_stdout)] // An example speaks.

use std::ops::ControlFlow;

use harmonium::data::{Binarize, Mnist, Table, binarize, mnist, mnist_folder};
use harmonium::prelude::*;
use harmonium::rbm::{Classifier, Hybrid, labelled};
use harmonium::train::{Average, Training};
use harmonium_examples::{Arguments, measure};

/// Draws of an image over which probabilities are averaged.
const DRAWS: u64 = 20;

fn main() -> Result<(), Error> {
    let arguments = Arguments::read();
    let seeds = arguments.words.iter().find_map(|word| word.parse().ok()).unwrap_or(1);
    let set = mnist(&mnist_folder()?)?;
    let valid = arguments.has("--valid");
    measure(if valid { "validation accuracy" } else { "test accuracy" }, seeds, |key| {
        let rows = if arguments.short {
            5_000
        } else if valid {
            50_000
        } else {
            60_000
        };
        let model = machine(&set, rows, arguments.short, key)?;
        if valid {
            return accuracy(&model, &set.train, &set.train_labels, 50_000, key);
        }
        accuracy(&model, &set.test, &set.test_labels, 0, key)
    })
}

/// Minimises −ln p(y | x) − 0.01 ln p(x, y) on the first rows; an epoch sees one draw of their pixels.
fn machine(set: &Mnist, rows: usize, short: bool, key: Key) -> Result<Classifier, Error> {
    let (hidden, epochs) = if short { (200, 8) } else { (1_000, 22) };
    let draw = |epoch| Ok::<_, Error>(draw(&set.train, &set.train_labels, epoch, key)?.gather(0..rows));
    let first = draw(0)?;
    let mut model = Classifier::for_data(&first, 10, hidden, key)?;
    let mut hybrid = Hybrid::new(0.01, Cd::new(1));
    let options = Fit {
        epochs,
        learning_rate: Schedule::Linear { from: 0.002, to: 2e-5 },
        method: Method::adam(),
        average: Some(Average::exponential(if short { 0.98 } else { 0.999 })),
        ..Fit::default()
    };
    let mut training = Training::new(&model, &first, &options)?;
    let mut epoch_ends = |step: &Step<'_, Classifier>| {
        if step.ends_epoch { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    for epoch in 0..u64::from(epochs) {
        training.run(&mut model, &draw(epoch)?, &mut hybrid, key, &mut epoch_ends)?;
    }
    Ok(training.averaged(&model).unwrap_or(model))
}

/// Draws the pixels of all images, and puts their labels behind them.
fn draw(images: &Table, labels: &[u8], draw: u64, key: Key) -> Result<Batch, Error> {
    let bits = binarize(images, Binarize::Sample, key.fold_in(purpose::BINARIZE).fold_in(draw))?;
    let labels: Vec<Option<usize>> = labels.iter().map(|&label| Some(usize::from(label))).collect();
    labelled(&Batch::from_bits(bits)?, &labels, 10)
}

/// Gives the percentage of images, from one on, whose likeliest class is right, p(y | x) being averaged over draws.
fn accuracy(model: &Classifier, images: &Table, labels: &[u8], from: usize, key: Key) -> Result<f64, Error> {
    let bits = |n| Ok::<_, Error>(draw(images, labels, (1 << 32) + n, key)?.gather(from..images.rows()));
    let mut sum = model.predict_proba(&bits(0)?)?;
    for n in 1..DRAWS {
        sum += &model.predict_proba(&bits(n)?)?;
    }
    let right = sum.rows().into_iter().zip(&labels[from..]).filter(|(row, label)| {
        let own = row[usize::from(**label)];
        row.iter().all(|p| *p <= own)
    });
    Ok(100.0 * right.count() as f64 / sum.nrows() as f64)
}
