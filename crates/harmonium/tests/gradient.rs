//! Proves gradients and what changes them (oracle O2): phases, contrast, decay, centring, optimisers, the grid.

mod common;

use common::law::multiples;
use common::tolerance::{U, tau_g, tau_phase};
use common::{all_close, batch, close, exact, key, means, model, models};
use harmonium::rbm::Rbm;
use harmonium::stats::Phases;
use harmonium::train::{Cd, Centre, Decay, Fit, Method, Optimizer, Schedule, Silent, Transform, fit};
use harmonium::{EnergyModel, HasParams, Params};
use harmonium_oracle::enumerate::visible_distribution;
use harmonium_oracle::gradient;
use harmonium_oracle::likelihood::empirical;
use harmonium_oracle::stats::tv;

/// Lists some rows that fit a model, the first of them often.
fn rows(rbm: &Rbm) -> Vec<u64> {
    let mask = (1 << rbm.visible_units()) - 1;
    [0b0101_1010, 0b0101_1010, 0b1111_0000, 1, 0b1000_0111].map(|v: u64| v & mask).to_vec()
}

/// Fills both phases with the means of given rows.
fn phases(rbm: &Rbm, positive: &[u64], negative: &[u64]) -> Phases {
    let mut out = Phases::new(rbm.stats());
    let clamp = |rows| rbm.clamp(&batch(rbm.visible_units(), rows));
    rbm.accumulate(&clamp(positive), &mut out.positive);
    rbm.accumulate(&clamp(negative), &mut out.negative);
    out
}

fn contrast(rbm: &Rbm, phases: &Phases) -> Params {
    let mut out = rbm.params();
    phases.contrast(&mut out);
    out
}

fn entries(params: &Params) -> Vec<f64> {
    params.tensors().iter().flat_map(|t| t.values.iter().map(|&x| f64::from(x))).collect()
}

#[test]
fn statistics_are_means_over_the_rows() {
    for rbm in models() {
        let (x, rows) = (exact(&rbm), rows(&rbm));
        let got = means(&phases(&rbm, &rows, &[0]).positive, &rbm);
        let expected = gradient::statistics(&x, &empirical(x.visible, &rows, None)).entries();
        all_close(&got, &expected, tau_phase(&x), (x.visible, x.hidden));
    }
}

/// Five rows against three: each phase is divided by its own number of rows.
#[test]
fn the_contrast_divides_each_phase_by_its_own_rows() {
    for rbm in models() {
        let (x, positive) = (exact(&rbm), rows(&rbm));
        let negative = [0, 1, positive[2]];
        let got = entries(&contrast(&rbm, &phases(&rbm, &positive, &negative)));
        let law = |rows: &[u64]| empirical(x.visible, rows, None);
        let expected = gradient::contrast(&x, &law(&positive), &law(&negative)).entries();
        all_close(&got, &expected, tau_g(&x), (x.visible, x.hidden));
    }
}

/// The negative phase holds every state as often as the model has it, rounded to multiplicities over 30,000 rows. With
/// these the gradient is that of the oracle at τ_g; with the model's own law it is off by at most twice the total
/// variation that the multiplicities cost, as statistics lie in [0, 1].
#[test]
fn exact_phases_give_the_gradient_of_the_likelihood() {
    for rbm in models() {
        let (x, rows) = (exact(&rbm), rows(&rbm));
        let (data, law) = (empirical(x.visible, &rows, None), visible_distribution(&x));
        let negative = multiples(&law, 30_000.0);
        let rounded = empirical(x.visible, &negative, None);
        let got = entries(&contrast(&rbm, &phases(&rbm, &rows, &negative)));
        all_close(&got, &gradient::contrast(&x, &data, &rounded).entries(), tau_g(&x), "multiplicities");
        let bound = tau_g(&x) + 2.0 * tv(&rounded, &law);
        all_close(&got, &gradient::exact(&x, &data).entries(), bound, "law");
    }
}

/// Above 32,767 rows sums are carried over into 64 bits.
#[test]
fn statistics_of_many_rows_are_carried() {
    let rbm = model(4, 3, 1.0, 21);
    let (x, few) = (exact(&rbm), rows(&rbm));
    let many: Vec<u64> = few.iter().copied().cycle().take(70_000).collect();
    let (few, many) = (phases(&rbm, &few, &[1]), phases(&rbm, &many, &[1]));
    // The sums are in the same ratio to the rows; a mean up to 1 rounds when its sum is converted and when it is divided.
    all_close(&means(&many.positive, &rbm), &means(&few.positive, &rbm), 4.0 * U, "means");
    let (few, many) = (contrast(&rbm, &few), contrast(&rbm, &many));
    all_close(&entries(&many), &entries(&few), 6.0 * U, x.visible);
}

