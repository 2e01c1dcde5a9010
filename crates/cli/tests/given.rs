//! Checks what asks a model about rows: noise taken off, gaps filled, strangers told, rows generated and compared.

mod common;

use common::{PIXELS, Place, ROWS, keys, number, trained};

/// Gives a folder with a run on 160 digits, 40 more kept apart; the digits lie in `digits.npy`.
fn place() -> Place {
    trained().0
}

const WALK: &str = "--chains 4 --annealing 5 --warming 5 --sweeps 10";

/// Reads the size of a picture.
fn size(bytes: &[u8]) -> (u32, u32) {
    let reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().expect("a picture");
    reader.info().size()
}

#[test]
fn noise_is_taken_off_and_shown() {
    let place = place();
    let line = format!(
        "denoise run --data digits.npy --binarize threshold --spoil 0.1 --flips 0.1 --rows 30 {WALK} --out clean.npy"
    );
    let done = place.words(&format!("{line} --picture clean.png")).ok();
    let clean = place.matrix("clean.npy");
    assert_eq!(clean.dim(), (30, PIXELS));
    assert!(clean.iter().all(|p| (0.0..=1.0).contains(p)));
    let found: Vec<f64> = done.stdout.split([' ', ',', '\n']).filter_map(|word| word.parse().ok()).collect();
    // Of 64 pixels 6.4 are flipped, ± 0.44 for 30 rows.
    assert!((found[0] - 6.4).abs() < 4.89 * 0.44 && found[1] < found[0], "{}", done.stdout);
    // Twenty digits of 8 × 8 in a row, with lines between: two bands of a digit and what became of it.
    let (width, height) = size(&place.read("clean.png"));
    assert!(width > 20 * 8 && width < 20 * 10 && height > 4 * 8 && height < 6 * 10, "{width} {height}");
    let again = place.words(&format!("{line} --threads 3")).ok();
    assert_eq!((again.stdout, place.matrix("clean.npy")), (done.stdout, clean), "any number of threads");
    let other = place.words(&format!("{line} --seed 9")).ok();
    assert_ne!(other.stdout, again.stderr);
    // Without --flips the rate is estimated, and told.
    let line = "denoise run --data digits.npy --binarize threshold --spoil 0.2 --chains 2 --sweeps 5 --rows 40 --out clean.npy";
    let told = place.words(line).ok().stderr;
    let rate: f64 = told
        .split("estimated: ")
        .nth(1)
        .and_then(|rest| rest.trim().lines().next())
        .unwrap()
        .parse()
        .unwrap();
    assert!(rate > 0.05 && rate < 0.5, "{told}");
}

/// What is missing of noisy rows is filled from the law, spoilt or not, and counts for nothing among wrong bits.
#[test]
fn gaps_of_noisy_rows_stay_gaps() {
    let place = Place::new();
    let text: String = (0..40).map(|r| if r % 2 == 0 { "1,1,1,0\n" } else { "0,0,0,1\n" }).collect();
    place.write("rows.csv", &text);
    place.write("gaps.csv", "1,?,1,0\n0,0,?,1\n");
    let train = "train rows.csv --schema auto --hidden 4 --epochs 60 --batch 5 --learning-rate 0.1 --betas 0 --out run --quiet";
    place.words(train).ok();
    let done = place
        .words(&format!("denoise run --data gaps.csv --spoil 0.0001 --flips 0.01 {WALK} --out clean.npy"))
        .ok();
    let clean = place.matrix("clean.npy");
    assert!(clean[(0, 1)] > 0.5 && clean[(1, 2)] < 0.5, "{clean}");
    assert!(done.stdout.contains("noisy 0.00, denoised 0.00"), "{}", done.stdout);
}

