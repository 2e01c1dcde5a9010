//! Shows what a model makes of classes: a map of its codes, the confusion matrix, and other methods beside it.

use super::html::{Html, element, table, words};

/// The width and the height of a map, and what is left free at its sides.
const SIDES: [f64; 2] = [1000.0, 640.0];
const MARGIN: f64 = 16.0;
/// Ten colours that are told apart on light and dark ground (after Tableau's); more classes take them again.
const COLOURS: [&str; 10] = [
    "#4e79a7", "#f28e2b", "#e15759", "#76b7b2", "#59a14f", "#edc948", "#b07aa1", "#ff9da7", "#9c755f",
    "#8a8f98",
];

/// Holds rows as points of a plane.
#[derive(Clone, Debug, Default)]
pub(crate) struct Map {
    /// The points, and the class of each where it is known.
    pub(crate) points: Vec<([f32; 2], Option<usize>)>,
    /// What the axes are.
    pub(crate) note: String,
}

/// Counts rows by their class, a row of the matrix, and the class that was predicted, its column.
#[derive(Clone, Debug, Default)]
pub(crate) struct Confusion {
    pub(crate) counts: Vec<Vec<u64>>,
    pub(crate) note: String,
}

/// Holds what other methods come to on the same rows: lines of name, figure and remark.
#[derive(Clone, Debug, Default)]
pub(crate) struct Comparison {
    pub(crate) lines: Vec<[String; 3]>,
    pub(crate) note: String,
}

/// Draws a map as a picture of vectors with a legend.
pub(super) fn map(map: &Map) -> Html {
    let ends = |axis: usize| {
        let values = map.points.iter().map(|(point, _)| f64::from(point[axis])).filter(|x| x.is_finite());
        values.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], x| [low.min(x), high.max(x)])
    };
    let ends = [ends(0), ends(1)];
    let place = |point: &[f32; 2], axis: usize| {
        let [low, high] = ends[axis];
        let share = if high > low { (f64::from(point[axis]) - low) / (high - low) } else { 0.5 };
        let share = if axis == 1 { 1.0 - share } else { share };
        format!("{:.1}", MARGIN + share * (SIDES[axis] - 2.0 * MARGIN))
    };
    let shown = map.points.iter().filter(|(point, _)| point.iter().all(|x| x.is_finite()));
    let dot = |(point, class): &([f32; 2], Option<usize>)| {
        let (x, y) = (place(point, 0), place(point, 1));
        element("circle", &[("cx", &x), ("cy", &y), ("r", "4"), ("fill", colour(*class))], [])
    };
    let box_ = format!("0 0 {} {}", SIDES[0], SIDES[1]);
    let attributes = [
        ("viewBox", box_.as_str()),
        ("class", "map"),
        ("role", "img"),
        ("aria-label", "Map of the codes, a point a row"),
        ("fill-opacity", "0.7"),
    ];
    let picture = element("svg", &attributes, shown.map(dot));
    element("figure", &[], [picture, legend(map), words("figcaption", "", &map.note)])
}

fn colour(class: Option<usize>) -> &'static str {
    class.map_or("#5b8fd0", |class| COLOURS[class % COLOURS.len()])
}

fn legend(map: &Map) -> Html {
    let mut classes: Vec<usize> = map.points.iter().filter_map(|(_, class)| *class).collect();
    classes.sort_unstable();
    classes.dedup();
    let entry = |class: usize| {
        let style = format!("background:{}", colour(Some(class)));
        let dot = element("span", &[("class", "dot"), ("style", &style)], []);
        element("li", &[], [dot, Html::text(class.to_string())])
    };
    element("ul", &[("class", "legend")], classes.into_iter().map(entry))
}

/// Shows the matrix; the diagonal is what is right, and other cells are the darker the more rows they hold.
pub(super) fn confusion(matrix: &Confusion) -> Html {
    let numbers = (0..matrix.counts.len()).map(|class| words("th", "", class.to_string()));
    let head = [words("th", "", "class")].into_iter().chain(numbers).chain([words("th", "", "wrong")]);
    let head = element("thead", &[], [element("tr", &[], head)]);
    let lines = matrix.counts.iter().enumerate().map(|(class, counts)| line(class, counts));
    let body = element("tbody", &[], lines);
    let wide = element("div", &[("class", "wide confusion")], [element("table", &[], [head, body])]);
    element("div", &[], [wide, words("p", "note", &matrix.note)])
}

fn line(class: usize, counts: &[u64]) -> Html {
    let total: u64 = counts.iter().sum();
    let share = |count: u64| if total > 0 { count as f64 / total as f64 } else { 0.0 };
    let cell = |(guess, &count): (usize, &u64)| {
        let (hue, most) = if guess == class { ("74 150 90", 0.55) } else { ("214 84 60", 0.9) };
        // Errors are few: a tenth of a class is as red as it gets.
        let depth = if guess == class { share(count) } else { (10.0 * share(count)).min(1.0) };
        let style = format!("background:rgb({hue} / {:.2})", most * depth);
        element("td", &[("style", &style)], [Html::text(count.to_string())])
    };
    let right = counts.get(class).copied().unwrap_or(0);
    let wrong = format!("{:.1} %", 100.0 * share(total - right));
    let cells = counts.iter().enumerate().map(cell);
    element(
        "tr",
        &[],
        [words("th", "", class.to_string())].into_iter().chain(cells).chain([words("td", "", wrong)]),
    )
}

/// Shows the lines of a comparison.
pub(super) fn comparison(comparison: &Comparison) -> Html {
    let lines = comparison.lines.iter().map(|line| line.to_vec());
    element("div", &[], [table(&["method", "figure", ""], lines), words("p", "note", &comparison.note)])
}
