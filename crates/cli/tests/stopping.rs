//! Ends trainings early, kills them on the way, and looks at what the checks say about sick ones.

mod common;

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use common::Place;
use serde_json::Value;

const ROWS: usize = 300;
/// Few rows, many units and a high rate: the machine soon knows its rows by heart.
const TRAIN: &str = "train digits.npy --binarize threshold --hidden 64 --batch 10 --betas 0 --json --validation 200 \
                     --decline constant --learning-rate 0.1 --epochs 400";

fn figures(place: &Place, run: &str) -> Vec<Value> {
    let lines = place.text(&format!("{run}/metrics.jsonl"));
    let timeless = |line: &str| {
        let mut value: Value = serde_json::from_str(line).expect("a line of JSON");
        value.as_object_mut().expect("an object").remove("samples_per_second");
        value
    };
    lines.lines().map(timeless).collect()
}

fn findings(remarks: &Value) -> Vec<&str> {
    let each = remarks.as_array().into_iter().flatten();
    each.map(|remark| remark["finding"].as_str().expect("a finding")).collect()
}

/// Gives the findings of the finished machine, and those of all epochs.
fn diagnosis(place: &Place, run: &str) -> (Vec<String>, Vec<String>) {
    let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect::<Vec<_>>();
    let result = place.json(&format!("{run}/result.json"));
    let lines = figures(place, run);
    let seen = lines.iter().flat_map(|line| owned(findings(&line["remarks"])));
    (owned(findings(&result["remarks"])), seen.collect())
}

#[test]
fn trainings_stop_by_every_judge_with_their_best_state() {
    for by in ["gap", "pseudo", "moments"] {
        let place = Place::with_digits(ROWS);
        let done = place.words(&format!("{TRAIN} --stop {by} --patience 3 --out run")).ok();
        let result = place.json("run/result.json");
        let (stopped, lines) = (&result["stopped"], figures(&place, "run"));
        let best = stopped["best_epoch"].as_u64().expect("an epoch");
        assert!(stopped["early"] == true && lines.len() as u64 == best + 3, "{by}: {stopped}");
        let score = |n: usize| lines[n]["score"].as_f64().expect("a score");
        let most = (0..lines.len()).map(score).fold(f64::NEG_INFINITY, f64::max);
        assert_eq!((stopped["score"].as_f64(), score(best as usize - 1)), (Some(most), most), "{by}");
        assert_eq!(result["steps"], lines[best as usize - 1]["step"]);
        assert!(done.stderr.contains("was put back"), "{}", done.stderr);
        // The same run, ended after its best epoch, has the same parameters.
        let short = TRAIN.replace("--epochs 400", &format!("--epochs {best}"));
        assert_eq!(place.words(&format!("{short} --out short")).ok().digest(), done.digest(), "{by}");
        // Every command takes the best state, and the report can be written anew.
        let inspected = place.words("inspect run --json").ok();
        assert_eq!(inspected.lines()[0]["step"], result["steps"], "{}", inspected.stdout);
        place.words("report run").ok();
        assert!(place.text("run/report.html").contains(&format!("the state of epoch {best} was put back")));
    }
}

#[test]
fn a_stopping_run_killed_again_and_again_gives_the_same_bits() {
    let place = Place::with_digits(ROWS);
    let line = format!("{TRAIN} --stop pseudo --patience 8");
    let whole = place.words(&format!("{line} --out whole")).ok();
    let total = figures(&place, "whole").len();
    let spawn = |line: &str| {
        let mut command = place.command(&line.split_whitespace().collect::<Vec<_>>());
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts")
    };
    let mut child = spawn(&format!("{line} --out run"));
    for epochs in [1, total / 2, total - 1, total] {
        let begin = Instant::now();
        let lines =
            || fs::read_to_string(place.path("run/metrics.jsonl")).map_or(0, |text| text.lines().count());
        while lines() < epochs && child.try_wait().expect("a child").is_none() {
            assert!(begin.elapsed() < Duration::from_secs(120), "no epoch {epochs}");
            std::thread::sleep(Duration::from_millis(1));
        }
        let _ = child.kill();
        child.wait().expect("a child ends");
        child = spawn("train --resume run");
    }
    assert!(child.wait().expect("a child ends").success());
    let again = place.words("train --resume run --json").ok();
    assert_eq!(again.digest(), whole.digest());
    assert_eq!(figures(&place, "whole"), figures(&place, "run"));
    assert!(place.read("whole/model.hmn") == place.read("run/model.hmn"));
    assert!(place.read("whole/best.hmn") == place.read("run/best.hmn"));
    let stopped = |run: &str| place.json(&format!("{run}/result.json"))["stopped"].clone();
    assert_eq!(stopped("whole"), stopped("run"));
    assert_eq!(diagnosis(&place, "whole"), diagnosis(&place, "run"));
}

