//! Proves that conditional machines have the law, the gradient and the training that their formulas say.

mod common;

use common::conditions::{model, spread};
use common::{coins, key};
use harmonium::data::Weighted;
use harmonium::rbm::{Conditional, History, Pairs, Prediction, Rbm, Rolling};
use harmonium::train::{Cd, Constraints, Estimator, Fit, Method, Schedule, Silent, fit};
use harmonium::units::{States, Units};
use harmonium::{
    Batch, EnergyModel, Gibbs, HasParams, Key, Marginal, Params, Rows, Thermal, address, purpose, stats,
};
use ndarray::{Array1, Array2, Axis, array};

// ---- An oracle, written from the formulas in f64 ----

/// Is a machine with two hidden bits; what v is, is told by the list of its states, or it is Gaussian.
struct Oracle {
    w: Array2<f64>,
    b: Array1<f64>,
    c: Array1<f64>,
    a: Array2<f64>,
    bb: Array2<f64>,
    /// The states of v; none where it is Gaussian with variance 1.
    states: Option<Vec<Array1<f64>>>,
}

impl Oracle {
    fn of(model: &Conditional, states: Option<Vec<Array1<f64>>>) -> Self {
        let wide = |values: &[f32]| values.iter().map(|&x| f64::from(x)).collect::<Array1<f64>>();
        Self {
            w: model.rbm().weights().mapv(f64::from),
            b: wide(model.rbm().visible_bias()),
            c: wide(model.rbm().hidden_bias()),
            a: model.to_visible().mapv(f64::from),
            bb: model.to_hidden().mapv(f64::from),
            states,
        }
    }

    fn hidden_states(&self) -> Vec<Array1<f64>> {
        (0..1 << self.c.len()).map(|n| (0..self.c.len()).map(|j| f64::from(n >> j & 1)).collect()).collect()
    }

    /// ln Σ_h e^−E(v, h | u).
    fn log_weight(&self, u: &Array1<f64>, v: &Array1<f64>) -> f64 {
        let own = if self.states.is_none() { -v.dot(v) / 2.0 } else { 0.0 };
        let terms = self.hidden_states().into_iter().map(|h| {
            own + v.dot(&self.b)
                + h.dot(&self.c)
                + v.dot(&self.w.dot(&h))
                + u.dot(&self.a.dot(v))
                + u.dot(&self.bb.dot(&h))
        });
        terms.map(f64::exp).sum::<f64>().ln()
    }

    /// ln Z(u): a sum over v, or over h of Gaussian integrals.
    fn log_z(&self, u: &Array1<f64>) -> f64 {
        if let Some(states) = &self.states {
            return states.iter().map(|v| self.log_weight(u, v).exp()).sum::<f64>().ln();
        }
        let terms = self.hidden_states().into_iter().map(|h| {
            let mean = &self.b + &self.w.dot(&h) + u.dot(&self.a);
            let volume = (2.0 * std::f64::consts::PI).ln() / 2.0 * self.b.len() as f64;
            (h.dot(&self.c) + u.dot(&self.bb.dot(&h)) + mean.dot(&mean) / 2.0 + volume).exp()
        });
        terms.sum::<f64>().ln()
    }

    fn log_likelihood(&self, rows: &[(Array1<f64>, Array1<f64>)]) -> f64 {
        rows.iter().map(|(u, v)| self.log_weight(u, v) - self.log_z(u)).sum::<f64>() / rows.len() as f64
    }

