//! Proves noisy rectified units against their law, and that nothing is claimed of them that has no ground.

mod common;

use common::units::wide;
use common::{close, key, masks};
use harmonium::evaluate::Ais;
use harmonium::persist::RealVfs;
use harmonium::rbm::{Annealing, Exact, MeanField, Origin, PseudoLikelihood, Rbm};
use harmonium::train::{Cd, Estimator, Fit, Method, Pcd, Schedule, Silent, Tempering, Trajectory, fit};
use harmonium::units::{Input, Layer, Unit, Units};
use harmonium::{Batch, Gibbs, HasParams, Marginal, Thermal};
use harmonium_oracle::noisy_rectified as law;
use harmonium_oracle::rng::Rng;
use ndarray::Array2;

/// Is the f32 unit roundoff.
const U: f64 = common::units::U;

fn layer(bias: &[f32]) -> Layer {
    Units::NoisyRelu(bias.len()).layer(bias.to_vec())
}

/// ⟨x⟩ and Γ at activations from −30 to 60: an activation is rounded to f32, which moves ⟨x⟩ by at most 1.2 times that and Γ by
/// the stepped mean times that; means are rounded once more.
#[test]
fn means_and_cumulants_are_those_of_the_formulas() {
    let bias = 0.3_f32;
    for n in -60..=120 {
        let input = 0.5 * n as f32;
        let (given, a) = (Input::reals(vec![input], 1.0), f64::from(input) + f64::from(bias));
        let moved = U * (a.abs() + 1.0);
        let one = layer(&[bias]);
        let found = f64::from(one.means_of(&one.mean(&given))[(0, 0)]);
        close(found, law::mean(a), 1.2 * moved + U * law::mean(a) + 1e-10, ("mean", a));
        let expected = law::stepped_cgf(a);
        close(one.cgf(&given)[0], expected, (a.max(0.0) + 1.0) * moved + 1e-9, ("Γ", a));
    }
}

/// The distribution of draws: sup |F_n − F| ≤ √(ln(2m/α) / 2n) with probability 1 − α over m comparisons (Dvoretzky, Kiefer &
/// Wolfowitz 1956, Massart 1990); n = 20,000, α = 1e-6, m = 10: 0.0205. A deviation of σ(a) for √σ(a) is off by 0.05 and more
/// at a from −1 to 1.
#[test]
fn draws_follow_their_law() {
    const N: usize = 20_000;
    let bound = ((2.0 * 10.0 / 1e-6_f64).ln() / (2.0 * N as f64)).sqrt();
    for (seed, a) in [-30.0_f32, -4.0, -1.0, -0.25, 0.0, 0.5, 1.0, 4.0, 30.0].into_iter().enumerate() {
        let one = layer(&[0.25]);
        let drawn = one.sample(&Input::reals(vec![a - 0.25; N], 1.0), key(seed as u64));
        let mut values = wide(&drawn.to_array().into_raw_vec_and_offset().0);
        values.sort_by(f64::total_cmp);
        assert!(values[0] >= 0.0);
        for at in (0..N).step_by(37).chain([N - 1]) {
            let below = values.partition_point(|&y| y <= values[at]) as f64 / N as f64;
            close(below, law::cdf(f64::from(a), values[at]), bound, (a, values[at]));
        }
    }
}

/// E with the first x stepped units on, and F of stepped sigmoid units, from sums in f64.
#[test]
fn energies_are_those_of_stepped_sigmoid_units() {
    let rbm = machine(1);
    let (w, b, c) = (rbm.weights(), wide(rbm.visible_bias()), wide(rbm.hidden_bias()));
    let mut state = rbm.init(30, key(2));
    rbm.sweep(&mut state, key(3));
    let h = state.hidden().to_array();
    let energies = rbm.energy(&state);
    let free = rbm.free_energy(&Batch::from_states(state.visible().clone()).unwrap()).unwrap();
    for (row, &v) in masks(state.visible()).iter().enumerate() {
        let on = |i: usize| if v >> i & 1 == 1 { 1.0 } else { 0.0 };
        let outer: f64 = (0..6).map(|i| on(i) * b[i]).sum();
        let a = |j: usize| c[j] + (0..6).map(|i| on(i) * f64::from(w[(i, j)])).sum::<f64>();
        let x = |j: usize| f64::from(h[(row, j)]);
        let energy: f64 = (0..3).map(|j| x(j) * (x(j) / 2.0 - a(j))).sum::<f64>() - outer;
        close(
            energies[row],
            energy,
            30.0 * U * (1.0 + energy.abs() + (0..3).map(|j| x(j) * x(j)).sum::<f64>()),
            "E",
        );
        let expected = -outer - (0..3).map(|j| law::stepped_cgf(a(j))).sum::<f64>();
        close(free[row], expected, 30.0 * U * (1.0 + expected.abs()), "F");
    }
}

