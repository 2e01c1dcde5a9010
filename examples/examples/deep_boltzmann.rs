//! Learns binarised MNIST with a deep Boltzmann machine, 784-500-1000, and prints the variational bound of the test log-likelihood
//! with the interval that annealing gives it; then draws 1,000 images and tells which classes they show and whether they repeat
//! training rows.
//!
//! `cargo run --release -p harmonium-examples --example deep_boltzmann [-- [EPOCHS] [--random] [--short]]`: the rows of Salakhutdinov &
//! Murray (2008) where `HARMONIUM_EXTRA` names the folder that has `sm08`, else MNIST with sampled pixels. With `--random` it
//! starts from random weights instead of pretrained ones.
#![allow(clippy::print_stdout)] // An example speaks.

use std::ops::ControlFlow;
use std::path::PathBuf;

use harmonium::data::{Binarize, Part, ReadOptions, Source};
use harmonium::dbn::deep::{Centred, Dbm, Doubled, Inference, Twice, handed_on};
use harmonium::dbn::stack::key_of_layer;
use harmonium::evaluate::{Ais, Betas};
use harmonium::prelude::*;
use harmonium::train::{Average, Decay, Training};
use harmonium_examples::stacks::{Images, generated, images};
use harmonium_examples::{Arguments, measure, timed};

fn main() -> Result<(), Error> {
    let arguments = Arguments::read();
    let (mut train, mut test) = (rows(Part::Train)?, rows(Part::Test)?);
    // Who judges the images in the end is there before anything is learnt.
    let [known, _] = images(60_000)?;
    let given = arguments.words.iter().find_map(|word| word.parse().ok()).unwrap_or(60_u32);
    let (mut epochs, mut layers, mut ais) =
        (given, [500, 1000], Ais { runs: 100, betas: Betas::Count(20_000) });
    if arguments.short {
        (train, test, epochs, layers) = (train.gather(0..1000), test.gather(0..200), 1, [50, 100]);
        ais.betas = Betas::Count(200);
    }
    let layers = layers.map(Units::Bernoulli);
    measure("bound", 1, |key| {
        let start = if arguments.has("--random") {
            Dbm::for_data(&train, &layers, key)?
        } else {
            pretrained(&train, &layers, (epochs / 10).max(1), key)?
        };
        // Few steps of mean field suffice while weights move; the bound asks for rows at rest.
        let rest = Inference { iterations: 100, tolerance: 1e-5 };
        let dbm = timed("joint training", || trained(start, &train, epochs, key))?.with_inference(rest)?;
        generate(&dbm, &known, [&train, &test], key)?;
        let options = Annealing { ais, starts: Some(&train), sweeps: 500, ..Annealing::default() };
        let found = dbm.annealed_bound(&test, &options, key, &mut |_, _, _| ())?;
        println!("{found}");
        Ok(found.log_likelihood)
    })
}

/// Trains two machines, one on the other, whose weights count twice towards the layer between.
fn pretrained(train: &Batch, layers: &[Units; 2], epochs: u32, key: Key) -> Result<Dbm, Error> {
    let options = Fit { epochs, learning_rate: Schedule::Constant(0.05), ..Fit::default() };
    let [low, high] = [0, 1].map(|layer| key_of_layer(key, layer));
    let mut bottom = Rbm::for_data(train, layers[0].clone(), low)?;
    fit(&mut bottom, train, &mut Doubled::new(Twice::Up, 1), &options, low, &mut Silent)?;
    let above = handed_on(&bottom, train, Twice::Up, low)?;
    let mut top = Rbm::for_data(&above, layers[1].clone(), high)?;
    fit(&mut top, &above, &mut Doubled::new(Twice::Down, 1), &options, high, &mut Silent)?;
    Dbm::from_rbms(&[&bottom, &top])
}

/// Trains all layers together: mean field given the rows, persistent chains, centred gradients.
fn trained(mut dbm: Dbm, train: &Batch, epochs: u32, key: Key) -> Result<Dbm, Error> {
    let options = Fit {
        epochs,
        learning_rate: Schedule::Linear { from: 0.1, to: 0.0 },
        decay: Decay { l2: 0.0002, ..Decay::default() },
        average: Some(Average::default()),
        ..Fit::default()
    };
    let mut training = Training::new(&dbm, train, &options)?;
    let mut said = |step: &Step<'_, Dbm>| {
        if step.ends_epoch && step.training.epoch().is_multiple_of(10) {
            println!("epoch {}", step.training.epoch());
        }
        ControlFlow::Continue(())
    };
    training.run(&mut dbm, train, &mut Centred::new(Pcd::new(5, 100)), key, &mut said)?;
    Ok(training.averaged(&dbm).unwrap_or(dbm))
}

/// Draws images by fresh chains, and judges them.
fn generate(dbm: &Dbm, known: &Images, sets: [&Batch; 2], key: Key) -> Result<(), Error> {
    let samples = dbm.sample(1000, 2000, key, &mut |_| ());
    generated(&Batch::from_states(samples.visible().clone())?, known, sets, key)
}

fn rows(part: Part) -> Result<Batch, Error> {
    let name = if part == Part::Train { "sm08/train_bits.npy.gz" } else { "sm08/test_bits.npy.gz" };
    let file = std::env::var_os("HARMONIUM_EXTRA").map(|extra| PathBuf::from(extra).join(name));
    let packed = ReadOptions { packed: Some(784), ..ReadOptions::default() };
    let rows = match file.filter(|file| file.is_file()) {
        Some(file) => Source::File(file).load(Part::Train, &packed, Binarize::None, Key::from_seed(1))?,
        None => Source::Mnist.load(part, &ReadOptions::default(), Binarize::Sample, Key::from_seed(1))?,
    };
    rows.ok_or_else(|| Error::shape("mnist", "rows", "none"))
}
