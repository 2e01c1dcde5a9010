//! Shows how active the hidden units are: a histogram of their means, and counts at both ends.

use super::chart::{Curve, Series, Shape, chart, number};
use super::html::{Html, element, words};

/// Bins of the histogram.
const BINS: usize = 20;

/// Holds the mean activations of hidden units over the data, and where a unit counts as dead or saturated.
#[derive(Clone, Debug)]
pub(crate) struct Units {
    /// Mean activation of each hidden unit.
    pub(crate) means: Vec<f32>,
    /// A unit with a smaller mean is dead: it is off whatever the data are.
    pub(crate) dead_below: f32,
    /// A unit with a larger mean is saturated: it is on whatever the data are.
    pub(crate) saturated_above: f32,
}

impl Units {
    /// Counts the dead units.
    pub(crate) fn dead(&self) -> usize {
        self.means.iter().filter(|&&mean| mean < self.dead_below).count()
    }

    /// Counts the saturated units.
    pub(crate) fn saturated(&self) -> usize {
        self.means.iter().filter(|&&mean| mean > self.saturated_above).count()
    }

    fn finite(&self) -> impl Iterator<Item = f64> {
        self.means.iter().filter(|mean| mean.is_finite()).map(|&mean| f64::from(mean))
    }

    /// Gives the range of the histogram: [0, 1] for probabilities, else from the lowest to the highest mean.
    fn range(&self) -> (f64, f64) {
        let (low, high) =
            self.finite().fold((0.0, 1.0), |(low, high): (f64, f64), mean| (low.min(mean), high.max(mean)));
        (low, high)
    }

    fn histogram(&self) -> (f64, Curve) {
        let (low, high) = self.range();
        let width = (high - low) / BINS as f64;
        let mut counts = vec![0.0; BINS];
        for mean in self.finite() {
            // The highest mean belongs to the last bin, which is closed.
            counts[(((mean - low) / width) as usize).min(BINS - 1)] += 1.0;
        }
        let x = (0..BINS).map(|bin| low + (bin as f64 + 0.5) * width).collect();
        (width, curve(x, counts))
    }
}

fn curve(x: Vec<f64>, counts: Vec<f64>) -> Curve {
    Curve {
        name: "Mean activations of the hidden units".into(),
        unit: "units".into(),
        x_label: "mean activation".into(),
        x,
        series: vec![Series::new("hidden units", counts)],
        note: String::new(),
    }
}

/// Draws the section's content.
pub(super) fn overview(units: &Units) -> Html {
    let (width, histogram) = units.histogram();
    let chart = chart(&histogram, Shape::Bars { width });
    element("div", &[], [words("p", "", sentence(units)), chart])
}

fn sentence(units: &Units) -> String {
    let not_finite = units.means.len() - units.finite().count();
    let rest = if not_finite == 0 { String::new() } else { format!(" {not_finite} have no finite mean.") };
    format!(
        "Of {} hidden units, {} are dead (mean below {}) and {} saturated (mean above {}). Such units tell rows \
         of the data apart hardly or not at all.{rest}",
        units.means.len(),
        units.dead(),
        number(f64::from(units.dead_below), 3),
        units.saturated(),
        number(f64::from(units.saturated_above), 3),
    )
}
