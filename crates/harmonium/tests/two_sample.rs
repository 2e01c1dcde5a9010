//! Proves the two-sample measures: against loops over all pairs, on sets of one law, and on what they are to find.

mod common;

use common::{close, coins, key};
use harmonium::Batch;
use harmonium::evaluate::{Compare, Mmd, adversarial_accuracy, compare, memory, mmd, moment, moments};
use harmonium_oracle::rng::Rng;
use harmonium_oracle::stats::z_star;
use ndarray::Array2;

/// Draws rows of bits that are on with probability p.
fn bits(rows: usize, units: usize, p: f64, seed: u64) -> Batch {
    let mut rng = Rng::new(seed);
    Batch::new(Array2::from_shape_fn((rows, units), |_| f32::from(u8::from(rng.bernoulli(p)))).view())
        .unwrap()
}

/// Draws rows of normal values about a mean.
fn reals(rows: usize, units: usize, mean: f64, seed: u64) -> Batch {
    let mut rng = Rng::new(seed);
    Batch::reals(Array2::from_shape_fn((rows, units), |_| (mean + rng.normal()) as f32)).unwrap()
}

fn wide(batch: &Batch) -> Vec<Vec<f64>> {
    batch.to_array().rows().into_iter().map(|row| row.iter().map(|&x| f64::from(x)).collect()).collect()
}

/// Computes a distance in the plainest way: bits that differ are squares of differences, too.
fn squares(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum()
}

/// Lists the pairs of sets that measures are tried on.
fn sets() -> [(Batch, Batch, bool); 3] {
    [
        (bits(30, 7, 0.5, 1), bits(40, 7, 0.3, 2), true),
        (bits(25, 70, 0.5, 3), bits(25, 70, 0.6, 4), true),
        (reals(30, 4, 0.0, 5), reals(20, 4, 0.5, 6), false),
    ]
}

#[test]
fn discrepancies_are_sums_over_pairs() {
    for (a, b, binary) in sets() {
        let options = Mmd { scale: Some(2.5), permutations: 0, ..Mmd::default() };
        let found = mmd(&a, &b, &options, key(1)).unwrap();
        let k = |x: &[f64], y: &[f64]| {
            let d = squares(x, y);
            (if binary { -d / 2.5 } else { -d / (2.0 * 2.5 * 2.5) }).exp()
        };
        let (x, y) = (wide(&a), wide(&b));
        let within = |set: &[Vec<f64>]| {
            let pairs =
                (0..set.len()).flat_map(|i| (0..set.len()).filter(move |&j| j != i).map(move |j| (i, j)));
            let n = set.len() as f64;
            pairs.map(|(i, j)| k(&set[i], &set[j])).sum::<f64>() / (n * (n - 1.0))
        };
        let between: f64 = x.iter().flat_map(|p| y.iter().map(move |q| k(p, q))).sum();
        let expected = within(&x) + within(&y) - 2.0 * between / (x.len() * y.len()) as f64;
        // Sums of some thousand terms below 1 in f64.
        close(found.squared, expected, 1e-11, "MMD²");
        assert_eq!((found.rows, found.scale, found.p_value), ([a.rows(), b.rows()], 2.5, None));
    }
}

/// The default length is the median distance of all pairs of different rows.
#[test]
fn the_kernel_is_as_long_as_the_median_distance() {
    for (a, b, binary) in sets() {
        let all = [wide(&a), wide(&b)].concat();
        let mut distances: Vec<f64> = (0..all.len())
            .flat_map(|i| (0..i).map(|j| squares(&all[i], &all[j])).collect::<Vec<_>>())
            .collect();
        distances.sort_by(f64::total_cmp);
        let median = distances[distances.len() / 2];
        let found = mmd(&a, &b, &Mmd::default(), key(1)).unwrap().scale;
        close(found, if binary { median } else { median.sqrt() }, 1e-9, "scale");
    }
}

/// Of 400 pairs of sets of one law, p ≤ k/20 (with 19 permutations) in k of 20, k = 4 and 10: the counts of a binomial law, each within
/// z*(4) deviations of at most √(400 / 4). Pairs of different laws have the smallest p in at least half of the cases.
#[test]
fn p_values_are_even_under_one_law() {
    let options = Mmd { permutations: 19, ..Mmd::default() };
    let p = |n: u64, off: f64| {
        let (a, b) = (bits(24, 8, 0.5, 3000 + 2 * n), bits(12, 8, 0.5 + off, 3001 + 2 * n));
        mmd(&a, &b, &options, key(n)).unwrap().p_value.unwrap()
    };
    let found: Vec<f64> = (0..400).map(|n| p(n, 0.0)).collect();
    for k in [4.0_f64, 10.0] {
        let count = found.iter().filter(|&&p| p <= k / 20.0 + 1e-9).count() as f64;
        let (mean, deviation) = (20.0 * k, (20.0 * k * (1.0 - k / 20.0)).sqrt());
        assert!((count - mean).abs() < z_star(4) * deviation, "{count} of 400 are at most {k}/20");
    }
    let smallest = (0..100).filter(|&n| p(n, 0.35) < 0.06).count();
    assert!(smallest > 50, "{smallest}");
}

