//! Solves symmetric systems by Cholesky's factors, in f64.

/// Holds the lower factor L of a positive definite matrix A = L Lᵀ, row-major.
pub(crate) struct Cholesky {
    n: usize,
    l: Vec<f64>,
}

impl Cholesky {
    /// Factors a symmetric matrix, `(n, n)` row-major; nothing where it is not positive definite to the last bits.
    pub(crate) fn new(mut a: Vec<f64>, n: usize) -> Option<Self> {
        for j in 0..n {
            let most = a[j * n + j].abs();
            for i in j..n {
                let (above, below) = a.split_at_mut(i * n);
                let dot: f64 = if i == j {
                    below[..j].iter().map(|x| x * x).sum()
                } else {
                    above[j * n..][..j].iter().zip(&below[..j]).map(|(x, y)| x * y).sum()
                };
                below[j] -= dot;
                if i > j {
                    below[j] /= above[j * n + j];
                }
            }
            let pivot = a[j * n + j];
            // A pivot that is lost in the rounding of what it was made of says that A is singular.
            if pivot.is_nan() || pivot <= 1e-13 * most {
                return None;
            }
            let root = pivot.sqrt();
            a[j * n + j] = root;
            (j + 1..n).for_each(|i| a[i * n + j] *= pivot / root);
        }
        Some(Self { n, l: a })
    }

    /// Solves A x = b.
    pub(crate) fn solve(&self, b: &[f64]) -> Vec<f64> {
        let (n, l) = (self.n, &self.l);
        let mut x = b.to_vec();
        for i in 0..n {
            let dot: f64 = l[i * n..][..i].iter().zip(&x).map(|(l, x)| l * x).sum();
            x[i] = (x[i] - dot) / l[i * n + i];
        }
        for i in (0..n).rev() {
            let dot: f64 = (i + 1..n).map(|k| l[k * n + i] * x[k]).sum();
            x[i] = (x[i] - dot) / l[i * n + i];
        }
        x
    }

    /// Gives A⁻¹, row-major.
    pub(crate) fn inverse(&self) -> Vec<f64> {
        let unit = |i: usize| (0..self.n).map(|j| if i == j { 1.0 } else { 0.0 }).collect::<Vec<_>>();
        (0..self.n).flat_map(|i| self.solve(&unit(i))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systems_are_solved() {
        let a = vec![4.0, 1.0, 0.5, 1.0, 3.0, -1.0, 0.5, -1.0, 2.0];
        let x = Cholesky::new(a.clone(), 3).unwrap().solve(&[1.0, 2.0, 3.0]);
        let back: Vec<f64> = a.chunks(3).map(|row| row.iter().zip(&x).map(|(a, x)| a * x).sum()).collect();
        assert!(back.iter().zip([1.0, 2.0, 3.0]).all(|(a, b)| (a - b).abs() < 1e-13));
        let inverse = Cholesky::new(a, 3).unwrap().inverse();
        assert!((inverse[1] - inverse[3]).abs() < 1e-15);
        assert!(Cholesky::new(vec![1.0, 2.0, 2.0, 1.0], 2).is_none());
        assert!(Cholesky::new(vec![1.0, 1.0, 1.0, 1.0], 2).is_none());
    }
}
