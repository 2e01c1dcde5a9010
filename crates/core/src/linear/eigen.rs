//! Decomposes symmetric matrices: A = Vᵀ Λ V, eigenvalues from the largest on, signs by a convention.
//!
//! [`own`] is plain Rust: Householder's reduction to tridiagonal form, then implicit QL. Under the feature `lapack`,
//! [`symmetric`] asks LAPACK (`dsyev`) instead, whose last bits depend on its build and its threads.

mod householder;
#[cfg(feature = "lapack")]
mod lapack;
mod ql;

use ndarray::{Array1, Array2, ArrayView2, Axis};

#[cfg(feature = "lapack")]
pub use lapack::lapack;

use crate::Error;

/// Is the decomposition of a symmetric matrix.
#[derive(Clone, Debug, PartialEq)]
pub struct Eigen {
    /// The eigenvalues, the largest first: `n`.
    pub values: Array1<f64>,
    /// The eigenvectors, one a row, of length 1, the entry of the largest size positive: `(n, n)`.
    pub vectors: Array2<f64>,
}

/// Decomposes a symmetric matrix by [`own`], or by LAPACK under the feature `lapack`.
///
/// # Errors
/// As [`own`].
pub fn symmetric(matrix: ArrayView2<'_, f64>) -> Result<Eigen, Error> {
    #[cfg(feature = "lapack")]
    return lapack(matrix);
    #[cfg(not(feature = "lapack"))]
    own(matrix)
}

/// Decomposes a symmetric matrix in plain Rust; entries above the diagonal are not looked at. Takes some 10 n³ operations.
///
/// # Errors
/// Refuses a matrix that is not square, or not finite.
pub fn own(matrix: ArrayView2<'_, f64>) -> Result<Eigen, Error> {
    check(&matrix)?;
    let (mut diagonal, mut beside, mut vectors) = householder::tridiagonal(&matrix);
    ql::diagonalise(&mut diagonal, &mut beside, &mut vectors)?;
    Ok(ordered(&diagonal, &vectors))
}

fn check(matrix: &ArrayView2<'_, f64>) -> Result<(), Error> {
    if !matrix.is_square() || matrix.is_empty() {
        let got = format!("{} x {}", matrix.nrows(), matrix.ncols());
        return Err(Error::shape("matrix", "a square one", got));
    }
    match matrix.indexed_iter().find(|(_, x)| !x.is_finite()) {
        Some(((row, column), got)) => {
            Err(Error::value("matrix", format!("row {row}, column {column}"), "a finite number", got))
        }
        None => Ok(()),
    }
}

/// Sorts by eigenvalue, the largest first, equal ones as they came; and settles the signs.
fn ordered(values: &[f64], vectors: &Array2<f64>) -> Eigen {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
    let sorted = mutant!("B261", order.clone(), (0..values.len()).collect::<Vec<_>>());
    let mut vectors = vectors.select(Axis(0), &sorted);
    for mut row in vectors.rows_mut() {
        let largest = row.iter().fold(0.0_f64, |most, &x| if x.abs() > most.abs() { x } else { most });
        if mutant!("B262", largest < 0.0, false) {
            row.mapv_inplace(|x| -x);
        }
    }
    Eigen { values: order.iter().map(|&at| values[at]).collect(), vectors }
}
