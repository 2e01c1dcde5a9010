//! Proves logistic regression against finite differences and Newton's method, and neighbours and scores against brute force.

use std::ops::ControlFlow;

use harmonium::linear::{
    End, Lbfgs, Logistic, Regression, accuracy, auroc, confusion, knn_accuracy, knn_predict, nearest,
    trustworthiness,
};
use harmonium_oracle::linear::{self as oracle, Matrix};
use harmonium_oracle::rng::Rng;
use ndarray::{Array2, array};

/// Classes that overlap: rows about a centre of their own, `(n, width)`, and their labels.
fn classes(n: usize, width: usize, classes: usize, seed: u64) -> (Array2<f32>, Vec<usize>) {
    let mut rng = Rng::new(seed);
    let centres = Array2::from_shape_fn((classes, width), |_| rng.normal());
    let labels: Vec<usize> = (0..n).map(|_| rng.below(classes)).collect();
    let rows = Array2::from_shape_fn((n, width), |(r, i)| (centres[(labels[r], i)] + rng.normal()) as f32);
    (rows, labels)
}

/// Rows on a coarse grid, so that many distances tie.
fn grid(n: usize, width: usize, seed: u64) -> Array2<f32> {
    let mut rng = Rng::new(seed);
    Array2::from_shape_fn((n, width), |_| rng.below(4) as f32)
}

fn listed(rows: &Array2<f32>) -> Matrix {
    rows.rows().into_iter().map(|row| row.iter().map(|&x| f64::from(x)).collect()).collect()
}

/// Class by class its weights and its bias, as the oracle has them.
fn parameters(model: &Logistic) -> Vec<f64> {
    let classes = model.weights().rows().into_iter().zip(model.bias());
    classes.flat_map(|(w, &b)| w.iter().copied().chain([b]).collect::<Vec<_>>()).collect()
}

fn exact(c: f64) -> Regression {
    Regression { c, minimiser: Lbfgs { tolerance: 1e-10, ..Lbfgs::default() } }
}

/// The optimum is unique but for one number added to all biases, which stays 0 on both ways. The objective divided by C n has
/// curvature 1/(C n) at least, 1e-4 here, so that a gradient of 1e-10 leaves 1e-6 of the way at most.
#[test]
fn the_optimum_is_that_of_newtons_method() {
    for (n, width, k, c) in [(60, 3, 3, 1.0), (600, 4, 4, 0.1), (50, 2, 2, 100.0), (40, 5, 3, 1e-3)] {
        let (rows, labels) = classes(n, width, k, n as u64);
        let model = Logistic::fit(rows.view(), &labels, k, &exact(c)).unwrap();
        let newton = oracle::logistic(&listed(&rows), &labels, k, c);
        assert!(model.is_converged(), "{:?}", model.fitted());
        let found = parameters(&model);
        assert!(found.iter().zip(&newton).all(|(a, b)| (a - b).abs() < 1e-5), "{found:?}\n{newton:?}");
        let value = oracle::logistic_objective(&listed(&rows), &labels, c, &newton) / (c * n as f64);
        assert!((model.fitted().value - value).abs() < 1e-9 * value);
    }
}

/// Four evaluations of the objective a parameter against the slope that the minimiser was given: central differences at 1e-5 are good to
/// 1e-9 of values about 1. The fit is stopped early, where the gradient is far from 0.
#[test]
fn the_gradient_is_that_of_finite_differences() {
    let (rows, labels) = classes(700, 3, 3, 4);
    let (c, n) = (0.01, 700.0);
    let stopped = |iterations: u64| {
        let minimiser = Lbfgs { iterations, tolerance: 0.0, ..Lbfgs::default() };
        Logistic::fit(rows.view(), &labels, 3, &Regression { c, minimiser }).unwrap()
    };
    for iterations in [0, 1, 3] {
        let model = stopped(iterations);
        assert_eq!(model.fitted().end, End::Exhausted);
        let at = parameters(&model);
        let objective = |i: usize, by: f64| {
            let mut x = at.clone();
            x[i] += by;
            oracle::logistic_objective(&listed(&rows), &labels, c, &x) / (c * n)
        };
        let slopes = (0..at.len()).map(|i| ((objective(i, 1e-5) - objective(i, -1e-5)) / 2e-5).abs());
        let largest = slopes.fold(0.0, f64::max);
        assert!(
            largest > 1e-3 && (model.fitted().gradient - largest).abs() < 1e-8,
            "{iterations}: {largest}"
        );
    }
}

