//! Fits pairwise machines to their exact maximum by Newton's method: nine judges' votes, and the 16 questions of nltcs.
//!
//! `cargo run --release -p harmonium-examples --example exact_maximum [FOLDER]`: the folder holds `scotus-9497/sc9497.csv` and
//! `debd/nltcs`; else it is `$HARMONIUM_EXTRA`. With `-- --short` the judges alone.
#![allow(clippy::print_stdout)] // An example speaks.

use std::path::{Path, PathBuf};

use harmonium::bm::{Graph, Machine, Newton};
use harmonium::data::{Binarize, Cells, Part, ReadOptions, Source};
use harmonium::prelude::*;
use harmonium_examples::Arguments;
use ndarray::Array2;

fn main() -> Result<(), Error> {
    let arguments = Arguments::read();
    let given = arguments.words.iter().find(|word| !word.starts_with("--")).map(PathBuf::from);
    let Some(folder) = given.or_else(|| std::env::var_os("HARMONIUM_EXTRA").map(PathBuf::from)) else {
        println!("sc9497.csv and nltcs are optional sets: name their folder, or set HARMONIUM_EXTRA");
        return Ok(());
    };
    let votes = votes(&folder.join("scotus-9497/sc9497.csv"))?;
    let judges = report("scotus", &votes)?;
    println!("  best pattern of votes {:.4}", judges.probabilities()?.into_iter().fold(0.0, f64::max));
    if !arguments.short {
        let machine = report("nltcs", &questions(&folder, "train")?)?;
        println!("  test {:.6}", machine.log_likelihood(&questions(&folder, "test")?)?);
    }
    Ok(())
}

/// Fits all pairs, and prints the maximum, in f64 and of the machine on its grid.
fn report(name: &str, data: &Batch) -> Result<Machine, Error> {
    let units = data.units();
    let mut machine = Machine::new(Graph::complete(units)?, Units::Bernoulli(units))?;
    let found = machine.maximise(data, Newton::default())?;
    println!("{name}: {} rows of {units}, {} steps", data.rows(), found.steps);
    println!("  log-likelihood {:.6}, moments off by {:.1e}", found.log_likelihood, found.mismatch);
    let (likelihood, off) = (machine.log_likelihood(data)?, machine.moment_mismatch(data)?);
    println!("  on the grid    {likelihood:.6}, moments off by {off:.1e}");
    Ok(machine)
}

/// Reads the cases in which no vote is missing; the first column numbers them.
fn votes(file: &Path) -> Result<Batch, Error> {
    let cells = Cells::open(file)?;
    let votes = 1..cells.columns();
    let whole = |&row: &usize| votes.clone().all(|column| !cells.text(row, column).is_empty());
    let rows: Vec<usize> = (0..cells.rows()).filter(whole).collect();
    let vote = |(r, c): (usize, usize)| f32::from(u8::from(cells.text(rows[r], c + 1) == "1"));
    Batch::new(Array2::from_shape_fn((rows.len(), votes.len()), vote).view())
}

fn questions(folder: &Path, part: &str) -> Result<Batch, Error> {
    let rows = Source::File(folder.join(format!("debd/nltcs/nltcs.{part}.data.gz")));
    let rows = rows.load(Part::Train, &ReadOptions::default(), Binarize::None, Key::from_seed(1))?;
    rows.ok_or_else(|| Error::shape("nltcs", "rows", "none"))
}
