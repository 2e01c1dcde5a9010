//! Feeds the program what it must refuse: one row of the table is one case.

mod common;

use std::io::Write;

use common::{Done, Place, npy_bytes};
use flate2::Compression;
use flate2::write::GzEncoder;
use harmonium::persist::RealVfs;
use harmonium::rbm::Rbm;
use ndarray::Array2;
use ndarray_npy::NpzWriter;

/// Is one command line: what it must exit with, and what its line on stderr must say.
struct Case(&'static str, i32, &'static [&'static str]);

/// Options of a training that is over at once, where it is legal.
const QUICK: &str = "--hidden 3 --epochs 1 --batch 4 --betas 0 --out new";

/// Data that no command takes. Place, expectation and finding are named.
const DATA: &[Case] = &[
    Case("nan.npy", 1, &["nan.npy at row 1, column 2", "expected a finite", "got NaN"]),
    Case("inf.npy", 1, &["inf.npy at row 1, column 2", "expected a finite", "got inf"]),
    Case("minus-inf.npy", 1, &["row 1, column 2", "expected a finite", "got -inf"]),
    Case("overflow.npy", 1, &["row 1, column 2", "expected a finite 32-bit number", "got inf"]),
    Case("nan.csv", 1, &["nan.csv at line 2, column 3", "expected a finite number", "got \"nan\""]),
    Case("inf.csv", 1, &["inf.csv at line 2, column 3", "expected a finite number", "got \"-inf\""]),
    Case("1e400.csv", 1, &["line 1, column 2", "expected a finite number", "got \"1e400\""]),
    Case("hex.csv", 1, &["line 1, column 1", "expected a finite number", "got \"0x1p3\""]),
    Case("comma.csv", 1, &["line 2, column 3", "expected 2 fields", "got 4 fields"]),
    Case("word.csv", 1, &["line 2, column 2", "expected a finite number", "got \"grey\""]),
    Case("ragged.csv", 1, &["ragged.csv at line 3, column 2", "expected 2 fields", "got 1 fields"]),
    Case("gap.csv", 1, &["line 2", "expected a row of numbers", "got an empty line"]),
    Case("hole.csv", 1, &["line 1, column 2", "expected a finite number", "got an empty field"]),
    Case("header.csv", 1, &["header.csv", "expected one row and one column at least", "got 0 rows"]),
    Case("latin.csv", 1, &["line 2, column 1", "expected a finite number"]),
    Case("empty.npy", 1, &["empty.npy: expected data, got an empty file"]),
    Case("empty.npz", 1, &["empty.npz: expected data, got an empty file"]),
    Case("empty.csv", 1, &["empty.csv: expected data, got an empty file"]),
    Case("empty-ubyte", 1, &["empty-ubyte: expected data, got an empty file"]),
    Case("empty.csv.gz", 1, &["empty.csv.gz: expected data, got an empty file"]),
    Case("hollow.csv.gz", 1, &["hollow.csv.gz: expected data, got an empty file, packed"]),
    Case("blank.csv", 1, &["blank.csv", "expected one row and one column at least"]),
    Case("no-rows.npy", 1, &["no-rows.npy: expected one row and one column at least, got shape [0, 4]"]),
    Case("no-columns.npy", 1, &["no-columns.npy", "expected one row and one column", "got shape [4, 0]"]),
    Case("scalar.npy", 1, &["scalar.npy: expected 1 to 64 axes, got 0 axes"]),
    Case("object.npy", 1, &["object.npy at dtype", "expected u1, b1", "got |O"]),
    Case("short.npy", 1, &["short.npy at byte 128", "expected the values of shape [4, 4]", "got 63 bytes"]),
    Case("long.npy", 1, &["long.npy at byte 128", "expected the values of shape [4, 4]", "got 65 bytes"]),
    Case("head.npy", 1, &["head.npy at byte 8", "expected a header within the file"]),
    Case("text.npy", 1, &["text.npy at byte 0", "expected the npy magic", "got other bytes"]),
    Case("text.npz", 1, &["text.npz", "zip archive"]),
    Case("text.csv.gz", 1, &["text.csv.gz at byte 0", "expected gzip", "got 30 2c"]),
    Case("cut.csv.gz", 1, &["cut.csv.gz at the gzip member at byte 0", "expected whole gzip data"]),
    Case("tail.csv.gz", 1, &["tail.csv.gz at the gzip member at byte", "expected whole gzip data"]),
    Case("signed-ubyte", 1, &["signed-ubyte at byte 0", "expected the IDX magic", "got 00000903"]),
    Case("rank-ubyte", 1, &["rank-ubyte at byte 4", "expected 3 sides", "got 8 bytes"]),
    Case("short-ubyte", 1, &["short-ubyte at byte 12", "expected 4 bytes", "got 3 bytes"]),
    Case("none-ubyte", 1, &["none-ubyte: expected sides of 1 or more, got [0, 2]"]),
    Case("huge-ubyte", 1, &["huge-ubyte", "expected", "got"]),
    Case("two.npz", 1, &["two.npz", "expected exactly one array", "got 2 of them among [a, b]; name one"]),
    Case("two.npz --array c", 2, &["array", "expected one of [a, b], got c (two.npz)"]),
    Case("bits.csv --array a", 2, &["array", "expected a file *.npz", "bits.csv"]),
    Case("bits.csv --packed 4", 2, &["packed", "expected a file *.npy", "bits.csv"]),
    Case("packed.npy --packed 0", 2, &["packed", "expected 1 or more", "got 0"]),
    Case(
        "packed.npy --packed 17",
        1,
        &["packed.npy: expected 3 bytes a row for 17 packed bits, got 2 bytes a row"],
    ),
    Case("packed.npy --packed 8", 1, &["packed.npy: expected 1 bytes a row", "got 2 bytes a row"]),
    Case("packed.npy --packed 18446744073709551615", 1, &["packed.npy", "got 2 bytes a row"]),
    Case("packed.npy --packed 11", 1, &["row 1", "expected zeros behind bit 11, got ones"]),
    Case("low.npy --packed 4", 1, &["low.npy at dtype", "expected |u1", "got <f4"]),
    Case("notes.txt", 2, &["data", "expected a name ending in .npy", "notes.txt"]),
    Case("nowhere.npy", 1, &["open nowhere.npy", "No such file"]),
    Case("folder.npy", 1, &["folder.npy: expected a regular file, got a folder"]),
    Case("mnist --packed 3", 2, &["packed", "mnist"]),
    Case("low.npy", 1, &["data at row 1, column 2", "expected 0 or 1", "got -0.1"]),
    Case("high.npy", 1, &["data at row 1, column 2", "expected 0 or 1", "got 1.5"]),
    Case("255.npy", 1, &["data at row 1, column 2", "expected 0 or 1", "got 255"]),
    Case("grey.npy", 1, &["data at row 1, column 2", "expected 0 or 1", "got 0.5"]),
    Case("grey.npy --binarize none", 1, &["data at row 1, column 2", "expected 0 or 1", "got 0.5"]),
    Case("bytes.npy", 1, &["data at row 0, column 1", "expected 0 or 1 (byte 0 or 255)"]),
    Case("grey-ubyte", 1, &["data at row 1, column 0", "expected 0 or 1 (byte 0 or 255)"]),
    Case("low.npy --binarize threshold", 1, &["data at row 1, column 2", "a value in [0, 1]", "got -0.1"]),
    Case("high.npy --binarize threshold", 1, &["data at row 1, column 2", "a value in [0, 1]", "got 1.5"]),
    Case("255.npy --binarize threshold", 1, &["data at row 1, column 2", "a value in [0, 1]", "got 255"]),
    Case("low.npy --binarize sample", 1, &["data at row 1, column 2", "a value in [0, 1]", "got -0.1"]),
    Case("high.npy --binarize sample", 1, &["data at row 1, column 2", "a value in [0, 1]", "got 1.5"]),
    Case("255.npy --binarize sample", 1, &["data at row 1, column 2", "a value in [0, 1]", "got 255"]),
];

/// Options of `train bits.npy`, which come before the folder is made.
const OPTIONS: &[Case] = &[
    Case("--hidden 0", 2, &["hidden: expected 1 or more, got 0"]),
    Case("--hidden 65537", 2, &["hidden units: expected 1 to 65536, got 65537"]),
    Case("--hidden 18446744073709551615", 2, &["hidden units: expected 1 to 65536"]),
    Case("--batch 0", 2, &["batch: expected 1 or more, got 0"]),
    Case("--learning-rate -0.1", 2, &["learning_rate: expected a number in 0..1000000, got -0.1"]),
    Case("--learning-rate NaN", 2, &["learning_rate: expected a number", "got NaN"]),
    Case("--learning-rate inf", 2, &["learning_rate: expected a number", "got inf"]),
    Case("--learning-rate 1e30", 2, &["learning_rate: expected a number"]),
    Case("--learning-rate 1e999 --decline constant", 2, &["learning_rate", "got inf"]),
    Case("--k 0", 2, &["k: expected a number in 1..1000000, got 0"]),
    Case("--k 0 --algorithm cd", 2, &["k: expected a number in 1..1000000, got 0"]),
    Case("--k 1000001", 2, &["k: expected", "got 1000001"]),
    Case("--chains 0", 2, &["chains: expected 1 or more, got 0"]),
    Case("--chains 1000001", 2, &["chains: expected 1 to 1000000, got 1000001"]),
    Case("--chains 18446744073709551615", 2, &["chains: expected 1 to 1000000"]),
    Case("--momentum 1", 2, &["momentum: expected a number in 0..0.999999, got 1"]),
    Case("--momentum -0.5", 2, &["momentum: expected", "got -0.5"]),
    Case("--momentum nan", 2, &["momentum: expected", "got NaN"]),
    Case("--centre 0", 2, &["centre rate: expected above 0 and at most 1, got 0"]),
    Case("--centre 1.5", 2, &["centre rate: expected", "got 1.5"]),
    Case("--centre nan", 2, &["centre rate: expected", "got NaN"]),
    Case("--l1 -1", 2, &["l1: expected 0 or more, got -1"]),
    Case("--l2 -0.001", 2, &["l2: expected 0 or more, got -0.001"]),
    Case("--l2 inf", 2, &["l2: expected 0 or more, got inf"]),
    Case("--validation 8", 2, &["validation: expected fewer than the 8 rows", "got 8"]),
    Case("--validation 18446744073709551615", 2, &["validation: expected fewer than the 8 rows"]),
    Case("--betas 1", 2, &["betas: expected 0, or 2 to 10000000, got 1"]),
    Case("--betas 10000001", 2, &["betas: expected 0, or 2 to 10000000, got 10000001"]),
    Case("--threads 0", 2, &["threads: expected 1 to 4096, got 0"]),
    Case("--threads 4097", 2, &["threads: expected 1 to 4096, got 4097"]),
];

/// What clap itself refuses; it says more than one line.
const SYNTAX: &[&str] = &[
    "train bits.npy --hiden 3",
    "train bits.npy --hidden -3",
    "train bits.npy --hidden many",
    "train bits.npy --hidden 99999999999999999999",
    "train bits.npy --epochs 4294967296",
    "train bits.npy --epochs -1",
    "train bits.npy --seed 18446744073709551616",
    "train bits.npy --seed -1",
    "train bits.npy --algorithm sml",
    "train bits.npy --decline slowly",
    "train bits.npy --binarize maybe",
    "train bits.npy --adam --momentum 0.5",
    "train bits.npy other.npy",
    "train",
    "evaluate model.hmn",
    "evaluate model.hmn --data bits.npy --method guess",
    "evaluate model.hmn --data bits.npy --schedule sm08 --betas 100",
    "sample model.hmn",
    "fit bits.npy",
];

/// Commands on a model of 4 visible units and 3 hidden ones; `out.*` stand there before and after.
const COMMANDS: &[Case] = &[
    Case("evaluate model.hmn --data wide.npy", 1, &["data: expected 4 columns, got 5 columns"]),
    Case("evaluate model.hmn --data wide.npy --method ais", 1, &["data: expected 4 columns, got 5 columns"]),
    Case(
        "evaluate model.hmn --data wide.npy --method pseudo",
        1,
        &["data: expected 4 columns, got 5 columns"],
    ),
    Case("evaluate model.hmn --data bits.npy --base-data wide.npy --method ais", 1, &["4 ", "5 "]),
    Case("evaluate model.hmn --data grey.npy", 1, &["data at row 1, column 2", "expected 0 or 1", "got 0.5"]),
    Case("evaluate model.hmn --data bits.npy --runs 1", 2, &["runs: expected 2 or more, got 1"]),
    Case("evaluate model.hmn --data bits.npy --runs 0", 2, &["runs: expected 2 or more, got 0"]),
    Case(
        "evaluate model.hmn --data bits.npy --runs 18446744073709551615",
        2,
        &["runs: expected 2 to 1000000"],
    ),
    Case("evaluate model.hmn --data bits.npy --betas 1", 2, &["betas: expected 2 to 10000000, got 1"]),
    Case("evaluate model.hmn --data bits.npy --betas 99999999999", 2, &["betas: expected 2 to 10000000"]),
    Case("evaluate model.hmn --data bits.npy --threads 0", 2, &["threads: expected 1 to 4096, got 0"]),
    Case("evaluate nothing.hmn --data bits.npy", 1, &["open nothing.hmn"]),
    Case(
        "evaluate large.hmn --data large.npy --method exact",
        1,
        &["expected at most 25 units in the smaller layer, got 26"],
    ),
    Case(
        "transform model.hmn --data wide.npy --out out.npy",
        1,
        &["data: expected 4 columns, got 5 columns"],
    ),
    Case(
        "transform model.hmn --data bits.npy --out out.txt",
        2,
        &["out: expected a name that ends in .npy, got out.txt"],
    ),
    Case("transform model.hmn --data bits.npy --out nowhere/out.npy", 1, &["nowhere"]),
    Case(
        "reconstruct model.hmn --data wide.npy --out out.npy",
        1,
        &["data: expected 4 columns, got 5 columns"],
    ),
    Case("reconstruct model.hmn --data bits.npy --out out.txt", 2, &["out: expected", "got out.txt"]),
    Case(
        "sample model.hmn --out out.txt",
        2,
        &["out: expected a name that ends in .npy or .png, got out.txt"],
    ),
    Case("sample model.hmn --out out", 2, &["out: expected a name", "got out"]),
    Case("sample model.hmn --out out.npy --n 0", 2, &["n: expected 1 to 10000000, got 0"]),
    Case("sample model.hmn --out out.npy --n 10000001", 2, &["n: expected 1 to 10000000"]),
    Case("sample model.hmn --out out.png --n 10001", 2, &["n: expected 1 to 10000, got 10001"]),
    Case("sample model.hmn --out folder.npy --n 2", 1, &["replace folder.npy", "got a directory"]),
    Case(
        "export model.hmn --out out.txt",
        2,
        &["out: expected a name that ends in .safetensors or .npz, got out.txt"],
    ),
    Case("export nothing.hmn --out out.npz", 1, &["open nothing.hmn"]),
    Case("inspect folder.npy", 1, &["folder.npy"]),
    Case("report folder.npy", 1, &["recipe.json"]),
    Case("report nowhere", 1, &["recipe.json"]),
    Case(
        "import --weights w.npy --visible-bias c.npy --hidden-bias c.npy --out out.hmn",
        1,
        &["visible bias: expected 4 entries, got 3 entries"],
    ),
    Case(
        "import --weights w.npy --visible-bias b.npy --hidden-bias b.npy --out out.hmn",
        1,
        &["hidden bias: expected 3 entries, got 4 entries"],
    ),
    Case(
        "import --weights w.npy --visible-bias b.npy --hidden-bias c.npy --out out.hmn --transposed",
        1,
        &["visible bias: expected 3 entries, got 4 entries"],
    ),
    Case(
        "import --weights w.npy --visible-bias w.npy --hidden-bias c.npy --out out.hmn",
        1,
        &["visible bias: expected one row or one column, got 4 x 3"],
    ),
    Case(
        "import --weights nan.npy --visible-bias b.npy --hidden-bias b.npy --out out.hmn",
        1,
        &["nan.npy at row 1, column 2", "got NaN"],
    ),
    Case(
        "import --weights w.npy --visible-bias nanb.npy --hidden-bias c.npy --out out.hmn",
        1,
        &["nanb.npy at row 0, column 3", "got NaN"],
    ),
    Case(
        "import --weights bytes.npy --visible-bias b.npy --hidden-bias c.npy --out out.hmn",
        1,
        &["bytes.npy at dtype", "expected f4", "got unsigned bytes"],
    ),
    Case(
        "import --weights two.npz --visible-bias b.npy --hidden-bias c.npy --out out.hmn",
        1,
        &["two.npz", "name one"],
    ),
    Case("train bits.npy --out run", 2, &["out: expected a folder without a run in it, got run"]),
    Case("train bits.npy --out bits.npy --betas 0", 1, &["bits.npy"]),
];

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("memory takes all");
    encoder.finish().expect("memory takes all")
}

fn idx(magic: u32, sides: &[u32], bytes: &[u8]) -> Vec<u8> {
    let head = std::iter::once(&magic).chain(sides).flat_map(|word| word.to_be_bytes());
    head.chain(bytes.iter().copied()).collect()
}

/// Makes an npy file of four rows of four bytes, with another shape or type written in its header.
fn npy_with(from: &str, to: &str) -> Vec<u8> {
    let whole = npy_bytes(&Array2::<u8>::ones((4, 4)));
    let at = whole.windows(from.len()).position(|part| part == from.as_bytes()).expect("a header");
    // The header is padded with blanks, so what grows takes some of them.
    let mut head = [&whole[..at], to.as_bytes(), &whole[at + from.len()..127]].concat();
    head.retain({
        let mut kept = 0;
        move |_| {
            kept += 1;
            kept <= 127
        }
    });
    head.resize(127, b' ');
    [&head[..], &whole[127..]].concat()
}

/// Lays out all files that the tables name.
fn place() -> Place {
    let place = Place::new();
    let bad =
        |name: &str, value: f32| place.npy(name, 4, 4, |r, c| if (r, c) == (1, 2) { value } else { 1.0 });
    for (name, value) in [
        ("nan.npy", f32::NAN),
        ("inf.npy", f32::INFINITY),
        ("minus-inf.npy", f32::NEG_INFINITY),
        ("low.npy", -0.1),
        ("high.npy", 1.5),
        ("255.npy", 255.0),
        ("grey.npy", 0.5),
    ] {
        bad(name, value);
    }
    place.npy("overflow.npy", 4, 4, |r, c| if (r, c) == (1, 2) { 1e39_f64 } else { 1.0 });
    place.npy("bits.npy", 8, 4, |r, c| f32::from(u8::from((r + c) % 3 == 0)));
    place.npy("wide.npy", 8, 5, |r, c| f32::from(u8::from((r + c) % 3 == 0)));
    place.npy("large.npy", 2, 26, |_, c| f32::from(u8::from(c > 3)));
    place.npy("bytes.npy", 4, 3, |_, c| if c == 1 { 7_u8 } else { 0 });
    place.npy("packed.npy", 2, 2, |r, c| if (r, c) == (1, 1) { 0b0001_0000_u8 } else { 0 });
    place.npy("w.npy", 4, 3, |r, c| r as f32 * 0.25 - c as f32 * 0.5);
    place.npy("b.npy", 1, 4, |_, c| c as f32);
    place.npy("c.npy", 3, 1, |r, _| r as f32 - 1.0);
    place.npy("nanb.npy", 1, 4, |_, c| if c == 3 { f32::NAN } else { 0.0 });
    text_files(&place);
    broken_files(&place);
    models(&place);
    ["out.npy", "out.txt", "out.png", "out.npz", "out.hmn", "out"]
        .iter()
        .for_each(|name| place.write(name, "kept"));
    place
}

fn text_files(place: &Place) {
    for (name, text) in [
        ("nan.csv", &b"0,1,1\n1,0,nan\n"[..]),
        ("inf.csv", b"0,1,1\n1,0,-inf\n"),
        ("1e400.csv", b"0,1e400\n"),
        ("hex.csv", b"0x1p3,1\n"),
        ("comma.csv", b"1,0\n0,5,1,0\n"),
        ("word.csv", b"1,0\n0,grey\n"),
        ("ragged.csv", b"1,0\n1,1\n1\n"),
        ("gap.csv", b"1,0\n\n1,1\n"),
        ("hole.csv", b"1,,0\n"),
        ("header.csv", b"left,right\n"),
        ("latin.csv", b"1\n\xe9\n"),
        ("empty.csv", b""),
        ("blank.csv", b"\n\n"),
        ("bits.csv", b"0,1\n1,0\n"),
        ("notes.txt", b"0,1\n"),
        ("text.npy", b"0,1\n"),
        ("text.npz", b"0,1\n"),
        ("text.csv.gz", b"0,1\n"),
        ("empty.npy", b""),
        ("empty.npz", b""),
        ("empty-ubyte", b""),
        ("empty.csv.gz", b""),
    ] {
        place.write(name, text);
    }
}

fn broken_files(place: &Place) {
    let whole = npy_bytes(&Array2::<u8>::ones((4, 4)));
    assert_eq!(whole.len(), 144, "a header of 128 bytes");
    let whole = npy_bytes(&Array2::<f32>::ones((4, 4)));
    place.write("short.npy", &whole[..whole.len() - 1]);
    place.write("long.npy", [&whole[..], b"x"].concat());
    place.write("head.npy", &whole[..40]);
    place.write("no-rows.npy", &npy_with("(4, 4)", "(0, 4)")[..128]);
    place.write("no-columns.npy", &npy_with("(4, 4)", "(4, 0)")[..128]);
    place.write("scalar.npy", &npy_with("(4, 4)", "()")[..129]);
    place.write("object.npy", npy_with("'|u1'", "'|O'"));
    let packed = gz(b"0,1\n1,0\n");
    place.write("hollow.csv.gz", gz(b""));
    place.write("cut.csv.gz", &packed[..packed.len() - 3]);
    place.write("tail.csv.gz", [&packed[..], b"more"].concat());
    place.write("signed-ubyte", idx(0x0903, &[1, 1, 1], &[0]));
    place.write("rank-ubyte", idx(0x0803, &[1, 1], &[]));
    place.write("short-ubyte", idx(0x0802, &[2, 2], &[0, 0, 0]));
    place.write("none-ubyte", idx(0x0802, &[0, 2], &[]));
    place.write("huge-ubyte", idx(0x0803, &[u32::MAX, u32::MAX, u32::MAX], &[0]));
    place.write("grey-ubyte", idx(0x0802, &[2, 2], &[0, 255, 128, 0]));
    let mut npz = NpzWriter::new(std::io::Cursor::new(Vec::new()));
    let ones = Array2::<f32>::ones((4, 3));
    ["a", "b"].iter().for_each(|name| npz.add_array(*name, &ones).expect("an array"));
    place.write("two.npz", npz.finish().expect("an archive").into_inner());
    std::fs::create_dir(place.path("folder.npy")).expect("a folder");
}

fn models(place: &Place) {
    let import = "import --weights w.npy --visible-bias b.npy --hidden-bias c.npy --out model.hmn";
    place.words(import).ok();
    place.npy("ww.npy", 26, 26, |_, _| 0.0_f32);
    place.npy("bb.npy", 26, 1, |_, _| 0.0_f32);
    place.words("import --weights ww.npy --visible-bias bb.npy --hidden-bias bb.npy --out large.hmn").ok();
    place.words("train bits.npy --hidden 2 --epochs 1 --betas 0 --out run").ok();
}

/// Runs a table; no file may change, and no run may begin.
fn check(cases: &[Case], line: impl Fn(&str) -> String) {
    let place = place();
    let before = place.snapshot();
    for Case(words, code, says) in cases {
        let line = line(words);
        let done = place.words(&line);
        assert!(!done.stderr.is_empty(), "{line:?} was taken");
        println!("{line}\n    {}", done.stderr);
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
        place.write("other.hmn", bytes);
        let done = place.words("inspect other.hmn");
        println!("{name}: {}", done.stderr);
        done.refused(1, &["other.hmn", "expected", "got"]);
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