/// λ₁ sign w + λ₂ w on the masters of W, nothing on biases. Bound: three roundings of terms below |g| + λ₁ + λ₂|w|.
#[test]
fn decay_adds_to_the_weights_alone() {
    let (l1, l2) = (0.3, 0.07);
    for rbm in models() {
        let plain = contrast(&rbm, &phases(&rbm, &rows(&rbm), &[1]));
        let mut got = plain.clone();
        let phases = phases(&rbm, &rows(&rbm), &[1]);
        Decay { l1, l2 }.apply(&mut got, &rbm.blocks(), &phases);
        let (l1, l2) = (f64::from(l1), f64::from(l2));
        for (n, &w) in rbm.blocks()[0].values.iter().enumerate() {
            let (w, g) = (f64::from(w), f64::from(plain.tensors()[0].values[n]));
            let sign = if w == 0.0 { 0.0 } else { w.signum() };
            let bound = 3.0 * U * (g.abs() + l1 + l2 * w.abs());
            close(f64::from(got.tensors()[0].values[n]), g + l1 * sign + l2 * w, bound, n);
        }
        assert_eq!(got.tensors()[1..], plain.tensors()[1..]);
    }
}

/// A step of size 1 in centred coordinates (W, b + W λ, c + Wᵀ μ), read back in plain ones: the change of θ is minus the
/// centred gradient. Written in f64 from the plain gradient (g, db, dc): W moves by −(g − μ dcᵀ − db λᵀ).
fn reparametrised(plain: &[f64], (nv, nh): (usize, usize), mu: &[f64], lambda: &[f64]) -> Vec<f64> {
    let (db, dc) = (&plain[nv * nh..nv * nh + nv], &plain[nv * nh + nv..]);
    let w = |i: usize, j: usize| plain[i * nh + j] - mu[i] * dc[j] - db[i] * lambda[j];
    let weights = (0..nv).flat_map(|i| (0..nh).map(move |j| w(i, j)));
    let b = (0..nv).map(|i| db[i] - (0..nh).map(|j| w(i, j) * lambda[j]).sum::<f64>());
    let c = (0..nh).map(|j| dc[j] - (0..nv).map(|i| w(i, j) * mu[i]).sum::<f64>());
    weights.chain(b).chain(c).collect()
}

/// Means of the positive phase: entries of b, then those of c.
fn offsets(phases: &Phases, rbm: &Rbm) -> (Vec<f64>, Vec<f64>) {
    let (nv, nh) = (rbm.visible_units(), rbm.hidden_units());
    let all = means(&phases.positive, rbm);
    (all[nv * nh..nv * nh + nv].to_vec(), all[nv * nh + nv..].to_vec())
}

/// All numbers are at most 3, offsets at most 1, sums have at most 8 terms: 16 roundings of numbers below 32.
const CENTRING: f64 = 16.0 * 32.0 * U;

#[test]
fn centring_is_a_step_in_centred_coordinates() {
    for rbm in models() {
        let phases = phases(&rbm, &rows(&rbm), &[1, 0]);
        let plain = contrast(&rbm, &phases);
        let mut got = plain.clone();
        Centre::default().apply(&mut got, &rbm.blocks(), &phases);
        let (mu, lambda) = offsets(&phases, &rbm);
        let size = (rbm.visible_units(), rbm.hidden_units());
        let expected = reparametrised(&entries(&plain), size, &mu, &lambda);
        all_close(&entries(&got), &expected, CENTRING, size);
    }
}

/// The definition itself: ∂W' = ⟨(v − μ)(h − λ)⟩ of the data less that of the model, from enumerated statistics.
#[test]
fn centred_statistics_are_covariances() {
    let rbm = model(4, 3, 1.0, 22);
    let (x, positive, negative) = (exact(&rbm), rows(&rbm), [1, 0, 7]);
    let phases = phases(&rbm, &positive, &negative);
    let mut got = contrast(&rbm, &phases);
    Centre::default().apply(&mut got, &rbm.blocks(), &phases);
    let (mu, lambda) = offsets(&phases, &rbm);
    let covariance = |rows: &[u64], i: usize, j: usize| {
        let term = |v: &u64| ((v >> i & 1) as f64 - mu[i]) * (x.hidden_probabilities(*v)[j] - lambda[j]);
        rows.iter().map(term).sum::<f64>() / rows.len() as f64
    };
    for (i, j) in (0..4).flat_map(|i| (0..3).map(move |j| (i, j))) {
        let expected = covariance(&negative, i, j) - covariance(&positive, i, j);
        // Three differences of statistics enter, each with the error of its phase.
        close(f64::from(got.tensors()[0].values[i * 3 + j]), expected, 3.0 * tau_g(&x) + CENTRING, (i, j));
    }
}

