//! Reads the sources and fails where they break a rule of the house.

use std::fs;
use std::path::{Path, PathBuf};

/// Layers of the crates, lowest first: a crate uses only those before it.
const CRATES: [&str; 7] = ["kernels", "core", "bm", "rbm", "dbn", "harmonium", "cli"];

/// Concerns inside `core`, lowest first: a folder uses only those before it.
const CONCERNS: [&str; 13] = [
    "error", "params", "units", "batch", "rows", "address", "stats", "persist", "data", "linear", "model",
    "sample", "evaluate",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Gives all Rust files below a folder, with their text.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut out = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() && !entry.ends_with("target") {
            out.extend(sources(&entry));
        } else if entry.extension().is_some_and(|e| e == "rs") {
            let text = fs::read_to_string(&entry).unwrap();
            out.push((entry, text));
        }
    }
    out
}

fn all() -> Vec<(PathBuf, String)> {
    ["crates", "examples", "benches"].iter().flat_map(|folder| sources(&root().join(folder))).collect()
}

fn offenders(bad: impl Fn(&Path, &str) -> bool) -> Vec<String> {
    all().iter().filter(|(path, text)| bad(path, text)).map(|(path, _)| path.display().to_string()).collect()
}

fn assert_none(offenders: &[String], rule: &str) {
    assert!(offenders.is_empty(), "{rule}:\n{}", offenders.join("\n"));
}

#[test]
fn every_file_opens_with_a_sentence() {
    let bad = offenders(|path, text| {
        let facade = path.ends_with("harmonium/src/lib.rs");
        let first = text.lines().next().unwrap_or_default();
        !(facade || first.starts_with("//! ") && first.len() > 20)
    });
    assert_none(&bad, "a file opens with a `//!` sentence");
}

#[test]
fn unsafe_code_lives_in_kernels_alone() {
    let word = ["allow(", "unsafe_code"].concat();
    let bad =
        offenders(|path, text| text.contains(&word) && !path.to_string_lossy().contains("crates/kernels/"));
    assert_none(&bad, "only kernels lifts the ban on unsafe code");
}

#[test]
fn instruction_sets_are_named_in_kernels_alone() {
    let word = ["target", "_feature"].concat();
    let bad =
        offenders(|path, text| text.contains(&word) && !path.to_string_lossy().contains("crates/kernels/"));
    assert_none(&bad, "only kernels names an instruction set");
}

/// Tells whether a file is part of what users run: benches measure, and start other programs to do so.
fn shipped(path: &Path) -> bool {
    let place = path.to_string_lossy();
    place.contains("/src/") && !place.contains("/benches/")
}

/// The code of a file without its tests.
fn code(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or_default()
}

#[test]
fn files_and_clocks_are_touched_in_one_place_each() {
    let library = |path: &Path| shipped(path) && !path.ends_with("tests.rs");
    let files = ["std::", "fs"].concat();
    let bad = offenders(|path, text| {
        let doubles = path.ends_with("doubles.rs") || path.to_string_lossy().contains("/tests/");
        library(path)
            && !doubles
            && code(text).contains(&files)
            && !path.ends_with("persist/vfs.rs")
            && !reads(path)
    });
    assert_none(&bad, "files are written through the Vfs, and read through it or by data/file.rs");
    let clock = ["Instant", "::now"].concat();
    let known = ["cli/src/clock.rs", "kernels/src/profile.rs", "examples/src/lib.rs"];
    let bad = offenders(|path, text| {
        library(path) && text.contains(&clock) && !known.iter().any(|k| path.ends_with(k))
    });
    assert_none(&bad, "time is read by the clock of the command line, by the profile and by the examples");
    let net = ["std::", "net"].concat();
    assert_none(&offenders(|_, text| text.contains(&net)), "nothing speaks to the network");
}

/// What a recording found out can decide nothing in the libraries if none of them can ask for one.
#[test]
fn the_libraries_name_stages_and_never_read_a_recording() {
    let uses = |text: &str| text.matches("profile::").count() - text.matches("profile::stage(").count();
    let bad = offenders(|path, text| {
        let place = path.to_string_lossy();
        let libraries = ["kernels", "core", "bm", "rbm"].map(|name| format!("crates/{name}/src/"));
        libraries.iter().any(|folder| place.contains(folder)) && uses(code(text)) > 0
    });
    assert_none(&bad, "only the command line makes and reads recordings");
}

/// Names the readers of data sets, which open files of any size and write none.
fn reads(path: &Path) -> bool {
    path.to_string_lossy().contains("core/src/data/")
}

#[test]
fn the_environment_is_read_where_documented() {
    let word = ["env::", "var"].concat();
    let known = ["kernels/src/backend.rs", "kernels/src/mutants.rs", "core/src/data/mnist.rs"];
    let bad = offenders(|path, text| {
        shipped(path) && code(text).contains(&word) && !known.iter().any(|k| path.ends_with(k))
    });
    assert_none(&bad, "environment variables are read in three places");
}

#[test]
fn crates_use_only_those_below_them() {
    let bad = offenders(|path, text| {
        let place = path.to_string_lossy().into_owned();
        let of = |name: &str| place.contains(&format!("crates/{name}/src/"));
        let Some(level) = CRATES.iter().position(|name| of(name)) else { return false };
        let above = CRATES[level + 1..].iter().filter(|name| **name != "harmonium");
        above.into_iter().any(|name| text.contains(&format!("harmonium_{name}")))
            || level < 5 && text.contains("use harmonium::")
    });
    assert_none(&bad, "arrows between crates run one way");
}

#[test]
fn concerns_inside_core_use_only_those_below_them() {
    let bad = offenders(|path, text| {
        let place = path.to_string_lossy().into_owned();
        let of = |name: &str| {
            place.contains(&format!("core/src/{name}/")) || place.ends_with(&format!("core/src/{name}.rs"))
        };
        let Some(level) = CONCERNS.iter().position(|name| of(name)) else { return false };
        let above = CONCERNS[level + 1..].iter().chain(["train"].iter());
        above.into_iter().any(|name| code(text).contains(&format!("crate::{name}::")))
    });
    assert_none(&bad, "arrows inside core run one way");
}

#[test]
fn the_oracle_depends_on_nothing() {
    let manifest = fs::read_to_string(root().join("crates/oracle/Cargo.toml")).unwrap();
    let dependencies = manifest.split("[dependencies]").nth(1).unwrap_or_default();
    let dependencies = dependencies.split("\n[").next().unwrap_or_default();
    assert_eq!(dependencies.trim(), "", "the oracle shares nothing with the library");
}
