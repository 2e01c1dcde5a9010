//! Proves that conditional machines train, resume and are kept like any model, and refuse what does not fit them.

mod common;

use std::ops::ControlFlow;

use common::conditions::{model, spread};
use common::{coins, key};
use harmonium::persist::{Kind, Loaded, RealVfs};
use harmonium::rbm::{Conditional, History, Origin, Pairs, Prediction, Rbm, Rolling};
use harmonium::train::{
    Average, Cd, Centre, Constraints, Decay, Estimator, FastPcd, Fit, Ladder, Mask, Method, Pcd, Silent,
    Snapshot, Step, Tempering, Training, Trajectory, fit,
};
use harmonium::units::{States, Units};
use harmonium::{Batch, Gibbs, HasParams};
use ndarray::{Array2, Axis, array};

fn fresh() -> (Conditional, Batch) {
    let (condition, visible) =
        (Batch::reals(spread(60, 7, 1)).unwrap(), Batch::from_bits(coins(60, 33, 2)).unwrap());
    let model = Conditional::for_data(&condition, &visible, Units::Bernoulli(17), key(5)).unwrap();
    let data = model.pairs().join(&condition, &visible).unwrap();
    (model, data)
}

fn options() -> Fit {
    Fit {
        epochs: 3,
        batch: 25,
        method: Method::adam(),
        centre: Some(Centre::default()),
        average: Some(Average::exponential(0.9)),
        adapt: Some(harmonium::train::Adapt::default()),
        decay: Decay { l2: 1e-3, ..Decay::default() },
        ..Fit::default()
    }
}

/// Penalties and masks act on A and B, and sparsity on the hidden units, as on any model of two layers.
#[test]
fn penalties_and_masks_reach_the_condition() {
    let (model, data) = fresh();
    let train = |options: Fit| {
        let mut model = model.clone();
        let options = Fit { epochs: 40, batch: 25, method: Method::adam(), ..options };
        fit(&mut model, &data, &mut Cd::new(1), &options, key(2), &mut Silent).unwrap();
        model
    };
    let size = |model: &Conditional| {
        model.to_visible().mapv(f32::abs).sum() + model.to_hidden().mapv(f32::abs).sum()
    };
    let activity = |model: &Conditional| model.transform(&data).unwrap().mean().unwrap();
    let plain = train(Fit::default());
    let decayed = train(Fit { decay: Decay { l1: 0.0, l2: 10.0 }, ..Fit::default() });
    assert!(size(&decayed) < 0.5 * size(&plain), "{} of {}", size(&decayed), size(&plain));
    let sparsity = harmonium::train::Sparsity { target: 0.9, strength: 10.0 };
    let active = train(Fit { sparsity: Some(sparsity), ..Fit::default() });
    assert!(activity(&active) > activity(&plain) + 0.2, "{} of {}", activity(&active), activity(&plain));
    let masks = vec![Mask { block: "condition_visible".into(), zeros: vec![0, 34] }];
    let masked =
        train(Fit { constraints: Constraints { masks, ..Constraints::default() }, ..Fit::default() });
    let a = masked.to_visible();
    let zeros: Vec<(usize, usize)> = a.indexed_iter().filter(|(_, a)| **a == 0.0).map(|(at, _)| at).collect();
    assert_eq!(zeros, [(0, 0), (1, 1)]);
}

fn snapshots() -> (Conditional, Vec<Snapshot>) {
    let ((mut model, data), mut kept) = (fresh(), Vec::new());
    let mut keep = |step: &Step<'_, Conditional>| {
        kept.push(step.snapshot());
        ControlFlow::Continue(())
    };
    fit(&mut model, &data, &mut Cd::new(2), &options(), key(2), &mut keep).unwrap();
    (model, kept)
}

#[test]
fn a_training_resumed_after_any_step_ends_alike() {
    let (end, kept) = snapshots();
    assert_eq!(kept.len(), 9);
    let (model, data) = fresh();
    for snapshot in &kept {
        let (header, tensors) = model.to_checkpoint(snapshot, &Origin::default());
        let loaded = || Loaded { kind: Kind::Checkpoint, header: header.clone(), tensors: tensors.clone() };
        let (mut model, back, _) = Conditional::from_checkpoint(loaded()).unwrap();
        assert!(back == *snapshot, "a checkpoint loses a part");
        let (averaged, _) = Conditional::from_loaded(loaded()).unwrap();
        assert_eq!(Some(averaged.params()), snapshot.average);
        let (mut estimator, mut training) = (Cd::new(2), Training::new(&model, &data, &options()).unwrap());
        training.restore(&mut model, &mut estimator, &back).unwrap();
        training.run(&mut model, &data, &mut estimator, key(2), &mut Silent).unwrap();
        assert!(model.params() == end.params() && model.digest() == end.digest(), "{}", back.step);
        assert!(training.snapshot(&model, &estimator) == kept[8], "{}", back.step);
    }
}

#[test]
fn threads_change_no_bit() {
    let of = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| snapshots().1)
    };
    let expected = of(1);
    assert!([2, 3, 7].into_iter().all(|threads| of(threads) == expected));
}

