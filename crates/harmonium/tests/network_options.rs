//! Proves what the options of a tuning draw and bound, and that wrong ones are refused before anything changes.

use std::ops::ControlFlow;

use harmonium::data::Weighted;
use harmonium::dbn::net::{
    Activation, Disturbance, Loss, Network, Noise, Omit, Progress, Targets, Tuner, Tuning, tune,
};
use harmonium::train::{Average, Method, Schedule, Stopping};
use harmonium::{Batch, Error, HasParams, Key};
use harmonium_oracle::rng::Rng;
use harmonium_oracle::stats::{tv, tv_star};
use ndarray::Array2;

const KEY: u64 = 7;

fn key() -> Key {
    Key::from_seed(KEY)
}

fn network(hidden: Activation) -> Network {
    Network::new(&[6, 9, 8, 3], &[hidden, hidden, Activation::Softmax], Key::from_seed(3)).unwrap()
}

/// Rows about three centres, with the labels of these.
fn rows(n: usize) -> (Batch, Vec<Option<usize>>) {
    let mut rng = Rng::new(5);
    let labels: Vec<usize> = (0..n).map(|row| row % 3).collect();
    let centre = |row: usize, c: usize| if c % 3 == labels[row] { 1.0 } else { 0.0 };
    let x = Array2::from_shape_fn((n, 6), |(row, c)| (centre(row, c) + 0.5 * rng.normal()) as f32);
    (Batch::reals(x).unwrap(), labels.into_iter().map(Some).collect())
}

