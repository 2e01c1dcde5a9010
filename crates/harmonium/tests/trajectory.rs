//! Proves trajectory tempering: swaps with earlier models keep both laws, copies are kept when swaps grow seldom.

mod common;

use std::ops::ControlFlow;

use common::law::deviations;
use common::tolerance::{tau_g, tau_sweep, tau_z};
use common::{batch, bits, close, exact, key, library, masks, model};
use harmonium::address::Address;
use harmonium::persist::Values;
use harmonium::rbm::Rbm;
use harmonium::stats::Phases;
use harmonium::train::{
    Action, Estimator, Fit, Guard, Kept, Schedule, Silent, Snapshot, Step, Training, Trajectory, fit,
};
use harmonium::units::Units;
use harmonium::{Batch, EnergyModel, ErrorKind, Gibbs, HasParams, purpose};
use harmonium_oracle::enumerate::{joint_distribution, log_z_joint, minus_energies, visible_distribution};
use harmonium_oracle::gradient::statistics;
use harmonium_oracle::rbm::Rbm as Exact;
use harmonium_oracle::rng::Rng;
use harmonium_oracle::sample::sample_joint;
use harmonium_oracle::stats::z_star;
use rand::RngCore;

const ROWS: [u64; 4] = [0b1100, 0b0011, 0b1111, 0b0011];

/// What a training would have kept: chains of the model and of one earlier one.
fn kept(earlier: &Rbm, chains: [&[u64]; 2]) -> Kept {
    let kept = Kept::default().with_chains(Some(&bits(earlier.visible_units(), &chains.concat()).into()));
    let numbers = vec![0, 0, i64::from(earlier.shift()), 0, 0];
    let params = earlier.params();
    let add = |kept: Kept, t: &harmonium::params::Tensor| {
        kept.with_reals(&format!("rung-1/{}", t.name), &t.shape, &t.values)
    };
    params.tensors().iter().fold(kept.with_integers("trajectory", numbers), add)
}

fn negative(rbm: &Rbm, trajectory: &mut Trajectory, sweeps: u32, at: Address) -> Vec<f64> {
    let mut phases = Phases::new(rbm.stats());
    trajectory.estimate(rbm, &batch(4, &ROWS), sweeps, at, &mut phases).unwrap();
    common::means(&phases.negative, rbm)
}

/// Chains drawn exactly from both models still follow them after ten sweeps and swaps: |mean − exact| ≤ z*(m) s/√N + τ_g
/// and the variation of the sweeps, twice for two rungs. Control: the earlier model's law is out of that bound.
#[test]
fn swaps_keep_the_laws_of_both_models() {
    const CHAINS: usize = 50_000;
    for seed in 0..4 {
        let now = model(4, 3, 1.2, 600 + seed);
        let then = library(&exact(&now).tempered(0.5));
        let x = exact(&now);
        let mut rng = Rng::new(seed);
        let [a, b] = [&x, &exact(&then)]
            .map(|x| sample_joint(x, CHAINS, &mut rng).into_iter().map(|(v, _)| v).collect::<Vec<u64>>());
        let mut trajectory = Trajectory::new(1, CHAINS);
        trajectory.every = 1000;
        Estimator::<Rbm>::restore(&mut trajectory, &now, kept(&then, [&a, &b])).unwrap();
        let law = visible_distribution(&x);
        let (expected, deviations) = (statistics(&x, &law).entries(), deviations(&x, &law));
        let bound = |n: usize| {
            z_star(400) * deviations[n] / (CHAINS as f64).sqrt() + tau_g(&x) + 20.0 * tau_sweep(&x)
        };
        for step in 0..5 {
            let got = negative(&now, &mut trajectory, 2, Address::new(key(seed), step));
            (0..got.len()).for_each(|n| close(got[n], expected[n], bound(n), (seed, step, n)));
        }
        let rate = trajectory.swap_rates()[0];
        assert!(rate > 0.05 && rate < 0.999, "swap rate {rate}");
        let other = statistics(&x, &visible_distribution(&exact(&then))).entries();
        let far = |n: usize| (other[n] - expected[n]).abs() > 2.0 * bound(n);
        assert!((0..other.len()).any(far), "the laws are alike");
    }
}

