//! Describes a noisy rectified unit by its law: x = max(0, a + N(0, σ(a))), and the stepped sigmoid unit that it stands for.

use crate::math::{sigmoid, softplus, sum};
use crate::normal::survival;
use crate::quadrature::panels;

/// Gives P(X ≤ x).
pub fn cdf(a: f64, x: f64) -> f64 {
    if x < 0.0 { 0.0 } else { survival((a - x) / sigmoid(a).sqrt()) }
}

/// Gives E X = ∫₀^∞ P(X > x) dx, by quadrature over 12 deviations above a.
pub fn mean(a: f64) -> f64 {
    let deviation = sigmoid(a).sqrt();
    let end = (a + 12.0 * deviation).max(0.0);
    if end == 0.0 {
        return 0.0;
    }
    sum(panels(0.0, end, deviation / 4.0).into_iter().map(|(x, w)| w * (1.0 - cdf(a, x))))
}

/// Gives Γ = Σ_i ln(1 + e^(a − i + ½)) of a stepped sigmoid unit, term by term until nothing is left to add.
pub fn stepped_cgf(a: f64) -> f64 {
    let last = a.max(0.0) as u32 + 60;
    sum((1..=last).map(|i| softplus(a - f64::from(i) + 0.5)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::close;

    /// At a = 0 the noise has variance ½: E max(0, z/√2) = 1/(2 √π).
    #[test]
    fn the_mean_at_zero_is_known() {
        close(mean(0.0), 0.5 / std::f64::consts::PI.sqrt(), 1e-12);
        close(mean(40.0), 40.0, 1e-12);
        close(cdf(0.0, 0.0), 0.5, 1e-15);
    }

    /// Γ' is the sum of sigmoids, near ln(1 + e^a) (Nair & Hinton 2010, eq. 2).
    #[test]
    fn stepped_units_have_nearly_softplus_means() {
        for n in -8..=24 {
            let a = f64::from(n) / 2.0;
            let slope = (stepped_cgf(a + 1e-4) - stepped_cgf(a - 1e-4)) / 2e-4;
            close(slope, softplus(a), 0.02);
        }
    }
}
