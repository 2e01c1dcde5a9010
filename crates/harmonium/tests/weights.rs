//! Proves that weights of rows are counts: whole ones train as rows repeated, others do in expectation, and what reads data
//! once is a weighted sum.

mod common;

use std::ops::ControlFlow;

use common::recipe::{Recipe, data, further, others, recipes};
use common::tolerance::tau_phase;
use common::{all_close, batch, exact, key, model};
use harmonium::data::{Weighted, marginals, order, scaled};
use harmonium::persist::digest_rows;
use harmonium::rbm::{Classifier, Exact, Rbm, labelled};
use harmonium::rows::{count_by_unit, mean, moments, per_epoch, total};
use harmonium::train::{Fit, Schedule, Silent, Snapshot, Step, Training, WithGradient, fit};
use harmonium::units::{Unit, Units};
use harmonium::{Batch, Error, Rows};
use harmonium_oracle::gradient;
use harmonium_oracle::likelihood::empirical;
use ndarray::array;

/// Gives whole weights to the 90 rows of the recipes: 0, 1, 2 or 3, 133 in all.
fn counts() -> Vec<f32> {
    (0..90_u16).map(|row| f32::from(row * 29 % 4)).collect()
}

/// Gives weights with all kinds of fractions, and some zeros.
fn fractions() -> Vec<f32> {
    (0..90_u16).map(|row| if row % 9 == 4 { 0.0 } else { 0.05 + f32::from(row * 29 % 97) / 70.0 }).collect()
}

fn repeated(rows: &Batch, counts: &[f32]) -> Batch {
    rows.gather(counts.iter().enumerate().flat_map(|(row, &n)| std::iter::repeat_n(row, n as usize)))
}

fn all_recipes() -> Vec<Recipe> {
    recipes().into_iter().chain(others()).chain(further()).collect()
}

/// Trains a recipe's machine for these rows, from their marginals on.
fn trained(recipe: &Recipe, rows: &dyn Rows) -> (Rbm, Snapshot) {
    let mut rbm = Rbm::for_data(rows, Units::Bernoulli(40), key(5)).unwrap();
    let (mut training, mut recipe) = (Training::new(&rbm, rows, &recipe.options).unwrap(), recipe.clone());
    training.run(&mut rbm, rows, recipe.estimator.get_mut(), key(6), &mut Silent).unwrap();
    let end = training.snapshot(&rbm, recipe.estimator.get());
    (rbm, end)
}

/// Biases, order, every update and what lives on are those of the repeated rows, to the bit.
#[test]
fn counts_train_as_rows_repeated() {
    let (once, many) = (Weighted::new(data(), counts()).unwrap(), repeated(&data(), &counts()));
    assert_eq!((per_epoch(&once), many.rows()), (133, 133));
    for recipe in all_recipes() {
        assert!(trained(&recipe, &once) == trained(&recipe, &many), "{recipe:?}");
    }
    let ones = Weighted::new(data(), vec![1.0; 90]).unwrap();
    assert!(trained(&recipes()[0], &ones) == trained(&recipes()[0], &data()));
    assert!(trained(&recipes()[0], &once) != trained(&recipes()[0], &data()));
}

/// How often an epoch reads a row is one of two whole numbers, the nearest to its share; so over E epochs the mean is within
/// 5.5 σ of it, σ ≤ 1/2 √E, save with a probability of 4e-8 a row.
#[test]
fn rows_come_as_often_as_their_weights_say() {
    const EPOCHS: u32 = 4000;
    let (rows, weights) = (data(), fractions());
    let weighted = Weighted::new(&rows, weights.clone()).unwrap();
    let epoch = per_epoch(&weighted);
    assert_eq!(epoch as f64, total(&weighted).round());
    let share = |w: f32| f64::from(w) * epoch as f64 / total(&weighted);
    let mut sums = vec![0.0; 90];
    for number in 0..EPOCHS {
        let order = order(&weighted, key(2), u64::from(number));
        assert_eq!(order.len(), epoch);
        let mut each = vec![0; 90];
        order.iter().for_each(|&row| each[row as usize] += 1);
        for ((n, sum), &w) in each.into_iter().zip(&mut sums).zip(&weights) {
            assert!((f64::from(n) - share(w)).abs() < 1.0, "{n} times for a share of {}", share(w));
            *sum += f64::from(n) / f64::from(EPOCHS);
        }
    }
    let shares: Vec<f64> = weights.iter().map(|&w| share(w)).collect();
    all_close(&sums, &shares, 5.5 / 2.0 / f64::from(EPOCHS).sqrt(), "times an epoch");
}

