//! Tells the classes of rows, and how often they are wrong where the classes are known.

use std::path::Path;

use harmonium::Error;
use harmonium::linear::confusion;
use harmonium::persist::write_bytes_atomically;
use ndarray::Array2;
use serde::Serialize;

use super::codes::{labelled, open_any};
use super::data;
use super::judge::{likeliest, probabilities};
use crate::args::Predict;
use crate::commands::convert::write_npy;
use crate::csv::Writer;
use crate::folder::VFS;
use crate::{console, interrupt};

/// Is what `predict --json` prints.
#[derive(Serialize)]
struct Told {
    rows: usize,
    classes: usize,
    /// Rows of which the class is known; the share of them that is wrong; true classes against predictions.
    known: usize,
    error_rate: Option<f64>,
    confusion: Option<Vec<Vec<u64>>>,
}

/// Carries out `predict`.
///
/// # Errors
/// Says what stopped it.
pub(crate) fn run(args: &Predict) -> Result<(), Error> {
    console::threads(args.output)?;
    interrupt::listen();
    args.out.as_deref().map_or(Ok(()), check_ending)?;
    let opened = open_any(&args.model)?;
    let (rows, labels) = labelled(&opened, &args.data, &args.reading, args.labels.as_deref())?;
    let found = probabilities(&opened.model, &rows)?;
    let classes = found.ncols();
    labels.as_deref().map(|labels| data::count(labels, Some(classes))).transpose()?;
    let told = tell(&found, labels.as_deref())?;
    if let Some(out) = &args.out {
        write(out, &found)?;
        console::note(args.output, format!("classes of {} rows: {}", told.rows, out.display()));
    }
    if args.output.json { console::json(&told) } else { print(&told) }
}

fn check_ending(path: &Path) -> Result<(), Error> {
    match path.extension().and_then(|e| e.to_str()) {
        Some("csv" | "npy") => Ok(()),
        _ => Err(Error::option("out", "a name that ends in .csv or .npy", path.display())),
    }
}

fn tell(found: &Array2<f32>, labels: Option<&[Option<usize>]>) -> Result<Told, Error> {
    let predicted = likeliest(found);
    let both =
        labels.into_iter().flatten().zip(&predicted).filter_map(|(label, guess)| label.map(|l| (l, *guess)));
    let (labels, guesses): (Vec<usize>, Vec<usize>) = both.unzip();
    let (known, classes) = (labels.len(), found.ncols());
    let none = Told { rows: found.nrows(), classes, known, error_rate: None, confusion: None };
    if known == 0 {
        return Ok(none);
    }
    let counts = confusion(&labels, &guesses, classes)?;
    let error_rate = Some((known as u64 - counts.diag().sum()) as f64 / known as f64);
    Ok(Told { error_rate, confusion: Some(counts.outer_iter().map(|row| row.to_vec()).collect()), ..none })
}

fn write(path: &Path, found: &Array2<f32>) -> Result<(), Error> {
    if path.extension().is_some_and(|e| e == "npy") {
        return write_npy(path, found);
    }
    let mut out = Writer::default();
    out.cell("class");
    (0..found.ncols()).for_each(|class| out.cell(&format!("p{class}")));
    out.end();
    for (row, class) in found.outer_iter().zip(likeliest(found)) {
        out.cell(&class.to_string());
        row.iter().for_each(|p| out.cell(&p.to_string()));
        out.end();
    }
    write_bytes_atomically(&VFS, path, out.text().as_bytes())
}

fn print(told: &Told) -> Result<(), Error> {
    let (Some(rate), Some(counts)) = (told.error_rate, &told.confusion) else {
        return console::line(format!(
            "{} rows, {} classes; their true classes are not known",
            told.rows, told.classes
        ));
    };
    console::line(format!("{:.2} % of {} rows wrong", 100.0 * rate, told.known))?;
    let numbers: Vec<String> = (0..told.classes).map(|class| format!("{class:>7}")).collect();
    console::line(format!("true\\got{}", numbers.concat()))?;
    for (class, line) in counts.iter().enumerate() {
        let cells: Vec<String> = line.iter().map(|count| format!("{count:>7}")).collect();
        console::line(format!("{class:>8}{}", cells.concat()))?;
    }
    Ok(())
}
