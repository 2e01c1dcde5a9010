//! Multiplies f32 matrices: the longer side of the result is cut into parts of a fixed width, and each part is one task.
//!
//! Every entry is one sum over the inner side, whose order depends on shapes alone: the same bits for any number of threads, on
//! one CPU model.

use ndarray::linalg::general_mat_mul;
use ndarray::parallel::prelude::*;
use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis, Slice};

/// Rows or columns of a task: wide enough that what each packs anew is small beside what it multiplies.
const PART: usize = 128;

/// Multiplications below which threads cost more than they bring.
const SMALL: usize = 1 << 17;

/// Computes `a · b`, `(m, k) × (k, n) → (m, n)`, and hands each part to `finish` while it is near, with its first row and column.
pub(super) fn product(
    a: ArrayView2<'_, f32>,
    b: ArrayView2<'_, f32>,
    finish: impl Fn(ArrayViewMut2<'_, f32>, [usize; 2]) + Sync,
) -> Array2<f32> {
    let mut out = Array2::zeros((a.nrows(), b.ncols()));
    product_into(a, b, out.view_mut(), finish);
    out
}

/// Computes `a · b` into an array of its shape.
pub(super) fn product_into(
    a: ArrayView2<'_, f32>,
    b: ArrayView2<'_, f32>,
    mut out: ArrayViewMut2<'_, f32>,
    finish: impl Fn(ArrayViewMut2<'_, f32>, [usize; 2]) + Sync,
) {
    let tall = out.nrows() > out.ncols();
    let small = a.nrows() * a.ncols() * b.ncols() < SMALL;
    let task = |(part, mut out): (usize, ArrayViewMut2<'_, f32>)| {
        let start = part * PART;
        let slice = |axis: Axis| Slice::from(start..start + out.len_of(axis));
        if tall {
            let rows = a.slice_axis(Axis(0), slice(Axis(0)));
            general_mat_mul(1.0, &rows, &b, 0.0, &mut out);
            finish(out, [start, 0]);
        } else {
            let columns = b.slice_axis(Axis(1), slice(Axis(1)));
            general_mat_mul(1.0, &a, &columns, 0.0, &mut out);
            finish(out, [0, start]);
        }
    };
    let parts = out.axis_chunks_iter_mut(Axis(usize::from(!tall)), PART);
    if small {
        parts.into_iter().enumerate().for_each(task);
    } else {
        parts.into_par_iter().enumerate().for_each(task);
    }
}

/// Adds the rows of an array in their order, in f64: `(n, units) → units`.
pub(super) fn column_sums(values: ArrayView2<'_, f32>) -> Vec<f32> {
    let mut sums = vec![0.0_f64; values.ncols()];
    for row in values.rows() {
        sums.iter_mut().zip(row).for_each(|(sum, &x)| *sum += f64::from(x));
    }
    sums.into_iter().map(|sum| sum as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// Whole numbers up to 2²⁴ are exact in f32, so any order of the sums gives these.
    #[test]
    fn products_are_those_of_whole_numbers() {
        for (m, k, n) in [(1, 1, 1), (3, 5, 2), (130, 70, 300), (300, 40, 129), (257, 300, 10), (2, 300, 700)]
        {
            let a = Array2::from_shape_fn((m, k), |(i, j)| ((i * 7 + j * 3) % 11) as f32 - 5.0);
            let b = Array2::from_shape_fn((k, n), |(i, j)| ((i * 5 + j) % 13) as f32 - 6.0);
            let seen = Mutex::new(Array2::<u8>::zeros((m, n)));
            let found = product(a.view(), b.view(), |part, [r, c]| {
                let mut seen = seen.lock().unwrap();
                for ((i, j), _) in part.indexed_iter() {
                    seen[(r + i, c + j)] += 1;
                }
            });
            let exact = |(i, j)| (0..k).map(|l| a[(i, l)] * b[(l, j)]).sum::<f32>();
            assert_eq!(found, Array2::from_shape_fn((m, n), exact), "{m} {k} {n}");
            assert!(seen.into_inner().unwrap().iter().all(|&count| count == 1));
            let (at, bt) = (a.t().as_standard_layout().into_owned(), b.t().as_standard_layout().into_owned());
            assert_eq!(product(at.t(), bt.t(), |_, _| {}), found, "turned, {m} {k} {n}");
        }
    }
}