/// The first batch sets the offsets; the second moves them by `rate`.
#[test]
fn offsets_follow_the_data() {
    let rbm = model(4, 3, 1.0, 23);
    let (first, second) = (phases(&rbm, &[1, 3], &[0]), phases(&rbm, &[8, 15, 15], &[0]));
    let mut centre = Centre { rate: 0.25, offsets: None };
    [&first, &second].into_iter().for_each(|p| centre.apply(&mut contrast(&rbm, p), &rbm.blocks(), p));
    let got: Vec<f64> = centre.offsets.unwrap().iter().flatten().map(|&x| f64::from(x)).collect();
    let join = |p: &Phases| [offsets(p, &rbm).0, offsets(p, &rbm).1].concat();
    let expected: Vec<f64> =
        join(&first).iter().zip(join(&second)).map(|(a, b)| 0.75 * a + 0.25 * b).collect();
    all_close(&got, &expected, 3.0 * U, "offsets");
}

/// Runs a rule on a constant gradient and gives parameter n of W after each step, as f64.
fn walk(method: Method, gradient: f32, rate: f32, steps: u64) -> Vec<f64> {
    let mut rbm = model(2, 1, 0.0, 1);
    let mut optimizer = Optimizer::new(method, &rbm.params());
    let mut constant = rbm.params();
    constant.tensors_mut().iter_mut().for_each(|t| t.values.fill(gradient));
    let step = |n| {
        optimizer.update(&mut rbm, &constant, rate, (n, steps, 0));
        let values = rbm.params();
        let all = entries(&values);
        assert!(all.iter().all(|x| *x == all[0]), "every block moves alike");
        all[0]
    };
    (0..steps).map(step).collect()
}

/// vₙ = −η g (1 − μⁿ) / (1 − μ), θₙ = −η g / (1 − μ) · (n − μ (1 − μⁿ) / (1 − μ)). Bound: four roundings a step.
#[test]
fn momentum_has_its_closed_form() {
    let (mu, rate, g) = (0.9_f64, 0.1_f64, 0.5_f64);
    let method = Method::Sgd { momentum: Schedule::Constant(mu) };
    for (n, got) in walk(method, g as f32, rate as f32, 60).into_iter().enumerate() {
        let n = n as f64 + 1.0;
        let expected = -rate * g / (1.0 - mu) * (n - mu * (1.0 - mu.powf(n)) / (1.0 - mu));
        // The f32 of 0.9 and 0.1 are off by u each, which 1 / (1 − μ) magnifies tenfold.
        close(got, expected, (4.0 * n + 40.0) * U * expected.abs().max(1.0), n);
    }
}

/// With a constant gradient both unbiased moments are g and g² throughout, so each step is −η g / (|g| + ε). The
/// correction 1 − β₂ⁿ is as small as 10⁻³ at first, and its rounding 2u · 10³ is halved by the root.
#[test]
fn adam_has_its_closed_form() {
    for (n, got) in walk(Method::adam(), 0.5, 0.01, 60).into_iter().enumerate() {
        let n = n as f64 + 1.0;
        close(got, -0.01 * n, 0.01 * n * 2_000.0 * U, n);
    }
}

/// θ moves by −η g and nothing else.
#[test]
fn descent_subtracts_the_gradient() {
    let rbm = model(4, 3, 1.0, 24);
    let gradient = contrast(&rbm, &phases(&rbm, &rows(&rbm), &[1]));
    let mut moved = rbm.clone();
    Optimizer::new(Method::default(), &rbm.params()).update(&mut moved, &gradient, 0.5, (0, 1, 0));
    let (before, after, g) = (entries(&rbm.params()), entries(&moved.params()), entries(&gradient));
    let expected: Vec<f64> = before.iter().zip(&g).map(|(x, g)| x - 0.5 * g).collect();
    all_close(&after, &expected, 4.0 * U * 4.0, "parameters");
}

/// After an update that multiplies the largest weight, the grid follows at once: every weight is within half a step of
/// its master, and the largest code has b − 2 or b − 1 bits.
#[test]
fn the_grid_follows_an_update() {
    let mut rbm = model(6, 4, 0.01, 25);
    let before = rbm.shift();
    let data = batch(6, &[0b11_1111, 0b11_1110, 0b01_1111]);
    let options = Fit { epochs: 1, learning_rate: Schedule::Constant(100.0), ..Fit::default() };
    fit(&mut rbm, &data, &mut Cd::new(1), &options, key(1), &mut Silent).unwrap();
    let step = (-f64::from(rbm.shift())).exp2();
    let masters: Vec<f64> = rbm.blocks()[0].values.iter().map(|&w| f64::from(w)).collect();
    let largest = masters.iter().fold(0.0_f64, |m, w| m.max(w.abs())) / step;
    assert!(rbm.shift() < before && largest > 20_f64.exp2() && largest < 21_f64.exp2(), "{largest}");
    for (w, master) in rbm.weights().iter().zip(masters) {
        close(f64::from(*w), master, step / 2.0, "weight");
    }
    let x = exact(&rbm);
    let got = harmonium::Marginal::free_energy(&rbm, &data).unwrap();
    close(got[0], x.free_energy(0b11_1111), common::tolerance::tau_f(&x, 0b11_1111), "free energy");
}
