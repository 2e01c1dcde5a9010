//! Proves what classifiers compute against enumeration in f64: p(y | x), all gradients, and the sampler's invariance.

mod common;

use common::{balanced, close, exact, key, model};
use harmonium::address::Address;
use harmonium::rbm::{Classifier, Discriminative, Hybrid, labelled};
use harmonium::stats::Phases;
use harmonium::train::{Estimate, Estimator};
use harmonium::{Batch, BitMatrix, EnergyModel, Error, Gibbs, HasParams, Marginal};
use harmonium_oracle::rbm::Rbm as Exact;
use harmonium_oracle::rng::Rng;

/// Units of x, classes and hidden units.
const SIZES: [(usize, usize, usize); 4] = [(1, 2, 1), (3, 3, 2), (5, 4, 3), (6, 2, 4)];
const SCALES: [f64; 3] = [0.1, 1.0, 3.0];

/// Is p(x, y, h) of a classifier by enumeration: y is one of `classes` bits behind those of x, and nothing else.
#[derive(Clone)]
struct Law {
    machine: Exact,
    units: usize,
    classes: usize,
}

impl Law {
    fn of(model: &Classifier) -> Self {
        Self { machine: exact(model.rbm()), units: model.units(), classes: model.classes() }
    }

    fn row(&self, x: u64, y: usize) -> u64 {
        x | 1 << (self.units + y)
    }

    /// Computes ln Σ_h e^−E(x, y, h), state by state.
    fn log_joint(&self, x: u64, y: usize) -> f64 {
        log_sum((0..1 << self.machine.hidden).map(|h| -self.machine.energy(self.row(x, y), h)))
    }

    fn log_marginal(&self, x: u64) -> f64 {
        log_sum((0..self.classes).map(|y| self.log_joint(x, y)))
    }

    fn log_z(&self) -> f64 {
        log_sum((0..1 << self.units).map(|x| self.log_marginal(x)))
    }

    /// Lists p(x, y), y after y for each x.
    fn probabilities(&self) -> Vec<f64> {
        let log_z = self.log_z();
        let of_x = |x: u64| (0..self.classes).map(move |y| (self.log_joint(x, y) - log_z).exp());
        (0..1 << self.units).flat_map(of_x).collect()
    }

    /// Differentiates a function of the law by central differences of step 1e-5.
    fn gradient(&self, of: impl Fn(&Self) -> f64) -> Vec<f64> {
        let at = |n: usize, shift: f64| {
            let mut moved = self.clone();
            *moved.machine.parameter_mut(n) += shift;
            of(&moved)
        };
        (0..self.machine.parameters()).map(|n| (at(n, 1e-5) - at(n, -1e-5)) / 2e-5).collect()
    }

    /// Bounds the error of a score. Each of H activations, at most A, is rounded three times by 2^-24 A, and its softplus
    /// by 2^-22 of at most A + 1: less than 2^-21 (A + 1); there are two scores in a difference.
    fn slack(&self) -> f64 {
        let of_unit = |j: usize| {
            let weights: f64 = (0..self.machine.visible).map(|i| self.machine.weight(i, j).abs()).sum();
            weights + self.machine.hidden_bias[j].abs() + 1.0
        };
        (0..self.machine.hidden).map(of_unit).sum::<f64>() * 2.0 / 2_097_152.0
    }
}

fn log_sum(terms: impl Iterator<Item = f64>) -> f64 {
    let terms: Vec<f64> = terms.collect();
    let most = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    most + terms.iter().map(|term| (term - most).exp()).sum::<f64>().ln()
}

fn classifiers() -> Vec<Classifier> {
    let sizes = SIZES.iter().enumerate();
    let both = sizes.flat_map(|(n, &size)| SCALES.iter().map(move |&scale| (n as u64, size, scale)));
    let one = |(seed, (units, classes, hidden), scale)| {
        Classifier::from_rbm(model(units + classes, hidden, scale, 900 + seed), classes).unwrap()
    };
    both.map(one).collect()
}

