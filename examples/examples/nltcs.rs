//! Learns the 16 questions of the National Long Term Care Survey, and prints the exact test log-likelihood.
//!
//! `cargo run --release -p harmonium-examples --example nltcs [FOLDER]`: the folder holds `nltcs.train.data.gz` and its like
//! of valid and test, as the Density Estimation Benchmark has them; else it is `$HARMONIUM_EXTRA/debd/nltcs`. With
//! `-- --short` one start of three epochs; with `-- --valid` the figure is that of the validation rows.
#![allow(clippy::print_stdout)] // An example speaks.

use std::path::{Path, PathBuf};

use harmonium::data::{Binarize, Part, ReadOptions, Source};
use harmonium::prelude::*;
use harmonium::train::{Average, Training};
use harmonium_examples::{Arguments, measure};

fn main() -> Result<(), Error> {
    let arguments = Arguments::read();
    let Some(folder) = folder(&arguments) else {
        println!("nltcs.train.data.gz is an optional set: name its folder, or set HARMONIUM_EXTRA");
        return Ok(());
    };
    let (train, judged) = (rows(&folder, "train")?, if arguments.has("--valid") { "valid" } else { "test" });
    let test = rows(&folder, judged)?;
    let (seeds, epochs) = if arguments.short { (1, 3) } else { (5, 200) };
    measure(&format!("{judged} log-likelihood"), seeds, |key| {
        Ok(machine(&train, epochs, key)?.exact_likelihood(&test)?.log_likelihood)
    })
}

fn machine(train: &Batch, epochs: u32, key: Key) -> Result<Rbm, Error> {
    let mut rbm = Rbm::for_data(train, Units::Bernoulli(64), key)?;
    let options = Fit {
        epochs,
        learning_rate: Schedule::Linear { from: 0.5, to: 0.0 },
        centre: Some(Centre::default()),
        average: Some(Average::default()),
        ..Fit::default()
    };
    let mut training = Training::new(&rbm, train, &options)?;
    training.run(&mut rbm, train, &mut Pcd::new(1, 100), key, &mut Silent)?;
    Ok(training.averaged(&rbm).unwrap_or(rbm))
}

/// Names the folder: the first word that is no option, or that of the optional sets if the rows are in it.
fn folder(arguments: &Arguments) -> Option<PathBuf> {
    let given = arguments.words.iter().find(|word| !word.starts_with("--")).map(PathBuf::from);
    let extra = || Some(Path::new(&std::env::var_os("HARMONIUM_EXTRA")?).join("debd/nltcs"));
    given.or_else(|| extra().filter(|folder| file(folder, "train").is_file()))
}

fn file(folder: &Path, part: &str) -> PathBuf {
    folder.join(format!("nltcs.{part}.data.gz"))
}

fn rows(folder: &Path, part: &str) -> Result<Batch, Error> {
    let rows = Source::File(file(folder, part));
    let rows = rows.load(Part::Train, &ReadOptions::default(), Binarize::None, Key::from_seed(1))?;
    rows.ok_or_else(|| Error::shape("nltcs", "rows", "none"))
}
