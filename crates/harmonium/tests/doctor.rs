//! Proves that each finding is made on a machine that has it, and none on a healthy one.

mod common;

use common::{key, model};
use harmonium::doctor::{
    Doctor, Finding, Gap, Pace, duplicates, exploding, idle, overfitting, pace, relative_change, stuck,
};
use harmonium::params::largest;
use harmonium::rbm::{Parts, Rbm};
use harmonium::train::{Action, Cd, Decay, Fit, Guard, Schedule, Step, fit};
use harmonium::units::Units;
use harmonium::{Batch, BitMatrix, EnergyModel, Gibbs, HasParams, Marginal};
use harmonium_oracle::rng::Rng;
use ndarray::{Array1, Array2};

const VISIBLE: usize = 40;
const HIDDEN: usize = 20;

/// Draws rows of four bars of ten pixels, each bar on or off as a whole under 10 % of noise.
fn bars(rows: usize, seed: u64) -> Batch {
    let mut rng = Rng::new(seed);
    let on: Vec<bool> = (0..rows * 4).map(|_| rng.bernoulli(0.5)).collect();
    let noise: Vec<bool> = (0..rows * VISIBLE).map(|_| rng.bernoulli(0.1)).collect();
    let bit = |row: usize, unit: usize| on[row * 4 + unit / 10] != noise[row * VISIBLE + unit];
    Batch::from_bits(BitMatrix::from_fn(rows, VISIBLE, bit)).expect("rows and columns")
}

/// Watches a training as a user would: the pace and the gap after each epoch.
struct Course {
    found: Vec<Finding>,
    gaps: Vec<f64>,
    before: Vec<f32>,
}

fn weights(rbm: &Rbm) -> Vec<f32> {
    rbm.blocks()[0].values.to_vec()
}

/// Trains on bars, and gives the machine with what the course of its training showed.
fn trained(options: &Fit, rows: usize) -> (Rbm, Vec<Finding>) {
    let (train, held_out) = (bars(rows, 1), bars(300, 2));
    let mut rbm = Rbm::for_data(&train, Units::Bernoulli(HIDDEN), key(3)).unwrap();
    let mut course = Course { found: Vec::new(), gaps: Vec::new(), before: weights(&rbm) };
    let mut look = |step: &Step<'_, Rbm>| {
        if step.ends_epoch {
            course.judge(step, &train, &held_out);
        }
        course.before = weights(step.model);
        std::ops::ControlFlow::Continue(())
    };
    fit(&mut rbm, &train, &mut Cd::new(1), options, key(4), &mut look).unwrap();
    (rbm, course.found)
}

impl Course {
    fn judge(&mut self, step: &Step<'_, Rbm>, train: &Batch, held_out: &Batch) {
        let f = |rows: &Batch| step.model.free_energy(rows).unwrap().to_vec();
        let gap = Gap::of(&f(train), &f(held_out));
        let now = Pace {
            change: relative_change(&self.before, &weights(step.model)),
            largest: largest(&weights(step.model)).into(),
            declined: 1.0,
            epoch: step.training.epoch(),
            batches: step.training.batches(),
            total: step.training.total(),
            retries: step.good.rate.1,
        };
        let mut found = pace(&now, &Doctor::default());
        found.extend(overfitting(&self.gaps, &gap, &Doctor::default()));
        self.gaps.push(gap.mean);
        let new: Vec<Finding> = found.iter().map(|r| r.finding).filter(|f| !self.found.contains(f)).collect();
        self.found.extend(new);
    }
}

/// Looks at a machine on rows, and at 100 sweeps of 50 chains that started from them.
fn look(rbm: &Rbm, rows: &Batch) -> Vec<Finding> {
    let (means, weights, options) = (rbm.transform(rows).unwrap(), rbm.weights(), Doctor::default());
    let mut found = idle(means.view(), &options);
    found.extend(duplicates(weights.view(), means.view(), &options));
    found.extend(exploding(weights.view(), &options));
    let mut state = rbm.clamp(&rows.gather(0..50));
    rbm.run(&mut state, 0..50, key(5));
    let mut energies = Array2::zeros((100, 50));
    for (sweep, mut row) in (50..).zip(energies.outer_iter_mut()) {
        rbm.sweep(&mut state, key(5).fold_in(sweep));
        row.assign(&rbm.free_energy(&Batch::from_states(rbm.pack(&state)).unwrap()).unwrap());
    }
    found.extend(stuck(energies.view(), &options));
    found.into_iter().map(|remark| remark.finding).collect()
}

fn options() -> Fit {
    Fit { epochs: 20, batch: 50, ..Fit::default() }
}