#[test]
fn probabilities_are_those_of_the_definition_and_scores_may_be_huge() {
    let (rows, labels) = classes(100, 3, 4, 6);
    let model = Logistic::fit(rows.view(), &labels, 4, &Regression::default()).unwrap();
    let p = model.predict_proba(rows.view()).unwrap();
    for (row, own) in listed(&rows).iter().zip(p.rows()) {
        let known = oracle::class_probabilities(row, &parameters(&model));
        assert!(own.iter().zip(&known).all(|(a, b)| (a - b).abs() < 1e-12));
    }
    let predicted = model.predict(rows.view()).unwrap();
    assert!(p.rows().into_iter().zip(&predicted).all(|(row, &k)| row.iter().all(|&x| x <= row[k])));
    assert_eq!(model.accuracy(rows.view(), &labels).unwrap(), accuracy(&labels, &predicted).unwrap());
    let far = rows.mapv(|x| x * 1e30);
    assert!(model.predict_proba(far.view()).unwrap().iter().all(|x| (0.0..=1.0).contains(x)));
}

#[test]
fn a_model_comes_back_from_its_text_and_broken_text_is_refused() {
    let (rows, labels) = classes(30, 2, 3, 7);
    let model = Logistic::fit(rows.view(), &labels, 3, &Regression::default()).unwrap();
    let text = serde_json::to_string(&model).unwrap();
    assert!(serde_json::from_str::<Logistic>(&text).unwrap() == model);
    let broken = text.replacen("\"dim\":[3]", "\"dim\":[2]", 1);
    assert!(broken != text && serde_json::from_str::<Logistic>(&broken).is_err());
}

#[test]
fn threads_change_no_bit_of_a_fit() {
    let (rows, labels) = classes(3_000, 20, 5, 8);
    let values = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let model = Logistic::fit(rows.view(), &labels, 5, &Regression::default()).unwrap();
            let near = nearest(rows.view(), rows.view(), 7).unwrap();
            let trust = trustworthiness(rows.view(), rows.slice(ndarray::s![.., ..2]), 5).unwrap();
            (model.predict_proba(rows.view()).unwrap(), model, near, trust.to_bits())
        })
    };
    let first = values(1);
    assert!([2, 3].into_iter().all(|threads| values(threads) == first));
}

#[test]
fn what_a_regression_cannot_take_is_refused() {
    let (rows, labels) = classes(10, 2, 3, 9);
    let fit = |rows: &Array2<f32>, labels: &[usize], k: usize, c: f64| {
        Logistic::fit(rows.view(), labels, k, &Regression { c, ..Regression::default() })
            .unwrap_err()
            .to_string()
    };
    assert!(
        fit(&rows, &[0, 1, 5, 0, 0, 0, 0, 0, 0, 0], 3, 1.0)
            .starts_with("labels at row 2: expected a class below 3, got 5")
    );
    assert!(fit(&rows, &[2; 10], 3, 1.0).ends_with("expected two classes at least, got class 2 alone"));
    assert!(fit(&rows, &labels[1..], 3, 1.0).ends_with("expected 10 labels, one a row, got 9"));
    assert!(fit(&rows, &labels, 3, 0.0).starts_with("c: expected"));
    assert!(fit(&rows, &labels, 3, f64::NAN).starts_with("c: expected"));
    assert!(fit(&rows, &labels, usize::MAX, 1.0).starts_with("classes: expected at most"));
    assert!(fit(&Array2::zeros((0, 2)), &[], 3, 1.0).starts_with("features: expected at least one row"));
    let mut nan = rows.clone();
    nan[(4, 1)] = f32::NAN;
    assert_eq!(fit(&nan, &labels, 3, 1.0), "features at row 4, column 1: expected a finite number, got NaN");
    let model = Logistic::fit(rows.view(), &labels, 3, &Regression::default()).unwrap();
    assert!(model.predict(nan.view()).is_err() && model.predict(Array2::zeros((1, 3)).view()).is_err());
    let most = Lbfgs { memory: usize::MAX, ..Lbfgs::default() };
    let huge = Regression { minimiser: most, ..Regression::default() };
    assert!(Logistic::fit(rows.view(), &labels, 3, &huge).is_ok());
    let none = Lbfgs { memory: 0, ..Lbfgs::default() };
    let regression = Regression { minimiser: none, ..Regression::default() };
    assert!(Logistic::fit(rows.view(), &labels, 3, &regression).is_err());
}

