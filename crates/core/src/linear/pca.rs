//! Finds the directions in which rows vary most, and writes rows as their coordinates along these (Pearson 1901).

use harmonium_kernels::parallel;
use ndarray::{Array1, Array2, ArrayView2, Axis, s};
use serde::{Deserialize, Serialize};

use super::projection::mapped;
use super::{Covariance, check_features, eigen};
use crate::rows::{mean, read_range};
use crate::{Error, Rows};

/// Rows whose errors one task computes.
const BLOCK: usize = 256;
/// Rows that are read at a time.
const READ: usize = 4096;

/// Is a principal component analysis: code = V (x − mean), and back x̂ = mean + Vᵀ code.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts")]
pub struct Pca {
    mean: Array1<f64>,
    components: Array2<f64>,
    variances: Array1<f64>,
    total: f64,
}

/// Is what a file holds, before it is looked at.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    mean: Array1<f64>,
    components: Array2<f64>,
    variances: Array1<f64>,
    total: f64,
}

impl TryFrom<Parts> for Pca {
    type Error = Error;

    fn try_from(parts: Parts) -> Result<Self, Error> {
        let Parts { mean, components, variances, total } = parts;
        if components.is_empty() || components.dim() != (variances.len(), mean.len()) {
            let expected = format!("{} x {}, one of each at least", variances.len(), mean.len());
            return Err(Error::shape("components", expected, format!("{:?}", components.dim())));
        }
        let wrong = mean.iter().chain(&components).chain(&variances).chain([&total]).find(|x| !x.is_finite());
        match wrong.copied() {
            Some(got) => Err(Error::value("analysis", "", "finite numbers", got)),
            None => Ok(Self { mean, components, variances, total }),
        }
    }
}

impl Pca {
    /// Finds the first `components` directions of rows of bits or real values: `(n, features)`.
    ///
    /// The rows are read twice, a block at a time; rows with weights count as often as these say. Each component has length 1,
    /// and its entry of the largest size is positive. Variances are divided by n, not by n − 1.
    ///
    /// # Errors
    /// As [`Rows::read`]; refuses missing values, and no component or more than there are rows or features.
    pub fn fit(data: &dyn Rows, components: usize) -> Result<Self, Error> {
        let most = data.rows().min(data.units());
        if components == 0 || components > most {
            return Err(Error::option("components", format!("1 to {most}"), components));
        }
        Self::of(&Covariance::of(data)?, components)
    }

    /// Finds the first directions of a covariance that is known.
    ///
    /// # Errors
    /// Refuses no component, more than there are features, and a matrix that is not square, not finite, or of another width
    /// than the mean.
    pub fn of(covariance: &Covariance, components: usize) -> Result<Self, Error> {
        let features = covariance.mean.len();
        if components == 0 || components > features {
            return Err(Error::option("components", format!("1 to {features}"), components));
        }
        if covariance.matrix.dim() != (features, features) {
            let got = format!("{:?}", covariance.matrix.dim());
            return Err(Error::shape("covariance", format!("{features} x {features}"), got));
        }
        let found = eigen::symmetric(covariance.matrix.view())?;
        Ok(Self {
            mean: covariance.mean.clone(),
            components: first(&found.vectors, components),
            // Rounding can leave −1e-17 where nothing varies.
            variances: found.values.iter().take(components).map(|x| x.max(0.0)).collect(),
            total: covariance.matrix.diag().sum(),
        })
    }

    /// Gives the mean of the rows: `features`.
    pub fn mean(&self) -> &Array1<f64> {
        &self.mean
    }

    /// Gives the directions, one a row: `(components, features)`.
    pub fn components(&self) -> &Array2<f64> {
        &self.components
    }

    /// Gives the variance of the rows along each direction: `components`.
    pub fn explained_variance(&self) -> &Array1<f64> {
        &self.variances
    }

