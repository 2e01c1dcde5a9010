//! Classifies MNIST by a network that starts from machines trained without labels, 784-500-500-2000-10 (Hinton, Osindero & Teh
//! 2006), fine-tuned by backpropagation; the same network from a random start stands beside it.
//!
//! `cargo run --release -p harmonium-examples --example finetune [-- [--dropout] [--short]]`: the last 10,000 training rows
//! decide which epoch is kept, the test rows judge.
#![allow(clippy::print_stdout)] // An example speaks.

use std::ops::ControlFlow;

use harmonium::data::{Binarize, Table, binarize, mnist, mnist_folder};
use harmonium::dbn::net::{Activation, Head, Network, Omit, Progress, Score, Targets, Tuning, tune};
use harmonium::dbn::stack::key_of_layer;
use harmonium::prelude::*;
use harmonium::train::Stopping;
use harmonium_examples::Arguments;
use ndarray::Array2;

fn main() -> Result<(), Error> {
    let (arguments, set, key) = (Arguments::read(), mnist(&mnist_folder()?)?, Key::from_seed(1));
    let short = arguments.short;
    let (rows, layers) = if short { (3_000, &[100, 100][..]) } else { (60_000, &[500, 500, 2000][..]) };
    let (train, test) = (grey(&set.train, rows)?, grey(&set.test, 10_000)?);
    let [train_labels, test_labels] = [&set.train_labels[..rows], &set.test_labels[..]]
        .map(|labels| labels.iter().map(|&label| Some(usize::from(label))).collect::<Vec<_>>());
    let machines = pretrained(&train, layers, if short { 20 } else { 30 }, key)?;
    let omit = arguments.has("--dropout").then_some(Omit { inputs: 0.2, hidden: 0.5 });
    let options = Tuning {
        epochs: if short { 30 } else { 100 },
        learning_rate: Schedule::Constant(0.1),
        method: Method::nesterov(0.9),
        dropout: omit.unwrap_or_default(),
        max_norm: omit.map(|_| 4.0),
        head_first: 2,
        validation: rows / 6,
        score: Score::Errors,
        stopping: Some(Stopping { patience: 15 }),
        ..Tuning::default()
    };
    let pretrained = Network::from_rbms(&machines.iter().collect::<Vec<_>>(), Some(Head::classes(10)), key)?;
    let random = random(&[&[784], layers, &[10]].concat(), key)?;
    for (name, mut network) in [("pretrained", pretrained), ("random start", random)] {
        tune(&mut network, &train, &Targets::Classes(&train_labels), &options, key, &mut show)?;
        let wrong = 100.0 * network.error_rate(&test, &test_labels)?;
        println!("{name}: {wrong:.2} % of the test images wrong");
    }
    Ok(())
}

fn grey(images: &Table, rows: usize) -> Result<Batch, Error> {
    Batch::reals(Array2::from_shape_fn((rows, images.columns()), |(row, column)| images.value(row, column)))
}

/// Trains a machine on the rows, the next one on states of its hidden units, and so on.
fn pretrained(data: &Batch, layers: &[usize], epochs: u32, key: Key) -> Result<Vec<Rbm>, Error> {
    let (mut means, mut machines) = (data.to_array(), Vec::new());
    for (layer, &hidden) in layers.iter().enumerate() {
        let key = key_of_layer(key, layer);
        let table =
            Table::from_reals("means", means.nrows(), means.ncols(), means.iter().copied().collect())?;
        let bits = Batch::from_bits(binarize(&table, Binarize::Sample, key.fold_in(purpose::BINARIZE))?)?;
        let mut rbm = Rbm::for_data(&bits, Units::Bernoulli(hidden), key)?;
        fit(&mut rbm, &bits, &mut Cd::new(1), &Fit { epochs, ..Fit::default() }, key, &mut Silent)?;
        means = rbm.transform(&bits)?;
        machines.push(rbm);
    }
    Ok(machines)
}

fn random(sizes: &[usize], key: Key) -> Result<Network, Error> {
    let head = sizes.len() - 1;
    let activation = |layer| if layer == head { Activation::Softmax } else { Activation::Sigmoid };
    Network::new(sizes, &(1..=head).map(activation).collect::<Vec<_>>(), key)
}

fn show(progress: &Progress<'_>) -> ControlFlow<()> {
    if let Some(score) = progress.score.filter(|_| progress.tuner.epoch().is_multiple_of(5)) {
        println!("epoch {}: {:.2} % of the validation rows wrong", progress.tuner.epoch(), -100.0 * score);
    }
    ControlFlow::Continue(())
}
