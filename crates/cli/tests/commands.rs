//! Walks through every command as a user would, and checks what each of them writes and prints.

mod common;

use common::{Done, HIDDEN, PIXELS, Place, ROWS, keys, number, trained};
use serde_json::Value;

#[test]
fn train_prints_one_line_an_epoch_and_a_result() {
    let (place, done) = trained();
    assert_eq!(done.stderr, "");
    let lines = done.lines();
    assert_eq!(lines.len(), 4);
    for (epoch, line) in lines[..3].iter().enumerate() {
        assert_eq!(line["epoch"], epoch + 1);
        assert_eq!(line["step"], 8 * (epoch + 1));
        assert!(number(&line["samples_per_second"]) > 0.0);
        assert!((-64.0..0.0).contains(&number(&line["pseudo_log_likelihood"])));
        assert!(line["free_energy_gap"].is_f64());
    }
    assert!(lines[2]["pseudo_log_likelihood"].as_f64() > lines[0]["pseudo_log_likelihood"].as_f64());
    let result = &lines[3]["result"];
    assert_eq!(keys(&lines[3]), ["result"]);
    assert_eq!(result["run"], "run");
    assert_eq!(result["evaluated_on"], "validation");
    assert_eq!((&result["epochs"], &result["steps"]), (&3.into(), &24.into()));
    assert_eq!(&place.json("run/result.json"), result);
    let figures: Vec<Value> =
        place.text("run/metrics.jsonl").lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(figures, lines[..3]);
}

#[test]
fn a_run_leaves_its_files() {
    let (place, _) = trained();
    for name in ["recipe.json", "model.hmn", "metrics.jsonl", "result.json", "report.html"] {
        assert!(!place.read(&format!("run/{name}")).is_empty());
    }
    let mut names: Vec<String> = std::fs::read_dir(place.path("run/checkpoints"))
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, [".harmonium-lock", "checkpoint-000000000016.hmn", "checkpoint-000000000024.hmn"]);
    let recipe = place.json("run/recipe.json");
    assert_eq!(recipe["seed"], 5);
    assert_eq!(recipe["data"].as_str(), place.path("digits.npy").canonicalize().unwrap().to_str());
}

#[test]
fn without_json_a_person_is_told() {
    let place = Place::with_digits(ROWS);
    let line = "train digits.npy --binarize threshold --hidden 4 --epochs 2 --betas 50";
    let loud = place.words(&format!("{line} --out loud")).ok();
    assert_eq!(loud.stderr.lines().filter(|l| l.contains(" samples/s ")).count(), 2, "{}", loud.stderr);
    let quiet = place.words(&format!("{line} --out quiet --quiet")).ok();
    assert_eq!(quiet.stderr, "");
    for (done, name) in [(&loud, "loud"), (&quiet, "quiet")] {
        assert!(done.stdout.starts_with("training rows: log-likelihood -"), "{}", done.stdout);
        assert!(done.stdout.contains(&format!("report {name}/report.html")), "{}", done.stdout);
    }
}

#[test]
fn runs_are_numbered_where_no_folder_is_named() {
    let place = Place::with_digits(50);
    for number in ["001", "002"] {
        place.words("train digits.npy --binarize threshold --hidden 2 --epochs 1 --betas 0").ok();
        assert!(place.path(&format!("runs/digits-{number}/model.hmn")).exists());
    }
}

