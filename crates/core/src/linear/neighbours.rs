//! Finds the nearest rows exactly, and predicts classes by their votes.

use harmonium_kernels::parallel;
use ndarray::{Array2, ArrayView2};

use super::strips::Strips;
use super::{check_features, check_labels};
use crate::Error;

/// Rows whose neighbours one task finds.
const BLOCK: usize = 16;

/// Finds the `k` rows of `among` nearest to each row, the nearest first: `(n, features), (m, features) → (n, k)`.
///
/// Distances are Euclidean, computed in f64 with the features in their order; of two rows as near as each other the one with
/// the smaller number comes first.
///
/// # Errors
/// Refuses values that are not finite, widths that differ, and no neighbour or more than there are rows.
pub fn nearest(
    rows: ArrayView2<'_, f32>,
    among: ArrayView2<'_, f32>,
    k: usize,
) -> Result<Array2<u32>, Error> {
    check_features("rows", &rows)?;
    check_features("rows to search", &among)?;
    if rows.ncols() != among.ncols() {
        let expected = format!("{} columns", among.ncols());
        return Err(Error::shape("rows", expected, format!("{} columns", rows.ncols())));
    }
    crate::rows::check_count("rows to search", among.nrows())?;
    check_k(k, among.nrows())?;
    let strips = Strips::new(&among);
    let blocks = parallel::map(rows.nrows().div_ceil(BLOCK), |block| {
        let mut distances = Vec::with_capacity(among.nrows());
        let own = block * BLOCK..rows.nrows().min((block + 1) * BLOCK);
        own.flat_map(|row| {
            strips.distances(rows.row(row), &mut distances);
            first(&distances, k, None)
        })
        .collect::<Vec<u32>>()
    });
    let all = blocks.concat();
    Ok(Array2::from_shape_fn((rows.nrows(), k), |(row, at)| all[row * k + at]))
}

/// Predicts the class of each row by the votes of its `k` nearest training rows; of classes with as many votes the smallest.
///
/// # Errors
/// As [`nearest`]; refuses labels that are not one a row.
pub fn knn_predict(
    train: ArrayView2<'_, f32>,
    labels: &[usize],
    rows: ArrayView2<'_, f32>,
    k: usize,
) -> Result<Vec<usize>, Error> {
    check_labels("labels", labels, train.nrows(), usize::MAX)?;
    let near = nearest(rows, train, k)?;
    let vote = |row: ndarray::ArrayView1<'_, u32>| {
        let mut votes: Vec<usize> = row.iter().map(|&other| labels[other as usize]).collect();
        votes.sort_unstable();
        majority(&votes)
    };
    Ok(near.rows().into_iter().map(vote).collect())
}

/// Computes the share of rows whose class the votes of their `k` nearest training rows give.
///
/// # Errors
/// As [`knn_predict`].
pub fn knn_accuracy(
    train: (ArrayView2<'_, f32>, &[usize]),
    test: (ArrayView2<'_, f32>, &[usize]),
    k: usize,
) -> Result<f64, Error> {
    check_labels("test labels", test.1, test.0.nrows(), usize::MAX)?;
    super::accuracy(test.1, &knn_predict(train.0, train.1, test.0, k)?)
}

pub(super) fn check_k(k: usize, most: usize) -> Result<(), Error> {
    if (1..=most).contains(&k) {
        return Ok(());
    }
    Err(Error::option("k", format!("1 to {most}"), k))
}

/// Lists the numbers of the `k` smallest distances in rising order, smaller numbers first where they tie, leaving out one.
pub(super) fn first(distances: &[f64], k: usize, without: Option<usize>) -> Vec<u32> {
    let mut kept: Vec<(f64, u32)> = Vec::with_capacity(k + 1);
    for (row, &d) in distances.iter().enumerate() {
        let full = kept.len() == k;
        let beaten = full && mutant!("B268", d >= kept[k - 1].0, d > kept[k - 1].0);
        if beaten || Some(row) == without {
            continue;
        }
        let place = kept.partition_point(|other| mutant!("B268", other.0 <= d, other.0 < d));
        kept.insert(place, (d, row as u32));
        kept.truncate(k);
    }
    kept.into_iter().map(|(_, row)| row).collect()
}

/// Gives the most frequent of sorted labels, the smallest of several.
fn majority(sorted: &[usize]) -> usize {
    let mut best = (0, 0);
    for group in sorted.chunk_by(|a, b| a == b) {
        if mutant!("B269", group.len() > best.0, group.len() >= best.0) {
            best = (group.len(), group[0]);
        }
    }
    best.1
}
