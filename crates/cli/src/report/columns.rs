//! Shows the columns of a table: what the data are like, and what samples of the model are like.

use super::chart::{Curve, Shape, chart};
use super::html::{Html, element, table, words};

/// Holds what the report says of the columns of a table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Columns {
    /// One line a column, of a column with classes one a class.
    pub(crate) lines: Vec<Moments>,
    /// What is not shown, and of which rows the figures are.
    pub(crate) note: String,
    /// Histograms of columns of numbers.
    pub(crate) histograms: Vec<Curve>,
}

/// Holds figures of one column, data first and samples second; what does not apply is not a number.
#[derive(Clone, Debug)]
pub(crate) struct Moments {
    pub(crate) name: String,
    pub(crate) kind: String,
    /// Rows in which it is missing.
    pub(crate) missing: usize,
    /// Means; of classes, shares.
    pub(crate) means: [f64; 2],
    /// Standard deviations.
    pub(crate) deviations: [f64; 2],
    /// Root mean square of what reconstructions miss, in deviations of the data.
    pub(crate) error: f64,
}

/// Draws the section's content.
pub(super) fn overview(columns: &Columns) -> Html {
    let headings = [
        "column",
        "units",
        "missing",
        "mean",
        "of samples",
        "deviation",
        "of samples",
        "reconstruction error",
    ];
    let lines = columns.lines.iter().map(|line| {
        let [mean, drawn] = line.means.map(figure);
        let [deviation, drawn_deviation] = line.deviations.map(figure);
        let missing = line.missing.to_string();
        let error = figure(line.error);
        vec![line.name.clone(), line.kind.clone(), missing, mean, drawn, deviation, drawn_deviation, error]
    });
    let how = "A model that has learnt the columns gives samples with their means and deviations. The reconstruction error of one \
               pass up and down is in deviations of the column: 1 is as bad as its mean.";
    let charts = columns.histograms.iter().map(|curve| chart(curve, Shape::Lines));
    let charts = element("div", &[("class", "charts")], charts);
    let wide = element("div", &[("class", "wide")], [table(&headings, lines)]);
    element("div", &[], [words("p", "", how), wide, words("p", "note", &columns.note), charts])
}

/// Writes four digits that count, with a true minus sign; what is not a number as a dash.
fn figure(value: f64) -> String {
    if !value.is_finite() {
        return "–".into();
    }
    let rounded: f64 = format!("{value:.3e}").parse().unwrap_or(value);
    rounded.to_string().replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_four_digits() {
        assert_eq!([figure(-1234.56), figure(0.000_123_456), figure(f64::NAN)], ["−1235", "0.0001235", "–"]);
    }
}