#[test]
fn samples_are_bits_or_a_picture() {
    let (place, _) = trained();
    place.words("sample run --n 12 --sweeps 50 --out bits.npy --quiet").ok();
    let bits: ndarray::Array2<u8> = ndarray_npy::read_npy(place.path("bits.npy")).expect("bytes");
    assert_eq!(bits.dim(), (12, PIXELS));
    assert!(
        bits.iter().all(|&bit| bit <= 1)
            && bits.iter().any(|&bit| bit == 1)
            && bits.iter().any(|&bit| bit == 0)
    );
    place.words("sample run --n 12 --sweeps 50 --out again.npy --threads 3").ok();
    assert_eq!(place.read("bits.npy"), place.read("again.npy"));
    place.words("sample run --n 12 --sweeps 50 --out other.npy --seed 6").ok();
    assert_ne!(place.read("bits.npy"), place.read("other.npy"));
    place.words("sample run --n 12 --sweeps 5 --out tiles.png").ok();
    let decoder = png::Decoder::new(std::io::Cursor::new(place.read("tiles.png")));
    let reader = decoder.read_info().expect("a picture");
    // Four columns and three rows of 8 × 8 tiles, a line of one pixel around each.
    assert_eq!((reader.info().width, reader.info().height), (4 * 9 + 1, 3 * 9 + 1));
    // What was sampled can be read again.
    place.words("evaluate run --data bits.npy --method pseudo").ok();
}

#[test]
fn features_and_reconstructions_are_probabilities() {
    let (place, _) = trained();
    for (command, columns) in [("transform", HIDDEN), ("reconstruct", PIXELS)] {
        let line = format!("{command} run --data digits.npy --binarize threshold --quiet --out");
        let done = place.words(&format!("{line} out.npy")).ok();
        assert_eq!((done.stdout.as_str(), done.stderr.as_str()), ("", ""));
        let values = place.matrix("out.npy");
        assert_eq!(values.dim(), (ROWS, columns));
        assert!(values.iter().all(|p| (0.0..=1.0).contains(p)));
        assert!(values.iter().any(|&p| p != values[(0, 0)]));
        place.words(&format!("{line} again.npy --threads 3")).ok();
        assert_eq!(place.read("out.npy"), place.read("again.npy"));
    }
}

#[test]
fn reconstructions_resemble_their_rows() {
    let place = Place::with_digits(ROWS);
    let line = "train digits.npy --binarize threshold --hidden 32 --epochs 40 --batch 10 --betas 0 --out run";
    place.words(line).ok();
    place.words("reconstruct run --data digits.npy --binarize threshold --out back.npy").ok();
    let (rows, back) = (place.matrix("digits.npy"), place.matrix("back.npy"));
    let wrong = |shift: usize| -> usize {
        let pairs = (0..ROWS).flat_map(|r| (0..PIXELS).map(move |c| (r, c)));
        pairs.filter(|&(r, c)| (rows[((r + shift) % ROWS, c)] >= 0.5) != (back[(r, c)] > 0.5)).count()
    };
    // Reconstructions that knew nothing of their rows would be nearest to them with probability 1 / ROWS.
    assert!((1..ROWS).all(|shift| wrong(0) < wrong(shift)), "{} wrong pixels", wrong(0));
}

#[test]
fn inspect_tells_what_a_file_holds() {
    let (place, done) = trained();
    for name in ["run", "run/model.hmn", "run/checkpoints/checkpoint-000000000024.hmn"] {
        let facts = place.words(&format!("inspect {name} --json")).ok().lines().remove(0);
        assert_eq!(facts["kind"], "rbm");
        assert_eq!((&facts["visible"], &facts["hidden"]), (&PIXELS.into(), &HIDDEN.into()));
        assert!(facts["units"]["visible"].as_str().is_some_and(|u| u.contains("64")));
        assert_eq!((&facts["step"], &facts["seed"]), (&24.into(), &5.into()));
        assert_eq!(facts["recipe"], place.json("run/recipe.json"));
        assert_eq!(facts["digest"], done.digest().as_str(), "{name}");
    }
    let text = place.words("inspect run").ok().stdout;
    assert!(text.lines().any(|line| line.starts_with("digest") && line.ends_with(&done.digest())), "{text}");
    let older =
        place.words("inspect run/checkpoints/checkpoint-000000000016.hmn --json").ok().lines().remove(0);
    assert_eq!(older["step"], 16);
    assert_ne!(older["digest"], done.digest().as_str());
}

