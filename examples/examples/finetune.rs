//! Classifies MNIST by a network that starts from machines trained without labels, 784-500-500-2000-10 (Hinton, Osindero & Teh
//! 2006), fine-tuned by backpropagation; the same network from a random start stands beside it.
//!
//! `cargo run --release -p harmonium-examples --example finetune [-- [SEED] [--dropout] [--validate] [--short]]`: all 60,000 images train
//! and the test images judge. With `--validate` the last 10,000 training images judge, and the others train: by these the recipe was
//! chosen. The bits of the images are drawn anew in each epoch, for the machines and for the network.
#![allow(clippy::print_stdout)] // An example speaks.

use std::ops::ControlFlow;

use harmonium::data::Drawn;
use harmonium::dbn::net::{Activation, Head, Network, Omit, Progress, Targets, Tuning, tune};
use harmonium::prelude::*;
use harmonium::train::Average;
use harmonium_examples::stacks::{Images, images, pretrained, published, random};
use harmonium_examples::{Arguments, timed};

fn main() -> Result<(), Error> {
    let arguments = Arguments::read();
    let (short, key) = (arguments.short, Key::from_seed(arguments.number().unwrap_or(1)));
    let (rows, layers) = if short { (3_000, &[100, 100][..]) } else { (60_000, &[500, 500, 2000][..]) };
    let [train, test] = images(rows)?;
    let [train, judge] = if arguments.has("--validate") { train.split(rows / 6)? } else { [train, test] };

    let machine = |&units: &usize| {
        let mut recipe = published(Units::Bernoulli(units), if short { 5 } else { 60 });
        recipe.fit.learning_rate = Schedule::Linear { from: 0.1, to: 0.002 };
        recipe
    };
    let machines = timed("machines", || pretrained(&train, layers.iter().map(machine).collect(), key))?;
    let start = Network::from_rbms(&machines.rbms(), Some(Head::classes(10)), key)?;
    let plain = random(&[&[784], layers, &[10]].concat(), Activation::Softmax, key)?;
    let options = options(arguments.has("--dropout"), short);
    // A random start stays at chance at that rate.
    let slow = Tuning {
        learning_rate: Schedule::Linear { from: 0.001, to: 0.0 },
        method: Method::adam(),
        ..options.clone()
    };
    for (name, network, options) in [("pretrained", start, options), ("random start", plain, slow)] {
        let network = timed(name, || tuned(network, &train, &options, key))?;
        let wrong = 100.0 * network.error_rate(&judge.rows, &judge.labels)?;
        println!("{name}: {wrong:.2} % of {} images wrong", judge.labels.len());
    }
    Ok(())
}

fn options(dropout: bool, short: bool) -> Tuning {
    let (epochs, hidden) = if dropout { (120, 0.25) } else { (40, 0.0) };
    Tuning {
        epochs: if short { 10 } else { epochs },
        learning_rate: Schedule::Linear { from: 0.25, to: 0.0 },
        method: Method::nesterov(0.9),
        average: Some(Average { start: 0.6, ..Average::default() }),
        // Bits that are drawn anew are dropout of the inputs already.
        dropout: Omit { inputs: 0.0, hidden },
        ..Tuning::default()
    }
}

fn tuned(mut network: Network, train: &Images, options: &Tuning, key: Key) -> Result<Network, Error> {
    let rows = Drawn::new(train.table.clone(), key)?;
    let mut show = |progress: &Progress<'_>| {
        if progress.ends_epoch && progress.tuner.epoch().is_multiple_of(10) {
            println!(
                "epoch {}: cross-entropy of the last batch {:.5}",
                progress.tuner.epoch(),
                progress.loss
            );
        }
        ControlFlow::Continue(())
    };
    tune(&mut network, &rows, &Targets::Classes(&train.labels), options, key, &mut show)?;
    Ok(network)
}
