//! Learns a table of mixed columns with gaps, and fills them in.
//!
//! `cargo run --release -p harmonium-examples --example table`
#![allow(clippy::print_stdout)] // An example speaks.

use harmonium::prelude::*;
use harmonium::rbm::Imputing;
use ndarray::{Array2, array};

const GAP: f32 = f32::NAN;

fn main() -> Result<(), Error> {
    let key = Key::from_seed(1);
    // Smoker (0 or 1), one of three regions (a column each), weight in kg, height in cm.
    let units = Units::Mixed(vec![
        Units::Bernoulli(1),
        Units::Categorical { units: 1, classes: 3 },
        Units::Diagonal(2),
    ]);
    let table = Array2::from_shape_fn((600, 6), |(row, column)| value(row, column));
    let data = Batch::with_missing(table.view(), &units)?;

    let mut rbm = Rbm::fitted(units.clone(), &data, Units::Bernoulli(4), key)?;
    let options = Fit { epochs: 60, batch: 30, method: Method::adam(), ..Fit::default() };
    let options = Fit { learning_rate: Schedule::Linear { from: 0.02, to: 0.0 }, ..options };
    fit(&mut rbm, &data, &mut Pcd::new(1, 100), &options, key, &mut Silent)?;

    let asked = array![
        [0.0, 1.0, 0.0, 0.0, GAP, 160.0],
        [1.0, 0.0, 0.0, 1.0, GAP, 190.0],
        [GAP, GAP, GAP, GAP, 95.0, 190.0],
    ];
    let filled = rbm.impute(&Batch::with_missing(asked.view(), &units)?, Imputing::default(), key)?;
    for (mean, spread) in filled.mean.rows().into_iter().zip(filled.spread.rows()) {
        println!(
            "smoker {:.2}, regions {:.2} {:.2} {:.2}, weight {:.0} ± {:.0} kg, height {:.0} ± {:.0} cm",
            mean[0], mean[1], mean[2], mean[3], mean[4], spread[4], mean[5], spread[5],
        );
    }
    Ok(())
}

/// Makes a table in which two kinds of people differ in everything; every seventh value is missing.
fn value(row: usize, column: usize) -> f32 {
    let noise = |n: usize| ((row * 7919 + n * 104_729) % 1000) as f32 / 1000.0 - 0.5;
    let tall = row % 2 == 1;
    // A class is missing as a whole.
    let place = if (1..4).contains(&column) { 1 } else { column };
    if (row * 5 + place * 3).is_multiple_of(7) {
        return GAP;
    }
    let region = if tall { 2 - usize::from(noise(9) > 0.3) } else { usize::from(noise(9) > 0.3) };
    match column {
        0 => f32::from(u8::from(tall == (noise(0) < 0.4))),
        1..4 => f32::from(u8::from(region == column - 1)),
        4 => (if tall { 92.0 } else { 61.0 }) + 16.0 * noise(4),
        _ => (if tall { 188.0 } else { 163.0 }) + 14.0 * noise(5),
    }
}
