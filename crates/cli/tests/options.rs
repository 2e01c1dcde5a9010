//! Proves that options of `train` reach the training, come back from a checkpoint, and are refused where they mean nothing.

mod common;

use common::Place;

const LINE: &str =
    "train digits.npy --binarize threshold --hidden 4 --betas 0 --decline constant --json --quiet";

fn digest(place: &Place, options: &str) -> String {
    place.words(&format!("{LINE} {options}")).ok().digest()
}

/// Each option changes the model, and a run that is stopped after an epoch and goes on ends at the same bits.
#[test]
fn options_change_the_model_and_survive_a_checkpoint() {
    let place = Place::with_digits(300);
    place.npy("weights.npy", 300, 1, |row, _| (row % 3) as f32);
    let plain = digest(&place, "--epochs 3 --out plain");
    let options = [
        "--adapt-rate 0.05",
        "--algorithm pt --chains 20 --rungs 4 --adapt 4",
        "--growth 1:6,2:9",
        "--weights weights.npy",
        "--algorithm ptt --chains 20 --threshold 0.9 --least 0.1",
        "--dropout 0.5",
        "--algorithm cd --dropout 0.3",
    ];
    for (n, option) in options.into_iter().enumerate() {
        let whole = digest(&place, &format!("{option} --epochs 3 --out whole{n}"));
        assert_ne!(whole, plain, "{option}");
        place.words(&format!("{LINE} {option} --epochs 2 --out part{n}")).ok();
        let resumed = place.words(&format!("train --resume part{n} --epochs 3 --json --quiet")).ok();
        assert_eq!(resumed.digest(), whole, "{option}");
    }
}

/// Equal weights are none; the last rows of the data are for validation, whatever their weights.
#[test]
fn weights_say_how_rows_compare() {
    let place = Place::with_digits(200);
    let file = |name: &str, of: fn(usize) -> f32| place.npy(name, 200, 1, |row, _| of(row));
    file("even.npy", |_| 0.25);
    file("late.npy", |row| if row < 150 { 1.0 } else { 7.0 });
    file("none.npy", |_| 0.0);
    file("wrong.npy", |row| row as f32 - 1.0);
    let plain = digest(&place, "--epochs 1 --validation 50 --out plain");
    for (n, name) in ["even", "late"].into_iter().enumerate() {
        let weighted = digest(&place, &format!("--epochs 1 --validation 50 --weights {name}.npy --out w{n}"));
        assert_eq!(weighted, plain, "{name}");
    }
    let refused = |options: &str, words: &[&str]| {
        place.words(&format!("{LINE} --epochs 1 {options}")).refused(1, words);
    };
    refused("--weights none.npy", &["weights", "one above 0"]);
    refused("--weights wrong.npy", &["weights", "row 0"]);
    refused("--weights digits.npy", &["weights", "one column of 200 rows"]);
}

/// 300 rows of 64 columns: 300 epochs at least, the mean of the second half, L2 = 0.01 · 64 / 300, a rate of 0.2 that falls to 0; what is
/// asked for beside it stays.
#[test]
fn the_size_of_the_data_settles_options() {
    let place = Place::with_digits(300);
    let line = "train digits.npy --binarize threshold --hidden 4 --betas 0 --settled --quiet";
    place.words(&format!("{line} --epochs 2 --out run")).ok();
    let fit = &place.json("run/recipe.json")["fit"];
    assert_eq!((&fit["epochs"], &fit["average"]["decay"]), (&2.into(), &1.0.into()));
    assert!((common::number(&fit["decay"]["l2"]) - 0.01 * 64.0 / 300.0).abs() < 1e-8, "{fit}");
    place.words(&format!("{line} --epochs 1 --l2 0 --average 0.9 --centre 0 --out own")).ok();
    let own = &place.json("own/recipe.json")["fit"];
    assert!(own["centre"].is_null() && common::number(&own["decay"]["l2"]) == 0.0, "{own}");
    assert!((common::number(&own["average"]["decay"]) - 0.9).abs() < 1e-6, "{own}");
}

#[test]
fn what_means_nothing_is_refused() {
    let place = Place::with_digits(100);
    for (options, words) in [
        ("--least 0.1", "least"),
        ("--adapt-rate 2", "adapt"),
        ("--adapt 2", "adapt"),
        ("--settled --algorithm cd", "settled"),
        ("--settled --visible spin", "settled"),
        ("--growth 3", "EPOCH:N"),
        ("--growth 1:8 --stop gap", "--growth"),
        ("--dropout 1", "dropout"),
        ("--algorithm exact --dropout 0.5", "dropout"),
    ] {
        let done = place.words(&format!("{LINE} --epochs 1 {options}"));
        assert_eq!(done.code, Some(2), "{options}: {}", done.stderr);
        assert!(done.stderr.contains(words), "{options}: {}", done.stderr);
    }
}