/// Epochs of one batch at rate 0, so that only the order changes: the exact gradient of a batch is a mean over its N rows of
/// statistics in [0, 1], less a constant. A row's number in it moves by one of two whole numbers, so a gradient lies within
/// n/N of its expectation, and the mean of E of them within 5.5 n / (N √E), save with 4e-8 (Hoeffding would give the same
/// at e^(−15)).
#[test]
fn gradients_are_the_weighted_ones_in_expectation() {
    const EPOCHS: u32 = 6000;
    let (rows, weights) = ([0b0011_0011, 0b1010_1010, 0b1100_1100, 0b1101_0001], [0.3, 3.6, 0.0, 1.25]);
    let mut rbm = model(8, 4, 1.0, 3);
    let weighted = Weighted::new(batch(8, &rows), weights.map(|w| w as f32).into()).unwrap();
    let options =
        Fit { epochs: EPOCHS, batch: 100, learning_rate: Schedule::Constant(0.0), ..Fit::default() };
    let mut sums = vec![0.0; 8 * 4 + 8 + 4];
    let mut watch = |step: &Step<'_, Rbm>| {
        assert_eq!(step.rows, 5);
        let values = step.gradient.unwrap().tensors().iter().flat_map(|t| &t.values);
        sums.iter_mut().zip(values).for_each(|(sum, &x)| *sum += f64::from(x) / f64::from(EPOCHS));
        ControlFlow::Continue(())
    };
    fit(&mut rbm, &weighted, &mut Exact::new(), &options, key(4), &mut WithGradient(&mut watch)).unwrap();
    let x = exact(&rbm);
    let expected = gradient::exact(&x, &empirical(8, &rows, Some(&weights))).entries();
    let bound = 5.5 * 3.0 / 5.0 / f64::from(EPOCHS).sqrt();
    all_close(&sums, &expected, bound + tau_phase(&x), "mean of the gradients");
    let unweighted = gradient::exact(&x, &empirical(8, &rows, None)).entries();
    let apart = expected.iter().zip(unweighted).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(apart > 3.0 * bound, "weights that make no difference prove nothing: {apart}");
}

#[test]
fn a_weighted_training_resumed_after_any_step_ends_alike() {
    let weighted = Weighted::new(data(), fractions()).unwrap();
    for recipe in recipes() {
        let start = Rbm::for_data(&weighted, Units::Bernoulli(40), key(5)).unwrap();
        let mut kept = Vec::new();
        let mut keep = |step: &Step<'_, Rbm>| {
            kept.push((step.snapshot(), step.rows));
            ControlFlow::Continue(())
        };
        let (mut rbm, mut whole) = (start.clone(), recipe.clone());
        let estimator = whole.estimator.get_mut();
        fit(&mut rbm, &weighted, estimator, &recipe.options, key(6), &mut keep).unwrap();
        let epoch = kept.len() / 3;
        for epoch in kept.chunks(epoch) {
            let rows: usize = epoch.iter().map(|(_, rows)| rows).sum();
            assert_eq!(rows, per_epoch(&weighted), "every epoch is as long");
        }
        for (snapshot, _) in &kept {
            let (mut rbm, mut again) = (start.clone(), recipe.clone());
            let mut training = Training::new(&rbm, &weighted, &recipe.options).unwrap();
            let estimator = again.estimator.get_mut();
            training.restore(&mut rbm, estimator, snapshot).unwrap();
            training.run(&mut rbm, &weighted, estimator, key(6), &mut Silent).unwrap();
            let end = training.snapshot(&rbm, estimator);
            assert!(end == kept.last().unwrap().0, "after step {}: {recipe:?}", snapshot.step);
        }
    }
}

