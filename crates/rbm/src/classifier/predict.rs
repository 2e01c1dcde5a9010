//! Predicts classes: ln p(y | x) = d_y + Σ_j ln(1 + e^(c_j + U_yj + (Wᵀx)_j)) − ln Σ_y′ …, exactly (Larochelle & Bengio 2008,
//! eq. 2).

use harmonium_core::evaluate::LogSumExp;
use harmonium_core::units::{Input, States, Unit};
use harmonium_core::{Batch, Error};
use harmonium_kernels::BitMatrix;
use ndarray::Array2;

use super::{Classifier, labels};

/// Rows whose inputs are held at a time: they take 4 bytes a hidden unit.
const BLOCK: usize = 512;

/// Holds Wᵀx of some rows and the rows of U, both as sums of codes: that of (x, y) is one plus the other.
pub(super) struct Sums {
    x: Vec<i32>,
    y: Vec<i32>,
    quantum: f32,
    width: usize,
}

impl Sums {
    /// Gives the input of the hidden layer with this class in every row.
    pub(super) fn input(&self, class: usize) -> Input<'static> {
        let line = &self.y[class * self.width..][..self.width];
        let mut sums = self.x.clone();
        for row in sums.chunks_exact_mut(self.width) {
            row.iter_mut().zip(line).for_each(|(sum, code)| *sum += mutant!("B91", code, &0));
        }
        Input::known(sums, self.quantum, 1.0)
    }
}

impl Classifier {
    /// Computes ln p(y | x) of every class: `(n, units) → (n, classes)`. Rows may have their labels behind them, which are not
    /// looked at.
    ///
    /// # Errors
    /// Refuses rows that are no bits, or of another width.
    pub fn predict_log_proba(&self, data: &Batch) -> Result<Array2<f64>, Error> {
        self.check_rows(data)?;
        let mut out = Array2::from_shape_vec((data.rows(), self.classes), self.scores(data.bits()?))
            .map_err(|e| Error::shape("predictions", "one a row and class", e))?;
        for mut row in out.rows_mut() {
            let total = row.iter().copied().collect::<LogSumExp>().value();
            row.iter_mut().for_each(|score| *score -= total);
        }
        Ok(out)
    }

    /// Computes p(y | x) of every class: `(n, units) → (n, classes)`; takes rows as [`Classifier::predict_log_proba`] does.
    ///
    /// # Errors
    /// Refuses rows that are no bits, or of another width.
    pub fn predict_proba(&self, data: &Batch) -> Result<Array2<f64>, Error> {
        Ok(self.predict_log_proba(data)?.mapv_into(libm::exp))
    }

    /// Gives the likeliest class of each row, of equal ones the first; takes rows as [`Classifier::predict_log_proba`] does.
    ///
    /// # Errors
    /// Refuses rows that are no bits, or of another width.
    pub fn predict(&self, data: &Batch) -> Result<Vec<usize>, Error> {
        self.check_rows(data)?;
        Ok(self.likeliest(data.bits()?))
    }

    /// Gives the share of the labelled rows whose likeliest class is not their label.
    ///
    /// # Errors
    /// Refuses rows that [`labelled`](super::labelled) would not give, and data without any label.
    pub fn error_rate(&self, data: &Batch) -> Result<f64, Error> {
        let right = self.over_labels(data, |row, label| f64::from(best(row) == label))?;
        Ok(1.0 - right)
    }

    /// Gives the mean of ln p(y | x) over the labelled rows, in nats.
    ///
    /// # Errors
    /// As [`Classifier::error_rate`].
    pub fn label_log_likelihood(&self, data: &Batch) -> Result<f64, Error> {
        self.over_labels(data, |row, label| row[label])
    }

    /// Gives the mean over the labelled rows of what `each` makes of ln p(y | x) and the label.
    fn over_labels(&self, data: &Batch, each: impl Fn(&[f64], usize) -> f64) -> Result<f64, Error> {
        harmonium_core::EnergyModel::check_data(self, data)?;
        let (all, bits) = (self.predict_log_proba(data)?, data.bits()?);
        let known = labels::all(bits, self.units()).into_iter().enumerate();
        let values: Vec<f64> =
            known.filter_map(|(row, label)| Some(each(&all.row(row).to_vec(), label?))).collect();
        if values.is_empty() {
            return Err(Error::shape("labels", "one at least", "none"));
        }
        Ok(values.iter().sum::<f64>() / values.len() as f64)
    }

    fn check_rows(&self, data: &Batch) -> Result<(), Error> {
        data.bits()?;
        if data.units() == self.units() {
            return Ok(());
        }
        data.check_units("data", self.rbm.visible_units()).map_err(|_| {
            let expected = format!("{} columns, or {} with labels", self.units(), self.rbm.visible_units());
            Error::shape("data", expected, format!("{} columns", data.units()))
        })
    }

    /// Gives the likeliest class of each row.
    pub(super) fn likeliest(&self, bits: &BitMatrix) -> Vec<usize> {
        self.scores(bits).chunks_exact(self.classes).map(best).collect()
    }

    /// Computes d_y + Γ(Wᵀx + U_y) of every row and class, row-major: ln p(y | x) but for a constant of the row.
    pub(super) fn scores(&self, bits: &BitMatrix) -> Vec<f64> {
        let starts = (0..bits.rows()).step_by(BLOCK);
        starts.flat_map(|start| self.block(&bits.gather(start..bits.rows().min(start + BLOCK)))).collect()
    }

    fn block(&self, bits: &BitMatrix) -> Vec<f64> {
        let sums = self.sums(bits);
        let bias = &self.rbm.visible_bias()[self.units()..];
        let mut out = vec![0.0; bits.rows() * self.classes];
        for (class, &d) in bias.iter().enumerate() {
            let cgf = self.rbm.hidden.cgf(&sums.input(class));
            out[class..]
                .iter_mut()
                .step_by(self.classes)
                .zip(cgf)
                .for_each(|(out, cgf)| *out = f64::from(d) + cgf);
        }
        out
    }

    /// Computes Wᵀx of each row, in one product, and U.
    pub(super) fn sums(&self, bits: &BitMatrix) -> Sums {
        let (view, units) = (self.rbm.view(), self.units());
        let codes = |bits: BitMatrix| {
            let states = States::Bits(bits);
            let input = view.hidden_input(&states);
            (input.sums().map(std::borrow::Cow::into_owned).unwrap_or_default(), input.quantum)
        };
        let (x, quantum) = codes(labels::blank(bits, units, self.classes));
        let (y, _) =
            codes(BitMatrix::from_fn(self.classes, units + self.classes, |k, unit| unit == units + k));
        Sums { x, y, quantum, width: self.rbm.hidden_units() }
    }
}

/// Gives the place of the largest score, of equal ones the first.
fn best(scores: &[f64]) -> usize {
    (1..scores.len()).fold(0, |best, class| if scores[class] > scores[best] { class } else { best })
}
