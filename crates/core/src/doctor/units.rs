//! Finds hidden units that do nothing: dead, saturated, or the same as another.

use std::f64::consts::PI;

use ndarray::{Array2, ArrayView1, ArrayView2, Axis};

use super::{Doctor, Finding, Remark};

/// Share of rows on which duplicates answer alike, each measured against its own mean.
const AGREEMENT: f64 = 0.8;
/// Probability with which random weights may pass for duplicates, over all pairs.
const CHANCE: f64 = 1e-3;

/// Finds dead and saturated units by their means on rows of data: `(n, hidden)` (Hinton 2010, §15: displays of hidden
/// activities).
pub fn idle(means: ArrayView2<'_, f32>, options: &Doctor) -> Vec<Remark> {
    let activity = activity(means);
    let these = |which: &dyn Fn(f64) -> bool| -> Vec<usize> {
        (0..activity.len()).filter(|&j| which(activity[j])).collect()
    };
    let (all, low) = (activity.len(), options.idle);
    let dead = these(&|mean| mutant!("B81", mean < low, mean < low * low));
    let saturated = these(&|mean| mean > 1.0 - low);
    let found = format!("hidden units are dead, off on the rows of data (mean below {low})");
    let mut out = Finding::Dead.on_units(&dead, all, options.few, &found);
    let found = format!("hidden units are saturated, on whatever the rows are (mean above {})", 1.0 - low);
    out.extend(Finding::Saturated.on_units(&saturated, all, options.few, &found));
    out
}

/// Finds hidden units of other kinds than bits that give the same whatever the rows are: by the deviation of their means over the
/// rows, `(n, hidden)`, as a share of the deviation that a draw has around its mean, `(hidden)`. A unit whose mean moves by
/// `idle` of that tells rows apart no better than a bit that differs in one row of 1/`idle`.
pub fn silent(means: ArrayView2<'_, f32>, noise: &[f64], options: &Doctor) -> Vec<Remark> {
    let activity = activity(means);
    let deviation = |j: &usize| {
        let square: f64 = means.column(*j).iter().map(|&m| (f64::from(m) - activity[*j]).powi(2)).sum();
        (square / means.nrows() as f64).sqrt()
    };
    let still = |j: &usize| mutant!("B127", deviation(j), activity[*j]) < options.idle * noise[*j];
    let silent: Vec<usize> = (0..activity.len().min(noise.len())).filter(still).collect();
    let found = "hidden units are dead, giving the same whatever the rows are";
    Finding::Dead.on_units(&silent, activity.len(), options.few, found)
}

/// Puts the means of hidden units of any kind between 0 and 1, as those of bits are: 1/2 is a unit's mean over the rows,
/// `(n, hidden) → (n, hidden)`. A unit that gives the same for all rows gets 0.
pub fn squashed(means: ArrayView2<'_, f32>) -> Array2<f32> {
    let mut out = means.to_owned();
    for (j, mean) in activity(means).into_iter().enumerate() {
        let mut column = out.column_mut(j);
        let square: f64 = column.iter().map(|&m| (f64::from(m) - mean).powi(2)).sum();
        let deviation = (square / column.len() as f64).sqrt();
        let place =
            |m: f64| if deviation > 0.0 { 0.5 + libm::atan((m - mean) / deviation) / PI } else { 0.0 };
        column.mapv_inplace(|m| place(f64::from(m)) as f32);
    }
    out
}

/// Finds units that do what an earlier one does: weights `(visible, hidden)` nearly the same, and means on rows
/// `(n, hidden)` that rise and fall together. Dead and saturated units are left to [`idle`].
pub fn duplicates(weights: ArrayView2<'_, f32>, means: ArrayView2<'_, f32>, options: &Doctor) -> Vec<Remark> {
    let activity = activity(means);
    let busy = |j: &usize| (options.idle..=1.0 - options.idle).contains(&activity[*j]);
    let busy: Vec<usize> = (0..activity.len().min(weights.ncols())).filter(busy).collect();
    let answers: Vec<Vec<u64>> = busy.iter().map(|&j| answers(means.column(j), activity[j])).collect();
    let norms: Vec<f64> = busy.iter().map(|&j| square(weights.column(j), None)).collect();
    let alike = angle(weights.nrows(), busy.len(), options.alike);
    let twins = |a: usize, b: usize| {
        let most = alike * alike * norms[a].max(norms[b]);
        let (w, u) = (weights.column(busy[a]), weights.column(busy[b]));
        agree(&answers[a], &answers[b], means.nrows()) && square(w, Some(u)) <= most
    };
    let copies = (0..busy.len()).filter(|&b| (0..b).any(|a| twins(a, b))).map(|b| busy[b]);
    let found = "hidden units are duplicates of another one";
    Finding::Duplicate.on_units(&copies.collect::<Vec<_>>(), activity.len(), options.few, found)
}

/// Gives the mean of each unit; none where there are no rows.
fn activity(means: ArrayView2<'_, f32>) -> Vec<f64> {
    let rows = means.nrows();
    let mut sums = vec![0.0; if rows == 0 { 0 } else { means.ncols() }];
    for row in means.axis_iter(Axis(0)) {
        sums.iter_mut().zip(row).for_each(|(sum, &p)| *sum += f64::from(p));
    }
    sums.into_iter().map(|sum| sum / rows as f64).collect()
}

