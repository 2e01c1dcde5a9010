//! Proves the training of deep machines: statistics and gradients against the oracle, centring, resuming, threads.

mod common;

use common::deep::{deep, deeps, entries, every_row, judge, layers, means, packed, tau_unit};
use common::{all_close, close, coins, key};
use harmonium::dbn::deep::{Centred, Dbm, Inference};
use harmonium::persist::{Loaded, RealVfs, load};
use harmonium::rbm::Origin;
use harmonium::stats::Phases;
use harmonium::train::{
    Average, Cd, Estimator, Fit, Method, Pcd, Schedule, Silent, Snapshot, Step, Training, fit,
};
use harmonium::units::Units;
use harmonium::{Batch, EnergyModel, Gibbs, HasParams};
use harmonium_oracle::deep::Deep;
use std::ops::ControlFlow;

fn rested(dbm: &Dbm) -> Dbm {
    dbm.clone().with_inference(Inference { iterations: 400, tolerance: 0.0 }).unwrap()
}

/// Gives mean-field means of the rows, all at rest, and their mean statistics.
fn positive(x: &Deep, rows: &[u64]) -> Vec<f64> {
    let mut out = vec![0.0; x.parameters().len()];
    for &v in rows {
        let own = x.statistics(&x.mean_field(v, 2_000));
        out.iter_mut().zip(own).for_each(|(sum, x)| *sum += x / rows.len() as f64);
    }
    out
}

/// Bounds statistics of means at rest: those are known to 16 bits, which the weights spread.
fn tau(x: &Deep) -> f64 {
    let spread = 1.0 + x.weights.iter().flatten().map(|w| w.abs()).sum::<f64>();
    4.0 * spread * (tau_unit(x) + 1.0 / 65_536.0)
}

/// Positive statistics are those of mean field at rest.
#[test]
fn data_count_with_their_means() {
    for dbm in deeps(0.6).iter().map(rested) {
        let x = judge(&dbm);
        let data = every_row(&x);
        let rows: Vec<u64> = (0..data.rows() as u64).collect();
        let mut stats = dbm.stats();
        dbm.accumulate(&dbm.clamp(&data), &mut stats);
        assert_eq!(stats.rows(), data.rows() as u64);
        all_close(&means(&dbm, &stats), &positive(&x, &rows), tau(&x), "clamped");
        // What CD starts from counts alike, and its hidden layers are draws.
        let mut again = dbm.stats();
        dbm.accumulate(&dbm.infer(&data, key(1)), &mut again);
        assert_eq!(again, stats);
    }
}

/// Negative statistics average the layers of odd number out, exactly as the oracle does.
#[test]
fn chains_count_with_odd_layers_averaged_out() {
    for dbm in deeps(0.8) {
        let x = judge(&dbm);
        let all: Vec<u64> = (0..1 << x.units()).collect();
        let (state, mut stats) = (dbm.unpack(packed(&x, &all)).unwrap(), dbm.stats());
        dbm.accumulate(&state, &mut stats);
        let mut expected = vec![0.0; x.parameters().len()];
        for &mask in &all {
            let mut parts = x.features(mask);
            for l in (1..x.sizes.len()).step_by(2) {
                let on = x.on(l, &x.input(l, &parts));
                parts[l] = on.iter().map(|p| if x.spins[l] { 2.0 * p - 1.0 } else { *p }).collect();
            }
            let own = x.statistics(&parts);
            expected.iter_mut().zip(own).for_each(|(sum, x)| *sum += x / all.len() as f64);
        }
        // The f32 mean rounds numbers up to 1 twice.
        all_close(&means(&dbm, &stats), &expected, 2.0 * (tau_unit(&x) + 1.0 / 65_536.0), "chains");
        assert_eq!(layers(&x, &all)[0], state.layers()[0]);
    }
}

