//! Predicts by the nearest items that a user rated: k-NN with baselines and shrunk Pearson correlations (Koren 2010, §2.2).

use harmonium_core::Error;
use harmonium_core::data::{RatedRows, Ratings};
use harmonium_kernels::parallel;

use super::{Biases, Predictor};

/// Ratings of nobody's that stand behind a correlation.
const SHRINKAGE: f64 = 100.0;

/// Holds the residuals of ratings, and how alike any two items are in them.
#[derive(Clone, Debug)]
pub struct Neighbours {
    k: usize,
    biases: Biases,
    rows: RatedRows,
    /// Row-major, `(items, items)`.
    alike: Vec<f32>,
    least: f64,
    step: f64,
}

impl Neighbours {
    /// The most items: similarities of all pairs are kept.
    pub const MOST: usize = 20_000;

    /// Compares all items by the users who rated both, with k neighbours for a prediction.
    ///
    /// # Errors
    /// Refuses no neighbours and more than 20,000 items.
    pub fn fit(ratings: &Ratings, k: usize) -> Result<Self, Error> {
        let items = ratings.items().len();
        if k == 0 || items > Self::MOST {
            let expected = format!("1 or more neighbours among at most {} items", Self::MOST);
            return Err(Error::option("neighbours", expected, format!("{k} among {items}")));
        }
        let biases = Biases::fit(ratings, [15.0, 10.0])?;
        let (least, step) = (f64::from(ratings.scale().least), f64::from(ratings.scale().step));
        let (rows, columns) = (ratings.rows(), ratings.transposed().rows());
        let mut out = Self { k, biases, rows, alike: Vec::new(), least, step };
        out.alike = parallel::map(items, |item| out.compared(item, &columns)).concat();
        Ok(out)
    }

    fn residual(&self, user: usize, (item, level): (u32, u8)) -> f64 {
        self.least + self.step * f64::from(level) - self.biases.raw(user as u32, item)
    }

    /// Correlates an item with each: (n − 1) / (n − 1 + shrinkage) · Σ xy / √(Σ x² Σ y²) over their n common users.
    fn compared(&self, item: usize, columns: &RatedRows) -> Vec<f32> {
        let mut sums = vec![[0.0_f64; 4]; columns.rows()];
        for &(user, level) in columns.row(item) {
            let x = self.residual(user as usize, (item as u32, level));
            for &pair in self.rows.row(user as usize) {
                let y = self.residual(user as usize, pair);
                let [xy, xx, yy, n] = &mut sums[pair.0 as usize];
                (*xy, *xx, *yy, *n) = (*xy + x * y, *xx + x * x, *yy + y * y, *n + 1.0);
            }
        }
        let correlation = |[xy, xx, yy, n]: [f64; 4]| {
            let norm = (xx * yy).sqrt();
            if norm > 0.0 { ((n - 1.0) / (n - 1.0 + SHRINKAGE) * xy / norm) as f32 } else { 0.0 }
        };
        sums.into_iter().map(correlation).collect()
    }
}

impl Predictor for Neighbours {
    fn predicted(&self, user: u32, item: u32) -> f32 {
        let of_item = &self.alike[item as usize * self.rows.items()..][..self.rows.items()];
        let rated = self.rows.row(user as usize).iter().filter(|pair| pair.0 != item);
        let mut near: Vec<(f32, f64)> = rated
            .map(|&pair| (of_item[pair.0 as usize], self.residual(user as usize, pair)))
            .filter(|(alike, _)| *alike > 0.0)
            .collect();
        near.sort_by(|a, b| b.0.total_cmp(&a.0));
        near.truncate(self.k);
        let weight: f64 = near.iter().map(|(alike, _)| f64::from(*alike)).sum();
        let sum: f64 = near.iter().map(|(alike, x)| f64::from(*alike) * x).sum();
        self.biases.held(self.biases.raw(user, item) + if weight > 0.0 { sum / weight } else { 0.0 })
    }
}
