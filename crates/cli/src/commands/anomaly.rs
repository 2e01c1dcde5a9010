//! Tells how strange rows are: free energies, p-values, and each column's part.

use std::borrow::Cow;

use harmonium::data::Part;
use harmonium::evaluate::{Calibration, attribution};
use harmonium::persist::write_bytes_atomically;
use harmonium::rbm::{Header, Rbm};
use harmonium::{Batch, EnergyModel, Error, Marginal};
use ndarray::Array2;
use serde::Serialize;

use super::clamped::two_layers;
use crate::args::Anomaly;
use crate::csv::Writer;
use crate::folder::{self, VFS};
use crate::recipe::Recipe;
use crate::{console, interrupt, source};

/// Normal rows that a column's part is averaged over.
const REFERENCE: usize = 200;

/// Sums up what was found.
#[derive(Serialize)]
struct Summary {
    rows: usize,
    /// Rows whose free energy is no number, which have no p-value either.
    #[serde(skip_serializing_if = "is_none")]
    unscored: usize,
    /// Of the other rows.
    mean_free_energy: f64,
    /// Normal rows that scores were ranked among.
    #[serde(skip_serializing_if = "Option::is_none")]
    normal: Option<usize>,
    /// Rows with p ≤ 0.05, of which there are 5 % among normal rows on average.
    #[serde(skip_serializing_if = "Option::is_none")]
    strange: Option<usize>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde asks for it.
fn is_none(count: &usize) -> bool {
    *count == 0
}

/// Carries out `anomaly`.
///
/// # Errors
/// Says what stopped it.
pub(crate) fn run(args: &Anomaly) -> Result<(), Error> {
    console::threads(args.output)?;
    interrupt::listen();
    if args.out.extension().is_none_or(|e| e != "csv") {
        return Err(Error::option("out", "a name that ends in .csv", args.out.display()));
    }
    folder::check_place(&args.out)?;
    let why = "free energies of other kinds are not exact";
    let (rbm, header) = two_layers(&args.model, why)?;
    let (seed, schema) = (folder::seed(args.seed, &header), folder::schema(&rbm, &header));
    let load = |data: &str, part| source::load_part(data, &args.reading, schema.as_ref(), seed, part);
    let rows = load(&args.data, Part::Test)?;
    rbm.check_data(&rows)?;
    let kept = |data: &str| {
        let rows = load(data, Part::Train)?;
        rbm.check_data(&rows)?;
        normal(args, data, &header, &rows)
    };
    let normal = args.normal.as_deref().map(kept).transpose()?;
    let scores = rbm.free_energy(&rows)?.to_vec();
    let ranks = normal.as_ref().map(|rows| calibration(&rbm, rows)).transpose()?;
    let p_values = ranks.map(|ranks| ranks.p_values(&scores));
    let parts = normal.as_ref().map(|normal| explained(args, &rbm, &rows, normal, &scores)).transpose()?;
    let text = table(&scores, p_values.as_deref(), parts.as_ref());
    write_bytes_atomically(&VFS, &args.out, text.as_bytes())?;
    console::note(args.output, format!("{} scores: {}", scores.len(), args.out.display()));
    told(args, &scores, p_values.as_deref(), normal.map(|rows| rows.rows()))
}

/// Takes normal rows that the model was not trained on: of the data of its own run those kept for validation.
fn normal(args: &Anomaly, data: &str, header: &Header, rows: &Batch) -> Result<Batch, Error> {
    let recipe = Recipe::from_json(&header.recipe).ok();
    let own = recipe.filter(|recipe| recipe.is_of(data));
    let kept = own.map_or(rows.rows(), |recipe| recipe.validation.min(rows.rows()));
    if kept == 0 {
        let expected = "rows that the model was not trained on: train --validation N keeps N of them apart";
        return Err(Error::option("--normal", expected, format!("{data}, all of which it was trained on")));
    }
    let all = rows.rows();
    let which = match (kept == all, data) {
        (true, _) => format!("all {all} rows of {data}"),
        (false, "mnist") => format!("the last {kept} training images of mnist, which the run kept apart"),
        (false, _) => format!("the last {kept} rows of {data}, which the run kept apart"),
    };
    console::note(args.output, format!("normal rows: {which}"));
    Ok(rows.gather(all - kept..all))
}

fn calibration(rbm: &Rbm, rows: &Batch) -> Result<Calibration, Error> {
    Calibration::new(&rbm.free_energy(rows)?.to_vec())
}

/// Holds rows, and each column's part of their scores.
type Parts = (Vec<usize>, Array2<f64>);

/// Explains the strangest rows.
fn explained(
    args: &Anomaly,
    rbm: &Rbm,
    rows: &Batch,
    normal: &Batch,
    scores: &[f64],
) -> Result<Parts, Error> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    order.truncate(args.explain);
    if order.is_empty() {
        return Ok((order, Array2::zeros((0, 0))));
    }
    let few = if normal.rows() > REFERENCE {
        Cow::Owned(normal.gather(0..REFERENCE))
    } else {
        Cow::Borrowed(normal)
    };
    let bar = console::bar(args.output, order.len() as u64, "explaining");
    let mut parts = Vec::new();
    for &row in &order {
        let found = attribution(rbm, &rows.gather([row]), &few)?;
        parts.extend(found);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let width = parts.len() / order.len();
    let parts = Array2::from_shape_vec((order.len(), width), parts);
    Ok((order, parts.map_err(|e| Error::shape("parts", "one for each column", e))?))
}

fn table(scores: &[f64], p_values: Option<&[f64]>, parts: Option<&Parts>) -> String {
    let width = parts.map_or(0, |(_, parts)| parts.ncols());
    let mut out = Writer::default();
    ["row", "free_energy"].iter().for_each(|name| out.cell(name));
    p_values.iter().for_each(|_| out.cell("p_value"));
    (1..=width).for_each(|column| out.cell(&format!("column_{column}")));
    out.end();
    for (row, score) in scores.iter().enumerate() {
        out.cell(&row.to_string());
        out.cell(&score.to_string());
        p_values.iter().for_each(|p| out.cell(&p[row].to_string()));
        let at = parts.and_then(|(rows, _)| rows.iter().position(|&other| other == row));
        (0..width).for_each(|column| {
            let part = at.zip(parts).map(|(at, (_, parts))| parts[(at, column)].to_string());
            out.cell(&part.unwrap_or_default());
        });
        out.end();
    }
    out.text()
}

fn told(
    args: &Anomaly,
    scores: &[f64],
    p_values: Option<&[f64]>,
    normal: Option<usize>,
) -> Result<(), Error> {
    let (rows, known) = (scores.len(), || scores.iter().filter(|score| !score.is_nan()));
    let unscored = rows - known().count();
    let summary = Summary {
        rows,
        unscored,
        mean_free_energy: known().sum::<f64>() / known().count() as f64,
        normal,
        strange: p_values.map(|p| p.iter().filter(|&&p| p <= 0.05).count()),
    };
    if args.output.json {
        return console::json(&summary);
    }
    if unscored > 0 {
        console::note(args.output, format!("{unscored} rows have a free energy that is no number"));
    }
    let strange = summary.strange.map_or(String::new(), |n| format!(", {n} of {rows} with p ≤ 0.05"));
    console::line(format!("mean free energy {:.3} nats{strange}", summary.mean_free_energy))
}
