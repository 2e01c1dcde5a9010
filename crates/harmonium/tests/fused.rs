//! Compares the two forms of an update, bit for bit: the walk over strips, and whole gradients that can be looked at.

mod common;

use std::ops::ControlFlow;

use common::{coins, key};
use harmonium::rbm::Rbm;
use harmonium::train::{
    Average, Cd, Centre, Constraints, Decay, Estimator, Fit, Method, Pcd, Schedule, Sign, Silent, Step,
    Training, WithGradient,
};
use harmonium::units::Units;
use harmonium::{Batch, HasParams, Params};

fn trained<E: Estimator<Rbm> + Clone>(
    units: (usize, usize),
    estimator: &E,
    options: &Fit,
    plain: bool,
) -> (Params, Option<Params>) {
    let data = Batch::from_bits(coins(70, units.0, 1)).unwrap();
    let mut rbm = Rbm::new(Units::Bernoulli(units.0), Units::Bernoulli(units.1), key(2)).unwrap();
    let mut estimator = estimator.clone();
    let mut training = Training::new(&rbm, &data, options).unwrap();
    if plain {
        let mut look = WithGradient(|step: &Step<'_, Rbm>| {
            assert!(step.gradient.is_some());
            ControlFlow::Continue(())
        });
        training.run(&mut rbm, &data, &mut estimator, key(3), &mut look).unwrap();
    } else {
        training.run(&mut rbm, &data, &mut estimator, key(3), &mut Silent).unwrap();
    }
    let average = training.averaged(&rbm);
    assert_eq!(average.is_some(), options.average.is_some());
    (rbm.params(), average.map(|average| average.params()))
}

/// Lists rules of one and of two moments besides momentum and Adam.
fn further() -> [Method; 4] {
    [Method::nesterov(0.8), Method::adamw(0.1), Method::adagrad(), Method::rmsprop()]
}

/// Gives what is done beside the rule: averages behind no, one and two moments, bounds, and the enhanced gradient.
fn besides() -> Vec<Fit> {
    let methods = [Method::default(), Method::adam()].into_iter().chain(further());
    let averages = [Average::default(), Average { decay: 0.6, start: 0.3 }];
    let bounds = [(1e-3, None), (0.0, Some(Sign::Positive)), (1e-3, Some(Sign::Negative))];
    let fits = methods.enumerate().map(|(n, method)| {
        let (proximal, sign) = bounds[n % 3];
        let constraints = Constraints { proximal, sign, ..Constraints::default() };
        let (average, enhanced) = (Some(averages[n % 2]), n % 2 == 0);
        Fit { epochs: 3, batch: 32, method, average, enhanced, constraints, ..Fit::default() }
    });
    fits.collect()
}

/// Gives options that cover each rule, with and without what changes the gradient.
fn recipes() -> Vec<Fit> {
    let momentum = Method::Sgd { momentum: Schedule::Linear { from: 0.0, to: 0.9 } };
    let methods = [Method::default(), momentum, Method::adam()].into_iter().chain(further());
    let centres = [None, Some(Centre { rate: 0.3, ..Centre::default() })];
    let decays = [Decay::default(), Decay { l1: 1e-3, l2: 1e-2 }];
    let mut out = Vec::new();
    for method in methods {
        for centre in &centres {
            for decay in &decays {
                let (method, centre, decay) = (method.clone(), centre.clone(), decay.clone());
                out.push(Fit { epochs: 2, batch: 32, method, centre, decay, ..Fit::default() });
            }
        }
    }
    out
}

/// Widths cover short strips, several of them, and more lines than one task has; 70 rows in batches of 32 end short, so
/// that both joined and separate sums occur.
#[test]
fn both_forms_of_an_update_give_the_same_machine() {
    for options in recipes().into_iter().chain(besides()) {
        for units in [(7, 5), (33, 70), (1030, 40)] {
            let (pcd, cd) = (Pcd::new(1, 32), Cd::new(1));
            let forms = [false, true];
            let [a, b] = forms.map(|plain| trained(units, &pcd, &options, plain));
            assert!(a == b, "PCD, {units:?}, {options:?}");
            let [a, b] = forms.map(|plain| trained(units, &cd, &options, plain));
            assert!(a == b, "CD, {units:?}, {options:?}");
        }
    }
}
