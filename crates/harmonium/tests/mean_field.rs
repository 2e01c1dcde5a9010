//! Proves extended mean field: its fixed points against a plain f64 iteration, its orders against the exact moments.

mod common;

use common::{all_close, batch, close, exact, key, library, model};
use harmonium::address::Address;
use harmonium::rbm::{MeanField, Order, Rbm};
use harmonium::stats::Phases;
use harmonium::train::{Estimate, Estimator, Kept};
use harmonium::{EnergyModel, Error};
use harmonium_oracle::math::sigmoid;
use harmonium_oracle::moments::moments;
use harmonium_oracle::rbm::Rbm as Exact;

const ORDERS: [Order; 3] = [Order::First, Order::Second, Order::Third];

/// Runs an estimator `sweeps` steps and gives its negative phase, as the gradient with the data's statistics added.
fn negative(rbm: &Rbm, mean: &mut MeanField, sweeps: u32, step: u64) -> Vec<f64> {
    let data = batch(rbm.visible_units(), &[0, 1, 3]);
    let mut phases = Phases::new(rbm.stats());
    let estimate = mean.estimate(rbm, &data, sweeps, Address::new(key(4), step), &mut phases).unwrap();
    let Estimate::Gradient(gradient) = estimate else { panic!("a finished gradient") };
    let got = gradient.tensors().iter().flat_map(|t| t.values.iter().map(|&x| f64::from(x)));
    got.zip(common::means(&phases.positive, rbm)).map(|(g, p)| g + p).collect()
}

/// ln Z expanded at magnetisations: Σ S + b·m + c·m + Σ W m m + ½ W² V V + ⅔ W³ A A, term by term.
fn expanded(x: &Exact, order: Order, m: &[f64]) -> f64 {
    let entropy = |m: &f64| -m * m.ln() - (1.0 - m) * (1.0 - m).ln();
    let fields = x.visible_bias.iter().chain(&x.hidden_bias).zip(m).map(|(b, m)| b * m);
    let mut out = m.iter().map(entropy).sum::<f64>() + fields.sum::<f64>();
    let (v, a) = (|m: f64| m * (1.0 - m), |m: f64| m * (1.0 - m) * (0.5 - m));
    for i in 0..x.visible {
        for j in 0..x.hidden {
            let (w, p, q) = (x.weight(i, j), m[i], m[x.visible + j]);
            out += w * p * q;
            out += if order >= Order::Second { w * w * v(p) * v(q) / 2.0 } else { 0.0 };
            out += if order >= Order::Third { w * w * w * a(p) * a(q) * 2.0 / 3.0 } else { 0.0 };
        }
    }
    out
}

/// Solves ∂/∂m = 0 without the equations of the library: each m is set to σ of the slope of the rest, by differences of
/// the expansion, with damping, until nothing moves.
fn solved(x: &Exact, order: Order, mut m: Vec<f64>) -> Vec<f64> {
    let entropy_slope = |m: f64| ((1.0 - m) / m).ln();
    for _ in 0..3000 {
        for n in 0..m.len() {
            let h = 1e-6 * m[n].min(1.0 - m[n]);
            let at = |shift: f64| {
                let mut moved = m.clone();
                moved[n] += shift;
                expanded(x, order, &moved)
            };
            let slope = (at(h) - at(-h)) / (2.0 * h) - entropy_slope(m[n]);
            m[n] = 0.5 * m[n] + 0.5 * sigmoid(slope);
        }
    }
    m
}

/// After 500 damped steps the magnetisations are stored as f32, 2⁻²⁵ off a fixed point; differences of the expansion
/// (size ≤ 30, step 1e-6 · m(1 − m) or so) err by 30 · 1e-16 / 1e-8 in a slope. Weights of deviation 0.5 have one fixed
/// point, so both find it.
#[test]
fn fixed_points_are_stationary_points_of_the_expansion() {
    for (seed, order) in (0..9).zip(ORDERS.into_iter().cycle()) {
        let rbm = model(5, 4, 0.5, 500 + seed);
        let mut mean = MeanField::new(order, 1, 6);
        negative(&rbm, &mut mean, 500, 0);
        let [v, h] = mean.magnetisations().unwrap();
        let expected = solved(&exact(&rbm), order, vec![0.5; 9]);
        for chain in 0..6 {
            let wide = |m: &[f32]| m.iter().map(|&m| f64::from(m)).collect::<Vec<_>>();
            let got = [wide(&v[chain * 5..][..5]), wide(&h[chain * 4..][..4])].concat();
            all_close(&got, &expected, 1e-6, (order, chain));
        }
    }
}