/// Rosenbrock's valley (1960) in ten dimensions from its usual start, where steepest descent takes tens of thousands of iterations
/// and L-BFGS some 60; a huge first step must be found out, and a function that is not finite everywhere is walked around.
#[test]
fn a_bent_valley_is_walked_in_few_steps() {
    let mut valley = |x: &[f64], gradient: &mut [f64]| {
        gradient.fill(0.0);
        let mut value = 0.0;
        for i in 0..x.len() - 1 {
            let (bend, short) = (x[i + 1] - x[i] * x[i], 1.0 - x[i]);
            value += 100.0 * bend * bend + short * short;
            gradient[i] += -400.0 * bend * x[i] - 2.0 * short;
            gradient[i + 1] += 200.0 * bend;
        }
        value
    };
    let start = (0..10).map(|i| if i % 2 == 0 { -1.2 } else { 1.0 }).collect();
    let found = Lbfgs::default().minimise(start, &mut valley, &mut |_| ControlFlow::Continue(())).unwrap();
    assert!(found.end == End::Converged && found.iterations < 150, "{found:?}");
    let near = |x: &[f64]| x.iter().all(|x| (x - 1.0).abs() < 1e-5);
    assert!(near(&found.x), "{found:?}");
    // x − ln x has its minimum at 1 and no value below 0; from 1e6 it is nearly flat.
    let mut well = |x: &[f64], gradient: &mut [f64]| {
        gradient[0] = 1.0 - 1.0 / x[0];
        x[0] - x[0].ln()
    };
    for start in [1e-6, 1e6] {
        let found =
            Lbfgs::default().minimise(vec![start], &mut well, &mut |_| ControlFlow::Continue(())).unwrap();
        assert!(near(&found.x) && found.evaluations < 100, "{found:?}");
    }
    let refused = Lbfgs::default().minimise(vec![-1.0], &mut well, &mut |_| ControlFlow::Continue(()));
    assert!(refused.unwrap_err().to_string().starts_with("function at the start:"));
    let stopped = Lbfgs::default().minimise(vec![1e6], &mut well, &mut |_| ControlFlow::Break(())).unwrap();
    assert!(stopped.end == End::Stopped && stopped.iterations == 1);
}

/// Sorts all pairs by distance and number: ties included, on a grid that is full of them. 45 rows are no whole strip.
fn brute(rows: &Array2<f32>, among: &Array2<f32>, row: usize) -> Vec<usize> {
    let d = |j: usize| (&rows.row(row) - &among.row(j)).mapv(|x| f64::from(x) * f64::from(x)).sum();
    let mut order: Vec<(f64, usize)> = (0..among.nrows()).map(|j| (d(j), j)).collect();
    order.sort_by(|a, b| a.partial_cmp(b).unwrap());
    order.into_iter().map(|(_, j)| j).collect()
}

#[test]
fn neighbours_are_those_of_sorting() {
    for (n, m, width) in [(20, 45, 3), (1, 1, 1), (33, 8, 2), (17, 300, 5)] {
        let (rows, among) = (grid(n, width, 1), grid(m, width, 2));
        let k = m.min(6);
        let found = nearest(rows.view(), among.view(), k).unwrap();
        for row in 0..n {
            let own: Vec<usize> = found.row(row).iter().map(|&j| j as usize).collect();
            assert_eq!(own, brute(&rows, &among, row)[..k], "{n} {m} {width}: row {row}");
        }
    }
}

#[test]
fn votes_are_counted_and_ties_go_to_the_smallest_class() {
    let (train, rows) = (grid(45, 3, 3), grid(60, 3, 4));
    let labels: Vec<usize> = (0..45).map(|r| (r * 7 + 1) % 4).collect();
    for k in [1, 2, 4, 10, 45] {
        let found = knn_predict(train.view(), &labels, rows.view(), k).unwrap();
        for (row, &class) in found.iter().enumerate() {
            let near = &brute(&rows, &train, row)[..k];
            let votes = [0, 1, 2, 3].map(|class| near.iter().filter(|&&j| labels[j] == class).count());
            assert_eq!(
                class,
                (0..4).max_by_key(|&class| (votes[class], 4 - class)).unwrap(),
                "{k} {row} {votes:?}"
            );
        }
        let truth: Vec<usize> = (0..60).map(|r| r % 4).collect();
        let share = found.iter().zip(&truth).filter(|(a, b)| a == b).count() as f64 / 60.0;
        assert_eq!(knn_accuracy((train.view(), &labels), (rows.view(), &truth), k).unwrap(), share);
    }
    assert!(knn_predict(train.view(), &labels[1..], rows.view(), 1).is_err());
    assert!(
        nearest(rows.view(), train.view(), 0).is_err() && nearest(rows.view(), train.view(), 46).is_err()
    );
    assert!(nearest(rows.slice(ndarray::s![.., ..2]), train.view(), 1).is_err());
}

