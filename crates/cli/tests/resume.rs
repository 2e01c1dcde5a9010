//! Stops trainings in the hardest ways, and checks that what goes on from there gives the same bits.

mod common;

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{Done, Place};
use serde_json::Value;

/// Thirty epochs of 30 updates each: long enough to be met in the middle.
const ROWS: usize = 300;
const TRAIN: &str =
    "train digits.npy --binarize sample --hidden 16 --batch 10 --chains 20 --k 5 --betas 0 --json";
const RECIPES: [&str; 9] = [
    "--epochs 30 --centre 0.01 --momentum 0.9 --validation 20 --learning-rate 0.01",
    "--epochs 30 --adam --algorithm cd --decline constant",
    "--epochs 30 --adam --centre 0.1 --l1 1e-5 --seed 18446744073709551615",
    "--epochs 30 --algorithm fpcd --fast-rate 0.1",
    "--epochs 15 --algorithm pt --rungs 3 --lowest-beta 0.5",
    "--epochs 15 --algorithm ptt --threshold 0.99",
    "--epochs 15 --algorithm tap --order 3",
    "--epochs 30 --optimizer nesterov --average 0.99 --proximal 1e-3 --decline cosine",
    "--epochs 30 --optimizer rmsprop --average 1 --group-l1 0.01 --sparsity 0.1 --max-norm 2 --clip 1",
];
/// Bounds every wait, so that a test fails instead of hanging.
const PATIENCE: Duration = Duration::from_secs(120);

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

fn start(place: &Place, line: &str) -> Child {
    let mut command = place.command(&words(line));
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts")
}

/// Waits until a run has so many lines of figures or is over.
fn wait_for_epochs(place: &Place, child: &mut Child, run: &str, epochs: usize) {
    let begin = Instant::now();
    let lines =
        || fs::read_to_string(place.path(run).join("metrics.jsonl")).map_or(0, |text| text.lines().count());
    while lines() < epochs && child.try_wait().expect("a child").is_none() {
        assert!(begin.elapsed() < PATIENCE, "no epoch {epochs}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn kill(mut child: Child) {
    child.kill().expect("a child can be killed");
    child.wait().expect("a child ends");
}

/// Gives the lines of figures without what depends on time.
fn metrics(place: &Place, run: &str) -> Vec<Value> {
    let timeless = |line: &str| {
        let mut value: Value = serde_json::from_str(line).expect("a line of JSON");
        value.as_object_mut().expect("an object").remove("samples_per_second").expect("a rate");
        value
    };
    place.text(&format!("{run}/metrics.jsonl")).lines().map(timeless).collect()
}

fn checkpoints(place: &Place, run: &str) -> Vec<PathBuf> {
    let folder = fs::read_dir(place.path(run).join("checkpoints")).expect("a folder of checkpoints");
    let mut paths: Vec<PathBuf> = folder.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "hmn"));
    paths.sort();
    paths
}

/// Compares a run that was disturbed with one that was not.
#[track_caller]
fn same(place: &Place, whole: &str, disturbed: &str) {
    assert_eq!(metrics(place, whole), metrics(place, disturbed));
    assert!(place.read(&format!("{whole}/model.hmn")) == place.read(&format!("{disturbed}/model.hmn")));
    let digest = |run: &str| place.json(&format!("{run}/result.json"))["digest"].clone();
    assert_eq!(digest(whole), digest(disturbed));
    let last = |run: &str| fs::read(checkpoints(place, run).last().expect("a checkpoint")).expect("a file");
    assert!(last(whole) == last(disturbed), "the last checkpoints differ");
    for folder in [place.path(disturbed), place.path(disturbed).join("checkpoints")] {
        let names = fs::read_dir(folder).expect("a folder").map(|e| e.expect("an entry").file_name());
        assert!(names.into_iter().all(|name| !name.to_string_lossy().contains("tmp")), "a leftover stays");
    }
}

