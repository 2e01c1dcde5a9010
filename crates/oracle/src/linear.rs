//! Solves the linear problems of the baselines in the plainest way: eigenvalues by Jacobi's rotations, logistic regression by Newton.
//!
//! Matrices are lists of rows.

/// Is a matrix as a list of its rows.
pub type Matrix = Vec<Vec<f64>>;

/// Computes the covariance of rows, divided by their number, and their mean.
pub fn covariance(rows: &Matrix) -> (Vec<f64>, Matrix) {
    let (n, width) = (rows.len() as f64, rows[0].len());
    let mean: Vec<f64> = (0..width).map(|i| rows.iter().map(|row| row[i]).sum::<f64>() / n).collect();
    let entry =
        |i: usize, j: usize| rows.iter().map(|row| (row[i] - mean[i]) * (row[j] - mean[j])).sum::<f64>() / n;
    let matrix = (0..width).map(|i| (0..width).map(|j| entry(i, j)).collect()).collect();
    (mean, matrix)
}

/// Gives the eigenvalues of a symmetric matrix, the largest first, and their eigenvectors as rows (Jacobi 1846): rotates away one
/// entry beside the diagonal after the other until none is left.
pub fn jacobi(matrix: &Matrix) -> (Vec<f64>, Matrix) {
    let n = matrix.len();
    let mut a = matrix.clone();
    let mut vectors: Matrix = (0..n).map(|i| (0..n).map(|j| f64::from(u8::from(i == j))).collect()).collect();
    for _ in 0..60 {
        for p in 0..n {
            for q in p + 1..n {
                rotate(&mut a, &mut vectors, p, q);
            }
        }
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| a[j][j].total_cmp(&a[i][i]));
    (order.iter().map(|&i| a[i][i]).collect(), order.iter().map(|&i| vectors[i].clone()).collect())
}

/// Makes a[p][q] zero: A ← R A Rᵀ, V ← R V.
fn rotate(a: &mut Matrix, vectors: &mut Matrix, p: usize, q: usize) {
    if a[p][q] == 0.0 {
        return;
    }
    let angle = 0.5 * (2.0 * a[p][q]).atan2(a[p][p] - a[q][q]);
    let (sine, cosine) = angle.sin_cos();
    for row in a.iter_mut() {
        (row[p], row[q]) = (cosine * row[p] + sine * row[q], cosine * row[q] - sine * row[p]);
    }
    for matrix in [a, vectors] {
        for i in 0..matrix[p].len() {
            let (x, y) = (matrix[p][i], matrix[q][i]);
            (matrix[p][i], matrix[q][i]) = (cosine * x + sine * y, cosine * y - sine * x);
        }
    }
}

/// Computes C Σ −ln p(label | x) + ½ Σ W² of a multinomial logistic regression. Class k has the parameters
/// k(d + 1) .. (k + 1)(d + 1): d weights, then its bias.
pub fn logistic_objective(rows: &Matrix, labels: &[usize], c: f64, parameters: &[f64]) -> f64 {
    let step = rows[0].len() + 1;
    let loss: f64 =
        rows.iter().zip(labels).map(|(row, &label)| -class_probabilities(row, parameters)[label].ln()).sum();
    let squares: f64 =
        parameters.iter().enumerate().filter(|(i, _)| i % step != step - 1).map(|(_, w)| w * w).sum();
    c * loss + 0.5 * squares
}

/// Computes p(class | x) by its definition.
pub fn class_probabilities(row: &[f64], parameters: &[f64]) -> Vec<f64> {
    let step = row.len() + 1;
    let score = |own: &[f64]| (row.iter().zip(own).map(|(x, w)| x * w).sum::<f64>() + own[step - 1]).exp();
    let scores: Vec<f64> = parameters.chunks(step).map(score).collect();
    let sum: f64 = scores.iter().sum();
    scores.iter().map(|s| s / sum).collect()
}

