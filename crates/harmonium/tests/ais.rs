//! Proves annealed importance sampling (oracle O8): unbiased weights, intervals of measured coverage, a bracket.

mod common;

use common::tolerance::{TAU_0, tau_softplus};
use common::{close, exact, key, model, states};
use harmonium::evaluate::{Ais, AisEstimate, Betas, forward, reverse};
use harmonium::rbm::Rbm;
use harmonium::units::{Bernoulli, Layer, Unit};
use harmonium::{Annealed, Marginal};
use harmonium_oracle::ais::base_log_z;
use harmonium_oracle::enumerate::log_z_joint;
use harmonium_oracle::rng::Rng;
use harmonium_oracle::sample::sample_joint;
use harmonium_oracle::stats::{z_score, z_star};

const MODELS: u64 = 100;

/// Gives model n of sizes that are enumerated at once, with a base that is not its own visible layer.
fn case(n: u64) -> (Rbm, Layer) {
    let (nv, nh) = common::SIZES[n as usize % 6];
    let rbm = model(nv, nh, 1.0, 500 + n);
    let bias = (0..nv).map(|i| 0.8 - 0.3 * ((i as u64 + n) % 5) as f32).collect();
    (rbm, Bernoulli::new(bias).into())
}

fn options(runs: usize) -> Ais {
    Ais { runs, betas: Betas::Count(20) }
}

fn up(n: u64, runs: usize, seed: u64) -> (AisEstimate, f64) {
    up_with(n, &options(runs), seed)
}

fn down(n: u64, runs: usize, seed: u64) -> (AisEstimate, f64) {
    down_with(n, &options(runs), seed)
}

/// Estimates ln Z of model n forward, and gives the exact one beside it.
fn up_with(n: u64, options: &Ais, seed: u64) -> (AisEstimate, f64) {
    let (rbm, base) = case(n);
    let path = rbm.path(&base).unwrap();
    let found = forward(&path, options, key(seed).fold_in(n), &mut |_, _| {}).unwrap();
    (found, log_z_joint(&exact(&rbm)))
}

/// Estimates ln Z of model n backward from exact samples.
fn down_with(n: u64, options: &Ais, seed: u64) -> (AisEstimate, f64) {
    let (rbm, base) = case(n);
    let (x, path) = (exact(&rbm), rbm.path(&base).unwrap());
    let drawn = sample_joint(&x, options.runs, &mut Rng::new(seed * 1000 + n));
    let visible: Vec<u64> = drawn.iter().map(|(v, _)| *v).collect();
    let samples = states(x.visible, &visible);
    let found = reverse(&path, samples, options, key(seed).fold_in(n), &mut |_, _| {}).unwrap();
    (found, log_z_joint(&x))
}

/// Gives (mean weight / its expectation − 1) and the standard error of that, from the interval of three errors: the end
/// that is farther from 0 weight is ln(1 + 3e) away.
fn relative((found, log_z): (AisEstimate, f64), sign: f64) -> (f64, f64) {
    let ratio = (sign * (found.log_z - log_z)).exp();
    let far = if sign > 0.0 { found.interval.high - found.log_z } else { found.log_z - found.interval.low };
    (ratio - 1.0, ratio * far.exp_m1() / 3.0)
}

/// E[w] = Z / Z_base forward and E[w'] = Z_base / Z backward: |z| < z*(100) with 1,000 runs a model, either way. The
/// smallest deviation found is z* standard errors, some percent.
#[test]
fn weights_are_unbiased() {
    for n in 0..MODELS {
        for (off, error) in [relative(up(n, 1000, 1), 1.0), relative(down(n, 1000, 1), -1.0)] {
            // A path without variance, as for weights all zero, is exact but for rounding.
            let bound = z_star(2 * MODELS as usize) * error + 1e-5;
            assert!(off.abs() < bound, "model {n}: off by {off}, standard error {error}");
        }
    }
}

/// Counts how often intervals of one and three standard errors cover Z.
fn coverage(repeats: u64) -> (f64, [f64; 2]) {
    let mut covered = [0.0; 2];
    for (n, seed) in (0..MODELS).flat_map(|n| (0..repeats).map(move |seed| (n, seed))) {
        let found = up(n, 100, 10 + seed);
        let (off, error) = relative(found, 1.0);
        covered[0] += f64::from(u8::from(off.abs() <= error + 1e-6));
        covered[1] += f64::from(u8::from((found.0.interval.low..=found.0.interval.high).contains(&found.1)));
    }
    let total = (MODELS * repeats) as f64;
    (total, covered.map(|n| n / total))
}

