//! Proves eigenvectors, PCA and whitening against Jacobi's rotations, definitions and a published figure.

#![allow(clippy::needless_pass_by_value)] // A view is passed by value wherever ndarray is at home.

use harmonium::data::{Weighted, mnist, mnist_folder};
use harmonium::linear::{Covariance, Pca, Rotation, Whiten, Whitening, eigen};
use harmonium::{Batch, BitMatrix, Rows};
use harmonium_oracle::linear::{self as oracle, Matrix};
use harmonium_oracle::rng::Rng;
use ndarray::{Array2, ArrayView2, Axis, array};

/// Rows of features that depend on each other, about a mean far from zero: `(n, width)`.
fn rows(n: usize, width: usize, seed: u64) -> Array2<f32> {
    let mut rng = Rng::new(seed);
    let mix = Array2::from_shape_fn((width, width), |_| rng.normal());
    let free = Array2::from_shape_fn((n, width), |(_, j)| rng.normal() * (j + 1) as f64);
    (free.dot(&mix) + 50.0).mapv(|x| x as f32)
}

fn symmetric(n: usize, seed: u64) -> Array2<f64> {
    let mut rng = Rng::new(seed);
    let a = Array2::from_shape_fn((n, n), |_| rng.normal());
    &a + &a.t()
}

fn listed(matrix: ArrayView2<'_, f64>) -> Matrix {
    matrix.rows().into_iter().map(|row| row.to_vec()).collect()
}

fn most(values: &Array2<f64>) -> f64 {
    values.iter().fold(0.0, |most, x| most.max(x.abs()))
}

/// Matrices that are hard in their own ways: dense, with zero rows, with equal eigenvalues, of rank one, graded over 30 orders
/// of magnitude, tridiagonal, diagonal, of one entry, and zero.
fn matrices() -> Vec<Array2<f64>> {
    let mut holes = symmetric(40, 2);
    for i in [0, 7, 8, 39] {
        holes.row_mut(i).fill(0.0);
        holes.column_mut(i).fill(0.0);
    }
    let grade = |i: usize| 10.0_f64.powi(-(i as i32));
    let dense = symmetric(30, 3);
    vec![
        symmetric(1, 1),
        symmetric(2, 1),
        symmetric(57, 1),
        holes,
        Array2::eye(20) * 3.0,
        Array2::from_elem((25, 25), 1.0),
        Array2::from_shape_fn((30, 30), |(i, j)| dense[(i, j)] * grade(i) * grade(j)),
        Array2::from_shape_fn((21, 21), |(i, j)| match i.abs_diff(j) {
            0 => 10.0 - i as f64,
            1 => 1.0,
            _ => 0.0,
        }),
        Array2::from_diag(&array![1.0, -5.0, 0.0, 5.0]),
        Array2::zeros((6, 6)),
    ]
}

/// A v = λ v and vᵀv = 1 to some roundings of the largest entry: 1e-13 is 450 of them, for sums of up to 57 terms.
#[test]
fn eigenvectors_are_such_and_orthonormal() {
    for a in matrices() {
        let found = eigen::own(a.view()).unwrap();
        let (v, scale) = (&found.vectors, most(&a).max(f64::MIN_POSITIVE) * a.nrows() as f64);
        let residual = a.dot(&v.t()) - &v.t() * &found.values;
        assert!(most(&residual) <= 1e-13 * scale, "{} of {scale}", most(&residual));
        assert!(most(&(v.dot(&v.t()) - Array2::<f64>::eye(a.nrows()))) <= 1e-13);
        assert!(found.values.windows(2).into_iter().all(|pair| pair[0] >= pair[1]), "{}", found.values);
        for row in v.rows() {
            let largest = row.iter().fold(0.0_f64, |most, &x| if x.abs() > most.abs() { x } else { most });
            assert!(largest > 0.0);
        }
    }
}

#[test]
fn eigenvalues_are_those_of_jacobis_rotations() {
    for a in matrices() {
        let (values, _) = oracle::jacobi(&listed(a.view()));
        let found = eigen::own(a.view()).unwrap().values;
        let scale = most(&a).max(f64::MIN_POSITIVE) * a.nrows() as f64;
        assert!(found.iter().zip(&values).all(|(x, y)| (x - y).abs() <= 1e-13 * scale), "{found} {values:?}");
    }
}

