//! Proves that a training that runs away stops, says what did, and leaves the last good state.

mod common;

use std::ops::ControlFlow;

use common::recipe::data;
use common::{batch, exact, key, model};
use harmonium::rbm::Rbm;
use harmonium::train::{Action, Cd, Centre, Decay, Fit, Guard, Method, Pcd, Schedule, Silent, Step, fit};
use harmonium::units::Units;
use harmonium::{ErrorKind, HasParams};

/// λ/2 Σ w² with ηλ > 2 multiplies W by 1 − ηλ an update: ηλ = 5 is −4, so that 10⁻³ passes 10³ within 10 updates.
fn options(factor: f64) -> Fit {
    Fit {
        epochs: 1000,
        batch: 30,
        learning_rate: Schedule::Constant(0.05 * factor),
        decay: Decay { l1: 0.0, l2: 10.0 },
        ..Fit::default()
    }
}

fn machine() -> Rbm {
    Rbm::for_data(&data(), Units::Bernoulli(20), key(1)).unwrap()
}

fn variants(factor: f64) -> Vec<Fit> {
    let centre = Some(Centre::default());
    let momentum = Method::Sgd { momentum: Schedule::Constant(0.9) };
    vec![
        options(factor),
        Fit { centre, ..options(factor) },
        Fit { method: momentum, ..options(factor) },
        Fit { guard: Guard { every: 1, ..Guard::default() }, ..options(factor) },
    ]
}

/// Updates of an epoch: 90 rows, 30 at a time.
const EPOCH: usize = 3;

/// Keeps the digest after every update and before the first.
struct Watch(Vec<String>);

impl harmonium::train::Observer<Rbm> for Watch {
    fn observe(&mut self, step: &Step<'_, Rbm>) -> ControlFlow<()> {
        assert!(step.training.step() < 100, "no divergence within 100 updates");
        self.0.push(step.model.digest());
        ControlFlow::Continue(())
    }
}

/// Runs a training that must diverge; gives the digest it leaves and those of its updates.
fn diverge(options: &Fit, persistent: bool) -> (String, Vec<String>) {
    diverge_from(options, persistent, 2)
}

fn diverge_from(options: &Fit, persistent: bool, seed: u64) -> (String, Vec<String>) {
    let (mut rbm, mut watch) = (machine(), Watch(vec![machine().digest()]));
    let ended = if persistent {
        fit(&mut rbm, &data(), &mut Pcd::new(1, 25), options, key(seed), &mut watch)
    } else {
        fit(&mut rbm, &data(), &mut Cd::new(1), options, key(seed), &mut watch)
    };
    let error = ended.expect_err("the training must run away");
    let ErrorKind::Diverged(fault) = error.kind() else { panic!("another error: {error}") };
    assert_eq!((&fault.field[..], &fault.place[..4]), ("largest parameter", "step"));
    assert!(rbm.params().tensors().iter().all(|t| t.values.iter().all(|x| x.abs() <= 1e3)));
    (rbm.digest(), watch.0)
}

/// The last good state is the last one kept: the last seen where every update is kept, else the end of the last epoch.
#[test]
fn runaway_trainings_stop_at_the_last_good_state() {
    for (factor, persistent) in (1..=6).flat_map(|n| [(10_f64.powi(n), false), (10_f64.powi(n), true)]) {
        for options in variants(factor) {
            let (left, seen) = diverge(&options, persistent);
            let last = seen.len() - 1;
            let good = if options.guard.every == 1 { last } else { last / EPOCH * EPOCH };
            assert_eq!(left, seen[good], "rate × {factor}");
        }
    }
}

/// Without decay a rate of 5e4 passes the limit at once, as any statistic that differs by 2 % moves a parameter by 10³.
#[test]
fn enormous_rates_stop_without_decay() {
    let options = Fit { learning_rate: Schedule::Constant(5e4), decay: Decay::default(), ..options(1.0) };
    let (left, seen) = diverge(&options, false);
    assert_eq!(left, seen[0]);
}

/// η = 0.5 with λ = 10 oscillates out; halved twice, |1 − ηλ| is 1.5 and then 0.25, and the training ends.
#[test]
fn retries_lower_the_rate_and_finish() {
    let guard = Guard { action: Action::retry(), ..Guard::default() };
    let options = Fit { epochs: 40, guard, ..options(10.0) };
    let (mut rbm, mut rates) = (machine(), Vec::new());
    let mut look = |step: &Step<'_, Rbm>| {
        rates.push(step.training.rate());
        ControlFlow::Continue(())
    };
    let summary = fit(&mut rbm, &data(), &mut Pcd::new(1, 25), &options, key(2), &mut look).unwrap();
    assert_eq!((summary.steps, summary.notices.len()), (120, 2), "{:?}", summary.notices);
    assert_eq!((summary.rollbacks, summary.lowest_rate), (2, 0.25));
    rates.dedup();
    assert_eq!(rates, [0.5, 0.25, 0.125]);
    assert!(exact(&rbm).weights.iter().all(|w| w.abs() < 1.0));
}

