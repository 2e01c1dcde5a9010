//! Diagonalises a symmetric tridiagonal matrix by the implicit QL method (Dubrulle, Martin & Wilkinson 1968; Wilkinson's shift).

use ndarray::Array2;

use crate::Error;

/// Sweeps after which an eigenvalue is given up; two are usual.
const MOST: usize = 100;

/// Turns `diagonal` into eigenvalues and the rows of `vectors` into their eigenvectors; `beside` ends near 0.
///
/// # Errors
/// Reports an eigenvalue that does not settle, which no finite matrix is known to have.
pub(super) fn diagonalise(
    diagonal: &mut [f64],
    beside: &mut Vec<f64>,
    vectors: &mut Array2<f64>,
) -> Result<(), Error> {
    let n = diagonal.len();
    beside.push(0.0);
    let most = diagonal.iter().chain(beside.iter()).fold(0.0_f64, |most, x| most.max(x.abs()));
    // What is below the rounding of the whole matrix is nothing.
    let nothing = f64::EPSILON * most;
    for first in 0..n {
        for sweep in 0.. {
            let last = (first..n - 1).find(|&i| beside[i].abs() <= nothing).unwrap_or(n - 1);
            if last == first {
                break;
            }
            if sweep == MOST {
                let got = format!("{:e} beside it after {MOST} sweeps", beside[first]);
                return Err(Error::diverged("eigenvalue", first, "convergence", got));
            }
            chase(diagonal, beside, vectors, first, last);
        }
    }
    Ok(())
}

/// Makes one QL sweep over rows `first ..= last`: rotations from the last pair up to the first chase what stands beside the
/// tridiagonal out of the matrix. The vectors are rotated along.
fn chase(d: &mut [f64], e: &mut [f64], vectors: &mut Array2<f64>, first: usize, last: usize) {
    let mut g = d[last] - shift(d[first], d[first + 1], e[first]);
    let (mut sine, mut cosine, mut moved) = (1.0, 1.0, 0.0);
    for i in (first..last).rev() {
        let (f, b) = (sine * e[i], cosine * e[i]);
        let r = libm::hypot(f, g);
        e[i + 1] = r;
        if r == 0.0 {
            // The matrix falls apart here; what is left is done by the next sweeps.
            d[i + 1] -= moved;
            e[last] = 0.0;
            return;
        }
        (sine, cosine) = (f / r, g / r);
        let rest = d[i + 1] - moved;
        let turned = (d[i] - rest) * sine + 2.0 * cosine * b;
        moved = sine * turned;
        d[i + 1] = rest + moved;
        g = cosine * turned - b;
        rotate(vectors, i, sine, cosine);
    }
    d[first] -= moved;
    e[first] = g;
    e[last] = 0.0;
}

/// Gives the eigenvalue of ((a, e), (e, b)) that is nearer to a.
fn shift(a: f64, b: f64, e: f64) -> f64 {
    let half = (b - a) / (2.0 * e);
    let root = libm::hypot(half, 1.0);
    a - e / (half + if half < 0.0 { -root } else { root })
}

/// Rotates rows i and i + 1.
fn rotate(vectors: &mut Array2<f64>, i: usize, sine: f64, cosine: f64) {
    let n = vectors.ncols();
    let values = vectors.as_slice_mut().expect("an array in its own order");
    let (upper, lower) = values[i * n..(i + 2) * n].split_at_mut(n);
    for (x, y) in upper.iter_mut().zip(lower) {
        (*x, *y) = (cosine * *x - sine * *y, sine * *x + cosine * *y);
    }
}
