//! Tells strangers by their free energy: digits of other kinds, shuttle states that are not normal, malignant cells.
//!
//! `cargo run --release -p harmonium-examples --example anomaly -- digits|shuttle|cancer [SEEDS] [--short] [--valid]`; `--valid`
//! learns and judges by training rows alone, as settings were chosen.
#![allow(clippy::print_stdout)] // An example speaks.

use harmonium::evaluate::{Independent, Mahalanobis};
use harmonium::prelude::*;
use harmonium::train::{Average, Decay, Training};
use harmonium_examples::images::images;
use harmonium_examples::strangers::{Set, cancer, judged, shuttle};
use harmonium_examples::{Arguments, measure};

/// Says how a machine is made.
#[derive(Clone, Copy)]
struct Shape {
    hidden: usize,
    epochs: u32,
    batch: usize,
    l2: f32,
}

fn main() -> Result<(), Error> {
    let arguments = Arguments::read();
    let seeds = arguments.words.iter().find_map(|word| word.parse().ok()).unwrap_or(1);
    let (valid, short) = (arguments.has("--valid"), arguments.short);
    if arguments.has("shuttle") || arguments.has("cancer") {
        let shape =
            |hidden, epochs, batch, l2| Shape { hidden, epochs: if short { 2 } else { epochs }, batch, l2 };
        if arguments.has("shuttle") {
            return table(&shuttle(valid)?, shape(100, 20, 100, 0.0), seeds);
        }
        return table(&cancer(valid)?, shape(10, 200, 50, 0.05), seeds);
    }
    let (train, test) = images(valid)?;
    measure("mean AUROC of ten digits", seeds, |key| {
        let mut sum = 0.0;
        for digit in 0..10 {
            let of = |labels: &[u8]| (0..labels.len()).filter(|&r| labels[r] == digit).collect::<Vec<_>>();
            let own = train.rows.gather(of(&train.labels).into_iter().take(if short { 500 } else { 60_000 }));
            let shape = Shape { hidden: 300, epochs: if short { 2 } else { 40 }, batch: 100, l2: 0.001 };
            let rbm = machine(Units::Bernoulli(784), &own, shape, key)?;
            let found = judged(&rbm.free_energy(&test.rows)?.to_vec(), |r| test.labels[r] != digit)?;
            let plain = Independent::fit(&Units::Bernoulli(784), &own)?.scores(&test.rows)?;
            let plain = judged(&plain, |r| test.labels[r] != digit)?;
            println!("digit {digit}: free energy {found:.4}, independent pixels {plain:.4}");
            sum += found / 10.0;
        }
        Ok(sum)
    })
}

/// Judges a table of real columns, of which normal rows are learnt.
fn table(set: &Set, shape: Shape, seeds: u64) -> Result<(), Error> {
    let (train, test) = (Batch::reals(set.train.clone())?, Batch::reals(set.test.clone())?);
    let plain = Independent::fit(&Units::Diagonal(train.units()), &train)?.scores(&test)?;
    let distance = Mahalanobis::fit(set.train.view())?.scores(set.test.view())?;
    let [plain, distance] = [judged(&plain, |r| set.strange[r])?, judged(&distance, |r| set.strange[r])?];
    println!("{} rows: independent columns {plain:.4}, Mahalanobis {distance:.4}", test.rows());
    measure("AUROC", seeds, |key| {
        let rbm = machine(Units::Diagonal(train.units()), &train, shape, key)?;
        judged(&rbm.free_energy(&test)?.to_vec(), |r| set.strange[r])
    })
}

fn machine(visible: Units, train: &Batch, shape: Shape, key: Key) -> Result<Rbm, Error> {
    let bits = visible.is_binary();
    let mut rbm = Rbm::fitted(visible, train, Units::Bernoulli(shape.hidden), key)?;
    let from = if bits { 0.05 } else { 0.01 };
    let options = Fit {
        epochs: shape.epochs,
        batch: shape.batch,
        decay: Decay { l2: shape.l2, ..Decay::default() },
        learning_rate: Schedule::Linear { from, to: 0.0 },
        centre: bits.then(Centre::default),
        average: Some(Average::default()),
        ..Fit::default()
    };
    let mut training = Training::new(&rbm, train, &options)?;
    training.run(&mut rbm, train, &mut Pcd::new(1, 100), key, &mut Silent)?;
    Ok(training.averaged(&rbm).unwrap_or(rbm))
}
