//! Proves conjugate gradients on quadratics and autoencoders, binary codes and their search, and files of networks.

use std::ops::ControlFlow;
use std::path::Path;

use harmonium::dbn::net::{
    Activation, Autoencoder, Conjugate, Hamming, Neighbour, Network, NetworkHeader, Noise, Omit, Targets,
    Tuner, Tuning, conjugate, minimise, tune,
};
use harmonium::params::Tensor;
use harmonium::persist::{Kind, Loaded, RealVfs, load, save};
use harmonium::rbm::{Origin, Rbm};
use harmonium::train::{Average, Method};
use harmonium::units::Units;
use harmonium::{Batch, BitMatrix, HasParams, Key, Params};
use harmonium_oracle::rng::Rng;
use ndarray::Array2;

fn key() -> Key {
    Key::from_seed(7)
}

fn vector(values: Vec<f32>) -> Params {
    Params::new(vec![Tensor { name: "x", shape: vec![values.len()], values }])
}

/// ½ Σ aᵢ (xᵢ − 1)², and its gradient.
fn quadratic(a: &[f64], x: &Params) -> (f64, Params) {
    let x = &x.tensors()[0].values;
    let off: Vec<f64> = x.iter().map(|&x| f64::from(x) - 1.0).collect();
    let value = a.iter().zip(&off).map(|(a, off)| 0.5 * a * off * off).sum();
    (value, vector(a.iter().zip(&off).map(|(a, off)| (a * off) as f32).collect()))
}

/// With exact searches n directions that are conjugate to each other lead to the minimum of n dimensions (Hestenes & Stiefel
/// 1952), and fewer do not; after one search along −g the value is that of the formula f − (g·g)² / 2 g·A g.
#[test]
fn conjugate_gradients_solve_a_quadratic_in_as_many_searches_as_it_has_dimensions() {
    let a = [0.5, 1.0, 2.0, 5.0, 9.0];
    let start = vector(vec![3.0, -1.0, 0.5, 2.0, -2.0]);
    let solve = |searches| {
        let options = Conjugate { searches, slope: 1e-7, ..Conjugate::default() };
        minimise(start.clone(), &options, &mut |x| quadratic(&a, x))
    };
    let (first, gradient) = quadratic(&a, &start);
    let square = gradient.dot(&gradient);
    let curvature: f64 =
        a.iter().zip(&gradient.tensors()[0].values).map(|(a, &g)| a * f64::from(g) * f64::from(g)).sum();
    let ([before, after], _) = solve(1);
    assert_eq!(before, first);
    // A step that is off by 1e-7 of the slope changes the value by the square of that; coordinates are f32.
    let exact = first - square * square / (2.0 * curvature);
    assert!((after - exact).abs() < 1e-5 * first, "{after} {exact}");
    // Five searches reach what f32 leaves of each coordinate, 1e-7, grown by the few steps: far below 1e-8 of the start.
    let values: Vec<f64> = (1..=5).map(|searches| solve(searches).0[1]).collect();
    assert!(values[4] < 1e-8 * first && values[3] > 1e-6 * first, "{values:?}");
    assert!(values.is_sorted_by(|a, b| a > b), "{values:?}");
}

/// A valley that bends (Rosenbrock 1960): loose searches with interpolation and extrapolation get through it.
#[test]
fn conjugate_gradients_follow_a_bent_valley() {
    // Values asked for until one is near the minimum; behind it there is nothing that f32 could tell.
    let (mut asked, mut there) = (0, false);
    let mut ask = |p: &Params| {
        asked += u32::from(!there);
        let (x, y) = (f64::from(p.tensors()[0].values[0]), f64::from(p.tensors()[0].values[1]));
        let value = (1.0 - x).powi(2) + 100.0 * (y - x * x).powi(2);
        there |= value < 1e-6;
        let gradient = [-2.0 * (1.0 - x) - 400.0 * x * (y - x * x), 200.0 * (y - x * x)];
        (value, vector(gradient.iter().map(|&g| g as f32).collect()))
    };
    let options = Conjugate { searches: 60, ..Conjugate::default() };
    let ([before, after], at) = minimise(vector(vec![-1.2, 1.0]), &options, &mut ask);
    assert!((before - 24.2).abs() < 1e-4 && after < 1e-6, "{before} {after} {at:?}");
    assert!(asked < 300, "{asked}");
    // From the minimum there is nowhere to go.
    let ([_, end], still) = minimise(vector(vec![1.0; 3]), &options, &mut |x| quadratic(&[1.0; 3], x));
    assert_eq!((end, still), (0.0, vector(vec![1.0; 3])));
}

fn strokes(n: usize) -> Batch {
    let mut rng = Rng::new(4);
    let places: Vec<(usize, usize)> = (0..n).map(|_| (rng.below(4), rng.below(4))).collect();
    let x = Array2::from_shape_fn((n, 16), |(r, c)| {
        f32::from(u8::from(c / 4 == places[r].0 || c % 4 == places[r].1))
    });
    Batch::new(x.view()).unwrap()
}

