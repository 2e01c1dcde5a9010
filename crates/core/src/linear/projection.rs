//! Sends rows through a linear map in f64, a block of rows a task.

use harmonium_kernels::parallel;
use ndarray::{Array1, Array2, ArrayView2, Axis, concatenate};

/// Rows that one task maps.
const BLOCK: usize = 256;

/// Computes (x − before) Mᵀ + after for each row: `(n, features) → (n, outputs)`, with M of `(outputs, features)`.
pub(super) fn mapped(
    rows: ArrayView2<'_, f32>,
    before: Option<&Array1<f64>>,
    map: ArrayView2<'_, f64>,
    after: Option<&Array1<f64>>,
) -> Array2<f64> {
    let blocks: Vec<_> = rows.axis_chunks_iter(Axis(0), BLOCK).collect();
    let parts = parallel::map(blocks.len(), |block| {
        let mut x = blocks[block].mapv(f64::from);
        if let Some(before) = before {
            x -= before;
        }
        let mut y = x.dot(&map.t());
        if let Some(after) = after {
            y += after;
        }
        y
    });
    let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
    concatenate(Axis(0), &views).expect("blocks of one width")
}
