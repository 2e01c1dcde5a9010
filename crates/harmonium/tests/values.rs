//! Freezes what seeds give: a change here is value-breaking, and belongs under that heading of the changelog.

mod common;

use common::key;
use common::recipe::{data, machine};
use harmonium::evaluate::{Ais, Betas, forward};
use harmonium::persist::digest_bits;
use harmonium::rbm::Rbm;
use harmonium::train::{Cd, Centre, Decay, Estimator, Fit, Method, Pcd, Schedule, Silent, fit};
use harmonium::{Batch, HasParams};

fn trained<E: Estimator<Rbm>>(mut estimator: E, options: &Fit) -> String {
    let mut rbm = machine();
    fit(&mut rbm, &data(), &mut estimator, options, key(3), &mut Silent).unwrap();
    rbm.digest()[..16].to_owned()
}

fn options() -> Fit {
    Fit { epochs: 5, batch: 32, learning_rate: Schedule::Linear { from: 0.2, to: 0.0 }, ..Fit::default() }
}

#[test]
fn trainings_are_frozen() {
    let momentum = Method::Sgd { momentum: Schedule::Constant(0.5) };
    let decay = Decay { l1: 1e-4, l2: 1e-3 };
    let centre = Some(Centre { rate: 0.1, ..Centre::default() });
    let adam = Fit { method: Method::adam(), learning_rate: Schedule::Constant(0.01), ..options() };
    let found = [
        trained(Cd::new(2), &options()),
        trained(Pcd::new(1, 20), &Fit { method: momentum, ..options() }),
        trained(Pcd::new(3, 50), &Fit { centre, decay, ..options() }),
        trained(Cd::new(1), &adam),
    ];
    assert_eq!(found, ["8058e6fc32f0df42", "573cdf0792a5f8c7", "dd31cd39e71d204a", "641ed29d53f0fad7"]);
}

#[test]
fn draws_and_estimates_are_frozen() {
    let rbm = machine();
    let samples = rbm.sample(10, 20, key(4), &mut |_| ());
    let rows = Batch::from_states(samples.clone()).unwrap();
    let back: f32 = rbm.reconstruct(&rows, key(4)).unwrap().iter().sum();
    let ais = Ais { runs: 10, betas: Betas::Count(50) };
    let log_z = forward(&rbm.path(rbm.base()).unwrap(), &ais, key(4), &mut |_, _| ()).unwrap().log_z;
    let found = (digest_bits(samples.expect_bits())[..16].to_owned(), back, log_z);
    assert_eq!(found, ("ae2a3304d79025e2".to_owned(), 176.405_17, 48.133_322_432_873_3));
}
