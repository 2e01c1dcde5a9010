//! Predicts classes by multinomial logistic regression: p(y | x) ∝ e^(W_y·x + b_y), run to convergence.

use std::ops::ControlFlow;

use ndarray::{Array1, Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use super::lbfgs::{End, Lbfgs, Minimum};
use super::loss::{Loss, probabilities};
use super::pca::check_width;
use super::projection::mapped;
use super::{check_features, check_labels};
use crate::Error;

/// The most parameters of a regression: their L-BFGS memory takes 5 GB.
const MOST: usize = 1 << 24;

/// Says how a regression is fitted.
///
/// It minimises C Σ −ln p(label | x) + ½ Σ W², scikit-learn's convention: the sum over the rows is not divided by their number,
/// biases are not penalised, and a larger C means less of a penalty. Inside, all is divided by C n, so that the tolerance
/// means the same for any number of rows. Two classes are treated as any other number, with weights for both; scikit-learn's
/// own form for two has one vector w = W₁ − W₀, so that the same fit has twice this C there.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Regression {
    /// C: how much the rows count against the penalty.
    pub c: f64,
    /// How the minimum is found; its tolerance is on the gradient of the mean.
    pub minimiser: Lbfgs,
}

impl Default for Regression {
    fn default() -> Self {
        Self { c: 1.0, minimiser: Lbfgs::default() }
    }
}

impl Regression {
    /// Refuses a C that is not above 0, and options of the minimiser.
    ///
    /// # Errors
    /// Names the option.
    pub fn check(&self) -> Result<(), Error> {
        if !(self.c > 0.0 && self.c.is_finite()) {
            return Err(Error::option("c", "a number above 0", self.c));
        }
        self.minimiser.check()
    }
}

/// Is a fitted regression.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts")]
pub struct Logistic {
    weights: Array2<f64>,
    bias: Array1<f64>,
    /// How the fit ended, without its parameters.
    fitted: Minimum,
}

/// Is what a file holds, before it is looked at.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    weights: Array2<f64>,
    bias: Array1<f64>,
    fitted: Minimum,
}

impl TryFrom<Parts> for Logistic {
    type Error = Error;

    fn try_from(Parts { weights, bias, fitted }: Parts) -> Result<Self, Error> {
        if weights.is_empty() || weights.nrows() != bias.len() {
            let got = format!("{:?} and {}", weights.dim(), bias.len());
            return Err(Error::shape("weights and bias", "one row and one bias a class", got));
        }
        match weights.iter().chain(&bias).find(|x| !x.is_finite()) {
            Some(got) => Err(Error::value("regression", "", "finite numbers", got)),
            None => Ok(Self { weights, bias, fitted }),
        }
    }
}

impl Logistic {
    /// Fits a regression to features `(n, features)` and one label a row, from 0 to below `classes`, from zero on.
    ///
    /// A class without rows gets probabilities near 0. The fit's end is in [`Logistic::fitted`]: one that was
    /// [`End::Exhausted`] is not converged.
    ///
    /// # Errors
    /// Refuses options out of range, features that are not finite, labels that are not one a row or not below `classes`, and
    /// labels of one class alone.
    pub fn fit(
        features: ArrayView2<'_, f32>,
        labels: &[usize],
        classes: usize,
        options: &Regression,
    ) -> Result<Self, Error> {
        Self::fit_watched(features, labels, classes, options, &mut |_| ControlFlow::Continue(()))
    }

    /// Fits as [`Logistic::fit`] does; after each iteration `watch` sees where the fit stands, and may stop it.
    ///
    /// # Errors
    /// As [`Logistic::fit`].
    pub fn fit_watched(
        features: ArrayView2<'_, f32>,
        labels: &[usize],
        classes: usize,
        options: &Regression,
        watch: &mut dyn FnMut(&Minimum) -> ControlFlow<()>,
    ) -> Result<Self, Error> {
        options.check()?;
        check_features("features", &features)?;
        check_classes(labels, features.nrows(), classes)?;
        let width = features.ncols();
        let parameters = (width + 1).checked_mul(classes).filter(|&n| n <= MOST);
        let Some(parameters) = parameters else {
            let got = format!("{classes} classes of {width} features");
            return Err(Error::shape("classes", format!("at most {MOST} parameters"), got));
        };
        let penalty = 1.0 / (options.c * labels.len() as f64);
        let loss = Loss { features, labels, classes, penalty };
        let mut function = |x: &[f64], gradient: &mut [f64]| loss.evaluate(x, gradient);
        let found = options.minimiser.minimise(vec![0.0; parameters], &mut function, watch)?;
        let (weights, bias) = found.x.split_at(width * classes);
        let weights = Array2::from_shape_fn((classes, width), |(k, i)| weights[i * classes + k]);
        Ok(Self { weights, bias: Array1::from(bias.to_vec()), fitted: Minimum { x: Vec::new(), ..found } })
    }

    /// Gives W: `(classes, features)`.
    pub fn weights(&self) -> &Array2<f64> {
        &self.weights
    }

    /// Gives b: `classes`.
    pub fn bias(&self) -> &Array1<f64> {
        &self.bias
    }

    /// Says how the fit ended: the objective divided by C n, the largest entry of its gradient, iterations; without parameters.
    pub fn fitted(&self) -> &Minimum {
        &self.fitted
    }

    /// Tells whether the gradient came below the tolerance, or to what rounding leaves of it.
    pub fn is_converged(&self) -> bool {
        matches!(self.fitted.end, End::Converged | End::Stalled)
    }

    /// Computes p(class | x): `(n, features) → (n, classes)`.
    ///
    /// # Errors
    /// Refuses rows of another width, and values that are not finite.
    pub fn predict_proba(&self, features: ArrayView2<'_, f32>) -> Result<Array2<f64>, Error> {
        check_width("features", &features, self.weights.ncols())?;
        Ok(probabilities(mapped(features, None, self.weights.view(), Some(&self.bias))))
    }

    /// Gives the likeliest class of each row, the first of several: `(n, features) → n`.
    ///
    /// # Errors
    /// As [`Logistic::predict_proba`].
    pub fn predict(&self, features: ArrayView2<'_, f32>) -> Result<Vec<usize>, Error> {
        check_width("features", &features, self.weights.ncols())?;
        let scores = mapped(features, None, self.weights.view(), Some(&self.bias));
        let first = |row: ndarray::ArrayView1<'_, f64>| {
            (1..row.len()).fold(0, |best, k| if row[k] > row[best] { k } else { best })
        };
        Ok(scores.rows().into_iter().map(first).collect())
    }

    /// Computes the share of rows whose likeliest class is their label.
    ///
    /// # Errors
    /// As [`Logistic::predict`]; refuses labels that are not one a row, or no class.
    pub fn accuracy(&self, features: ArrayView2<'_, f32>, labels: &[usize]) -> Result<f64, Error> {
        check_labels("labels", labels, features.nrows(), self.bias.len())?;
        super::accuracy(labels, &self.predict(features)?)
    }
}

/// Refuses labels out of range, not one a row, or of one class alone.
fn check_classes(labels: &[usize], rows: usize, classes: usize) -> Result<(), Error> {
    check_labels("labels", labels, rows, classes)?;
    if labels.iter().all(|label| Some(label) == labels.first()) {
        return Err(Error::value("labels", "", "two classes at least", format!("class {} alone", labels[0])));
    }
    Ok(())
}