fn quiet(_: &Progress<'_>) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// Everything at once: what depends on steps, moments, draws, averages and judged epochs.
fn busy() -> Tuning {
    Tuning {
        epochs: 6,
        batch: 7,
        learning_rate: Schedule::Exponential { from: 0.02, to: 0.002 },
        method: Method::adam(),
        decay: 1e-3,
        max_norm: Some(1.5),
        dropout: Omit { inputs: 0.1, hidden: 0.3 },
        noise: Some(Noise { layer: 2, deviation: 0.2 }),
        head_first: 2,
        average: Some(Average { decay: 0.9, start: 0.3 }),
        validation: 12,
        ..Tuning::default()
    }
}

fn tuned(options: &Tuning) -> Network {
    let (x, labels) = rows(60);
    let mut network = network(Activation::Tanh);
    tune(&mut network, &x, &Targets::Classes(&labels), options, key(), &mut quiet).unwrap();
    network
}

#[test]
fn no_unit_is_longer_than_its_bound() {
    let options = Tuning { max_norm: Some(0.4), epochs: 2, ..Tuning::default() };
    for layer in tuned(&options).layers() {
        for column in layer.weights().columns() {
            let length = column.iter().map(|&w| f64::from(w) * f64::from(w)).sum::<f64>().sqrt();
            // The factor and each product round once.
            assert!(length <= 0.4 * (1.0 + 3e-7), "{length}");
        }
    }
}

/// Masks are 0 and 1 / (1 − p), as often as p says, others in each layer and step; the inputs have a rate of their own.
#[test]
fn masks_follow_their_rates() {
    let sizes = [400, 400, 400];
    let network = Network::new(&sizes, &[Activation::Tanh; 2], key()).unwrap();
    let draw =
        |step| Disturbance::draw(&network, 100, Omit { inputs: 0.2, hidden: 0.5 }, None, (key(), step));
    let masks = draw(0).masks;
    for (mask, p) in masks.iter().zip([0.2_f64, 0.5]) {
        let mask = mask.as_ref().unwrap();
        let kept = (1.0 / (1.0 - p)) as f32;
        assert!(mask.iter().all(|&x| x == 0.0 || (x - kept).abs() < 1e-6));
        let out = mask.iter().filter(|x| **x == 0.0).count() as f64 / mask.len() as f64;
        assert!(tv(&[out, 1.0 - out], &[p, 1.0 - p]) <= tv_star(&[p, 1.0 - p], mask.len()), "{out}");
    }
    assert_ne!(draw(1).masks[1], masks[1]);
    // What both layers draw is independent: units that are out in the second are out in the first as often as any.
    let pairs = masks[0].as_ref().unwrap().iter().zip(masks[1].as_ref().unwrap());
    let both = pairs.filter(|(a, b)| **a == 0.0 && **b == 0.0).count() as f64 / 40_000.0;
    assert!(tv(&[both, 1.0 - both], &[0.1, 0.9]) <= tv_star(&[0.1, 0.9], 40_000), "{both}");
    assert_ne!(draw(0).masks[0].as_ref().unwrap().row(0), draw(0).masks[0].as_ref().unwrap().row(1));
}

/// Mean 0, the variance asked for, no value twice in neighbouring rows.
#[test]
fn noise_is_normal() {
    let network = Network::new(&[3, 200, 2], &[Activation::Sigmoid, Activation::Linear], key()).unwrap();
    let noise = Noise { layer: 1, deviation: 4.0 };
    let drawn = Disturbance::draw(&network, 200, Omit::default(), Some(noise), (key(), 0)).noise;
    assert!(drawn[1].is_none());
    let drawn = drawn[0].as_ref().unwrap();
    let n = drawn.len() as f64;
    let moment = |k: i32| drawn.iter().map(|&x| (f64::from(x) / 4.0).powi(k)).sum::<f64>() / n;
    // Five deviations of each moment's mean: √(1, 2, 15, 96)/√n.
    for (k, exact, deviation) in
        [(1, 0.0, 1.0), (2, 1.0, 2.0_f64.sqrt()), (3, 0.0, 15.0_f64.sqrt()), (4, 3.0, 96.0_f64.sqrt())]
    {
        assert!((moment(k) - exact).abs() < 5.0 * deviation / n.sqrt(), "{k}: {}", moment(k));
    }
}

#[test]
fn rows_without_a_label_do_not_count() {
    let (x, mut labels) = rows(40);
    for row in (0..40).step_by(4) {
        labels[row] = None;
    }
    let known: Vec<usize> = (0..40).filter(|row| labels[*row].is_some()).collect();
    let fewer: Vec<Option<usize>> = known.iter().map(|&row| labels[row]).collect();
    let options = Tuning { epochs: 2, batch: 10, ..Tuning::default() };
    let run = |x: &Batch, labels: &[Option<usize>]| {
        let mut network = network(Activation::Tanh);
        tune(&mut network, x, &Targets::Classes(labels), &options, key(), &mut quiet).unwrap();
        network.digest()
    };
    assert_eq!(run(&x, &labels), run(&x.gather(known), &fewer));
}

/// A weight of 2 is a row that stands there twice, and one of 0 a row that does not.
#[test]
fn weights_are_how_often_rows_are_read() {
    let (x, labels) = rows(40);
    let weights: Vec<f32> = (0..40).map(|row| (row % 3) as f32).collect();
    let often = Weighted::new(x.clone(), weights).unwrap();
    let mut seen = 0;
    let options = Tuning { epochs: 1, batch: 1, validation: 10, ..Tuning::default() };
    let mut network = network(Activation::Tanh);
    tune(&mut network, &often, &Targets::Classes(&labels), &options, key(), &mut |progress| {
        seen += progress.rows;
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(seen, 30);
    // Rows 30 to 38 alone count, so nothing is left to train on.
    let late = Weighted::new(x, (0..40).map(|row| f32::from(u8::from(row >= 30))).collect()).unwrap();
    let error =
        tune(&mut network, &late, &Targets::Classes(&labels), &options, key(), &mut quiet).unwrap_err();
    assert!(error.to_string().starts_with("weights: expected a sum"), "{error}");
}

/// An autoencoder whose targets are its inputs, or the same rows named as values.
#[test]
fn inputs_are_targets_of_an_autoencoder() {
    let mut rng = Rng::new(9);
    let x = Batch::reals(Array2::from_shape_simple_fn((50, 8), || rng.uniform() as f32)).unwrap();
    let make = || Network::new(&[8, 5, 8], &[Activation::Sigmoid; 2], key()).unwrap();
    let options = Tuning { epochs: 5, batch: 10, ..Tuning::default() };
    let run = |targets: Targets<'_>| {
        let mut network = make();
        tune(&mut network, &x, &targets, &options, key(), &mut quiet).unwrap();
        network.digest()
    };
    assert_eq!(run(Targets::Inputs), run(Targets::Values(&x)));
    assert_ne!(run(Targets::Inputs), make().digest());
}

#[test]
fn what_is_wrong_is_named_before_anything_changes() {
    let (x, labels) = rows(30);
    let some = |label| -> Vec<Option<usize>> { vec![label; 30] };
    let mut beyond = labels.clone();
    beyond[4] = Some(3);
    let (one, none) = (some(Some(1)), some(None));
    let values = Batch::reals(Array2::zeros((30, 3))).unwrap();
    let fewer = x.gather(0..29);
    let narrow = Batch::reals(Array2::zeros((30, 5))).unwrap();
    let good = Tuning::default();
    let with = |change: &dyn Fn(&mut Tuning)| {
        let mut options = Tuning::default();
        change(&mut options);
        options
    };
    let classes = Targets::Classes(&labels);
    let cases: Vec<(&str, &Batch, Targets<'_>, Tuning)> = vec![
        ("labels at row 4: expected a class below 3, got 3", &x, Targets::Classes(&beyond), good.clone()),
        (
            "labels: expected two classes at least, got class 1 alone",
            &x,
            Targets::Classes(&one),
            good.clone(),
        ),
        ("labels: expected two classes at least, got none", &x, Targets::Classes(&none), good.clone()),
        ("labels: expected 30 labels, got 29", &x, Targets::Classes(&labels[..29]), good.clone()),
        ("labels: expected 29 labels", &fewer, classes, good.clone()),
        ("data: expected 6 columns, got 5 columns", &narrow, classes, good.clone()),
        ("loss: expected", &x, Targets::Values(&values), good.clone()),
        ("loss: expected", &x, classes, with(&|o| o.loss = Loss::Squared)),
        ("batch: expected 1 or more", &x, classes, with(&|o| o.batch = 0)),
        (
            "validation: expected a number that leaves training rows",
            &x,
            classes,
            with(&|o| o.validation = 30),
        ),
        (
            "validation: expected rows that a stopping rule",
            &x,
            classes,
            with(&|o| o.stopping = Some(Stopping::default())),
        ),
        ("max_norm", &x, classes, with(&|o| o.max_norm = Some(0.0))),
        ("dropout of inputs", &x, classes, with(&|o| o.dropout.inputs = 1.0)),
        ("dropout of hidden units", &x, classes, with(&|o| o.dropout.hidden = f32::NAN)),
        (
            "noise layer: expected 1 to 3, got 4",
            &x,
            classes,
            with(&|o| o.noise = Some(Noise { layer: 4, deviation: 1.0 })),
        ),
        ("decay", &x, classes, with(&|o| o.decay = -1.0)),
        ("learning_rate", &x, classes, with(&|o| o.learning_rate = Schedule::Constant(f64::NAN))),
    ];
    for (said, x, targets, options) in &cases {
        let mut network = network(Activation::Tanh);
        let before = network.digest();
        let error = tune(&mut network, x, targets, options, key(), &mut quiet).unwrap_err();
        assert!(error.to_string().starts_with(said), "{error}");
        assert_eq!(network.digest(), before, "{said}");
    }
}

#[test]
fn values_that_do_not_fit_are_named() {
    let x = Batch::reals(Array2::from_elem((4, 2), 0.5)).unwrap();
    let high = Batch::reals(ndarray::array![[0.5, 0.5], [0.5, 0.5], [0.5, 1.5], [0.5, 0.5]]).unwrap();
    let wide = Batch::reals(Array2::zeros((4, 3))).unwrap();
    let run = |x: &Batch, targets: Targets<'_>, loss| -> Result<(), Error> {
        let mut network = Network::new(&[2, 3, 2], &[Activation::Sigmoid; 2], key()).unwrap();
        tune(&mut network, x, &targets, &Tuning { loss, ..Tuning::default() }, key(), &mut quiet).map(|_| ())
    };
    let said = |result: Result<(), Error>| result.unwrap_err().to_string();
    assert_eq!(
        said(run(&x, Targets::Values(&high), Loss::CrossEntropy)),
        "targets at row 2, column 1: expected a number from 0 to 1, got 1.5"
    );
    assert!(run(&high, Targets::Inputs, Loss::CrossEntropy).is_err());
    assert!(run(&high, Targets::Inputs, Loss::Squared).is_ok());
    assert!(said(run(&x, Targets::Values(&wide), Loss::Squared)).starts_with("targets: expected 2 columns"));
    let fewer = x.gather(0..3);
    assert!(said(run(&x, Targets::Values(&fewer), Loss::Squared)).starts_with("targets: expected 4 rows"));
}

#[test]
fn snapshots_of_others_are_refused() {
    let (x, labels) = rows(60);
    let targets = Targets::Classes(&labels);
    let mut network = network(Activation::Tanh);
    let other = Network::new(&[6, 4, 3], &[Activation::Tanh, Activation::Softmax], key()).unwrap();
    let adam = Tuner::new(&network, &x, &targets, &busy()).unwrap();
    let mut plain = Tuner::new(&network, &x, &targets, &Tuning::default()).unwrap();
    let smaller = Tuner::new(&other, &x, &targets, &Tuning::default()).unwrap().snapshot(&other);
    let before = network.digest();
    let moments = adam.snapshot(&network);
    assert!(plain.restore(&mut network, &moments).is_err());
    assert!(plain.restore(&mut network, &smaller).is_err());
    assert_eq!((network.digest(), plain.step()), (before, 0));
}
