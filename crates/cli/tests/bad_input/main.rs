//! Feeds the program what it must refuse, and what is extreme but legal.

#[path = "../common/mod.rs"]
mod common;
mod files;
mod given;
mod kinds;
mod tables;

use common::{Done, Place};
use files::{gz, place};
use given::{ASKS, OWN, SHARED};
use harmonium::persist::RealVfs;
use harmonium::rbm::Rbm;
use kinds::{KINDS, REAL};
use tables::{COMMANDS, Case, DATA, OPTIONS, QUICK, SYNTAX};

/// Runs a table; no file may change, and no run may begin.
fn check(cases: &[Case], line: impl Fn(&str) -> String) {
    let place = place();
    let before = place.snapshot();
    for Case(words, code, says) in cases {
        let line = line(words);
        let done = place.words(&line);
        assert!(!done.stderr.is_empty(), "{line:?} was taken");
        done.refused(*code, says);
        assert_eq!(done.stdout, "", "{line}");
        assert!(before == place.snapshot(), "{line:?} changed a file");
    }
}

#[test]
fn data_are_refused_by_train() {
    check(DATA, |data| format!("train {data} {QUICK}"));
}

#[test]
fn data_are_refused_by_transform() {
    check(DATA, |data| format!("transform model.hmn --out out.npy --data {data}"));
}

#[test]
fn kinds_and_schemas_are_refused() {
    check(KINDS, |words| format!("train {words} --epochs 1 --betas 0 --out new"));
}

#[test]
fn commands_on_a_machine_of_real_units_are_refused() {
    check(REAL, str::to_owned);
}

#[test]
fn questions_about_rows_are_refused_and_leave_files_alone() {
    check(OWN, str::to_owned);
    for ask in ASKS {
        let place = place();
        let before = place.snapshot();
        for ([model, data, out], code, says) in SHARED {
            let line = ask.replace("{model}", model).replace("{data}", data).replace("{out}", out);
            let done = place.words(&line);
            assert_ne!(done.code, Some(0), "{line:?} was taken");
            says.iter().for_each(|word| assert!(done.stderr.contains(word), "{line}: {}", done.stderr));
            done.refused(*code, says);
            assert!(before == place.snapshot(), "{line:?} changed a file");
        }
    }
}

#[test]
fn options_are_refused_before_anything_is_written() {
    check(OPTIONS, |options| format!("train bits.npy --epochs 1 --out new {options}"));
}

#[test]
fn commands_are_refused_and_leave_files_alone() {
    check(COMMANDS, str::to_owned);
}

#[test]
fn unknown_syntax_is_refused_with_its_usage() {
    let place = place();
    let before = place.snapshot();
    for line in SYNTAX {
        let done = place.words(line);
        assert_eq!(done.code, Some(2), "{line}: {}", done.stderr);
        assert!(
            done.stderr.starts_with("error: ") && done.stderr.contains("--help"),
            "{line}: {}",
            done.stderr
        );
    }
    assert!(before == place.snapshot());
}

#[test]
fn legal_extremes_are_taken() {
    let place = place();
    for (number, options) in [
        "--seed 0",
        "--seed 18446744073709551615",
        "--epochs 0",
        "--learning-rate 0",
        "--batch 18446744073709551615",
        "--chains 1",
        "--hidden 1",
        "--validation 7",
        "--centre 1",
        "--momentum 0",
        "--l1 0 --l2 0",
        "--threads 64",
        "--betas 2",
    ]
    .iter()
    .enumerate()
    {
        // clap refuses a repeated option, so the one of the test takes the place of the usual one.
        let usual = ["--hidden 3", "--epochs 1", "--batch 4", "--betas 0"];
        let others = usual.into_iter().filter(|o| !options.contains(o.split(' ').next().unwrap_or(o)));
        let others = others.collect::<Vec<_>>().join(" ");
        let done = place.words(&format!("train bits.npy --json --out new{number} {options} {others}")).ok();
        assert!(!done.stderr.contains("panicked"), "{}", done.stderr);
        done.digest();
        assert!(place.path(&format!("new{number}/report.html")).exists(), "{options}");
        place.words(&format!("inspect new{number}")).ok();
    }
}