#[test]
fn a_run_killed_again_and_again_gives_the_same_bits() {
    for recipe in RECIPES {
        let place = Place::with_digits(ROWS);
        let whole = place.words(&format!("{TRAIN} {recipe} --out whole")).ok();
        let mut child = start(&place, &format!("{TRAIN} {recipe} --out run"));
        // A little later than the line: within the writing of the checkpoint, or in the next epoch.
        for (epochs, pause) in [(1, 0), (4, 1), (5, 7), (9, 3), (16, 0), (29, 2)] {
            wait_for_epochs(&place, &mut child, "run", epochs);
            std::thread::sleep(Duration::from_millis(pause));
            kill(child);
            child = start(&place, "train --resume run --json --threads 1");
        }
        let last = Done::from(child.wait_with_output().expect("a child ends")).ok();
        assert_eq!(whole.digest(), last.digest());
        same(&place, "whole", "run");
    }
}

#[test]
fn a_run_killed_before_its_first_checkpoint_begins_anew() {
    let place = Place::with_digits(ROWS);
    let whole = place.words(&format!("{TRAIN} {} --out whole", RECIPES[0])).ok();
    let mut child = start(&place, &format!("{TRAIN} {} --out run", RECIPES[0]));
    let begin = Instant::now();
    while !place.path("run/recipe.json").exists() && begin.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_micros(200));
    }
    assert!(child.try_wait().expect("a child").is_none(), "the run ended early");
    kill(child);
    // The kill may have come after an epoch: what it left is taken away.
    let _ = fs::remove_dir_all(place.path("run/checkpoints"));
    let done = place.words("train --resume run --json").ok();
    assert!(done.stderr.contains("no checkpoint yet"), "{}", done.stderr);
    assert_eq!(whole.digest(), done.digest());
    same(&place, "whole", "run");
}

#[test]
fn a_run_killed_while_it_is_finished_is_finished_anew() {
    let place = Place::with_digits(ROWS);
    let whole = place.words(&format!("{TRAIN} {} --out whole", RECIPES[1])).ok();
    let child = start(&place, &format!("{TRAIN} {} --out run", RECIPES[1]));
    let begin = Instant::now();
    while !place.path("run/model.hmn").exists() && begin.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(1));
    }
    kill(child);
    assert!(!place.path("run/result.json").exists(), "the kill came too late");
    assert_eq!(whole.digest(), place.words("train --resume run --json").ok().digest());
    same(&place, "whole", "run");
    assert!(place.path("run/report.html").exists());
}

/// Sends SIGINT as a terminal would.
#[cfg(unix)]
fn interrupt(child: &Child) {
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill runs");
    assert!(sent.success());
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_says_how_to_go_on_and_goes_on() {
    let place = Place::with_digits(ROWS);
    let whole = place.words(&format!("{TRAIN} {} --out whole", RECIPES[2])).ok();
    let mut child = start(&place, &format!("{TRAIN} {} --out run", RECIPES[2]));
    for epochs in [1, 6] {
        wait_for_epochs(&place, &mut child, "run", epochs);
        interrupt(&child);
        let begin = Instant::now();
        let done = Done::from(child.wait_with_output().expect("a child ends"));
        assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
        assert_eq!(done.code, Some(130), "{}", done.stderr);
        assert!(done.stderr.contains("go on with: harmonium train --resume run"), "{}", done.stderr);
        let saved = checkpoints(&place, "run");
        assert!(!saved.is_empty() && saved.len() <= 2, "{saved:?}");
        assert!(!place.path("run/model.hmn").exists());
        child = start(&place, "train --resume run --json");
    }
    let done = Done::from(child.wait_with_output().expect("a child ends")).ok();
    assert_eq!(whole.digest(), done.digest());
    same(&place, "whole", "run");
}

#[cfg(unix)]
#[test]
fn an_interrupted_ending_says_how_to_go_on() {
    let place = Place::with_digits(ROWS);
    let line =
        format!("{TRAIN} {} --out run", RECIPES[1]).replace("--betas 0", "--betas 10000000 --hidden 24");
    let child = start(&place, &line.replacen("--hidden 16", "", 1));
    let begin = Instant::now();
    while !place.path("run/model.hmn").exists() && begin.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(1));
    }
    interrupt(&child);
    let done = Done::from(child.wait_with_output().expect("a child ends"));
    assert_eq!(done.code, Some(130), "{}", done.stderr);
    assert!(done.stderr.contains("go on with: harmonium train --resume run"), "{}", done.stderr);
    assert!(!place.path("run/result.json").exists());
}

