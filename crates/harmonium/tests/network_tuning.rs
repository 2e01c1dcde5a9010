//! Proves what a tuning does: the order of its batches, averages, the best epoch, the guard, threads, resuming.

use std::ops::ControlFlow;

use harmonium::data::order;
use harmonium::dbn::net::{
    Activation, Disturbance, Goal, Loss, Network, Noise, Omit, Progress, Score, Targets, Tuner, Tuning,
    TuningSnapshot, tune,
};
use harmonium::train::{Action, Average, Guard, Method, Schedule, Stopping};
use harmonium::{Batch, ErrorKind, HasParams, Key, Params, Rows};
use harmonium_oracle::rng::Rng;
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

/// Descent is written out: rows in the order of the epoch, the mean gradient of each batch, and λ W.
#[test]
fn descent_follows_the_gradients_of_its_batches() {
    let (x, labels) = rows(30);
    let options = Tuning { epochs: 2, batch: 8, decay: 0.01, ..Tuning::default() };
    let (mut ours, mut theirs) = (network(Activation::Sigmoid), network(Activation::Sigmoid));
    tune(&mut ours, &x, &Targets::Classes(&labels), &options, key(), &mut quiet).unwrap();
    for epoch in 0..2 {
        for named in order(&x, key(), epoch).chunks(8) {
            let goal = Goal::Classes(named.iter().map(|&row| labels[row as usize].unwrap()).collect());
            let batch = x.read(named).unwrap().to_array();
            let (_, gradient) =
                theirs.gradient(batch, &goal, Loss::CrossEntropy, &Disturbance::default(), 0).unwrap();
            let mut params = theirs.params();
            for (own, g) in params.tensors_mut().iter_mut().zip(gradient.tensors()) {
                let decay = if own.shape.len() == 2 { 0.01 } else { 0.0 };
                let entries = own.values.iter_mut().zip(&g.values);
                entries.for_each(|(w, g)| *w += -((g + decay * *w) * 0.1));
            }
            params.store(&mut theirs);
        }
    }
    assert_eq!(ours.params(), theirs.params());
}

#[test]
fn tuning_tells_classes_apart() {
    let (x, labels) = rows(300);
    let mut network = network(Activation::Relu);
    let before = network.error_rate(&x, &labels).unwrap();
    let options = Tuning { epochs: 30, batch: 20, ..Tuning::default() };
    let summary = tune(&mut network, &x, &Targets::Classes(&labels), &options, key(), &mut quiet).unwrap();
    assert_eq!((summary.steps, summary.stopped), (450, false));
    // Centres 1 apart in two columns each and noise of 0.5: the best rule errs in fewer than 5 % of the rows.
    let after = network.error_rate(&x, &labels).unwrap();
    assert!(after < 0.08 && before > 0.3, "{before} {after}");
    let counts = network.confusion(&x, &labels).unwrap();
    assert_eq!(counts.sum(), 300);
    assert!(counts.rows().into_iter().all(|row| row.sum() == 100), "rows are true classes: {counts}");
    let proba = network.predict_proba(&x).unwrap();
    assert!(proba.rows().into_iter().all(|row| (row.sum() - 1.0).abs() < 1e-6));
}

#[test]
fn threads_change_no_bit() {
    let make = || {
        let sizes = [300, 260, 40, 5];
        let activations = [Activation::Sigmoid, Activation::Relu, Activation::Softmax];
        let mut network = Network::new(&sizes, &activations, Key::from_seed(3)).unwrap();
        let mut rng = Rng::new(5);
        let x = Array2::from_shape_simple_fn((90, 300), || rng.uniform() as f32);
        let labels: Vec<Option<usize>> = (0..90).map(|row| Some(row % 5)).collect();
        let options = Tuning { epochs: 2, batch: 40, ..busy() };
        tune(
            &mut network,
            &Batch::reals(x).unwrap(),
            &Targets::Classes(&labels),
            &options,
            key(),
            &mut quiet,
        )
        .unwrap();
        network.digest()
    };
    let on = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(make);
    let digests = [1, 2, 3, 8].map(on);
    assert!(digests.iter().all(|digest| *digest == digests[0]), "{digests:?}");
}

/// Stops after every number of updates in turn, in every phase, and goes on from the snapshot with a new tuner.
#[test]
fn a_resumed_tuning_is_the_uninterrupted_one() {
    let ((x, labels), options) = (rows(60), busy());
    let targets = Targets::Classes(&labels);
    let whole = tuned(&options);
    for stop in [1, 5, 7, 13, 14, 15, 29, 41, 42] {
        let (mut network, mut kept) = (network(Activation::Tanh), None::<TuningSnapshot>);
        tune(&mut network, &x, &targets, &options, key(), &mut |progress| {
            if progress.tuner.step() < stop {
                return ControlFlow::Continue(());
            }
            kept = Some(progress.snapshot());
            ControlFlow::Break(())
        })
        .unwrap();
        let mut fresh = self::network(Activation::Tanh);
        let mut tuner = Tuner::new(&fresh, &x, &targets, &options).unwrap();
        tuner.restore(&mut fresh, &kept.unwrap()).unwrap();
        tuner.run(&mut fresh, &x, &targets, key(), &mut quiet).unwrap();
        assert_eq!(fresh.digest(), whole.digest(), "stopped after {stop}");
    }
}

