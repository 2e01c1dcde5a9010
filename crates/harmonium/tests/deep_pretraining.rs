//! Proves pretraining of deep machines: weights that count twice, by enumeration; how machines are put together; through `fit`.

mod common;

use common::deep::judge;
use common::{all_close, close, key};
use harmonium::Batch;
use harmonium::dbn::deep::{Dbm, Doubled, Twice, handed_on};
use harmonium::evaluate::Annealing;
use harmonium::rbm::Rbm;
use harmonium::train::{Fit, Silent, fit};
use harmonium::units::Units;
use harmonium_oracle::stats::z_star;

/// Pretrained machines are put together as published: with both sides at hand, layer 1 receives the mean of what it received in the two
/// trainings; weights between are halved.
#[test]
fn doubled_weights_make_a_deep_machine() {
    let rbm = |nv: usize, nh: usize, seed: u64| common::model(nv, nh, 0.7, seed);
    let (bottom, middle, top) = (rbm(4, 3, 1), rbm(3, 5, 2), rbm(5, 2, 3));
    let wide = |x: &[f32]| x.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>();
    let dbm = Dbm::from_rbms(&[&bottom, &middle, &top]).unwrap();
    let weights =
        |m: &ndarray::Array2<f32>, by: f32| m.iter().map(|&w| f64::from(by * w)).collect::<Vec<f64>>();
    for (l, (rbm, share)) in [(&bottom, 1.0), (&middle, 0.5), (&top, 1.0)].into_iter().enumerate() {
        all_close(&weights(&dbm.weights(l + 1).unwrap(), 1.0), &weights(&rbm.weights(), share), 1e-5, l);
    }
    let two = Dbm::from_rbms(&[&bottom, &rbm(3, 2, 4)]).unwrap();
    let (x, above) = (judge(&two), common::exact(&rbm(3, 2, 4)));
    for mask in 0..1 << x.units() {
        let (parts, got) = (x.features(mask), x.input(1, &x.features(mask)));
        let below = common::exact(&bottom);
        for (j, got) in got.iter().enumerate() {
            let up =
                (0..4).map(|i| 2.0 * parts[0][i] * below.weight(i, j)).sum::<f64>() + below.hidden_bias[j];
            let down =
                (0..2).map(|k| 2.0 * parts[2][k] * above.weight(j, k)).sum::<f64>() + above.visible_bias[j];
            close(got + x.biases[1][j], f64::midpoint(up, down), 1e-5, (mask, j));
        }
    }
    assert_eq!(wide(two.bias(0).unwrap()), wide(bottom.visible_bias()));
    assert_eq!(wide(two.bias(2).unwrap()), wide(rbm(3, 2, 4).hidden_bias()));
    let only = Dbm::from_rbms(&[&bottom]).unwrap();
    assert_eq!(only.weights(1).unwrap(), bottom.weights());
    assert!(Dbm::from_rbms(&[]).is_err());
    let reals = Batch::reals(ndarray::array![[1.0, 5.0], [2.0, 7.0]]).unwrap();
    let scaled = Rbm::for_data(&reals, Units::Bernoulli(2), key(1)).unwrap();
    assert!(Dbm::from_rbms(&[&scaled]).unwrap_err().to_string().starts_with("machines"));
    assert!(Dbm::from_rbms(&[&bottom, &top]).unwrap_err().to_string().starts_with("layer 1"));
    assert_eq!([0, 1, 2].map(|n| Twice::of(n, 3)), [Twice::Up, Twice::Nowhere, Twice::Down]);
    assert_eq!(Twice::of(0, 1), Twice::Nowhere);
}

