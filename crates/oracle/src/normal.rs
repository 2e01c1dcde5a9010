//! Computes tails and quantiles of the normal law.

use crate::gamma::{bisect, gamma_q};

/// Gives P(|Z| > z) = Q(½, z²/2) of a standard normal Z, for z ≥ 0.
pub fn two_sided(z: f64) -> f64 {
    gamma_q(0.5, z * z / 2.0)
}

/// Gives P(Z > z).
pub fn survival(z: f64) -> f64 {
    if z >= 0.0 { two_sided(z) / 2.0 } else { 1.0 - two_sided(z) / 2.0 }
}

/// Gives the z ≥ 0 with P(|Z| > z) = `tail`, by bisection.
///
/// # Panics
/// When `tail` is not in (0, 1].
pub fn two_sided_quantile(tail: f64) -> f64 {
    assert!(tail > 0.0 && tail <= 1.0, "no quantile for the tail {tail}");
    // Beyond 40 the tail is below the smallest f64.
    bisect(0.0, 40.0, |z| two_sided(z) > tail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{TAU_0, close};

    #[test]
    fn printed_quantiles() {
        close(two_sided_quantile(0.05), 1.959_963_984_540_054, TAU_0);
        close(two_sided_quantile(0.01), 2.575_829_303_548_901, TAU_0);
        close(two_sided_quantile(1e-6), 4.891_638_475_699_1, 1e-11);
        assert_eq!(two_sided_quantile(1.0), 0.0);
    }

    #[test]
    fn survival_is_symmetric_and_known_at_one() {
        close(survival(1.0), 0.158_655_253_931_457_05, TAU_0);
        (-30..30)
            .for_each(|n| close(survival(f64::from(n) / 5.0) + survival(f64::from(-n) / 5.0), 1.0, TAU_0));
        assert!((survival(6.0) / 9.865_876_450_376_98e-10 - 1.0).abs() < 1e-12);
    }
}
