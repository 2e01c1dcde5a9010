//! Compares the two forms of an update, bit for bit: the walk over strips, and whole gradients that can be looked at.

mod common;

use std::ops::ControlFlow;

use common::{coins, key};
use harmonium::rbm::Rbm;
use harmonium::train::{
    Cd, Centre, Decay, Estimator, Fit, Method, Pcd, Schedule, Silent, Step, WithGradient, fit,
};
use harmonium::units::Units;
use harmonium::{Batch, HasParams};

fn trained<E: Estimator<Rbm> + Clone>(
    units: (usize, usize),
    estimator: &E,
    options: &Fit,
    plain: bool,
) -> Rbm {
    let data = Batch::from_bits(coins(70, units.0, 1)).unwrap();
    let mut rbm = Rbm::new(Units::Bernoulli(units.0), Units::Bernoulli(units.1), key(2)).unwrap();
    let mut estimator = estimator.clone();
    if plain {
        let mut look = WithGradient(|step: &Step<'_, Rbm>| {
            assert!(step.gradient.is_some());
            ControlFlow::Continue(())
        });
        fit(&mut rbm, &data, &mut estimator, options, key(3), &mut look).unwrap();
    } else {
        fit(&mut rbm, &data, &mut estimator, options, key(3), &mut Silent).unwrap();
    }
    rbm
}

/// Gives options that cover each rule, with and without what changes the gradient.
fn recipes() -> Vec<Fit> {
    let momentum = Method::Sgd { momentum: Schedule::Linear { from: 0.0, to: 0.9 } };
    let methods = [Method::default(), momentum, Method::adam()];
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
    for options in recipes() {
        for units in [(7, 5), (33, 70), (1030, 40)] {
            let (pcd, cd) = (Pcd::new(1, 32), Cd::new(1));
            let forms = [false, true];
            let [a, b] = forms.map(|plain| trained(units, &pcd, &options, plain).params());
            assert!(a == b, "PCD, {units:?}, {options:?}");
            let [a, b] = forms.map(|plain| trained(units, &cd, &options, plain).params());
            assert!(a == b, "CD, {units:?}, {options:?}");
        }
    }
}
