//! Renders what a training run shows to a person: one HTML page that needs no other file and no network.
//!
//! A [`Report`] is plain data; [`render`] turns it into text. The page stays under 2 MB: curves are thinned to
//! `chart::POINTS` places and a picture above `plate::BYTES` is named instead of shown.

mod chart;
mod classes;
mod columns;
mod diagnosis;
mod html;
mod page;
mod plate;
mod units;

#[cfg(test)]
mod example;
#[cfg(test)]
mod tests;

pub(crate) use chart::{Curve, Series};
pub(crate) use classes::{Comparison, Confusion, Map};
pub(crate) use columns::{Columns, Moments};
pub(crate) use diagnosis::{Ailment, Diagnosis};
pub(crate) use page::render;
pub(crate) use plate::Plate;
pub(crate) use units::{Idle, Units};

/// Holds everything a report shows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    /// What was trained on what, say "RBM 784 × 500 on mnist".
    pub(crate) title: String,
    /// What the page reports on.
    pub(crate) kind: Kind,
    /// The results a reader looks for first.
    pub(crate) summary: Vec<Figure>,
    /// Sentences the reader must know: a retried rate, an ignored row, a batch larger than the data.
    pub(crate) notices: Vec<String>,
    /// What the checks found, if any were made.
    pub(crate) diagnosis: Option<Diagnosis>,
    /// Quantities along the training, in the order of the page.
    pub(crate) curves: Vec<Curve>,
    /// Visible values drawn from the model.
    pub(crate) samples: Option<Plate>,
    /// Weights of hidden units.
    pub(crate) filters: Option<Plate>,
    /// Weights of a table, a line a column and a column a hidden unit.
    pub(crate) weights: Option<Plate>,
    /// Columns of a table: data against samples.
    pub(crate) columns: Option<Columns>,
    /// Data above their reconstructions, as `picture::pairs` draws them.
    pub(crate) reconstructions: Option<Plate>,
    /// Weights of the layers of a stack, each below a heading.
    pub(crate) layers: Vec<(String, Plate)>,
    /// Rows as points of a plane, by what the model makes of them.
    pub(crate) map: Option<Map>,
    /// Classes against those that were predicted.
    pub(crate) confusion: Option<Confusion>,
    /// What other methods come to.
    pub(crate) comparison: Option<Comparison>,
    /// How active the hidden units are on the data.
    pub(crate) units: Option<Units>,
    /// Every option of the run with its value.
    pub(crate) recipe: Vec<(String, String)>,
    /// The command that gives this run again.
    pub(crate) command: String,
    /// Version, processor, back end, threads and so on.
    pub(crate) environment: Vec<(String, String)>,
}

/// Says what a report is about, and with it what its parts are called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A training.
    #[default]
    Training,
    /// Lattices at several temperatures.
    Lattice,
    /// A search for a ground state.
    Search,
}

/// Holds one headline figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Figure {
    label: String,
    value: String,
    detail: String,
}

impl Figure {
    /// States something exact or counted: a digest, seconds, rows; `detail` may be empty.
    pub(crate) fn exact(label: &str, value: &str, detail: &str) -> Self {
        Self { label: label.into(), value: value.into(), detail: detail.into() }
    }

    /// States an estimate, which goes nowhere without its interval and how that was made ("3σ of the mean weight").
    pub(crate) fn estimate(
        label: &str,
        value: f64,
        interval: [f64; 2],
        unit: &str,
        interval_is: &str,
    ) -> Self {
        let [low, high] = interval.map(|end| chart::number(end, 2));
        let detail = format!("interval [{low}, {high}] {unit}; {interval_is}");
        Self { label: label.into(), value: format!("{} {unit}", chart::number(value, 2)), detail }
    }
}
