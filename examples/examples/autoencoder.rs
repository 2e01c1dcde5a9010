//! Reduces MNIST to 30 numbers an image by a deep autoencoder: machines are trained one upon the other, unrolled, and fine-tuned
//! by backpropagation (Hinton & Salakhutdinov 2006); the same network from a random start stands beside it.
//!
//! `cargo run --release -p harmonium-examples --example autoencoder [-- --short]`. The figure is the squared error of a test image,
//! summed over its pixels; 30 principal components reach 13.87.
#![allow(clippy::print_stdout)] // An example speaks.

use std::ops::ControlFlow;

use harmonium::data::{Binarize, Table, binarize, mnist, mnist_folder};
use harmonium::dbn::net::{Activation, Autoencoder, Network, Progress, Targets, Tuning, tune};
use harmonium::dbn::stack::key_of_layer;
use harmonium::prelude::*;
use harmonium_examples::Arguments;
use ndarray::Array2;

fn main() -> Result<(), Error> {
    let short = Arguments::read().short;
    let (set, key) = (mnist(&mnist_folder()?)?, Key::from_seed(1));
    let (rows, sizes) =
        if short { (2_000, &[784, 128, 30][..]) } else { (60_000, &[784, 1000, 500, 250, 30][..]) };
    let (train, test) = (grey(&set.train, rows)?, grey(&set.test, rows.min(10_000))?);
    let machines = pretrained(&train, sizes, if short { 20 } else { 30 }, key)?;
    let unrolled = Autoencoder::unrolled(&machines.iter().collect::<Vec<_>>())?;
    let options = Tuning {
        epochs: if short { 20 } else { 100 },
        learning_rate: Schedule::Linear { from: 1e-3, to: 1e-5 },
        method: Method::adam(),
        ..Tuning::default()
    };
    for (name, mut model) in [("pretrained", unrolled), ("random start", random(sizes, key)?)] {
        println!("{name}: {:.3} before fine-tuning", model.squared_error(&test)?);
        tune(model.network_mut(), &train, &Targets::Inputs, &options, key, &mut show)?;
        println!(
            "{name}: {:.3} on test images, {:.3} on training images",
            model.squared_error(&test)?,
            model.squared_error(&train)?
        );
    }
    Ok(())
}

fn grey(images: &Table, rows: usize) -> Result<Batch, Error> {
    Batch::reals(Array2::from_shape_fn((rows, images.columns()), |(row, column)| images.value(row, column)))
}

/// Trains a machine on the rows, the next one on states of its hidden units, and so on; the topmost has Gaussian hidden units.
fn pretrained(data: &Batch, sizes: &[usize], epochs: u32, key: Key) -> Result<Vec<Rbm>, Error> {
    let (mut means, mut machines) = (data.to_array(), Vec::new());
    for (layer, &hidden) in sizes[1..].iter().enumerate() {
        let key = key_of_layer(key, layer);
        let table =
            Table::from_reals("means", means.nrows(), means.ncols(), means.iter().copied().collect())?;
        let bits = Batch::from_bits(binarize(&table, Binarize::Sample, key.fold_in(purpose::BINARIZE))?)?;
        let top = layer + 2 == sizes.len();
        let (units, rate) =
            if top { (Units::Gaussian(hidden), 0.002) } else { (Units::Bernoulli(hidden), 0.05) };
        let mut rbm = Rbm::for_data(&bits, units, key)?;
        let options = Fit { epochs, learning_rate: Schedule::Constant(rate), ..Fit::default() };
        fit(&mut rbm, &bits, &mut Cd::new(1), &options, key, &mut Silent)?;
        println!("machine {}: {} x {hidden}", layer + 1, means.ncols());
        means = rbm.transform(&bits)?;
        machines.push(rbm);
    }
    Ok(machines)
}

/// Makes the network that the machines unroll to, from a random start.
fn random(sizes: &[usize], key: Key) -> Result<Autoencoder, Error> {
    let all: Vec<usize> = sizes.iter().chain(sizes.iter().rev().skip(1)).copied().collect();
    let code = sizes.len() - 1;
    let activation = |layer| if layer == code { Activation::Linear } else { Activation::Sigmoid };
    Autoencoder::new(Network::new(&all, &(1..all.len()).map(activation).collect::<Vec<_>>(), key)?, code)
}

fn show(progress: &Progress<'_>) -> ControlFlow<()> {
    if progress.ends_epoch && progress.tuner.epoch().is_multiple_of(10) {
        println!("epoch {}: cross-entropy {:.3}", progress.tuner.epoch(), progress.loss);
    }
    ControlFlow::Continue(())
}
