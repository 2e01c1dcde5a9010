//! Tells strangers by their free energy: digits of other kinds, shuttle states that are not normal, malignant cells.
//!
//! `cargo run --release -p harmonium-examples --example anomaly -- digits|shuttle|cancer [SEEDS] [--short] [--valid]`; `--valid`
//! learns and judges by training images alone, and of tables by the rows of folds 0 to 2, as settings were chosen; the strange ones of
//! these are among those that are judged in the end.
#![allow(clippy::print_stdout)] // An example speaks.

use harmonium::evaluate::{Independent, Mahalanobis};
use harmonium::linear::Pca;
use harmonium::prelude::*;
use harmonium_examples::images::{greys, images};
use harmonium_examples::strangers::{Set, Shape, cancer, judged, machine, shuttle};
use harmonium_examples::{Arguments, measure};
use ndarray::{Array1, Axis};

fn main() -> Result<(), Error> {
    let arguments = Arguments::read();
    let seeds = arguments.words.iter().find_map(|word| word.parse().ok()).unwrap_or(1);
    let (valid, short) = (arguments.has("--valid"), arguments.short);
    let shape =
        |hidden, epochs, batch, l2| Shape { hidden, epochs: if short { 2 } else { epochs }, batch, l2 };
    if arguments.has("shuttle") {
        return table(&shuttle(valid)?, shape(100, 20, 100, 0.0), seeds);
    }
    if arguments.has("cancer") {
        return table(&cancer(valid)?, shape(10, 200, 50, 0.05), seeds);
    }
    digits(valid, short, seeds)
}

/// Judges one digit after the other by what has learnt it alone; PCA keeps 30 directions of its grey images.
fn digits(valid: bool, short: bool, seeds: u64) -> Result<(), Error> {
    let ((train, test), [grey, asked]) = (images(valid)?, greys(valid)?);
    let most = if short { 500 } else { 60_000 };
    let (known, truth) = (&train.labels, &test.labels);
    let of = |digit: u8| {
        let own = (0..known.len()).filter(move |&r| known[r] == digit);
        own.take(most).collect::<Vec<_>>()
    };
    let stranger = |digit: u8| move |r: usize| truth[r] != digit;
    let mut plain = Vec::new();
    for digit in 0..10 {
        let pca = Pca::fit(&Batch::reals(grey.select(Axis(0), &of(digit)))?, 30)?;
        let left = judged(&pca.errors(asked.view())?.to_vec(), stranger(digit))?;
        let own = Independent::fit(&Units::Bernoulli(784), &train.rows.gather(of(digit)))?;
        plain.push([left, judged(&own.scores(&test.rows)?, stranger(digit))?]);
    }
    let mean = |which: usize| plain.iter().map(|found| found[which]).sum::<f64>() / 10.0;
    println!("mean AUROC of PCA reconstruction {:.4}, of independent pixels {:.4}", mean(0), mean(1));
    measure("mean AUROC of ten digits", seeds, |key| {
        let mut sum = 0.0;
        for digit in 0..10_u8 {
            let shape = Shape { hidden: 300, epochs: if short { 2 } else { 40 }, batch: 100, l2: 0.001 };
            let rbm = machine(Units::Bernoulli(784), &train.rows.gather(of(digit)), shape, key)?;
            let found = judged(&rbm.free_energy(&test.rows)?.to_vec(), stranger(digit))?;
            let [pca, pixels] = plain[usize::from(digit)];
            println!("digit {digit}: free energy {found:.4}, PCA {pca:.4}, independent pixels {pixels:.4}");
            sum += found / 10.0;
        }
        Ok(sum)
    })
}

/// Judges a table of real columns, of which normal rows are learnt; besides by the mean free energy of all seeds' machines.
fn table(set: &Set, shape: Shape, seeds: u64) -> Result<(), Error> {
    let (train, test) = (Batch::reals(set.train.clone())?, Batch::reals(set.test.clone())?);
    let plain = Independent::fit(&Units::Diagonal(train.units()), &train)?.scores(&test)?;
    let distance = Mahalanobis::fit(set.train.view())?.scores(set.test.view())?;
    let [plain, distance] = [judged(&plain, |r| set.strange[r])?, judged(&distance, |r| set.strange[r])?];
    println!("{} rows: independent columns {plain:.4}, Mahalanobis {distance:.4}", test.rows());
    let mut sum = Array1::zeros(test.rows());
    measure("AUROC", seeds, |key| {
        let scores = machine(Units::Diagonal(train.units()), &train, shape, key)?.free_energy(&test)?;
        sum += &scores;
        judged(&scores.to_vec(), |r| set.strange[r])
    })?;
    println!("all seeds together: AUROC {:.4}", judged(&sum.to_vec(), |r| set.strange[r])?);
    Ok(())
}