/// Makes rows of x with labels, some unknown.
fn rows(units: usize, classes: usize, rows: &[(u64, Option<usize>)]) -> Batch {
    let x = BitMatrix::from_fn(rows.len(), units, |r, u| rows[r].0 >> u & 1 == 1);
    let labels: Vec<Option<usize>> = rows.iter().map(|row| row.1).collect();
    labelled(&Batch::from_bits(x).unwrap(), &labels, classes).unwrap()
}

/// Lists rows of every class, of none, and one twice.
fn mixture(law: &Law) -> Vec<(u64, Option<usize>)> {
    let mut rng = Rng::new(5);
    let x = |rng: &mut Rng| rng.below(1 << law.units) as u64;
    let mut out: Vec<_> = (0..law.classes).map(|y| (x(&mut rng), Some(y))).collect();
    out.extend([(x(&mut rng), None), (x(&mut rng), None), out[0]]);
    out
}

fn flat(estimate: Estimate) -> Vec<f64> {
    let Estimate::Gradient(gradient) = estimate else { panic!("a finished gradient") };
    gradient.tensors().iter().flat_map(|t| t.values.iter().map(|&x| f64::from(x))).collect()
}

fn estimate(
    estimator: &mut impl Estimator<Classifier>,
    model: &Classifier,
    data: &Batch,
    seed: u64,
) -> Vec<f64> {
    let mut phases = Phases::new(model.stats());
    let estimate = estimator.estimate(model, data, 1, Address::new(key(seed), 3), &mut phases).unwrap();
    assert_eq!((phases.positive.rows(), phases.negative.rows()), (data.rows() as u64, 0));
    flat(estimate)
}

#[test]
fn predictions_are_exact() {
    for model in classifiers() {
        let law = Law::of(&model);
        let all: Vec<(u64, Option<usize>)> = (0..1 << law.units).map(|x| (x, None)).collect();
        let data = rows(law.units, law.classes, &all);
        let (got, free) = (model.predict_log_proba(&data).unwrap(), model.free_energy(&data).unwrap());
        let proba = model.predict_proba(&data).unwrap();
        let predicted = model.predict(&data).unwrap();
        for (row, &(x, _)) in all.iter().enumerate() {
            let marginal = law.log_marginal(x);
            let logs: Vec<f64> = (0..law.classes).map(|y| law.log_joint(x, y) - marginal).collect();
            for (y, log) in logs.iter().enumerate() {
                close(got[(row, y)], *log, law.slack(), (x, y));
                close(proba[(row, y)], log.exp(), law.slack(), (x, y));
            }
            let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            assert!(logs[predicted[row]] >= most - law.slack());
            close(free[row], -marginal, law.slack(), x);
        }
    }
}

#[test]
fn scores_of_labelled_rows_ask_for_labels_alone() {
    let model = &classifiers()[4];
    let law = Law::of(model);
    let known: Vec<(u64, Option<usize>)> =
        (0..8).flat_map(|x| (0..law.classes).map(move |y| (x, Some(y)))).chain([(3, None)]).collect();
    let data = rows(law.units, law.classes, &known);
    let predicted = model.predict(&data).unwrap();
    let wrong = known.iter().zip(&predicted).filter(|(row, got)| row.1.is_some_and(|y| y != **got)).count();
    close(model.error_rate(&data).unwrap(), wrong as f64 / 24.0, 1e-12, "error rate");
    let logs = known.iter().filter_map(|&(x, y)| Some(law.log_joint(x, y?) - law.log_marginal(x)));
    let mean = logs.sum::<f64>() / 24.0;
    close(model.label_log_likelihood(&data).unwrap(), mean, law.slack(), "ln p(y | x)");
    let free = model.free_energy(&data).unwrap();
    close(free[4], -law.log_joint(1, 1), law.slack(), "F(x, y)");
}