/// The contrast of data and of the model's own law is the gradient of the bound, with q at rest: central differences of the
/// oracle. Chains stand at every state of the even layers, as often as the law says.
#[test]
fn contrasts_are_gradients_of_the_bound() {
    for dbm in deeps(0.6).iter().map(rested) {
        let x = judge(&dbm);
        let rows = [1_u64, 2, 3, 3];
        let mut phases = Phases::new(dbm.stats());
        let data = common::batch(x.sizes[0], &rows);
        dbm.accumulate(&dbm.clamp(&data), &mut phases.positive);
        let n = 40_000.0;
        let times = |(mask, p): (usize, &f64)| std::iter::repeat_n(mask as u64, (p * n).round() as usize);
        let law = x.probabilities();
        let chains: Vec<u64> = law.iter().enumerate().flat_map(times).collect();
        dbm.accumulate(&dbm.unpack(packed(&x, &chains)).unwrap(), &mut phases.negative);
        let mut gradient = dbm.params();
        phases.contrast(&mut gradient);
        let (theta, step) = (x.parameters(), 1e-4);
        let loss = |theta: &[f64]| {
            let x = x.with_parameters(theta);
            let bounds = rows.iter().map(|&v| x.bound(&x.mean_field(v, 2_000)));
            x.log_z() - bounds.sum::<f64>() / rows.len() as f64
        };
        for (at, got) in entries(&gradient).into_iter().enumerate() {
            let moved = |by: f64| {
                let mut theta = theta.clone();
                theta[at] += by;
                loss(&theta)
            };
            let expected = (moved(step) - moved(-step)) / (2.0 * step);
            // Every state's share is rounded by half a row of 40,000; spins count twice.
            let counts = law.len() as f64 / n;
            close(got, expected, tau(&x) + 2.0 * counts + 1e-6, at);
        }
    }
}

/// Rows of a teacher of 4 visible units.
fn taught() -> (Dbm, Batch, Vec<f64>) {
    let teacher = judge(&deep(&[4, 3, 2], &[], 4.0, 2));
    let log_p: Vec<f64> = teacher.unnormalized().iter().map(|f| f - teacher.log_z()).collect();
    let times =
        |(v, log_p): (usize, &f64)| std::iter::repeat_n(v as u64, (log_p.exp() * 2_000.0).round() as usize);
    let rows: Vec<u64> = log_p.iter().enumerate().flat_map(times).collect();
    let student =
        Dbm::for_data(&common::batch(4, &rows), &[Units::Bernoulli(3), Units::Bernoulli(2)], key(5));
    (student.unwrap(), common::batch(4, &rows), log_p)
}

/// Training by `fit` reaches the teacher: of the divergence of independent units, which is where it starts, less than a tenth is left;
/// with centring, too.
#[test]
fn training_learns_a_teacher() {
    let (student, data, log_p) = taught();
    let divergence = |dbm: &Dbm| {
        let x = judge(dbm);
        let q: Vec<f64> = x.unnormalized().iter().map(|f| f - x.log_z()).collect();
        log_p.iter().zip(q).map(|(p, q)| p.exp() * (p - q)).sum::<f64>()
    };
    let start = divergence(&student);
    assert!(start > 0.1, "{start} nats to learn");
    let options = Fit {
        epochs: 400,
        learning_rate: Schedule::Linear { from: 0.2, to: 0.0 },
        average: Some(Average::default()),
        ..Fit::default()
    };
    for centred in [false, true] {
        let mut dbm = student.clone();
        let mut training = Training::new(&dbm, &data, &options).unwrap();
        let mut estimator: Box<dyn Estimator<Dbm>> =
            if centred { Box::new(Centred::new(Pcd::new(5, 200))) } else { Box::new(Pcd::new(5, 200)) };
        training.run(&mut dbm, &data, estimator.as_mut(), key(6), &mut Silent).unwrap();
        let end = divergence(&training.averaged(&dbm).unwrap());
        assert!(end < 0.1 * start, "centred {centred}: {end} of {start}");
    }
}

fn wide() -> (Dbm, Batch) {
    let units = [70, 40, 30, 20].map(Units::Bernoulli);
    let dbm = Dbm::new(&units, key(1)).unwrap().with_inference(Inference { iterations: 5, tolerance: 1e-3 });
    (dbm.unwrap(), Batch::from_bits(coins(90, 70, 1)).unwrap())
}

