//! Computes the gamma function and its incomplete ratios, and from them the chi-square law.

use std::f64::consts::PI;

/// Coefficients of Stirling's series in 1/x, 1/x³, 1/x⁵, …: B₂ₙ / (2n (2n − 1)).
const STIRLING: [f64; 7] =
    [1.0 / 12.0, -1.0 / 360.0, 1.0 / 1260.0, -1.0 / 1680.0, 1.0 / 1188.0, -691.0 / 360_360.0, 1.0 / 156.0];

/// From here on the first omitted term of the series, 0.03 / x¹⁵, is below 1e-19.
const STIRLING_FROM: f64 = 15.0;

/// Gives ln Γ(x) for x > 0: Stirling's series, after raising x by Γ(x + 1) = x Γ(x).
///
/// # Panics
/// When x is not above 0.
pub fn ln_gamma(mut x: f64) -> f64 {
    assert!(x > 0.0, "ln Γ of {x}");
    let mut factor = 1.0;
    while x < STIRLING_FROM {
        factor *= x;
        x += 1.0;
    }
    let series = STIRLING.iter().rev().fold(0.0, |sum, c| sum / (x * x) + c) / x;
    (x - 0.5) * x.ln() - x + 0.5 * (2.0 * PI).ln() + series - factor.ln()
}

/// Gives Q(a, x) = Γ(a, x) / Γ(a), accurate relative to itself in the upper tail.
///
/// # Panics
/// When a ≤ 0 or x is NaN.
pub fn gamma_q(a: f64, x: f64) -> f64 {
    assert!(!x.is_nan(), "Q(a, x) of NaN");
    if x <= 0.0 {
        return 1.0;
    }
    if x == f64::INFINITY {
        return 0.0;
    }
    if x < a + 1.0 { 1.0 - lower_series(a, x) } else { upper_fraction(a, x) }
}

/// Gives P(a, x) = xᵃ e^(−x) / Γ(a + 1) · (1 + x/(a+1) + x²/((a+1)(a+2)) + …), for x < a + 1.
fn lower_series(a: f64, x: f64) -> f64 {
    let (mut term, mut total, mut n) = (1.0, 1.0, a);
    while term > total * f64::EPSILON / 4.0 {
        n += 1.0;
        term *= x / n;
        total += term;
    }
    total * (a * x.ln() - x - ln_gamma(a + 1.0)).exp()
}

/// Gives Q(a, x) by Legendre's continued fraction, evaluated by Lentz's method (1976), for x ≥ a + 1.
fn upper_fraction(a: f64, x: f64) -> f64 {
    let mut b = x + 1.0 - a;
    let (mut c, mut d) = (f64::INFINITY, 1.0 / b);
    let (mut value, mut n, mut change) = (d, 0.0, 2.0);
    while (change - 1.0_f64).abs() > 2.0 * f64::EPSILON {
        n += 1.0;
        let numerator = n * (a - n);
        b += 2.0;
        d = 1.0 / (numerator * d + b);
        c = b + numerator / c;
        change = c * d;
        value *= change;
    }
    value * (a * x.ln() - x - ln_gamma(a)).exp()
}

/// Gives P(χ² > x) of the chi-square law with `degrees` degrees of freedom; with none, χ² is 0.
pub fn chi_square_survival(degrees: usize, x: f64) -> f64 {
    if degrees == 0 {
        return f64::from(u8::from(x <= 0.0));
    }
    gamma_q(degrees as f64 / 2.0, x / 2.0)
}

/// Gives the x with P(χ² > x) = `tail`, by bisection.
///
/// # Panics
/// When `tail` is not inside (0, 1) or there is no degree of freedom.
pub fn chi_square_quantile(degrees: usize, tail: f64) -> f64 {
    assert!(degrees > 0 && tail > 0.0 && tail < 1.0, "no quantile for {degrees} degrees and tail {tail}");
    // P(χ² > 2 d + 4 ln(1/tail)) < tail by Laurent and Massart's bound, d + 2√(d t) + 2 t, since 2√(d t) ≤ d + t.
    bisect(0.0, 2.0 * degrees as f64 + 4.0 * (1.0 / tail).ln(), |x| chi_square_survival(degrees, x) > tail)
}

/// Finds where a condition that holds at `low` and fails at `high` changes, to the last bit.
pub(crate) fn bisect(mut low: f64, mut high: f64, holds: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..200 {
        let middle = low + (high - low) / 2.0;
        if holds(middle) { low = middle } else { high = middle }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{TAU_0, close};

    /// Asserts |a / b − 1| ≤ bound: tails are small numbers.
    fn same(a: f64, b: f64, bound: f64) {
        assert!((a / b - 1.0).abs() <= bound, "{a} is not {b}");
    }

    #[test]
    fn ln_gamma_of_integers_and_halves() {
        let mut factorial = 1.0_f64;
        for n in 1..30 {
            close(ln_gamma(f64::from(n)), factorial.ln(), TAU_0);
            factorial *= f64::from(n);
        }
        close(ln_gamma(0.5), PI.sqrt().ln(), TAU_0);
        close(ln_gamma(5.5), (945.0 / 32.0 * PI.sqrt()).ln(), TAU_0);
    }

    /// For 2m degrees the survival is e^(−x/2) Σ_{n<m} (x/2)ⁿ / n!.
    #[test]
    fn even_degrees_have_a_closed_form() {
        for m in 1..=40 {
            for x in [0.1, 1.0, 7.0, 30.0, 90.0, 300.0] {
                let (mut term, mut total) = (1.0, 0.0);
                for n in 0..m {
                    total += term;
                    term *= x / 2.0 / (n as f64 + 1.0);
                }
                let expected = (-x / 2.0_f64).exp() * total;
                let got = chi_square_survival(2 * m, x);
                if x > 2.0 * m as f64 { same(got, expected, 1e-12) } else { close(got, expected, TAU_0) }
            }
        }
    }

    #[test]
    fn survival_at_printed_critical_values() {
        for (degrees, x, tail) in [
            (1, 3.841_458_821, 0.05),
            (1, 10.827_566_170, 1e-3),
            (10, 18.307_038_053, 0.05),
            (10, 29.588_298_445, 1e-3),
            (100, 124.342_113_405, 0.05),
        ] {
            same(chi_square_survival(degrees, x), tail, 1e-8);
            same(chi_square_quantile(degrees, tail), x, 1e-9);
        }
        same(chi_square_survival(19, 63.68), 1e-6, 2e-3);
    }

    #[test]
    fn edges_are_defined() {
        assert_eq!((chi_square_survival(3, 0.0), chi_square_survival(3, f64::INFINITY)), (1.0, 0.0));
        assert_eq!((chi_square_survival(0, 0.0), chi_square_survival(0, 1.0)), (1.0, 0.0));
    }

    #[test]
    fn quantiles_invert_the_survival() {
        for degrees in [1, 2, 19, 255, 5000] {
            for tail in [0.9, 0.05, 1e-3, 1e-6] {
                same(chi_square_survival(degrees, chi_square_quantile(degrees, tail)), tail, 1e-9);
            }
        }
    }
}
