//! Tells how strange rows are: free energies, p-values, and each column's part.

use std::borrow::Cow;

use harmonium::data::Part;
use harmonium::evaluate::{Calibration, attribution};
use harmonium::persist::write_bytes_atomically;
use harmonium::rbm::Rbm;
use harmonium::{Batch, EnergyModel, Error, Marginal};
use ndarray::Array2;
use serde::Serialize;

use crate::args::Anomaly;
use crate::csv::Writer;
use crate::folder::{self, VFS};
use crate::{console, interrupt, source};

/// Normal rows that a column's part is averaged over.
const REFERENCE: usize = 200;
/// Training images of mnist that are taken for normal ones: those that `--validation 10000` keeps apart.
const LAST: usize = 10_000;

/// Sums up what was found.
#[derive(Serialize)]
struct Summary {
    rows: usize,
    mean_free_energy: f64,
    /// Rows with p ≤ 0.05, of which there are 5 % among normal rows on average.
    #[serde(skip_serializing_if = "Option::is_none")]
    strange: Option<usize>,
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
    let (rbm, header) = folder::open_model(&args.model)?;
    let (seed, schema) = (folder::seed(args.seed, &header), folder::schema(&rbm, &header));
    let load = |data: &str, part| source::load_part(data, &args.reading, schema.as_ref(), seed, part);
    let rows = load(&args.data, Part::Test)?;
    rbm.check_data(&rows)?;
    let normal = args.normal.as_deref().map(|data| load(data, Part::Train)).transpose()?;
    let images = args.normal.as_deref() == Some("mnist");
    let normal = normal.map(|rows| if images { last(&rows) } else { rows });
    let scores = rbm.free_energy(&rows)?.to_vec();
    let ranks = normal.as_ref().map(|rows| calibration(&rbm, rows)).transpose()?;
    let p_values = ranks.map(|ranks| ranks.p_values(&scores));
    let parts = normal.map(|normal| explained(args, &rbm, &rows, &normal, &scores)).transpose()?;
    let text = table(&scores, p_values.as_deref(), parts.as_ref());
    write_bytes_atomically(&VFS, &args.out, text.as_bytes())?;
    console::note(args.output, format!("{} scores: {}", scores.len(), args.out.display()));
    told(args, &scores, p_values.as_deref())
}

fn last(rows: &Batch) -> Batch {
    rows.gather(rows.rows().saturating_sub(LAST)..rows.rows())
}

fn calibration(rbm: &Rbm, rows: &Batch) -> Result<Calibration, Error> {
    rbm.check_data(rows)?;
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

fn told(args: &Anomaly, scores: &[f64], p_values: Option<&[f64]>) -> Result<(), Error> {
    let rows = scores.len();
    let summary = Summary {
        rows,
        mean_free_energy: scores.iter().sum::<f64>() / rows as f64,
        strange: p_values.map(|p| p.iter().filter(|&&p| p <= 0.05).count()),
    };
    if args.output.json {
        return console::json(&summary);
    }
    let strange = summary.strange.map_or(String::new(), |n| format!(", {n} of {rows} with p ≤ 0.05"));
    console::line(format!("mean free energy {:.3} nats{strange}", summary.mean_free_energy))
}
