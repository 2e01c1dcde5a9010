//! Lists what is refused by what asks a model about rows: words of the command, exit code, words of the answer.

use crate::tables::Case;

/// Commands that share their data, model and place: `{}` is one of [`ASKS`].
pub(crate) const ASKS: &[&str] = &[
    "denoise {model} --flips 0.1 --data {data} --out {out}.npy",
    "inpaint {model} --hide 1 --data {data} --out {out}.npy",
    "anomaly {model} --data {data} --out {out}.csv",
    "generate {model} --n 4 --sweeps 2 --data {data} --out {out}.npy",
];

/// The model, the data, the place, and what is said.
pub(crate) const SHARED: &[([&str; 3], i32, &[&str])] = &[
    (["nothing.hmn", "bits.npy", "out"], 1, &["open nothing.hmn"]),
    (["bits.npy", "bits.npy", "out"], 1, &["bits.npy", "expected", "got"]),
    (["deep.hmn", "bits.npy", "out"], 2, &["model: expected a restricted", "got a dbn"]),
    (["model.hmn", "nowhere.npy", "out"], 1, &["open nowhere.npy", "No such file"]),
    (["model.hmn", "notes.txt", "out"], 2, &["data", "expected a name ending in .npy", "notes.txt"]),
    (["model.hmn", "wide.npy", "out"], 1, &["data: expected 4 columns, got 5 columns"]),
    (["model.hmn", "nan.npy", "out"], 1, &["row 1, column 2", "got NaN"]),
    (["model.hmn", "inf.npy", "out"], 1, &["row 1, column 2", "got inf"]),
    (["model.hmn", "grey.npy", "out"], 1, &["data at row 1, column 2", "expected 0 or 1", "got 0.5"]),
    (["model.hmn", "255.npy", "out"], 1, &["data at row 1, column 2", "expected 0 or 1", "got 255"]),
    (["model.hmn", "no-rows.npy", "out"], 1, &["no-rows.npy", "expected one row"]),
    (["model.hmn", "no-columns.npy", "out"], 1, &["no-columns.npy", "got shape [4, 0]"]),
    (["model.hmn", "empty.npy", "out"], 1, &["empty.npy"]),
    (["model.hmn", "ragged.csv", "out"], 1, &["ragged.csv at line 3"]),
    (["model.hmn", "hole.csv", "out"], 1, &["hole.csv", "line 1, column 2"]),
    (["model.hmn", "bits.npy", "nowhere/out"], 2, &["out: expected a folder that is there, got nowhere"]),
    (["model.hmn", "bits.npy", "folder"], 2, &["out: expected the name of a file, got the folder"]),
];

/// What each refuses for itself.
pub(crate) const OWN: &[Case] = &[
    Case("denoise model.hmn --data bits.npy --out out.txt", 2, &["out: expected a name that ends in .npy"]),
    Case(
        "denoise model.hmn --data bits.npy --flips 0.1 --out out.npy --picture out.txt",
        2,
        &["picture: expected a name that ends in .png"],
    ),
    Case(
        "denoise model.hmn --data bits.npy --flips 0 --out out.npy",
        2,
        &["flips: expected a rate between 0 and 1, got 0"],
    ),
    Case("denoise model.hmn --data bits.npy --flips nan --out out.npy", 2, &["flips: expected", "got NaN"]),
    Case(
        "denoise model.hmn --data bits.npy --flips 0.1 --spoil 2 --out out.npy",
        2,
        &["--spoil: expected a rate from 0 to 1, got 2"],
    ),
    Case("denoise model.hmn --data bits.npy --deviation 1 --out out.npy", 2, &["flips, not normal noise"]),
    Case("denoise real --data bits.npy --out out.npy", 2, &["--deviation: expected the standard deviation"]),
    Case(
        "denoise real --data bits.npy --deviation -1 --out out.npy",
        2,
        &["noise: expected a deviation above 0"],
    ),
    Case("denoise real --data bits.npy --flips 0.1 --out out.npy", 2, &["noise: expected none of flips"]),
    Case(
        "denoise real --data bits.npy --deviation 1 --spoil 0.1 --out out.npy",
        2,
        &["--spoil: expected only where units are bits"],
    ),
    Case(
        "denoise model.hmn --data bits.npy --flips 0.1 --chains 0 --out out.npy",
        2,
        &["chains: expected 1 to 10000, got 0"],
    ),
    Case(
        "denoise model.hmn --data bits.npy --flips 0.1 --sweeps 0 --out out.npy",
        2,
        &["sweeps: expected 1 or more, got 0"],
    ),
    Case(
        "denoise model.hmn --data bits.npy --flips 0.1 --rows 0 --out out.npy",
        2,
        &["rows: expected 1 or more, got 0"],
    ),
    Case("inpaint model.hmn --data bits.npy --out out.npy", 2, &["--hide: expected columns to hide"]),
    Case(
        "inpaint model.hmn --data bits.npy --hide 5 --out out.npy",
        2,
        &["--hide: expected numbers from 1 to 4"],
    ),
    Case(
        "inpaint model.hmn --data bits.npy --hide 3-1 --out out.npy",
        2,
        &["--hide: expected numbers", "got 3-1"],
    ),
    Case(
        "inpaint model.hmn --data bits.npy --hide 1 --out out.csv",
        2,
        &["out: expected a name that ends in .npy"],
    ),
    Case("anomaly model.hmn --data bits.npy --out out.npy", 2, &["out: expected a name that ends in .csv"]),
    Case(
        "anomaly model.hmn --data bits.npy --normal wide.npy --out out.csv",
        1,
        &["expected 4 columns, got 5 columns"],
    ),
    Case("anomaly model.hmn --data bits.npy --normal nan.npy --out out.csv", 1, &["got NaN"]),
    Case(
        "anomaly run --data bits.npy --normal bits.npy --out out.csv",
        2,
        &["--normal: expected rows that the model was not trained on"],
    ),
    Case("generate model.hmn --n 1 --data bits.npy --out out.npy", 2, &["n: expected 2 or more, got 1"]),
    Case("generate model.hmn --n 4 --data bits.npy --out out.txt", 2, &["out: expected a name that ends in"]),
    Case(
        "generate model.hmn --n 4 --sweeps 2 --data bits.npy --training wide.npy --out out.npy",
        1,
        &["expected 4 columns, got 5 columns"],
    ),
    Case(
        "generate model.hmn --n 4 --sweeps 2 --data bits.npy --classifier model.hmn --out out.npy",
        1,
        &["header at model: expected classifier"],
    ),
];
