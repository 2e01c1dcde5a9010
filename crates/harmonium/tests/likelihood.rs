//! Proves the likelihood call (oracle O8): exact where it can be, calibrated where it is annealed, refused where it says nothing.

mod common;

use common::{close, exact, key, model, states};
use harmonium::evaluate::{
    Ais, Annealing, Betas, Interval, Likelihood, annealed_likelihood, bennett, bennett_error, forward,
    log_likelihood,
};
use harmonium::rbm::{Parts, Rbm};
use harmonium::units::{Bernoulli, Layer};
use harmonium::{Batch, ErrorKind};
use harmonium_oracle::enumerate::log_z_joint;
use harmonium_oracle::rng::Rng;
use harmonium_oracle::sample::sample_joint;
use harmonium_oracle::stats::z_star;

const MODELS: u64 = 100;
const RUNS: usize = 100;

/// Draws rows from a machine that is enumerated.
fn rows(rbm: &Rbm, count: usize, seed: u64) -> Batch {
    let drawn = sample_joint(&exact(rbm), count, &mut Rng::new(seed));
    let visible: Vec<u64> = drawn.iter().map(|(v, _)| *v).collect();
    Batch::from_states(states(rbm.visible_units(), &visible)).unwrap()
}

/// Anneals model n both ways, its chains starting at exact samples; gives what was found and the exact ln Z.
fn annealed(n: u64, seed: u64) -> (Likelihood, f64) {
    let (nv, nh) = common::SIZES[n as usize % 6];
    let rbm = model(nv, nh, 1.0, 500 + n);
    let bias = (0..nv).map(|i| 0.8 - 0.3 * ((i as u64 + n) % 5) as f32).collect();
    let base: Layer = Bernoulli::new(bias).into();
    let starts = rows(&rbm, RUNS, 1000 * seed + n);
    let ais = Ais { runs: RUNS, betas: Betas::Adaptive(20) };
    let options =
        Annealing { ais, base: Some(&base), starts: Some(&starts), sweeps: 1, ..Annealing::default() };
    let key = key(seed).fold_in(n);
    let found = annealed_likelihood(&rbm, &starts, &options, key, &mut |_, _, _| ()).unwrap();
    (found, log_z_joint(&exact(&rbm)))
}

fn covers(interval: Interval, truth: f64) -> bool {
    // A path without variance is exact but for rounding.
    (interval.low - 1e-6..=interval.high + 1e-6).contains(&truth)
}

/// 400 estimates by Bennett's ratio. Of one standard error (a third of the interval), the coverage is 68 %: the count has a deviation of
/// at most √(¼ / 400), and two bounds about 63–73 % are compared. Of three, misses are Poisson with a mean of at most 4,
/// and P(≥ 19) < 1e-6. The same holds of the forward interval after an adaptive schedule.
#[test]
fn intervals_of_both_directions_together_cover() {
    let (mut one, mut missed) = (0.0, [0, 0]);
    for (n, seed) in (0..MODELS).flat_map(|n| (0..4).map(move |seed| (n, seed))) {
        let (found, truth) = annealed(n, 40 + seed);
        let (log_z, interval) = found.log_z_bennett.expect("works of both directions");
        let third = (interval.high - log_z) / 3.0;
        one += f64::from(u8::from(covers(Interval { low: log_z - third, high: log_z + third }, truth)));
        missed[0] += u8::from(!covers(interval, truth));
        missed[1] += u8::from(!covers(found.log_z_interval, truth));
    }
    let (one, noise) = (one / 400.0, z_star(2) * (0.25_f64 / 400.0).sqrt());
    assert!((0.63 - noise..0.73 + noise).contains(&one), "1σ covers {one}");
    assert!(missed.iter().all(|&missed| missed < 19), "3σ miss {missed:?} of 400");
}

/// Both directions together are no worse than either: the mean square error over 400 estimates with few runs and one jump
/// half-way is below that of the forward runs. The ratio of two such means has a deviation of about √(2 · 2 / 400) = 0.1, if the errors
/// were independent; as they are not, it is smaller.
#[test]
fn both_directions_are_better_than_one() {
    let (mut both, mut one) = (0.0, 0.0);
    for (n, seed) in (0..MODELS).flat_map(|n| (0..4).map(move |seed| (n, seed))) {
        let (found, truth) = annealed(n, 50 + seed);
        both += (found.log_z_bennett.unwrap().0 - truth).powi(2);
        one += (found.log_z - truth).powi(2);
    }
    assert!(both < one, "{both} and {one}");
}

/// A machine of 21 units on either side is not enumerated by the call, but is by the test.
#[test]
fn the_call_brackets_the_exact_value() {
    let rbm = model(22, 21, 0.5, 7);
    let data = Batch::from_states(rbm.sample(200, 200, key(1), &mut |_| ())).unwrap();
    let ais = Ais { runs: 100, betas: Betas::Adaptive(300) };
    let options = Annealing { ais, sweeps: 100, ..Annealing::default() };
    let found = log_likelihood(&rbm, &data, &options, key(2)).unwrap();
    let truth = rbm.log_z().unwrap();
    let [low, high] = [found.bracket().low, found.bracket().high];
    assert!((low..=high).contains(&truth), "{truth} in {found:?}");
    assert!(covers(found.log_z_bennett.unwrap().1, truth), "{truth} in {found:?}");
    close(found.log_likelihood, found.mean_unnormalized - found.log_z, 1e-12, "mean");
    assert!(
        found.reverse_sweeps == Some(100) && found.ess.unwrap() > 1.0 && found.reverse_ess.unwrap() > 1.0
    );
}

