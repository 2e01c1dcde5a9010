//! Proves that classifiers train, resume and are filed as machines are, and refuse what does not fit.

mod common;

use std::ops::ControlFlow;

use common::{coins, key};
use harmonium::persist::{Kind, Loaded, RealVfs, save};
use harmonium::rbm::{Classifier, Discriminative, Hybrid, Origin, Rbm, labelled};
use harmonium::train::{
    Average, Cd, Decay, Estimator, Fit, Method, Pcd, Schedule, Silent, Snapshot, Step, Tempering, Training,
    fit,
};
use harmonium::units::Units;
use harmonium::{Batch, EnergyModel, HasParams};

const CLASSES: usize = 3;

/// Makes rows of 67 bits whose class is told by their first bits; every fifth label is unknown.
fn data() -> Batch {
    let bits = coins(60, 67, 11);
    let class = |row: usize| usize::from(bits.get(row, 0)) + usize::from(bits.get(row, 1));
    let labels: Vec<Option<usize>> = (0..60).map(|row| (row % 5 > 0).then(|| class(row))).collect();
    labelled(&Batch::from_bits(bits.clone()).unwrap(), &labels, CLASSES).unwrap()
}

fn fresh() -> Classifier {
    Classifier::for_data(&data(), CLASSES, 33, key(5)).unwrap()
}

fn options() -> Fit {
    Fit {
        epochs: 3,
        batch: 25,
        method: Method::default(),
        average: Some(Average::exponential(0.9)),
        decay: Decay { l2: 1e-3, ..Decay::default() },
        ..Fit::default()
    }
}

/// Lists one estimator of each kind.
fn estimators() -> Vec<Box<dyn Estimator<Classifier>>> {
    vec![
        Box::new(Discriminative::new()),
        Box::new(Hybrid::new(0.1, Cd::new(2))),
        Box::new(Hybrid::new(0.1, Pcd::new(1, 7)).with_unlabelled(0.5)),
        Box::new(Pcd::new(1, 9)),
        Box::new(Tempering::new(1, 5, harmonium::train::Ladder::default())),
    ]
}

fn snapshots(estimator: &mut dyn Estimator<Classifier>) -> (Classifier, Vec<Snapshot>) {
    let (mut model, mut kept) = (fresh(), Vec::new());
    let mut keep = |step: &Step<'_, Classifier>| {
        kept.push(step.snapshot());
        ControlFlow::Continue(())
    };
    fit(&mut model, &data(), estimator, &options(), key(2), &mut keep).unwrap();
    (model, kept)
}

/// Sends a snapshot through a checkpoint, and goes on from it to the same bits.
#[test]
fn a_training_resumed_after_any_step_ends_alike() {
    for kind in 0..estimators().len() {
        let (end, kept) = snapshots(&mut *estimators()[kind]);
        assert_eq!(kept.len(), 9);
        for snapshot in &kept {
            let (header, tensors) = fresh().to_checkpoint(snapshot, &Origin::default());
            let loaded = Loaded { kind: Kind::Checkpoint, header, tensors };
            let (mut model, back, _) = Classifier::from_checkpoint(loaded).unwrap();
            assert!(back == *snapshot, "a checkpoint loses a part");
            let mut estimator = estimators().swap_remove(kind);
            let mut training = Training::new(&model, &data(), &options()).unwrap();
            training.restore(&mut model, &mut *estimator, &back).unwrap();
            training.run(&mut model, &data(), &mut *estimator, key(2), &mut Silent).unwrap();
            assert!(
                model.params() == end.params() && model.digest() == end.digest(),
                "{kind} at {}",
                back.step
            );
            assert!(training.snapshot(&model, &*estimator) == kept[8], "{kind} at {}", back.step);
        }
    }
}

#[test]
fn threads_change_no_bit() {
    let of = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let models: Vec<_> = estimators().iter_mut().map(|e| snapshots(&mut **e).1).collect();
            (models, fresh().predict_log_proba(&data()).unwrap())
        })
    };
    let expected = of(1);
    assert!([2, 3, 7].into_iter().all(|threads| of(threads) == expected));
}

/// The class is in two bits of 67, so 48 rows are learnt by heart at the least.
#[test]
fn every_way_of_training_learns_the_labels() {
    for mut estimator in estimators().into_iter().take(3) {
        let mut model = fresh();
        let rate = Schedule::Constant(0.01);
        let options =
            Fit { epochs: 150, learning_rate: rate, method: Method::adam(), average: None, ..options() };
        fit(&mut model, &data(), &mut *estimator, &options, key(2), &mut Silent).unwrap();
        assert_eq!(model.error_rate(&data()).unwrap(), 0.0);
    }
}

