//! Gives the linear baselines that a machine's features are held against: PCA, whitening, logistic regression, neighbours.
//!
//! Everything is computed in f64 from f32 values, sums in a fixed order over blocks that do not depend on the number of
//! threads: the same bits for any number of threads on one CPU model. Features go in and come out as `(n, features)` arrays;
//! what only needs rows once in their order takes any [`crate::Rows`].

#![allow(clippy::needless_pass_by_value)] // A view is passed by value wherever ndarray is at home.

pub mod eigen;
pub mod lbfgs;
pub mod neighbours;

mod covariance;
mod logistic;
mod loss;
mod pca;
mod projection;
mod scores;
mod strips;
mod trust;
mod whitening;

pub use covariance::Covariance;
pub use lbfgs::{End, Lbfgs, Minimum};
pub use logistic::{Logistic, Regression};
pub use neighbours::{knn_accuracy, knn_predict, nearest};
pub use pca::Pca;
pub use scores::{accuracy, auroc, confusion};
pub use trust::trustworthiness;
pub use whitening::{Rotation, Whiten, Whitening};

use ndarray::ArrayView2;

use crate::Error;

/// Refuses features that are not finite, and arrays without rows or columns.
fn check_features(field: &str, features: &ArrayView2<'_, f32>) -> Result<(), Error> {
    if features.is_empty() {
        let got = format!("{} x {}", features.nrows(), features.ncols());
        return Err(Error::shape(field, "at least one row and one column", got));
    }
    match features.indexed_iter().find(|(_, x)| !x.is_finite()) {
        Some(((row, column), got)) => {
            Err(Error::value(field, format!("row {row}, column {column}"), "a finite number", got))
        }
        None => Ok(()),
    }
}

/// Refuses labels that are not one a row, or not below the number of classes.
fn check_labels(field: &str, labels: &[usize], rows: usize, classes: usize) -> Result<(), Error> {
    if labels.len() != rows {
        return Err(Error::shape(field, format!("{rows} labels, one a row"), labels.len()));
    }
    match labels.iter().position(|&label| label >= classes) {
        Some(row) => {
            Err(Error::value(field, format!("row {row}"), format!("a class below {classes}"), labels[row]))
        }
        None => Ok(()),
    }
}