    /// The gradient of the mean of −ln p(v | u), by central differences: W, b, c, A, B.
    fn gradient(&mut self, rows: &[(Array1<f64>, Array1<f64>)]) -> Vec<Vec<f64>> {
        let sizes = [self.w.len(), self.b.len(), self.c.len(), self.a.len(), self.bb.len()];
        let of = |oracle: &mut Self, block: usize, at: usize| {
            let mut moved = |by: f64| {
                let entry = match block {
                    0 => oracle.w.iter_mut().nth(at),
                    1 => oracle.b.iter_mut().nth(at),
                    2 => oracle.c.iter_mut().nth(at),
                    3 => oracle.a.iter_mut().nth(at),
                    _ => oracle.bb.iter_mut().nth(at),
                };
                *entry.unwrap() += by;
                oracle.log_likelihood(rows)
            };
            let (up, down) = (moved(1e-5), moved(-2e-5));
            moved(1e-5);
            (down - up) / 2e-5
        };
        (0..5).map(|block| (0..sizes[block]).map(|at| of(self, block, at)).collect()).collect()
    }
}

// ---- Small machines of each kind ----

struct Case {
    model: Conditional,
    states: Option<Vec<Array1<f64>>>,
    condition: Batch,
    visible: Batch,
}

fn list(units: usize, low: f64) -> Vec<Array1<f64>> {
    let bit = |n: usize, i: usize| if n >> i & 1 == 1 { 1.0 } else { low };
    (0..1 << units).map(|n| (0..units).map(|i| bit(n, i)).collect()).collect()
}

fn cases() -> Vec<Case> {
    let bits = |rows: usize, seed| Batch::from_bits(coins(rows, 3, seed)).unwrap();
    let reals = |rows, seed| Batch::reals(spread(rows, 3, seed) * 1.5).unwrap();
    let classes = Batch::classes(array![[0_u16], [2], [1], [1]].view(), 3).unwrap();
    let one_hot = vec![array![1.0, 0.0, 0.0], array![0.0, 1.0, 0.0], array![0.0, 0.0, 1.0]];
    let categorical = Units::Categorical { units: 1, classes: 3 };
    let of = |condition: (Units, Batch), visible: (Units, Batch), states| Case {
        model: model(Pairs::new(condition.0, visible.0).unwrap()),
        states,
        condition: condition.1,
        visible: visible.1,
    };
    vec![
        of((Units::Bernoulli(3), bits(4, 1)), (Units::Bernoulli(3), bits(4, 2)), Some(list(3, 0.0))),
        of((Units::Gaussian(3), reals(4, 3)), (Units::Bernoulli(3), bits(4, 4)), Some(list(3, 0.0))),
        of((Units::Spin(3), bits(4, 5)), (Units::Spin(3), bits(4, 6)), Some(list(3, -1.0))),
        of((Units::Gaussian(3), reals(4, 7)), (Units::Spin(3), bits(4, 8)), Some(list(3, -1.0))),
        of((Units::Spin(3), bits(4, 9)), (categorical.clone(), classes.clone()), Some(one_hot)),
        of((categorical, classes), (Units::Gaussian(3), reals(4, 10)), None),
        of((Units::Gaussian(3), reals(4, 11)), (Units::Gaussian(3), reals(4, 12)), None),
    ]
}

impl Case {
    fn name(&self) -> String {
        self.model.pairs().units().to_string()
    }

    fn data(&self) -> Batch {
        self.model.pairs().join(&self.condition, &self.visible).unwrap()
    }

    /// Gives conditions and visible rows as features.
    fn rows(&self) -> Vec<(Array1<f64>, Array1<f64>)> {
        let of = |units: &Units, batch: &Batch| {
            let values = batch.to_array().mapv(f64::from);
            if matches!(units, Units::Spin(_)) { values.mapv(|t| 2.0 * t - 1.0) } else { values }
        };
        let u = of(self.model.pairs().condition(), &self.condition);
        let v = of(self.model.pairs().visible(), &self.visible);
        u.rows().into_iter().zip(v.rows()).map(|(u, v)| (u.to_owned(), v.to_owned())).collect()
    }
}

// ---- The law and its gradient ----