/// Lists 20 trainings with a thousand times the rate that suits them: λ = 1 makes W (1 − 50) times as large with each
/// update, so that weights of 10⁻² pass 10³ within four; after five halvings 1 − ηλ is −0.56, and W stays small. Momentum
/// μ only widens what is stable, ηλ < 2 (1 + μ).
fn too_fast(action: Action) -> impl Iterator<Item = (u64, Fit)> {
    (0..20).map(move |n| {
        let momentum = Method::Sgd { momentum: Schedule::Constant(if n % 4 < 2 { 0.0 } else { 0.5 }) };
        let centre = (n % 3 == 0).then(Centre::default);
        let (decay, guard) = (Decay { l1: 0.0, l2: 1.0 }, Guard { action, ..Guard::default() });
        (n, Fit { epochs: 10, method: momentum, centre, decay, guard, ..options(1000.0) })
    })
}

#[test]
fn a_thousandfold_rate_stops_every_training_at_its_last_good_state() {
    for (n, options) in too_fast(Action::Stop) {
        let (left, seen) = diverge_from(&options, n % 2 == 0, n);
        assert_eq!(left, seen[(seen.len() - 1) / EPOCH * EPOCH], "training {n}");
    }
}

#[test]
fn a_thousandfold_rate_is_lowered_until_every_training_finishes() {
    for (n, options) in too_fast(Action::retry()) {
        let mut rbm = machine();
        let summary = if n % 2 == 0 {
            fit(&mut rbm, &data(), &mut Pcd::new(1, 25), &options, key(n), &mut Silent)
        } else {
            fit(&mut rbm, &data(), &mut Cd::new(1), &options, key(n), &mut Silent)
        };
        let summary = summary.unwrap_or_else(|error| panic!("training {n}: {error}"));
        assert_eq!((summary.steps, summary.stopped), (30, false));
        assert!(summary.rollbacks >= 1, "training {n} was no test");
        assert_eq!(summary.rollbacks as usize, summary.notices.len());
        assert_eq!(summary.lowest_rate, 0.5_f32.powi(summary.rollbacks as i32));
        assert!(rbm.params().tensors().iter().all(|t| t.values.iter().all(|x| x.abs() <= 1e3)));
    }
}

/// Retries are counted: where no rate helps, the training ends as one without retries.
#[test]
fn retries_run_out() {
    let guard = Guard { action: Action::retry(), ..Guard::default() };
    let (left, seen) = diverge(&Fit { guard, ..options(1e6) }, true);
    assert_eq!(left, seen[0]);
}

#[test]
fn no_epoch_changes_nothing() {
    let mut rbm = machine();
    let options = Fit { epochs: 0, ..Fit::default() };
    let summary = fit(&mut rbm, &data(), &mut Cd::new(1), &options, key(1), &mut Silent).unwrap();
    assert_eq!((rbm, summary.steps), (machine(), 0));
}

#[test]
fn a_batch_larger_than_the_data_is_noticed() {
    let mut rbm = model(4, 2, 0.1, 1);
    let options = Fit { epochs: 1, batch: 3, ..Fit::default() };
    let summary = fit(&mut rbm, &batch(4, &[1, 2]), &mut Cd::new(1), &options, key(1), &mut Silent).unwrap();
    assert_eq!(summary.notices, ["batch 3 is larger than the data: one batch of 2 rows"]);
}

/// Refused options, estimators and data leave the model as it was.
#[test]
fn refusals_leave_the_model() {
    let legal = Fit { epochs: 1, ..Fit::default() };
    let rate = |rate| Fit { learning_rate: Schedule::Constant(rate), ..legal.clone() };
    let refused = [Fit { batch: 0, ..legal.clone() }, rate(-1.0), rate(f64::NAN), rate(1e30)];
    let mut rbm = machine();
    for options in refused {
        assert!(fit(&mut rbm, &data(), &mut Cd::new(1), &options, key(1), &mut Silent).is_err());
    }
    assert!(fit(&mut rbm, &data(), &mut Cd::new(0), &legal, key(1), &mut Silent).is_err());
    assert!(fit(&mut rbm, &data(), &mut Pcd::new(1, 0), &legal, key(1), &mut Silent).is_err());
    let narrow = batch(4, &[1]);
    assert!(fit(&mut rbm, &narrow, &mut Cd::new(1), &legal, key(1), &mut Silent).is_err());
    assert_eq!(rbm, machine());
}

/// Values that are not bits never reach a model.
#[test]
fn values_other_than_bits_are_refused() {
    for value in [0.5, -1.0, 2.0, 3.0, 255.0, f32::NAN, f32::INFINITY] {
        let mut values = ndarray::Array2::<f32>::zeros((3, 4));
        values[(1, 2)] = value;
        let error = harmonium::Batch::new(values.view()).unwrap_err().to_string();
        assert_eq!(error, format!("data at row 1, column 2: expected 0 or 1, got {value}"));
    }
}