/// Components up to their sign: the largest entry is positive. 40 rows in one block, 5,000 in two.
#[test]
fn components_are_the_eigenvectors_of_the_covariance() {
    for n in [40, 5_000] {
        let x = rows(n, 7, 5);
        let pca = Pca::fit(&Batch::reals(x.clone()).unwrap(), 4).unwrap();
        let (mean, matrix) = oracle::covariance(&listed(x.mapv(f64::from).view()));
        let (values, vectors) = oracle::jacobi(&matrix);
        assert!(pca.mean().iter().zip(&mean).all(|(a, b)| (a - b).abs() < 1e-9));
        let shares = pca.explained_share();
        for (k, own) in pca.components().rows().into_iter().enumerate() {
            assert!((pca.explained_variance()[k] / values[k] - 1.0).abs() < 1e-9);
            assert!((shares[k] - values[k] / values.iter().sum::<f64>()).abs() < 1e-9);
            let largest = (0..7).fold(0, |a, b| if own[b].abs() > own[a].abs() { b } else { a });
            let sign = vectors[k][largest].signum();
            assert!(own.iter().zip(&vectors[k]).all(|(a, b)| (a - sign * b).abs() < 1e-7), "{n} {k}");
        }
    }
}

/// A row of weight 2 is a row that stands twice, and one of weight 0 is not there; the values may be bits.
#[test]
fn weights_count_rows_and_bits_are_numbers() {
    let bits = BitMatrix::from_fn(60, 5, |r, u| (r * (u + 3) / 2 + r / 7) % 3 == 0);
    let batch = Batch::from_bits(bits).unwrap();
    let weights: Vec<f32> = (0..60).map(|r| (r % 3) as f32).collect();
    let often = batch.gather((0..60).flat_map(|r| vec![r; r % 3]));
    let weighted = Weighted::new(&batch, weights).unwrap();
    let (a, b) = (Covariance::of(&weighted).unwrap(), Covariance::of(&often).unwrap());
    assert!(a.rows == b.rows && most(&(a.matrix - b.matrix)) < 1e-14);
    let pca = Pca::fit(&weighted, 2).unwrap();
    let errors = [pca.squared_error(&weighted).unwrap(), pca.squared_error(&often).unwrap()];
    assert!((errors[0] - errors[1]).abs() < 1e-12 && errors[0] > 0.1, "{errors:?}");
}

/// What three of seven directions leave is the sum of the other variances; all seven leave nothing; codes are centred and their
/// variances those of the directions.
#[test]
fn reconstructions_lose_the_other_variances() {
    let x = rows(300, 7, 6);
    let batch = Batch::reals(x.clone()).unwrap();
    let all = Pca::fit(&batch, 7).unwrap();
    let three = all.truncated(3).unwrap();
    let lost: f64 = all.explained_variance().iter().skip(3).sum();
    let found = three.squared_error(&batch).unwrap();
    assert!((found / lost - 1.0).abs() < 1e-9, "{found} {lost}");
    let left = (three.reconstruct(x.view()).unwrap() - &x).mapv(|d| f64::from(d).powi(2));
    // The result is f32 about 50: 3e-6 a value.
    assert!((left.sum_axis(Axis(1)).mean().unwrap() / lost - 1.0).abs() < 1e-4);
    assert!((all.reconstruct(x.view()).unwrap() - &x).iter().all(|d| d.abs() < 2e-5));
    let (mean, matrix) =
        oracle::covariance(&listed(three.transform(x.view()).unwrap().mapv(f64::from).view()));
    for i in 0..3 {
        assert!(mean[i].abs() < 1e-4);
        assert!((matrix[i][i] / three.explained_variance()[i] - 1.0).abs() < 1e-5);
    }
}

fn whitened(rotation: Rotation, epsilon: f64) -> (Array2<f32>, Array2<f32>, Whitening) {
    let x = rows(400, 6, 8);
    let map = Whitening::fit(&Batch::reals(x.clone()).unwrap(), &Whiten { rotation, epsilon }).unwrap();
    (map.transform(x.view()).unwrap(), x, map)
}

/// White rows are f32 of size about 1, and so are their covariances to 1e-5. ZCA's map is symmetric and has positive eigenvalues:
/// that makes it the nearest.
#[test]
fn white_rows_have_unit_covariance() {
    for rotation in [Rotation::Pca, Rotation::Zca] {
        let (white, x, map) = whitened(rotation, 0.0);
        let (mean, matrix) = oracle::covariance(&listed(white.mapv(f64::from).view()));
        assert!(mean.iter().all(|m| m.abs() < 1e-5), "{mean:?}");
        for (i, row) in matrix.iter().enumerate() {
            for (j, c) in row.iter().enumerate() {
                assert!((c - f64::from(u8::from(i == j))).abs() < 1e-5, "{rotation:?} {i} {j}: {c}");
            }
        }
        assert!((map.inverse(white.view()).unwrap() - &x).iter().all(|d| d.abs() < 1e-3));
    }
    let (_, _, zca) = whitened(Rotation::Zca, 0.0);
    assert!(most(&(zca.matrix() - &zca.matrix().t())) < 1e-12);
    assert!(eigen::own(zca.matrix().view()).unwrap().values.iter().all(|&x| x > 0.0));
}

