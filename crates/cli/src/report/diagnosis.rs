//! Shows what the checks of a training found, and what to do about it.

use super::chart::number;
use super::html::{Html, element, words};

/// Holds what the checks found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Diagnosis {
    /// Findings on the finished machine; none where it was not checked.
    pub(crate) last: Option<Vec<Ailment>>,
    /// Findings of an epoch that were gone at the end, with the epoch that first had them.
    pub(crate) passed: Vec<(u32, Ailment)>,
}

/// Holds one finding in words.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ailment {
    /// How much it matters: note, warning or serious.
    pub(crate) severity: String,
    /// What was found.
    pub(crate) found: String,
    /// What to do.
    pub(crate) advice: String,
    /// The options that act on it; may be empty.
    pub(crate) options: Vec<String>,
    /// The figures it rests on, each with its name.
    pub(crate) figures: Vec<(String, f64)>,
    /// The first of the units or columns concerned; empty where all are.
    pub(crate) units: Vec<usize>,
}

/// Draws the section's content.
pub(super) fn overview(diagnosis: &Diagnosis) -> Html {
    let sound = match &diagnosis.last {
        None => Some("The run was not finished, so the machine was not checked as a whole."),
        Some(last) if last.is_empty() => Some("The checks of the finished machine found nothing wrong."),
        Some(_) => None,
    };
    let last = diagnosis.last.iter().flatten().map(|ailment| item(ailment, None));
    let passed = diagnosis.passed.iter().map(|(epoch, ailment)| item(ailment, Some(*epoch)));
    let list =
        |items: Vec<Html>| (!items.is_empty()).then(|| element("ul", &[("class", "diagnosis")], items));
    let (last, passed) = (list(last.collect()), list(passed.collect()));
    let heading = passed.is_some().then(|| words("h3", "", "Seen on the way, gone at the end"));
    let parts = [sound.map(|text| words("p", "", text)), last, heading, passed];
    element("div", &[], parts.into_iter().flatten())
}

fn item(ailment: &Ailment, epoch: Option<u32>) -> Html {
    let severity = match &ailment.severity[..] {
        "serious" => "severity serious",
        "warning" => "severity warning",
        _ => "severity",
    };
    let since = epoch.map_or(String::new(), |epoch| format!("From epoch {epoch}: "));
    let found = element(
        "p",
        &[],
        [words("span", severity, &ailment.severity), Html::text(format!(" {since}{}.", ailment.found))],
    );
    // Each option in an element of its own: a line breaks between them only.
    let options = ailment.options.iter().flat_map(|option| [Html::text(" "), words("code", "", option)]);
    let advice = [words("strong", "", "What to do:"), Html::text(format!(" {}.", ailment.advice))];
    let advice = element("p", &[], advice.into_iter().chain(options));
    let facts = facts(ailment);
    let facts = (!facts.is_empty()).then(|| words("p", "note", facts));
    element("li", &[], [found, advice].into_iter().chain(facts))
}

/// Lists figures and units in one line.
fn facts(ailment: &Ailment) -> String {
    let mut parts: Vec<String> =
        ailment.figures.iter().map(|(name, value)| format!("{name} {}", figure(*value))).collect();
    if !ailment.units.is_empty() {
        let units: Vec<String> = ailment.units.iter().map(usize::to_string).collect();
        parts.push(format!("the first concerned, counted from 0: {}", units.join(", ")));
    }
    parts.join("; ")
}

/// Writes counts as they are, and everything else with four digits that count.
fn figure(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e9 {
        return number(value, 0);
    }
    if (1e-3..1e6).contains(&value.abs()) { number(value, 3) } else { format!("{value:.2e}") }
}