/// Walks two rungs by the addresses of the definitions, with energies of the oracle, and ends at the same bits.
#[test]
fn rungs_walk_and_swap_as_their_addresses_say() {
    let (now, then, chains) = (model(4, 3, 1.5, 11), model(4, 3, 0.8, 12), 60);
    let models = [&now, &then];
    let mut rungs: [Vec<u64>; 2] = [1, 2].map(|seed| masks(&common::coins(chains, 4, seed).into()));
    let mut trajectory = Trajectory::new(1, chains);
    trajectory.every = 1000;
    Estimator::<Rbm>::restore(&mut trajectory, &now, kept(&then, [&rungs[0], &rungs[1]])).unwrap();
    let (mut done, mut turns) = (0, 0);
    for step in 0..4 {
        negative(&now, &mut trajectory, 1, Address::new(key(5), step));
        let pairs = [0, 1].map(|rung| {
            let own = key(5).fold_in(purpose::NEGATIVE).fold_in(step);
            let own = if rung == 0 { own } else { own.fold_in((1 << 32) + 1) };
            let mut state = common::chains(models[rung], &rungs[rung]);
            models[rung].sweep(&mut state, own.fold_in(0));
            rungs[rung] = masks(state.visible());
            common::pairs(&state)
        });
        if step % 2 == 0 {
            let [a, b] = models.map(exact);
            for chain in 0..chains {
                let [(v, h), (w, g)] = [pairs[0][chain], pairs[1][chain]];
                let p = (-a.energy(w, g) - b.energy(v, h) + a.energy(v, h) + b.energy(w, g)).exp();
                let swaps = key(5).fold_in(purpose::SWAP).fold_in(step).fold_in(0);
                let u = f64::from(swaps.stream(chain as u64).next_u32() >> 8) / 16_777_216.0;
                assert!((u - p).abs() > 1e-9, "a tie");
                if u < p {
                    (rungs[0][chain], rungs[1][chain]) = (w, v);
                    done += 1;
                }
            }
            turns += chains;
        }
        assert_eq!(masks(trajectory.standing().unwrap()), rungs.concat(), "step {step}");
    }
    assert_eq!(trajectory.swap_rates(), [f64::from(done) / turns as f64]);
}

/// Trained on few rows with a high rate, a model leaves its start behind: copies are kept, each where swaps had grown
/// seldom; a model that hardly moves keeps the first alone; and no more are kept than allowed.
#[test]
fn models_are_kept_when_swaps_grow_seldom() {
    let grown = |threshold: f32, most: usize, rate: f64| {
        let data = batch(4, &ROWS);
        let mut rbm = Rbm::for_data(&data, Units::Bernoulli(6), key(2)).unwrap();
        let mut trajectory = Trajectory::new(1, 50);
        (trajectory.threshold, trajectory.most, trajectory.every) = (threshold, most, 10);
        let learning_rate = Schedule::Constant(rate);
        let options = Fit { epochs: 400, batch: 2, learning_rate, ..Fit::default() };
        let first = rbm.params();
        fit(&mut rbm, &data, &mut trajectory, &options, key(3), &mut Silent).unwrap();
        assert!(trajectory.earlier().last() == Some(&first), "the oldest is the start");
        (trajectory.earlier().count(), rbm.digest())
    };
    let (many, one) = (grown(0.7, 50, 0.5).0, grown(0.7, 50, 1e-5).0);
    assert!(many > 2 && one == 1, "{many} and {one}");
    assert_eq!(grown(0.999, 3, 0.5).0, 2);
    assert_eq!(grown(0.7, 50, 0.5), grown(0.7, 50, 0.5));
}

/// One step from a machine of known ln Z, on chains drawn exactly. One-sided perturbation would have the deviation
/// √(χ²/N), χ² = Σ p_b² / p_a − 1; Bennett's estimate is asymptotically the best of those that use both samples, so
/// it has no larger one. Control: chains of the newest law on all rungs are out of that.
#[test]
fn log_z_along_the_ladder_is_that_of_the_enumeration() {
    const CHAINS: usize = 20_000;
    for seed in 0..6 {
        let now = model(4, 3, 1.2, 700 + seed);
        let then = library(&exact(&now).tempered(0.5));
        let [x, y] = [&now, &then].map(exact);
        let [p, q] = [&x, &y].map(visible_distribution);
        let chi = q.iter().zip(&p).map(|(q, p)| p * p / q).sum::<f64>() - 1.0;
        let bound = z_star(6) * (chi / CHAINS as f64).sqrt() + 2.0 * (tau_z(&x) + tau_z(&y));
        let mut rng = Rng::new(seed);
        let mut drawn =
            |x| sample_joint(x, CHAINS, &mut rng).into_iter().map(|(v, _)| v).collect::<Vec<u64>>();
        let (a, b) = (drawn(&x), drawn(&y));
        let estimate = |chains| {
            let mut trajectory = Trajectory::new(1, CHAINS);
            Estimator::<Rbm>::restore(&mut trajectory, &now, kept(&then, chains)).unwrap();
            now.log_z_along(&trajectory, log_z_joint(&y)).unwrap()
        };
        close(estimate([&a, &b]), log_z_joint(&x), bound, seed);
        let wrong = estimate([&a, &a]);
        assert!((wrong - log_z_joint(&x)).abs() > bound, "{seed}: the control");
    }
    let error = model(4, 3, 1.0, 1).log_z_along(&Trajectory::new(1, 5), 0.0).unwrap_err().to_string();
    assert_eq!(error, "trajectory: expected chains of this machine, got none");
}