#[test]
fn a_training_that_runs_away_ends_with_its_last_good_state() {
    let place = place();
    let line = "train bits.npy --hidden 3 --epochs 50 --batch 4 --betas 0 --learning-rate 1e6 --out new";
    let done = place.words(line);
    done.refused(1, &["training diverged: largest parameter at step", "expected at most 1000", "got "]);
    assert!(!place.path("new/model.hmn").exists());
    // Halving the rate five times is enough here, and each halving is told.
    let done = place.words(&line.replace("1e6", "6e3").replace("--out new", "--out tamed")).ok();
    assert!(done.stderr.contains("of the rate"), "{}", done.stderr);
    let notices = place.json("tamed/result.json")["notices"].clone();
    assert!(notices[0].as_str().is_some_and(|text| text.contains("largest parameter")), "{notices}");
}

#[test]
fn a_batch_larger_than_the_data_is_one_batch_with_a_notice() {
    let place = place();
    let done = place.words("train bits.npy --hidden 3 --epochs 2 --batch 9 --betas 0 --out new").ok();
    assert!(done.stderr.contains("batch 9 is larger than the data: one batch of 8 rows"), "{}", done.stderr);
    assert_eq!(place.json("new/result.json")["steps"], 2);
    let notices = place.json("new/result.json")["notices"].clone();
    assert!(notices[0].as_str().is_some_and(|text| text.contains("one batch of 8 rows")), "{notices}");
}

#[test]
fn no_epoch_leaves_the_model_as_it_begins() {
    let place = place();
    let line = "train bits.npy --hidden 3 --betas 0 --json --out";
    let none = place.words(&format!("{line} none --epochs 0")).ok();
    let still = place.words(&format!("{line} still --epochs 3 --learning-rate 0")).ok();
    assert_eq!(none.digest(), still.digest());
    assert_eq!(none.lines().len(), 1);
    assert_eq!(place.json("none/result.json")["steps"], 0);
}

#[test]
fn huge_weights_are_taken_or_refused_but_never_rot() {
    let place = place();
    for (name, weight) in [("a", 1e30_f32), ("b", f32::MAX), ("c", 1e-30), ("d", f32::MIN_POSITIVE / 4.0)] {
        place.npy("w.npy", 4, 3, |r, c| if (r + c) % 2 == 0 { weight } else { -weight });
        let made = place.words(&format!(
            "import --weights w.npy --visible-bias b.npy --hidden-bias c.npy --out {name}.hmn"
        ));
        if made.code != Some(0) {
            made.refused(1, &["weights"]);
            continue;
        }
        place.words(&format!("inspect {name}.hmn --json")).ok();
        place.words(&format!("sample {name}.hmn --n 3 --sweeps 3 --out out-{name}.npy")).ok();
        place.words(&format!("transform {name}.hmn --data bits.npy --out out-{name}.npy")).ok();
        assert!(place.matrix(&format!("out-{name}.npy")).iter().all(|p| (0.0..=1.0).contains(p)), "{name}");
        for method in ["exact", "pseudo", "ais --betas 50 --runs 10 --reverse-sweeps 3"] {
            let done = place.words(&format!("evaluate {name}.hmn --data bits.npy --json --method {method}"));
            if done.code == Some(0) {
                let line = done.lines().remove(0);
                assert!(line["mean_unnormalized"].is_f64(), "{name} {method}: {line}");
                assert!(line["pseudo_log_likelihood"].is_f64(), "{name} {method}: {line}");
            } else {
                done.refused(1, &["expected", "got"]);
            }
        }
    }
}

#[test]
fn damage_to_any_byte_of_a_model_is_found() {
    let place = place();
    let whole = place.read("model.hmn");
    let path = place.path("changed.hmn");
    let load = |bytes: &[u8]| {
        std::fs::write(&path, bytes).expect("a file is written");
        Rbm::load(&RealVfs, &path)
    };
    load(&whole).expect("the whole file is a model");
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        let error = load(&bytes).err().unwrap_or_else(|| panic!("byte {at} is ignored")).to_string();
        assert!(error.contains("expected") && error.contains("got"), "byte {at}: {error}");
        let error = load(&whole[..at]).err().unwrap_or_else(|| panic!("{at} bytes are taken")).to_string();
        assert!(error.contains("expected") && error.contains("got"), "{at} bytes: {error}");
    }
    load(&[&whole[..], b"\0"].concat()).expect_err("a byte too many");
}

