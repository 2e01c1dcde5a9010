//! Computes what logistic regression minimises: the mean of −ln p(label | features), and a penalty on the weights.

use harmonium_kernels::parallel;
use ndarray::{Array2, ArrayView1, ArrayView2, Axis, s};

/// Rows of a block: a partition that no number of threads changes.
const BLOCK: usize = 512;

/// Is the objective over the rows of a training set. Its parameters are the weights, `(features, classes)` row by row, then one
/// bias a class.
pub(super) struct Loss<'a> {
    pub(super) features: ArrayView2<'a, f32>,
    pub(super) labels: &'a [usize],
    pub(super) classes: usize,
    /// λ of λ/2 Σ W².
    pub(super) penalty: f64,
}

impl Loss<'_> {
    /// Computes −1/n Σ ln p(label | x) + λ/2 Σ W² and its gradient. Blocks are added in their order.
    pub(super) fn evaluate(&self, parameters: &[f64], gradient: &mut [f64]) -> f64 {
        let rows = self.labels.len();
        let parts = parallel::map(rows.div_ceil(BLOCK), |block| {
            self.block(parameters, block * BLOCK..rows.min((block + 1) * BLOCK))
        });
        gradient.fill(0.0);
        let mut value = 0.0;
        for (part, slope) in parts {
            value += part;
            gradient.iter_mut().zip(&slope).for_each(|(sum, x)| *sum += x);
        }
        let n = rows as f64;
        gradient.iter_mut().for_each(|x| *x /= n);
        value / n + self.penalise(parameters, gradient)
    }

    /// Adds the penalty's gradient and gives its value; biases go free.
    fn penalise(&self, parameters: &[f64], gradient: &mut [f64]) -> f64 {
        let weights = mutant!("B267", self.features.ncols() * self.classes, parameters.len());
        let mut squares = 0.0;
        for (slope, w) in gradient.iter_mut().zip(parameters).take(weights) {
            *slope += self.penalty * w;
            squares += w * w;
        }
        self.penalty / 2.0 * squares
    }

    /// Sums −ln p over some rows, and Xᵀ(P − Y) with the sums of P − Y behind.
    fn block(&self, parameters: &[f64], rows: std::ops::Range<usize>) -> (f64, Vec<f64>) {
        let x = self.features.slice(s![rows.clone(), ..]).mapv(f64::from);
        let (weights, bias) = views(parameters, self.features.ncols(), self.classes);
        let mut p = x.dot(&weights) + bias;
        let mut loss = 0.0;
        for (mut row, &label) in p.rows_mut().into_iter().zip(&self.labels[rows]) {
            loss -= softmax(row.as_slice_mut().expect("a row"), label);
            row[label] -= 1.0;
        }
        let mut slope: Vec<f64> = x.t().dot(&p).iter().copied().collect();
        slope.extend(p.sum_axis(Axis(0)));
        (loss, slope)
    }
}

/// Parts parameters into weights `(features, classes)` and bias `classes`.
fn views(parameters: &[f64], features: usize, classes: usize) -> (ArrayView2<'_, f64>, ArrayView1<'_, f64>) {
    let (weights, bias) = parameters.split_at(features * classes);
    (
        ArrayView2::from_shape((features, classes), weights).expect("a block of their shape"),
        ArrayView1::from(bias),
    )
}

/// Turns scores into probabilities, and gives ln p of one class.
pub(super) fn softmax(scores: &mut [f64], class: usize) -> f64 {
    let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let own = scores[class] - most;
    scores.iter_mut().for_each(|x| *x = libm::exp(*x - most));
    let sum: f64 = scores.iter().sum();
    scores.iter_mut().for_each(|x| *x /= sum);
    own - libm::log(sum)
}

/// Computes p(class | x) of each row: `(n, features) → (n, classes)`.
pub(super) fn probabilities(mut scores: Array2<f64>) -> Array2<f64> {
    for mut row in scores.rows_mut() {
        softmax(row.as_slice_mut().expect("a row"), 0);
    }
    scores
}