#[test]
fn likelihoods_are_exact() {
    for case in cases() {
        let oracle = Oracle::of(&case.model, case.states.clone());
        let expected = oracle.log_likelihood(&case.rows());
        let got = case.model.exact_likelihood(&case.data()).unwrap();
        assert!((got - expected).abs() < 1e-5, "{}: {got} for {expected}", case.name());
        let free = case.model.free_energy(&case.data()).unwrap();
        for (r, (u, v)) in case.rows().iter().enumerate() {
            assert!((free[r] + oracle.log_weight(u, v)).abs() < 1e-5, "{}", case.name());
            let given = case.model.given(&case.condition.gather([r])).unwrap();
            assert!((given.log_z().unwrap() - oracle.log_z(u)).abs() < 1e-5, "{}", case.name());
        }
    }
}

/// U(v) + U(h) − v·W·h − u·A·v − u·B·h of drawn states, and β times that of a tempered view.
#[test]
fn energies_are_those_of_the_formula() {
    for case in cases() {
        let oracle = Oracle::of(&case.model, case.states.clone());
        let state = case.model.infer(&case.data(), key(1));
        let (energies, hidden) = (case.model.energy(&state), state.hidden().to_array().mapv(f64::from));
        let half = case.model.tempered(0.5).energy(&state);
        for (r, (u, v)) in case.rows().iter().enumerate() {
            let h = hidden.row(r).to_owned();
            let own = if case.states.is_none() { v.dot(v) / 2.0 } else { 0.0 };
            let biases = v.dot(&oracle.b) + h.dot(&oracle.c) + v.dot(&oracle.w.dot(&h));
            let expected = own - biases - u.dot(&oracle.a.dot(v)) - u.dot(&oracle.bb.dot(&h));
            assert!((energies[r] - expected).abs() < 1e-5, "{}", case.name());
            assert!((half[r] - 0.5 * expected).abs() < 1e-5, "{}", case.name());
        }
    }
}

/// Long chains from 80,000 rows give the exact gradient. An entry is a mean over the rows of x y with |x| at most 1.5 and a
/// deviation of y below 2.5 (of bits ½, of Gaussian v about 1 beside a spread of its mean): σ < 1.5 · 2.5 / √80,000 = 0.014
/// for Gaussian units and 0.003 for bits; the bound is 4.5σ of 24 entries, six cases.
#[test]
fn contrastive_divergence_of_many_sweeps_has_the_exact_gradient() {
    for case in cases() {
        let expected = Oracle::of(&case.model, case.states.clone()).gradient(&case.rows());
        let bound = 4.5 * if case.states.is_some() { 0.003 } else { 0.014 };
        let many = case.data().gather((0..80_000).map(|row| row % 4));
        let gradient = estimate(&case.model, &many, 30);
        for (block, expected) in gradient.tensors().iter().zip(&expected) {
            for (&got, expected) in block.values.iter().zip(expected) {
                let off = (f64::from(got) - expected).abs();
                assert!(off < bound, "{} {}: {got} for {expected}", case.name(), block.name);
            }
        }
    }
}

fn estimate<M: EnergyModel>(model: &M, data: &Batch, k: u32) -> Params {
    let mut phases = stats::Phases::new(model.stats());
    let at = address::Address::new(key(8), 0);
    let estimate = Cd::new(k).estimate(model, data, k, at, &mut phases).unwrap();
    estimate.gradient(model, &phases)
}

