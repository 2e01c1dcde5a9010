//! Computes the mean and the covariance of rows in two passes, tile by tile in a fixed order.

use harmonium_kernels::parallel;
use ndarray::linalg::general_mat_mul;
use ndarray::{Array1, Array2, Axis, s};

use crate::rows::{moments, total, weighted_blocks};
use crate::{Error, Rows};

/// Columns of a tile of the covariance.
const TILE: usize = 112;

/// Is the mean of rows and their covariance about it: `(n, features) → features, (features, features)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Covariance {
    /// The mean of each feature.
    pub mean: Array1<f64>,
    /// Σ (x − mean)(x − mean)ᵀ / n: divided by the number of rows, not by one less.
    pub matrix: Array2<f64>,
    /// The number of rows, or the sum of their weights.
    pub rows: f64,
}

impl Covariance {
    /// Reads all rows twice, a block at a time: for their mean, and for the products of what deviates from it.
    ///
    /// Rows count as often as their weights say.
    ///
    /// # Errors
    /// As [`Rows::read`]; refuses missing values.
    pub fn of(data: &dyn Rows) -> Result<Self, Error> {
        let mean = Array1::from(moments(data)?.0);
        let tiles = tiles(data.units());
        let mut sums: Vec<Array2<f64>> = tiles
            .iter()
            .map(|&(a, b)| Array2::zeros((width(a, data.units()), width(b, data.units()))))
            .collect();
        for block in weighted_blocks(data) {
            let (weights, block) = block?;
            block.check_complete("data")?;
            let centred =
                block.to_array().mapv(f64::from) - &mutant!("B260", mean.clone(), Array1::zeros(mean.len()));
            let weighted = &centred * &Array1::from(weights).insert_axis(Axis(1));
            sums = parallel::map(tiles.len(), |t| {
                let (a, b) = tiles[t];
                let mut sum = sums[t].clone();
                let part = |start: usize| start..start + width(start, data.units());
                general_mat_mul(
                    1.0,
                    &weighted.slice(s![.., part(a)]).t(),
                    &centred.slice(s![.., part(b)]),
                    1.0,
                    &mut sum,
                );
                sum
            });
        }
        let rows = total(data);
        Ok(Self { matrix: assemble(&tiles, &sums, data.units(), rows), mean, rows })
    }
}

/// Lists the first row and column of each tile on or below the diagonal.
fn tiles(features: usize) -> Vec<(usize, usize)> {
    let starts = || (0..features).step_by(TILE);
    starts().flat_map(|a| starts().filter(move |&b| b <= a).map(move |b| (a, b))).collect()
}

fn width(start: usize, features: usize) -> usize {
    TILE.min(features - start)
}

/// Puts the tiles in their places and in the mirror's, exactly symmetric, and divides by the number of rows.
fn assemble(tiles: &[(usize, usize)], sums: &[Array2<f64>], features: usize, rows: f64) -> Array2<f64> {
    let mut matrix = Array2::zeros((features, features));
    for (&(a, b), sum) in tiles.iter().zip(sums) {
        for ((i, j), &x) in sum.indexed_iter().filter(|&((i, j), _)| a + i >= b + j) {
            matrix[(a + i, b + j)] = x / rows;
            matrix[(b + j, a + i)] = x / rows;
        }
    }
    matrix
}
