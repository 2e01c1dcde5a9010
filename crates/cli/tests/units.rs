//! Trains machines of units that are no bits, and carries out every command on them.

mod common;

use std::fmt::Write;

use common::{PIXELS, Place, number};
use harmonium_oracle::rng::Rng;
use ndarray::Array2;

const QUIET: &str = "--json --quiet --betas 60";

fn is_base64(c: char) -> bool {
    c.is_ascii_alphanumeric() || "+/=".contains(c)
}

/// Trains a run with one and with two threads to the same bits, and in two parts; gives its folder.
#[track_caller]
fn trained(place: &Place, data: &str) {
    let line = format!("train {data} {QUIET}");
    let one = place.words(&format!("{line} --epochs 4 --threads 1 --decline constant --out run")).ok();
    let two = place.words(&format!("{line} --epochs 4 --threads 2 --decline constant --out two")).ok();
    assert_eq!(one.digest(), two.digest());
    assert_eq!(place.read("run/model.hmn"), place.read("two/model.hmn"));
    place.words(&format!("{line} --epochs 2 --decline constant --out parts")).ok();
    let resumed = place.words("train --resume parts --epochs 4 --json --quiet").ok();
    assert_eq!(one.digest(), resumed.digest());
    let lines = one.lines();
    for line in &lines[..4] {
        assert!(number(&line["reconstruction_log_likelihood"]).is_finite());
        assert!(number(&line["reconstruction_error"]).is_finite());
    }
    let result = &lines[4]["result"];
    assert!(number(&result["chains"]["effective"]) > 0.0);
    let report = place.text("run/report.html");
    assert!(report.contains("Reconstruction log-likelihood"));
    // Pictures are letters at random, among which any word may be.
    let text = report.split("base64,").map(|part| part.trim_start_matches(is_base64)).collect::<Vec<_>>();
    assert!(text.iter().all(|part| !part.contains("NaN")), "{text:?}");
    place.words("report run --threads 1").ok();
    assert!(place.text("run/report.html") == report, "the report anew is another one");
}

/// Carries out what asks for a model and rows; `rows` has no gaps.
#[track_caller]
fn used(place: &Place, rows: &str, visible: usize) {
    let facts = &place.words("inspect run --json").ok().lines()[0];
    assert_eq!(facts["visible"], visible);
    let found =
        &place.words(&format!("evaluate run --data {rows} --json --betas 100 --force")).ok().lines()[0];
    assert!(number(&found["log_likelihood"]).is_finite());
    place.words(&format!("transform run --data {rows} --out features.npy")).ok();
    assert!(place.matrix("features.npy").iter().all(|x| x.is_finite()));
    place.words(&format!("reconstruct run --data {rows} --out back.npy")).ok();
    assert_eq!(place.matrix("back.npy").ncols(), visible);
    place.words("export run --out weights.npz").ok();
    for name in ["drawn.npy", "drawn.csv", "drawn.png"] {
        place.words(&format!("sample run --n 50 --sweeps 40 --out {name}")).ok();
    }
    // What is drawn can be read again.
    for name in ["drawn.npy", "drawn.csv"] {
        place.words(&format!("evaluate run --data {name} --betas 50 --force")).ok();
    }
}

#[test]
fn grey_pictures_are_trained_as_they_are() {
    let place = Place::with_digits(300);
    trained(&place, "digits.npy --visible gaussian");
    used(&place, "digits.npy", PIXELS);
    let report = place.text("run/report.html");
    assert!(report.contains("Black is 0, white is 1") && report.contains("Filters"));
    // Samples are in the units of the data: their mean is that of the rows, 0.3, within 3σ of 50 draws (3 · 0.4 / √50).
    let (rows, drawn) = (place.matrix("digits.npy"), place.matrix("drawn.npy"));
    assert!((rows.mean().unwrap() - drawn.mean().unwrap()).abs() < 0.17);
    assert_eq!(place.json("run/recipe.json")["hidden"]["bernoulli"], 128);
    place
        .words("evaluate run --data digits.npy --method pseudo")
        .refused(1, &["states that can be listed, got 64 Gaussian"]);
}