#[test]
fn exported_weights_come_back_as_the_same_model() {
    let (place, done) = trained();
    place.words("export run --out w.npz").ok();
    let mut npz = ndarray_npy::NpzReader::new(std::fs::File::open(place.path("w.npz")).unwrap()).unwrap();
    let weights: ndarray::Array2<f32> = npz.by_name("weights").expect("weights");
    assert_eq!(weights.dim(), (PIXELS, HIDDEN));
    place.npy("w.npy", PIXELS, HIDDEN, |r, c| weights[(r, c)]);
    // As scikit-learn lays them out, and in double precision, which holds every f32.
    place.npy("t.npy", HIDDEN, PIXELS, |r, c| f64::from(weights[(c, r)]));
    for (name, rows) in [("visible_bias", PIXELS), ("hidden_bias", HIDDEN)] {
        let bias: ndarray::Array1<f32> = npz.by_name(name).expect("biases");
        assert_eq!(bias.len(), rows);
        place.npy(&format!("{name}.npy"), rows, 1, |r, _| bias[r]);
    }
    for weights in ["w.npy", "t.npy --transposed"] {
        let line = format!(
            "import --weights {weights} --visible-bias visible_bias.npy --hidden-bias hidden_bias.npy --out back.hmn"
        );
        let told = place.words(&line).ok().stdout;
        assert!(told.contains(&done.digest()) && told.contains("64 visible, 8 hidden"), "{told}");
        let facts = place.words("inspect back.hmn --json").ok().lines().remove(0);
        assert_eq!(facts["digest"], done.digest().as_str());
        assert_eq!((&facts["seed"], &facts["step"], &facts["recipe"]), (&0.into(), &0.into(), &Value::Null));
    }
    // The imported model is the exported one: its features have the same bits.
    let data = "--data digits.npy --binarize threshold";
    place.words(&format!("transform run {data} --out a.npy")).ok();
    place.words(&format!("transform back.hmn {data} --out b.npy")).ok();
    assert_eq!(place.read("a.npy"), place.read("b.npy"));
}

#[test]
fn safetensors_hold_weights_and_facts() {
    let (place, _) = trained();
    place.words("export run --out w.safetensors").ok();
    let bytes = place.read("w.safetensors");
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: Value = serde_json::from_slice(&bytes[8..8 + length]).expect("a header");
    assert_eq!(header["weights"]["shape"], serde_json::json!([PIXELS, HIDDEN]));
    assert_eq!(header["weights"]["dtype"], "F32");
    assert_eq!(header["visible_bias"]["shape"], serde_json::json!([PIXELS]));
    let facts = &header["__metadata__"];
    assert_eq!((&facts["model"], &facts["seed"], &facts["step"]), (&"rbm".into(), &"5".into(), &"24".into()));
    let recipe: Value = serde_json::from_str(facts["recipe"].as_str().unwrap()).expect("a recipe");
    assert_eq!(recipe, place.json("run/recipe.json"));
}

#[test]
fn a_report_stands_alone_and_can_be_written_anew() {
    let (place, done) = trained();
    let first = place.text("run/report.html");
    std::fs::remove_file(place.path("run/report.html")).unwrap();
    assert!(place.words("report run").ok().stdout.contains("report run/report.html"));
    let report = place.text("run/report.html");
    assert_eq!(first, report);
    assert!(report.contains(&done.digest()));
    for attribute in ["src=", "href=", "url(", "@import", "<iframe"] {
        for (at, _) in report.match_indices(attribute) {
            let value = report[at + attribute.len()..].trim_start_matches(['"', '\'']);
            let inside = value.starts_with("data:") || value.starts_with('#');
            assert!(inside, "{attribute}{}", value.chars().take(60).collect::<String>());
        }
    }
    assert!(report.matches("src=\"data:image/png;base64,").count() >= 3);
}