fn autoencoder() -> Autoencoder {
    let sizes = [16, 12, 4, 12, 16];
    Autoencoder::new(Network::new(&sizes, &[Activation::Sigmoid; 4], key()).unwrap(), 2).unwrap()
}

#[test]
fn an_autoencoder_learns_by_conjugate_gradients_and_resumes() {
    let x = strokes(200);
    let options = Conjugate { epochs: 30, batch: 70, ..Conjugate::default() };
    let mut whole = autoencoder();
    let before = whole.squared_error(&x).unwrap();
    let mut epochs = 0;
    let mut watch = |seen: &harmonium::dbn::net::Searched<'_>| {
        assert!(seen.losses[1] <= seen.losses[0], "{:?}", seen.losses);
        epochs += u32::from(seen.ends_epoch);
        ControlFlow::Continue(())
    };
    let steps =
        conjugate(whole.network_mut(), &x, &Targets::Inputs, &options, (key(), 0), &mut watch).unwrap();
    assert_eq!((steps, epochs), (90, 30));
    let after = whole.squared_error(&x).unwrap();
    assert!(after < 0.3 * before, "{before} {after}");
    for stop in [1, 3, 50] {
        let mut part = autoencoder();
        let mut halt = |seen: &harmonium::dbn::net::Searched<'_>| {
            if seen.step == stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let done =
            conjugate(part.network_mut(), &x, &Targets::Inputs, &options, (key(), 0), &mut halt).unwrap();
        assert_eq!(done, stop);
        conjugate(part.network_mut(), &x, &Targets::Inputs, &options, (key(), done), &mut |_| {
            ControlFlow::Continue(())
        })
        .unwrap();
        assert_eq!(part.network().digest(), whole.network().digest());
    }
}

#[test]
fn codes_are_what_stands_between_encoder_and_decoder() {
    let (x, model) = (strokes(30), autoencoder());
    let codes = model.encode(&x).unwrap();
    assert_eq!((codes.dim(), model.code_units()), ((30, 4), 4));
    assert_eq!(model.decode(codes.clone()).unwrap(), model.reconstruct(&x).unwrap());
    let off = model.reconstruct(&x).unwrap() - x.to_array();
    let expected = off.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>() / 30.0;
    assert!((model.squared_error(&x).unwrap() - expected).abs() < 1e-12 * expected);
    let bits = model.codes(&x, 0.5).unwrap();
    for ((row, unit), code) in codes.indexed_iter() {
        assert_eq!(bits.get(row, unit), *code > 0.5);
    }
    let network = || Network::new(&[4, 3, 4], &[Activation::Tanh; 2], key()).unwrap();
    assert!(Autoencoder::new(network(), 0).is_err() && Autoencoder::new(network(), 2).is_err());
    assert!(Autoencoder::new(Network::new(&[4, 3, 5], &[Activation::Tanh; 2], key()).unwrap(), 1).is_err());
    assert!(model.decode(Array2::zeros((2, 3))).is_err() && model.codes(&x, f32::NAN).is_err());
    let rbm = Rbm::new(Units::Bernoulli(16), Units::Bernoulli(5), key()).unwrap();
    assert_eq!(Autoencoder::unrolled(&[&rbm]).unwrap().code_units(), 5);
}

/// Noise on the code's inputs is withstood by units at the ends of their sigmoid alone (Salakhutdinov & Hinton 2009, fig. 4).
#[test]
fn noise_drives_codes_to_their_ends() {
    let x = strokes(200);
    let spread = |noise| {
        let mut model = autoencoder();
        let options = Tuning { epochs: 150, batch: 20, method: Method::adam(), noise, ..Tuning::default() };
        let options = Tuning { learning_rate: harmonium::train::Schedule::Constant(0.01), ..options };
        tune(model.network_mut(), &x, &Targets::Inputs, &options, key(), &mut |_| ControlFlow::Continue(()))
            .unwrap();
        // How far units are from 0 and 1: ½ at most.
        let codes = model.encode(&x).unwrap();
        codes.iter().map(|y| f64::from(y.min(1.0 - y))).sum::<f64>() / codes.len() as f64
    };
    let (quiet, noisy) = (spread(None), spread(Some(Noise { layer: 2, deviation: 4.0 })));
    assert!(noisy < 0.5 * quiet, "{quiet} {noisy}");
}