#[test]
fn counts_are_trained_with_poisson_units() {
    let place = Place::new();
    let mut rng = Rng::new(1);
    let counts: Vec<f32> =
        (0..300 * 6).map(|i| rng.below(2 + 4 * ((i / 6 + i % 6 / 3) % 2)) as f32).collect();
    place.npy("counts.npy", 300, 6, |r, c| counts[r * 6 + c]);
    trained(&place, "counts.npy --visible poisson --hidden 8,spin");
    used(&place, "counts.npy", 6);
    let drawn = place.matrix("drawn.npy");
    assert!(drawn.iter().all(|x| *x >= 0.0 && x.fract() == 0.0));
    assert!(place.text("run/report.html").contains("of samples"));
}

#[test]
fn words_are_trained_with_categorical_units() {
    let place = Place::new();
    let mut rng = Rng::new(2);
    let mut text = String::new();
    for _ in 0..300 {
        let first = rng.below(4);
        let word = |at: usize| ["A", "C", "G", "U"][at % 4];
        let line = [first, rng.below(4), first + 1, 3].map(word).join(",");
        writeln!(text, "{line}").unwrap();
    }
    place.write("sites.csv", &text);
    trained(&place, "sites.csv --visible categorical");
    used(&place, "sites.csv", 16);
    let drawn = place.text("drawn.csv");
    assert!(
        drawn.lines().all(|line| line.split(',').all(|word| ["A", "C", "G", "U"].contains(&word))),
        "{drawn}"
    );
    let schema = place.json("run/schema.json");
    assert_eq!(schema["columns"][0]["repeat"], 4);
    // The command of the report makes the same run.
    let digest = place.json("run/result.json")["digest"].clone();
    let done = place.words(&format!(
        "train sites.csv --schema run/schema.json {QUIET} --epochs 4 --decline constant --out again"
    ));
    assert_eq!(done.ok().digest(), digest);
}

/// Makes a table in which two kinds of plants differ in everything; one value in eight is missing.
fn garden(rows: usize) -> (String, String) {
    let mut rng = Rng::new(3);
    let (mut whole, mut gaps) = (String::from("id,tree,colour,height,birds\n"), String::new());
    gaps.push_str(&whole);
    for row in 0..rows {
        let tree = rng.bernoulli(0.5);
        let (low, colours) = if tree { (12.0, ["green", "brown"]) } else { (1.0, ["red", "green"]) };
        let colour = colours[usize::from(rng.bernoulli(0.2))];
        let birds = if tree { 4 + rng.below(5) } else { rng.below(2) };
        let cells = [
            if tree { "yes" } else { "no" }.to_owned(),
            colour.into(),
            format!("{:.2}", low + rng.uniform()),
            birds.to_string(),
        ];
        writeln!(whole, "p{row:03},{}", cells.join(",")).unwrap();
        let cells =
            cells.map(|cell| if rng.bernoulli(0.125) { ["", "NA", "?"][rng.below(3)].into() } else { cell });
        writeln!(gaps, "p{row:03},{}", cells.join(",")).unwrap();
    }
    (whole, gaps)
}