    /// Gives the share of each direction in the variance of all features; 0 where the rows do not vary.
    pub fn explained_share(&self) -> Array1<f64> {
        self.variances.mapv(|x| if self.total > 0.0 { x / self.total } else { 0.0 })
    }

    /// Keeps the first directions alone.
    ///
    /// # Errors
    /// Refuses none, or more than there are.
    pub fn truncated(&self, components: usize) -> Result<Self, Error> {
        let most = self.variances.len();
        if components == 0 || components > most {
            return Err(Error::option("components", format!("1 to {most}"), components));
        }
        Ok(Self {
            components: first(&self.components, components),
            variances: self.variances.iter().take(components).copied().collect(),
            ..self.clone()
        })
    }

    /// Computes codes: `(n, features) → (n, components)`.
    ///
    /// # Errors
    /// Refuses rows of another width, and values that are not finite.
    pub fn transform(&self, rows: ArrayView2<'_, f32>) -> Result<Array2<f32>, Error> {
        check_width("data", &rows, self.mean.len())?;
        Ok(mapped(rows, Some(&self.mean), self.components.view(), None).mapv(|x| x as f32))
    }

    /// Computes what codes stand for: `(n, components) → (n, features)`.
    ///
    /// # Errors
    /// Refuses codes of another width, and values that are not finite.
    pub fn inverse(&self, codes: ArrayView2<'_, f32>) -> Result<Array2<f32>, Error> {
        check_width("codes", &codes, self.variances.len())?;
        Ok(mapped(codes, None, self.components.t(), Some(&self.mean)).mapv(|x| x as f32))
    }

    /// Computes what is left of rows once they are codes: `(n, features) → (n, features)`.
    ///
    /// # Errors
    /// As [`Pca::transform`].
    pub fn reconstruct(&self, rows: ArrayView2<'_, f32>) -> Result<Array2<f32>, Error> {
        self.inverse(self.transform(rows)?.view())
    }

    /// Computes ‖x − x̂‖² of each row, summed over its features: `(n, features) → n`. It is large where a row is unlike those of
    /// the fit.
    ///
    /// # Errors
    /// As [`Pca::transform`].
    pub fn errors(&self, rows: ArrayView2<'_, f32>) -> Result<Array1<f64>, Error> {
        check_width("data", &rows, self.mean.len())?;
        let blocks: Vec<_> = rows.axis_chunks_iter(Axis(0), BLOCK).collect();
        let parts = parallel::map(blocks.len(), |block| {
            let away = blocks[block].mapv(f64::from) - &self.mean;
            let left = &away - &away.dot(&self.components.t()).dot(&self.components);
            (&left * &left).sum_axis(Axis(1)).to_vec()
        });
        Ok(Array1::from(parts.concat()))
    }

    /// Computes the mean of ‖x − x̂‖², summed over the features, over all rows; rows with weights count as often as these say.
    ///
    /// # Errors
    /// As [`Rows::read`] and [`Pca::transform`]; refuses missing values.
    pub fn squared_error(&self, data: &dyn Rows) -> Result<f64, Error> {
        let mut errors = Vec::with_capacity(data.rows());
        for start in (0..data.rows()).step_by(READ) {
            let block = read_range(data, start..data.rows().min(start + READ))?;
            block.check_complete("data")?;
            errors.extend(self.errors(block.to_array().view())?);
        }
        Ok(mean(data, &errors)? / mutant!("B263", 1.0, self.mean.len() as f64))
    }
}

/// Copies the first rows of a matrix.
fn first(matrix: &Array2<f64>, rows: usize) -> Array2<f64> {
    matrix.slice(s![..rows, ..]).to_owned()
}

/// Refuses rows of another width than `features`, or with values that are not finite.
pub(super) fn check_width(field: &str, rows: &ArrayView2<'_, f32>, features: usize) -> Result<(), Error> {
    if rows.ncols() != features {
        return Err(Error::shape(field, format!("{features} columns"), format!("{} columns", rows.ncols())));
    }
    check_features(field, rows)
}
