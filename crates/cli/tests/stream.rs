//! Trains from files of packed bits without loading them, and compares with what loaded rows give.

mod common;

use common::{Done, PIXELS, Place};
use serde_json::Value;

const TRAIN: &str = "train packed.npy --packed 64 --hidden 12 --batch 50 --betas 50 --seed 7 --json --quiet";

/// Makes a folder with digits as packed bits.
fn place(rows: usize) -> Place {
    let place = Place::with_digits(rows);
    let digits = place.matrix("digits.npy");
    place.npy("packed.npy", rows, PIXELS / 8, |r, c| {
        (0..8).fold(0_u8, |byte, bit| byte << 1 | u8::from(digits[(r, 8 * c + bit)] >= 0.5))
    });
    place
}

/// Gives all figures that do not depend on time or on the folder.
fn figures(done: Done) -> Vec<Value> {
    let mut lines = done.ok().lines();
    for line in &mut lines {
        line["samples_per_second"].take();
        line["result"]["seconds"].take();
        line["result"]["run"].take();
        line["result"]["figures"]["seconds"].take();
    }
    lines
}

/// 330 rows are fewer than the figures are computed on, so that these are equal, too.
#[test]
fn a_streamed_run_is_a_loaded_one() {
    let place = place(330);
    for (n, recipe) in ["--epochs 2", "--epochs 2 --algorithm cd --validation 17"].into_iter().enumerate() {
        let run = |more: &str| figures(place.words(&format!("{TRAIN} {recipe} {more}")));
        let loaded = run(&format!("--out loaded{n}"));
        assert_eq!(loaded.len(), 3);
        assert_eq!(run(&format!("--out streamed{n} --stream")), loaded);
        assert!(!place.read(&format!("streamed{n}/report.html")).is_empty());
        assert_eq!(place.json(&format!("streamed{n}/recipe.json"))["stream"], true);
        assert_eq!(place.json(&format!("loaded{n}/recipe.json"))["stream"], Value::Null);
    }
}

#[test]
fn a_streamed_run_goes_on_from_its_file() {
    let place = place(120);
    let line = format!("{TRAIN} --decline constant --stream");
    place.words(&format!("{line} --epochs 1 --out run")).ok();
    let resumed = place.words("train --resume run --epochs 3 --json --quiet").ok().digest();
    assert_eq!(resumed, place.words(&format!("{line} --epochs 3 --out whole")).ok().digest());
    place.words("report run").ok();
    let mut content = place.read("packed.npy");
    *content.last_mut().expect("rows") ^= 1;
    place.write("packed.npy", content);
    place.words("train --resume run --epochs 4 --quiet").refused(1, &["the rows of the run, digest"]);
}

/// 10,050 rows of 12 bits: figures of training rows are those of 10,000, and it is said that they are.
#[test]
fn figures_of_a_large_file_are_those_of_some_rows() {
    let place = Place::new();
    place.npy("packed.npy", 10_050, 2, |r, c| if c == 0 { (r % 251) as u8 } else { (r % 13) as u8 * 16 });
    let line = "train packed.npy --packed 12 --stream --hidden 3 --epochs 1 --batch 1000";
    let done = place.words(&format!("{line} --out run")).ok();
    let said = "figures of training rows are those of 10000, spread evenly over all 10050";
    assert!(done.stderr.contains(said), "{}", done.stderr);
    let result = place.json("run/result.json");
    assert_eq!(
        (&result["figures"]["rows"], &result["notices"]),
        (&10_000.into(), &serde_json::json!([said]))
    );
    place.words(&format!("{line} --validation 50 --betas 0 --out all")).ok();
    assert_eq!(place.json("all/result.json")["notices"], serde_json::json!([]));
}

#[test]
fn what_cannot_be_streamed_is_refused() {
    let place = place(20);
    place.write("rows.csv", "0,1\n1,0\n");
    let gz = |content: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        std::io::Write::write_all(&mut encoder, content).expect("memory");
        encoder.finish().expect("memory")
    };
    place.write("packed.npy.gz", gz(&place.read("packed.npy")));
    let mut content = place.read("packed.npy");
    content.truncate(content.len() - 1);
    place.write("cut.npy", content);
    for (line, code, said) in [
        ("packed.npy", 2, &["--packed"][..]),
        ("mnist --packed 784", 2, &["stream: expected a file *.npy of bits, with --packed, got mnist"]),
        ("packed.npy --packed 64 --array x", 2, &["stream"]),
        ("packed.npy --packed 65", 1, &["expected 9 bytes a row for 65 packed bits, got 8"]),
        ("packed.npy --packed 64 --validation 20", 2, &["validation", "got 20"]),
        ("digits.npy --packed 64", 1, &["dtype", "|u1", "<f4"]),
        ("rows.csv --packed 2", 1, &["rows.csv at byte 0", "the npy magic"]),
        ("packed.npy.gz --packed 64", 1, &["a plain npy file", "gzip"]),
        ("cut.npy --packed 64", 1, &["cut.npy", "the values of shape [20, 8]"]),
        ("absent.npy --packed 64", 1, &["open", "absent.npy"]),
    ] {
        place.words(&format!("train {line} --stream --out run")).refused(code, said);
        assert!(!place.path("run").exists(), "{line}");
    }
}