#[test]
fn moments_are_means_of_products() {
    for (a, b, binary) in sets().into_iter().filter(|(a, _, _)| a.units() < 10) {
        let (mut x, mut y) = (wide(&a), wide(&b));
        if !binary {
            for feature in 0..a.units() {
                let all: Vec<f64> = x.iter().chain(&y).map(|row| row[feature]).collect();
                let mean = all.iter().sum::<f64>() / all.len() as f64;
                let unit = (all.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / all.len() as f64).sqrt();
                x.iter_mut().chain(&mut y).for_each(|row| row[feature] = (row[feature] - mean) / unit);
            }
        }
        let of = |rows: &[Vec<f64>], term: &[usize]| {
            let all: Vec<f64> = rows.iter().map(|row| term.iter().map(|&i| row[i]).product()).collect();
            let (n, mean) = (all.len() as f64, all.iter().sum::<f64>() / all.len() as f64);
            let share = if binary {
                mean * (1.0 - mean) / (n - 1.0)
            } else {
                all.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0) / n
            };
            (mean, share)
        };
        let d = a.units();
        let mut terms: [Vec<Vec<usize>>; 3] = Default::default();
        for i in 0..d {
            terms[0].push(vec![i]);
            for j in (i..d).filter(|&j| !binary || j > i) {
                terms[1].push(vec![i, j]);
                (j..d).filter(|&k| !binary || k > j).for_each(|k| terms[2].push(vec![i, j, k]));
            }
        }
        let found = moments(&a, &b, 10_000, key(1)).unwrap();
        for (order, terms) in [found.first, found.second, found.third].into_iter().zip(&terms) {
            let all: Vec<(f64, f64)> = terms
                .iter()
                .map(|term| (of(&x, term), of(&y, term)))
                .map(|((m, s), (n, t))| (m - n, (s + t).sqrt()))
                .collect();
            let root = |f: fn(&(f64, f64)) -> f64| {
                (all.iter().map(|d| f(d).powi(2)).sum::<f64>() / all.len() as f64).sqrt()
            };
            assert_eq!(order.terms, all.len());
            close(order.rms, root(|d| d.0), 1e-10, "rms");
            close(order.noise, root(|d| d.1), 1e-10, "noise");
            let largest = all.iter().filter(|d| d.0 != 0.0).map(|d| d.0.abs() / d.1).fold(0.0, f64::max);
            close(order.largest, largest, 1e-8, "largest");
        }
        let one = moment(&a, &b, &[0, 2, 3]).unwrap();
        close(one.value, of(&x, &[0, 2, 3]).0 - of(&y, &[0, 2, 3]).0, 1e-12, "one moment");
    }
}

/// Of one law the differences are as large as their errors: the mean square of 200 independent differences of first order about that of
/// the errors, its relative deviation being √(2/200) = 0.1. A tenth of the terms is drawn where there are too many.
#[test]
fn sets_of_one_law_differ_by_their_errors() {
    let (a, b) = (bits(500, 200, 0.4, 1), bits(300, 200, 0.4, 2));
    let found = moments(&a, &b, 1990, key(1)).unwrap();
    let ratio = (found.first.rms / found.first.noise).powi(2);
    assert!((ratio - 1.0).abs() < z_star(1) * 0.1, "{ratio}");
    assert_eq!([found.first.terms, found.second.terms, found.third.terms], [200, 1990, 1990]);
    let shifted = moments(&a, &bits(300, 200, 0.6, 3), 1990, key(1)).unwrap();
    assert!(shifted.first.rms > 4.0 * shifted.first.noise && shifted.first.largest > z_star(200));
}