/// With one condition for all rows it is the machine of that condition, for units of every kind: the same draws give the same
/// gradient, and those of A and B are u times those of b and c. Biases are added in another order, so that a draw in some
/// thousands may fall on the other side: 2,000 rows of values within ±10 differ by 2 · 10 / 2,000 for each.
#[test]
fn one_condition_gives_the_machine_of_it() {
    let bits = || Units::Bernoulli(4);
    let mixed = Units::Mixed(vec![
        Units::Bernoulli(1),
        Units::Diagonal(2),
        Units::Categorical { units: 1, classes: 3 },
    ]);
    let visible =
        [Units::Spin(4), Units::Diagonal(4), Units::Relu(4), Units::Drelu(4), Units::Poisson(4), mixed];
    let visible = visible.into_iter().map(|visible| (visible, bits()));
    let hidden =
        [Units::Spin(4), Units::Gaussian(4), Units::Relu(4), Units::Categorical { units: 2, classes: 2 }];
    for (visible, hidden) in visible.chain(hidden.into_iter().map(|hidden| (bits(), hidden))) {
        let mut rbm = Rbm::new(visible.clone(), hidden.clone(), key(3)).unwrap();
        for (block, seed) in rbm.blocks_mut().into_iter().zip(20..) {
            block.values.copy_from_slice((spread(1, block.values.len(), seed) * 0.3).as_slice().unwrap());
        }
        rbm.refresh();
        let pairs = Pairs::new(Units::Gaussian(3), visible.clone()).unwrap();
        let (nv, nh) = (visible.features(), hidden.features());
        let model =
            Conditional::from_parts(rbm, pairs, spread(3, nv, 31) * 0.3, spread(3, nh, 32) * 0.5).unwrap();
        let one = Batch::reals(spread(1, 3, 33)).unwrap();
        let many = one.gather([0; 2000]);
        let drawn = model.sample(&many, 3, key(6)).unwrap();
        let rows = harmonium::Batch::from_states(drawn.clone()).unwrap();
        let given = model.given(&one).unwrap();
        let both = States::reals(
            ndarray::concatenate![
                Axis(1),
                many.to_array(),
                model.given(&one).unwrap().visible().features_of(&drawn)
            ]
            .iter()
            .copied()
            .collect(),
            3 + nv,
        );
        let data = Batch::from_states(both).unwrap();
        let got = estimate(&model, &data, 2);
        let expected = estimate(&given, &rows, 2);
        let (u, count) = (one.to_array(), expected.tensors().len());
        let close = |got: &[f32], expected: &[f32]| {
            got.len() == expected.len() && got.iter().zip(expected).all(|(a, b)| (a - b).abs() < 0.03)
        };
        for (got, expected) in got.tensors().iter().zip(expected.tensors()) {
            assert!(close(&got.values, &expected.values), "{visible} and {hidden}: {}", got.name);
        }
        for (side, name) in ["condition_visible", "condition_hidden"].into_iter().enumerate() {
            let bias = &expected.tensors()[1 + side].values;
            let outer: Vec<f32> = u.iter().flat_map(|u| bias.iter().map(move |b| u * b)).collect();
            assert_eq!(got.tensors()[count + side].name, name);
            assert!(close(&got.tensors()[count + side].values, &outer), "{visible} and {hidden}: {name}");
        }
    }
}

/// Samples, and means over chains, are those of the machine of each condition.
#[test]
fn samples_and_means_follow_the_condition() {
    for case in cases() {
        let oracle = Oracle::of(&case.model, case.states.clone());
        let Some(states) = &case.states else { continue };
        let chains = Prediction::Gibbs { warming: 50, sweeps: 20_000 };
        let predicted = case.model.predict(&case.condition, chains, key(4)).unwrap();
        let many = case.condition.gather((0..80_000).map(|row| row % 4));
        let drawn = features(&case.model, &case.model.sample(&many, 50, key(5)).unwrap());
        for (r, (u, _)) in case.rows().iter().enumerate() {
            let p: Vec<f64> =
                states.iter().map(|v| (oracle.log_weight(u, v) - oracle.log_z(u)).exp()).collect();
            for unit in 0..3 {
                let mean: f64 = states.iter().zip(&p).map(|(v, p)| v[unit] * p).sum();
                let column = drawn.column(unit).into_iter().skip(r).step_by(4).map(|&x| f64::from(x));
                let sampled = column.sum::<f64>() / 20_000.0;
                // 20,000 rows of deviation 1 at most: σ = 0.007; chains forget in a few sweeps: σ < 0.02.
                assert!((sampled - mean).abs() < 4.5 * 0.007, "{}: {sampled} for {mean}", case.name());
                assert!((f64::from(predicted[(r, unit)]) - mean).abs() < 0.08, "{}", case.name());
            }
        }
    }
}