#[test]
fn tables_with_gaps_are_trained_and_filled() {
    let place = Place::new();
    let (whole, gaps) = garden(400);
    place.write("garden.csv", &gaps);
    place.write("whole.csv", &whole);
    place.write(
        "schema.json",
        r#"{"columns": [{"name": "birds", "kind": "poisson"}, {"name": "id", "kind": "ignore"}]}"#,
    );
    trained(&place, "garden.csv --schema schema.json --validation 50");
    used(&place, "whole.csv", 6);
    place.words("train garden.csv --schema schema.json --epochs 60 --betas 0 --out long --quiet").ok();
    place.words("impute garden.csv --model long --out filled.csv").ok();
    let filled = place.text("filled.csv");
    assert!(filled.starts_with(
        "id,tree,colour,height,birds,tree probability,colour probability,height deviation,birds deviation\n"
    ));
    let lines = || whole.lines().zip(gaps.lines()).zip(filled.lines()).skip(1);
    let (mut asked, mut right, mut near) = (0, 0, Vec::new());
    for ((truth, seen), filled) in lines() {
        let [truth, seen, filled] = [truth, seen, filled].map(|line| line.split(',').collect::<Vec<_>>());
        for column in 0..5 {
            let known = !["", "NA", "?"].contains(&seen[column]);
            assert!(!known || filled[column] == seen[column], "{seen:?} became {filled:?}");
            asked += usize::from(!known && column == 1);
            right += usize::from(!known && column == 1 && filled[1] == truth[1]);
            if !known && column == 3 {
                let error = filled[3].parse::<f32>().unwrap() - truth[3].parse::<f32>().unwrap();
                near.push(error.abs());
            }
        }
    }
    // The rest of a row tells a tree with certainty, unless it is missing, too (1/8³ of the rows at least two of three).
    assert!(asked > 20 && right as f32 > 0.9 * asked as f32, "{right} of {asked}");
    let mean = near.iter().sum::<f32>() / near.len() as f32;
    assert!(mean < 2.0, "heights miss by {mean}, and by 5.5 where nothing is known");
    place.words("impute garden.csv --model long --out again.csv --threads 1").ok();
    assert_eq!(place.text("again.csv"), filled);
    let nameless = gaps.split_once('\n').expect("a header").1;
    place.write("nameless.csv", nameless);
    place.words("impute nameless.csv --model long --out nameless-filled.csv").ok();
    let body = filled.split_once('\n').expect("a header").1;
    assert_eq!(place.text("nameless-filled.csv"), body, "no header becomes none");
    let done = place.words("evaluate long --data garden.csv --quiet").ok();
    assert!(done.stdout.contains("log-likelihood"), "{}", done.stdout);
}

#[test]
fn bits_that_are_named_are_the_bits_they_were() {
    let place = Place::with_digits(200);
    let line = "train digits.npy --binarize threshold --hidden 6 --epochs 2 --betas 0 --json --quiet --out";
    let plain = place.words(&format!("{line} plain")).ok();
    let named = place.words(&format!("{line} named --visible bernoulli")).ok();
    assert_eq!(plain.digest(), named.digest());
    place.words(&format!("{line} spins --visible spin")).ok();
    place.words("evaluate spins --data digits.npy --binarize threshold").ok();
    place.words("sample spins --n 5 --sweeps 5 --out spins.npy").ok();
    assert!(place.matrix("spins.npy").iter().all(|x| x.abs() == 1.0));
}

/// Every pair of kinds of which one is bounded trains on small rows with the defaults, and no number runs away.
#[test]
fn defaults_train_every_pair_of_kinds() {
    let place = Place::new();
    let mut rng = Rng::new(5);
    let value = |kind: &str, rng: &mut Rng| match kind {
        "bernoulli" => rng.below(2) as f32,
        "spin" => 2.0 * rng.below(2) as f32 - 1.0,
        "categorical" | "binomial" | "poisson" => rng.below(4) as f32,
        "relu" => 30.0 * rng.uniform() as f32,
        _ => 500.0 + 20.0 * rng.normal() as f32,
    };
    let hidden = ["bernoulli", "spin", "categorical:3", "gaussian", "relu", "binomial:3", "poisson"];
    let visible =
        ["bernoulli", "spin", "categorical", "gaussian", "diagonal", "relu", "drelu", "binomial", "poisson"];
    for kind in visible {
        let values = Array2::from_shape_simple_fn((120, 5), || value(kind, &mut rng));
        place.npy("rows.npy", 120, 5, |r, c| values[(r, c)]);
        for other in hidden {
            let line = format!(
                "train rows.npy --visible {kind} --hidden 4,{other} --epochs 5 --betas 30 --json --out {kind}-{other}"
            );
            let done = place.words(&line);
            let unbounded = |kind: &str| ["gaussian", "diagonal", "relu", "drelu", "poisson"].contains(&kind);
            if unbounded(kind) && unbounded(other) {
                done.refused(2, &["units: expected one layer of bounded units"]);
                continue;
            }
            let done = done.ok();
            assert!(
                done.lines()[..5].iter().all(|line| number(&line["reconstruction_error"]).is_finite()),
                "{line}"
            );
        }
    }
}
