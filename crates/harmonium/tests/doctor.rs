//! Proves that each finding is made on a machine that has it, and none on a healthy one.

mod common;

use common::{key, model};
use harmonium::data::scaled;
use harmonium::doctor::{
    Doctor, Finding, Gap, Pace, constant, duplicates, exploding, idle, overfitting, pace, relative_change,
    runs, silent, squashed, stuck, swaps, unscaled, variances,
};
use harmonium::evaluate::{Ais, Betas};
use harmonium::params::largest;
use harmonium::rbm::{Annealing, Parts, Rbm};
use harmonium::rows::moments;
use harmonium::train::{Action, Cd, Decay, Fit, Guard, Ladder, Schedule, Silent, Step, Tempering, fit};
use harmonium::units::{Gaussian, Layer, Units};
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

/// Draws rows of two groups of columns that rise and fall together, at the scale of each column.
fn readings(rows: usize, scale: impl Fn(usize) -> (f32, f32)) -> Batch {
    let mut rng = Rng::new(7);
    let groups: Vec<f64> = (0..rows * 2).map(|_| rng.normal()).collect();
    let noise: Vec<f64> = (0..rows * 8).map(|_| rng.normal()).collect();
    let value = |(row, column): (usize, usize)| {
        let (mean, deviation) = scale(column);
        let x = 0.8 * groups[row * 2 + column / 4] + 0.6 * noise[row * 8 + column];
        mean + deviation * x as f32
    };
    Batch::reals(Array2::from_shape_fn((rows, 8), value)).unwrap()
}

/// Trains a machine with real visible units and hidden units of a kind.
fn real(hidden: Units) -> (Rbm, Batch) {
    let rows = readings(500, |_| (0.0, 1.0));
    let mut rbm = Rbm::fitted(Units::Diagonal(8), &rows, hidden, key(3)).unwrap();
    let options = Fit { epochs: 20, batch: 20, learning_rate: Schedule::Constant(0.02), ..Fit::default() };
    fit(&mut rbm, &rows, &mut Cd::new(1), &options, key(4), &mut Silent).unwrap();
    (rbm, rows)
}

#[test]
fn silent_units_of_other_kinds_are_found() {
    for hidden in [Units::Spin(6), Units::Binomial { units: 6, trials: 4 }] {
        let (rbm, rows) = real(hidden);
        let look = |rbm: &Rbm| silent(rbm.transform(&rows).unwrap().view(), &[1.0; 6], &Doctor::default());
        assert_eq!(look(&rbm), []);
        let mut weights = rbm.weights();
        weights.column_mut(2).fill(0.0);
        let sick = Rbm::from_layers(weights, rbm.visible().clone(), rbm.hidden().clone()).unwrap();
        let found = look(&sick);
        assert_eq!((found[0].finding, &found[0].units[..]), (Finding::Dead, &[2][..]));
    }
}

#[test]
fn twins_of_other_kinds_are_found() {
    let (rbm, rows) = real(Units::Binomial { units: 6, trials: 4 });
    let mut weights = rbm.weights();
    let (third, shape) = (weights.column(3).to_owned(), rbm.hidden().clone());
    weights.column_mut(5).assign(&third);
    let mut hidden = shape;
    let bias = rbm.hidden_bias()[3];
    harmonium::units::Unit::parts_mut(&mut hidden).0[5] = bias;
    let sick = Rbm::from_layers(weights, rbm.visible().clone(), hidden).unwrap();
    let means = squashed(sick.transform(&rows).unwrap().view());
    let found = duplicates(sick.weights().view(), means.view(), &Doctor::default());
    assert_eq!((found[0].finding, &found[0].units[..]), (Finding::Duplicate, &[5][..]));
}

