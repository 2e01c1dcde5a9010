//! Proves that a finished gradient goes the same way as two phases: transforms, optimiser, guard, observers.

mod common;

use std::ops::ControlFlow;

use common::key;
use common::recipe::{Any, data, machine, recipes};
use harmonium::address::Address;
use harmonium::rbm::Rbm;
use harmonium::stats::Phases;
use harmonium::train::{Estimate, Estimator, Kept, Schedule, Silent, Step, WithGradient, fit};
use harmonium::{Batch, Error, HasParams, Params};

/// Hands in the contrast of another estimator's phases, and leaves the positive phase alone behind.
struct Finished<'a>(&'a mut dyn Estimator<Rbm>);

impl Estimator<Rbm> for Finished<'_> {
    fn check(&self) -> Result<(), Error> {
        self.0.check()
    }

    fn estimate(
        &mut self,
        model: &Rbm,
        data: &Batch,
        sweeps: u32,
        at: Address,
        phases: &mut Phases,
    ) -> Result<Estimate, Error> {
        let gradient = self.0.estimate(model, data, sweeps, at, phases)?.gradient(model, phases);
        phases.negative.clear();
        Ok(Estimate::Gradient(gradient))
    }

    fn sweeps(&self) -> &Schedule {
        self.0.sweeps()
    }

    fn kept(&self) -> Kept {
        self.0.kept()
    }

    fn restore(&mut self, model: &Rbm, kept: Kept) -> Result<(), Error> {
        self.0.restore(model, kept)
    }
}

#[test]
fn finished_gradients_train_bit_for_bit_like_phases() {
    for recipe in recipes() {
        let trained = |finished: bool, seen: Option<&mut Vec<Params>>| {
            let (mut rbm, mut own) = (machine(), recipe.estimator.clone());
            let mut wrapped = Finished(own.get_mut());
            let mut plain = recipe.estimator.clone();
            let estimator: &mut dyn Estimator<Rbm> = if finished { &mut wrapped } else { plain.get_mut() };
            let summary = match seen {
                None => fit(&mut rbm, &data(), estimator, &recipe.options, key(6), &mut Silent),
                Some(seen) => {
                    let mut look = WithGradient(|step: &Step<'_, Rbm>| {
                        seen.extend(step.gradient.cloned());
                        ControlFlow::Continue(())
                    });
                    fit(&mut rbm, &data(), estimator, &recipe.options, key(6), &mut look)
                }
            };
            assert_eq!(summary.unwrap().steps, 9);
            rbm.params()
        };
        let expected = trained(false, None);
        assert!(trained(true, None) == expected, "{recipe:?}");
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        assert!(trained(true, Some(&mut ours)) == expected && trained(false, Some(&mut theirs)) == expected);
        assert!(ours.len() == 9 && ours == theirs, "observers see other gradients: {recipe:?}");
    }
}

/// The estimators that keep nothing refuse what another one kept.
#[test]
fn leftovers_of_another_estimator_are_refused() {
    let kept = Kept::default().with_counts("swaps", &[1, 2]);
    let rbm = machine();
    let refused = |mut any: Any| any.get_mut().restore(&rbm, kept.clone()).unwrap_err().to_string();
    let all = common::recipe::others().into_iter().chain(recipes()).map(|recipe| recipe.estimator);
    for estimator in all.filter(|estimator| !matches!(estimator, Any::Tempering(_))) {
        let text = refused(estimator.clone());
        assert!(text.starts_with("swaps: expected none for ") && text.ends_with("[2]"), "{text}");
    }
}