/// Ranks by sorting. The last figure is scikit-learn 1.9.1's, on rows without ties.
#[test]
fn trustworthiness_is_that_of_sorted_ranks() {
    let (data, map) = (grid(40, 4, 5), grid(40, 2, 6));
    for k in [1, 5, 19] {
        let mut sum = 0;
        for row in 0..40 {
            let others = |all: &Array2<f32>| -> Vec<usize> {
                brute(all, all, row).into_iter().filter(|&j| j != row).collect()
            };
            let ranks = others(&data);
            let rank = |j: usize| ranks.iter().position(|&other| other == j).unwrap() + 1;
            sum += others(&map)[..k].iter().map(|&j| rank(j).saturating_sub(k)).sum::<usize>();
        }
        let known = 1.0 - 2.0 / (40.0 * k as f64 * (80.0 - 3.0 * k as f64 - 1.0)) * sum as f64;
        assert!((trustworthiness(data.view(), map.view(), k).unwrap() - known).abs() < 1e-12);
    }
    assert!(trustworthiness(data.view(), map.view(), 20).is_err());
    assert!(trustworthiness(data.view(), grid(39, 2, 1).view(), 5).is_err());
    let data = Array2::from_shape_fn((30, 3), |(r, c)| ((r * r * 37 + c * 11 + r * c * 5) % 997) as f32);
    let map = Array2::from_shape_fn((30, 1), |(r, _)| (r * 13 % 30) as f32 + (r * r) as f32 * 1e-3);
    let found = trustworthiness(data.view(), map.view(), 5).unwrap();
    assert!((found - 0.506_969_696_969_697).abs() < 1e-12, "{found}");
}

#[test]
fn the_area_is_the_share_of_pairs_in_order() {
    let mut rng = Rng::new(11);
    for n in [2, 30, 200] {
        let scores: Vec<f64> =
            (0..n).map(|_| rng.below(9) as f64 - 4.0).map(|x| if x == 0.0 { -x } else { x }).collect();
        let found: Vec<bool> = (0..n).map(|r| r == 0 || r > 1 && rng.bernoulli(0.3)).collect();
        let pairs = (0..n).flat_map(|a| (0..n).map(move |b| (a, b))).filter(|&(a, b)| found[a] && !found[b]);
        let points: Vec<f64> = pairs
            .map(|(a, b)| match scores[a].partial_cmp(&scores[b]).unwrap() {
                std::cmp::Ordering::Greater => 1.0,
                std::cmp::Ordering::Equal => 0.5,
                std::cmp::Ordering::Less => 0.0,
            })
            .collect();
        let known = points.iter().sum::<f64>() / points.len() as f64;
        assert!((auroc(&scores, &found).unwrap() - known).abs() < 1e-12, "{n}");
    }
    assert_eq!(auroc(&[0.0, -0.0], &[true, false]).unwrap(), 0.5);
    assert_eq!(auroc(&[f64::INFINITY, 1.0], &[true, false]).unwrap(), 1.0);
    assert!(auroc(&[1.0, f64::NAN], &[true, false]).is_err() && auroc(&[1.0], &[true, false]).is_err());
    assert!(auroc(&[1.0, 2.0], &[true, true]).is_err() && auroc(&[], &[]).is_err());
}

#[test]
fn confusions_stand_in_the_row_of_the_truth() {
    let found = confusion(&[0, 0, 1, 2, 2], &[0, 1, 1, 0, 0], 3).unwrap();
    assert_eq!(found, array![[1, 1, 0], [0, 1, 0], [2, 0, 0]]);
    assert_eq!(accuracy(&[0, 0, 1, 2, 2], &[0, 1, 1, 0, 0]).unwrap(), 0.4);
    assert!(confusion(&[0], &[0, 1], 3).is_err() && confusion(&[], &[], 3).is_err());
    assert!(confusion(&[0], &[0], usize::MAX).is_err() && confusion(&[0], &[0], 0).is_err());
    assert!(confusion(&[3], &[0], 3).is_err() && confusion(&[0], &[3], 3).is_err());
}
