//! Proves averages of parameters against f64 means over the updates, and that they leave a training alone.

mod common;

use std::ops::ControlFlow;

use common::recipe::{data, further, machine, recipes};
use common::tolerance::U;
use common::{close, key};
use harmonium::persist::{Kind, Loaded, Tensor, Values};
use harmonium::rbm::{Header, Origin, Rbm};
use harmonium::train::{Average, Fit, Pcd, Schedule, Silent, Snapshot, Step, Training};
use harmonium::{HasParams, Params};

fn options(average: Option<Average>) -> Fit {
    Fit { epochs: 6, batch: 32, learning_rate: Schedule::Constant(0.1), average, ..Fit::default() }
}

/// Trains and gives the parameters and their average after every update.
fn walk(average: Option<Average>) -> Vec<(Params, Option<Params>)> {
    let (mut rbm, mut out) = (machine(), Vec::new());
    let mut look = |step: &Step<'_, Rbm>| {
        out.push((step.model.params(), step.averaged().map(|average| average.params())));
        ControlFlow::Continue(())
    };
    let mut training = Training::new(&rbm, &data(), &options(average)).unwrap();
    training.run(&mut rbm, &data(), &mut Pcd::new(1, 37), key(6), &mut look).unwrap();
    out
}

fn entries(params: &Params) -> impl Iterator<Item = f64> + '_ {
    params.tensors().iter().flat_map(|t| t.values.iter().map(|&x| f64::from(x)))
}

/// Compares the last average with Σ weight · θ. Parameters stay below 8, and 18 updates round three times each.
fn has_weights(steps: &[(Params, Option<Params>)], weights: &[f64]) {
    let last = steps.last().and_then(|step| step.1.as_ref()).expect("an average");
    let mut expected = vec![0.0; entries(last).count()];
    for ((params, _), weight) in steps.iter().zip(weights) {
        expected.iter_mut().zip(entries(params)).for_each(|(sum, x)| *sum += weight * x);
    }
    for (n, (got, expected)) in entries(last).zip(expected).enumerate() {
        close(got, expected, 18.0 * 3.0 * 8.0 * U, n);
    }
}

/// Updates 10 to 18 of 18 count alike.
#[test]
fn the_plain_mean_is_that_of_the_last_half() {
    let steps = walk(Some(Average::default()));
    assert_eq!(steps.len(), 18);
    for (n, (params, average)) in steps.iter().enumerate() {
        assert_eq!(average.is_some(), n >= 9, "update {}", n + 1);
        assert!(n != 9 || average.as_ref() == Some(params), "the first of a mean is the mean");
    }
    let weights: Vec<f64> = (0..18).map(|n| if n < 9 { 0.0 } else { 1.0 / 9.0 }).collect();
    has_weights(&steps, &weights);
}

/// With β = ¾ the first four updates have a plain mean, and every later one has the weight ¼ then, ¾ of it one later.
#[test]
fn the_exponential_mean_begins_as_a_plain_one() {
    let steps = walk(Some(Average::exponential(0.75)));
    let weight =
        |n: usize| if n < 4 { 0.25 * 0.75_f64.powi(14) } else { 0.25 * 0.75_f64.powi(17 - n as i32) };
    let weights: Vec<f64> = (0..18).map(weight).collect();
    close(weights.iter().sum(), 1.0, 1e-12, "weights");
    has_weights(&steps, &weights);
}

#[test]
fn averaging_changes_no_bit_of_the_training() {
    let plain = walk(None);
    for average in [Average::default(), Average::exponential(0.9)] {
        let averaged = walk(Some(average));
        assert!(plain.iter().zip(&averaged).all(|(a, b)| a.0 == b.0));
    }
    assert!(plain.iter().all(|step| step.1.is_none()));
}

/// The averaged model is a model: its grid holds its weights.
#[test]
fn the_averaged_model_has_a_grid_of_its_own() {
    let mut rbm = machine();
    let mut training = Training::new(&rbm, &data(), &options(Some(Average::default()))).unwrap();
    training.run(&mut rbm, &data(), &mut Pcd::new(1, 37), key(6), &mut Silent).unwrap();
    let average = training.averaged(&rbm).expect("an average");
    let half = (-f64::from(average.shift())).exp2() / 2.0;
    for (w, master) in average.weights().iter().zip(average.blocks()[0].values) {
        close(f64::from(*w), f64::from(*master), half, "weight");
    }
    assert!(average.digest() != rbm.digest());
}

