//! Turns rows into such of zero mean and unit covariance: along the principal directions, or as near to the rows as can be.

use ndarray::{Array1, Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use super::pca::check_width;
use super::projection::mapped;
use super::{Covariance, eigen};
use crate::{Error, Rows};

/// Says in which axes white rows are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rotation {
    /// In the principal directions, the one of the largest variance first.
    Pca,
    /// In the features' own axes: of all white versions the one nearest to the rows (Bell & Sejnowski 1997; zero-phase).
    #[default]
    Zca,
}

/// Says how rows are made white.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Whiten {
    /// The axes of the result.
    pub rotation: Rotation,
    /// What is added to each variance before rows are divided by its root, in squared units of the data: above 0 it keeps
    /// noise of directions that hardly vary from being blown up, and the covariance below 1 there.
    pub epsilon: f64,
}

impl Default for Whiten {
    fn default() -> Self {
        Self { rotation: Rotation::Zca, epsilon: 1e-5 }
    }
}

impl Whiten {
    /// Refuses an epsilon below 0, or one that is no number.
    ///
    /// # Errors
    /// Names the option.
    pub fn check(&self) -> Result<(), Error> {
        if self.epsilon >= 0.0 && self.epsilon.is_finite() {
            return Ok(());
        }
        Err(Error::option("epsilon", "0 or a number above", self.epsilon))
    }
}

/// Makes rows white: y = M (x − mean), M = (Λ + ε)^(−1/2) V for PCA and Vᵀ (Λ + ε)^(−1/2) V for ZCA.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts")]
pub struct Whitening {
    mean: Array1<f64>,
    matrix: Array2<f64>,
    inverse: Array2<f64>,
}

/// Is what a file holds, before it is looked at.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    mean: Array1<f64>,
    matrix: Array2<f64>,
    inverse: Array2<f64>,
}

impl TryFrom<Parts> for Whitening {
    type Error = Error;

    fn try_from(Parts { mean, matrix, inverse }: Parts) -> Result<Self, Error> {
        let square = (mean.len(), mean.len());
        if mean.is_empty() || matrix.dim() != square || inverse.dim() != square {
            let got = format!("{:?} and {:?}", matrix.dim(), inverse.dim());
            return Err(Error::shape("whitening", format!("two matrices of {square:?}"), got));
        }
        match mean.iter().chain(&matrix).chain(&inverse).find(|x| !x.is_finite()) {
            Some(got) => Err(Error::value("whitening", "", "finite numbers", got)),
            None => Ok(Self { mean, matrix, inverse }),
        }
    }
}

impl Whitening {
    /// Fits the map to rows of bits or real values: `(n, features)`.
    ///
    /// # Errors
    /// As [`Rows::read`]; refuses missing values, options out of range, and a direction without variance if ε is 0.
    pub fn fit(data: &dyn Rows, options: &Whiten) -> Result<Self, Error> {
        options.check()?;
        let covariance = Covariance::of(data)?;
        let found = eigen::symmetric(covariance.matrix.view())?;
        let rounding = f64::EPSILON * covariance.mean.len() as f64 * found.values[0].max(0.0);
        let variances = found.values.mapv(|x| x.max(0.0) + options.epsilon);
        if let Some(flat) = variances.iter().position(|&x| x <= rounding) {
            let expected = "some variance in each direction, or an epsilon above 0";
            return Err(Error::value("data", format!("direction {flat}"), expected, variances[flat]));
        }
        let scaled = |power: &dyn Fn(f64) -> f64| {
            let rows = &found.vectors * &variances.mapv(power).insert_axis(ndarray::Axis(1));
            match options.rotation {
                Rotation::Pca => rows,
                Rotation::Zca => mutant!("B264", found.vectors.t().dot(&rows), rows),
            }
        };
        let (matrix, back) = (scaled(&|x| 1.0 / x.sqrt()), scaled(&f64::sqrt));
        Ok(Self { mean: covariance.mean, matrix, inverse: back.reversed_axes() })
    }

    /// Gives M: `(features, features)`.
    pub fn matrix(&self) -> &Array2<f64> {
        &self.matrix
    }

    /// Makes rows white: `(n, features) → (n, features)`.
    ///
    /// # Errors
    /// Refuses rows of another width, and values that are not finite.
    pub fn transform(&self, rows: ArrayView2<'_, f32>) -> Result<Array2<f32>, Error> {
        check_width("data", &rows, self.mean.len())?;
        Ok(mapped(rows, Some(&self.mean), self.matrix.view(), None).mapv(|x| x as f32))
    }

    /// Computes the rows that white ones stand for: `(n, features) → (n, features)`.
    ///
    /// # Errors
    /// As [`Whitening::transform`].
    pub fn inverse(&self, white: ArrayView2<'_, f32>) -> Result<Array2<f32>, Error> {
        check_width("white rows", &white, self.mean.len())?;
        Ok(mapped(white, None, self.inverse.view(), Some(&self.mean)).mapv(|x| x as f32))
    }
}