fn features(model: &Conditional, states: &States) -> Array2<f32> {
    let values = states.to_array();
    let spins = matches!(model.pairs().visible(), Units::Spin(_));
    if spins { values.mapv(|t| 2.0 * t - 1.0) } else { values }
}

/// With A = B = 0 there is no condition: training gives the bits of the machine without one.
#[test]
fn without_a_condition_it_is_the_machine_bit_for_bit() {
    let visible = Batch::from_bits(coins(40, 33, 2)).unwrap();
    for units in [Units::Bernoulli(33), Units::Spin(33)] {
        let mut rbm = Rbm::fitted(units.clone(), &visible, Units::Bernoulli(17), key(1)).unwrap();
        for condition in [Batch::from_bits(coins(40, 5, 3)).unwrap(), Batch::reals(spread(40, 5, 3)).unwrap()]
        {
            let pairs = Pairs::new(condition.natural_units(), units.clone()).unwrap();
            let mut model =
                Conditional::from_parts(rbm.clone(), pairs, Array2::zeros((5, 33)), Array2::zeros((5, 17)))
                    .unwrap();
            let data = model.pairs().join(&condition, &visible).unwrap();
            let frozen = vec!["condition_visible".to_owned(), "condition_hidden".to_owned()];
            let options = Fit { epochs: 4, batch: 9, ..Fit::default() };
            let held =
                Fit { constraints: Constraints { frozen, ..Constraints::default() }, ..options.clone() };
            let mut alone = rbm.clone();
            fit(&mut alone, &visible, &mut Cd::new(2), &options, key(2), &mut Silent).unwrap();
            fit(&mut model, &data, &mut Cd::new(2), &held, key(2), &mut Silent).unwrap();
            assert_eq!(model.rbm().params(), alone.params());
            assert_eq!(model.free_energy(&data).unwrap(), alone.free_energy(&visible).unwrap());
        }
        rbm.refresh();
    }
}

/// The grid holds the largest of all three matrices, so that a large A keeps its value.
#[test]
fn the_grid_follows_all_matrices() {
    let mut model = model(Pairs::new(Units::Bernoulli(3), Units::Bernoulli(3)).unwrap());
    for (block, value) in [(3, 100.0), (4, -900.0)] {
        model.blocks_mut()[block].values[1] = value;
        model.refresh();
        let got = [model.to_visible()[(0, 1)], model.to_hidden()[(0, 1)]][block - 3];
        assert_eq!(got, value);
    }
}

// ---- Learning ----

/// A bit of the condition tells which of two patterns there is, each with its negative: at best ln p = −ln 2. Without hidden
/// units, all visible means being ½, it is −4 ln 2 = −2.77, and without the condition −ln 4 = −1.39.
#[test]
fn a_planted_condition_is_learnt() {
    let condition = Batch::new(array![[0., 0.], [0., 1.], [1., 0.], [1., 1.]].view())
        .unwrap()
        .gather((0..200).map(|r| r % 4));
    let patterns = [[0., 0., 1., 1.], [1., 1., 0., 0.], [0., 1., 0., 1.], [1., 0., 1., 0.]];
    let of = |r: usize| 2 * (r % 2) + r / 4 % 2;
    let visible = Batch::new(Array2::from_shape_fn((200, 4), |(r, i)| patterns[of(r)][i]).view()).unwrap();
    let mut model = Conditional::for_data(&condition, &visible, Units::Bernoulli(12), key(1)).unwrap();
    let data = model.pairs().join(&condition, &visible).unwrap();
    let options = Fit {
        epochs: 600,
        batch: 50,
        learning_rate: Schedule::Constant(0.02),
        method: Method::adam(),
        ..Fit::default()
    };
    fit(&mut model, &data, &mut Cd::new(5), &options, key(1), &mut Silent).unwrap();
    let likelihood = model.exact_likelihood(&data).unwrap();
    assert!(likelihood > -0.95, "{likelihood}");
}