#[test]
fn what_can_be_enumerated_is() {
    let rbm = model(8, 4, 1.0, 3);
    let data = rows(&rbm, 50, 1);
    let found = log_likelihood(&rbm, &data, &Annealing::default(), key(1)).unwrap();
    assert_eq!((found.ess, found.log_z_reverse, found.bracket().width()), (None, None, 0.0));
    close(found.log_z, log_z_joint(&exact(&rbm)), 1e-5, "ln Z");
}

/// One jump from independent units to strong couplings leaves a run or two with all the weight: that is no estimate.
#[test]
fn what_says_nothing_is_refused() {
    let rbm = model(40, 40, 3.0, 5);
    let data = Batch::from_states(rbm.sample(50, 50, key(1), &mut |_| ())).unwrap();
    let ais = Ais { runs: 20, betas: Betas::Count(3) };
    let options = Annealing { ais, sweeps: 20, ..Annealing::default() };
    let refused = log_likelihood(&rbm, &data, &options, key(2)).unwrap_err();
    assert!(matches!(refused.kind(), ErrorKind::Uncertain(_)), "{refused}");
    assert!(refused.to_string().contains("nats wide: use more betas"), "{refused}");
    let patient = Annealing { widest: f64::INFINITY, ..options };
    assert!(log_likelihood(&rbm, &data, &patient, key(2)).is_ok(), "who asks for it gets it");
}

/// Works of two directions that lie 160 nats apart have a ratio, but no error that could be told.
#[test]
fn works_that_do_not_overlap_say_nothing() {
    let (there, back) = ([80.0, 82.0, 84.0, 86.0], [-80.0, -82.0, -84.0, -86.0]);
    let found = bennett(&there, &back).unwrap();
    assert!(found.is_finite() && bennett_error(&there, &back, found).is_infinite(), "{found}");
    let near = [0.0, 0.5, -0.5, 0.2];
    assert!(bennett_error(&near, &near, bennett(&near, &near).unwrap()).is_finite());
}

/// Narrow intervals of both directions that lie 40 nats apart are 41 nats wide together.
#[test]
fn disagreement_of_the_directions_is_width() {
    let at = |low: f64| (low + 0.5, Interval { low, high: low + 1.0 });
    let (log_z, log_z_interval) = at(10.0);
    let rbm = model(3, 2, 1.0, 1);
    let found = Likelihood {
        log_z,
        log_z_interval,
        log_z_reverse: Some(at(50.0)),
        ..rbm.exact_likelihood(&rows(&rbm, 5, 1)).unwrap()
    };
    close(found.bracket().width(), 41.0, 1e-12, "bracket");
    let refused = found.certain(3.0).unwrap_err().to_string();
    assert!(refused.contains("one 41 nats wide"), "{refused}");
}

/// A machine with one narrow mode, which forward runs never find: the row that lies there says that ln Z can't be that low. Of 24 × 24
/// weights of 1 and biases of −11.4, −F of all ones is 24 · 12.6 − 24 · 11.4 = 28.8.
#[test]
fn rows_more_than_certain_are_refused() {
    let parts = Parts {
        weights: ndarray::Array2::ones((24, 24)),
        visible_bias: ndarray::Array1::from_elem(24, -11.4),
        hidden_bias: ndarray::Array1::from_elem(24, -11.4),
    };
    let mut rbm = Rbm::from_parts(parts).unwrap();
    rbm.set_base(Bernoulli::new(vec![-5.0; 24])).unwrap();
    let ones = Batch::new(ndarray::Array2::ones((3, 24)).view()).unwrap();
    let ais = Ais { runs: 20, betas: Betas::Count(300) };
    let options = Annealing { ais, ..Annealing::default() };
    let found = rbm.annealed_likelihood(&ones, &options, key(9), &mut |_, _, _| ()).unwrap();
    assert!(found.log_z < 5.0 && found.log_z_interval.width() < 3.0, "{found:?}");
    close(found.bracket().high, 28.8, 0.01, "at least");
    assert!(found.certain(3.0).is_err());
}

/// Effective numbers of 1,000 runs with adaptively placed temperatures against the published spread at equal cost: 200
/// temperatures and a pilot of 3 · 65 with a tenth of the runs, and 220. ln of an effective number of some hundreds has a deviation of about
/// a tenth (that of the second moment of weights whose logarithms vary by ½), and heavy tails only flatter the smaller one; with 5
/// machines compared, the ratio must leave z*(5) √2 tenths, a factor of 2.1.
#[test]
fn adaptive_temperatures_are_better_at_equal_cost() {
    for seed in 0..5 {
        let rbm = model(30, 20, 2.0, 60 + seed);
        let base: Layer = Bernoulli::new(vec![0.0; 30]).into();
        let path = rbm.path(&base).unwrap();
        let ess =
            |betas: Betas| forward(&path, &Ais { runs: 1000, betas }, key(seed), &mut |_, _| ()).unwrap().ess;
        let (adaptive, fixed) = (ess(Betas::Adaptive(200)), ess(Betas::Count(220)));
        let factor = (z_star(5) * 2.0_f64.sqrt() / 10.0).exp();
        assert!(adaptive > factor * fixed, "machine {seed}: {adaptive} and {fixed} effective runs");
    }
}