/// Compares with loops over all pairs, ties for half.
#[test]
fn neighbours_are_those_of_all_pairs() {
    for (a, b, _) in sets() {
        let rows = a.rows().min(b.rows());
        let (a, b) = (a.gather(0..rows), b.gather(0..rows));
        let (x, y) = (wide(&a), wide(&b));
        let least = |from: &[f64], to: &[Vec<f64>], but: usize| {
            let others = to.iter().enumerate().filter(|(n, _)| *n != but);
            others.map(|(_, row)| squares(from, row)).fold(f64::INFINITY, f64::min)
        };
        let score = |own: f64, other: f64| {
            if own < other {
                1.0
            } else if own == other {
                0.5
            } else {
                0.0
            }
        };
        let share = |x: &[Vec<f64>], y: &[Vec<f64>]| {
            let each = |(n, row): (usize, &Vec<f64>)| score(least(row, x, n), least(row, y, usize::MAX));
            x.iter().enumerate().map(each).sum::<f64>() / x.len() as f64
        };
        let found = adversarial_accuracy(&a, &b, key(1)).unwrap();
        close(found.data, share(&x, &y), 1e-12, "data");
        close(found.samples, share(&y, &x), 1e-12, "samples");
        close(found.accuracy, f64::midpoint(share(&x, &y), share(&y, &x)), 1e-12, "accuracy");
        let samples = a.gather(0..rows / 2);
        let (training, held) = (a.gather(rows / 2..rows), b.gather(0..rows - rows / 2));
        let found = memory(&samples, &training, &held, key(1)).unwrap();
        let seen: Vec<f64> = wide(&samples).iter().map(|s| least(s, &wide(&training), usize::MAX)).collect();
        let unseen: Vec<f64> = wide(&samples).iter().map(|s| least(s, &wide(&held), usize::MAX)).collect();
        let nearer: f64 = seen.iter().zip(&unseen).map(|(&s, &u)| score(s, u)).sum();
        close(found.nearer, nearer / seen.len() as f64, 1e-12, "nearer");
        let copies = seen.iter().filter(|&&d| d == 0.0).count() as f64 / seen.len() as f64;
        close(found.copies, copies, 1e-12, "copies");
    }
}

/// One law gives ½, copies of the data near 0, another law near 1: of 400 rows on a side the mean of 800 halves has a deviation of at
/// most 0.5 / √800 · √2, as rows and neighbours go in pairs.
#[test]
fn accuracies_are_what_they_mean() {
    let data = bits(400, 30, 0.5, 1);
    let accuracy = |samples: &Batch| adversarial_accuracy(&data, samples, key(1)).unwrap().accuracy;
    let noise = z_star(1) * 0.5 / 800.0_f64.sqrt() * 2.0_f64.sqrt();
    let same = accuracy(&bits(400, 30, 0.5, 2));
    assert!((same - 0.5).abs() < noise, "{same}");
    assert!(accuracy(&data) < 0.05 && accuracy(&bits(400, 30, 0.95, 3)) > 0.9);
}

/// A model that repeats its training rows is seen through, however many training rows there are; one that has learnt the
/// law is not: nearer ½ than z*(1) deviations of 0.5 / √300.
#[test]
fn learning_by_heart_shows() {
    let (training, held) = (bits(900, 30, 0.5, 1), bits(300, 30, 0.5, 2));
    let honest = memory(&bits(300, 30, 0.5, 3), &training, &held, key(1)).unwrap();
    assert!((honest.nearer - 0.5).abs() < z_star(1) * 0.5 / 300.0_f64.sqrt(), "{honest:?}");
    assert!((honest.ratio - 1.0).abs() < 0.1 && honest.rows == 300, "{honest:?}");
    let copied = memory(&training.gather(0..900), &training, &held, key(1)).unwrap();
    // A third of the training rows is compared with: so many copies are found.
    assert!(
        (copied.copies - 1.0 / 3.0).abs() < 1e-9 && copied.nearer > 0.55 && copied.ratio < 0.8,
        "{copied:?}"
    );
}

#[test]
fn threads_change_no_bit() {
    let (a, b, training) = (reals(60, 9, 0.0, 1), reals(50, 9, 0.1, 2), reals(70, 9, 0.0, 3));
    let found = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| compare(&a, &b, Some(&training), &Compare::default(), key(1)).unwrap())
    };
    assert_eq!(found(1), found(4));
}

#[test]
fn what_can_not_be_compared_is_refused() {
    let (a, b) = (bits(5, 4, 0.5, 1), reals(5, 4, 0.0, 2));
    let refused = |a: &Batch, b: &Batch| mmd(a, b, &Mmd::default(), key(1)).unwrap_err().to_string();
    assert!(refused(&a, &b).contains("expected real values, got bits"));
    assert!(refused(&a, &bits(5, 3, 0.5, 1)).contains("samples"));
    assert!(refused(&a, &bits(1, 4, 0.5, 1)).contains("two rows at least"));
    let gaps = bits(5, 4, 0.5, 1).masked(coins(5, 4, 3));
    assert!(refused(&a, &gaps).contains("a missing one"));
    assert!(mmd(&a, &a, &Mmd { scale: Some(0.0), ..Mmd::default() }, key(1)).is_err());
    assert!(mmd(&a, &a, &Mmd { rows: 1, ..Mmd::default() }, key(1)).is_err());
    assert!(
        moments(&a, &a, 0, key(1)).is_err() && moment(&a, &a, &[4]).is_err() && moment(&a, &a, &[]).is_err()
    );
}
