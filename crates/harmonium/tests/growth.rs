//! Proves that machines grow without a change of their law, and that trainings grow within one run that can be resumed.

mod common;

use std::ops::ControlFlow;

use common::{batch, coins, every, key};
use harmonium::persist::{Kind, Loaded};
use harmonium::rbm::{
    Classifier, Conditional, Exact, MeanField, Order, Origin, Pairs, PseudoLikelihood, Rbm, labelled,
};
use harmonium::train::{
    Adapt, Average, Cd, Centre, Constraints, Estimator, FastPcd, Fit, Growth, Ladder, Mask, Method, Pcd,
    Schedule, Silent, Snapshot, Step, Tempering, Training, Trajectory, fit,
};
use harmonium::units::Units;
use harmonium::{Batch, EnergyModel, HasParams, Marginal};

fn kinds() -> Vec<Units> {
    vec![
        Units::Bernoulli(3),
        Units::Spin(3),
        Units::Categorical { units: 3, classes: 3 },
        Units::Gaussian(3),
        Units::Diagonal(3),
        Units::Relu(3),
        Units::Drelu(3),
        Units::Binomial { units: 3, trials: 4 },
    ]
}

/// Makes a machine with parameters of every block between −1 and 1.
fn machine(hidden: Units) -> Rbm {
    let mut rbm = Rbm::new(Units::Bernoulli(5), hidden, key(2)).unwrap();
    for (n, block) in rbm.blocks_mut().into_iter().enumerate() {
        let draws = coins(block.values.len(), 12, n as u64);
        for (row, value) in block.values.iter_mut().enumerate() {
            *value = (0..12).map(|bit| f32::from(u8::from(draws.get(row, bit))) / 6.0).sum::<f32>() - 1.0;
        }
    }
    rbm.refresh();
    rbm
}

/// ln p(v) of every state.
fn law(rbm: &Rbm) -> Vec<f64> {
    let log_z = rbm.log_z().unwrap();
    rbm.free_energy(&batch(5, &every(5))).unwrap().iter().map(|free| -free - log_z).collect()
}

fn farthest(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// Without weights the new units are a constant factor of p(v) and of Z. With them, each of the four new features, of a
/// variance below 4, can move ln p(v) by 5 · 0.017 · |mean| and its square at the most.
#[test]
fn growth_leaves_the_law_as_it_is() {
    for kind in kinds() {
        let before = machine(kind.clone());
        for (spread, bound) in [(0.0, 1e-5), (0.017, 4.0 * 2.0 * 5.0 * 0.017 * 3.0)] {
            let mut after = before.clone();
            let means = after.grow(5, spread, key(1)).unwrap();
            let features = before.hidden_units() / 3;
            assert_eq!((after.hidden_units(), means.len()), (5 * features, 2 * features), "{kind}");
            let moved = farthest(&law(&before), &law(&after));
            assert!(moved < bound && (spread == 0.0 || moved > 0.0), "{kind}: {moved}");
        }
    }
    let mut rbm = machine(Units::Bernoulli(3));
    let law_before = law(&rbm);
    assert_eq!(rbm.grow(9, 0.0, key(1)).unwrap(), [0.5; 6]);
    let moved = farthest(&law_before, &law(&rbm));
    assert!(moved < 1e-6, "{moved}");
}

#[test]
fn classifiers_and_conditional_machines_grow_alike() {
    let x = Batch::from_bits(coins(20, 5, 3)).unwrap();
    let labels: Vec<Option<usize>> = (0..20).map(|row| Some(row % 3)).collect();
    let data = labelled(&x, &labels, 3).unwrap();
    let mut classifier = Classifier::for_data(&data, 3, 4, key(1)).unwrap();
    let before = classifier.predict_log_proba(&x).unwrap();
    classifier.grow(7, 0.0, key(1)).unwrap();
    assert!((classifier.predict_log_proba(&x).unwrap() - before).iter().all(|off| off.abs() < 1e-6));

    let pairs = Pairs::new(Units::Spin(4), Units::Bernoulli(5)).unwrap();
    let mut model = Conditional::new(pairs.clone(), Units::Bernoulli(4), key(1)).unwrap();
    let data = pairs.join(&Batch::from_bits(coins(20, 4, 1)).unwrap(), &x).unwrap();
    let before = model.exact_likelihood(&data).unwrap();
    model.grow(7, 0.0, key(1)).unwrap();
    assert!((model.exact_likelihood(&data).unwrap() - before).abs() < 1e-6);
    model.grow(8, 0.1, key(1)).unwrap();
    assert_eq!((model.to_hidden().dim(), model.rbm().hidden_units()), ((4, 8), 8));
    assert!(model.to_hidden().column(7).iter().all(|&b| b != 0.0 && b.abs() <= 0.1));
}

/// One hidden unit makes at best two clouds of four far corners, six make them all: at best −ln 4.
#[test]
fn likelihood_rises_after_growth() {
    let data = batch(8, &[0x0F, 0xF0, 0x33, 0xCC]);
    let run = |growth| {
        let mut rbm = Rbm::for_data(&data, Units::Bernoulli(1), key(1)).unwrap();
        let options = Fit {
            epochs: 1500,
            learning_rate: Schedule::Constant(0.02),
            method: Method::adam(),
            growth,
            ..Fit::default()
        };
        let mut seen = Vec::new();
        let mut watch = |step: &Step<'_, Rbm>| {
            seen.push(step.model.exact_likelihood(&data).unwrap().log_likelihood);
            ControlFlow::Continue(())
        };
        fit(&mut rbm, &data, &mut Exact::new(), &options, key(1), &mut watch).unwrap();
        (rbm.hidden_units(), seen)
    };
    let (alone, few) = run(Vec::new());
    let (grown, more) = run(vec![Growth::new(700, 6)]);
    assert_eq!((alone, grown), (1, 6));
    assert_eq!(few[..700], more[..700]);
    assert!(
        *few.last().unwrap() < -3.0 && *more.last().unwrap() > -1.6,
        "{:?} {:?}",
        few.last(),
        more.last()
    );
}

