//! Classifies MNIST from 1,000 or 100 labelled images and nothing else: a machine is trained on these images, and a network that
//! starts from it learns their labels; the same network from a random start stands beside it.
//!
//! `cargo run --release -p harmonium-examples --example few_labels [-- [LABELS] [--validate] [--short]]`: the mean over ten draws of as many
//! images of each class, judged by the test images. Each image is taken in nine places, its own and those one pixel away, by machine and network alike.
//! With `--validate` a tenth of each draw is left out and judges: by these the recipe for 1,000 labels was chosen.
#![allow(clippy::print_stdout)] // An example speaks.

use std::ops::ControlFlow;

use harmonium::data::{Drawn, shuffled};
use harmonium::dbn::net::{Activation, Head, Network, Omit, Targets, Tuning, tune};
use harmonium::prelude::*;
use harmonium_examples::stacks::{Images, images, pretrained, published, random};
use harmonium_examples::{Arguments, measure};

const CLASSES: usize = 10;

fn main() -> Result<(), Error> {
    let arguments = Arguments::read();
    let (short, labels) = (arguments.short, arguments.number().unwrap_or(1000) as usize);
    let (draws, width) = if short { (1, 100) } else { (10, 1000) };
    let [machine_epochs, epochs] = if short {
        [5, 5]
    } else if labels < 500 {
        [100, 100]
    } else {
        [15, 30]
    };
    let [all, test] = images(60_000)?;
    for name in ["pretrained", "random start"] {
        measure(&format!("{name}: accuracy"), draws, |key| {
            let train = drawn(&all, labels, key)?;
            let [train, judge] =
                if arguments.has("--validate") { train.split(labels / 10)? } else { [train, test.clone()] };
            let train = train.nudged(1)?;
            let network = if name == "pretrained" {
                let stack = pretrained(&train, vec![machine(width, machine_epochs)], key)?;
                Network::from_rbms(&stack.rbms(), Some(Head::classes(CLASSES)), key)?
            } else {
                random(&[784, width, CLASSES], Activation::Softmax, key)?
            };
            let network = tuned(network, &train, epochs, key)?;
            Ok(100.0 - 100.0 * network.error_rate(&judge.rows, &judge.labels)?)
        })?;
    }
    Ok(())
}

/// Draws as many images of each class, in the order of a shuffle.
fn drawn(all: &Images, labels: usize, key: Key) -> Result<Images, Error> {
    let mut count = [0; CLASSES];
    let rows = shuffled(all.labels.len(), key, 0).into_iter().map(|row| row as usize).filter(|&row| {
        all.labels[row].is_some_and(|class| {
            count[class] += 1;
            count[class] <= labels / CLASSES
        })
    });
    all.gather(&rows.collect::<Vec<_>>())
}

/// Small batches: with few rows an epoch would have few updates.
fn machine(width: usize, epochs: u32) -> harmonium::dbn::stack::Recipe {
    let mut recipe = published(Units::Bernoulli(width), epochs);
    recipe.fit.learning_rate = Schedule::Linear { from: 0.1, to: 0.01 };
    recipe.fit.method = Method::Sgd { momentum: Schedule::Constant(0.5) };
    recipe.fit.batch = 10;
    recipe
}

fn tuned(mut network: Network, train: &Images, epochs: u32, key: Key) -> Result<Network, Error> {
    let options = Tuning {
        epochs,
        batch: 20,
        learning_rate: Schedule::Linear { from: 0.1, to: 0.0 },
        method: Method::nesterov(0.9),
        dropout: Omit { inputs: 0.0, hidden: 0.5 },
        max_norm: Some(3.0),
        ..Tuning::default()
    };
    let rows = Drawn::new(train.table.clone(), key)?;
    tune(&mut network, &rows, &Targets::Classes(&train.labels), &options, key, &mut |_| {
        ControlFlow::Continue(())
    })?;
    Ok(network)
}