#[test]
fn more_epochs_equal_a_longer_run() {
    let place = Place::with_digits(ROWS);
    let recipe = "--decline constant --centre 0.01 --momentum 0.5";
    let long = place.words(&format!("{TRAIN} {recipe} --epochs 7 --out long")).ok();
    let short = place.words(&format!("{TRAIN} {recipe} --epochs 3 --out run")).ok();
    assert_ne!(long.digest(), short.digest());
    place.words("train --resume run --epochs 2").refused(2, &["epochs", "expected 3 or more, got 2"]);
    let done = place.words("train --resume run --epochs 7 --threads 2 --json --quiet").ok();
    assert_eq!(long.digest(), done.digest());
    same(&place, "long", "run");
    assert_eq!(place.text("long/recipe.json"), place.text("run/recipe.json"));
    // From no epoch at all, where there is no checkpoint.
    place.words(&format!("{TRAIN} {recipe} --epochs 0 --out none")).ok();
    assert_eq!(long.digest(), place.words("train --resume none --epochs 7 --json").ok().digest());
    same(&place, "long", "none");
}

#[test]
fn more_epochs_of_a_declining_rate_are_refused() {
    let place = Place::with_digits(ROWS);
    place.words(&format!("{TRAIN} --epochs 2 --out run")).ok();
    let before = place.snapshot();
    let done = place.words("train --resume run --epochs 3");
    done.refused(2, &["epochs", "expected 2, as a schedule of this run depends on it", "got 3"]);
    assert!(before == place.snapshot());
    place.words("train --resume run --epochs 2").ok();
}

#[test]
fn other_options_are_refused_beside_resume() {
    let place = Place::with_digits(ROWS);
    place.words(&format!("{TRAIN} --epochs 1 --out run")).ok();
    let before = place.snapshot();
    for option in [
        "--hidden 8",
        "--algorithm cd",
        "--k 2",
        "--chains 3",
        "--fast-rate 0.1",
        "--fast-decay 0.1",
        "--rungs 3",
        "--lowest-beta 0.1",
        "--threshold 0.1",
        "--order 3",
        "--damping 0.1",
        "--batch 5",
        "--learning-rate 0.1",
        "--decline constant",
        "--momentum 0.1",
        "--adam",
        "--optimizer adagrad",
        "--weight-decay 0.1",
        "--average 1",
        "--proximal 0.1",
        "--group-l1 0.1",
        "--sparsity 0.1",
        "--max-norm 1",
        "--clip 1",
        "--centre 0.01",
        "--l1 0.1",
        "--l2 0.1",
        "--validation 3",
        "--stop gap",
        "--seed 2",
        "--betas 0",
        "--binarize none",
        "--packed 3",
        "--array x",
        "--out other",
        "digits.npy",
    ] {
        let done = place.words(&format!("train --resume run {option}"));
        assert_eq!(done.code, Some(2), "{option}: {}", done.stderr);
        assert!(done.stderr.starts_with("error: ") && done.stderr.contains("--resume"), "{}", done.stderr);
    }
    assert!(before == place.snapshot());
}

