//! Proves the estimators (oracle O7): noise-free where statistics are means, in expectation where chains are drawn.

mod common;

use common::law::deviations;
use common::tolerance::{tau_g, tau_phase, tau_sweep};
use common::{all_close, batch, close, exact, key, masks, means, model};
use harmonium::address::Address;
use harmonium::rbm::Rbm;
use harmonium::stats::Phases;
use harmonium::train::{Cd, Estimator, Pcd};
use harmonium::{Batch, EnergyModel, Gibbs, Key, purpose};
use harmonium_kernels::bernoulli::{Affine, Input, probabilities};
use harmonium_oracle::gradient::{Gradient, contrastive_divergence, persistent, statistics};
use harmonium_oracle::likelihood::empirical;
use harmonium_oracle::math::sigmoid;
use harmonium_oracle::rbm::Rbm as Exact;
use harmonium_oracle::stats::z_star;
use harmonium_oracle::transition::{Conditionals, product};

/// Data of a model: five rows, two of them alike.
fn few(rbm: &Rbm) -> Vec<u64> {
    let mask = (1 << rbm.visible_units()) - 1;
    [0b0011_0011, 0b0011_0011, 0b1100_1100, 0b1101_0001, 0].map(|v: u64| v & mask).to_vec()
}

/// The five rows over and over: every row of a batch is an independent estimate.
fn many(rbm: &Rbm, rows: usize) -> Batch {
    let masks: Vec<u64> = few(rbm).into_iter().cycle().take(rows).collect();
    batch(rbm.visible_units(), &masks)
}

fn estimate(rbm: &Rbm, estimator: &mut impl Estimator<Rbm>, data: &Batch, k: u32, at: Address) -> Phases {
    let mut phases = Phases::new(rbm.stats());
    estimator.estimate(rbm, data, k, at, &mut phases).unwrap();
    phases
}

fn gradient(rbm: &Rbm, phases: &Phases) -> Vec<f64> {
    let mut out = harmonium::HasParams::params(rbm);
    phases.contrast(&mut out);
    out.tensors().iter().flat_map(|t| t.values.iter().map(|&x| f64::from(x))).collect()
}

/// Lists models whose first sweeps still remember where they started.
fn models(count: u64) -> Vec<Rbm> {
    let sizes = [(2, 1), (3, 2), (4, 3), (5, 5), (6, 4)];
    (0..count).map(|n| sizes[n as usize % 5]).zip(300..).map(|((v, h), s)| model(v, h, 1.5, s)).collect()
}

/// Asserts |mean − exact| ≤ z*(m) s/√N + τ_g + 2k τ_T, with s the deviation under the law after k sweeps. That law mixes
/// the five starts, whose rows are in fixed shares, so s is not too small.
fn assert_mean(x: &Exact, got: &[f64], expected: &Gradient, law: &[f64], (k, rows, m): (u32, usize, usize)) {
    let bias = tau_g(x) + 2.0 * f64::from(k) * tau_sweep(x);
    let deviations = deviations(x, law);
    for (n, (got, expected)) in got.iter().zip(expected.entries()).enumerate() {
        let bound = z_star(m) * deviations[n] / (rows as f64).sqrt() + bias;
        close(*got, expected, bound, (k, n));
    }
}

/// Tells whether the mean is out of the noise for at least one entry: the control of a test.
fn differs(x: &Exact, got: &[f64], expected: &Gradient, law: &[f64], rows: usize) -> bool {
    let deviations = deviations(x, law);
    let far = |(n, (got, e)): (usize, (&f64, f64))| {
        (got - e).abs() > 2.0 * z_star(1) * deviations[n] / (rows as f64).sqrt() + tau_g(x)
    };
    got.iter().zip(expected.entries()).enumerate().any(far)
}

/// The comparisons of one test: every parameter of every model at every k.
fn comparisons(models: &[Rbm]) -> usize {
    3 * models.iter().map(|rbm| exact(rbm).parameters()).sum::<usize>()
}