/// With ε the variance along a direction of variance λ becomes λ / (λ + ε); without, one that has none is refused.
#[test]
fn epsilon_damps_what_hardly_varies() {
    let (white, x, _) = whitened(Rotation::Pca, 2.0);
    let variances = Pca::fit(&Batch::reals(x).unwrap(), 6).unwrap().explained_variance().clone();
    let (_, matrix) = oracle::covariance(&listed(white.mapv(f64::from).view()));
    for (i, lambda) in variances.iter().enumerate() {
        assert!((matrix[i][i] - lambda / (lambda + 2.0)).abs() < 1e-5);
    }
    let flat = Batch::reals(array![[1.0, 2.0], [1.0, 3.0], [1.0, 5.0]]).unwrap();
    let error = Whitening::fit(&flat, &Whiten { epsilon: 0.0, ..Whiten::default() }).unwrap_err();
    assert!(error.to_string().starts_with("data at direction 1:"), "{error}");
    assert!(Whitening::fit(&flat, &Whiten::default()).is_ok());
    assert!(Whitening::fit(&flat, &Whiten { epsilon: f64::NAN, ..Whiten::default() }).is_err());
}

#[test]
fn threads_change_no_bit() {
    let batch = Batch::reals(rows(1_000, 130, 9)).unwrap();
    let values = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let pca = Pca::fit(&batch, 5).unwrap();
            let white = Whitening::fit(&batch, &Whiten::default()).unwrap();
            let codes = pca.transform(batch.to_array().view()).unwrap();
            (pca.squared_error(&batch).unwrap().to_bits(), pca, white, codes)
        })
    };
    let first = values(1);
    assert!([2, 3, 8].into_iter().all(|threads| values(threads) == first));
}

#[test]
fn maps_come_back_from_their_text_and_broken_text_is_refused() {
    let batch = Batch::reals(rows(20, 3, 4)).unwrap();
    let (pca, white) = (Pca::fit(&batch, 2).unwrap(), Whitening::fit(&batch, &Whiten::default()).unwrap());
    let (text, other) = (serde_json::to_string(&pca).unwrap(), serde_json::to_string(&white).unwrap());
    assert!(serde_json::from_str::<Pca>(&text).unwrap() == pca);
    assert!(serde_json::from_str::<Whitening>(&other).unwrap() == white);
    let narrow = r#""mean":{"v":1,"dim":[2],"data":[0.0,0.0]}"#;
    for text in [text, other] {
        let end = text.find("},").unwrap() + 1;
        let broken = format!("{{{narrow}{}", &text[end..]);
        assert!(
            serde_json::from_str::<Pca>(&broken).is_err()
                && serde_json::from_str::<Whitening>(&broken).is_err()
        );
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let x = rows(5, 3, 1);
    let batch = Batch::reals(x.clone()).unwrap();
    for components in [0, 4, usize::MAX] {
        assert!(
            Pca::fit(&batch, components).unwrap_err().to_string().starts_with("components: expected 1 to 3")
        );
    }
    let pca = Pca::fit(&batch, 2).unwrap();
    assert!(pca.truncated(3).is_err() && pca.truncated(0).is_err());
    assert!(pca.transform(x.slice(ndarray::s![.., ..2])).is_err() && pca.inverse(x.view()).is_err());
    let nan = Array2::from_elem((1, 3), f32::NAN);
    let said = pca.transform(nan.view()).unwrap_err().to_string();
    assert_eq!(said, "data at row 0, column 0: expected a finite number, got NaN");
    let gap = Batch::with_missing(
        array![[1.0, f32::NAN], [0.0, 2.0]].view(),
        &harmonium::units::Units::Gaussian(2),
    );
    assert!(Pca::fit(&gap.unwrap(), 1).is_err());
    assert!(eigen::own(Array2::zeros((2, 3)).view()).is_err());
    assert!(eigen::own(array![[1.0, f64::INFINITY], [0.0, 1.0]].view()).is_err());
}

/// The squared errors of 30 and of 2 components on grey MNIST, as computed by scikit-learn 1.9.1 with its full solver: summed
/// over the 784 pixels of 0 to 1. A tenth of the rows of the fit moves the last figure by more than the bound.
#[test]
fn thirty_components_of_mnist_leave_the_known_error() {
    let set = mnist(&mnist_folder().unwrap()).unwrap();
    let pca = Pca::fit(&set.train, 30).unwrap();
    let error = |pca: &Pca, rows: &dyn Rows| pca.squared_error(rows).unwrap();
    let found =
        [error(&pca, &set.test), error(&pca, &set.train), error(&pca.truncated(2).unwrap(), &set.test)];
    let known = [13.866, 14.207, 43.645];
    assert!(found.iter().zip(known).all(|(a, b)| (a - b).abs() < 0.001), "{found:?}");
}