#[test]
fn the_nearest_codes_are_those_of_a_search_by_hand() {
    for (rows, bits) in [(1, 1), (50, 5), (300, 64), (200, 131)] {
        let mut rng = Rng::new(8);
        let mut draw = |n: usize| BitMatrix::from_fn(n, bits, |_, _| rng.bernoulli(0.4));
        let (codes, queries) = (draw(rows), draw(7));
        let index = Hamming::new(codes.clone());
        for k in [0, 1, 10, rows, rows + 5] {
            let found = index.nearest(&queries, k).unwrap();
            for (query, found) in found.iter().enumerate() {
                let differ =
                    |row: usize| (0..bits).filter(|&j| codes.get(row, j) != queries.get(query, j)).count();
                let mut all: Vec<(usize, usize)> = (0..rows).map(|row| (differ(row), row)).collect();
                all.sort_unstable();
                let expected = all
                    .into_iter()
                    .take(k)
                    .map(|(d, row)| Neighbour { row, distance: d as u32 })
                    .collect::<Vec<_>>();
                assert_eq!(*found, expected, "{rows} {bits} {k}");
            }
        }
        assert!(index.nearest(&BitMatrix::zeros(2, bits + 1), 1).is_err());
    }
}

fn tuning() -> Tuning {
    Tuning {
        epochs: 4,
        batch: 40,
        method: Method::adam(),
        dropout: Omit { inputs: 0.1, hidden: 0.1 },
        average: Some(Average { decay: 0.9, start: 0.2 }),
        validation: 30,
        ..Tuning::default()
    }
}

/// A model file gives the network back; a checkpoint goes on as if there had been no file.
#[test]
fn files_hold_networks_and_their_tuning() {
    let (x, folder) = (strokes(200), tempfile::tempdir().unwrap());
    let (path, origin) = (folder.path().join("net"), Origin { seed: 7, step: 9, recipe: "{}".into() });
    let network = autoencoder().network().clone();
    network.save(&RealVfs, &path, &origin).unwrap();
    let (back, header) = Network::load(&RealVfs, &path).unwrap();
    assert_eq!((back.digest(), header.seed, header.step), (network.digest(), 7, 9));
    for method in [Method::adam(), Method::default()] {
        let options = Tuning { method, ..tuning() };
        let go_on = |_: &harmonium::dbn::net::Progress<'_>| ControlFlow::Continue(());
        let mut whole = network.clone();
        tune(&mut whole, &x, &Targets::Inputs, &options, key(), &mut { go_on }).unwrap();
        let mut part = network.clone();
        tune(&mut part, &x, &Targets::Inputs, &options, key(), &mut |progress| {
            if progress.tuner.step() < 12 {
                return ControlFlow::Continue(());
            }
            let (header, tensors) = progress.network.to_checkpoint(&progress.snapshot(), &origin);
            save(&RealVfs, &path, Kind::Checkpoint, &header, &tensors).unwrap();
            ControlFlow::Break(())
        })
        .unwrap();
        let loaded: Loaded<NetworkHeader> = load(&RealVfs, &path, Some(Kind::Checkpoint)).unwrap();
        let (mut found, snapshot, _) = Network::from_checkpoint(loaded).unwrap();
        let mut tuner = Tuner::new(&found, &x, &Targets::Inputs, &options).unwrap();
        tuner.restore(&mut found, &snapshot).unwrap();
        tuner.run(&mut found, &x, &Targets::Inputs, key(), &mut { go_on }).unwrap();
        assert_eq!(found.digest(), whole.digest());
        let (best, _) = Network::load(&RealVfs, &path).unwrap();
        assert_eq!(best.params(), snapshot.best.unwrap().2);
    }
}

#[test]
fn files_that_do_not_fit_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net");
    let network = autoencoder().network().clone();
    let (header, tensors) = network.to_tensors(&Origin::default());
    let refused = |header: NetworkHeader, tensors: Vec<harmonium::persist::Tensor>, path: &Path| {
        save(&RealVfs, path, Kind::Model, &header, &tensors).unwrap();
        Network::load(&RealVfs, path).unwrap_err().to_string()
    };
    let other = NetworkHeader { model: "rbm".into(), ..header.clone() };
    assert!(refused(other, tensors.clone(), &path).contains("model"));
    let none = NetworkHeader { activations: Vec::new(), ..header.clone() };
    assert!(refused(none, tensors.clone(), &path).contains("layers"));
    let many = NetworkHeader { activations: vec![Activation::Tanh; 17], ..header.clone() };
    assert!(refused(many, tensors.clone(), &path).contains("layers"));
    let fewer = NetworkHeader { activations: header.activations[1..].to_vec(), ..header.clone() };
    assert!(refused(fewer, tensors.clone(), &path).contains("nobody asked for"));
    let mut swapped = tensors.clone();
    let (first, third) = (swapped[0].name.clone(), swapped[2].name.clone());
    (swapped[0].name, swapped[2].name) = (third, first);
    assert!(refused(header.clone(), swapped, &path).contains("expected"));
    assert!(refused(header, tensors[1..].to_vec(), &path).contains("weights_1"));
}
