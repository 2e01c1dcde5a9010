//! Reduces a symmetric matrix to tridiagonal form by reflections (Householder 1958; Golub & Van Loan 2013, algorithm 8.3.1).

use ndarray::{Array2, ArrayView1, ArrayView2, ArrayViewMut2, s};

/// Gives T's diagonal `n`, what stands beside it `n − 1`, and Qᵀ `(n, n)`, so that A = Q T Qᵀ.
///
/// Q is the product of I − β v vᵀ; step k turns the entries of column k below its neighbour of the diagonal into zeros.
pub(super) fn tridiagonal(matrix: &ArrayView2<'_, f64>) -> (Vec<f64>, Vec<f64>, Array2<f64>) {
    let n = matrix.nrows();
    let mut a = Array2::from_shape_fn((n, n), |(i, j)| matrix[(i.max(j), i.min(j))]);
    let mut reflections = Vec::with_capacity(n);
    let mut beside = Vec::with_capacity(n);
    for k in 0..n.saturating_sub(1) {
        let (v, beta, below) = reflection(a.slice(s![k + 1.., k]));
        beside.push(below);
        reflect(a.slice_mut(s![k + 1.., k + 1..]), &v, beta);
        reflections.push((v, beta));
    }
    (a.diag().to_vec(), beside, product(n, &reflections))
}

/// Gives v and β with (I − β v vᵀ) x = (below, 0, …, 0)ᵀ; v₀ = x₀ − below has no cancellation. β = 0 where x is such already.
fn reflection(x: ArrayView1<'_, f64>) -> (Vec<f64>, f64, f64) {
    let mut v = x.to_vec();
    let scale = v[1..].iter().fold(0.0_f64, |most, x| most.max(x.abs()));
    if scale == 0.0 {
        return (v, 0.0, x[0]);
    }
    // Squares of tiny entries would vanish without the scale.
    let scale = scale.max(x[0].abs());
    v.iter_mut().for_each(|x| *x /= scale);
    let norm = dot(&v, &v).sqrt();
    let below = if v[0] > 0.0 { -norm } else { norm };
    v[0] -= below;
    (v.clone(), 2.0 / dot(&v, &v), below * scale)
}

/// Replaces A by H A H with H = I − β v vᵀ: A − v wᵀ − w vᵀ, where p = β A v and w = p − (β/2)(pᵀv) v.
fn reflect(mut a: ArrayViewMut2<'_, f64>, v: &[f64], beta: f64) {
    if beta == 0.0 {
        return;
    }
    let p: Vec<f64> = a.rows().into_iter().map(|row| beta * dot(row.to_slice().expect("a row"), v)).collect();
    let half = beta / 2.0 * dot(&p, v);
    let w: Vec<f64> = p.iter().zip(v).map(|(p, v)| p - half * v).collect();
    for (i, mut row) in a.rows_mut().into_iter().enumerate() {
        let (vi, wi) = (v[i], w[i]);
        row.iter_mut().zip(v.iter().zip(&w)).for_each(|(a, (v, w))| *a -= vi * w + wi * v);
    }
}

/// Multiplies the reflections from the last to the first: Qᵀ.
fn product(n: usize, reflections: &[(Vec<f64>, f64)]) -> Array2<f64> {
    let mut q = Array2::eye(n);
    for (k, (v, beta)) in reflections.iter().enumerate().rev().filter(|(_, (_, beta))| *beta != 0.0) {
        let mut part = q.slice_mut(s![k + 1.., k + 1..]);
        let mut sums = vec![0.0; v.len()];
        for (row, v) in part.rows().into_iter().zip(v) {
            sums.iter_mut().zip(row).for_each(|(sum, q)| *sum += v * q);
        }
        for (mut row, v) in part.rows_mut().into_iter().zip(v) {
            row.iter_mut().zip(&sums).for_each(|(q, sum)| *q -= beta * v * sum);
        }
    }
    q.reversed_axes().as_standard_layout().into_owned()
}

/// Sums in four strands, so that the additions need not wait for each other.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (a4, b4) = (a.chunks_exact(4), b.chunks_exact(4));
    let rest: f64 = a4.remainder().iter().zip(b4.remainder()).map(|(a, b)| a * b).sum();
    let mut sums = [0.0; 4];
    for (a, b) in a4.zip(b4) {
        (0..4).for_each(|i| sums[i] += a[i] * b[i]);
    }
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest
}