fn machine(seed: u64) -> Rbm {
    let mut rng = Rng::new(seed);
    let weights = Array2::from_shape_fn((6, 3), |_| rng.normal() as f32);
    let mut bias = |n: usize| -> Vec<f32> { (0..n).map(|_| 0.5 * rng.normal() as f32).collect() };
    Rbm::from_layers(weights, Units::Bernoulli(6).layer(bias(6)), layer(&bias(3))).unwrap()
}

/// Rows of 16 bits: two blocks of eight, each of which a coin turns on, with 5 % of the bits flipped.
fn blocks(rows: usize) -> Batch {
    let mut rng = Rng::new(9);
    let mut values = Array2::zeros((rows, 16));
    for mut row in values.rows_mut() {
        let coins = [rng.bernoulli(0.5), rng.bernoulli(0.5)];
        row.iter_mut()
            .enumerate()
            .for_each(|(i, x)| *x = f32::from(u8::from(coins[i / 8] != rng.bernoulli(0.05))));
    }
    Batch::new(values.view()).unwrap()
}

/// CD and PCD learn that columns go together: a reconstruction from drawn hidden units has less than half of the squared error
/// of the columns' means, ¼ a bit; and hidden means are features that tell the blocks apart.
#[test]
fn machines_learn_and_have_features() {
    let data = blocks(1000);
    let mut estimators: [Box<dyn Estimator<Rbm>>; 2] = [Box::new(Cd::new(1)), Box::new(Pcd::new(1, 50))];
    for estimator in &mut estimators {
        let train = |estimator: &mut dyn Estimator<Rbm>| {
            let mut rbm = Rbm::fitted(Units::Bernoulli(16), &data, Units::NoisyRelu(6), key(4)).unwrap();
            let options = Fit {
                epochs: 40,
                batch: 50,
                learning_rate: Schedule::Linear { from: 0.01, to: 0.0 },
                method: Method::adam(),
                ..Fit::default()
            };
            fit(&mut rbm, &data, estimator, &options, key(5), &mut Silent).unwrap();
            rbm
        };
        let rbm = train(estimator.as_mut());
        let means = rbm.reconstruct(&data, key(6)).unwrap();
        let error = (&means - &data.to_array()).mapv(|x| x * x).mean().unwrap();
        assert!(error < 0.125, "squared error {error} a bit");
        let features = rbm.transform(&data).unwrap();
        assert!(features.iter().all(|x| x.is_finite() && *x >= 0.0) && features.std(0.0) > 0.1);
        assert!(rbm.sample(20, 20, key(7), &mut |_| ()).to_array().iter().all(|x| x.is_finite()));
    }
}

/// A file gives the machine back.
#[test]
fn files_hold_them() {
    let (folder, rbm) = (tempfile::tempdir().unwrap(), machine(3));
    let path = folder.path().join("noisy.harm");
    rbm.save(&RealVfs, &path, &Origin::default()).unwrap();
    let (back, header) = Rbm::load(&RealVfs, &path).unwrap();
    assert_eq!((back.digest(), header.hidden), (rbm.digest(), Units::NoisyRelu(3)));
}

/// ln Z, annealing, swaps by energies and exact gradients are refused; so are such units on the visible side, beside another
/// unbounded layer, and as parts.
#[test]
fn what_has_no_ground_is_refused() {
    let (rbm, data) = (machine(4), Batch::new(Array2::zeros((2, 6)).view()).unwrap());
    let said = |error: harmonium::Error| error.to_string();
    let annealing = Annealing { ais: Ais { runs: 10, ..Ais::default() }, ..Annealing::default() };
    let refusals = [
        said(rbm.log_z().unwrap_err()),
        said(rbm.exact_likelihood(&data).unwrap_err()),
        said(rbm.log_likelihood(&data, &annealing, key(1)).unwrap_err()),
        said(rbm.annealed_likelihood(&data, &annealing, key(1), &mut |_, _, _| ()).unwrap_err()),
        said(rbm.path(rbm.base()).unwrap_err()),
        said(rbm.tempered(0.5).log_z().unwrap_err()),
    ];
    for refusal in refusals {
        assert!(refusal.contains("follow an energy, got 3 noisy ReLU"), "{refusal}");
    }
    let mut estimators: [Box<dyn Estimator<Rbm>>; 5] = [
        Box::new(Tempering::default()),
        Box::new(Trajectory::default()),
        Box::new(Exact::new()),
        Box::new(PseudoLikelihood::default()),
        Box::new(MeanField::default()),
    ];
    for estimator in &mut estimators {
        let mut student = rbm.clone();
        let refused = fit(&mut student, &data, estimator.as_mut(), &Fit::default(), key(1), &mut Silent);
        assert!(refused.is_err() && student.digest() == rbm.digest());
    }
    let make = |v: Units, h: Units| said(Rbm::new(v, h, key(1)).unwrap_err());
    assert!(make(Units::NoisyRelu(2), Units::Bernoulli(2)).contains("units with an energy"));
    assert!(make(Units::Gaussian(2), Units::NoisyRelu(2)).contains("bounded"));
    let parts = Units::Mixed(vec![Units::Bernoulli(1), Units::NoisyRelu(1)]);
    assert!(make(Units::Bernoulli(2), parts).contains("with an energy"));
}