#[test]
fn hidden_columns_are_filled_and_the_others_stay() {
    let place = place();
    let line = format!(
        "inpaint run --data digits.npy --binarize threshold --hide 33-64,1 --rows 5 {WALK} --out whole.npy"
    );
    let done = place.words(&format!("{line} --picture whole.png")).ok();
    let (whole, given) = (place.matrix("whole.npy"), place.matrix("digits.npy"));
    for ((row, pixel), &p) in whole.indexed_iter() {
        let known = (1..32).contains(&pixel);
        let bit = f32::from(u8::from(given[(row, pixel)] >= 0.5));
        assert!(if known { p == bit } else { (0.0..=1.0).contains(&p) }, "{row} {pixel}: {p}");
    }
    let wrong: f64 = done.stdout.trim().strip_prefix("wrong bits a row: ").unwrap().parse().unwrap();
    assert!(wrong > 0.0 && wrong < 16.0, "worse than half of the 33 hidden pixels: {wrong}");
    assert!(size(&place.read("whole.png")).0 > 5 * 8);
    assert_eq!(place.words(&format!("{line} --threads 2")).ok().stdout, done.stdout);
}

/// Deep Boltzmann machines fill gaps as well; a belief network has no conditional law to draw from.
#[test]
fn a_deep_machine_fills_gaps() {
    let place = Place::with_digits(100);
    for model in ["dbm", "dbn"] {
        let line = format!(
            "train digits.npy --binarize threshold --model {model} --layers 8,8 --labels none --epochs 2 --tune-epochs 1 --betas 0 --quiet --out {model}"
        );
        place.words(&line).ok();
    }
    let line = "inpaint dbm --data digits.npy --binarize threshold --hide 1-8 --rows 4 --chains 20 --sweeps 5 --out whole.npy --picture whole.png";
    assert!(place.words(line).ok().stdout.starts_with("wrong bits a row: "));
    let (whole, given) = (place.matrix("whole.npy"), place.matrix("digits.npy"));
    assert!((8..PIXELS).all(|pixel| whole[(2, pixel)] == f32::from(u8::from(given[(2, pixel)] >= 0.5))));
    let line = "denoise dbm --data digits.npy --binarize threshold --spoil 0.1 --flips 0.1 --rows 20 --chains 5 --out clean.npy";
    let told = place.words(line).ok().stdout;
    let found: Vec<f64> = told.split([' ', ',', '\n']).filter_map(|word| word.parse().ok()).collect();
    assert!(found.len() == 2 && found[1] < 32.0 && place.matrix("clean.npy").dim() == (20, PIXELS), "{told}");
    place.write("rows.csv", "1,?\n");
    let before = place.snapshot();
    let data = "--data digits.npy --binarize threshold";
    for (line, said) in [
        (
            format!("inpaint dbn {data} --hide 1-8 --out new.npy"),
            "model: expected a restricted or a deep Boltzmann machine",
        ),
        (format!("denoise dbm {data} --out new.npy"), "--flips: expected the rate of flips"),
        (format!("anomaly dbm {data} --out new.csv"), "free energies of other kinds are not exact"),
        (format!("generate dbn {data} --out new.npy"), "got a dbn"),
        ("impute rows.csv --model dbm --out new.csv".into(), "got a dbm"),
    ] {
        place.words(&line).refused(2, &[said]);
    }
    assert!(before == place.snapshot());
}

