//! Trains and uses stacks on digits: every model from its first phase to its report, resumed in any of them.

mod common;

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use common::{Done, Place, number};

/// Rows of digits; every sixth of them, the last ones, judges.
const ROWS: usize = 300;
/// Small layers, so that each model takes a second or two.
const SMALL: &str = "--epochs 2 --batch 20 --binarize threshold --seed 3 --json --betas 50";
const MODELS: [&str; 4] = [
    "--model dbn --layers 16,12 --labels labels.csv --tune-epochs 2",
    "--model dbn --layers 12,8 --tune-epochs 0",
    "--model dbm --layers 12,8 --tune-epochs 3",
    "--model autoencoder --layers 24,2 --tune-epochs 4",
];
/// Bounds every wait, so that a test fails instead of hanging.
const PATIENCE: Duration = Duration::from_secs(120);

/// Gives digits with their classes beside them.
fn place() -> Place {
    let place = Place::with_digits(ROWS);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/digits/digits.csv.gz");
    let mut text = String::new();
    let file = fs::File::open(path).expect("data/digits");
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).expect("gzip");
    let label = |line: &str| line.rsplit(',').next().expect("a label").to_owned() + "\n";
    place.write("labels.csv", text.lines().take(ROWS).map(label).collect::<String>());
    place
}