/// Reads the command in the report of `run`.
fn command(place: &Place) -> Vec<String> {
    let report = place.text("run/report.html");
    // The page writes the command word by word, each in an element of its own.
    let mut codes = report.split("<code>").skip(1).filter_map(|code| code.split("</code>").next());
    let code = codes.find(|code| code.contains("train")).expect("the command");
    let words = code.split(['<', '>']).step_by(2).flat_map(str::split_whitespace).skip(1);
    words.map(str::to_owned).collect()
}

fn again(place: &Place) -> Done {
    let words = command(place);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    assert_eq!(words[0], "train");
    place.run(&[&words[..], &["--json", "--out", "again"]].concat()).ok()
}

#[test]
fn the_command_of_a_report_makes_the_same_run() {
    let (place, done) = trained();
    assert_eq!(done.digest(), again(&place).digest());
    assert!(place.read("run/model.hmn") == place.read("again/model.hmn"));
}

#[test]
fn the_command_of_a_report_names_the_options_of_every_algorithm() {
    for algorithm in [
        "cd --k 2",
        "fpcd --k 2 --chains 7 --fast-rate 0.2 --fast-decay 0.8",
        "pt --chains 7 --rungs 3 --lowest-beta 0.4",
        "ptt --chains 7 --threshold 0.9",
        "exact",
        "pl",
        "tap --k 2 --chains 7 --order 3 --damping 0.3",
    ] {
        let place = Place::with_digits(50);
        let line = "train digits.npy --binarize threshold --hidden 5 --epochs 2 --betas 0 --json --out run";
        let done = place.words(&format!("{line} --algorithm {algorithm}")).ok();
        assert!(place.text("run/report.html").contains(algorithm.split(' ').next().unwrap_or_default()));
        assert_eq!(done.digest(), again(&place).digest());
    }
}

#[test]
fn machines_too_large_for_the_exact_gradient_are_refused_before_a_run_begins() {
    let place = Place::with_digits(50);
    let before = place.snapshot();
    let done = place.words("train digits.npy --binarize threshold --hidden 21 --algorithm exact --out run");
    done.refused(1, &["exact gradient: expected at most 20 units in the smaller layer, got 21"]);
    assert!(before == place.snapshot());
}

/// Every rule that the command line knows is named in the command, and its value with it.
#[test]
fn the_command_of_a_report_names_the_rules_of_the_run() {
    for rules in [
        "--optimizer nesterov --momentum 0.7 --decline cosine --average 0.9 --proximal 0.01",
        "--optimizer adamw --weight-decay 0.2 --average 1 --average-from 0.25 --max-norm 0.4",
        "--optimizer adagrad --group-l1 0.1 --sparsity 0.2 --sparsity-strength 0.3",
        "--optimizer rmsprop --decline constant --clip 0.3",
    ] {
        let place = Place::with_digits(60);
        let line =
            format!("train digits.npy --binarize sample --hidden 6 --epochs 2 --batch 20 --betas 0 {rules}");
        let done = place.words(&format!("{line} --json --out run")).ok();
        let words = command(&place).join(" ");
        let named = rules.split("--").skip(1).all(|rule| words.contains(&format!("--{}", rule.trim())));
        assert!(named, "{rules} in {words}");
        assert_eq!(done.digest(), again(&place).digest());
    }
}

/// The model of a run that averages is the average: it differs from the parameters of the last checkpoint, which `inspect`
/// shows as the same average.
#[test]
fn the_model_of_a_run_is_its_average() {
    let train = "train digits.npy --binarize sample --hidden 6 --epochs 3 --batch 20 --betas 0 --json";
    let place = Place::with_digits(60);
    let plain = place.words(&format!("{train} --out plain")).ok();
    let averaged = place.words(&format!("{train} --average 1 --out run")).ok();
    assert_ne!(plain.digest(), averaged.digest());
    let shown = |file: &str| place.words(&format!("inspect {file} --json")).ok().lines()[0]["digest"].clone();
    assert_eq!(shown("run/model.hmn"), averaged.digest());
    assert_eq!(shown("run/checkpoints/checkpoint-000000000009.hmn"), averaged.digest());
    assert_eq!(shown("plain/checkpoints/checkpoint-000000000009.hmn"), plain.digest());
}