#[test]
fn a_finished_run_can_be_resumed() {
    let place = Place::with_digits(ROWS);
    let first = place.words(&format!("{TRAIN} --epochs 2 --out run")).ok();
    let (model, figures) = (place.read("run/model.hmn"), place.read("run/metrics.jsonl"));
    let again = place.words("train --resume run --json").ok();
    assert_eq!(first.digest(), again.digest());
    assert_eq!(again.lines().len(), 1, "no epoch was left");
    assert!(model == place.read("run/model.hmn") && figures == place.read("run/metrics.jsonl"));
}

#[test]
fn a_damaged_checkpoint_is_named_and_the_one_before_it_used() {
    let place = Place::with_digits(ROWS);
    let first = place.words(&format!("{TRAIN} {} --out whole", RECIPES[0])).ok();
    for damage in ["flip", "cut", "empty"] {
        let _ = fs::remove_dir_all(place.path("run"));
        let mut child = start(&place, &format!("{TRAIN} {} --out run", RECIPES[0]));
        wait_for_epochs(&place, &mut child, "run", 8);
        kill(child);
        let newest = checkpoints(&place, "run").pop().expect("a checkpoint");
        let mut bytes = fs::read(&newest).expect("a file");
        match damage {
            "flip" => {
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
            }
            "cut" => bytes.truncate(bytes.len() / 2),
            _ => bytes.clear(),
        }
        fs::write(&newest, bytes).expect("a file is written");
        let name = newest.file_name().expect("a name").to_string_lossy().into_owned();
        let done = place.words("train --resume run --json").ok();
        assert!(done.stderr.contains(&name) && done.stderr.contains("was skipped"), "{}", done.stderr);
        assert_eq!(first.digest(), done.digest());
        same(&place, "whole", "run");
    }
}

#[test]
fn damage_to_all_checkpoints_is_an_error() {
    let place = Place::with_digits(ROWS);
    place.words(&format!("{TRAIN} --epochs 2 --out run")).ok();
    let paths = checkpoints(&place, "run");
    assert_eq!(paths.len(), 2);
    paths.iter().for_each(|path| fs::write(path, b"\x89HARMON\n").expect("a file is written"));
    let before = place.snapshot();
    place.words("train --resume run").refused(1, &["checkpoint-"]);
    assert!(before == place.snapshot());
}

#[test]
fn changed_or_missing_data_are_refused() {
    let place = Place::with_digits(ROWS);
    place.words(&format!("{TRAIN} --epochs 1 --out run")).ok();
    let whole = place.read("digits.npy");
    let mut changed = whole.clone();
    // The last row becomes black, which its drawn bits are not.
    let last_row = changed.len() - 4 * common::PIXELS;
    changed[last_row..].fill(0);
    let before = place.snapshot();
    place.write("digits.npy", changed);
    place
        .words("train --resume run")
        .refused(1, &["data at ", "digits.npy", "expected the rows of the run", "got digest"]);
    place.words("report run").refused(1, &["data at ", "digits.npy"]);
    fs::remove_file(place.path("digits.npy")).expect("a file is removed");
    place.words("train --resume run").refused(1, &["digits.npy"]);
    place.write("digits.npy", whole);
    assert!(before == place.snapshot());
    place.words("train --resume run").ok();
}

#[test]
fn what_is_no_run_cannot_be_resumed() {
    let place = Place::with_digits(ROWS);
    place.words("train --resume nowhere").refused(1, &["nowhere", "recipe.json"]);
    fs::create_dir(place.path("empty")).expect("a folder");
    place.words("train --resume empty").refused(1, &["recipe.json"]);
    place.write("empty/recipe.json", "{\"data\": 3}");
    place.words("train --resume empty").refused(1, &["recipe"]);
    assert_eq!(place.words("train").code, Some(2));
}

#[test]
fn a_run_has_one_writer() {
    let place = Place::with_digits(ROWS);
    let mut child =
        start(&place, &format!("{TRAIN} {} --out run", RECIPES[0]).replace("--epochs 30", "--epochs 3000"));
    wait_for_epochs(&place, &mut child, "run", 1);
    place.words("train --resume run").refused(1, &["lock", "held by one"]);
    kill(child);
}
