//! Learns a protein family, PF00014, with categorical units, and compares the covariances of its residues with those of the
//! alignment (Pearson's correlation over all pairs of sites and letters).
//!
//! `cargo run --release -p harmonium-examples --example family [-- [SEEDS] [--short]]`: reads `pfam/PF00014_mgap6.fasta.gz` in the
//! folder that `HARMONIUM_EXTRA` names. A sequence weighs 1 / (number of sequences that agree with it at 80 % of the sites).
#![allow(clippy::print_stdout)] // An example speaks.

use std::path::PathBuf;

use harmonium::data::{Weighted, fasta, identity_weights};
use harmonium::prelude::*;
use harmonium::train::{Average, Training};
use harmonium_examples::{Arguments, covariances, measure, pearson};
use ndarray::{Array2, Axis, Slice};

const LETTERS: &str = "-ACDEFGHIKLMNPQRSTVWY";
const Q: usize = LETTERS.len();

fn main() -> Result<(), Error> {
    let arguments = Arguments::read();
    let seeds = arguments.words.iter().find_map(|word| word.parse().ok()).unwrap_or(1);
    let file = std::env::var_os("HARMONIUM_EXTRA")
        .map(|extra| PathBuf::from(extra).join("pfam/PF00014_mgap6.fasta.gz"))
        .filter(|file| file.is_file());
    let Some(file) = file else {
        println!("PF00014 is an optional set: HARMONIUM_EXTRA names the folder that has it");
        return Ok(());
    };
    let (each, epochs, chains) = if arguments.short { (20, 20, 500) } else { (1, 400, 10_000) };
    let sequences = fasta(&file, LETTERS)?;
    let sequences = sequences.slice_axis(Axis(0), Slice::from(..).step_by(each));
    let weights = identity_weights(sequences, 0.8)?;
    println!("{} sequences, {:.1} effective", weights.len(), weights.iter().sum::<f32>());
    let family = Batch::classes(sequences, Q)?;
    let seen = covariances(&family.to_array(), &weights, Q);
    let family = Weighted::new(family, weights)?;
    measure("Pearson correlation", seeds, |key| {
        let rbm = machine(&family, epochs, key)?;
        let samples = letters(&rbm.sample(chains, 500, key, &mut |_| ()).to_array())?;
        // Given the hidden units the sites are independent, so that their means say more than a draw of them.
        Ok(pearson(&seen, &covariances(&rbm.reconstruct(&samples, key)?, &vec![1.0; chains], Q)))
    })
}

fn machine(family: &Weighted<Batch>, epochs: u32, key: Key) -> Result<Rbm, Error> {
    let mut rbm = Rbm::for_data(family, Units::Bernoulli(400), key)?;
    let options = Fit {
        epochs,
        learning_rate: Schedule::Linear { from: 0.1, to: 0.0 },
        centre: Some(Centre::default()),
        average: Some(Average::default()),
        ..Fit::default()
    };
    let mut training = Training::new(&rbm, family, &options)?;
    training.run(&mut rbm, family, &mut Pcd::new(2, 400), key, &mut Silent)?;
    Ok(training.averaged(&rbm).unwrap_or(rbm))
}

/// Reads one-hot rows as letters.
fn letters(rows: &Array2<f32>) -> Result<Batch, Error> {
    let letter =
        |(row, site)| (0..Q as u16).find(|c| rows[(row, site * Q + usize::from(*c))] == 1.0).unwrap_or(0);
    let letters = Array2::from_shape_fn((rows.nrows(), rows.ncols() / Q), letter);
    Batch::classes(letters.view(), Q)
}