#[test]
fn files_name_the_model_and_give_it_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.harm");
    let mixed = Units::Mixed(vec![Units::Bernoulli(1), Units::Diagonal(2)]);
    let columns = ndarray::concatenate![
        Axis(1),
        Batch::from_bits(coins(30, 1, 4)).unwrap().to_array(),
        spread(30, 2, 5)
    ];
    for (units, visible) in [
        (Units::Bernoulli(3), Batch::from_bits(coins(30, 3, 1)).unwrap()),
        (Units::Diagonal(3), Batch::reals(spread(30, 3, 1)).unwrap()),
        (mixed, Batch::reals(columns).unwrap()),
    ] {
        let condition = Batch::reals(spread(30, 4, 2) + 5.0).unwrap();
        let pairs = Pairs::new(Units::Gaussian(4), units).unwrap();
        let model = Conditional::fitted(pairs, &condition, &visible, Units::Bernoulli(5), key(1)).unwrap();
        model.save(&RealVfs, &path, &Origin::default()).unwrap();
        let (back, header) = Conditional::load(&RealVfs, &path).unwrap();
        assert_eq!((header.model.as_str(), &header.visible), ("conditional", &model.pairs().units()));
        assert_eq!((back.digest(), back.pairs()), (model.digest(), model.pairs()));
        let predict = |model: &Conditional| model.predict(&condition, Prediction::default(), key(1)).unwrap();
        assert_eq!(predict(&back), predict(&model));
        assert!(Rbm::load(&RealVfs, &path).unwrap_err().to_string().contains("\"conditional\""));
    }
}

#[track_caller]
fn refused<T>(result: Result<T, harmonium::Error>, said: &str) {
    let error = result.err().expect("a refusal").to_string();
    assert!(error.contains(said), "{error}");
}

#[test]
fn what_does_not_fit_is_refused() {
    let pairs = Pairs::new(Units::Bernoulli(2), Units::Spin(3)).unwrap();
    for condition in
        [Units::Bernoulli(0), Units::Diagonal(2), Units::Mixed(vec![Units::Spin(2), Units::Spin(1)])]
    {
        refused(Pairs::new(condition, Units::Bernoulli(2)), "condition");
    }
    refused(Pairs::new(Units::Spin(1), Units::Mixed(vec![Units::Spin(1)])), "several parts");
    let rows = |rows, units| Batch::from_bits(coins(rows, units, 1)).unwrap();
    refused(pairs.join(&rows(3, 2), &rows(4, 3)), "3 rows");
    refused(pairs.join(&rows(3, 3), &rows(3, 3)), "condition: expected 2 columns");
    refused(pairs.join(&rows(3, 2), &rows(3, 4)), "visible: expected 3 columns");
    let gone = harmonium::BitMatrix::from_fn(3, 2, |row, _| row == 1);
    refused(pairs.join(&rows(3, 2).masked(gone.clone()), &rows(3, 3)), "row 1");
    refused(pairs.check("data", &rows(3, 4)), "5 columns");
    let late = harmonium::BitMatrix::from_fn(3, 5, |row, unit| row == 2 && unit == 1);
    refused(pairs.check("data", &rows(3, 5).masked(late)), "condition at row 2, column 1");
    let one_hot = Pairs::new(Units::Bernoulli(1), Units::Categorical { units: 1, classes: 2 }).unwrap();
    refused(one_hot.check("data", &Batch::new(array![[0., 1., 1.]].view()).unwrap()), "one class");

    let model = model(pairs);
    refused(model.predict(&rows(2, 3), Prediction::default(), key(1)), "2 columns");
    refused(model.predict(&rows(2, 2), Prediction::Gibbs { warming: 0, sweeps: 0 }, key(1)), "sweeps");
    refused(model.given(&rows(2, 2)), "one row");
    refused(Gibbs::unpack(&model, States::Bits(coins(2, 4, 1))), "chains");
    let a = |width| Array2::zeros((2, width));
    let rbm = || Rbm::new(Units::Spin(3), Units::Bernoulli(2), key(1)).unwrap();
    refused(Conditional::from_parts(rbm(), model.pairs().clone(), a(4), a(2)), "condition_visible");
    refused(Conditional::from_parts(rbm(), model.pairs().clone(), a(3), a(2) * f32::NAN), "condition_hidden");
    let (data, mut model) = (model.pairs().join(&rows(5, 2), &rows(5, 3)).unwrap(), model);
    let free: Vec<Box<dyn Estimator<Conditional>>> = vec![
        Box::new(Pcd::default()),
        Box::new(FastPcd::default()),
        Box::new(Tempering::new(1, 5, Ladder::default())),
        Box::new(Trajectory::default()),
    ];
    for mut estimator in free {
        refused(fit(&mut model, &data, &mut *estimator, &Fit::default(), key(1), &mut Silent), "its own law");
    }

    let history = History::new(Units::Bernoulli(3), 2).unwrap();
    refused(History::new(Units::Bernoulli(3), 0), "frames");
    refused(history.rows(&[rows(2, 3)]), "more than 2 frames");
    refused(history.rows(&[rows(5, 3), rows(5, 4)]), "sequence 1: expected 3 columns");
    refused(history.continue_from(&model, &[rows(2, 3)], 1, Rolling::default(), key(1)), "model");
    let model = Conditional::new(history.pairs().unwrap(), Units::Bernoulli(2), key(1)).unwrap();
    refused(history.continue_from(&model, &[rows(1, 3)], 1, Rolling::default(), key(1)), "2 frames");
    refused(history.continue_from(&model, &[], 1, Rolling::default(), key(1)), "one sequence");
    let mean = Rolling::Mean(Prediction::default());
    refused(history.continue_from(&model, &[rows(2, 3)], 1, mean, key(1)), "draws");
}
