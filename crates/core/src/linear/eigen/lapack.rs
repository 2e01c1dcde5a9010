//! Decomposes symmetric matrices by LAPACK.

use ndarray::ArrayView2;
use ndarray_linalg::{Eigh, UPLO};

use super::{Eigen, check, ordered};
use crate::Error;

/// Decomposes a symmetric matrix by LAPACK's `dsyev`; entries above the diagonal are not looked at.
///
/// # Errors
/// Refuses a matrix that is not square, or not finite; reports what LAPACK reports.
pub fn lapack(matrix: ArrayView2<'_, f64>) -> Result<Eigen, Error> {
    check(&matrix)?;
    let (values, vectors) = matrix
        .eigh(UPLO::Lower)
        .map_err(|error| Error::diverged("eigenvalues", "LAPACK", "convergence", error))?;
    let rows = vectors.reversed_axes().as_standard_layout().into_owned();
    Ok(ordered(&values.to_vec(), &rows))
}