/// A linear law of real numbers in their own units is found by mean field and by chains alike.
#[test]
fn a_regression_is_learnt_in_the_data_s_own_units() {
    let u = spread(400, 2, 5) * 3.0 + 10.0;
    let noise = spread(400, 1, 6) * 0.05;
    let law = |row: usize| 100.0 + 20.0 * u[(row, 0)] - 8.0 * u[(row, 1)] + noise[(row, 0)];
    let v = Array2::from_shape_fn((400, 1), |(row, _)| law(row));
    let (condition, visible) = (Batch::reals(u.clone()).unwrap(), Batch::reals(v.clone()).unwrap());
    let mut model = Conditional::for_data(&condition, &visible, Units::Bernoulli(3), key(2)).unwrap();
    let data = model.pairs().join(&condition, &visible).unwrap();
    let options = Fit {
        epochs: 100,
        batch: 20,
        learning_rate: Schedule::Linear { from: 0.05, to: 0.0 },
        ..Fit::default()
    };
    fit(&mut model, &data, &mut Cd::new(1), &options, key(1), &mut Silent).unwrap();
    let spread = v.std(0.0);
    for how in [Prediction::default(), Prediction::Gibbs { warming: 5, sweeps: 300 }] {
        let predicted = model.predict(&condition, how, key(1)).unwrap();
        let off = (&predicted - &v).mapv(|x| x * x).mean().unwrap().sqrt();
        assert!(off < 0.15 * spread, "{off} of {spread}");
    }
}

/// Missing visible values are drawn from p(missing | known, u); conditions and known values stay.
#[test]
fn missing_values_are_drawn_given_the_condition() {
    let case = cases().swap_remove(1);
    let oracle = Oracle::of(&case.model, case.states.clone());
    let rows = case.rows();
    let many = case.data().gather((0..80_000).map(|row| row % 4));
    let missing = harmonium::BitMatrix::from_fn(80_000, 6, |_, unit| unit == 4);
    let whole = case.model.complete(&many.clone().masked(missing), 30, key(9)).into_owned();
    let (given, drawn) = (many.to_array(), whole.to_array());
    for (r, (u, v)) in rows.iter().enumerate() {
        let weight = |bit: f64| oracle.log_weight(u, &array![v[0], bit, v[2]]).exp();
        let p = weight(1.0) / (weight(0.0) + weight(1.0));
        let sum: f32 = drawn.column(4).into_iter().skip(r).step_by(4).sum();
        assert!((f64::from(sum) / 20_000.0 - p).abs() < 4.5 * 0.0036, "row {r}");
    }
    let same = [0, 1, 2, 3, 5].into_iter().all(|unit| given.column(unit) == drawn.column(unit));
    assert!(same && whole.missing().is_none());
}

// ---- Sequences ----

