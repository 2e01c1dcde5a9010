//! Turns scores of anomaly into p-values, tells which units make a score, and scores by plain rulers to compare with.

use ndarray::{Array2, ArrayView2};

use super::auroc::sorted;
use crate::data::{marginals, standardise};
use crate::units::{Layer, Scaling, Unit, Units};
use crate::{Batch, Error, Marginal};

/// Holds scores of normal rows that no model was trained on, to judge others by.
///
/// The p-value of a row is the rank of its score among theirs and its own, (1 + those as high) / (1 + all): of a normal row,
/// exchangeable with these, p ≤ α has at most the probability α (split conformal prediction; Vovk, Gammerman & Shafer 2005).
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    scores: Vec<f64>,
}

impl Calibration {
    /// Keeps the scores of held-out normal rows.
    ///
    /// # Errors
    /// Refuses an empty list, and scores that are no numbers.
    pub fn new(scores: &[f64]) -> Result<Self, Error> {
        Ok(Self { scores: sorted("scores of normal rows", scores)? })
    }

    /// Gives the p-value of a score: small where it is higher than those of normal rows; NaN of a score that is no number.
    pub fn p_value(&self, score: f64) -> f64 {
        if mutant!("B357", score.is_nan(), false) {
            return f64::NAN;
        }
        let below = self.scores.partition_point(|&x| x < score);
        let as_high = self.scores.len() - below;
        (as_high + mutant!("B296", 1, 0)) as f64 / (self.scores.len() + 1) as f64
    }

    /// Gives the p-values of many scores.
    pub fn p_values(&self, scores: &[f64]) -> Vec<f64> {
        scores.iter().map(|&score| self.p_value(score)).collect()
    }
}

/// Computes what each unit adds to the free energy of each row, in nats: F(v) less the mean of F where the unit alone is taken
/// from reference rows, `(n, units)`. What is above 0 makes a row stranger than reference rows are. Units are columns, of
/// classes several features each.
///
/// # Errors
/// Refuses rows that the model can't take, and rows or reference rows with missing values.
pub fn attribution(model: &dyn Marginal, rows: &Batch, reference: &Batch) -> Result<Array2<f64>, Error> {
    rows.check_complete("data")?;
    reference.check_complete("reference rows")?;
    reference.check_units("reference rows", rows.units())?;
    let wide = match rows.natural_units() {
        Units::Categorical { classes, .. } => classes,
        _ => 1,
    };
    let (own, units, n) = (model.free_energy(rows)?, rows.units() / wide, reference.rows());
    model.free_energy(reference)?;
    let mut out = Array2::zeros((rows.rows(), units));
    for row in 0..rows.rows() {
        for unit in 0..units {
            let moved = replaced(rows, row, reference, unit * wide..(unit + 1) * wide);
            let mean = model.free_energy(&moved)?.sum() / n as f64;
            out[(row, unit)] = mutant!("B297", own[row] - mean, mean - own[row]);
        }
    }
    Ok(out)
}

/// Repeats a row with the features of a range taken from each reference row.
fn replaced(rows: &Batch, row: usize, reference: &Batch, range: std::ops::Range<usize>) -> Batch {
    let repeated = rows.gather(std::iter::repeat_n(row, reference.rows()));
    let mask =
        harmonium_kernels::BitMatrix::from_fn(reference.rows(), rows.units(), |_, f| range.contains(&f));
    let states = repeated.states().filled(&mask, reference.states());
    repeated.completed(states)
}

/// Scores rows by −ln p(v) of independent units, in nats.
#[derive(Clone, Debug)]
pub struct Independent {
    layer: Layer,
    scaling: Option<Scaling>,
    log_z: f64,
}

impl Independent {
    /// Takes the marginals of rows of this kind.
    ///
    /// # Errors
    /// Refuses rows that the units can't take.
    pub fn fit(units: &Units, data: &Batch) -> Result<Self, Error> {
        data.check_kind("data", units)?;
        let scaling = standardise(units, data)?;
        let layer = marginals(units, data, scaling.as_ref())?;
        Ok(Self { log_z: layer.log_z(), layer, scaling })
    }