/// 400 intervals of 100 runs. Of one standard error, the true coverage lies in 63–73 %; the count has deviation
/// √(p q / 400) ≤ 0.0242, and two bounds are compared. Of three, it is at least 99 %: misses are Poisson with mean at
/// most 4, and P(≥ 19) < 1e-6.
#[test]
fn intervals_cover() {
    let (total, [one, three]) = coverage(4);
    let noise = z_star(2) * (0.25 / total).sqrt();
    assert!((0.63 - noise..0.73 + noise).contains(&one), "1σ covers {one}");
    assert!(total * (1.0 - three) < 19.0, "3σ covers {three}");
}

#[test]
#[ignore = "long form of intervals_cover: 10⁴ intervals"]
fn ten_thousand_intervals_cover() {
    let (_, [one, three]) = coverage(100);
    assert!((0.63..=0.73).contains(&one) && three >= 0.99, "1σ covers {one}, 3σ {three}");
}

/// No two intervals of opposite directions miss each other: together they are six standard errors apart.
#[test]
fn intervals_of_both_directions_meet() {
    for n in 0..MODELS {
        let (f, r) = (up(n, 100, 3).0.interval, down(n, 100, 3).0.interval);
        assert!(f.low <= r.high && r.low <= f.high, "model {n}: {f:?} and {r:?}");
    }
}

/// Forward errs low and backward high (E[ln w] < ln E[w]): with one jump and two runs an estimate the error is so large
/// that its mean over 2,000 of them leaves the noise by z*(2) standard errors.
#[test]
fn both_directions_bracket_log_z() {
    let options = Ais { runs: 2, betas: Betas::Count(2) };
    let errors = |estimate: fn(u64, &Ais, u64) -> (AisEstimate, f64)| -> Vec<f64> {
        let cases = (0..MODELS).flat_map(|n| (0..20).map(move |seed| (n, seed)));
        let found = cases.map(|(n, seed)| estimate(n, &options, 20 + seed));
        found.map(|(found, log_z)| found.log_z - log_z).collect()
    };
    let (below, above) = (z_score(&errors(up_with), 0.0), z_score(&errors(down_with), 0.0));
    assert!(below < -z_star(2) && above > z_star(2), "forward {below}, backward {above} standard errors");
}

#[test]
fn the_base_has_its_log_z() {
    for n in 0..MODELS {
        let (rbm, base) = case(n);
        let bias: Vec<f64> = base.bias().iter().map(|&a| f64::from(a)).collect();
        let bound: f64 = bias.iter().map(|&a| tau_softplus(0.0, a)).sum();
        let got = rbm.path(&base).unwrap().base_log_z();
        close(got, base_log_z(rbm.hidden_units(), &bias), bound + TAU_0, n);
    }
}

/// At β = 0 the path stands at the base, and its gain is F_base − F of the states it stood at.
#[test]
fn the_first_gain_is_a_difference_of_free_energies() {
    let (rbm, base) = case(4);
    let path = rbm.path(&base).unwrap();
    let start = path.base_samples(50, key(1));
    let gains = path.advance(&mut start.clone(), 0.0, 1.0, key(2));
    let data = harmonium::Batch::from_states(start.clone()).unwrap();
    let own = rbm.free_energy(&data).unwrap();
    let hidden = rbm.hidden_units() as f64 * std::f64::consts::LN_2;
    let energies = base.energy(&start);
    for (row, gain) in gains.into_iter().enumerate() {
        let expected = energies[row] - hidden - own[row];
        // Two routes to the same f32 activations: only softplus of zero inputs may round, 2 ulp a unit.
        close(gain, expected, rbm.hidden_units() as f64 * tau_softplus(0.0, 0.0) + TAU_0, row);
    }
}

/// Marginals of the data are the default base: b = ln((ones + 1) / (rows − ones + 1)).
#[test]
fn marginals_are_smoothed() {
    let mut rbm = model(3, 2, 1.0, 9);
    rbm.set_marginals(&common::batch(3, &[0b001, 0b001, 0b011])).unwrap();
    let expected = [4.0_f64.ln(), (2.0_f64 / 3.0).ln(), 0.25_f64.ln()];
    rbm.base().bias().iter().zip(expected).for_each(|(&b, e)| close(f64::from(b), e, 2e-7, "bias"));
}