#[test]
fn damaged_models_are_refused_by_every_command() {
    let place = place();
    let whole = place.read("model.hmn");
    let lines = [
        "inspect changed.hmn",
        "inspect changed.hmn --json",
        "evaluate changed.hmn --data bits.npy",
        "sample changed.hmn --out out.npy",
        "transform changed.hmn --data bits.npy --out out.npy",
        "export changed.hmn --out out.npz",
    ];
    // 30 bytes, spread evenly from the first to the last.
    for step in 0..30 {
        let mut bytes = whole.clone();
        bytes[step * (whole.len() - 1) / 29] ^= 0x55;
        place.write("changed.hmn", bytes);
        place.words(lines[step % lines.len()]).refused(1, &["changed.hmn", "expected", "got"]);
    }
    assert_eq!(place.read("out.npy"), b"kept");
    assert_eq!(place.read("out.npz"), b"kept");
}

#[test]
fn other_files_are_no_models() {
    let place = place();
    let elf = [&b"\x7fELF\x02\x01\x01\0"[..], &[0; 200]].concat();
    let zip = place.read("two.npz");
    for (name, bytes) in [
        ("empty", Vec::new()),
        ("cut", place.read("model.hmn")[..100].to_vec()),
        ("elf", elf),
        ("zip", zip),
        ("gzip", gz(&place.read("model.hmn"))),
        ("npy", place.read("w.npy")),
        ("magic", b"\x89HARMON\n".to_vec()),
        ("text", b"a model".to_vec()),
    ] {
        let name = format!("{name}.hmn");
        place.write(&name, bytes);
        let done = place.words(&format!("inspect {name}"));
        done.refused(1, &[&name, "expected", "got"]);
    }
    place.words("inspect folder.npy").refused(1, &["folder.npy"]);
    place.words("inspect nothing.hmn").refused(1, &["nothing.hmn"]);
}

#[cfg(unix)]
#[test]
fn pipes_devices_and_links_are_left_alone() {
    let place = place();
    let device = std::path::Path::new("/dev/null");
    place.words("sample model.hmn --n 2 --sweeps 1 --out out.npy").ok();
    std::os::unix::fs::symlink(device, place.path("link.npy")).expect("a link");
    place
        .words("sample model.hmn --n 2 --sweeps 1 --out link.npy")
        .refused(1, &["link.npy", "a symbolic link"]);
    place.words("inspect /dev/null").refused(1, &["/dev/null", "expected a regular file"]);
    assert!(!std::fs::metadata(device).expect("a device").is_file());
}

/// Runs with a reader of stdout that leaves at once.
fn without_reader(place: &Place, line: &str) -> Done {
    let mut command = place.command(&line.split_whitespace().collect::<Vec<_>>());
    let mut child = command
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    Done::from(child.wait_with_output().expect("a child ends"))
}

#[test]
fn a_reader_that_leaves_ends_no_training() {
    let place = place();
    without_reader(&place, "train bits.npy --hidden 3 --epochs 20 --betas 0 --json --out new").ok();
    assert!(place.path("new/report.html").exists());
    without_reader(&place, "inspect new").ok();
}

#[cfg(target_os = "linux")]
#[test]
fn a_result_that_cannot_be_printed_is_an_error() {
    let place = place();
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").expect("a full device");
    let mut command = place.command(&["inspect", "model.hmn"]);
    let done = Done::from(command.stdout(full()).output().expect("the program starts"));
    done.refused(1, &["write stdout"]);
    let mut command = place.command(&["inspect", "nothing.hmn"]);
    let done = Done::from(command.stderr(full()).output().expect("the program starts"));
    assert_eq!(done.code, Some(1));
}
