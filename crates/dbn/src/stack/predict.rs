//! Predicts the label of the top machine: ln p(y | x) = d_y + Γ(Wᵀx + U_y) − ln Σ_y′ …, x being what that machine sees of a row.

use harmonium_core::evaluate::LogSumExp;
use harmonium_core::units::{Input, States, Unit};
use harmonium_core::{Batch, Error};
use harmonium_rbm::Classifier;
use ndarray::{Array2, s};

use super::Dbn;
use super::top::given;

/// Rows whose inputs are held at a time.
const BLOCK: usize = 512;

impl Dbn {
    /// Computes ln p(y | x) of every class: `(n, visible) → (n, classes)`. The up-pass takes means: x are the means of the layer below
    /// the top machine (as [`Dbn::transform`] gives them), given which the law of the label is exact. A stack of one machine sees
    /// the rows themselves.
    ///
    /// # Errors
    /// Refuses stacks without a label, and rows as [`Dbn::transform`] does.
    pub fn predict_log_proba(&self, data: &Batch) -> Result<Array2<f64>, Error> {
        let Some(model) = self.classifier() else {
            return Err(Error::shape("prediction", "a top machine with a label", "one without"));
        };
        self.check(data)?;
        let mut out = Array2::zeros((data.rows(), model.classes()));
        for start in (0..data.rows()).step_by(BLOCK) {
            let end = data.rows().min(start + BLOCK);
            let seen = self.seen(&data.gather(start..end))?;
            out.slice_mut(s![start..end, ..]).assign(&scores(model, &seen)?);
        }
        for mut row in out.rows_mut() {
            let total = row.iter().copied().collect::<LogSumExp>().value();
            row.iter_mut().for_each(|score| *score -= total);
        }
        Ok(out)
    }

    /// Computes p(y | x) of every class: `(n, visible) → (n, classes)`, as [`Dbn::predict_log_proba`] does.
    ///
    /// # Errors
    /// As there.
    pub fn predict_proba(&self, data: &Batch) -> Result<Array2<f64>, Error> {
        Ok(self.predict_log_proba(data)?.mapv_into(libm::exp))
    }

    /// Gives the likeliest class of each row, of equal ones the first.
    ///
    /// # Errors
    /// As [`Dbn::predict_log_proba`].
    pub fn predict(&self, data: &Batch) -> Result<Vec<usize>, Error> {
        let all = self.predict_log_proba(data)?;
        let best = |row: ndarray::ArrayView1<'_, f64>| {
            (1..row.len()).fold(0, |best, class| if row[class] > row[best] { class } else { best })
        };
        Ok(all.rows().into_iter().map(best).collect())
    }
}

/// Computes d_y + Γ(Wᵀx + U_y) of every row and class: ln p(y | x) but for a constant of the row.
fn scores(model: &Classifier, seen: &States) -> Result<Array2<f64>, Error> {
    let (rbm, bare) = (model.rbm(), given(model, None)?);
    let (weights, view) = (rbm.weights(), bare.view());
    let (input, width) = (view.hidden_input(seen).values(), rbm.hidden_units());
    let mut out = Array2::zeros((seen.rows(), model.classes()));
    for (class, mut column) in out.columns_mut().into_iter().enumerate() {
        let own = weights.row(model.units() + class);
        let sums =
            input.chunks_exact(width).flat_map(|row| row.iter().zip(own).map(|(i, u)| i + u)).collect();
        let bias = f64::from(rbm.visible_bias()[model.units() + mutant!("B238", class, 0)]);
        let cgf = rbm.hidden().cgf(&Input::reals(sums, 1.0));
        column.iter_mut().zip(cgf).for_each(|(out, cgf)| *out = bias + cgf);
    }
    Ok(out)
}
