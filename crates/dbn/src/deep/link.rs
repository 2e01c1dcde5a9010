//! Sends states and means through the weights between two layers: exactly, as long as neither is real.
//!
//! Bits go through the integer kernels. Means are multiples of 2^-16 and weight codes have at most 22 bits, so that a sum of
//! their products over a layer is exact in f64, in any order and on any CPU; real values have a fixed partition instead.

use std::sync::Mutex;

use harmonium_kernels::product::{Product, Way};
use harmonium_kernels::{BitMatrix, Coupling, Grid, parallel, profile};
use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView2, ArrayViewMut2, s};

/// Rows and columns of a product that one task computes.
const TILE: (usize, usize) = (256, 128);

/// Lines of Σ x yᵀ that one task adds up.
const LINES: usize = 64;

/// Is the weight matrix between two layers, `(lower, upper)` features, on the machine's grid.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link<'a> {
    pub(super) master: &'a [f32],
    pub(super) shape: (usize, usize),
    pub(super) grid: Grid,
}

impl<'a> Link<'a> {
    pub(super) fn product<'b>(self, bits: &'b BitMatrix, way: Way) -> Product<'b>
    where
        'a: 'b,
    {
        let (lower, upper) = self.shape;
        Product::new(bits, Coupling::new(self.master, lower, upper, self.grid), way)
    }

    /// Sums the codes that bits choose; those of spins as 2 Σ t q − Σ q, which fits where its parts may not.
    pub(super) fn sums(self, bits: &BitMatrix, signs: bool, way: Way) -> Vec<i32> {
        let mut sums = self.product(bits, way).sums();
        if signs {
            let all = self.product(&BitMatrix::from_fn(1, bits.units(), |_, _| true), way).sums();
            for row in sums.chunks_exact_mut(all.len()) {
                row.iter_mut().zip(&all).for_each(|(sum, all)| *sum = sum.wrapping_mul(2).wrapping_sub(*all));
            }
        }
        sums
    }

    /// Gives all codes.
    pub(super) fn codes(self) -> Array2<f64> {
        let lines: Vec<&[f32]> = self.master.chunks(self.shape.1).collect();
        let code = |line: &&[f32]| line.iter().map(|&w| f64::from(self.grid.code(w))).collect::<Vec<_>>();
        let tasks = lines.len().div_ceil(LINES);
        let parts = parallel::map(tasks, |task| {
            lines.iter().skip(task * LINES).take(LINES).flat_map(code).collect::<Vec<f64>>()
        });
        Array2::from_shape_vec(self.shape, parts.concat()).expect("weights of their shape")
    }
}

/// Adds products of features and codes to known sums: `Σ (n, other layer) · (other layer, layer) → (n, layer)`, row-major, in units of
/// one weight; each entry is rounded to f32 once.
pub(super) fn inputs(
    known: &Array2<f64>,
    terms: &[(ArrayView2<'_, f64>, ArrayView2<'_, f64>)],
    quantum: f32,
) -> Vec<f32> {
    let (rows, width) = known.dim();
    let (down, along) = (rows.div_ceil(TILE.0), width.div_ceil(TILE.1));
    let operations = terms.iter().map(|(x, _)| 2 * x.len() * width).sum();
    let tiles = profile::stage("inputs from means", operations, || {
        parallel::map(down * along, |tile| {
            let (top, left) = (tile / along * TILE.0, tile % along * TILE.1);
            let (r, c) = (top..rows.min(top + TILE.0), left..width.min(left + TILE.1));
            let mut sums = known.slice(s![r.clone(), c.clone()]).to_owned();
            for (features, codes) in terms {
                let (x, w) = (features.slice(s![r.clone(), ..]), codes.slice(s![.., c.clone()]));
                general_mat_mul(1.0, &x, &w, 1.0, &mut sums);
            }
            sums.mapv(|sum| sum as f32 * quantum)
        })
    });
    let mut out = Array2::zeros((rows, width));
    for (tile, part) in tiles.iter().enumerate() {
        let (top, left) = (tile / along * TILE.0, tile % along * TILE.1);
        out.slice_mut(s![top..top + part.nrows(), left..left + part.ncols()]).assign(part);
    }
    out.into_raw_vec_and_offset().0
}

/// Adds Σ x yᵀ over rows, `(n, lines)` and `(n, columns)`, to row-major sums.
pub(super) fn add_products(sums: &mut [f64], x: &Array2<f64>, y: &Array2<f64>) {
    let width = y.ncols();
    let parts: Vec<Mutex<&mut [f64]>> = sums.chunks_mut(LINES * width).map(Mutex::new).collect();
    profile::stage("sums of two layers", 2 * x.len() * width, || {
        parallel::each(parts.len(), |part| {
            // A panic elsewhere leaves no half-done part that anybody would read.
            let mut sums = parts[part].lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let lines = part * LINES..x.ncols().min((part + 1) * LINES);
            let shape = (lines.len(), width);
            let mut out = ArrayViewMut2::from_shape(shape, &mut sums[..]).expect("lines of their width");
            general_mat_mul(1.0, &x.slice(s![.., lines]).t(), y, 1.0, &mut out);
        });
    });
}
