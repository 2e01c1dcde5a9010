//! Lays out the page: headline figures first, the recipe last.

use super::chart::{Shape, chart};
use super::html::{Html, element, table, void, words};
use super::plate::{Subject, figure};
use super::{Figure, Kind, Plate, Report};
use super::{classes, columns, diagnosis, units};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("page.js");
const UPLOT_STYLE: &str = include_str!("../../assets/uplot/uPlot.min.css");
const UPLOT_SCRIPT: &str = include_str!("../../assets/uplot/uPlot.iife.min.js");
const UPLOT_LICENCE: &str = include_str!("../../assets/uplot/LICENSE");
/// Forbids the page everything but its own text: a report that was tampered with cannot call out either.
const POLICY: &str =
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

/// Renders a report as one HTML page that loads nothing.
pub(crate) fn render(report: &Report) -> String {
    let page = element("html", &[("lang", "en")], [head(report), body(report)]);
    format!("<!DOCTYPE html>\n{}\n", page.into_string())
}

fn head(report: &Report) -> Html {
    let parts = [
        void("meta", &[("charset", "utf-8")]),
        void("meta", &[("http-equiv", "Content-Security-Policy"), ("content", POLICY)]),
        void("meta", &[("name", "viewport"), ("content", "width=device-width, initial-scale=1")]),
        void("meta", &[("name", "color-scheme"), ("content", "light dark")]),
        // Without it a browser asks for a favicon.
        void("link", &[("rel", "icon"), ("href", "data:,")]),
        words("title", "", format!("{} – Harmonium", report.title)),
        element("style", &[], [Html::asset(UPLOT_STYLE), Html::asset(STYLE)]),
    ];
    element("head", &[], parts)
}

fn body(report: &Report) -> Html {
    let header =
        element("header", &[], [words("p", "kicker", kicker(report.kind)), words("h1", "", &report.title)]);
    let main = element("main", &[], sections(report));
    let scripts = [UPLOT_SCRIPT, SCRIPT].map(|script| element("script", &[], [Html::asset(script)]));
    element("body", &[], [header, main, footer()].into_iter().chain(scripts))
}

fn kicker(kind: Kind) -> &'static str {
    match kind {
        Kind::Training => "Harmonium training report",
        Kind::Lattice => "Harmonium lattice report",
        Kind::Search => "Harmonium search for a ground state",
    }
}

/// Gives the sections that have something to show, in the order a reader asks for them.
fn sections(report: &Report) -> impl Iterator<Item = Html> {
    let plate = |plate: &Option<_>, subject| plate.as_ref().map(|plate| figure(plate, subject));
    [
        some("summary", "Results", &report.summary, summary),
        some("notices", "Notices", &report.notices, notices),
        report.diagnosis.as_ref().map(|found| section("diagnosis", "Diagnosis", diagnosis::overview(found))),
        drawn(report).map(|title| section("curves", title, curves(report))),
        report
            .comparison
            .as_ref()
            .map(|shown| section("comparison", "Comparison", classes::comparison(shown))),
        report
            .confusion
            .as_ref()
            .map(|shown| section("confusion", "Confusion matrix", classes::confusion(shown))),
        report.map.as_ref().map(|shown| section("map", "Map of the codes", classes::map(shown))),
        plate(&report.samples, Subject::Samples).map(|shown| section("samples", "Samples", shown)),
        report.columns.as_ref().map(|shown| section("columns", "Columns", columns::overview(shown))),
        plate(&report.weights, Subject::Weights).map(|shown| section("weights", "Weights", shown)),
        plate(&report.filters, Subject::Filters).map(|shown| section("filters", "Filters", shown)),
        some("layers", "Layers", &report.layers, layers),
        plate(&report.reconstructions, Subject::Reconstructions)
            .map(|shown| section("reconstructions", "Reconstructions", shown)),
        report.units.as_ref().map(|shown| section("units", "Hidden units", units::overview(shown))),
        Some(section("recipe", "Recipe", recipe(report))),
        some("environment", "Environment", &report.environment, listing),
    ]
    .into_iter()
    .flatten()
}

/// Names the section of curves; a lattice at one temperature has none.
fn drawn(report: &Report) -> Option<&'static str> {
    match report.kind {
        Kind::Training => Some("Training"),
        Kind::Search => Some("Course"),
        Kind::Lattice => (!report.curves.is_empty()).then_some("By temperature"),
    }
}

fn some<T>(id: &str, title: &str, items: &[T], show: impl Fn(&[T]) -> Html) -> Option<Html> {
    (!items.is_empty()).then(|| section(id, title, show(items)))
}

fn section(id: &str, title: &str, content: Html) -> Html {
    element("section", &[("id", id)], [words("h2", "", title), content])
}

fn layers(layers: &[(String, Plate)]) -> Html {
    let one = |(name, plate): &(String, Plate)| {
        element("div", &[], [words("h3", "", name), figure(plate, Subject::Layer)])
    };
    element("div", &[("class", "layers")], layers.iter().map(one))
}

fn summary(figures: &[Figure]) -> Html {
    let tile = |figure: &Figure| {
        // A digest has no place at the size of a number.
        let class = if figure.value.chars().count() > 24 { "value long" } else { "value" };
        let parts = [words("dt", "", &figure.label), words("dd", class, &figure.value)];
        let detail = (!figure.detail.is_empty()).then(|| words("dd", "detail", &figure.detail));
        element("div", &[], parts.into_iter().chain(detail))
    };
    element("dl", &[("class", "figures")], figures.iter().map(tile))
}

fn notices(notices: &[String]) -> Html {
    element("ul", &[], notices.iter().map(|notice| words("li", "", notice)))
}

fn curves(report: &Report) -> Html {
    if report.curves.is_empty() {
        return words("p", "note", "Nothing was measured along the training.");
    }
    let charts = report.curves.iter().map(|curve| chart(curve, Shape::Lines));
    element("div", &[("class", "charts")], charts)
}

fn recipe(report: &Report) -> Html {
    let command = (!report.command.is_empty()).then(|| {
        let why =
            words("p", "", "This command gives the same run, bit for bit as far as the project promises it:");
        element("div", &[], [why, element("pre", &[], [command_line(&report.command)])])
    });
    element("div", &[], command.into_iter().chain([listing(&report.recipe)]))
}

/// Writes a command word by word, so that a narrow screen breaks it between words.
fn command_line(command: &str) -> Html {
    let pieces = command.split_inclusive(' ').flat_map(|piece| {
        let word = piece.trim_end_matches(' ');
        [words("span", "", word), Html::text(&piece[word.len()..])]
    });
    element("code", &[], pieces)
}

fn listing(pairs: &[(String, String)]) -> Html {
    table(&[], pairs.iter().map(|(name, value)| vec![name.clone(), value.clone()]))
}

fn footer() -> Html {
    let text = "This page is complete in itself and loads nothing. Charts: uPlot 1.6.32, MIT licence.";
    let licence = element("pre", &[], [Html::text(UPLOT_LICENCE)]);
    let details = element("details", &[], [words("summary", "", "Licence of uPlot"), licence]);
    element("footer", &[], [words("p", "", text), details])
}