fn options() -> Fit {
    Fit {
        epochs: 3,
        batch: 40,
        method: Method::adam(),
        learning_rate: Schedule::Constant(0.01),
        average: Some(Average::exponential(0.9)),
        ..Fit::default()
    }
}

fn estimators() -> [Box<dyn Estimator<Dbm>>; 4] {
    [
        Box::new(Pcd::new(2, 37)),
        Box::new(Cd::new(2)),
        Box::new(Centred::new(Pcd::new(1, 40))),
        Box::new(Centred::enhanced(Cd::new(1))),
    ]
}

#[test]
fn threads_change_no_bit() {
    for n in 0..4 {
        let train = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let ((mut dbm, data), mut estimators) = (wide(), estimators());
                fit(&mut dbm, &data, estimators[n].as_mut(), &options(), key(2), &mut Silent).unwrap();
                let bound = dbm.variational_bound(&data).unwrap();
                (dbm.digest(), dbm.params(), estimators[n].kept(), bound)
            })
        };
        let first = train(1);
        assert!([2, 3, 8].into_iter().all(|threads| train(threads) == first), "estimator {n}");
    }
}

/// Goes on from the checkpoint of every step, through a file, and ends with the same bits.
#[test]
fn a_resumed_training_ends_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint");
    for n in 0..4 {
        let ((mut dbm, data), mut whole) = (wide(), estimators());
        let mut kept: Vec<(Dbm, Snapshot)> = Vec::new();
        let mut keep = |step: &Step<'_, Dbm>| {
            kept.push((step.model.clone(), step.snapshot()));
            ControlFlow::Continue(())
        };
        let mut training = Training::new(&dbm, &data, &options()).unwrap();
        training.run(&mut dbm, &data, whole[n].as_mut(), key(2), &mut keep).unwrap();
        let end = (dbm.digest(), dbm.params(), whole[n].kept(), training.averaged(&dbm).map(|a| a.params()));
        assert_eq!(kept.len(), 9);
        for (model, snapshot) in &kept {
            let origin = Origin { seed: 2, step: snapshot.step, recipe: String::new() };
            let (header, tensors) = model.to_checkpoint(snapshot, &origin);
            let kind = harmonium::persist::Kind::Checkpoint;
            harmonium::persist::save(&RealVfs, &path, kind, &header, &tensors).unwrap();
            let loaded: Loaded<_> = load(&RealVfs, &path, None).unwrap();
            let (mut dbm, read, _) = Dbm::from_checkpoint(loaded).unwrap();
            assert_eq!(&read, snapshot);
            let (mut training, mut again) = (Training::new(&dbm, &data, &options()).unwrap(), estimators());
            training.restore(&mut dbm, again[n].as_mut(), &read).unwrap();
            training.run(&mut dbm, &data, again[n].as_mut(), key(2), &mut Silent).unwrap();
            let now =
                (dbm.digest(), dbm.params(), again[n].kept(), training.averaged(&dbm).map(|a| a.params()));
            assert!(now == end, "estimator {n}, step {}", snapshot.step);
        }
    }
}

/// Options about two layers are refused before anything is changed, and so are other data.
#[test]
fn options_about_two_layers_are_refused() {
    let (dbm, data) = wide();
    let refused = |options: Fit| {
        let mut own = dbm.clone();
        let error = fit(&mut own, &data, &mut Pcd::new(1, 10), &options, key(1), &mut Silent).unwrap_err();
        assert_eq!(own, dbm);
        error.to_string()
    };
    assert!(refused(Fit { enhanced: true, ..Fit::default() }).starts_with("enhanced"));
    assert!(
        refused(Fit { centre: Some(harmonium::train::Centre::default()), ..Fit::default() })
            .starts_with("centre")
    );
    let mut bad = Centred::new(Pcd::new(1, 10));
    bad.rate = 0.0;
    assert!(Estimator::<Dbm>::check(&bad).unwrap_err().to_string().starts_with("centre rate"));
    let mut own = dbm.clone();
    let narrow = Batch::from_bits(coins(3, 69, 1)).unwrap();
    assert!(fit(&mut own, &narrow, &mut Pcd::new(1, 10), &Fit::default(), key(1), &mut Silent).is_err());
    assert_eq!(own, dbm);
}