#[test]
fn stopping_is_refused_without_rows_to_judge_by() {
    let place = Place::with_digits(20);
    let line = "train digits.npy --binarize threshold --hidden 2 --betas 0 --out run";
    place
        .words(&format!("{line} --stop gap"))
        .refused(2, &["stop", "expected --validation N", "got gap alone"]);
    place
        .words(&format!("{line} --validation 5 --stop gap --patience 0"))
        .refused(2, &["patience", "1 or more"]);
    assert_eq!(place.words(&format!("{line} --patience 3")).code, Some(2));
    assert_eq!(place.words(&format!("{line} --validation 5 --stop never")).code, Some(2));
    assert!(!place.path("run").exists());
}

/// Another state in the place of the best one would be taken for it.
#[test]
fn a_best_state_of_another_epoch_is_refused() {
    let place = Place::with_digits(ROWS);
    place.words(&format!("{TRAIN} --stop pseudo --patience 3 --out run")).ok();
    let saved = place.read("run/best.hmn");
    let first =
        fs::read_dir(place.path("run/checkpoints")).expect("a folder").map(|e| e.expect("an entry").path());
    let last = first.filter(|path| path.extension().is_some_and(|e| e == "hmn")).max().expect("a checkpoint");
    fs::copy(last, place.path("run/best.hmn")).expect("a copy");
    place
        .words("train --resume run")
        .refused(1, &["best.hmn", "the best of metrics.jsonl", "got that of step"]);
    fs::remove_file(place.path("run/best.hmn")).expect("a file");
    place.words("train --resume run").refused(1, &["best.hmn"]);
    place.write("run/best.hmn", saved);
    place.words("train --resume run").ok();
}

#[test]
fn healthy_runs_hear_nothing() {
    let place = Place::with_digits(1797);
    let line =
        "train digits.npy --binarize threshold --hidden 64 --epochs 20 --betas 0 --validation 300 --out run";
    let done = place.words(line).ok();
    assert_eq!(diagnosis(&place, "run"), (vec![], vec![]), "{}", done.stderr);
    assert_eq!(place.json("run/result.json")["guard"]["rollbacks"], 0);
    assert!(place.text("run/report.html").contains("found nothing wrong"));
}

/// Each line of options makes one sickness, and the first remark that it must give.
#[test]
fn sick_runs_are_told_what_to_do() {
    let place = Place::with_digits(ROWS);
    place.npy("inverted.npy", ROWS, common::PIXELS, |r, c| f32::from(u8::from((r * 7 + c * c) % 11 > 1)));
    let line = "train digits.npy --binarize threshold --batch 10 --betas 0 --decline constant";
    for (options, finding, words) in [
        ("--hidden 32 --epochs 3 --learning-rate 1e-7", "rate-too-low", "raise the learning rate"),
        ("--hidden 32 --epochs 3 --learning-rate 0.5 --l2 10", "rate-too-high", "lower the learning rate"),
        ("--epochs 400 --validation 260 --hidden 100", "overfitting", "stop earlier"),
        (
            "--hidden 32 --epochs 3 --learning-rate 100 --centre 0",
            "exploding-weights",
            "raise the L2 penalty",
        ),
    ] {
        let _ = fs::remove_dir_all(place.path("run"));
        let done = place.words(&format!("{line} {options} --out run")).ok();
        let (last, seen) = diagnosis(&place, "run");
        assert!(last.iter().any(|name| name == finding), "{options}: {last:?}");
        assert!(seen.iter().any(|name| name == finding), "{options}: {seen:?}");
        let told = |text: &str| text.lines().any(|line| line.contains(words) && line.contains("(--"));
        assert!(told(&done.stderr), "{options}: {}", done.stderr);
        assert!(place.text("run/report.html").contains(words), "{options}");
        let guard = &place.json("run/result.json")["guard"];
        let (rollbacks, lowest) = (guard["rollbacks"].as_i64().expect("a count"), &guard["lowest_rate"]);
        assert_eq!(rollbacks > 0, options.contains("--l2"), "{options}: {guard}");
        assert_eq!(lowest.as_f64(), Some(0.5_f64.powi(rollbacks as i32)), "{options}: {guard}");
    }
    let inverted = line.replace("digits.npy --binarize threshold", "inverted.npy");
    place.words(&format!("{inverted} --hidden 16 --epochs 1 --centre 0 --out inverted")).ok();
    assert!(diagnosis(&place, "inverted").0.contains(&"uncentred".to_owned()));
    place.words(&format!("{inverted} --hidden 16 --epochs 1 --out centred")).ok();
    assert!(!diagnosis(&place, "centred").0.contains(&"uncentred".to_owned()));
}