/// Changes the parameters of a machine.
fn planted(rbm: &Rbm, change: impl Fn(&mut Array2<f32>, &mut Array1<f32>)) -> Rbm {
    let mut weights = rbm.weights();
    let mut hidden_bias = Array1::from(rbm.hidden_bias().to_vec());
    change(&mut weights, &mut hidden_bias);
    let visible_bias = Array1::from(rbm.visible_bias().to_vec());
    Rbm::from_parts(Parts { weights, visible_bias, hidden_bias }).unwrap()
}

fn healthy() -> Rbm {
    trained(&options(), 1000).0
}

#[test]
fn healthy_machines_are_left_alone() {
    for seed in 0..5 {
        let fresh = model(VISIBLE, HIDDEN, 0.05, seed);
        assert_eq!(look(&fresh, &bars(300, seed)), [], "seed {seed}");
    }
    let (rbm, course) = trained(&options(), 1000);
    assert_eq!((look(&rbm, &bars(300, 6)), course), (vec![], vec![]));
}

#[test]
fn dead_units_are_found() {
    let sick = planted(&healthy(), |_, bias| bias[4] = -20.0);
    assert_eq!(look(&sick, &bars(300, 6)), [Finding::Dead]);
    // Off for all rows but one in 250: too rarely to tell rows apart.
    let rare = planted(&healthy(), |weights, bias| {
        weights.column_mut(4).fill(0.0);
        bias[4] = -5.5;
    });
    assert_eq!(look(&rare, &bars(300, 6)), [Finding::Dead]);
}

#[test]
fn saturated_units_are_found() {
    let sick = planted(&healthy(), |_, bias| bias[7] = 20.0);
    assert_eq!(look(&sick, &bars(300, 6)), [Finding::Saturated]);
}

#[test]
fn duplicates_are_found() {
    let sick = planted(&healthy(), |weights, bias| {
        let twin = weights.column(3).to_owned();
        weights.column_mut(12).assign(&twin);
        bias[12] = bias[3];
    });
    assert!(look(&sick, &bars(300, 6)).contains(&Finding::Duplicate));
    // Weights that start alike stay alike: nothing tells the units apart.
    let blank = planted(&healthy(), |weights, bias| {
        weights.fill(0.0);
        bias.fill(0.0);
    });
    assert_eq!(look(&blank, &bars(300, 6)), [Finding::Duplicate]);
}

#[test]
fn exploding_weights_are_found() {
    let sick = planted(&healthy(), |weights, _| weights[(5, 9)] = 40.0);
    assert!(look(&sick, &bars(300, 6)).contains(&Finding::ExplodingWeights));
}

/// Four bars of ten pixels, each held by a unit of its own: a pixel leaves its bar with probability σ(−6) = 0.0025, and five
/// would have to leave at once. A bar that is on is worth 5 nats, 10, 15 or 20, so chains keep the free energy of their row.
#[test]
fn chains_that_never_cross_are_stuck() {
    let weights = Array2::from_shape_fn((VISIBLE, 4), |(i, j)| if i / 10 == j { 12.0 } else { 0.0 });
    let visible_bias = Array1::from_elem(VISIBLE, -6.0);
    let hidden_bias = Array1::from_shape_fn(4, |j| -60.0 + 5.0 * (j + 1) as f32);
    let parts = Parts { weights, visible_bias, hidden_bias };
    let frozen = Rbm::from_parts(parts).unwrap();
    assert_eq!(look(&frozen, &bars(300, 6)), [Finding::StuckChains]);
}

#[test]
fn a_machine_that_learns_rows_by_heart_overfits() {
    let by_heart = Fit { epochs: 1500, batch: 10, ..options() };
    let (_, course) = trained(&by_heart, 20);
    assert!(course.contains(&Finding::Overfitting), "{course:?}");
}

#[test]
fn rates_are_judged() {
    let rate = |rate| Fit { learning_rate: Schedule::Constant(rate), ..options() };
    assert_eq!(trained(&rate(1e-6), 1000).1, [Finding::RateTooLow]);
    // One jump, and every draw is decided.
    assert_eq!(trained(&rate(30.0), 1000).1, [Finding::RateTooHigh]);
    // Single rows are all noise.
    assert_eq!(trained(&Fit { batch: 1, ..rate(0.5) }, 1000).1, [Finding::RateTooHigh]);
    // λ η = 5 multiplies the weights by −4 until the guard steps in.
    let guard = Guard { action: Action::retry(), ..Guard::default() };
    let decay = Decay { l1: 0.0, l2: 10.0 };
    assert_eq!(trained(&Fit { guard, decay, ..rate(0.5) }, 1000).1, [Finding::RateTooHigh]);
}