#[test]
fn the_head_learns_alone_at_first() {
    let start = network(Activation::Tanh);
    let (x, labels) = rows(60);
    let options = Tuning { epochs: 3, head_first: 2, batch: 20, ..Tuning::default() };
    let mut network = start.clone();
    tune(&mut network, &x, &Targets::Classes(&labels), &options, key(), &mut |progress| {
        let same = |l: usize| progress.network.layers()[l] == start.layers()[l];
        let alone = progress.tuner.step() <= 6;
        assert_eq!((same(0), same(1), same(2)), (alone, alone, false), "{}", progress.tuner.step());
        ControlFlow::Continue(())
    })
    .unwrap();
}

/// The plain mean of the second half, kept beside the network and put into it at the end.
#[test]
fn the_average_is_that_of_the_updates() {
    let (x, labels) = rows(40);
    let options = Tuning { epochs: 2, batch: 10, average: Some(Average::default()), ..Tuning::default() };
    let (mut network, mut seen) = (network(Activation::Tanh), Vec::<Params>::new());
    tune(&mut network, &x, &Targets::Classes(&labels), &options, key(), &mut |progress| {
        seen.push(progress.network.params());
        ControlFlow::Continue(())
    })
    .unwrap();
    for (t, got) in network.params().tensors().iter().enumerate() {
        for (i, &got) in got.values.iter().enumerate() {
            let mean: f64 = seen[4..].iter().map(|p| f64::from(p.tensors()[t].values[i])).sum::<f64>() / 4.0;
            assert!((f64::from(got) - mean).abs() < 1e-6, "{got} {mean}");
        }
    }
}

#[test]
fn the_best_epoch_is_kept_and_patience_ends() {
    let (x, labels) = rows(60);
    let targets = Targets::Classes(&labels);
    for score in [Score::Loss, Score::Errors] {
        // A rate that is far too high after the first epochs makes things worse.
        let options = Tuning {
            epochs: 40,
            batch: 10,
            learning_rate: Schedule::Steps(vec![(0, 0.2), (4, 20.0)]),
            validation: 20,
            score,
            stopping: Some(Stopping { patience: 3 }),
            guard: Guard { limit: 1e30, ..Guard::default() },
            ..Tuning::default()
        };
        let (mut network, mut scores) = (network(Activation::Tanh), Vec::new());
        let mut states = Vec::new();
        let summary = tune(&mut network, &x, &targets, &options, key(), &mut |progress| {
            scores.extend(progress.score);
            if progress.ends_epoch {
                states.push(progress.network.digest());
            }
            ControlFlow::Continue(())
        })
        .unwrap();
        let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let best = scores.iter().rposition(|score| *score == most).unwrap();
        assert!(summary.stopped && scores.len() == best + 1 + 3, "{scores:?}");
        assert_eq!(network.digest(), states[best]);
        if score == Score::Errors {
            // The last rows judge.
            let held = x.gather(40..60);
            assert_eq!(network.error_rate(&held, &labels[40..]).unwrap(), -most);
        }
    }
}

#[test]
fn a_tuning_that_runs_away_ends_with_its_last_good_state() {
    let (x, labels) = rows(60);
    let targets = Targets::Classes(&labels);
    let wild = |action| Tuning {
        epochs: 4,
        batch: 20,
        learning_rate: Schedule::Steps(vec![(0, 0.1), (2, 1e6)]),
        guard: Guard { action, ..Guard::default() },
        ..Tuning::default()
    };
    let (mut network, mut good) = (network(Activation::Relu), None);
    let error = tune(&mut network, &x, &targets, &wild(Action::Stop), key(), &mut |progress| {
        good = Some(progress.network.digest());
        ControlFlow::Continue(())
    })
    .unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Diverged(_)), "{error}");
    assert_eq!(network.digest(), good.unwrap());
    let action = Action::Retry { factor: 1e-8, max: 2 };
    let mut again = self::network(Activation::Relu);
    let summary = tune(&mut again, &x, &targets, &wild(action), key(), &mut quiet).unwrap();
    assert_eq!((summary.rollbacks, summary.steps, summary.lowest_rate), (1, 12, 1e-8));
}

/// An observer that says enough at the very last update ends nothing: the best epoch, or the average, is put in all the same.
#[test]
fn enough_at_the_last_update_changes_nothing() {
    let (x, labels) = rows(60);
    for options in [busy(), Tuning { validation: 0, ..busy() }] {
        let whole = tuned(&options);
        let mut network = network(Activation::Tanh);
        let mut last = |progress: &Progress<'_>| {
            if progress.tuner.step() < progress.tuner.total() {
                return ControlFlow::Continue(());
            }
            ControlFlow::Break(())
        };
        let ended = tune(&mut network, &x, &Targets::Classes(&labels), &options, key(), &mut last).unwrap();
        assert!(!ended.stopped);
        assert_eq!(network.params(), whole.params());
    }
}