/// The means are 16-bit codes, each off by 2^-17 and multiplied with residuals whose sizes add up to 2 at most; a residual is
/// off by the slack of the scores; differences of functions below 100 nats round by 2e-9 and cut off 1e-9.
fn assert_gradients(law: &Law, got: &[f64], expected: &[f64], weight: f64, place: &str) {
    let bound = weight * (1.0 / 65_536.0 + 2.0 * law.slack()) + 1e-7;
    assert_eq!(got.len(), expected.len());
    for (n, (&got, &expected)) in got.iter().zip(expected).enumerate() {
        close(got, expected, bound, (place, law.units, law.classes, n));
    }
}

#[test]
fn discriminative_gradients_are_differences_of_the_conditional_likelihood() {
    for model in classifiers() {
        let law = Law::of(&model);
        let list = mixture(&law);
        let data = rows(law.units, law.classes, &list);
        let got = estimate(&mut Discriminative::new(), &model, &data, 1);
        let expected = law.gradient(|law| {
            let terms = list.iter().filter_map(|&(x, y)| Some(law.log_marginal(x) - law.log_joint(x, y?)));
            terms.sum::<f64>() / list.len() as f64
        });
        assert_gradients(&law, &got, &expected, 1.0, "discriminative");
    }
}

/// Is the exact gradient of −ln p(x, y) by differences: what chains estimate.
struct Enumerated;

impl Estimator<Classifier> for Enumerated {
    fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    fn estimate(
        &mut self,
        model: &Classifier,
        data: &Batch,
        _sweeps: u32,
        _at: Address,
        _phases: &mut Phases,
    ) -> Result<Estimate, Error> {
        let law = Law::of(model);
        let mask = (1 << law.units) - 1;
        let pairs: Vec<(u64, usize)> = common::masks(data.states())
            .into_iter()
            .map(|row| (row & mask, (row >> law.units).trailing_zeros() as usize))
            .collect();
        let gradient = law.gradient(|law| {
            law.log_z() - pairs.iter().map(|&(x, y)| law.log_joint(x, y)).sum::<f64>() / pairs.len() as f64
        });
        let (mut out, mut values) = (model.params(), gradient.into_iter());
        for tensor in out.tensors_mut() {
            tensor.values.iter_mut().zip(&mut values).for_each(|(to, value)| *to = value as f32);
        }
        Ok(Estimate::Gradient(out))
    }
}

/// With exact gradients in the place of chains, what is added up is exact: for a row without a label the class that was
/// drawn for it must leave no trace.
#[test]
fn hybrid_gradients_are_differences_of_their_objective() {
    for model in classifiers() {
        let law = Law::of(&model);
        let list = mixture(&law);
        let data = rows(law.units, law.classes, &list);
        for (gamma, alpha, beta) in [(1.0, 0.3, 0.0), (0.0, 1.0, 0.5), (1.0, 0.0, 2.0), (0.7, 0.2, 0.9)] {
            let mut hybrid = Hybrid { discriminative: gamma, ..Hybrid::new(alpha, Enumerated) };
            hybrid.unlabelled = beta;
            let [gamma, alpha, beta] = [gamma, alpha, beta].map(f64::from);
            let expected = law.gradient(|law| {
                let (log_z, of_row) = (law.log_z(), |x: u64, y: Option<usize>| match y {
                    Some(y) => {
                        let (joint, marginal) = (law.log_joint(x, y), law.log_marginal(x));
                        [gamma * (marginal - joint) - alpha * joint, alpha]
                    }
                    None => [-beta * law.log_marginal(x), beta],
                });
                let terms = list.iter().map(|&(x, y)| of_row(x, y)).map(|[row, z]| row + z * log_z);
                terms.sum::<f64>() / list.len() as f64
            });
            for seed in [1, 2] {
                let got = estimate(&mut hybrid, &model, &data, seed);
                assert_gradients(&law, &got, &expected, gamma + alpha + beta, "hybrid");
            }
        }
    }
}

const SAMPLES: usize = 200_000;

fn sampler() -> Classifier {
    Classifier::from_rbm(balanced(6, 3, 1.0, 41), 3).unwrap()
}