/// Is rows of which some must not be read.
struct Guarded(Batch, Vec<f32>);

impl Rows for Guarded {
    fn rows(&self) -> usize {
        self.0.rows()
    }

    fn units(&self) -> usize {
        self.0.units()
    }

    fn read(&self, rows: &[u32]) -> Result<Batch, Error> {
        assert!(rows.iter().all(|&row| self.1[row as usize] > 0.0), "a row that counts for nothing is read");
        self.0.read(rows)
    }
}

#[test]
fn rows_of_no_weight_are_never_read() {
    let mut weights = fractions();
    (weights[0], weights[89]) = (0.0, 0.0);
    let guarded = Weighted::new(Guarded(data(), weights.clone()), weights.clone()).unwrap();
    let free = Weighted::new(data(), weights).unwrap();
    for recipe in all_recipes() {
        assert!(trained(&recipe, &guarded) == trained(&recipe, &free), "{recipe:?}");
    }
    let whole = moments(&free).unwrap();
    assert!(moments(&guarded).unwrap() == whole);
}

#[test]
fn bad_weights_are_refused() {
    let refused = |weights: Vec<f32>, relative: bool| {
        let rows = batch(3, &[1, 2, 5]);
        let made = if relative { Weighted::relative(rows, weights) } else { Weighted::new(rows, weights) };
        made.unwrap_err().to_string()
    };
    for (weights, said) in [
        (vec![1.0, f32::NAN, 1.0], "weights at row 1: expected a finite number, 0 or above, got NaN"),
        (vec![f32::INFINITY, 1.0, 1.0], "weights at row 0: expected a finite number, 0 or above, got inf"),
        (vec![1.0, 1.0, -0.5], "weights at row 2: expected a finite number, 0 or above, got -0.5"),
        (vec![1.0, 1.0], "weights: expected 3 weights, got 2"),
        (vec![1.0; 4], "weights: expected 3 weights, got 4"),
    ] {
        assert_eq!((refused(weights.clone(), false).as_str(), refused(weights, true).as_str()), (said, said));
    }
    assert_eq!(refused(vec![0.0; 3], true), "weights: expected one above 0, got none");
    let sum = "weights: expected a sum of 0.5 to 4294967295 rows, got";
    for (weights, got) in [([0.0; 3], "0"), ([0.125; 3], "0.375"), ([4e9, 4e9, 0.0], "8000000000")] {
        assert_eq!(refused(weights.into(), false), format!("{sum} {got}"));
    }
    assert!(Weighted::new(batch(3, &[1, 2, 5]), vec![0.25, 0.25, 0.0]).is_ok());
}

/// Bits: the sums of counts are whole, so marginals of either form have the same bits. Fractions: against the formula.
#[test]
fn marginals_are_weighted() {
    let (once, many) = (Weighted::new(data(), counts()).unwrap(), repeated(&data(), &counts()));
    assert_eq!(count_by_unit(&once).unwrap(), count_by_unit(&many).unwrap());
    for units in [Units::Bernoulli(70), Units::Spin(70)] {
        assert!(marginals(&units, &once, None).unwrap() == marginals(&units, &many, None).unwrap());
    }
    let (rows, weights) = (batch(3, &[0b001, 0b011, 0b110]), [0.5, 1.25, 2.0]);
    let layer = marginals(&Units::Bernoulli(3), &Weighted::new(rows, weights.into()).unwrap(), None).unwrap();
    let bias: Vec<f64> = layer.bias().iter().map(|&b| f64::from(b)).collect();
    let log_odds = |ones: f64| ((ones + 1.0) / (3.75 - ones + 1.0)).ln();
    all_close(&bias, &[log_odds(1.75), log_odds(3.25), log_odds(2.0)], 1e-6, "biases");
}

