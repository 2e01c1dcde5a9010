//! Treats rows beside each other: who treats a row changes no result.

use harmonium_kernels::{Key, parallel};
use ndarray::Array2;
use rand::RngCore;

/// Rows of a task.
const BLOCK: usize = 32;

/// Computes something of every row, in order.
pub(super) fn of_rows<T: Copy + Sync, R: Send>(
    rows: &Array2<T>,
    work: impl Fn(usize, &[T]) -> R + Sync,
) -> Vec<R> {
    let count = rows.nrows();
    let block = |task: usize| {
        let rows =
            (task * BLOCK..count.min((task + 1) * BLOCK)).map(|row| work(row, &rows.row(row).to_vec()));
        rows.collect::<Vec<_>>()
    };
    parallel::map(count.div_ceil(BLOCK), block).into_iter().flatten().collect()
}

/// Changes every row by the words of its own stream.
pub(super) fn move_rows<T: Copy + Send + Sync>(
    rows: &mut Array2<T>,
    key: Key,
    work: impl Fn(&mut [T], &mut dyn RngCore) + Sync,
) {
    let moved = of_rows(rows, |row, x| {
        let (mut x, mut stream) = (x.to_vec(), key.stream(row as u64));
        work(&mut x, &mut stream);
        x
    });
    rows.iter_mut().zip(moved.into_iter().flatten()).for_each(|(x, y)| *x = y);
}

/// Puts `before` back in the rows of the mask.
pub(super) fn put_back<T: Copy>(state: &mut Array2<T>, before: &Array2<T>, rows: &[bool]) {
    for (row, _) in rows.iter().enumerate().filter(|(_, back)| **back) {
        state.row_mut(row).assign(&before.row(row));
    }
}
