//! Checks the page's structure, its escaping and its size.

use super::chart::POINTS;
use super::example::{Noise, example};
use super::{Ailment, Curve, Diagnosis, Figure, Idle, Plate, Report, Series, Units, render};
use crate::picture::{self, Tile, Tone};

const HOSTILE: &str = "</script><img src=x onerror=\"alert('1')\"><!-- & \u{2028}\0";

/// Gives the tags of a page in order, without what stands inside scripts and styles.
fn tags(page: &str) -> Vec<String> {
    let (mut tags, mut rest) = (Vec::new(), page);
    while let Some(start) = rest.find('<') {
        let end = start + rest[start..].find('>').expect("a tag ends");
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        for raw in ["script", "style"].iter().filter(|raw| tag.split(' ').next() == Some(**raw)) {
            rest = &rest[rest.find(&format!("</{raw}")).expect("raw text ends")..];
        }
        tags.push(tag.to_owned());
    }
    tags
}

fn assert_balanced(page: &str) {
    let mut open = Vec::new();
    for tag in tags(page) {
        let name = tag.split(' ').next().expect("a name").to_owned();
        match name.strip_prefix('/') {
            Some(closed) => assert_eq!(open.pop().as_deref(), Some(closed), "closing {name}"),
            None if ["!DOCTYPE", "meta", "link", "img"].contains(&name.as_str()) => {}
            None => open.push(name),
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
}

fn assert_loads_nothing(page: &str) {
    for tag in tags(page) {
        for link in tag.split("src=\"").skip(1).chain(tag.split("href=\"").skip(1)) {
            assert!(link.starts_with("data:"), "{tag} loads something");
        }
    }
    // Outside the tags, a style or a script could load as well.
    for loader in ["@import", "url(", "fetch(", "XMLHttpRequest", "WebSocket", "sendBeacon", "import("] {
        assert!(!page.contains(loader), "{loader} loads something");
    }
}

/// Gives the JSON of each chart as a browser would read it.
fn data(page: &str) -> Vec<serde_json::Value> {
    let parts = page.split("<script type=\"application/json\">").skip(1);
    parts
        .map(|part| serde_json::from_str(part.split("</script").next().expect("text")).expect("JSON"))
        .collect()
}

#[test]
fn a_report_has_its_sections_in_order_and_loads_nothing() {
    let page = render(&example());
    assert_balanced(&page);
    assert_loads_nothing(&page);
    let ids: Vec<&str> =
        page.split("<section id=\"").skip(1).map(|part| part.split('"').next().expect("an id")).collect();
    let order = "summary notices diagnosis curves samples filters reconstructions units recipe environment";
    assert_eq!(ids.join(" "), order);
    assert!(page.len() < 2_000_000, "{} bytes", page.len());
}

#[test]
#[ignore = "leaves a page in the temporary folder, for the eye"]
fn a_report_to_look_at() {
    let path = std::env::temp_dir().join("harmonium-report.html");
    std::fs::write(&path, render(&example())).expect("the temporary folder takes a page");
}

#[test]
fn a_report_says_what_was_run_and_found() {
    let page = render(&example());
    for text in [
        "interval [−94.10, −90.35] nats; 3σ of the mean weight",
        "<span>--hidden</span> <span>500</span> <span>--epochs</span>",
        "Of 500 hidden units, 9 are dead (mean below 0.010) and 0 saturated",
        "all tiles share one scale, from −",
        "alt=\"Grid of the weights of hidden units\"",
        "The MIT License (MIT)",
    ] {
        assert!(page.to_lowercase().contains(&text.to_lowercase()), "{text} is missing");
    }
    assert_eq!(page.matches("src=\"data:image/png;base64,iVBORw0KGgo").count(), 3);
}

#[test]
fn hostile_text_stays_text_wherever_it_stands() {
    let hostile = || HOSTILE.to_owned();
    let mut report = example();
    report.title = hostile();
    report.notices = vec![hostile()];
    report.summary.push(Figure::exact(HOSTILE, HOSTILE, HOSTILE));
    report.recipe.push((hostile(), hostile()));
    report.environment.push((hostile(), hostile()));
    report.command = hostile();
    let ailment = Ailment {
        severity: hostile(),
        found: hostile(),
        advice: hostile(),
        options: vec![hostile()],
        figures: vec![(hostile(), f64::NAN)],
        units: vec![1],
    };
    report.diagnosis = Some(Diagnosis { last: Some(vec![ailment.clone()]), passed: vec![(1, ailment)] });
    report.samples.iter_mut().for_each(|plate| plate.note = hostile());
    let curve = &mut report.curves[0];
    (curve.name, curve.unit, curve.x_label, curve.note) = (hostile(), hostile(), hostile(), hostile());
    curve.series[0].name = hostile();
    let page = render(&report);
    assert_balanced(&page);
    assert_loads_nothing(&page);
    assert!(!page.contains("<img src=x") && !page.contains("</script><img") && !page.contains("<!-- "));
    assert!(!tags(&page).iter().any(|tag| tag.contains("onerror=\"")), "an attribute was broken open");
    assert_eq!(data(&page)[0]["xLabel"], HOSTILE, "the script reads the text as it was");
}

#[test]
fn a_diagnosis_says_what_to_do_and_what_is_gone() {
    let page = render(&example());
    for text in [
        "<span class=\"severity serious\">serious</span> the free-energy gap has grown to 61.20 nats",
        "<strong>What to do:</strong> stop earlier",
        "<code>--hidden</code> <code>--learning-rate</code>",
        "count 12; share 0.024; the first concerned, counted from 0: 0, 60, 120",
        "gone at the end</h3>",
        "From epoch 2: numbers ran away, and the guard lowered the rate once",
    ] {
        assert!(page.contains(text), "{text} is missing");
    }
    let shown = |last: Option<Vec<Ailment>>| {
        render(&Report { diagnosis: Some(Diagnosis { last, passed: Vec::new() }), ..Report::default() })
    };
    let (sound, unfinished) = (shown(Some(Vec::new())), shown(None));
    assert!(sound.contains("found nothing wrong") && !sound.contains("class=\"diagnosis\""));
    assert!(unfinished.contains("was not finished") && !unfinished.contains("gone at the end"));
    assert!(!render(&Report::default()).contains("id=\"diagnosis\""));
}

#[test]
fn an_estimate_is_drawn_and_told_with_its_interval() {
    let page = render(&example());
    let line = &data(&page)[0]["series"][0];
    for key in ["values", "low", "high"] {
        assert_eq!(line[key].as_array().map(Vec::len), Some(30), "{key}");
    }
    let fallback = page.split("<noscript>").nth(1).expect("a fallback");
    let cell = fallback.split("<td>").nth(1).and_then(|cell| cell.split('<').next()).expect("the last value");
    assert!(cell.starts_with('−') && cell.contains(" [−") && cell.ends_with(']'), "{cell}");
}

#[test]
fn long_and_broken_curves_are_thinned_and_keep_their_end() {
    let x: Vec<f64> = (0..10_001).map(f64::from).collect();
    let mut values = x.clone();
    values[10_000] = f64::NAN;
    let series = vec![Series::new("a", values), Series::new("short", vec![1.5])];
    let broken =
        Curve { x: vec![f64::NAN, 2.0], series: vec![Series::new("b", vec![3.0, 4.0])], ..Curve::default() };
    let curves = vec![Curve { x, series, ..Curve::default() }, broken, Curve::default()];
    let page = render(&Report { curves, ..Report::default() });
    let data = data(&page);
    let places = data[0]["x"].as_array().expect("places");
    assert_eq!((places.len(), places[POINTS - 1].as_f64()), (POINTS, Some(10_000.0)));
    assert!(
        data[0]["series"][0]["values"][POINTS - 1].is_null() && data[0]["series"][1]["values"][9].is_null()
    );
    assert_eq!((&data[1]["x"][0], &data[1]["series"][0]["values"][0]), (&2.0.into(), &4.0.into()));
    assert!(page.contains("600 of 10001 places are drawn"));
}

#[test]
fn an_empty_report_is_a_page() {
    let page = render(&Report::default());
    assert_balanced(&page);
    assert!(page.contains("Nothing was measured along the training."));
    assert!(!page.contains("id=\"notices\"") && !page.contains("<img"));
}

#[test]
fn a_picture_too_large_is_named_instead_of_shown() {
    let noise = &mut Noise(3);
    let tile: Vec<f32> = (0..700 * 1000).map(|_| noise.next() as f32).collect();
    let picture = picture::grid(&[tile], 700, 1000, 1, Tone::Grey);
    let page = render(&Report { samples: Some(Plate::new(picture, String::new())), ..Report::default() });
    assert!(page.contains("Not shown: the picture takes ") && page.len() < 200_000);
}

#[test]
fn what_fits_stays_below_the_limit_even_as_noise() {
    let noise = &mut Noise(5);
    for side in [8, 28, 64, 631] {
        let tile = Tile { width: side, height: side };
        let tiles: Vec<Vec<f32>> = (0..picture::fitting(500, tile))
            .map(|_| (0..side * side).map(|_| noise.next() as f32).collect())
            .collect();
        let bytes = picture::encode(&picture::grid(&tiles, side, side, 16, Tone::Grey)).len();
        assert!(bytes <= super::plate::BYTES, "{side}: {bytes} bytes");
    }
}

#[test]
fn units_are_counted_at_both_ends_and_binned() {
    let means = vec![0.0, 0.005, 0.5, 1.0, f32::NAN];
    let units = Units { means, idle: Idle::Ends { dead_below: 0.01, saturated_above: 0.99 } };
    let page = render(&Report { units: Some(units), ..Report::default() });
    assert!(page.contains("2 are dead (mean below 0.010) and 1 saturated (mean above 0.990)"));
    assert!(page.contains("1 have no finite mean"));
    let counts = &data(&page)[0]["series"][0]["values"];
    assert_eq!((&counts[0], &counts[10], &counts[19]), (&2.0.into(), &1.0.into(), &1.0.into()));
}
