//! Runs the program in a folder of its own, on digits and on small files that a test makes up.
// Each test file uses its part of these helpers.
#![allow(dead_code)]

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use ndarray::Array2;
use ndarray_npy::{WritableElement, WriteNpyExt};
use serde_json::Value;
use tempfile::TempDir;

/// Pixels of a digit.
pub(crate) const PIXELS: usize = 64;

/// Is what a finished command left behind.
pub(crate) struct Done {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Is a folder in which commands run; it goes with the test.
pub(crate) struct Place(TempDir);

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("the program prints UTF-8");
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Done {
    /// Insists on success.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        self
    }

    /// Insists on a refusal that fits one line: the code, and the words that it must contain.
    #[track_caller]
    pub(crate) fn refused(&self, code: i32, words: &[&str]) {
        let line = self.stderr.trim_end_matches('\n');
        assert_eq!(self.code, Some(code), "{line}");
        assert!(
            line.starts_with("error: ") && !line.contains('\n') && !line.contains("panicked"),
            "{line:?}"
        );
        words.iter().for_each(|word| assert!(line.contains(word), "no {word:?} in {line:?}"));
    }

    /// Reads stdout as one JSON value a line.
    #[track_caller]
    pub(crate) fn lines(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
    }

    /// Reads the digest in the last line of `train --json`.
    #[track_caller]
    pub(crate) fn digest(&self) -> String {
        let lines = self.lines();
        let digest = lines.last().and_then(|line| line["result"]["digest"].as_str()).expect("a last line");
        assert_eq!(digest.len(), 64);
        digest.to_owned()
    }
}

impl Place {
    /// Makes an empty folder.
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    /// Makes a folder with the first digits in `digits.npy`, grey values from 0 to 1.
    pub(crate) fn with_digits(rows: usize) -> Self {
        let place = Self::new();
        let all = digits();
        place.npy("digits.npy", rows, PIXELS, |r, c| all[r][c]);
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).expect("a file is written");
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    pub(crate) fn text(&self, name: &str) -> String {
        String::from_utf8(self.read(name)).expect("a text")
    }

    pub(crate) fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.text(name)).expect("JSON")
    }

    /// Reads a matrix of f32.
    pub(crate) fn matrix(&self, name: &str) -> Array2<f32> {
        ndarray_npy::read_npy(self.path(name)).expect("a matrix of f32")
    }

    /// Writes a matrix.
    pub(crate) fn npy<T: WritableElement>(
        &self,
        name: &str,
        rows: usize,
        columns: usize,
        value: impl Fn(usize, usize) -> T,
    ) {
        self.write(name, npy_bytes(&Array2::from_shape_fn((rows, columns), |(r, c)| value(r, c))));
    }

    /// Prepares a command that runs here, and whose outcome the test's own environment does not touch.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_harmonium"));
        command.args(args).current_dir(self.0.path()).env_remove("HARMONIUM_BACKEND");
        command.env_remove("HARMONIUM_DATA").stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Done {
        Done::from(self.command(args).output().expect("the program starts"))
    }

    /// Runs a command written as one line of words.
    pub(crate) fn words(&self, line: &str) -> Done {
        self.run(&line.split_whitespace().collect::<Vec<_>>())
    }

    /// Lists all files below the folder with their bytes, so that two moments can be compared.
    pub(crate) fn snapshot(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        collect(self.0.path(), &mut files);
        files.sort();
        files
    }
}

fn collect(folder: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            // An empty folder counts, too.
            files.push((path.clone(), Vec::new()));
            collect(&path, files);
        } else {
            files.push((path.clone(), fs::read(&path).expect("a file")));
        }
    }
}

/// Encodes a matrix as NPY.
pub(crate) fn npy_bytes<T: WritableElement>(values: &Array2<T>) -> Vec<u8> {
    let mut bytes = Vec::new();
    values.write_npy(&mut bytes).expect("an array in memory is encoded");
    bytes
}

/// Reads the pixels of all digits, 0 to 1; the label of each line is left out.
fn digits() -> Vec<Vec<f32>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/digits/digits.csv.gz");
    let mut text = String::new();
    let file = fs::File::open(path).expect("data/digits");
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).expect("gzip");
    let row = |line: &str| {
        line.split(',').take(PIXELS).map(|x| x.parse::<f32>().expect("a number") / 16.0).collect()
    };
    text.lines().map(row).collect()
}

/// Rows of the data that `trained` uses, and hidden units of its model.
pub(crate) const ROWS: usize = 200;
pub(crate) const HIDDEN: usize = 8;

/// Gives a folder with a run on digits, and what the training printed.
pub(crate) fn trained() -> (Place, Done) {
    let place = Place::with_digits(ROWS);
    let line = "train digits.npy --binarize threshold --hidden 8 --epochs 3 --batch 20 --validation 40 --betas 100 \
                --learning-rate 0.1 --seed 5 --json --quiet --out run";
    let done = place.words(line).ok();
    (place, done)
}

/// Reads a JSON number.
#[track_caller]
pub(crate) fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// Gives the names in a JSON object.
#[track_caller]
pub(crate) fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}