// ---- One run ----

const VISIBLE: usize = 70;

fn data() -> Batch {
    Batch::from_bits(coins(50, VISIBLE, 9)).unwrap()
}

fn fresh() -> Rbm {
    Rbm::for_data(&data(), Units::Bernoulli(10), key(5)).unwrap()
}

/// Grows at the second and third of four epochs of two updates each.
fn plan() -> Vec<Growth> {
    vec![Growth::new(1, 14), Growth { spread: 0.05, ..Growth::new(2, 18) }]
}

/// Masks the first and the last of 18 hidden units at visible unit 3.
fn masks() -> Constraints {
    let zeros = vec![3 * 18, 3 * 18 + 17];
    Constraints { masks: vec![Mask { block: "weights".into(), zeros }], ..Constraints::default() }
}

fn options(full: bool) -> Fit {
    let fast = Fit { epochs: 4, batch: 25, growth: plan(), ..Fit::default() };
    if !full {
        return fast;
    }
    Fit {
        method: Method::adam(),
        centre: Some(Centre::default()),
        average: Some(Average::exponential(0.9)),
        adapt: Some(Adapt::default()),
        constraints: masks(),
        ..fast
    }
}

fn estimators() -> Vec<Box<dyn Estimator<Rbm>>> {
    vec![
        Box::new(Cd::new(2)),
        Box::new(Pcd::new(1, 9)),
        Box::new(FastPcd::new(1, 9)),
        Box::new(Tempering::new(1, 5, Ladder::default())),
        Box::new(Trajectory::default()),
        Box::new(MeanField::new(Order::Second, 2, 7)),
        Box::new(PseudoLikelihood::default()),
    ]
}

fn whole(estimator: &mut dyn Estimator<Rbm>, options: &Fit) -> (Rbm, Vec<Snapshot>, Vec<Rbm>) {
    let (mut rbm, mut kept, mut models) = (fresh(), Vec::new(), Vec::new());
    let mut keep = |step: &Step<'_, Rbm>| {
        assert!(step.good.params.tensors()[2].values.len() == step.model.hidden_units());
        kept.push(step.snapshot());
        models.push(step.model.clone());
        ControlFlow::Continue(())
    };
    fit(&mut rbm, &data(), estimator, options, key(2), &mut keep).unwrap();
    (rbm, kept, models)
}