/// Of the run's own data the 40 rows count that it kept apart; of other data all.
#[test]
fn normal_rows_are_those_that_the_run_did_not_learn() {
    let place = place();
    let line = "anomaly run --data digits.npy --binarize threshold --normal digits.npy --out strange.csv --explain 2";
    let done = place.words(&format!("{line} --json")).ok();
    assert!(
        done.stderr.contains("the last 40 rows of digits.npy, which the run kept apart"),
        "{}",
        done.stderr
    );
    let summary = done.lines().remove(0);
    assert_eq!((&summary["normal"], &summary["rows"]), (&40.into(), &ROWS.into()));
    assert_eq!(keys(&summary), ["mean_free_energy", "normal", "rows", "strange"]);
    let text = place.text("strange.csv");
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!((lines.len(), lines[0].len()), (ROWS + 1, 3 + PIXELS));
    let number_of = |line: &[&str], at: usize| line[at].parse::<f64>().unwrap();
    assert!(lines[1..].iter().all(|line| number_of(line, 2) > 0.999 / 41.0 && number_of(line, 2) <= 1.0));
    let explained: Vec<_> = lines[1..].iter().filter(|line| !line[3].is_empty()).collect();
    assert_eq!(explained.len(), 2);
    let most = lines[1..].iter().map(|line| number_of(line, 1)).fold(f64::MIN, f64::max);
    assert!(explained.iter().any(|line| number_of(line, 1) == most), "the strangest row is explained");
    // Noise is stranger than digits are.
    place.npy("noise.npy", 20, PIXELS, |r, c| f32::from(u8::from((r * 37 + c * 101 + r * c) % 7 < 3)));
    let noise = place.words(
        "anomaly run --data noise.npy --normal digits.npy --binarize threshold --out noise.csv --json",
    );
    assert!(number(&noise.ok().lines()[0]["strange"]) >= 15.0);
    // All rows of another file are new to the model, and a run that kept none apart has none.
    let done = place
        .words("anomaly run --data digits.npy --binarize threshold --normal noise.npy --out strange.csv")
        .ok();
    assert!(done.stderr.contains("all 20 rows of noise.npy"), "{}", done.stderr);
    place
        .words("train digits.npy --binarize threshold --hidden 3 --epochs 1 --betas 0 --quiet --out all")
        .ok();
    place
        .words("anomaly all --data digits.npy --binarize threshold --normal digits.npy --out strange.csv")
        .refused(2, &["--normal: expected rows that the model was not trained on", "digits.npy"]);
    let plain = place.words("anomaly all --data digits.npy --binarize threshold --out plain.csv").ok();
    assert!(!plain.stdout.contains("p ≤") && place.text("plain.csv").starts_with("row,free_energy\n"));
}

#[test]
fn generated_rows_are_compared_and_copies_are_found() {
    let place = place();
    let line = "generate run --n 60 --sweeps 20 --data digits.npy --training digits.npy --binarize threshold --out new.npy";
    let done = place.words(&format!("{line} --json")).ok();
    let found = done.lines().remove(0);
    assert_eq!(found["rows"], 60);
    assert!(number(&found["mmd"]["squared"]).is_finite() && number(&found["memory"]["ratio"]) > 0.3);
    let new: ndarray::Array2<u8> = ndarray_npy::read_npy(place.path("new.npy")).expect("bits");
    assert_eq!(new.dim(), (60, PIXELS));
    assert!(new.iter().all(|&x| x <= 1));
    let text = place.words(line).ok().stdout;
    assert!(
        text.contains("nearest training row: distance") && text.contains("adversarial accuracy"),
        "{text}"
    );
    place.words(&line.replace("new.npy", "new.png")).ok();
    assert!(size(&place.read("new.png")).0 > 8 * 8);
}

/// Rows with gaps are left out of comparisons: filled by the model they would speak for it.
#[test]
fn gaps_are_not_filled_by_the_model_that_is_judged() {
    let place = Place::new();
    let row =
        |r: usize| if r.is_multiple_of(4) { "?,1,0\n" } else { ["1,1,0\n", "0,0,1\n", "1,1,1\n"][r % 3] };
    place.write("rows.csv", (0..60).map(row).collect::<String>());
    place.write("holes.csv", "?,1,0\n1,?,1\n");
    place.words("train rows.csv --schema auto --hidden 2 --epochs 5 --betas 0 --quiet --out run").ok();
    let line = "generate run --n 20 --sweeps 5 --data rows.csv --training rows.csv --out new.csv";
    let done = place.words(line).ok();
    assert_eq!(
        done.stderr.matches("compared with the 45 of 60 rows of rows.csv without gaps").count(),
        2,
        "{}",
        done.stderr
    );
    assert_eq!(place.text("new.csv").lines().count(), 20);
    place
        .words("generate run --n 20 --sweeps 5 --data holes.csv --out new.csv")
        .refused(2, &["data: expected rows without gaps to compare with, got none in holes.csv"]);
}
