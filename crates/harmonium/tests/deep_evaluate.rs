//! Proves what is measured and asked of deep machines: ln Z, annealing, bounds, samples, features, pretraining, files.

mod common;

use common::deep::{deep, deeps, every_row, judge, masks, packed, tau_energy, tau_unit};
use common::tolerance::TAU_0;
use common::{all_close, close, coins, key};
use harmonium::dbn::deep::{Dbm, Inference};
use harmonium::evaluate::{Ais, AisEstimate, Annealing, Betas, Evaluable, forward, reverse};
use harmonium::persist::RealVfs;
use harmonium::rbm::Origin;
use harmonium::units::{Bernoulli, Layer, Spin, States, Unit, Units};
use harmonium::{Annealed, Batch, Gibbs, HasParams, Thermal};
use harmonium_oracle::rng::Rng;
use harmonium_oracle::sample::Table;
use harmonium_oracle::stats::{g_test, holm, z_star};

/// Gives machines with a base that is not their own visible layer.
fn cases() -> Vec<(Dbm, Layer)> {
    let more = [deep(&[2, 5, 2], &[], 1.0, 31), deep(&[1, 4, 1, 4], &[], 1.0, 32)];
    let all = deeps(1.0).into_iter().chain(more);
    let with_base = |dbm: Dbm| {
        let bias: Vec<f32> = (0..dbm.visible_units()).map(|i| 0.6 - 0.3 * i as f32).collect();
        let spins = dbm.layers()[0].signs();
        let base = if spins { Layer::Spin(Spin::new(bias)) } else { Bernoulli::new(bias).into() };
        (dbm, base)
    };
    all.map(with_base).collect()
}

/// ln Z by whichever side is smaller, and that of the base.
#[test]
fn log_z_is_exact() {
    for (dbm, base) in cases() {
        let x = judge(&dbm);
        close(dbm.log_z().unwrap(), x.log_z(), tau_energy(&x) + x.units() as f64 * 1e-6, &x.sizes);
        assert!(dbm.is_enumerable());
        let alone: f64 = base.log_z() + (x.units() - x.sizes[0]) as f64 * std::f64::consts::LN_2;
        close(dbm.path(&base).unwrap().base_log_z(), alone, 1e-5, &x.sizes);
        let half = dbm.tempered(0.5).log_z().unwrap();
        close(half, x.tempered(0.5).log_z(), tau_energy(&x) + x.units() as f64 * 1e-6, "tempered");
    }
    let large = Dbm::new(&[30, 60, 30].map(Units::Bernoulli), key(1)).unwrap();
    assert!(!large.is_enumerable() && large.log_z().is_err());
}

fn ais(runs: usize) -> Ais {
    Ais { runs, betas: Betas::Count(20) }
}

fn up(n: usize, runs: usize, seed: u64) -> (AisEstimate, f64) {
    let (dbm, base) = cases().swap_remove(n);
    let path = dbm.path(&base).unwrap();
    let found = forward(&path, &ais(runs), key(seed).fold_in(n as u64), &mut |_, _| {}).unwrap();
    (found, judge(&dbm).log_z())
}

/// E[w] = Z / Z_base from the base, and Z_base / Z from exact samples: |z| < z* of all comparisons.
#[test]
fn weights_are_unbiased() {
    let count = cases().len();
    let bound = z_star(2 * count);
    for (n, (dbm, base)) in cases().into_iter().enumerate() {
        let (x, path, runs) = (judge(&dbm), dbm.path(&base).unwrap(), 2_000);
        let off = |found: AisEstimate, sign: f64| {
            let ratio = (sign * (found.log_z - x.log_z())).exp();
            let far =
                if sign > 0.0 { found.interval.high - found.log_z } else { found.log_z - found.interval.low };
            (ratio - 1.0, ratio * far.exp_m1() / 3.0)
        };
        let (up, error) = off(up(n, runs, 1).0, 1.0);
        assert!(up.abs() < bound * error + 1e-5, "{:?}: off by {up}, standard error {error}", x.sizes);
        let (table, mut rng) = (Table::new(&x.probabilities()), Rng::new(n as u64));
        let drawn: Vec<u64> = (0..runs).map(|_| table.draw(&mut rng) as u64).collect();
        let samples = kept_side(&dbm, &drawn);
        let found = reverse(&path, samples, &ais(runs), key(2), &mut |_, _| {}).unwrap();
        let (down, error) = off(found, -1.0);
        assert!(down.abs() < bound * error + 1e-5, "{:?}: off by {down}, standard error {error}", x.sizes);
    }
}

