//! Reduces MNIST to 30 numbers an image by a deep autoencoder: machines are trained one upon the other, unrolled, and fine-tuned
//! by backpropagation (Hinton & Salakhutdinov 2006); the same network from a random start stands beside it.
//!
//! `cargo run --release -p harmonium-examples --example autoencoder [-- [SEED] [--codes N] [--validate] [--short]]`: codes of N numbers.
//! The figure is the squared error of a test image, summed over its pixels, beside that of as many principal components: 30 reach 13.87. With
//! `--validate` the last 10,000 training images judge: by these the recipe was chosen.
#![allow(clippy::print_stdout)] // An example speaks.

use std::ops::ControlFlow;

use harmonium::dbn::net::{Activation, Autoencoder, Loss, Network, Progress, Targets, Tuning, tune};
use harmonium::linear::{Pca, knn_accuracy, trustworthiness};
use harmonium::prelude::*;
use harmonium::train::Average;
use harmonium_examples::stacks::{Images, images, pretrained, published};
use harmonium_examples::{Arguments, timed};
use ndarray::{ArrayView2, s};

/// Test images whose neighbours tell how far the codes are to be trusted.
const NEAR: usize = 5_000;

fn main() -> Result<(), Error> {
    let arguments = Arguments::read();
    let (short, key) = (arguments.short, Key::from_seed(arguments.number().unwrap_or(1)));
    let codes = arguments.after("--codes").unwrap_or(30);
    let (rows, sizes) = if short { (2_000, vec![128, codes]) } else { (60_000, vec![1000, 500, 250, codes]) };
    let [train, test] = images(rows)?;
    let [train, judge] = if arguments.has("--validate") { train.split(rows / 6)? } else { [train, test] };

    let pca = Pca::fit(&train.rows, codes)?;
    let [own, others] = [&train, &judge].map(|set| pca.transform(set.rows.to_array().view()));
    report(
        &format!("PCA-{codes}"),
        pca.squared_error(&judge.rows)?,
        [own?.view(), others?.view()],
        [&train, &judge],
    )?;
    let machine = |(layer, &units): (usize, &usize)| {
        let top = layer + 1 == sizes.len();
        let mut recipe = published(if top { Units::Gaussian(units) } else { Units::Bernoulli(units) }, 20);
        if !top {
            recipe.fit.learning_rate = Schedule::Linear { from: 0.1, to: 0.01 };
        }
        recipe
    };
    let machines = sizes.iter().enumerate().map(machine).collect();
    let stack = timed("machines", || pretrained(&train, machines, key))?;
    let plain = random(&[&[784][..], &sizes].concat(), key)?;
    for (name, model) in [("pretrained", Autoencoder::unrolled(&stack.rbms())?), ("random start", plain)] {
        println!("{name}: {:.3} before fine-tuning", model.squared_error(&judge.rows)?);
        let model = timed(name, || tuned(model, &train, short, key))?;
        println!("{name}: {:.3} on training images", model.squared_error(&train.rows)?);
        let [own, others] = [model.encode(&train.rows)?, model.encode(&judge.rows)?];
        report(name, model.squared_error(&judge.rows)?, [own.view(), others.view()], [&train, &judge])?;
    }
    Ok(())
}

/// Lowers the cross-entropy first, whose gradients do not vanish at dark pixels, and then what is measured: the squared error.
fn tuned(mut model: Autoencoder, train: &Images, short: bool, key: Key) -> Result<Autoencoder, Error> {
    let stages = [(Loss::CrossEntropy, 1e-3, 50), (Loss::Squared, 3e-4, 50)];
    for (loss, rate, epochs) in stages {
        let options = Tuning {
            epochs: if short { 10 } else { epochs },
            learning_rate: Schedule::Exponential { from: rate, to: 0.02 * rate },
            method: Method::adam(),
            loss,
            average: Some(Average { start: 0.8, ..Average::default() }),
            ..Tuning::default()
        };
        let mut show = |progress: &Progress<'_>| {
            if progress.ends_epoch && progress.tuner.epoch().is_multiple_of(10) {
                println!("epoch {}: loss of the last batch {:.3}", progress.tuner.epoch(), progress.loss);
            }
            ControlFlow::Continue(())
        };
        tune(model.network_mut(), &train.rows, &Targets::Inputs, &options, key, &mut show)?;
    }
    Ok(model)
}

/// Makes the network that the machines unroll to, from a random start.
fn random(sizes: &[usize], key: Key) -> Result<Autoencoder, Error> {
    let all: Vec<usize> = sizes.iter().chain(sizes.iter().rev().skip(1)).copied().collect();
    let code = sizes.len() - 1;
    let activation = |layer| if layer == code { Activation::Linear } else { Activation::Sigmoid };
    Autoencoder::new(Network::new(&all, &(1..all.len()).map(activation).collect::<Vec<_>>(), key)?, code)
}

fn report(name: &str, error: f64, codes: [ArrayView2<'_, f32>; 2], sets: [&Images; 2]) -> Result<(), Error> {
    let [own, others] = codes;
    let [labels, judges] = sets.map(Images::classes);
    let near = s![..NEAR.min(others.nrows()), ..];
    let right = 100.0 * knn_accuracy((own, &labels), (others, &judges), 10)?;
    let trust = trustworthiness(sets[1].rows.to_array().slice(near), others.slice(near), 12)?;
    println!(
        "{name}: squared error {error:.3}, 10-NN accuracy of codes {right:.2} %, trustworthiness {trust:.4}"
    );
    Ok(())
}