#[test]
fn moments_are_weighted() {
    let values = array![[1.0_f32, 1000.5], [f32::NAN, 1001.0], [-3.0, 999.0], [7.0, 1002.0]];
    let rows = || Batch::with_missing(values.view(), &Units::Gaussian(2)).unwrap();
    let expected = |column: usize, weights: &[f32]| {
        let known = || {
            let pairs = values.column(column).to_vec().into_iter().zip(weights);
            pairs.filter(|(x, _)| !x.is_nan()).map(|(x, &w)| (f64::from(x), f64::from(w)))
        };
        let n: f64 = known().map(|(_, w)| w).sum();
        let mean = known().map(|(x, w)| w * x).sum::<f64>() / n;
        (mean, known().map(|(x, w)| w * (x - mean).powi(2)).sum::<f64>() / n)
    };
    for weights in [[0.0, 0.5, 1.75, 2.0], [1.0, 2.0, 0.0, 3.0], [1.0; 4]] {
        let (means, variances) = moments(&Weighted::new(rows(), weights.into()).unwrap()).unwrap();
        for column in 0..2 {
            let (mean, variance) = expected(column, &weights);
            // Sums of four terms ≤ 100 in f64.
            all_close(&[means[column], variances[column]], &[mean, variance], 1e-10, (column, weights));
        }
    }
    let complete = Batch::reals(values.mapv(|x| if x.is_nan() { 0.0 } else { x })).unwrap();
    let weighted = Weighted::new(&complete, vec![0.0, 3.0, 1.0, 2.0]).unwrap();
    let rbm = Rbm::for_data(&weighted, Units::Bernoulli(2), key(1)).unwrap();
    // (3 · 0 − 3 + 2 · 7) / 6, in f32.
    all_close(&[f64::from(rbm.scaling().unwrap().mean()[0])], &[11.0 / 6.0], 1e-6, "scaling");
}

#[test]
fn classes_of_a_classifier_are_weighted() {
    let rows = batch(2, &[0b01, 0b10, 0b11]);
    let rows = labelled(&rows, &[Some(0), Some(2), None], 3).unwrap();
    let counts = vec![2.0, 0.0, 3.0];
    let many = repeated(&rows, &counts);
    let once = Classifier::for_data(&Weighted::new(rows, counts).unwrap(), 3, 4, key(1)).unwrap();
    assert!(once == Classifier::for_data(&many, 3, 4, key(1)).unwrap());
}

#[test]
fn figures_of_rows_have_weighted_means() {
    let rows = Weighted::new(batch(3, &[1, 2, 5]), vec![0.5, 0.0, 1.5]).unwrap();
    assert!((mean(&rows, &[-4.0, f64::NAN, -8.0]).unwrap() + 7.0).abs() < 1e-15);
    assert!((mean(&batch(3, &[1, 2]), &[-4.0, -8.0]).unwrap() + 6.0).abs() < 1e-15);
    let refused = mean(&rows, &[1.0, 2.0]).unwrap_err().to_string();
    assert_eq!(refused, "figures: expected 3 figures, got 2");
}

/// A training that goes on with other weights is one on other data.
#[test]
fn digests_of_data_hold_the_weights() {
    let digest = |weights: Vec<f32>| digest_rows(&Weighted::new(data(), weights).unwrap()).unwrap();
    assert_eq!(digest(counts()), digest(counts()));
    assert_ne!(digest(counts()), digest(fractions()));
    assert_ne!(digest(vec![1.0; 90]), digest_rows(&data()).unwrap());
}

/// A row that does not count has no say in the scale of the columns, however large its values are.
#[test]
fn rows_of_weight_zero_scale_nothing() {
    let rows = Batch::reals(array![[1.0], [2.0], [3.0], [1e6]]).unwrap();
    let without = scaled(&Units::Gaussian(1), &rows.gather(0..3)).unwrap().unwrap();
    let weighted = Weighted::new(rows, vec![1.0, 1.0, 1.0, 0.0]).unwrap();
    assert_eq!(scaled(&Units::Gaussian(1), &weighted).unwrap().unwrap(), without);
}