#[test]
fn columns_without_scale_and_constant_ones_are_found() {
    let look = |rows: &Batch| {
        let (means, deviations) = moments(rows).unwrap();
        let mut found = unscaled(&means, &deviations, &Doctor::default());
        found.extend(constant(&deviations, &Doctor::default()));
        found.into_iter().map(|remark| (remark.finding, remark.units)).collect::<Vec<_>>()
    };
    assert_eq!(look(&readings(300, |_| (1.0, 2.0))), []);
    let grams = readings(300, |column| if column == 2 { (70_000.0, 9000.0) } else { (0.0, 1.0) });
    assert_eq!(look(&grams), [(Finding::Unscaled, vec![2])]);
    let dull = readings(300, |column| if column < 2 { (3.0, 0.0) } else { (0.0, 1.0) });
    assert_eq!(look(&dull), [(Finding::ConstantColumns, vec![0, 1])]);
    // What the command line trains on is scaled.
    let (units, found) = (Units::Diagonal(8), moments(&grams).unwrap());
    let (means, deviations) = scaled(&units, &grams).unwrap().unwrap().of_moments(found);
    assert_eq!(unscaled(&means, &deviations, &Doctor::default()), []);
}

#[test]
fn variances_that_left_their_columns_are_found() {
    let (rbm, rows) = real(Units::Bernoulli(6));
    let data = rbm.scaling().unwrap().of_moments(moments(&rows).unwrap()).1;
    let look = |layer: &Layer| {
        let Layer::Gaussian(layer) = layer else { panic!("real visible units") };
        let own: Vec<f64> = layer.log_variance().iter().map(|&z| f64::from(z).exp()).collect();
        variances(&own, &data, &Doctor::default()).into_iter().map(|remark| remark.units).collect::<Vec<_>>()
    };
    assert_eq!(look(rbm.visible()), Vec::<Vec<usize>>::new());
    // Four times the variance of its column, and e^−8 of it.
    let log_variance = (0..8).map(|i| [0.0, 1.4, -8.0][i % 3]).collect();
    let sick = Layer::Gaussian(Gaussian::new(vec![0.0; 8], log_variance, true));
    assert_eq!(look(&sick), [vec![1, 2, 4, 5, 7]]);
}

/// Two temperatures of a frozen machine: at β = 0 a bar of ten pixels costs 60 nats, so no swap is ever accepted.
#[test]
fn temperatures_that_are_too_far_apart_are_found() {
    let rates = |rbm: &Rbm, ladder: Ladder| {
        let mut tempering = Tempering::new(1, 50, ladder);
        let options = Fit { epochs: 1, batch: 50, learning_rate: Schedule::Constant(1e-6), ..Fit::default() };
        fit(&mut rbm.clone(), &bars(1000, 1), &mut tempering, &options, key(8), &mut Silent).unwrap();
        swaps(&tempering.swap_rates(), &Doctor::default())
    };
    let fresh = model(VISIBLE, HIDDEN, 0.05, 1);
    assert_eq!(rates(&fresh, Ladder::default()), []);
    let weights = Array2::from_shape_fn((VISIBLE, 4), |(i, j)| if i / 10 == j { 12.0 } else { 0.0 });
    let (visible_bias, hidden_bias) = (Array1::from_elem(VISIBLE, -6.0), Array1::from_elem(4, -60.0));
    let frozen = Rbm::from_parts(Parts { weights, visible_bias, hidden_bias }).unwrap();
    let found = rates(&frozen, Ladder::Even { rungs: 2, lowest: 0.0 });
    assert_eq!((found[0].finding, &found[0].units[..]), (Finding::RareSwaps, &[0][..]));
}

/// In two steps from independent units to a trained machine, one run in hundreds weighs as much as all others.
#[test]
fn an_annealing_that_few_runs_decide_is_found() {
    let (rbm, rows) = (healthy(), bars(100, 6));
    let look = |betas: usize| {
        let options =
            Annealing { ais: Ais { runs: 100, betas: Betas::Count(betas) }, ..Annealing::default() };
        let found = rbm.annealed_likelihood(&rows, &options, key(9), &mut |_, _, _| ()).unwrap();
        let effective = found.ess.unwrap();
        runs(effective, 100, &Doctor::default()).into_iter().map(|remark| remark.finding).collect::<Vec<_>>()
    };
    assert_eq!(look(2000), []);
    assert_eq!(look(2), [Finding::FewRuns]);
}