/// Draws exact samples of p(x, y).
fn samples(law: &Law, seed: u64) -> BitMatrix {
    let (p, mut rng) = (law.probabilities(), Rng::new(seed));
    let words = (0..SAMPLES).map(|_| {
        let u = rng.uniform();
        let mut sum = 0.0;
        let state = p.iter().position(|p| {
            sum += p;
            sum > u
        });
        let state = state.unwrap_or(p.len() - 1);
        law.row((state / law.classes) as u64, state % law.classes)
    });
    common::bits(law.units + law.classes, &words.collect::<Vec<_>>())
}

/// Computes χ² of chains after a sweep against p(x, y); a row without exactly one class has nowhere to be counted.
fn chi_square(model: &Classifier, law: &Law, start: BitMatrix) -> f64 {
    let mut state = model.unpack(start.into()).unwrap();
    model.sweep(&mut state, key(8));
    let mut counts = vec![0.0; law.classes << law.units];
    for row in common::masks(state.visible()) {
        let (x, y) = (row & ((1 << law.units) - 1), row >> law.units);
        assert_eq!(y.count_ones(), 1, "one class");
        counts[x as usize * law.classes + y.trailing_zeros() as usize] += 1.0;
    }
    let expected = law.probabilities().into_iter().map(|p| p * SAMPLES as f64);
    counts.iter().zip(expected).map(|(n, e)| (n - e) * (n - e) / e).sum()
}

/// P(χ² ≥ df + 2 √(df t) + 2t) ≤ e^−t (Laurent & Massart 2000); t = 14 is one false alarm in a million. The samples of a law with
/// other biases of y are the control: one sweep does not bring them home.
#[test]
fn sweeps_leave_the_joint_law_alone() {
    let model = sampler();
    let law = Law::of(&model);
    assert!(law.probabilities().iter().all(|p| p * SAMPLES as f64 > 20.0), "cells that a χ² can judge");
    let df = ((law.classes << law.units) - 1) as f64;
    let limit = df + 2.0 * (df * 14.0).sqrt() + 28.0;
    let chi = chi_square(&model, &law, samples(&law, 1));
    assert!(chi < limit, "{chi} ≥ {limit}");
    let mut other = law.clone();
    other.machine.visible_bias[law.units] += 1.0;
    let chi = chi_square(&model, &law, samples(&other, 1));
    assert!(chi > limit, "{chi} ≤ {limit}: the test sees nothing");
}

/// With chains that follow the law, the contrast has the expectation of the exact gradient. An entry is a mean of values within
/// [0, 1], so its deviation is at most ½ / √N; five of them, of two million entries none in three; the codes add 2^-16.
#[test]
fn generative_gradients_have_their_expectation() {
    let model = sampler();
    let law = Law::of(&model);
    let data = rows(law.units, law.classes, &[(1, Some(0)), (6, Some(2)), (3, Some(1)), (3, Some(0))]);
    let mut phases = Phases::new(model.stats());
    model.accumulate(&model.clamp(&data), &mut phases.positive);
    let mut state = model.unpack(samples(&law, 3).into()).unwrap();
    model.sweep(&mut state, key(9));
    model.accumulate(&state, &mut phases.negative);
    let got = flat(Estimate::Gradient(Estimate::Phases.gradient(&model, &phases)));
    let expected = flat(Enumerated.estimate(&model, &data, 0, Address::new(key(1), 0), &mut phases).unwrap());
    let bound = 2.5 / (SAMPLES as f64).sqrt() + 1.0 / 65_536.0;
    common::all_close(&got, &expected, bound, "generative");
}

/// Fresh chains follow the biases alone: y has p ∝ e^d. Five deviations of a share.
#[test]
fn fresh_chains_have_one_class_each() {
    let model = sampler();
    let d = &model.rbm().visible_bias()[model.units()..];
    let total: f64 = d.iter().map(|&d| f64::from(d).exp()).sum();
    let rows = common::masks(model.init(100_000, key(4)).visible());
    for (y, &d) in d.iter().enumerate() {
        let share = rows.iter().filter(|&&row| row >> model.units() == 1 << y).count() as f64 / 1e5;
        close(share, f64::from(d).exp() / total, 2.5 / 1e5_f64.sqrt(), y);
    }
}
