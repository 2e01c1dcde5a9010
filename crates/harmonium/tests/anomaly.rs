//! Proves that strangers are judged as defined: ranks with ties, p-values, what each unit adds, and the plain rulers.

mod common;

use common::close;
use common::units::machine;
use harmonium::evaluate::{Calibration, Independent, Mahalanobis, attribution, auroc};
use harmonium::rbm::Rbm;
use harmonium::units::Units;
use harmonium::{Batch, Marginal};
use harmonium_oracle::rng::Rng;
use ndarray::{Array2, array};

/// Sorted ranks give what all pairs give, to the last bit: halves add exactly.
#[test]
fn the_area_is_the_share_of_pairs_with_ties_as_halves() {
    let mut rng = Rng::new(1);
    for n in [1, 2, 7, 40] {
        for levels in [1, 3, 1000] {
            let mut scores = |n: usize| (0..n).map(|_| rng.below(levels) as f64 - 2.0).collect::<Vec<_>>();
            let (normal, other) = (scores(n), scores(2 * n - 1));
            let pair = |a: f64, b: f64| {
                if b > a {
                    1.0
                } else if a == b {
                    0.5
                } else {
                    0.0
                }
            };
            let sum: f64 = normal.iter().flat_map(|&a| other.iter().map(move |&b| pair(a, b))).sum();
            let expected = sum / normal.len() as f64 / other.len() as f64;
            close(auroc(&normal, &other).unwrap(), expected, 1e-15, (n, levels));
        }
    }
    assert_eq!(auroc(&[0.0, -0.0], &[-0.0]).unwrap(), 0.5, "two zeros tie");
    assert_eq!(auroc(&[f64::NEG_INFINITY], &[f64::INFINITY]).unwrap(), 1.0);
    assert_eq!(auroc(&[], &[1.0]).unwrap_err().to_string(), "normal scores: expected one at least, got none");
    let said = auroc(&[1.0], &[0.0, f64::NAN]).unwrap_err().to_string();
    assert_eq!(said, "anomalous scores at row 1: expected a number, got NaN");
}

/// Of a normal row among 19 others the p-value is any of 1/20 to 1 alike: 4,000 trials on free energies, χ² of 20 bins below
/// 63.68 (α = 10⁻⁶). Equal scores make p larger, never smaller; none is 0.
#[test]
fn p_values_of_normal_rows_are_even() {
    let rbm = machine(&Units::Gaussian(2), &Units::Bernoulli(3), 0.8, 2);
    let mut rng = Rng::new(3);
    let rows = Array2::from_shape_fn((80_000, 2), |_| rng.normal() as f32);
    let scores = rbm.free_energy(&Batch::reals(rows).unwrap()).unwrap().to_vec();
    let mut counts = [0.0; 20];
    for trial in scores.chunks_exact(20) {
        let p = Calibration::new(&trial[1..]).unwrap().p_value(trial[0]);
        counts[((p * 20.0).round() as usize).saturating_sub(1)] += 1.0;
        assert!((0.05..=1.0).contains(&p));
    }
    let chi: f64 = counts.iter().map(|n: &f64| (n - 200.0).powi(2) / 200.0).sum();
    assert!(chi < 63.68, "{chi}");
    let ties = Calibration::new(&[1.0, 1.0, 2.0]).unwrap();
    assert_eq!(ties.p_values(&[0.0, 1.0, 1.5, 2.0, 3.0]), [1.0, 1.0, 0.5, 0.5, 0.25]);
    assert!(ties.p_value(f64::NAN).is_nan(), "no number is no rank, least of all that of a normal row");
    assert!(Calibration::new(&[]).is_err() && Calibration::new(&[f64::NAN]).is_err());
}