#[test]
fn a_training_resumed_before_and_after_growth_ends_alike() {
    for kind in 0..estimators().len() {
        for full in [false, true] {
            let (end, kept, models) = whole(&mut *estimators()[kind], &options(full));
            let sizes: Vec<usize> = models.iter().map(Rbm::hidden_units).collect();
            assert_eq!(sizes, [10, 10, 14, 14, 18, 18, 18, 18]);
            for (snapshot, model) in kept.iter().zip(&models) {
                let (header, tensors) = model.to_checkpoint(snapshot, &Origin::default());
                let loaded = Loaded { kind: Kind::Checkpoint, header, tensors };
                let (mut rbm, back, _) = Rbm::from_checkpoint(loaded).unwrap();
                assert!(back == *snapshot, "a checkpoint loses a part");
                let mut estimator = estimators().swap_remove(kind);
                let mut training = Training::new(&rbm, &data(), &options(full)).unwrap();
                training.restore(&mut rbm, &mut *estimator, &back).unwrap();
                training.run(&mut rbm, &data(), &mut *estimator, key(2), &mut Silent).unwrap();
                assert!(rbm == end, "{kind} from {}", back.step);
                assert!(training.snapshot(&rbm, &*estimator) == kept[7], "{kind} from {}", back.step);
            }
        }
    }
}

/// At rate 0 nothing moves, so that what growth adds can be seen.
#[test]
fn new_units_are_drawn_once_and_their_averages_begin_with_them() {
    let still = Fit {
        learning_rate: Schedule::Constant(0.0),
        average: Some(Average::exponential(0.9)),
        ..options(false)
    };
    let (rbm, kept, _) = whole(&mut Cd::new(1), &still);
    let weights = rbm.params().tensors()[0].values.clone();
    let block = |from: usize| -> Vec<f32> {
        (0..VISIBLE).flat_map(|line| weights[line * 18 + from..line * 18 + from + 4].to_vec()).collect()
    };
    let (first, second) = (block(10), block(14));
    assert!(first.iter().all(|w| w.abs() <= 0.0174) && second.iter().any(|w| w.abs() > 0.03));
    // The same draws would be in the ratio of the spreads.
    assert!(
        first.iter().zip(&second).filter(|(a, b)| (*a / 0.017_320_508 - *b / 0.05).abs() < 1e-3).count() < 20
    );
    assert!(rbm.hidden_bias()[10..].iter().all(|&c| c == 0.0));
    // θ̄ + (θ − θ̄) w with θ̄ = θ is θ.
    let average = kept[7].average.as_ref().unwrap();
    let pairs = average.tensors()[0].values.iter().zip(&weights);
    assert!({ pairs }.all(|(mean, w)| mean == w));
}

#[test]
fn masks_hold_for_the_last_width_throughout() {
    let (_, _, models) = whole(&mut Pcd::new(1, 9), &options(true));
    for model in models {
        let line = model.weights().row(3).to_vec();
        let masked = if line.len() == 18 { vec![0, 17] } else { vec![0] };
        assert!(line.iter().enumerate().all(|(j, &w)| (w == 0.0) == masked.contains(&j)), "{line:?}");
    }
}

#[test]
fn what_cannot_grow_is_refused() {
    let said = |rbm: &Rbm, growth: Vec<Growth>| {
        Training::new(rbm, &data(), &Fit { growth, ..Fit::default() }).unwrap_err().to_string()
    };
    let mixed = Units::Mixed(vec![Units::Bernoulli(2), Units::Spin(2)]);
    let parts = Rbm::new(Units::Bernoulli(VISIBLE), mixed, key(1)).unwrap();
    assert!(said(&parts, plan()).contains("one simple kind"));
    assert!(said(&fresh(), vec![Growth::new(0, 65_537)]).contains("65536"));
    assert!(said(&fresh(), vec![Growth::new(2, 20), Growth::new(1, 30)]).starts_with("growth"));
    let bad = Growth { spread: -1.0, ..Growth::new(1, 20) };
    assert!(said(&fresh(), vec![bad]).starts_with("growth spread"));
    let mut rbm = fresh();
    assert!(rbm.grow(9, 0.0, key(1)).unwrap_err().to_string().contains("10 hidden units or more"));
    assert_eq!(rbm, fresh());
}