/// One update of doubled weights, n rows alike: the positive statistics are σ(2 Wᵀv + c) upwards, and the negative ones follow from
/// v ∼ σ(W h + b), h ∼ that, whose law the oracle sums; z* of all entries.
#[test]
fn doubled_weights_count_twice_in_training() {
    let (n, rbm) = (20_000, common::model(3, 2, 0.8, 9));
    let x = common::exact(&rbm);
    for twice in [Twice::Up, Twice::Down, Twice::Nowhere] {
        let (up, down) =
            (if twice == Twice::Up { 2.0 } else { 1.0 }, if twice == Twice::Down { 2.0 } else { 1.0 });
        let on = |totals: Vec<f64>, bias: &[f64], gain: f64| -> Vec<f64> {
            let sigmoid = |a: f64| 1.0 / (1.0 + (-a).exp());
            totals.iter().zip(bias).map(|(t, b)| sigmoid(gain * (t - b) + b)).collect()
        };
        let given_v = |v: u64| on(x.hidden_activations(v), &x.hidden_bias, up);
        let given_h = |h: u64| on(x.visible_activations(h), &x.visible_bias, down);
        let product = harmonium_oracle::transition::product;
        let row = 0b101_u64;
        let (mut expected, hs) = (vec![0.0; 3 * 2 + 3 + 2], product(&given_v(row)));
        let statistic = |v: u64| {
            let (p, on) = (given_v(v), (0..3).map(|i| (v >> i & 1) as f64).collect::<Vec<_>>());
            [on.iter().flat_map(|v| p.iter().map(move |p| v * p)).collect(), on, p].concat()
        };
        for (h, ph) in hs.iter().enumerate() {
            for (v, pv) in product(&given_h(h as u64)).iter().enumerate() {
                let own: Vec<f64> = statistic(v as u64);
                expected.iter_mut().zip(own).for_each(|(sum, x)| *sum += ph * pv * x);
            }
        }
        let (data, mut phases) = (
            common::batch(3, &vec![row; n]),
            harmonium::stats::Phases::new(harmonium::EnergyModel::stats(&rbm)),
        );
        let mut own = Doubled::new(twice, 1);
        let at = harmonium::address::Address::new(key(3), 0);
        harmonium::train::Estimator::estimate(&mut own, &rbm, &data, 1, at, &mut phases).unwrap();
        let got = |stats| common::means(stats, &rbm);
        all_close(&got(&phases.positive), &statistic(row), 1e-4, twice);
        // Statistics lie between 0 and 1, so their deviation is at most ½.
        all_close(&got(&phases.negative), &expected, 0.5 * z_star(33) / (n as f64).sqrt(), twice);
        let handed = handed_on(&rbm, &data, twice, key(4)).unwrap().to_array();
        for (j, p) in given_v(row).into_iter().enumerate() {
            let mean = handed.column(j).iter().map(|&x| f64::from(x)).sum::<f64>() / n as f64;
            close(mean, p, 0.5 * z_star(6) / (n as f64).sqrt(), (twice, j));
        }
    }
}

/// Machines trained by `fit` with doubled weights make a deep one that fits its rows better than independent units do.
#[test]
fn pretraining_goes_through_fit() {
    let data = Batch::from_bits(harmonium::BitMatrix::from_fn(200, 12, |r, u| (u / 4 + r) % 3 == 0)).unwrap();
    let mut bottom = Rbm::for_data(&data, Units::Bernoulli(6), key(1)).unwrap();
    let options = Fit { epochs: 60, batch: 20, ..Fit::default() };
    fit(&mut bottom, &data, &mut Doubled::new(Twice::Up, 1), &options, key(2), &mut Silent).unwrap();
    let above = handed_on(&bottom, &data, Twice::Up, key(3)).unwrap();
    let mut top = Rbm::for_data(&above, Units::Bernoulli(4), key(4)).unwrap();
    fit(&mut top, &above, &mut Doubled::new(Twice::Down, 1), &options, key(5), &mut Silent).unwrap();
    let dbm = Dbm::from_rbms(&[&bottom, &top]).unwrap();
    let bound = dbm.likelihood_bound(&data, &Annealing::default(), key(6)).unwrap().log_likelihood;
    // Units on a third of the time: 12 (⅓ ln 3 + ⅔ ln 1.5) = 7.64 nats.
    assert!(bound > -5.0, "{bound}");
}
