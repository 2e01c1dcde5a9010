//! Freezes what seeds give: a change here is value-breaking, and belongs under that heading of the changelog.

mod common;

use common::key;
use common::own::{Bowl, Table};
use common::recipe::{data, machine};
use harmonium::evaluate::{Ais, Betas, forward};
use harmonium::persist::digest_bits;
use harmonium::rbm::Rbm;
use harmonium::sample::own::{Continuous, Discrete, Move, Update};
use harmonium::sample::{Chains, Ladder, ParallelTempering};
use harmonium::train::{Cd, Centre, Decay, Estimator, Fit, Method, Pcd, Schedule, Silent, fit};
use harmonium::{Batch, Gibbs, HasParams};

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

/// Energies are sums and products of small numbers, so that no platform's own functions have a part in them.
#[test]
fn samplers_are_frozen() {
    let energies = (0..24).map(|n| f64::from(n * 7 % 11) * 0.25).collect();
    let table = Table { states: vec![3, 2, 4], energies, vague: false };
    let discrete = |update| {
        let model = Discrete::new(table.clone(), update).unwrap();
        let mut state = model.init(20, key(5));
        model.run(&mut state, 0..10, key(6));
        state.rows().into_iter().map(|row| table.index(&row.to_vec())).sum::<usize>()
    };
    let updates = [Update::HeatBath, Update::Metropolis, Update::Informed { moves: 4 }].map(discrete);
    let real = |moves| {
        let bowl = Bowl { centre: vec![0.5, -1.0], sigma: 0.5 };
        let model = Continuous::new(bowl, moves, 1.0).unwrap();
        let mut state = model.init(20, key(7));
        model.run(&mut state, 0..10, key(8));
        state.sum()
    };
    let moves =
        [Move::Ula { step: 0.25 }, Move::Mala { step: 0.5 }, Move::Hmc { step: 0.25, leaps: 3 }].map(real);
    let chains = Chains { chains: 5, burn_in: 16, sweeps: 16, thin: 16 };
    let (rbm, ladder) = (machine(), Ladder::Even { rungs: 4, lowest: 0.2 });
    let replicas = ParallelTempering { chains, ladder, adapt: true }.run(&rbm, key(9), &mut []).unwrap();
    let digest = digest_bits(rbm.pack(replicas.state()).expect_bits())[..16].to_owned();
    let found = (updates, moves, digest, replicas.betas().to_vec());
    let expected = (
        [226, 180, 241],
        [-2.207_103_3, -9.413_063, -10.293_877],
        "7eeeae8c4e01a355".to_owned(),
        vec![1.0, 0.676_190_5, 0.409_876_56, 0.2],
    );
    assert_eq!(found, expected);
}
