//! Computes squared distances from one row to all rows of a set, eight at a time, each exactly as one by one.

use ndarray::{ArrayView1, ArrayView2};

/// Rows of a strip: their sums stay in registers.
const WIDE: usize = 8;

/// Holds rows in strips of eight, feature by feature.
pub(super) struct Strips {
    rows: usize,
    features: usize,
    values: Vec<f32>,
}

impl Strips {
    /// Copies rows; the last strip ends with rows of zeros.
    pub(super) fn new(rows: &ArrayView2<'_, f32>) -> Self {
        let (n, features) = rows.dim();
        let mut values = vec![0.0; n.div_ceil(WIDE) * WIDE * features];
        for (row, x) in rows.rows().into_iter().enumerate() {
            let start = row / WIDE * WIDE * features + row % WIDE;
            values[start..].iter_mut().step_by(WIDE).zip(x).for_each(|(to, &x)| *to = x);
        }
        Self { rows: n, features, values }
    }

    /// Computes Σ (x − y)² to each row in f64, features in their order.
    pub(super) fn distances(&self, from: ArrayView1<'_, f32>, out: &mut Vec<f64>) {
        out.clear();
        let from: Vec<f64> = from.iter().map(|&x| f64::from(x)).collect();
        for strip in self.values.chunks_exact(WIDE * self.features) {
            let mut sums = [0.0; WIDE];
            for (x, others) in from.iter().zip(strip.chunks_exact(WIDE)) {
                for (sum, &y) in sums.iter_mut().zip(others) {
                    let d = x - f64::from(y);
                    *sum += d * d;
                }
            }
            out.extend(sums);
        }
        out.truncate(self.rows);
    }
}