fn contrastive_divergence_has_its_expectation(count: u64, rows: usize) {
    let (models, mut seen) = (models(count), 0);
    for (seed, rbm) in models.iter().enumerate() {
        let (x, data) = (exact(rbm), empirical(rbm.visible_units(), &few(rbm), None));
        for k in [1, 2, 10] {
            let at = Address::new(key(seed as u64), u64::from(k));
            let phases = estimate(rbm, &mut Cd::new(k), &many(rbm, rows), k, at);
            let law = Conditionals::of(&x).visible_sweep().after(k as usize, &data);
            let expected = contrastive_divergence(&x, &data, k as usize);
            let got = gradient(rbm, &phases);
            assert_mean(&x, &got, &expected, &law, (k, rows, comparisons(&models)));
            let control = contrastive_divergence(&x, &data, 2);
            seen += u64::from(k == 1 && differs(&x, &got, &control, &law, rows));
        }
    }
    // Control: one sweep is not taken for two, but by the smallest models, which have mixed by then.
    assert!(2 * seen > count, "only {seen} of {count} models tell one sweep from two");
}

#[test]
fn cd_has_its_expectation() {
    contrastive_divergence_has_its_expectation(5, 100_000);
}

#[test]
#[ignore = "long form of cd_has_its_expectation: 20 models, 10⁶ estimates each"]
fn cd_has_its_expectation_over_twenty_models() {
    contrastive_divergence_has_its_expectation(20, 1_000_000);
}

/// Chains start at Π σ(b) and are k sweeps further with each update, whatever the batch: after the third update of PCD-k
/// the law is that of 3k sweeps. Control: after the second it is not that of k.
fn persistent_chains_have_their_expectation(count: u64, chains: usize) {
    let (models, mut seen) = (models(count), 0);
    for (seed, rbm) in models.iter().enumerate() {
        let (x, data) = (exact(rbm), empirical(rbm.visible_units(), &few(rbm), None));
        let fresh = product(&x.visible_bias.iter().map(|&b| sigmoid(b)).collect::<Vec<_>>());
        let (mut pcd, table) = (Pcd::new(1, chains), Conditionals::of(&x).visible_sweep());
        for update in 1..=3 {
            let at = Address::new(key(seed as u64), u64::from(update));
            let phases = estimate(rbm, &mut pcd, &many(rbm, 5), 1, at);
            assert_eq!((phases.positive.rows(), phases.negative.rows()), (5, chains as u64));
            let (got, law) = (gradient(rbm, &phases), table.after(update as usize, &fresh));
            let expected = persistent(&x, &data, &fresh, update as usize);
            assert_mean(&x, &got, &expected, &law, (update, chains, comparisons(&models)));
            let earlier = persistent(&x, &data, &fresh, update as usize - 1);
            seen += u64::from(update == 2 && differs(&x, &got, &earlier, &law, chains));
        }
    }
    // As for CD: the smallest models have mixed after one sweep and can't tell.
    assert!(2 * seen > count, "only {seen} of {count} models tell a second update from the first");
}

#[test]
fn pcd_has_its_expectation() {
    persistent_chains_have_their_expectation(5, 100_000);
}

#[test]
#[ignore = "long form of pcd_has_its_expectation: 20 models, 10⁶ chains each"]
fn pcd_has_its_expectation_over_twenty_models() {
    persistent_chains_have_their_expectation(20, 1_000_000);
}

/// The positive phase is a mean: nothing drawn enters it, in CD and in PCD.
#[test]
fn positive_phases_are_noise_free() {
    for rbm in models(10) {
        let x = exact(&rbm);
        let expected = statistics(&x, &empirical(x.visible, &few(&rbm), None)).entries();
        for seed in 0..3 {
            let at = Address::new(key(seed), seed);
            let cd = estimate(&rbm, &mut Cd::new(1), &many(&rbm, 5), 1, at);
            let pcd = estimate(&rbm, &mut Pcd::new(1, 7), &many(&rbm, 5), 1, at);
            all_close(&means(&cd.positive, &rbm), &expected, tau_phase(&x), "cd");
            all_close(&means(&pcd.positive, &rbm), &expected, tau_phase(&x), "pcd");
        }
    }
}

