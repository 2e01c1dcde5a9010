//! Checks that neither the number of threads nor the back end changes a bit of what `train` gives.

mod common;

use common::{Done, Place};
use harmonium::Backend;

/// Batches of 50 leave a short last one; 20 chains differ from the batch; the guard's grid moves with the momentum.
const TRAIN: &str = "train digits.npy --hidden 12 --epochs 2 --batch 50 --betas 0 --seed 7 --json --quiet";
const RECIPES: [&str; 13] = [
    "--binarize sample --algorithm cd --k 2 --momentum 0.5",
    "--binarize threshold --algorithm cd --centre 0.01 --l1 1e-4",
    "--binarize sample --algorithm pcd --chains 20 --centre 0.05 --momentum 0.9",
    "--binarize threshold --algorithm pcd --chains 70 --adam --decline constant",
    "--binarize sample --algorithm pcd --k 3 --adam --centre 0.01 --l2 1e-3 --validation 17",
    "--binarize threshold --algorithm fpcd --chains 20 --fast-rate 0.1 --fast-decay 0.9",
    "--binarize threshold --algorithm pt --chains 20 --rungs 4 --lowest-beta 0.2",
    "--binarize threshold --algorithm exact",
    "--binarize threshold --algorithm pl",
    "--binarize threshold --algorithm tap --chains 20 --order 3 --damping 0.3",
    "--binarize sample --optimizer nesterov --average 0.9 --proximal 1e-3 --decline cosine",
    "--binarize sample --optimizer adamw --weight-decay 0.1 --average 1 --max-norm 0.5",
    "--binarize sample --optimizer rmsprop --group-l1 0.1 --sparsity 0.1 --clip 0.5",
];

fn place() -> Place {
    Place::with_digits(330)
}

fn train(place: &Place, recipe: &str, threads: u32, backend: Option<&str>) -> Done {
    // One folder for all: what has run is moved away.
    let _ = std::fs::remove_dir_all(place.path("run"));
    let line = format!("{TRAIN} {recipe} --threads {threads} --out run");
    let mut command = place.command(&line.split_whitespace().collect::<Vec<_>>());
    command.envs(backend.map(|name| ("HARMONIUM_BACKEND", name)));
    Done::from(command.output().expect("the program starts"))
}

/// Gives all that a run promises to repeat: the digest, the model file, and the figures but for times.
fn results(place: &Place, done: Done) -> (String, Vec<u8>, Vec<serde_json::Value>) {
    let done = done.ok();
    let mut lines = done.lines();
    for line in &mut lines {
        line["samples_per_second"].take();
        line["result"]["seconds"].take();
    }
    (done.digest(), place.read("run/model.hmn"), lines)
}

/// Trains each recipe with all numbers of threads, and with both back ends where there are two.
fn check(recipes: &[&str]) {
    let place = place();
    let fast = [Backend::Avx2, Backend::Neon].into_iter().find(|backend| backend.available());
    if fast.is_none() {
        eprintln!("this machine has neither AVX2 nor NEON: the scalar back end alone is checked");
    }
    let fast = fast.unwrap_or(Backend::Scalar).to_string();
    let fast = fast.as_str();
    let mut seen = Vec::new();
    for recipe in recipes {
        let one = results(&place, train(&place, recipe, 1, Some("scalar")));
        for (threads, backend) in [(2, Some(fast)), (3, Some("scalar")), (8, Some(fast))] {
            let other = results(&place, train(&place, recipe, threads, backend));
            assert_eq!(one, other, "{recipe}, {threads} threads, {backend:?}");
        }
        assert!(!seen.contains(&one.0), "the options of {recipe:?} do nothing");
        seen.push(one.0);
    }
}

#[test]
fn threads_and_back_ends_change_no_bit_of_cd() {
    check(&RECIPES[..2]);
}

#[test]
fn threads_and_back_ends_change_no_bit_of_pcd() {
    check(&RECIPES[2..5]);
}

#[test]
fn threads_and_back_ends_change_no_bit_of_other_estimators_and_rules() {
    check(&RECIPES[5..]);
}

#[test]
fn the_seed_changes_the_digest() {
    let place = place();
    let digests = ["0", "1", "18446744073709551615"].map(|seed| {
        let line =
            format!("{TRAIN} --binarize sample --out s{seed}").replace("seed 7", &format!("seed {seed}"));
        place.words(&line).ok().digest()
    });
    assert!(digests[0] != digests[1] && digests[1] != digests[2] && digests[0] != digests[2]);
}

#[test]
fn a_back_end_that_is_not_there_is_refused() {
    let place = place();
    let refused = |name: &str, reason: &str| {
        let done = train(&place, RECIPES[0], 1, Some(name));
        done.refused(2, &["HARMONIUM_BACKEND", name, reason]);
        assert!(!place.path("run").exists());
    };
    for name in ["mmx", "AVX2", "NEON"] {
        refused(name, "scalar, neon, avx2");
    }
    // No machine has those of two architectures.
    for absent in Backend::ALL.into_iter().filter(|backend| !backend.available()) {
        refused(&absent.to_string(), "which this machine lacks");
    }
    // An empty variable is an absent one.
    train(&place, RECIPES[1], 1, Some("")).ok();
}

#[test]
fn every_command_answers_a_wrong_back_end_in_one_line() {
    let place = place();
    train(&place, RECIPES[0], 1, None).ok();
    place.npy("w.npy", 2, 3, |_, _| 0.5_f32);
    place.npy("b.npy", 1, 2, |_, _| 0.5_f32);
    place.npy("c.npy", 1, 3, |_, _| 0.5_f32);
    for line in [
        "evaluate run --data digits.npy --binarize sample",
        "sample run --out x.npy",
        "transform run --data digits.npy --binarize sample --out x.npy",
        "reconstruct run --data digits.npy --binarize sample --out x.npy",
        "report run",
        "train --resume run",
        "inspect run",
        "export run --out x.npz",
        "import --weights w.npy --visible-bias b.npy --hidden-bias c.npy --out x.hmn",
    ] {
        let mut command = place.command(&line.split_whitespace().collect::<Vec<_>>());
        let done = Done::from(command.env("HARMONIUM_BACKEND", "mmx").output().expect("the program starts"));
        done.refused(2, &["HARMONIUM_BACKEND", "mmx"]);
    }
}