fn start(place: &Place, line: &str) -> Child {
    let words: Vec<&str> = line.split_whitespace().collect();
    place.command(&words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts")
}

/// Kills a run once it has so many lines of figures.
fn kill_at(place: &Place, mut child: Child, run: &str, lines: usize) {
    let begin = Instant::now();
    let count =
        || fs::read_to_string(place.path(run).join("metrics.jsonl")).map_or(0, |text| text.lines().count());
    while count() < lines && child.try_wait().expect("a child").is_none() {
        assert!(begin.elapsed() < PATIENCE, "no line {lines}");
        std::thread::sleep(Duration::from_millis(2));
    }
    let _ = child.kill();
    child.wait().expect("a child ends");
}

/// Gives the lines of figures without what depends on time.
fn metrics(place: &Place, run: &str) -> Vec<serde_json::Value> {
    let timeless = |line: &str| {
        let mut value: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
        value.as_object_mut().expect("an object").remove("samples_per_second").expect("a rate");
        value
    };
    place.text(&format!("{run}/metrics.jsonl")).lines().map(timeless).collect()
}

#[track_caller]
fn same(place: &Place, whole: &str, run: &str) {
    assert!(
        place.read(&format!("{whole}/model.hmn")) == place.read(&format!("{run}/model.hmn")),
        "{run}: model"
    );
    assert_eq!(metrics(place, whole), metrics(place, run));
    let digest = |run: &str| place.json(&format!("{run}/result.json"))["digest"].clone();
    assert_eq!(digest(whole), digest(run));
}

/// A run that is killed in each of its phases goes on to the same bits, with another number of threads.
#[test]
fn a_run_killed_in_any_phase_gives_the_same_bits() {
    for model in MODELS {
        let place = place();
        let whole = place.words(&format!("train digits.npy {model} {SMALL} --out whole")).ok();
        let lines = metrics(&place, "whole").len();
        let mut child = start(&place, &format!("train digits.npy {model} {SMALL} --out run"));
        for at in 1..=lines {
            kill_at(&place, child, "run", at);
            child = start(&place, "train --resume run --json --threads 1");
        }
        let last = Done::from(child.wait_with_output().expect("a child ends")).ok();
        assert_eq!(whole.digest(), last.digest(), "{model}");
        same(&place, "whole", "run");
        for file in ["recipe.json", "result.json", "report.html"] {
            assert!(place.path("whole").join(file).is_file(), "{model}: {file}");
        }
    }
}

/// A classifier is trained from each model that can be one's start, and beside it one from a random start.
#[test]
fn classifiers_start_from_every_model() {
    let place = place();
    place.words(&format!("train digits.npy {} {SMALL} --out dbn", MODELS[0])).ok();
    place.words(&format!("train digits.npy {} {SMALL} --out dbm", MODELS[2])).ok();
    place
        .words("train digits.npy --hidden 16 --binarize threshold --epochs 2 --betas 0 --quiet --out rbm")
        .ok();
    let options = "--data digits.npy --binarize threshold --labels labels.csv --epochs 24 --batch 10 --rate 0.5 --json --random";
    for model in ["dbn", "dbm", "rbm"] {
        let done = place.words(&format!("finetune {model} {options} --out {model}-classes")).ok();
        let result = &done.lines().pop().expect("a last line")["result"];
        assert_eq!(result["model"], "classifier");
        assert!(result["random_digest"].is_string() && result["confusion"].is_array());
        let line =
            format!("predict {model}-classes --data digits.npy --binarize threshold --labels labels.csv");
        let told = place.words(&format!("{line} --json --out p.npy")).ok();
        // Ten classes: guessing is 90 % wrong.
        let wrong = number(&told.lines()[0]["error_rate"]);
        assert!(wrong < 0.7, "{model}: {wrong}");
        let p = place.matrix("p.npy");
        assert_eq!(p.dim(), (ROWS, 10));
        // Ten numbers of f32 that a softmax has made.
        assert!(p.rows().into_iter().all(|row| (row.sum() - 1.0).abs() < 1e-5));
        place.words(&format!("{line} --out p.csv")).ok();
        assert_eq!(place.text("p.csv").lines().count(), ROWS + 1);
        place
            .words(&format!("evaluate {model}-classes --data digits.npy --binarize threshold"))
            .refused(2, &["evaluate"]);
    }
    place.words("predict dbn --data digits.npy --binarize threshold --labels labels.csv --json").ok();
    place.words("predict dbm --data digits.npy --binarize threshold").refused(1, &["classes"]);
    // A killed fine-tuning goes on in either of its networks.
    for lines in [3, 26] {
        let out = format!("killed-{lines}");
        kill_at(&place, start(&place, &format!("finetune dbn {options} --out {out}")), &out, lines);
        place.words(&format!("train --resume {out} --quiet")).ok();
        same(&place, "dbn-classes", &out);
        assert!(place.read("dbn-classes/random.hmn") == place.read(&format!("{out}/random.hmn")));
    }
    // Bits that are drawn anew in each epoch are those of the epoch, wherever the training was killed; of grey values other ones.
    let drawn = "finetune dbn --data digits.npy --labels labels.csv --epochs 4 --batch 10 --json --binarize";
    place.words(&format!("{drawn} none --out grey")).ok();
    place.words(&format!("{drawn} sample --out drawn")).ok();
    kill_at(&place, start(&place, &format!("{drawn} sample --out drawn-killed")), "drawn-killed", 2);
    place.words("train --resume drawn-killed --quiet").ok();
    same(&place, "drawn", "drawn-killed");
    assert!(place.read("drawn/model.hmn") != place.read("grey/model.hmn"));
}

/// Codes go out and come back; bits are those of the codes; samples, features and figures come from stacks as from machines.
#[test]
fn stacks_are_used_as_machines_are() {
    let place = place();
    place.words(&format!("train digits.npy {} {SMALL} --out codes", MODELS[3])).ok();
    place.words("encode codes --data digits.npy --out codes.npy --quiet").ok();
    place.words("encode codes --data digits.npy --out bits.npy --binary --quiet").ok();
    place.words("decode codes --codes codes.npy --out back.npy --quiet").ok();
    place.words("reconstruct codes --data digits.npy --out again.npy --quiet").ok();
    assert_eq!(place.matrix("codes.npy").dim(), (ROWS, 2));
    assert_eq!(place.matrix("back.npy"), place.matrix("again.npy"));
    let bits: ndarray::Array2<u8> = ndarray_npy::read_npy(place.path("bits.npy")).expect("bits");
    assert_eq!(bits, place.matrix("codes.npy").mapv(|x| u8::from(x > 0.0)));
    place.words(&format!("train digits.npy {} {SMALL} --out dbn", MODELS[0])).ok();
    place.words(&format!("train digits.npy {} {SMALL} --out dbm", MODELS[2])).ok();
    for (model, code, kind) in [("dbn", 12, "dbn"), ("dbm/model.hmn", 8, "dbm")] {
        place.words(&format!("sample {model} --n 9 --sweeps 20 --out s.npy --quiet")).ok();
        let drawn: ndarray::Array2<u8> = ndarray_npy::read_npy(place.path("s.npy")).expect("bits");
        assert!(drawn.dim() == (9, 64) && drawn.iter().all(|&bit| bit < 2));
        place.words(&format!("sample {model} --n 9 --sweeps 20 --out s.png --quiet")).ok();
        place
            .words(&format!("transform {model} --data digits.npy --binarize threshold --out f.npy --quiet"))
            .ok();
        assert_eq!(place.matrix("f.npy").dim(), (ROWS, code));
        let line = "--data digits.npy --binarize threshold --betas 100 --json";
        let told = place.words(&format!("evaluate {model} {line}")).ok();
        let figure = &told.lines()[0];
        let [low, high] = [0, 1].map(|end| number(&figure["interval"][end]));
        assert!(low <= number(&figure["value"]) && number(&figure["value"]) <= high && high < 0.0);
        assert_eq!(place.words(&format!("inspect {model} --json")).ok().lines()[0]["kind"], kind);
    }
    place.words("sample dbn --n 4 --sweeps 20 --class 7 --out s.csv --quiet").ok();
    place.words("sample dbn --class 10 --out s.csv").refused(2, &["class", "below 10", "10"]);
    place.words("sample dbm --class 1 --out s.csv").refused(2, &["class"]);
    place.words("sample codes --out s.npy").refused(1, &["autoencoder"]);
    place.words("decode dbn --codes codes.npy --out x.npy").refused(1, &["an autoencoder", "dbn"]);
    place.words("decode codes --codes f.npy --out x.npy").refused(1, &["2 columns", "8 columns"]);
    place.words("finetune codes --data digits.npy --labels labels.csv").refused(1, &["dbn", "autoencoder"]);
    let before = place.read("dbn/report.html");
    place.words("report dbn").ok();
    assert!(before == place.read("dbn/report.html"), "the report anew is the report");
}

/// What is wrong is named, and nothing is written or overwritten.
#[test]
fn bad_input_is_named_and_leaves_no_trace() {
    let place = place();
    let classes = |name: &str, of: &dyn Fn(usize) -> String| {
        place.write(name, (0..ROWS).map(|row| of(row) + "\n").collect::<String>());
    };
    classes("half.csv", &|row| if row == 5 { "1.5".into() } else { (row % 2).to_string() });
    classes("one.csv", &|_| "4".into());
    classes("high.csv", &|row| (1000 * (row % 2)).to_string());
    place.write("short.csv", "0\n1\n");
    place.words(&format!("train digits.npy {} {SMALL} --out run", MODELS[1])).ok();
    let before = place.snapshot();
    let train = "train digits.npy --binarize threshold --model dbn";
    let refusals: [(&str, i32, &[&str]); 16] = [
        ("--layers 0", 2, &["layers", "1 to 65536", "0"]),
        ("--layers 10,0,5", 2, &["layers", "0"]),
        ("--layers", 2, &["layers"]),
        ("--layers 1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1", 2, &["16", "17"]),
        ("--layers 8 --labels half.csv", 1, &["half.csv", "row 5", "whole number", "1.5"]),
        ("--layers 8 --labels one.csv", 1, &["labels", "two classes", "class 4 alone"]),
        ("--layers 8 --labels high.csv", 1, &["high.csv", "row 1", "999", "1000"]),
        ("--layers 8 --labels short.csv", 1, &["short.csv", "300", "2 x 1"]),
        ("--layers 8 --labels absent.csv", 1, &["absent.csv"]),
        ("--layers 8 --epochs 2 --out run", 2, &["out", "run"]),
        ("--layers 8 --batch 0", 2, &["batch", "1 or more"]),
        ("--layers 8 --tune-rate -1", 2, &["learning_rate", "-1"]),
        ("--layers 8 --momentum 0.5", 2, &["momentum"]),
        ("--layers 8 --hidden 5", 2, &["hidden"]),
        ("--layers 8 --binary-codes", 2, &["binary-codes", "autoencoder"]),
        ("--layers 8 --profile", 2, &["profile"]),
    ];
    for (options, code, words) in refusals {
        place.words(&format!("{train} {options}")).refused(code, words);
    }
    let others: [(&str, i32, &[&str]); 6] = [
        ("train digits.npy --binarize threshold --model gan", 2, &["gan", "dbn", "autoencoder"]),
        ("train digits.npy --binarize threshold --layers 8", 2, &["layers", "--model"]),
        ("train digits.npy --model dbn --layers 8", 1, &["0 or 1"]),
        ("train --resume run --epochs 5", 2, &["epochs"]),
        ("finetune run --data digits.npy", 2, &["labels"]),
        ("finetune run --data digits.npy --labels labels.csv --dropout 1", 2, &["dropout", "below 1"]),
    ];
    for (line, code, words) in others {
        place.words(line).refused(code, words);
    }
    assert!(place.snapshot() == before, "a refused command left a trace");
}
