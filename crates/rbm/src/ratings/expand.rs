//! Turns the weights that the optimiser owns into one weight for each item, level and hidden unit, and gradients back.

use super::Levels;

/// Gives the K × M matrix that makes the weights of K levels of M kept ones, M < K for polynomials; row-major.
pub(super) fn basis(levels: &Levels, k: usize) -> Vec<f32> {
    match levels {
        Levels::Free => (0..k * k).map(|at| if at / k == at % k { 1.0 } else { 0.0 }).collect(),
        Levels::Polynomials(factors) => {
            let factors = &factors[..factors.len().min(k - 1)];
            let columns = polynomials(k, factors.len());
            let entry = |at: usize| {
                let (level, degree) = (at / factors.len(), at % factors.len());
                factors[degree] * columns[degree][level] as f32
            };
            (0..k * factors.len()).map(entry).collect()
        }
    }
}

/// Makes orthonormal polynomials of degree 1 to `count` over `k` equidistant places by Gram and Schmidt.
fn polynomials(k: usize, count: usize) -> Vec<Vec<f64>> {
    let mut done: Vec<Vec<f64>> = Vec::new();
    for degree in 0..=count {
        let place = |x: usize| (2 * x) as f64 / (k - 1) as f64 - 1.0;
        let mut next: Vec<f64> = (0..k).map(|x| (0..degree).map(|_| place(x)).product()).collect();
        for before in done.iter().chain(done.iter()) {
            let along: f64 = next.iter().zip(before).map(|(a, b)| a * b).sum();
            next.iter_mut().zip(before).for_each(|(a, b)| *a -= along * b);
        }
        let length = next.iter().map(|x| x * x).sum::<f64>().sqrt();
        next.iter_mut().for_each(|x| *x /= length);
        done.push(next);
    }
    done.split_off(1)
}

/// Adds `basis` times the kept weights, `(m, hidden)`, to those of the levels, `(k, hidden)`.
pub(super) fn spread(basis: &[f32], kept: &[f32], out: &mut [f32], hidden: usize) {
    let m = kept.len() / hidden;
    for (out, factors) in out.chunks_exact_mut(hidden).zip(basis.chunks_exact(m)) {
        factors.iter().zip(kept.chunks_exact(hidden)).for_each(|(&factor, kept)| add(out, kept, factor));
    }
}

/// Adds the transposed basis times a gradient of the levels to one of the kept weights.
pub(super) fn gather(basis: &[f32], levels: &[f32], out: &mut [f32], hidden: usize) {
    let m = out.len() / hidden;
    for (levels, factors) in levels.chunks_exact(hidden).zip(basis.chunks_exact(m)) {
        out.chunks_exact_mut(hidden).zip(factors).for_each(|(out, &factor)| add(out, levels, factor));
    }
}

/// Computes a += factor · b.
#[inline]
pub(super) fn add(a: &mut [f32], b: &[f32], factor: f32) {
    a.iter_mut().zip(b).for_each(|(a, b)| *a += factor * b);
}

/// Computes A·B, `(rows, rank)` times `(rank, hidden)`.
pub(super) fn product(a: &[f32], b: &[f32], rank: usize, hidden: usize) -> Vec<f32> {
    let mut out = vec![0.0; a.len() / rank * hidden];
    for (out, a) in out.chunks_exact_mut(hidden).zip(a.chunks_exact(rank)) {
        a.iter().zip(b.chunks_exact(hidden)).for_each(|(&a, b)| add(out, b, a));
    }
    out
}

/// Gives the gradients of A and B from that of their product: G·Bᵀ and Aᵀ·G.
pub(super) fn factors(gradient: &[f32], a: &[f32], b: &[f32], rank: usize, hidden: usize) -> [Vec<f32>; 2] {
    let (mut of_a, mut of_b) = (vec![0.0; a.len()], vec![0.0; b.len()]);
    let rows = gradient.chunks_exact(hidden).zip(a.chunks_exact(rank)).zip(of_a.chunks_exact_mut(rank));
    for ((g, a), of_a) in rows {
        for r in 0..rank {
            let b = &b[r * hidden..][..hidden];
            of_a[r] = g.iter().zip(b).map(|(g, b)| g * b).sum();
            add(&mut of_b[r * hidden..][..hidden], g, a[r]);
        }
    }
    [of_a, of_b]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polynomials_are_orthonormal_and_rise_with_their_degree() {
        for k in [2, 5, 10, 64] {
            let columns = polynomials(k, (k - 1).min(4));
            for (a, x) in columns.iter().enumerate() {
                assert!(x.iter().sum::<f64>().abs() < 1e-12);
                for (b, y) in columns.iter().enumerate() {
                    let dot: f64 = x.iter().zip(y).map(|(x, y)| x * y).sum();
                    assert!((dot - f64::from(u8::from(a == b))).abs() < 1e-12, "{k}: {a} {b}");
                }
            }
            assert!(columns[0].is_sorted());
        }
    }

    /// Σ G ∘ spread(B) = Σ gather(G) ∘ B for every G and B: one is the transpose of the other; the same for A·B.
    #[test]
    fn gradients_go_back_the_way_that_weights_came() {
        let number = |n: usize| -> Vec<f32> { (0..n).map(|i| ((i * 7 + n) % 11) as f32 - 5.0).collect() };
        let dot = |a: &[f32], b: &[f32]| -> f32 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
        let (basis, kept, g) = (number(10), number(6), number(15));
        let (mut levels, mut back) = (vec![0.0; 15], vec![0.0; 6]);
        spread(&basis, &kept, &mut levels, 3);
        gather(&basis, &g, &mut back, 3);
        assert_eq!(dot(&levels, &g), dot(&kept, &back));
        let (a, b, g) = (number(8), number(6), number(12));
        let [of_a, of_b] = factors(&g, &a, &b, 2, 3);
        assert_eq!(dot(&product(&a, &b, 2, 3), &g), dot(&of_a, &a));
        assert_eq!(dot(&of_a, &a), dot(&of_b, &b));
    }
}