#[test]
fn files_name_the_model_and_give_it_back() {
    let folder = tempfile::tempdir().unwrap();
    let (model, path) = (fresh(), folder.path().join("model.harm"));
    model.save(&RealVfs, &path, &Origin::default()).unwrap();
    let (back, header) = Classifier::load(&RealVfs, &path).unwrap();
    let label = Units::Categorical { units: 1, classes: CLASSES };
    assert_eq!(header.visible, Units::Mixed(vec![Units::Bernoulli(67), label]));
    assert_eq!((back.digest(), back.classes(), back.units()), (model.digest(), CLASSES, 67));
    assert_eq!(back.predict(&data()).unwrap(), model.predict(&data()).unwrap());
    let refusal = Rbm::load(&RealVfs, &path).unwrap_err().to_string();
    assert!(refusal.contains("\"classifier\""), "{refusal}");
    model.rbm().save(&RealVfs, &path, &Origin::default()).unwrap();
    let refusal = Classifier::load(&RealVfs, &path).unwrap_err().to_string();
    assert!(refusal.contains("\"rbm\""), "{refusal}");
}

/// Headers that lie about the label are refused and never followed.
#[test]
fn files_of_another_label_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (model, path) = (fresh(), folder.path().join("model.harm"));
    let label = |units, classes| Units::Categorical { units, classes };
    for visible in [
        Units::Bernoulli(70),
        Units::Mixed(vec![Units::Bernoulli(67)]),
        Units::Mixed(vec![label(1, 3), Units::Bernoulli(67)]),
        Units::Mixed(vec![Units::Bernoulli(64), label(2, 3)]),
        Units::Mixed(vec![Units::Bernoulli(69), label(1, 1)]),
        Units::Mixed(vec![Units::Bernoulli(67), label(1, 4)]),
        Units::Mixed(vec![Units::Bernoulli(usize::MAX), label(1, 3)]),
    ] {
        let (mut header, tensors) = model.to_tensors(&Origin::default());
        header.visible = visible.clone();
        save(&RealVfs, &path, Kind::Model, &header, &tensors).unwrap();
        assert!(Classifier::load(&RealVfs, &path).is_err(), "{visible}");
    }
}

#[track_caller]
fn refused<T>(result: Result<T, harmonium::Error>, said: &str) {
    let error = result.err().expect("a refusal").to_string();
    assert!(error.contains(said), "{error}");
}

#[test]
fn what_does_not_fit_is_refused() {
    let x = Batch::from_bits(coins(4, 6, 1)).unwrap();
    let labels = [Some(0), Some(2), None, Some(1)];
    refused(labelled(&x, &[Some(0), Some(3), None, None], 3), "row 1: expected a class below 3, got 3");
    refused(labelled(&x, &labels[1..], 3), "4 labels");
    refused(labelled(&x, &[None; 4], 1), "classes");
    let reals = Batch::reals(ndarray::Array2::zeros((4, 6))).unwrap();
    refused(labelled(&reals, &labels, 3), "bits");
    refused(Classifier::new(6, 1, 4, key(1)), "classes");
    refused(Classifier::new(0, 3, 4, key(1)), "classes");
    let spins = Rbm::new(Units::Spin(9), Units::Bernoulli(4), key(1)).unwrap();
    refused(Classifier::from_rbm(spins, 3), "Bernoulli");
    refused(
        Classifier::for_data(&Batch::from_bits(coins(9, 9, 1)).unwrap(), 3, 4, key(1)),
        "one class or none",
    );

    let model = Classifier::new(6, 3, 4, key(1)).unwrap();
    refused(model.predict(&Batch::from_bits(coins(4, 8, 1)).unwrap()), "6 columns, or 9 with labels");
    refused(model.predict(&reals), "bits");
    refused(model.error_rate(&labelled(&x, &[None; 4], 3).unwrap()), "one at least");
    refused(model.error_rate(&x), "9 columns");
    refused(model.check_data(&Batch::from_bits(coins(9, 9, 1)).unwrap()), "one class or none");
    let none = labelled(&x, &[None; 4], 3).unwrap();
    refused(harmonium::Gibbs::unpack(&model, none.states().clone()), "one class");
    for bad in [-0.1, f32::NAN, f32::INFINITY] {
        let hybrid = Hybrid::new(0.1, Cd::new(1)).with_unlabelled(bad);
        refused(Estimator::<Classifier>::check(&hybrid), "unlabelled");
    }
}

/// Rows whose class is not known are clamped with the likeliest one.
#[test]
fn clamping_completes_rows() {
    let (model, data) = (fresh(), data());
    let (state, predicted) = (model.clamp(&data), model.predict(&data).unwrap());
    let (bits, given) = (state.visible().expect_bits(), data.bits().unwrap());
    for (row, class) in predicted.into_iter().enumerate() {
        let expected = (67..70).find(|&unit| given.get(row, unit)).unwrap_or(67 + class);
        assert!((67..70).all(|unit| bits.get(row, unit) == (unit == expected)), "row {row}");
    }
}
