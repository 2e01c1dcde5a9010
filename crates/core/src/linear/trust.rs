//! Measures how far neighbours in a map are neighbours of the rows themselves.

use harmonium_kernels::parallel;
use ndarray::ArrayView2;

use super::check_features;
use super::neighbours::first;
use super::strips::Strips;
use crate::Error;

/// Computes the trustworthiness of a map (Venna & Kaski 2001, equation 1), as scikit-learn does:
/// T = 1 − 2 / (n k (2n − 3k − 1)) Σᵢ Σⱼ max(0, r(i, j) − k), j over the k nearest of i in the map, r(i, j) the rank of j among
/// the neighbours of i in the data, the nearest being 1. `(n, features), (n, dimensions) → 0 to 1`.
///
/// Of two rows as near as each other the one with the smaller number comes first. Takes time with the square of n.
///
/// # Errors
/// Refuses values that are not finite, numbers of rows that differ, and a k that is 0 or not below n/2.
pub fn trustworthiness(data: ArrayView2<'_, f32>, map: ArrayView2<'_, f32>, k: usize) -> Result<f64, Error> {
    check_features("data", &data)?;
    check_features("map", &map)?;
    let n = data.nrows();
    if map.nrows() != n {
        return Err(Error::shape("map", format!("{n} rows"), map.nrows()));
    }
    if k == 0 || 2 * k >= n {
        return Err(Error::option("k", format!("1 to below half of {n} rows"), k));
    }
    let (own, mapped) = (Strips::new(&data), Strips::new(&map));
    let intruders = parallel::map(n, |row| {
        let mut distances = Vec::new();
        mapped.distances(map.row(row), &mut distances);
        let near = first(&distances, k, Some(row));
        own.distances(data.row(row), &mut distances);
        near.iter().map(|&j| rank(&distances, row, j as usize).saturating_sub(k) as u64).sum::<u64>()
    });
    let sum: u64 = intruders.iter().sum();
    let (n, k) = (n as f64, k as f64);
    Ok(1.0 - 2.0 / (n * k * (2.0 * n - 3.0 * k - 1.0)) * sum as f64)
}

/// Counts the other rows that are nearer, and one: the rank of row j seen from `row`.
fn rank(distances: &[f64], row: usize, j: usize) -> usize {
    let nearer = |&(l, d): &(usize, &f64)| *d < distances[j] || *d == distances[j] && l < j;
    let before = distances.iter().enumerate().filter(nearer).filter(|&(l, _)| l != row).count();
    mutant!("B270", before + 1, before)
}
