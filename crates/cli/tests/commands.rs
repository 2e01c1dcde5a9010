//! Walks through every command as a user would, and checks what each of them writes and prints.

mod common;

use common::{Done, PIXELS, Place};
use serde_json::Value;

const ROWS: usize = 200;
const HIDDEN: usize = 8;

/// Gives a folder with a run on digits, and what the training printed.
fn trained() -> (Place, Done) {
    let place = Place::with_digits(ROWS);
    let line = "train digits.npy --binarize threshold --hidden 8 --epochs 3 --batch 20 --validation 40 --betas 100 \
                --learning-rate 0.1 --seed 5 --json --quiet --out run";
    let done = place.words(line).ok();
    (place, done)
}

#[track_caller]
fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

#[track_caller]
fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

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
    assert_eq!(loud.stderr.lines().filter(|l| l.starts_with("epoch")).count(), 2, "{}", loud.stderr);
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

const FIGURES: [&str; 15] = [
    "betas",
    "ess",
    "log_likelihood",
    "log_likelihood_interval",
    "log_z",
    "log_z_interval",
    "log_z_reverse",
    "mean_unnormalized",
    "method",
    "pseudo_log_likelihood",
    "reverse_sweeps",
    "rows",
    "runs",
    "seconds",
    "",
];

#[test]
fn figures_have_their_names_and_null_where_they_do_not_apply() {
    let (place, _) = trained();
    let [exact, ais, pseudo] = ["exact", "ais --betas 500 --reverse-sweeps 20", "pseudo"]
        .map(|method| evaluate(&place, &format!("--method {method}")));
    for found in [&exact, &ais, &pseudo] {
        let mut names = keys(found);
        names.sort_unstable();
        assert_eq!(names, FIGURES[..14]);
        assert_eq!(found["rows"], ROWS);
    }
    let nulls = |found: &Value| -> Vec<String> {
        let mut names: Vec<_> =
            found.as_object().unwrap().iter().filter(|(_, v)| v.is_null()).map(|(k, _)| k.clone()).collect();
        names.sort_unstable();
        names
    };
    assert_eq!(nulls(&exact), ["betas", "ess", "log_z_reverse", "reverse_sweeps", "runs"]);
    assert_eq!(nulls(&ais), Vec::<String>::new());
    assert_eq!(
        nulls(&pseudo),
        [
            "betas",
            "ess",
            "log_likelihood",
            "log_likelihood_interval",
            "log_z",
            "log_z_interval",
            "log_z_reverse",
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
    // A model that has learnt nothing but the mean is as far from each row as from its neighbour.
    assert!(2 * wrong(0) < wrong(1), "{} and {}", wrong(0), wrong(1));
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
    for attribute in ["src=", "href=", "url(", "@import", "<link", "<iframe"] {
        for (at, _) in report.match_indices(attribute) {
            let value = report[at + attribute.len()..].trim_start_matches(['"', '\'']);
            let inside = value.starts_with("data:") || value.starts_with('#');
            assert!(inside, "{attribute}{}", value.chars().take(60).collect::<String>());
        }
    }
    assert!(report.matches("src=\"data:image/png;base64,").count() >= 3);
}

#[test]
fn the_command_of_a_report_makes_the_same_run() {
    let (place, done) = trained();
    let report = place.text("run/report.html");
    let start = report.find("harmonium train ").expect("the command");
    let command = &report[start..start + report[start..].find('<').expect("the end of the command")];
    let words: Vec<&str> = command.split_whitespace().skip(1).collect();
    let again = place.run(&[&words[..], &["--json", "--out", "again"]].concat()).ok();
    assert_eq!(done.digest(), again.digest());
    assert!(place.read("run/model.hmn") == place.read("again/model.hmn"));
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