/// Packs the layers that a path's runs stand on: those of the parity with fewer units.
fn kept_side(dbm: &Dbm, drawn: &[u64]) -> States {
    let x = judge(dbm);
    let units = |parity: usize| x.sizes.iter().skip(parity).step_by(2).sum::<usize>();
    if units(0) < units(1) {
        return packed(&x, drawn);
    }
    // Turned round, layers of odd number have even ones.
    let mut turned = x.clone();
    turned.sizes.remove(0);
    packed(&turned, &drawn.iter().map(|mask| mask >> x.sizes[0]).collect::<Vec<_>>())
}

/// Of 350 intervals of three standard errors each, misses are Poisson with mean at most 3.5, and P(≥ 18) < 1e-6.
#[test]
fn intervals_cover() {
    let missed = |n: usize, seed: u64| {
        let (found, log_z) = up(n, 100, 10 + seed);
        !(found.interval.low - 1e-6..=found.interval.high + 1e-6).contains(&log_z)
    };
    let misses = (0..cases().len()).map(|n| (0..50).filter(|&seed| missed(n, seed)).count()).sum::<usize>();
    assert!(misses < 18, "{misses} misses");
}

/// The likelihood of a deep machine is a bound: exact where enumeration says so, never above the truth, and within its interval
/// where it is annealed.
#[test]
fn likelihoods_are_bounds() {
    for (dbm, _) in cases() {
        let dbm = dbm.with_inference(Inference { iterations: 100, tolerance: 0.0 }).unwrap();
        let (x, data) = (judge(&dbm), every_row(&judge(&dbm)));
        let exact = dbm.likelihood_bound(&data, &Annealing::default(), key(1)).unwrap();
        let rows = data.rows() as f64;
        let truth = x.unnormalized().iter().map(|f| f - x.log_z()).sum::<f64>() / rows;
        let expected = (0..data.rows() as u64).map(|v| x.bound(&x.mean_field(v, 100)) - x.log_z());
        close(exact.log_likelihood, expected.sum::<f64>() / rows, 1e-3, &x.sizes);
        assert!(exact.log_likelihood <= truth + 1e-3 && exact.log_z_interval.width() == 0.0);
        let options = Annealing { ais: ais(500), ..Annealing::default() };
        let found = dbm.annealed_bound(&data, &options, key(2), &mut |_, _, _| ()).unwrap();
        close(
            found.log_likelihood,
            exact.log_likelihood,
            2.0 * found.log_z_interval.width() + 1e-3,
            &x.sizes,
        );
        assert_eq!(found.mean_unnormalized, exact.mean_unnormalized);
        // With one hidden layer mean field is exact.
        for likelihood in [exact, found] {
            assert_eq!(likelihood.is_bound, dbm.depth() > 1);
            assert_eq!(likelihood.to_string().starts_with("at least"), dbm.depth() > 1, "{likelihood}");
        }
    }
}

/// Samples follow the law once they are at rest, and their visible means are those given the layer above.
#[test]
fn samples_follow_the_law() {
    let mut found = Vec::new();
    for (seed, dbm) in deeps(0.8).into_iter().enumerate() {
        let (x, n) = (judge(&dbm), 10_000);
        let state = dbm.sample(n, 60, key(seed as u64), &mut |_| ());
        let (seen, law) = (masks(&x, state.layers()), x.probabilities());
        let mut counts = vec![0_u64; law.len()];
        seen.iter().for_each(|&mask| counts[mask as usize] += 1);
        found.push(g_test(&counts, &law).p_value);
        let means = dbm.visible_means(&state);
        for (row, &mask) in seen.iter().enumerate().take(50) {
            let on = x.on(0, &x.input(0, &x.features(mask)));
            let expected: Vec<f64> = on.iter().map(|p| if x.spins[0] { 2.0 * p - 1.0 } else { *p }).collect();
            let got: Vec<f64> = means.row(row).iter().map(|&m| f64::from(m)).collect();
            all_close(&got, &expected, 2.0 * (tau_unit(&x) + 1.0 / 65_536.0), row);
        }
    }
    let least = holm(&found).into_iter().fold(1.0, f64::min);
    assert!(least > 1e-6, "adjusted p-value {least:e}");
}