#[test]
fn snapshots_without_their_average_are_refused() {
    let recipe = recipes().into_iter().next_back().expect("a recipe");
    let fit = |average| Fit { average, ..recipe.options.clone() };
    let snapshot = |average| {
        let mut rbm = machine();
        let mut training = Training::new(&rbm, &data(), &fit(average)).unwrap();
        training.run(&mut rbm, &data(), &mut Pcd::new(1, 37), key(6), &mut Silent).unwrap();
        training.snapshot(&rbm, &Pcd::new(1, 37))
    };
    let restore = |average, snapshot: &Snapshot| {
        let mut rbm = machine();
        let mut training = Training::new(&rbm, &data(), &fit(average)).unwrap();
        let result = training.restore(&mut rbm, &mut Pcd::new(1, 37), snapshot);
        result.map_err(|error| error.to_string())
    };
    let averages = [None, Some(Average::default())];
    let [without, with] = averages.map(snapshot);
    assert!(restore(averages[0], &without).is_ok() && restore(averages[1], &with).is_ok());
    assert!(restore(averages[0], &with).unwrap_err().starts_with("average: expected none"));
    assert!(restore(averages[1], &without).unwrap_err().starts_with("average: expected the average"));
}

/// Gives the last snapshot of a training that averages and adapts its rate, with its machine and the averaged one.
fn trained() -> (Rbm, Rbm, Snapshot) {
    let mut recipe = further().pop().expect("a recipe");
    let mut rbm = machine();
    let mut training = Training::new(&rbm, &data(), &recipe.options).unwrap();
    recipe.run(&mut training, &mut rbm, &mut Silent).unwrap();
    let snapshot = training.snapshot(&rbm, recipe.estimator.get());
    let average = training.averaged(&rbm).unwrap();
    (rbm, average, snapshot)
}

fn file(rbm: &Rbm, snapshot: &Snapshot) -> Loaded<Header> {
    let (header, tensors) = rbm.to_checkpoint(snapshot, &Origin::default());
    Loaded { kind: Kind::Checkpoint, header, tensors }
}

#[test]
fn a_checkpoint_holds_the_average_and_what_adapts_the_rate() {
    let (rbm, average, snapshot) = trained();
    assert!(snapshot.average.is_some() && snapshot.adapted.is_some());
    let (again, back, _) = Rbm::from_checkpoint(file(&rbm, &snapshot)).unwrap();
    assert!(back == snapshot && again.params() == rbm.params());
    let (shown, _) = Rbm::from_loaded(file(&rbm, &snapshot)).unwrap();
    assert_eq!(shown.digest(), average.digest(), "what is looked at is the average");
}

#[test]
fn damaged_averages_are_refused_by_name() {
    let (rbm, _, snapshot) = trained();
    let at = |name: &str, file: &Loaded<Header>| {
        file.tensors.iter().position(|tensor| tensor.name == name).expect("a tensor of this name")
    };
    for name in ["average/visible_bias", "last/hidden_bias", "factor"] {
        let mut bad = file(&rbm, &snapshot);
        bad.tensors.remove(at(name, &bad));
        let text = Rbm::from_checkpoint(bad).unwrap_err().to_string();
        assert!(text.contains(&format!("tensors at {name}")) && text.contains("got none"), "{text}");
    }
    let mut bad = file(&rbm, &snapshot);
    let factor = at("factor", &bad);
    bad.tensors[factor].values = Values::F32(vec![-1.0]);
    let text = Rbm::from_checkpoint(bad).unwrap_err().to_string();
    assert_eq!(text, "tensors at factor: expected a positive number, got -1");
    // A model has no average besides itself.
    let (header, mut tensors) = rbm.to_tensors(&Origin::default());
    tensors.push(Tensor { name: "average/weights".into(), shape: vec![1], values: Values::F32(vec![0.0]) });
    let bad = Loaded { kind: Kind::Model, header, tensors };
    assert!(Rbm::from_loaded(bad).unwrap_err().to_string().starts_with("tensors at average/weights"));
}

#[test]
fn averages_out_of_range_are_refused_by_name() {
    let refused = [
        (Average { decay: 1.1, start: 0.0 }, "average decay"),
        (Average { decay: f32::NAN, start: 0.0 }, "average decay"),
        (Average { decay: 0.9, start: 1.0 }, "average start"),
        (Average { decay: 0.9, start: -0.1 }, "average start"),
    ];
    for (average, field) in refused {
        let text = Training::new(&machine(), &data(), &options(Some(average))).unwrap_err().to_string();
        assert!(text.starts_with(&format!("{field}: expected")), "{text}");
    }
    assert!(options(Some(Average::default())).depends_on_length());
    assert!(!options(Some(Average::exponential(0.9))).depends_on_length());
}
