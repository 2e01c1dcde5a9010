//! Predicts with a network: classes and their probabilities, shares of errors, and who is taken for whom.

use harmonium_core::{Batch, Error, Rows, rows};
use ndarray::{Array2, ArrayView1};

use super::targets::check_labels;
use super::{Activation, Network};

impl Network {
    /// Computes the probabilities of classes: `(n, inputs) → (n, classes)`.
    ///
    /// # Errors
    /// Refuses a network whose last layer is no softmax, rows of another width, and missing values.
    pub fn predict_proba(&self, data: &Batch) -> Result<Array2<f32>, Error> {
        self.check_classes()?;
        self.transform(data)
    }

    /// Gives the likeliest class of each row, the first of equals: `(n, inputs) → n`.
    ///
    /// # Errors
    /// As [`Network::predict_proba`]; says what could not be read.
    pub fn predict(&self, data: &dyn Rows) -> Result<Vec<usize>, Error> {
        self.check_classes()?;
        let mut out = Vec::with_capacity(data.rows());
        for block in rows::blocks(data) {
            out.extend(self.transform(&block?)?.rows().into_iter().map(likeliest));
        }
        Ok(out)
    }

    /// Counts how often rows of a class are taken for one: `(true class, predicted class)`. Rows without a label do not count.
    ///
    /// # Errors
    /// As [`Network::predict`]; refuses other than one label a row, and labels that are no class of the network.
    pub fn confusion(&self, data: &dyn Rows, labels: &[Option<usize>]) -> Result<Array2<u64>, Error> {
        match check_labels(labels, data.rows(), self.outputs()) {
            // One class is enough to judge by.
            Err(error)
                if labels.len() != data.rows() || labels.iter().flatten().any(|&l| l >= self.outputs()) =>
            {
                return Err(error);
            }
            _ => {}
        }
        let mut counts = Array2::zeros((self.outputs(), self.outputs()));
        for (label, predicted) in labels.iter().zip(self.predict(data)?) {
            if let Some(label) = *label {
                counts[mutant!("B222", (label, predicted), (predicted, label))] += 1;
            }
        }
        Ok(counts)
    }

    /// Gives the share of labelled rows whose likeliest class is wrong, from 0 to 1.
    ///
    /// # Errors
    /// As [`Network::confusion`]; refuses rows without any label.
    pub fn error_rate(&self, data: &dyn Rows, labels: &[Option<usize>]) -> Result<f64, Error> {
        let counts = self.confusion(data, labels)?;
        let (all, right) = (counts.sum(), counts.diag().sum());
        if all == 0 {
            return Err(Error::shape("labels", "one at least", "none"));
        }
        Ok((all - right) as f64 / all as f64)
    }

    fn check_classes(&self) -> Result<(), Error> {
        match self.last().activation() {
            Activation::Softmax => Ok(()),
            other => Err(Error::option("last layer", "a softmax, for classes", format!("{other:?}"))),
        }
    }
}

/// Gives the first of the largest.
pub(super) fn likeliest(row: ArrayView1<'_, f32>) -> usize {
    let mut best = 0;
    for (class, &p) in row.iter().enumerate() {
        if p > row[best] {
            best = class;
        }
    }
    best
}