/// The negative phase is the slope of the expansion by each parameter, the magnetisations held: differences of step
/// 1e-5 in f64, mean over magnetisations that have not settled. Stored values are f32: 2⁻²⁴; the positive phase that
/// was added back rounds as much.
#[test]
fn moments_are_slopes_of_the_expansion() {
    for order in ORDERS {
        let rbm = model(4, 3, 1.0, 61);
        let (x, mut mean) = (exact(&rbm), MeanField::new(order, 1, 5));
        let got = negative(&rbm, &mut mean, 2, 0);
        let [v, h] = mean.magnetisations().unwrap();
        for (n, got) in got.iter().enumerate() {
            let slope = |chain: usize| {
                let m = v[chain * 4..][..4].iter().chain(&h[chain * 3..][..3]);
                let m: Vec<f64> = m.map(|&m| f64::from(m).clamp(1e-12, 1.0 - 1e-12)).collect();
                let at = |shift: f64| {
                    let mut moved = x.clone();
                    *moved.parameter_mut(n) += shift;
                    expanded(&moved, order, &m)
                };
                (at(1e-5) - at(-1e-5)) / 2e-5
            };
            close(*got, (0..5).map(slope).sum::<f64>() / 5.0, 5e-7, (order, n));
        }
    }
}

/// Halving the couplings divides the error of the means by 2^(order + 1): each order of the expansion is right and the
/// next one missing. The ratio of the largest errors lies within a quarter of that, as the next terms are W ≈ 0.1
/// to 0.2 times as large. Stored magnetisations err by 2⁻²⁵, far below errors of 8e-7 and more.
#[test]
fn each_order_gains_one_power_of_the_couplings() {
    for order in ORDERS {
        let error = |scale: f64| {
            let mut x = exact(&model(4, 3, 1.0, 86));
            x.weights.iter_mut().for_each(|w| *w *= scale);
            let rbm = library(&x);
            let x = exact(&rbm);
            let mut mean = MeanField::new(order, 1, 1);
            negative(&rbm, &mut mean, 300, 0);
            let [v, h] = mean.magnetisations().unwrap();
            let exact = moments(&x);
            let all = exact.visible.iter().chain(&exact.hidden).zip(v.iter().chain(h));
            all.map(|(m, &got)| (m - f64::from(got)).abs()).fold(0.0, f64::max)
        };
        let (ratio, expected) = (error(0.2) / error(0.1), f64::from(2 << (order as u32 + 1)));
        assert!(ratio > expected / 1.25 && ratio < expected * 1.25, "{order:?}: {ratio}, not {expected}");
    }
}

/// Two updates of k steps are one of 2k: magnetisations persist. They do not depend on the seed once they have settled.
#[test]
fn magnetisations_go_on_where_they_stood() {
    let rbm = model(5, 4, 0.5, 7);
    let (mut once, mut twice) = (MeanField::new(Order::Third, 1, 3), MeanField::new(Order::Third, 1, 3));
    negative(&rbm, &mut once, 8, 0);
    negative(&rbm, &mut twice, 4, 0);
    let half = twice.magnetisations().unwrap().clone();
    negative(&rbm, &mut twice, 4, 1);
    let far = |a: &MeanField, b: &[Vec<f32>; 2]| {
        let pairs = a.magnetisations().unwrap().iter().flatten().zip(b.iter().flatten());
        pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    };
    // The first half was rounded to f32, 2⁻²⁵ of numbers up to 1; damped steps do not enlarge that.
    assert!(far(&once, twice.magnetisations().unwrap()) <= 1e-6);
    assert!(far(&once, &half) > 1e-4, "the control");
}

#[test]
fn options_and_leftovers_out_of_range_are_named() {
    let mut bad = MeanField::new(Order::Second, 1, 0);
    assert!(bad.check().unwrap_err().to_string().starts_with("chains: expected 1 to"));
    bad = MeanField::new(Order::Second, 0, 5);
    assert!(bad.check().unwrap_err().to_string().starts_with("k: expected"));
    bad = MeanField::new(Order::Second, 1, 5);
    bad.damping = 1.0;
    assert!(bad.check().unwrap_err().to_string().starts_with("damping: expected"));
    let rbm = model(5, 4, 0.5, 7);
    let refused = |kept: Kept| -> Result<(), Error> {
        Estimator::<Rbm>::restore(&mut MeanField::new(Order::Second, 1, 2), &rbm, kept)
    };
    let both = |v: &[f32], h: &[f32]| {
        Kept::default().with_reals("mean/visible", &[2, 5], v).with_reals("mean/hidden", &[2, 4], h)
    };
    assert!(refused(both(&[0.5; 10], &[1.0; 8])).is_ok());
    let say = |kept| refused(kept).unwrap_err().to_string();
    assert_eq!(say(both(&[0.5; 10], &[1.5; 8])), "magnetisations: expected numbers from 0 to 1, got 1.5");
    let one = Kept::default().with_reals("mean/visible", &[2, 5], &[0.5; 10]);
    assert_eq!(say(one), "magnetisations: expected those of both layers, got those of one");
    let short = Kept::default().with_reals("mean/visible", &[1, 5], &[0.5; 5]);
    assert_eq!(say(short), "mean/visible: expected numbers of shape [2, 5], got numbers of shape [1, 5]");
}
