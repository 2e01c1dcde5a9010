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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::data::{ReadOptions, open};
    use crate::linear::eigen::{own, symmetric};
    use crate::linear::{Covariance, Pca};

    /// Both ways agree to 1e-5, signs included, on the grey digits with their labels. Three pixels never vary: any axes of what
    /// is left there are right.
    #[test]
    fn lapack_finds_what_own_code_finds() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/digits/digits.csv.gz");
        let covariance = Covariance::of(&open(&file, &ReadOptions::default()).unwrap()).unwrap();
        let [a, b] = [own, lapack].map(|solve| solve(covariance.matrix.view()).unwrap());
        assert!((&a.values - &b.values).iter().all(|x| x.abs() < 1e-5));
        let varied = a.values.iter().filter(|&&x| x > 1e-9).count();
        assert_eq!(varied, 62);
        let apart = |row: usize| {
            (&a.vectors.row(row) - &b.vectors.row(row)).iter().fold(0.0_f64, |m, x| m.max(x.abs()))
        };
        assert!((0..varied).all(|row| apart(row) < 1e-5));
        assert!(symmetric(covariance.matrix.view()).unwrap() == b);
        assert!(Pca::of(&covariance, 1).unwrap().components().row(0) == b.vectors.row(0));
    }
}
