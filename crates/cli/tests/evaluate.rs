//! Checks the figures of `evaluate`: their names, their intervals, and when they are withheld.

mod common;

use common::{Place, ROWS, keys, number, trained};
use serde_json::Value;

#[track_caller]
fn interval(value: &Value) -> [f64; 2] {
    [number(&value[0]), number(&value[1])]
}

fn evaluate(place: &Place, options: &str) -> Value {
    let done = place
        .words(&format!("evaluate run --data digits.npy --binarize threshold --json --quiet {options}"))
        .ok();
    assert_eq!(done.stderr, "");
    let mut lines = done.lines();
    assert_eq!(lines.len(), 1);
    lines.remove(0)
}

const FIGURES: [&str; 18] = [
    "betas",
    "ess",
    "log_likelihood",
    "log_likelihood_interval",
    "log_z",
    "log_z_bennett",
    "log_z_bennett_interval",
    "log_z_bracket",
    "log_z_interval",
    "log_z_reverse",
    "log_z_reverse_interval",
    "mean_unnormalized",
    "method",
    "pseudo_log_likelihood",
    "reverse_sweeps",
    "rows",
    "runs",
    "seconds",
];

#[test]
fn figures_have_their_names_and_null_where_they_do_not_apply() {
    let (place, _) = trained();
    let [exact, ais, pseudo] = ["exact", "ais --betas 500 --reverse-sweeps 20", "pseudo"]
        .map(|method| evaluate(&place, &format!("--method {method}")));
    for found in [&exact, &ais, &pseudo] {
        let mut names = keys(found);
        names.sort_unstable();
        assert_eq!(names, FIGURES);
        assert_eq!(found["rows"], ROWS);
    }
    let nulls = |found: &Value| -> Vec<String> {
        let mut names: Vec<_> =
            found.as_object().unwrap().iter().filter(|(_, v)| v.is_null()).map(|(k, _)| k.clone()).collect();
        names.sort_unstable();
        names
    };
    assert_eq!(
        nulls(&exact),
        [
            "betas",
            "ess",
            "log_z_bennett",
            "log_z_bennett_interval",
            "log_z_reverse",
            "log_z_reverse_interval",
            "reverse_sweeps",
            "runs"
        ]
    );
    assert_eq!(nulls(&ais), Vec::<String>::new());
    assert_eq!(
        nulls(&pseudo),
        [
            "betas",
            "ess",
            "log_likelihood",
            "log_likelihood_interval",
            "log_z",
            "log_z_bennett",
            "log_z_bennett_interval",
            "log_z_bracket",
            "log_z_interval",
            "log_z_reverse",
            "log_z_reverse_interval",
            "reverse_sweeps",
            "runs",
        ]
    );
    assert_eq!((&ais["runs"], &ais["betas"], &ais["reverse_sweeps"]), (&100.into(), &500.into(), &20.into()));
    // All methods share what needs no ln Z.
    for name in ["mean_unnormalized", "pseudo_log_likelihood"] {
        assert_eq!(exact[name], ais[name]);
        assert_eq!(exact[name], pseudo[name]);
    }
}

#[test]
fn annealing_brackets_the_exact_value() {
    let (place, _) = trained();
    let exact = evaluate(&place, "");
    assert_eq!(exact["method"], "exact", "the default for a small layer");
    let log_z = number(&exact["log_z"]);
    assert_eq!(interval(&exact["log_z_interval"]), [log_z; 2]);
    let mean = number(&exact["log_likelihood"]);
    assert_eq!(interval(&exact["log_likelihood_interval"]), [mean; 2]);
    assert_eq!(mean, number(&exact["mean_unnormalized"]) - log_z);
    for options in [
        "--betas 1000",
        "--betas 300 --base-data digits.npy --seed 9",
        "--schedule sm08 --runs 10 --base-data digits.npy",
    ] {
        let ais = evaluate(&place, &format!("--method ais --reverse-sweeps 100 {options}"));
        // 3σ at a fixed seed: a change of any draw may move it, and then misses with probability 0.003.
        let [low, high] = interval(&ais["log_z_interval"]);
        assert!(low < log_z && log_z < high && high - low < 1.0, "{log_z} in [{low}, {high}]");
        let [low, high] = interval(&ais["log_likelihood_interval"]);
        assert!(low < mean && mean < high);
        let runs = number(&ais["runs"]);
        assert!((runs / 4.0..=runs).contains(&number(&ais["ess"])), "{ais}");
        assert!((number(&ais["log_z_reverse"]) - log_z).abs() < 0.5, "{ais}");
    }
    let one_way = evaluate(&place, "--method ais --betas 300 --reverse-sweeps 0");
    assert!(one_way["log_z_reverse"].is_null() && one_way["reverse_sweeps"].is_null());
}