/// Looking never changes a training, and a copy is the model of its time.
#[test]
fn copies_are_models_of_the_training() {
    let data = batch(4, &ROWS);
    let mut rbm = Rbm::for_data(&data, Units::Bernoulli(6), key(2)).unwrap();
    let mut trajectory = Trajectory::new(1, 50);
    (trajectory.threshold, trajectory.every) = (0.999, 1);
    let mut all = vec![rbm.params()];
    let mut keep = |step: &Step<'_, Rbm>| {
        all.push(step.model.params());
        ControlFlow::Continue(())
    };
    let learning_rate = Schedule::Constant(0.5);
    let options = Fit { epochs: 10, batch: 4, learning_rate, ..Fit::default() };
    fit(&mut rbm, &data, &mut trajectory, &options, key(3), &mut keep).unwrap();
    let places: Vec<_> = trajectory.earlier().map(|e| all.iter().position(|m| m == e)).collect();
    assert!(places.len() > 2 && places.iter().all(Option::is_some) && places.is_sorted_by(|a, b| a > b));
}

const CHAINS_OF_BROKEN: usize = 4000;

/// Prepares a training whose rate breaks the ladder; `least` is the share below which an update is rejected.
fn broken(least: f32, action: Action) -> (Batch, Rbm, Trajectory, Fit) {
    let data = batch(4, &ROWS);
    let rbm = Rbm::for_data(&data, Units::Bernoulli(3), key(2)).unwrap();
    let mut trajectory = Trajectory::new(1, CHAINS_OF_BROKEN);
    (trajectory.every, trajectory.least) = (5, least);
    let guard = Guard { action, limit: 1e6, every: 1 };
    let learning_rate = Schedule::Constant(80.0);
    (data, rbm, trajectory, Fit { epochs: 60, batch: 4, learning_rate, guard, ..Fit::default() })
}

const RETRY: Action = Action::Retry { factor: 0.5, max: 20 };

/// Gives Σ p_a(x) p_b(y) min(1, e^(E_a(x) + E_b(y) − E_a(y) − E_b(x))) of neighbours, by enumeration.
fn exact_shares(rbm: &Rbm, trajectory: &Trajectory) -> Vec<f64> {
    let rungs: Vec<Exact> =
        [rbm.clone()].into_iter().chain(trajectory.models(rbm).unwrap()).map(|m| exact(&m)).collect();
    let tables: Vec<_> = rungs.iter().map(|x| (joint_distribution(x), minus_energies(x))).collect();
    let share = |pair: &[(Vec<f64>, Vec<f64>)]| -> f64 {
        let [(p, a), (q, b)] = pair else { panic!("two rungs") };
        let gain = |x: usize, y: usize| (a[y] + b[x] - a[x] - b[y]).min(0.0).exp();
        (0..p.len()).map(|x| p[x] * (0..q.len()).map(|y| q[y] * gain(x, y)).sum::<f64>()).sum()
    };
    tables.windows(2).map(share).collect()
}

/// The share that is judged is a mean over 4000 chains of numbers in [0, 1], so its deviation is at most 0.008; chains have
/// followed the model for one sweep only, for which the rest of the allowance of half the bound is left.
#[test]
fn updates_that_break_the_ladder_are_rejected() {
    let run = |least: f32| {
        let (data, mut rbm, mut trajectory, options) = broken(least, RETRY);
        let mut copies = 0;
        let mut watch = |step: &Step<'_, Rbm>| {
            let (snapshot, params) = (step.snapshot(), step.model.params());
            let newest = snapshot.kept.tensors().into_iter().find(|t| t.name == "rung-1/weights");
            if let (Some(_), Some(newest)) = (step.notice, newest) {
                assert_eq!(
                    newest.values,
                    Values::F32(params.tensors()[0].values.clone()),
                    "the restored model is kept"
                );
                copies += 1;
            }
            ControlFlow::Continue(())
        };
        let summary = fit(&mut rbm, &data, &mut trajectory, &options, key(3), &mut watch).unwrap();
        let worst = exact_shares(&rbm, &trajectory).into_iter().fold(1.0, f64::min);
        (summary, worst, copies)
    };
    let (free, broken, _) = run(0.0);
    assert!(free.rollbacks == 0 && broken < 0.01, "the rate breaks the ladder: {broken}");
    let (held, worst, copies) = run(0.1);
    assert!(held.rollbacks > 0 && held.lowest_rate < 1.0 && copies > 0, "{held:?}");
    assert!(worst > 0.05, "the ladder holds: {worst}");
}