/// Features are mean field; the network of a machine of two hidden layers has them for its means at rest.
#[test]
fn features_are_means_and_networks_have_them() {
    let dbm =
        deep(&[4, 3, 2], &[], 0.8, 5).with_inference(Inference { iterations: 200, tolerance: 0.0 }).unwrap();
    let (x, data) = (judge(&dbm), every_row(&judge(&dbm)));
    let [first, second] = [1, 2].map(|l| dbm.transform(&data, l).unwrap());
    let inputs = dbm.network_inputs(&data).unwrap();
    let [(below, b1), (above, b2)] = dbm.network().unwrap();
    let sigmoid = |z: ndarray::Array2<f32>, b: &[f32]| {
        (z + ndarray::ArrayView1::from(b)).mapv(|a| 1.0 / (1.0 + (-a).exp()))
    };
    let h1 = sigmoid(inputs.dot(&below), &b1);
    let h2 = sigmoid(h1.dot(&above), &b2);
    for (got, expected) in h1.iter().zip(&first).chain(h2.iter().zip(&second)) {
        close(f64::from(*got), f64::from(*expected), 1e-4, "features");
    }
    let back = dbm.reconstruct(&data).unwrap();
    for v in 0..data.rows() {
        let mut parts = x.mean_field(v as u64, 200);
        parts[0] = x.on(0, &x.input(0, &parts));
        let got: Vec<f64> = back.row(v).iter().map(|&p| f64::from(p)).collect();
        all_close(&got, &parts[0], 1e-3, v);
    }
    assert!(dbm.transform(&data, 0).is_err() && dbm.transform(&data, 3).is_err());
    assert!(deep(&[3, 2], &[], 0.5, 1).network().is_err());
}

type Damage = fn(&mut harmonium::dbn::deep::Header, &mut Vec<harmonium::persist::Tensor>);

/// A file gives the machine back: parameters on the grid, base, inference. Damage is named.
#[test]
fn files_give_machines_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dbm");
    let mut dbm = deep(&[4, 3, 2, 2], &[1], 0.8, 3);
    dbm.set_marginals(&Batch::from_bits(coins(20, 4, 1)).unwrap()).unwrap();
    let dbm = dbm.with_inference(Inference { iterations: 7, tolerance: 0.5 }).unwrap();
    dbm.save(&RealVfs, &path, &Origin::default()).unwrap();
    let (read, header) = Dbm::load(&RealVfs, &path).unwrap();
    assert_eq!((read.digest(), read.base(), read.inference()), (dbm.digest(), dbm.base(), dbm.inference()));
    assert_eq!((header.model.as_str(), header.layers.len()), ("dbm", 4));
    let (header, tensors) = dbm.to_tensors(&Origin::default());
    let damages: [(&str, Damage); 6] = [
        ("model", |h, _| h.model = "rbm".into()),
        ("layers", |h, _| h.layers.truncate(1)),
        ("weights_2", |_, t| t.retain(|t| t.name != "weights_2")),
        ("nobody asked", |_, t| t.push(harmonium::persist::Tensor { name: "more".into(), ..t[1].clone() })),
        ("grid shift", |h, _| h.shift = 100),
        ("iterations", |h, _| h.inference.iterations = 0),
    ];
    for (named, damage) in damages {
        let (mut header, mut tensors) = (header.clone(), tensors.clone());
        damage(&mut header, &mut tensors);
        let kind = harmonium::persist::Kind::Model;
        harmonium::persist::save(&RealVfs, &path, kind, &header, &tensors).unwrap();
        let error = Dbm::load(&RealVfs, &path).unwrap_err().to_string();
        assert!(error.contains(named), "{named}: {error}");
    }
}

/// Chains that walk from rows end on the side that paths stand on.
#[test]
fn walks_end_where_paths_start() {
    for (dbm, base) in cases() {
        let x = judge(&dbm);
        let end =
            Evaluable::walk(&dbm, &every_row(&x).gather([0, 1, 0, 1, 0]), 3, key(1), &mut |_, _| ()).unwrap();
        let start = dbm.path(&base).unwrap().base_samples(5, key(1));
        assert_eq!((end.rows(), end.features()), (5, start.features()));
        let energies = dbm.energy(&dbm.sample(5, 4, key(1), &mut |_| ()));
        assert!(energies.iter().all(|e| e.is_finite()) && TAU_0 > 0.0);
    }
}
