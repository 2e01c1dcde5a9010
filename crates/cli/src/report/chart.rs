//! Turns curves into charts: data for the page's script, and a table for readers without one.

use serde_json::{Value, json};

use super::html::{Html, element, table, words};

/// Places along x that one chart keeps; more cannot be told apart on a screen.
pub(super) const POINTS: usize = 600;

/// Holds one chart: quantities of one unit along one axis.
#[derive(Clone, Debug, Default)]
pub(crate) struct Curve {
    /// What is shown, say "Pseudo log-likelihood".
    pub(crate) name: String,
    /// The unit of y, say "nats per row"; empty for a pure number.
    pub(crate) unit: String,
    /// What x is, say "epoch".
    pub(crate) x_label: String,
    /// Places along x, rising; a place that is not a number is left out.
    pub(crate) x: Vec<f64>,
    /// The lines, each with a value for each place; a value that is not a number leaves a gap.
    pub(crate) series: Vec<Series>,
    /// One or two sentences on how to read the chart; may be empty.
    pub(crate) note: String,
}

/// Holds one line of a chart.
#[derive(Clone, Debug, Default)]
pub(crate) struct Series {
    /// The name in the legend, say "validation".
    pub(crate) name: String,
    /// Values, one for each place along x.
    pub(crate) values: Vec<f64>,
    /// For estimates: `[low, high]` of each value, drawn as a band.
    pub(crate) interval: Option<Vec<[f64; 2]>>,
}

/// Says how the script draws the values.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Shape {
    /// One line a series.
    Lines,
    /// Bars of a histogram; x holds the centres of bins of this width.
    Bars { width: f64 },
}

/// Draws one chart with its heading, note and fallback.
pub(super) fn chart(curve: &Curve, shape: Shape) -> Html {
    let kept = kept(&curve.x);
    let data = data(curve, shape, &kept);
    let label = format!("Chart of {} by {}", curve.name, curve.x_label);
    let parts = [
        words("h3", "", &curve.name),
        element("div", &[("class", "plot"), ("role", "group"), ("aria-label", &label)], []),
        element("script", &[("type", "application/json")], [Html::json(&data)]),
        element("noscript", &[], [fallback(curve, shape, &kept)]),
    ];
    let notes = [curve.note.clone(), thinning(curve.x.len(), kept.len())];
    let notes = notes.iter().filter(|note| !note.is_empty()).map(|note| words("p", "note", note));
    element("div", &[("class", "chart")], parts.into_iter().chain(notes))
}

/// Gives the positions to draw: those with a finite x, at most `POINTS`, evenly spread, the last included.
fn kept(x: &[f64]) -> Vec<usize> {
    let finite: Vec<usize> = (0..x.len()).filter(|&i| x[i].is_finite()).collect();
    let shown = finite.len().min(POINTS);
    // Counted from the end: the last value is the one a reader looks for.
    (1..=shown).map(|i| finite[i * finite.len() / shown - 1]).collect()
}

fn thinning(all: usize, kept: usize) -> String {
    if all <= POINTS { String::new() } else { format!("{kept} of {all} places are drawn, evenly spread.") }
}

fn data(curve: &Curve, shape: Shape, kept: &[usize]) -> Value {
    let (kind, width) = match shape {
        Shape::Lines => ("lines", 0.0),
        Shape::Bars { width } => ("bars", width),
    };
    let series: Vec<Value> = curve.series.iter().map(|series| line(series, kept)).collect();
    let x: Vec<Value> = kept.iter().map(|&i| rounded(curve.x[i])).collect();
    json!({"kind": kind, "width": width, "x": x, "xLabel": curve.x_label, "yLabel": y_label(curve), "unit": curve.unit, "series": series})
}

fn line(series: &Series, kept: &[usize]) -> Value {
    let all = |at: &dyn Fn(usize) -> f64| kept.iter().map(|&i| rounded(at(i))).collect::<Vec<_>>();
    let mut line = json!({"name": series.name, "values": all(&|i| series.value(i))});
    if series.interval.is_some() {
        line["low"] = all(&|i| series.ends(i)[0]).into();
        line["high"] = all(&|i| series.ends(i)[1]).into();
    }
    line
}

impl Series {
    /// Makes a line without an interval.
    pub(crate) fn new(name: &str, values: Vec<f64>) -> Self {
        Self { name: name.into(), values, interval: None }
    }

    /// Gives a value; a missing one is not a number.
    fn value(&self, i: usize) -> f64 {
        self.values.get(i).copied().unwrap_or(f64::NAN)
    }

    fn ends(&self, i: usize) -> [f64; 2] {
        let interval = self.interval.as_ref().and_then(|interval| interval.get(i));
        interval.copied().unwrap_or([f64::NAN; 2])
    }
}

fn y_label(curve: &Curve) -> String {
    if curve.unit.is_empty() { curve.name.clone() } else { format!("{} ({})", curve.name, curve.unit) }
}

/// Keeps 7 digits, as many as an f32 has; what is not finite becomes null.
fn rounded(value: f64) -> Value {
    format!("{value:.6e}").parse::<f64>().unwrap_or(value).into()
}

/// Makes the table without script: last values of lines, all values of a histogram.
fn fallback(curve: &Curve, shape: Shape, kept: &[usize]) -> Html {
    match shape {
        Shape::Lines => table(
            &["", &format!("last value, {}", y_label(curve)), &curve.x_label],
            curve.series.iter().map(|series| last(curve, series, kept)),
        ),
        Shape::Bars { .. } => table(
            &[&curve.x_label, &y_label(curve)],
            kept.iter().map(|&i| vec![number(curve.x[i], 3), number(curve.series[0].value(i), 0)]),
        ),
    }
}

fn last(curve: &Curve, series: &Series, kept: &[usize]) -> Vec<String> {
    let found = kept.iter().rev().find(|&&i| series.value(i).is_finite());
    let Some(&i) = found else { return vec![series.name.clone(), "none".into(), String::new()] };
    let [low, high] = series.ends(i).map(|end| number(end, 4));
    let interval = if series.interval.is_some() { format!(" [{low}, {high}]") } else { String::new() };
    vec![series.name.clone(), number(series.value(i), 4) + &interval, format!("{}", curve.x[i])]
}

/// Writes a number with so many decimals and a true minus sign.
pub(super) fn number(value: f64, decimals: usize) -> String {
    format!("{value:.decimals$}").replace('-', "−")
}
