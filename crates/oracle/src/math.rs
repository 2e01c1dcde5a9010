//! Computes the elementary functions of the formulas without overflow or cancellation.

/// Gives σ(x) = 1 / (1 + e^(−x)).
pub fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 { 1.0 / (1.0 + (-x).exp()) } else { x.exp() / (1.0 + x.exp()) }
}

/// Gives ln(1 + e^x).
pub fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// Gives ln σ(x).
pub fn log_sigmoid(x: f64) -> f64 {
    -softplus(-x)
}

/// Adds with Neumaier's compensation, so that 2²⁰ terms cost no digit.
pub fn sum(terms: impl IntoIterator<Item = f64>) -> f64 {
    let (mut total, mut lost) = (0.0_f64, 0.0);
    for term in terms {
        let next = total + term;
        lost += if total.abs() >= term.abs() { (total - next) + term } else { (term - next) + total };
        total = next;
    }
    // Beyond the finite numbers the compensation is ∞ − ∞.
    if total.is_finite() { total + lost } else { total }
}

/// Gives ln Σ e^x; −∞ for no term.
pub fn log_sum_exp(x: &[f64]) -> f64 {
    let top = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if top.is_infinite() { top } else { top + sum(x.iter().map(|x| (x - top).exp())).ln() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{TAU_0, close};

    #[test]
    fn sigmoid_and_softplus_agree_with_each_other() {
        for x in [-700.0, -30.0, -1.5, 0.0, 0.3, 40.0, 700.0] {
            close(sigmoid(x).ln(), log_sigmoid(x), TAU_0);
            close(sigmoid(x) + sigmoid(-x), 1.0, TAU_0);
            close(softplus(x) - softplus(-x), x, TAU_0);
        }
        assert_eq!((sigmoid(1e4), sigmoid(-1e4), softplus(1e30)), (1.0, 0.0, 1e30));
    }

    #[test]
    fn sums_are_compensated() {
        assert_eq!(sum([1e16, 1.0, 1.0, -1e16]), 2.0);
        assert_eq!(sum([1.0, f64::INFINITY, 2.0]), f64::INFINITY);
        assert!(sum([f64::INFINITY, f64::NEG_INFINITY]).is_nan() && sum([f64::NAN]).is_nan());
        assert_eq!(sum(std::iter::repeat_n(0.1, 1 << 20)), 0.1 * f64::from(1 << 20));
    }

    #[test]
    fn log_sum_exp_shifts() {
        close(log_sum_exp(&[1e5, 1e5]), 1e5 + 2.0_f64.ln(), TAU_0);
        close(log_sum_exp(&[0.5, -0.25]), (0.5_f64.exp() + (-0.25_f64).exp()).ln(), TAU_0);
        assert_eq!(log_sum_exp(&[]), f64::NEG_INFINITY);
        assert_eq!(log_sum_exp(&[f64::NEG_INFINITY, 3.0]), 3.0);
    }
}