/// The last hidden statistic is a mean given the last visible state, which PCD keeps.
#[test]
fn negative_phases_of_pcd_are_noise_free_given_the_chains() {
    for rbm in models(10) {
        let (x, mut pcd) = (exact(&rbm), Pcd::new(2, 9));
        for step in 0..3 {
            let phases = estimate(&rbm, &mut pcd, &many(&rbm, 5), 2, Address::new(key(1), step));
            let ends = masks(pcd.standing().expect("chains that stay"));
            let expected = statistics(&x, &empirical(x.visible, &ends, None)).entries();
            all_close(&means(&phases.negative, &rbm), &expected, tau_phase(&x), step);
        }
    }
}

/// Walks the chains of CD as the addresses say: h ∼ p(h | data) under POSITIVE, sweeps under NEGATIVE.
fn walked(rbm: &Rbm, data: &Batch, k: u64, seed: Key, step: u64) -> Vec<u64> {
    let positive = seed.fold_in(purpose::POSITIVE).fold_in(step);
    let mut state = rbm.infer(data, positive.fold_in(0).fold_in(0));
    let negative = seed.fold_in(purpose::NEGATIVE).fold_in(step);
    (0..k).for_each(|sweep| rbm.sweep(&mut state, negative.fold_in(sweep)));
    masks(state.visible())
}

#[test]
fn negative_phases_of_cd_are_noise_free_given_the_chains() {
    for (rbm, k) in models(10).iter().zip([1, 2, 3].into_iter().cycle()) {
        let (x, data) = (exact(rbm), many(rbm, 50));
        let phases = estimate(rbm, &mut Cd::new(k), &data, k, Address::new(key(4), 6));
        let ends = walked(rbm, &data, u64::from(k), key(4), 6);
        let expected = statistics(&x, &empirical(x.visible, &ends, None)).entries();
        all_close(&means(&phases.negative, rbm), &expected, tau_phase(&x), k);
    }
}

/// Codes are rounded, not cut: over 20,000 activations the errors are uniform in ±2⁻¹⁷, so their mean is within
/// z*(1) · 2⁻¹⁶ / √(12 · 20,000) of zero, 6e-8 more for τ_p; cut codes err by 2⁻¹⁷ on average, fifty times that.
#[test]
fn codes_of_probabilities_err_to_both_sides() {
    let x: Vec<f32> = (-10_000..10_000).map(|n| n as f32 * 3e-4).collect();
    let codes = probabilities(&Input::Sums(&vec![0; 20_000]), &Affine { quantum: 1.0, gain: 1.0, bias: &x });
    let error = |(&code, &x): (&u16, &f32)| f64::from(code) / 65_536.0 - sigmoid(f64::from(x));
    let mean = codes.iter().zip(&x).map(error).sum::<f64>() / 20_000.0;
    let bound = z_star(1) / 65_536.0 / 240_000.0_f64.sqrt() + 6e-8;
    close(mean, 0.0, bound, "mean error");
}

/// Chains continue where they stood: two updates are two sweeps of the packed chains.
#[test]
fn persistent_chains_continue_where_they_stood() {
    let rbm = model(5, 4, 1.0, 17);
    let mut pcd = Pcd::new(1, 33);
    estimate(&rbm, &mut pcd, &many(&rbm, 5), 1, Address::new(key(2), 0));
    let first = pcd.standing().unwrap().clone();
    estimate(&rbm, &mut pcd, &many(&rbm, 10), 1, Address::new(key(2), 1));
    let mut state = rbm.unpack(first).unwrap();
    rbm.sweep(&mut state, key(2).fold_in(purpose::NEGATIVE).fold_in(1).fold_in(0));
    assert_eq!(pcd.standing(), Some(state.visible()));
}
