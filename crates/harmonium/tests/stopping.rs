//! Proves that early stopping ends a training where its rule says, with the best state back, and resumes from scores.

mod common;

use std::ops::ControlFlow;

use common::recipe::{data, machine, recipes};
use common::{batch, every, exact, key, model};
use harmonium::HasParams;
use harmonium::rbm::Rbm;
use harmonium::train::{
    EarlyStopping, Fit, Patience, Pcd, Silent, Step, Stopping, Training, Verdict, fit, moment_mismatch,
};
use harmonium_oracle::enumerate::visible_distribution;

/// Scores of seven epochs: the third is the best, and two more may be worse.
const SCORES: [f64; 7] = [1.0, 2.0, 5.0, 4.0, 3.0, 9.0, 9.0];

fn options() -> Fit {
    Fit { epochs: 7, batch: 30, ..recipes()[6].options.clone() }
}

/// Keeps the digest after each epoch.
#[derive(Default)]
struct Digests(Vec<String>);

impl harmonium::train::Observer<Rbm> for Digests {
    fn observe(&mut self, step: &Step<'_, Rbm>) -> ControlFlow<()> {
        if step.ends_epoch {
            self.0.push(step.model.digest());
        }
        ControlFlow::Continue(())
    }
}

fn told() -> impl FnMut(&Rbm) -> Result<f64, harmonium::Error> {
    let mut scores = SCORES.into_iter();
    move |_: &Rbm| Ok(scores.next().unwrap_or(f64::NAN))
}

#[test]
fn a_training_stops_when_patience_ends_and_the_best_state_is_back() {
    let mut whole = Digests::default();
    fit(&mut machine(), &data(), &mut Pcd::new(1, 37), &options(), key(6), &mut whole).unwrap();
    let (mut rbm, mut pcd) = (machine(), Pcd::new(1, 37));
    let mut watch =
        EarlyStopping::new(Digests::default(), Stopping { patience: 2 }, told()).expect("legal options");
    let mut training = Training::new(&rbm, &data(), &options()).unwrap();
    let summary = training.run(&mut rbm, &data(), &mut pcd, key(6), &mut watch).unwrap();
    assert!(summary.stopped && watch.is_over());
    assert_eq!(watch.inner.0, whole.0[..5], "the observer within sees the same epochs");
    assert_eq!(rbm.digest(), whole.0[4]);
    assert_eq!(watch.put_back(&mut training, &mut rbm, &mut pcd).unwrap(), Some((3, 5.0)));
    assert_eq!((rbm.digest(), training.epoch()), (whole.0[2].clone(), 3));
}

/// The best state is a whole one: a training that goes on from it ends as one that was never judged.
#[test]
fn the_best_state_goes_on_bit_for_bit() {
    for recipe in recipes() {
        let end = recipe.clone().whole(&mut Silent);
        let (mut again, mut rbm) = (recipe.clone(), machine());
        let mut training = Training::new(&rbm, &data(), &recipe.options).unwrap();
        let mut epochs = 0.0;
        let falling = |_: &Rbm| {
            epochs -= 1.0;
            Ok(epochs)
        };
        let mut watch = EarlyStopping::new(Silent, Stopping { patience: 1 }, falling).unwrap();
        again.run(&mut training, &mut rbm, &mut watch).unwrap();
        let back = watch.put_back(&mut training, &mut rbm, again.estimator.get_mut());
        assert_eq!((back.unwrap(), training.step()), (Some((1, -1.0)), 3));
        again.run(&mut training, &mut rbm, &mut Silent).unwrap();
        assert!(again.end(&rbm, training.step()) == end, "{recipe:?}");
    }
}

/// A watch that is told the scores of the first epochs and given their best state ends as one that saw them.
#[test]
fn a_watch_resumes_from_scores() {
    for stop in 1..5 {
        let (mut rbm, mut pcd) = (machine(), Pcd::new(1, 37));
        let mut training = Training::new(&rbm, &data(), &options()).unwrap();
        let leave = |step: &Step<'_, Rbm>| match step.training.epoch() {
            epoch if epoch == stop && step.ends_epoch => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        };
        let mut first = EarlyStopping::new(leave, Stopping { patience: 2 }, told()).unwrap();
        training.run(&mut rbm, &data(), &mut pcd, key(6), &mut first).unwrap();
        let (mut rule, mut judge) = (Patience::new(Stopping { patience: 2 }), told());
        for epoch in 1..=stop {
            assert_ne!(rule.judge(epoch, judge(&rbm).unwrap()), Verdict::Over);
        }
        let mut second = EarlyStopping::new(Silent, Stopping { patience: 2 }, judge).unwrap();
        second.resume(rule, first.best().cloned());
        training.run(&mut rbm, &data(), &mut pcd, key(6), &mut second).unwrap();
        assert_eq!((training.epoch(), second.is_over()), (5, true));
        second.put_back(&mut training, &mut rbm, &mut pcd).unwrap();
        let mut whole = Digests::default();
        fit(&mut machine(), &data(), &mut Pcd::new(1, 37), &options(), key(6), &mut whole).unwrap();
        assert_eq!(rbm.digest(), whole.0[2], "left after epoch {stop}");
    }
}

#[test]
fn a_judge_that_fails_ends_the_training_with_its_error() {
    let (mut rbm, mut pcd) = (machine(), Pcd::new(1, 37));
    let narrow = batch(4, &[1]);
    let judge = |rbm: &Rbm| moment_mismatch(rbm, &narrow, 1, key(1));
    let mut watch = EarlyStopping::new(Silent, Stopping::default(), judge).unwrap();
    let mut training = Training::new(&rbm, &data(), &options()).unwrap();
    assert!(training.run(&mut rbm, &data(), &mut pcd, key(6), &mut watch).unwrap().stopped);
    let error = watch.put_back(&mut training, &mut rbm, &mut pcd).unwrap_err().to_string();
    assert_eq!(error, "data: expected 70 columns, got 4 columns");
    let refusal = EarlyStopping::new(Silent, Stopping { patience: 0 }, told()).err().expect("a refusal");
    assert_eq!(refusal.to_string(), "patience: expected 1 or more, got 0");
}

/// Rows drawn from the model itself have its moments: of 4,096 rows a mean has a standard error of at most
/// 0.5/64 = 0.008, and the difference of two at most 0.011; uniform rows against strong biases differ by tenths.
#[test]
fn moments_match_where_rows_come_from_the_model() {
    let rbm = model(6, 4, 1.0, 3);
    let p = visible_distribution(&exact(&rbm));
    let counts = p.iter().enumerate().flat_map(|(v, p)| {
        let count = (p * 4096.0).round() as usize;
        std::iter::repeat_n(v as u64, count)
    });
    let own = batch(6, &counts.collect::<Vec<_>>());
    let near = moment_mismatch(&rbm, &own, 50, key(4)).unwrap();
    assert!(near < 0.011, "{near}");
    let far = moment_mismatch(&rbm, &batch(6, &every(6)), 50, key(4)).unwrap();
    assert!(far > 0.1, "{far}");
}