/// Packs whether a unit is above its own mean, row by row.
fn answers(column: ArrayView1<'_, f32>, mean: f64) -> Vec<u64> {
    let mut words = vec![0; column.len().div_ceil(64)];
    for (row, &p) in column.iter().enumerate() {
        words[row / 64] |= u64::from(f64::from(p) > mean) << (row % 64);
    }
    words
}

fn agree(a: &[u64], b: &[u64], rows: usize) -> bool {
    let apart: u32 = a.iter().zip(b).map(|(x, y)| (x ^ y).count_ones()).sum();
    f64::from(apart) <= (1.0 - AGREEMENT) * rows as f64
}

/// Computes ‖w − u‖², or ‖w‖².
fn square(w: ArrayView1<'_, f32>, u: Option<ArrayView1<'_, f32>>) -> f64 {
    let other = |i: usize| u.map_or(0.0, |u| f64::from(u[i]));
    w.iter().enumerate().map(|(i, &x)| (f64::from(x) - other(i)).powi(2)).sum()
}

/// Lowers the distance of duplicates where few visible units make chance meetings likely: the directions within an
/// angle θ of a given one are a share of at most sin^(d−1) θ / 2 of all in d dimensions.
fn angle(visible: usize, hidden: usize, alike: f64) -> f64 {
    let pairs = (hidden * hidden.saturating_sub(1) / 2).max(1) as f64;
    match visible {
        0 | 1 => 0.0,
        d => alike.min(libm::pow(2.0 * CHANCE / pairs, 1.0 / (d - 1) as f64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Severity;

    /// Means that differ from unit to unit and row to row: σ of an input that is a wave of the unit's own length.
    fn means(rows: usize, hidden: usize) -> Array2<f32> {
        Array2::from_shape_fn((rows, hidden), |(r, j)| {
            0.5 + 0.4 * libm::sinf((r + 1) as f32 * (j + 1) as f32 * 0.7)
        })
    }

    fn weights(visible: usize, hidden: usize) -> Array2<f32> {
        Array2::from_shape_fn((visible, hidden), |(i, j)| libm::cosf((i * 7 + j * j * 3) as f32))
    }

    #[test]
    fn units_at_either_end_are_named() {
        let mut means = means(100, 20);
        assert_eq!(idle(means.view(), &Doctor::default()), []);
        means.column_mut(3).fill(0.001);
        means.column_mut(7).fill(0.9999);
        let found = idle(means.view(), &Doctor::default());
        assert_eq!(found.iter().map(|r| r.finding).collect::<Vec<_>>(), [Finding::Dead, Finding::Saturated]);
        assert_eq!((&found[0].units[..], &found[1].units[..]), (&[3][..], &[7][..]));
        assert_eq!(found[0].severity, Severity::Note);
    }

    #[test]
    fn one_idle_unit_of_a_hundred_is_no_remark() {
        let mut means = means(50, 100);
        means.column_mut(0).fill(0.0);
        assert_eq!(idle(means.view(), &Doctor::default()), []);
        means.column_mut(1).fill(0.0);
        assert_eq!(idle(means.view(), &Doctor::default()).len(), 1);
    }

    #[test]
    fn twins_are_found_and_near_relatives_are_not() {
        let (mut w, mut p) = (weights(30, 20), means(90, 20));
        assert_eq!(duplicates(w.view(), p.view(), &Doctor::default()), []);
        let (column, answers) = (w.column(4).to_owned(), p.column(4).to_owned());
        w.column_mut(9).assign(&(&column * 1.02));
        // The same weights with other answers: the bias decides what the unit does.
        w.column_mut(11).assign(&column);
        p.column_mut(9).assign(&answers);
        let found = duplicates(w.view(), p.view(), &Doctor::default());
        assert_eq!((found.len(), &found[0].units[..]), (1, &[9][..]));
        w.column_mut(9).assign(&(&column * 1.2));
        assert_eq!(duplicates(w.view(), p.view(), &Doctor::default()), []);
    }

    /// 190 pairs of 2 columns: an angle of 10⁻⁵ is met by chance once in a thousand machines.
    #[test]
    fn few_columns_make_the_bound_tighter() {
        assert!((angle(2, 20, 0.1) - 2e-3 / 190.0).abs() < 1e-12);
        assert_eq!((angle(1, 20, 0.1), angle(64, 20, 0.1)), (0.0, 0.1));
    }

    #[test]
    fn units_that_give_the_same_for_all_rows_are_named() {
        let mut means = means(100, 20).mapv(|p| 8.0 * p - 4.0);
        assert_eq!(silent(means.view(), &[1.0; 20], &Doctor::default()), []);
        means.column_mut(6).fill(2.5);
        let found = silent(means.view(), &[1.0; 20], &Doctor::default());
        assert_eq!((found[0].finding, &found[0].units[..]), (Finding::Dead, &[6][..]));
        let squashed = squashed(means.view());
        assert!(squashed.iter().all(|p| (0.0..1.0).contains(p)));
        assert!(squashed.column(6).iter().all(|&p| p == 0.0));
    }

    #[test]
    fn no_rows_are_no_remark() {
        let none = Array2::zeros((0, 5));
        assert_eq!(silent(none.view(), &[1.0; 5], &Doctor::default()), []);
        assert_eq!(idle(none.view(), &Doctor::default()), []);
        assert_eq!(duplicates(weights(3, 5).view(), none.view(), &Doctor::default()), []);
    }
}