#[test]
fn a_rejected_update_ends_a_training_that_does_not_retry() {
    let (data, mut rbm, mut trajectory, options) = broken(0.1, Action::Stop);
    let mut last = rbm.digest();
    let mut keep = |step: &Step<'_, Rbm>| {
        last = step.model.digest();
        ControlFlow::Continue(())
    };
    let error = fit(&mut rbm, &data, &mut trajectory, &options, key(3), &mut keep).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Diverged(_)), "{error}");
    let said = "training diverged: swaps with the newest earlier model at step ";
    assert!(error.to_string().starts_with(said), "{error}");
    assert_eq!(rbm.digest(), last, "the model stands as before the update");
}

/// From every update on, rejected ones among them.
#[test]
fn a_training_with_rejections_resumed_after_any_step_ends_alike() {
    let (data, start, fresh, options) = broken(0.1, RETRY);
    let run = |from: Option<&Snapshot>| {
        let (mut rbm, mut trajectory, mut kept) = (start.clone(), fresh.clone(), Vec::new());
        let mut training = Training::new(&rbm, &data, &options).unwrap();
        from.iter().for_each(|from| training.restore(&mut rbm, &mut trajectory, from).unwrap());
        let mut keep = |step: &Step<'_, Rbm>| {
            kept.push(step.snapshot());
            ControlFlow::Continue(())
        };
        training.run(&mut rbm, &data, &mut trajectory, key(3), &mut keep).unwrap();
        (training.snapshot(&rbm, &trajectory), kept)
    };
    let (end, kept) = run(None);
    assert!(kept.len() > 60, "{} updates, some of them rejected", kept.len());
    for (n, from) in kept.iter().enumerate().filter(|(n, _)| n % 25 == 0 || *n < 8) {
        assert!(run(Some(from)).0 == end, "after update {n}");
    }
}

#[test]
fn options_and_leftovers_out_of_range_are_named() {
    let say = |change: fn(&mut Trajectory)| {
        let mut trajectory = Trajectory::new(1, 2);
        change(&mut trajectory);
        trajectory.check().unwrap_err().to_string()
    };
    assert!(say(|t| t.threshold = 0.0).starts_with("threshold: expected above 0 and below 1, got 0"));
    assert!(say(|t| t.threshold = f32::NAN).starts_with("threshold"));
    for wrong in [-0.1, 0.25, f32::NAN] {
        let refused = {
            let mut trajectory = Trajectory::new(1, 2);
            trajectory.least = wrong;
            trajectory.check()
        }
        .unwrap_err()
        .to_string();
        assert_eq!(refused, format!("least: expected 0 or above, and below the threshold, got {wrong}"));
    }
    assert!(say(|t| t.every = 0).starts_with("every: expected 1 or more updates"));
    assert!(say(|t| t.most = 1).starts_with("most rungs: expected 2 to 1000, got 1"));
    assert!(say(|t| t.chains = 1_000_000).starts_with("chains: expected at most 1000000 on all rungs"));
    let (rbm, earlier) = (model(4, 3, 1.0, 1), model(4, 3, 1.0, 2));
    let refused = |kept: Kept| {
        let mut trajectory = Trajectory::new(1, 2);
        Estimator::<Rbm>::restore(&mut trajectory, &rbm, kept).unwrap_err().to_string()
    };
    let whole = || kept(&earlier, [&[1, 2], &[3, 4]]);
    assert!(Estimator::<Rbm>::restore(&mut Trajectory::new(1, 2), &rbm, whole()).is_ok());
    assert_eq!(refused(kept(&earlier, [&[1, 2], &[3]])), "chains: expected 4 chains, got 3 chains");
    assert!(refused(whole().with_integers("trajectory", vec![0, 0, 99, 0, 0])).starts_with("grid shift"));
    for numbers in [vec![], vec![0, 0], vec![0, 0, 1, 1], vec![-1, 0, 1, 0, 0], vec![0, 0, i64::MAX, 0, 0]] {
        assert!(
            refused(whole().with_integers("trajectory", numbers)).starts_with("trajectory: expected two")
        );
    }
    let two = whole().with_integers("trajectory", vec![0, 0, 20, 0, 0, 20, 0, 0]);
    assert_eq!(refused(two), "chains: expected 6 chains, got 4 chains");
    assert_eq!(
        refused(whole().with_reals("rung-2/weights", &[1], &[0.0])),
        "rung-2/weights: expected none for trajectory tempering, got numbers of shape [1]"
    );
    let odd = whole().with_reals("rung-1/visible_bias", &[1], &[0.0]);
    assert!(refused(odd).starts_with("rung-1/visible_bias: expected numbers of shape [4]"));
}