#[test]
fn histories_are_rows_of_frames_in_their_order() {
    let sequence = |from: f32| {
        Batch::reals(Array2::from_shape_fn((5, 2), |(t, i)| from + t as f32 + 10.0 * i as f32)).unwrap()
    };
    let history = History::new(Units::Gaussian(2), 2).unwrap();
    let (condition, next) = history.rows(&[sequence(0.0), sequence(100.0)]).unwrap();
    assert_eq!((condition.rows(), next.units()), (6, 2));
    assert_eq!(condition.to_array().row(1).to_vec(), [1.0, 11.0, 2.0, 12.0]);
    assert_eq!(next.to_array().row(1).to_vec(), [3.0, 13.0]);
    assert_eq!(condition.to_array().row(3).to_vec(), [100.0, 110.0, 101.0, 111.0]);
    let classes = Batch::classes(array![[0_u16], [1], [2], [0]].view(), 3).unwrap();
    let history = History::new(Units::Categorical { units: 1, classes: 3 }, 2).unwrap();
    let (condition, next) = history.rows(&[classes]).unwrap();
    assert_eq!(condition.to_array().row(1).to_vec(), [0.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
    assert_eq!(next.to_array().row(1).to_vec(), [1.0, 0.0, 0.0]);
    assert!(history.pairs().unwrap().join(&condition, &next).is_ok());
}

/// A machine whose next frame is twice the last less the one before goes on along a straight line.
#[test]
fn rolling_moves_the_window_by_one_frame() {
    let history = History::new(Units::Gaussian(2), 2).unwrap();
    let a = array![[-1.0, 0.0], [0.0, -1.0], [2.0, 0.0], [0.0, 2.0]];
    let rbm = Rbm::new(Units::Gaussian(2), Units::Bernoulli(1), key(1)).unwrap();
    let rbm = Rbm::from_layers(Array2::zeros((2, 1)), rbm.visible().clone(), rbm.hidden().clone()).unwrap();
    let model = Conditional::from_parts(rbm, history.pairs().unwrap(), a, Array2::zeros((4, 1))).unwrap();
    let seen = Batch::reals(array![[7.0, 7.0], [0.0, 1.0], [1.0, 3.0]]).unwrap();
    let rolling = Rolling::Mean(Prediction::default());
    let on = history.continue_from(&model, &[seen.clone(), seen.clone()], 3, rolling, key(1)).unwrap();
    assert_eq!(on[0], array![[2.0, 5.0], [3.0, 7.0], [4.0, 9.0]]);
    assert_eq!(on[1], on[0]);
    let drawn =
        |key| history.continue_from(&model, std::slice::from_ref(&seen), 3, Rolling::default(), key).unwrap();
    assert_eq!(drawn(key(1)), drawn(key(1)));
    assert!(drawn(key(1)) != drawn(key(2)));
}

/// Frames have an address of their own: a frame's number must not stand where other draws have their purpose.
#[test]
fn frames_are_drawn_where_nothing_else_is() {
    let history = History::new(Units::Bernoulli(40), 1).unwrap();
    let model = Conditional::new(history.pairs().unwrap(), Units::Bernoulli(3), key(1)).unwrap();
    let seen = Batch::from_bits(coins(1, 40, 1)).unwrap();
    let rolling = Rolling::Draw { sweeps: 2 };
    let on = history.continue_from(&model, std::slice::from_ref(&seen), 1, rolling, key(2)).unwrap();
    let frame = |key: Key| model.sample(&seen, 2, key).unwrap().to_array();
    assert_eq!(on[0], frame(key(2).fold_in(purpose::EVALUATE).fold_in(12).fold_in(0)));
    assert_ne!(on[0], frame(key(2).fold_in(0)));
}

/// Whole weights make the machine that repeated rows make, on either side.
#[test]
fn weights_of_pairs_are_counts() {
    let (condition, visible) =
        (Batch::reals(spread(40, 3, 1)).unwrap(), Batch::reals(spread(40, 4, 2)).unwrap());
    let counts: Vec<f32> = (0..40_u16).map(|row| f32::from(row * 29 % 4)).collect();
    let repeated = |rows: &Batch| {
        let each = counts.iter().enumerate();
        rows.gather(each.flat_map(|(row, &n)| std::iter::repeat_n(row, n as usize)))
    };
    let weighted = |rows: &Batch| Weighted::new(rows.clone(), counts.clone()).unwrap();
    let made = |condition: &dyn Rows, visible: &dyn Rows| {
        Conditional::for_data(condition, visible, Units::Bernoulli(5), key(1)).unwrap()
    };
    let (once, many) =
        (made(&weighted(&condition), &weighted(&visible)), made(&repeated(&condition), &repeated(&visible)));
    // Sums of the same numbers in another order, in f64.
    let near = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6 * (1.0 + a.abs()));
    assert!(near(once.rbm().visible_bias(), many.rbm().visible_bias()));
    let means = |model: &Conditional| model.predict(&condition, Prediction::default(), key(1)).unwrap();
    let (a, b) = (means(&once), means(&many));
    assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-3), "{a} and {b}");
    let plain = means(&made(&condition, &visible));
    assert!(a.iter().zip(&plain).any(|(a, b)| (a - b).abs() > 1e-2), "weights count");
}