/// Minimises [`logistic_objective`] by Newton's method, halving steps that do not make it smaller. The biases' sum is free; it
/// stays 0.
pub fn logistic(rows: &Matrix, labels: &[usize], classes: usize, c: f64) -> Vec<f64> {
    let step = rows[0].len() + 1;
    let mut x = vec![0.0; classes * step];
    for _ in 0..100 {
        let (gradient, mut hessian) = derivatives(rows, labels, c, &x);
        // Holds the one direction that changes nothing, all biases alike.
        for k in 0..classes {
            for l in 0..classes {
                hessian[k * step + step - 1][l * step + step - 1] += 1.0;
            }
        }
        let direction = solve(hessian, gradient);
        let before = logistic_objective(rows, labels, c, &x);
        let moved =
            |share: f64| -> Vec<f64> { x.iter().zip(&direction).map(|(x, d)| x - share * d).collect() };
        let shares = (0..40).map(|n| 0.5_f64.powi(n));
        let better = shares.map(moved).find(|next| logistic_objective(rows, labels, c, next) < before);
        match better {
            Some(next) => x = next,
            None => break,
        }
    }
    x
}

/// Computes gradient and Hessian: Σ (p_k − y_k) x and Σ p_k (δ_kl − p_l) x xᵀ, x with a 1 behind.
fn derivatives(rows: &Matrix, labels: &[usize], c: f64, parameters: &[f64]) -> (Vec<f64>, Matrix) {
    let (n, step) = (parameters.len(), rows[0].len() + 1);
    let is_weight = |i: usize| f64::from(u8::from(i % step != step - 1));
    let mut gradient: Vec<f64> = (0..n).map(|i| is_weight(i) * parameters[i]).collect();
    let mut hessian: Matrix =
        (0..n).map(|i| (0..n).map(|j| if i == j { is_weight(i) } else { 0.0 }).collect()).collect();
    for (row, &label) in rows.iter().zip(labels) {
        let p = class_probabilities(row, parameters);
        let x = |i: usize| if i % step == step - 1 { 1.0 } else { row[i % step] };
        for i in 0..n {
            let own = p[i / step];
            gradient[i] += c * (own - f64::from(u8::from(i / step == label))) * x(i);
            for j in 0..n {
                let same = f64::from(u8::from(i / step == j / step));
                hessian[i][j] += c * own * (same - p[j / step]) * x(i) * x(j);
            }
        }
    }
    (gradient, hessian)
}

/// Solves A x = b by elimination with the largest pivot.
pub fn solve(mut a: Matrix, mut b: Vec<f64>) -> Vec<f64> {
    let n = b.len();
    for k in 0..n {
        let pivot = (k..n).fold(k, |best, i| if a[i][k].abs() > a[best][k].abs() { i } else { best });
        a.swap(k, pivot);
        b.swap(k, pivot);
        for i in k + 1..n {
            let share = a[i][k] / a[k][k];
            let pivot = a[k].clone();
            a[i].iter_mut().zip(&pivot).skip(k).for_each(|(x, y)| *x -= share * y);
            b[i] -= share * b[k];
        }
    }
    for k in (0..n).rev() {
        let known: f64 = (k + 1..n).map(|j| a[k][j] * b[j]).sum();
        b[k] = (b[k] - known) / a[k][k];
    }
    b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotations_find_a_known_pair() {
        let (values, vectors) = jacobi(&vec![vec![2.0, 1.0], vec![1.0, 2.0]]);
        assert!((values[0] - 3.0).abs() < 1e-14 && (values[1] - 1.0).abs() < 1e-14);
        assert!(
            (vectors[0][0] - vectors[0][1]).abs() < 1e-14 && (vectors[1][0] + vectors[1][1]).abs() < 1e-14
        );
    }

    /// Two classes, one feature of ±1, half of each side's rows right by 3 to 1: without penalty W₁ − W₀ is ln 3, and one of 10⁻⁶ takes half
    /// of 10⁻⁶ off. The objective, 10⁶ times the loss, can't see steps below 10⁻⁷.
    #[test]
    fn newton_finds_log_odds() {
        let rows: Matrix = [1.0, 1.0, 1.0, 1.0, -1.0, -1.0, -1.0, -1.0].map(|x| vec![x]).to_vec();
        let x = logistic(&rows, &[1, 1, 1, 0, 0, 0, 0, 1], 2, 1e6);
        assert!((x[2] - x[0] - 3.0_f64.ln()).abs() < 2e-6 && x[1].abs() < 1e-6, "{x:?}");
    }
}
