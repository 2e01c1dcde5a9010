//! Measures how far rows are from each other, for the comparisons of samples.

use harmonium_kernels::{Key, parallel};

use crate::data::shuffled;
use crate::units::States;
use crate::{Batch, Error};

/// Computes the distance of two rows of one kind and width: the number of bits that differ, or the squared Euclidean distance.
pub(super) fn distance(a: &States, row: usize, b: &States, other: usize) -> f64 {
    match (a, b) {
        (States::Bits(a), States::Bits(b)) => {
            let pairs = a.row(row).iter().zip(b.row(other));
            f64::from(pairs.map(|(x, y)| (x ^ y).count_ones()).sum::<u32>())
        }
        (States::Reals(a), States::Reals(b)) => {
            let differences =
                a.row(row).into_iter().zip(b.row(other)).map(|(&x, &y)| f64::from(x) - f64::from(y));
            differences.map(|d| d * d).sum()
        }
        _ => f64::NAN,
    }
}

/// Computes the distance from each row to the nearest of the others.
pub(super) fn nearest(rows: &States, others: &States) -> Vec<f64> {
    parallel::map(rows.rows(), |row| {
        least((0..others.rows()).map(|other| distance(rows, row, others, other)))
    })
}

/// Computes the distance from each row to the nearest other row of the same set.
pub(super) fn nearest_within(rows: &States) -> Vec<f64> {
    let others = |row: usize| (0..rows.rows()).filter(move |&other| other != row);
    parallel::map(rows.rows(), |row| least(others(row).map(|other| distance(rows, row, rows, other))))
}

fn least(distances: impl Iterator<Item = f64>) -> f64 {
    distances.fold(f64::INFINITY, f64::min)
}

/// Gives the share of pairs of which the first is nearer, a tie counting for half.
pub(super) fn share_nearer(first: &[f64], second: &[f64]) -> f64 {
    let score = |(a, b): (&f64, &f64)| match a.total_cmp(b) {
        std::cmp::Ordering::Less => 2_u32,
        std::cmp::Ordering::Equal => mutant!("B196", 1, 0),
        std::cmp::Ordering::Greater => 0,
    };
    let twice: u32 = first.iter().zip(second).map(score).sum();
    f64::from(twice) / 2.0 / first.len() as f64
}

/// Refuses two sets of rows that can't be compared.
///
/// # Errors
/// Says what differs or is missing: kinds, widths, values, or rows, of which there must be two at least.
pub(super) fn check(field: &str, rows: &Batch, like: &Batch) -> Result<(), Error> {
    rows.check_complete(field)?;
    like.check_complete("rows to compare with")?;
    rows.states().check_features(field, like.units())?;
    if rows.states().bits().is_some() != like.states().bits().is_some() {
        let kind = |batch: &Batch| if batch.states().bits().is_some() { "bits" } else { "real values" };
        return Err(Error::value(field, "", kind(like), kind(rows)));
    }
    match rows.rows().min(like.rows()) {
        0 | 1 => Err(Error::shape(field, "two rows at least", "fewer")),
        _ => Ok(()),
    }
}

/// Takes so many rows, drawn without repetition where there are more.
pub(super) fn some(rows: &Batch, count: usize, key: Key) -> Batch {
    if rows.rows() <= count {
        return rows.clone();
    }
    let order = shuffled(rows.rows(), key, 0);
    rows.gather(order.iter().take(count).map(|&row| row as usize))
}