/// Without couplings F(v) = −Σ b v + constant, so that unit i adds −b (v − its mean in the reference), and all add up to F less
/// the mean F of the reference; classes count as one unit each.
#[test]
fn each_unit_adds_its_part() {
    let bias = vec![1.0, -2.0, 0.5];
    let visible = Units::Bernoulli(3).layer(bias.clone());
    let hidden = Units::Bernoulli(2).layer(vec![0.3; 2]);
    let rbm = Rbm::from_layers(Array2::zeros((3, 2)), visible, hidden).unwrap();
    let rows = Batch::new(array![[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]].view()).unwrap();
    let reference =
        Batch::new(array![[1.0, 0.0, 0.0], [1.0, 0.0, 1.0], [1.0, 1.0, 0.0], [0.0, 0.0, 0.0]].view());
    let reference = reference.unwrap();
    let means = [0.75, 0.25, 0.25];
    let found = attribution(&rbm, &rows, &reference).unwrap();
    let values = rows.to_array();
    for ((r, i), &x) in found.indexed_iter() {
        close(x, -f64::from(bias[i]) * (f64::from(values[(r, i)]) - means[i]), 1e-6, (r, i));
    }
    let mean = rbm.free_energy(&reference).unwrap().mean().unwrap();
    let own = rbm.free_energy(&rows).unwrap();
    (0..2).for_each(|r| close(found.row(r).sum(), own[r] - mean, 1e-6, r));

    let units = Units::Categorical { units: 2, classes: 3 };
    let rbm = machine(&units, &Units::Bernoulli(2), 0.7, 4);
    let classes = |values: Array2<u16>| Batch::classes(values.view(), 3).unwrap();
    let (rows, reference) = (classes(array![[0, 1]]), classes(array![[2, 2], [1, 0]]));
    let found = attribution(&rbm, &rows, &reference).unwrap();
    let free = |values: Array2<u16>| rbm.free_energy(&classes(values)).unwrap().mean().unwrap();
    close(found[(0, 0)], free(array![[0, 1]]) - free(array![[2, 1], [1, 1]]), 1e-12, "first");
    close(found[(0, 1)], free(array![[0, 1]]) - free(array![[0, 2], [0, 0]]), 1e-12, "second");
}

/// −ln p of smoothed marginals: of 3 bits of which 1 is on p = 2/5; of reals the normal density of standardised values.
#[test]
fn independent_units_score_by_their_marginals() {
    let rows = Batch::new(array![[1.0], [0.0], [0.0]].view()).unwrap();
    let plain = Independent::fit(&Units::Bernoulli(1), &rows).unwrap();
    let found = plain.scores(&rows).unwrap();
    close(found[0], -(0.4_f64.ln()), 1e-6, "on");
    close(found[1], -(0.6_f64.ln()), 1e-6, "off");
    let rows = Batch::reals(array![[10.0], [14.0], [12.0], [12.0]]).unwrap();
    let found = Independent::fit(&Units::Gaussian(1), &rows).unwrap().scores(&rows).unwrap();
    // (x − 12)² / variance is 2 for the first two rows.
    close(found[0] - found[2], 1.0, 1e-3, "two variances");
    assert!(plain.scores(&rows).is_err());
}

/// (x − μ)ᵀ Σ⁻¹ (x − μ) by hand, the same after any affine change of columns, its mean over the training rows is their number of
/// columns, and columns that settle each other are refused.
#[test]
fn distances_are_those_of_mahalanobis() {
    let rows = array![[1.0_f32, 0.0], [-1.0, 0.0], [0.0, 2.0], [0.0, -2.0]];
    let ruler = Mahalanobis::fit(rows.view()).unwrap();
    // Σ = diag(½, 2).
    let asked = array![[1.0_f32, 0.0], [3.0, 2.0]];
    let found = ruler.scores(asked.view()).unwrap();
    close(found[0], 2.0, 1e-12, "first");
    close(found[1], 18.0 + 2.0, 1e-12, "second");
    let mut rng = Rng::new(5);
    let rows = Array2::from_shape_fn((50, 3), |_| rng.normal() as f32);
    let other =
        Array2::from_shape_fn((50, 3), |(r, c)| 3.0 * rows[(r, c)] + 0.5 * rows[(r, (c + 1) % 3)] - 7.0);
    let [a, b] = [&rows, &other].map(|x| Mahalanobis::fit(x.view()).unwrap().scores(x.view()).unwrap());
    // 32-bit columns of size 10 err by 5e-7, distances by some times that.
    a.iter().zip(&b).for_each(|(x, y)| close(*x, *y, 1e-4, "affine"));
    close(a.iter().sum::<f64>() / 50.0, 3.0, 1e-9, "mean");
    let settled = array![[1.0_f32, 2.0], [2.0, 4.0], [3.0, 6.0]];
    let said = Mahalanobis::fit(settled.view()).unwrap_err().to_string();
    assert!(said.starts_with("covariances at column 1"), "{said}");
    assert!(ruler.scores(rows.view()).is_err());
}
