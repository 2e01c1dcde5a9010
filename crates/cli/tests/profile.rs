//! Checks that `train --profile` tells where the time went and changes no bit of the result.

mod common;

use common::{Place, keys, number};
use serde_json::Value;

const ROWS: usize = 200;
/// Eight updates an epoch, the last of them with 18 rows only.
const TRAIN: &str =
    "train digits.npy --binarize threshold --hidden 8 --epochs 3 --batch 26 --betas 0 --quiet --seed 5";
const STEPS: u64 = 24;

fn train(place: &Place, options: &str) -> Value {
    let done = place.words(&format!("{TRAIN} {options} --json")).ok();
    done.lines().pop().expect("a last line")["result"].take()
}

fn stage<'a>(profile: &'a Value, name: &str) -> &'a Value {
    let stages = profile["stages"].as_array().expect("stages");
    stages.iter().find(|stage| stage["stage"] == name).unwrap_or_else(|| panic!("no {name:?} in {stages:?}"))
}

#[test]
fn a_profile_changes_no_bit() {
    for recipe in ["--algorithm cd --k 2", "--algorithm pcd --chains 30 --momentum 0.5 --centre 0.05"] {
        let place = Place::with_digits(ROWS);
        let plain = train(&place, &format!("{recipe} --out plain"));
        let profiled = train(&place, &format!("{recipe} --out profiled --profile"));
        assert_eq!(plain["digest"], profiled["digest"], "{recipe}");
        assert!(place.read("plain/model.hmn") == place.read("profiled/model.hmn"), "{recipe}");
        assert_eq!(keys(&plain).len() + 1, keys(&profiled).len(), "a profile only where it is asked for");
        assert_eq!(place.json("profiled/result.json"), profiled);
    }
}

#[test]
fn the_stages_of_a_step_are_counted_and_add_up() {
    let place = Place::with_digits(ROWS);
    let result = train(&place, "--algorithm pcd --chains 30 --k 2 --profile --out run");
    let profile = &result["profile"];
    assert_eq!(profile["steps"], STEPS);
    // Both phases have means of the hidden units, and the chains two sweeps.
    for (name, calls, products) in [
        ("rows of the batch", STEPS, None),
        ("means of h", 2 * STEPS, Some(600 + 24 * 30)),
        ("h given v", 2 * STEPS, Some(2 * 24 * 30)),
        ("v given h", 2 * STEPS, Some(2 * 24 * 30)),
        ("transposition of v", 2 * STEPS, None),
        ("statistics and update", STEPS, Some(600 + 24 * 30)),
        ("observer", STEPS, None),
        ("other", STEPS, None),
    ] {
        let stage = stage(profile, name);
        assert_eq!(stage["calls"], calls, "{name}");
        let Some(rows) = products else {
            assert!(stage["gflops"].is_null() && stage["share_of_peak"].is_null(), "{name}");
            continue;
        };
        // The rate is 2 · rows · 64 · 8 operations over the time; both are printed to 15 digits and more.
        let seconds = number(&stage["microseconds_per_step"]) * 1e-6 * STEPS as f64;
        let operations = number(&stage["gflops"]) * 1e9 * seconds;
        assert!((operations / f64::from(2 * rows * 64 * 8) - 1.0).abs() < 1e-9, "{name}: {operations}");
        let of_peak = number(&stage["gflops"]) / number(&profile["peak_gflops"]);
        assert!((of_peak - number(&stage["share_of_peak"])).abs() < 1e-9, "{name}");
    }
    let sum = |key: &str| profile["stages"].as_array().unwrap().iter().map(|s| number(&s[key])).sum::<f64>();
    // What is left is the difference to the whole, so only rounding is left of the sums.
    assert!((sum("share") - 1.0).abs() < 1e-9);
    let step = number(&profile["microseconds_per_step"]);
    assert!((sum("microseconds_per_step") / step - 1.0).abs() < 1e-9);
    // 200 rows in three epochs.
    let samples = number(&profile["samples_per_second"]) * step * 1e-6 * STEPS as f64;
    assert!((samples - 600.0).abs() < 1e-6, "{samples}");
}

#[test]
fn a_person_gets_a_table() {
    let place = Place::with_digits(ROWS);
    let text = place.words(&format!("{TRAIN} --profile --out run")).ok().stdout;
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("stage ") && lines[0].ends_with("GFLOP/s  of peak"), "{text}");
    for name in ["means of h", "v given h", "statistics and update"] {
        let line = lines.iter().find(|line| line.starts_with(name)).expect(name);
        assert_eq!(line.matches('%').count(), 2, "{line}");
    }
    assert!(lines.iter().any(|line| line.starts_with("step") && line.ends_with("samples/s")), "{text}");
    assert!(text.contains("peak of table look-ups on this machine, measured now: "), "{text}");
    let plain = place.words(&format!("{TRAIN} --out plain")).ok().stdout;
    assert!(!plain.contains("peak"), "{plain}");
    // A run whose training is done has no step left to tell of.
    let again = place.words("train --resume run --profile --quiet").ok().stdout;
    assert!(again.contains("peak of table look-ups") && !again.contains("NaN"), "{again}");
}