#[test]
fn a_run_without_its_end_can_be_looked_at() {
    let (place, done) = trained();
    for name in ["model.hmn", "result.json", "report.html"] {
        std::fs::remove_file(place.path("run").join(name)).unwrap();
    }
    let facts = place.words("inspect run --json").ok().lines().remove(0);
    assert_eq!(facts["digest"], done.digest().as_str(), "the newest checkpoint stands for the model");
    place.words("report run").ok();
    assert!(place.text("run/report.html").contains("before its last epoch"));
}

#[test]
fn a_short_digest_in_a_result_breaks_no_report() {
    let (place, _) = trained();
    let mut result = place.json("run/result.json");
    result["digest"] = "é".into();
    place.write("run/result.json", result.to_string());
    place.words("report run").ok();
    place.write("run/result.json", "[]");
    place.words("report run").refused(1, &["result.json", "expected the result of a run"]);
}

#[test]
fn data_come_in_many_files() {
    let place = Place::with_digits(60);
    let values = place.matrix("digits.npy").mapv(|v| f32::from(u8::from(v >= 0.5)));
    let bit = |r: usize, c: usize| values[(r, c)] == 1.0;
    place.npy("bits.npy", 60, PIXELS, bit);
    place.npy("bytes.npy", 60, PIXELS, |r, c| u8::from(bit(r, c)));
    place.npy("ints.npy", 60, PIXELS, |r, c| i64::from(bit(r, c)));
    place.npy("packed.npy", 60, PIXELS / 8, |r, c| {
        (0..8).fold(0_u8, |byte, i| byte << 1 | u8::from(bit(r, 8 * c + i)))
    });
    let row = |r: usize| (0..PIXELS).map(|c| u8::from(bit(r, c)).to_string()).collect::<Vec<_>>().join(",");
    let csv = (0..60).map(row).collect::<Vec<_>>().join("\r\n");
    place.write("rows.csv", format!("\u{feff}{}\n{csv}\n", vec!["pixel"; PIXELS].join(",")));
    let mut idx = vec![0, 0, 8, 3, 0, 0, 0, 60, 0, 0, 0, 8, 0, 0, 0, 8];
    idx.extend((0..60 * PIXELS).map(|i| 255 * u8::from(bit(i / PIXELS, i % PIXELS))));
    place.write("images-idx3-ubyte", idx);
    let line = "--hidden 3 --epochs 1 --betas 0 --json --out";
    let first = place.words(&format!("train bits.npy {line} first")).ok().digest();
    let others = [
        "digits.npy --binarize threshold",
        "bytes.npy",
        "ints.npy",
        "packed.npy --packed 64",
        "rows.csv",
        "images-idx3-ubyte",
    ];
    for (number, data) in others.iter().enumerate() {
        assert_eq!(first, place.words(&format!("train {data} {line} run{number}")).ok().digest(), "{data}");
    }
}

#[test]
fn help_and_version_are_printed() {
    let place = Place::new();
    assert_eq!(place.words("--version").ok().stdout, format!("harmonium {}\n", env!("CARGO_PKG_VERSION")));
    for command in
        ["train", "evaluate", "sample", "transform", "reconstruct", "inspect", "import", "export", "report"]
    {
        assert!(place.words("--help").ok().stdout.contains(&format!("\n  {command} ")));
        assert!(
            place.words(&format!("{command} --help")).ok().stdout.contains("Usage: harmonium"),
            "{command}"
        );
    }
    let about = place.words("train --help").ok().stdout;
    assert!(about.starts_with("Train a restricted Boltzmann machine"), "{about}");
}