    /// Computes −ln p(v) of each row; the density is that of standardised values.
    ///
    /// # Errors
    /// Refuses rows that the units can't take, or with missing values.
    pub fn scores(&self, data: &Batch) -> Result<Vec<f64>, Error> {
        data.check_kind("data", &self.layer.units())?;
        data.check_complete("data")?;
        let states = self.scaling.as_ref().map_or_else(|| data.states().clone(), |s| s.apply(data.states()));
        let energies = self.layer.energy(&states).into_iter().zip(self.layer.log_measure(&states));
        Ok(energies.map(|(u, m)| u - m + self.log_z).collect())
    }
}

/// Scores rows by their squared Mahalanobis distance, (x − μ)ᵀ Σ⁻¹ (x − μ) (Mahalanobis 1936).
#[derive(Clone, Debug)]
pub struct Mahalanobis {
    mean: Vec<f64>,
    /// L of Σ = L Lᵀ, row-major.
    factor: Vec<f64>,
}

impl Mahalanobis {
    /// Takes means and covariances (divided by n) of rows: `(n, columns)`.
    ///
    /// # Errors
    /// Refuses rows of which a column is constant or made of others: they have no inverse covariance.
    #[allow(clippy::needless_pass_by_value)] // A view is passed by value wherever ndarray is at home.
    pub fn fit(rows: ArrayView2<'_, f32>) -> Result<Self, Error> {
        let (n, d) = rows.dim();
        let wide = rows.mapv(f64::from);
        let mean: Vec<f64> = wide.columns().into_iter().map(|c| c.iter().sum::<f64>() / n as f64).collect();
        let mut sums = vec![0.0; d * d];
        for row in wide.rows() {
            let off: Vec<f64> = row.iter().zip(&mean).map(|(x, m)| x - m).collect();
            for (i, line) in sums.chunks_exact_mut(d.max(1)).enumerate() {
                line[..=i].iter_mut().zip(&off).for_each(|(sum, x)| *sum += off[i] * x);
            }
        }
        sums.iter_mut().for_each(|sum| *sum /= n as f64);
        let factor = factored(sums, d)?;
        Ok(Self { mean, factor })
    }

    /// Computes the squared distance of each row: `(n, columns) → n`.
    ///
    /// # Errors
    /// Refuses rows of another width.
    #[allow(clippy::needless_pass_by_value)]
    pub fn scores(&self, rows: ArrayView2<'_, f32>) -> Result<Vec<f64>, Error> {
        let d = self.mean.len();
        if rows.ncols() != d {
            return Err(Error::shape("data", format!("{d} columns"), format!("{} columns", rows.ncols())));
        }
        let score = |row: ndarray::ArrayView1<'_, f32>| {
            let mut y: Vec<f64> = Vec::with_capacity(d);
            for (i, (&x, mean)) in row.iter().zip(&self.mean).enumerate() {
                let line = &self.factor[i * d..];
                let dot: f64 = line.iter().zip(&y).map(|(l, y)| l * y).sum();
                y.push((f64::from(x) - mean - dot) / line[i]);
            }
            y.iter().map(|y| y * y).sum()
        };
        Ok(rows.rows().into_iter().map(score).collect())
    }
}

/// Factors a symmetric matrix, of which the lower half is read, by Cholesky's method.
fn factored(mut a: Vec<f64>, n: usize) -> Result<Vec<f64>, Error> {
    for i in 0..n {
        let own = a[i * n + i];
        for j in 0..=i {
            let dot: f64 = (0..j).map(|k| a[i * n + k] * a[j * n + k]).sum();
            let rest = a[i * n + j] - dot;
            if i > j {
                a[i * n + j] = rest / a[j * n + j];
            } else if rest > 1e-12 * own {
                a[i * n + i] = rest.sqrt();
            } else {
                let expected = "a column that the ones before it do not settle";
                return Err(Error::value("covariances", format!("column {i}"), expected, "one that they do"));
            }
        }
    }
    Ok(a)
}
