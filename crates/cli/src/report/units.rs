//! Shows how active the hidden units are: a histogram of their means, and counts of those that tell nothing.

use super::chart::{Curve, Series, Shape, chart, number};
use super::html::{Html, element, words};

/// Bins of the histogram.
const BINS: usize = 20;

/// Holds the mean activations of hidden units over the data, and where a unit counts as dead or saturated.
#[derive(Clone, Debug)]
pub(crate) struct Units {
    /// Mean activation of each hidden unit.
    pub(crate) means: Vec<f32>,
    /// What tells nothing.
    pub(crate) idle: Idle,
}

/// Says which units tell rows of the data apart hardly or not at all.
#[derive(Clone, Debug)]
pub(crate) enum Idle {
    /// Of units with probabilities: a unit with a smaller mean is off whatever the data are, one with a larger mean is on.
    Ends {
        /// Below it a unit is dead.
        dead_below: f32,
        /// Above it a unit is saturated.
        saturated_above: f32,
    },
    /// Of others: so many whose means move from row to row by less than this share of a draw's deviation.
    Still {
        /// How many.
        count: usize,
        /// The share.
        share: f32,
    },
}

impl Units {
    fn count(&self, which: impl Fn(f32) -> bool) -> usize {
        self.means.iter().filter(|&&mean| which(mean)).count()
    }

    fn finite(&self) -> impl Iterator<Item = f64> {
        self.means.iter().filter(|mean| mean.is_finite()).map(|&mean| f64::from(mean))
    }

    /// Gives the range of the histogram: [0, 1] for probabilities, else from the lowest to the highest mean.
    fn range(&self) -> (f64, f64) {
        let start = match self.idle {
            Idle::Ends { .. } => (0.0, 1.0),
            Idle::Still { .. } => (f64::INFINITY, f64::NEG_INFINITY),
        };
        let (low, high) =
            self.finite().fold(start, |(low, high): (f64, f64), mean| (low.min(mean), high.max(mean)));
        // One place is no range, and none is not either.
        if low < high {
            (low, high)
        } else if low == high {
            (low - 0.5, low + 0.5)
        } else {
            (0.0, 1.0)
        }
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
    let all = units.means.len();
    match units.idle {
        Idle::Ends { dead_below, saturated_above } => format!(
            "Of {all} hidden units, {} are dead (mean below {}) and {} saturated (mean above {}). Such units tell rows \
             of the data apart hardly or not at all.{rest}",
            units.count(|mean| mean < dead_below),
            number(f64::from(dead_below), 3),
            units.count(|mean| mean > saturated_above),
            number(f64::from(saturated_above), 3),
        ),
        Idle::Still { count, share } => format!(
            "Of {all} hidden units, {count} are dead: their means move from row to row by less than {} of the deviation \
             that a draw has around them, so they tell rows of the data apart hardly or not at all.{rest}",
            number(f64::from(share), 3),
        ),
    }
}