/// Over rows of the training data, and ten runs a row on 1,000 temperatures: no further below the exact value than 5 nats, and not above it
/// by more than errors of rows.
#[test]
fn rows_anneal_down_to_a_value_that_errs_low() {
    let (place, _) = trained();
    let exact = number(&evaluate(&place, "")["log_likelihood"]);
    let found = evaluate(&place, "--betas 1000 --raise 20 --seed 3");
    let raise = &found["raise"];
    assert_eq!((&raise["rows"], &raise["chains"]), (&20.into(), &10.into()));
    let [mean, error, of_rows] =
        ["log_likelihood", "error", "error_of_rows"].map(|name| number(&raise[name]));
    assert!(mean < exact + 5.0 * of_rows && mean > exact - 5.0 * of_rows - 5.0, "{mean} for {exact}");
    assert!(error > 0.0 && error < of_rows);
    let all = evaluate(&place, &format!("--betas 300 --raise {}", 10 * ROWS));
    assert_eq!(all["raise"]["rows"], ROWS);
    let text = place.words("evaluate run --data digits.npy --binarize threshold --betas 300 --raise 2").ok();
    assert!(text.stdout.contains("reverse annealing"), "{}", text.stdout);
}

#[test]
fn evaluation_repeats_itself_but_for_the_time() {
    let (place, _) = trained();
    let timeless = |options: &str| {
        let mut found = evaluate(&place, options);
        found["seconds"].take();
        found.to_string()
    };
    let ais = "--method ais --betas 200 --reverse-sweeps 50";
    let first = timeless(ais);
    assert_eq!(first, timeless(ais));
    assert_eq!(first, timeless(&format!("{ais} --threads 3")));
    // The seed of the run is the default one.
    assert_eq!(first, timeless(&format!("{ais} --seed 5")));
    assert_ne!(first, timeless(&format!("{ais} --seed 6")));
}

#[test]
fn a_wide_interval_is_withheld_unless_forced() {
    let (place, _) = trained();
    // Couplings of ±6 between 24 units each, far from the uniform base: two runs of two temperatures know nothing.
    place.npy("w.npy", 24, 24, |r, c| if (r * 7 + c * 3) % 5 < 2 { 6.0_f32 } else { -6.0 });
    place.npy("b.npy", 1, 24, |_, _| 0.0_f32);
    place.words("import --weights w.npy --visible-bias b.npy --hidden-bias b.npy --out wide.hmn").ok();
    place.npy("rows.npy", 5, 24, |r, c| u8::from((r + c) % 2 == 0));
    let line = "evaluate wide.hmn --data rows.npy --method ais --runs 20 --betas 2 --reverse-sweeps 0 --json";
    let done = place.words(line);
    done.refused(1, &["log_z: expected an interval of at most 3 nats", "--force", "got "]);
    assert_eq!(done.stdout, "");
    let forced = place.words(&format!("{line} --force")).ok().lines().remove(0);
    let ends = &forced["log_z_interval"];
    assert!(ends[0].is_null() || number(&ends[1]) - number(&ends[0]) > 3.0, "{ends}");
    assert!(forced["log_z"].is_f64());
}

/// Samples are compared where they are asked for: with the data, and with base data for memory; one sample is refused.
#[test]
fn samples_are_compared_with_the_data() {
    let (place, _) = trained();
    let found = evaluate(&place, "--method exact --samples 50 --sweeps 20 --base-data digits.npy");
    let measures = &found["samples"];
    let mut names = keys(measures);
    names.sort_unstable();
    assert_eq!(names, ["adversarial", "memory", "mmd", "moments"]);
    for share in
        [&measures["adversarial"]["accuracy"], &measures["memory"]["nearer"], &measures["mmd"]["p_value"]]
    {
        assert!((0.0..=1.0).contains(&number(share)), "{measures}");
    }
    let said =
        place.words("evaluate run --data digits.npy --binarize threshold --samples 20 --sweeps 5").ok();
    for words in ["moments of third order", "MMD²", "adversarial accuracy"] {
        assert!(said.stdout.contains(words), "{}", said.stdout);
    }
    let one = place.words("evaluate run --data digits.npy --binarize threshold --samples 1");
    one.refused(2, &["--samples: expected 2 or more"]);
}
