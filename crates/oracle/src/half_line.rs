//! Integrates e^(a x − γ x² / 2) over x ≥ 0: normaliser, moments and tail of the truncated normal law.

use std::f64::consts::PI;

/// From here on the continued fractions are used; below, series and closed forms lose less than two digits.
const FRACTION_FROM: f64 = 1.5;

/// Depth of the continued fractions: their error at depth N is about e^(−2x √(2N)), below 1e-22 at x = 1.5.
const DEPTH: u32 = 150;

/// Holds γ > 0 and a of the law ∝ e^(a x − γ x² / 2) on x ≥ 0.
///
/// With x = u √(2/γ) and ξ = −a / √(2γ) the density is ∝ e^(−u² − 2ξu), whose moments are repeated integrals of
/// erfc (Abramowitz and Stegun 1964, 7.2).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HalfLine {
    /// γ, the curvature.
    pub curvature: f64,
    /// a, the slope at 0.
    pub slope: f64,
}

impl HalfLine {
    /// Gives ln ∫₀^∞ e^(a x − γ x² / 2) dx = ½ ln(π / 2γ) + ln erfcx(ξ).
    pub fn log_z(&self) -> f64 {
        0.5 * (PI / (2.0 * self.curvature)).ln() + ln_erfcx(self.argument())
    }

    /// Gives E x.
    pub fn mean(&self) -> f64 {
        self.scale() * self.reduced().0
    }

    /// Gives E x² = Var x + (E x)².
    pub fn square(&self) -> f64 {
        self.variance() + self.mean() * self.mean()
    }

    /// Gives Var x.
    pub fn variance(&self) -> f64 {
        self.scale() * self.scale() * self.reduced().1
    }

    /// Gives P(X > x) for x ≥ 0: the tail is again such an integral, of slope a − γ x.
    pub fn survival(&self, x: f64) -> f64 {
        let rest = Self { slope: self.slope - self.curvature * x, ..*self };
        (self.slope * x - self.curvature * x * x / 2.0 + rest.log_z() - self.log_z()).exp()
    }

    fn argument(&self) -> f64 {
        -self.slope / (2.0 * self.curvature).sqrt()
    }

    fn scale(&self) -> f64 {
        (2.0 / self.curvature).sqrt()
    }

    /// Gives E u and Var u, without cancellation at either end.
    ///
    /// rₙ = iⁿerfc / iⁿ⁻¹erfc obeys 1 / rₙ = 2ξ + 2(n + 1) rₙ₊₁; E u = r₁ and E u² = 2 r₁ r₂. For small or
    /// negative ξ, integration by parts gives E u = h − ξ and Var u = ½ − h E u with h = 1 / (√π erfcx(ξ)).
    fn reduced(&self) -> (f64, f64) {
        let xi = self.argument();
        if xi < FRACTION_FROM {
            let h = (-ln_erfcx(xi)).exp() / PI.sqrt();
            return (h - xi, 0.5 - h * (h - xi));
        }
        let next = |r: f64, n: u32| 1.0 / (2.0 * xi + 2.0 * f64::from(n + 1) * r);
        let second = (2..DEPTH).rev().fold(0.0, next);
        let first = next(second, 1);
        (first, first * (2.0 * second - first))
    }
}

/// Gives ln(e^(x²) erfc(x)), without overflow.
fn ln_erfcx(x: f64) -> f64 {
    if x < -FRACTION_FROM {
        return x * x + (2.0 - (-x * x).exp() * erfcx_fraction(-x)).ln();
    }
    if x < FRACTION_FROM { erfcx_series(x).ln() } else { erfcx_fraction(x).ln() }
}

/// Gives e^(x²) − (2/√π) Σₖ 2ᵏ x²ᵏ⁺¹ / (2k + 1)!!.
fn erfcx_series(x: f64) -> f64 {
    let (mut term, mut total, mut k) = (x, x, 1.0);
    while term.abs() > total.abs() * f64::EPSILON / 8.0 {
        term *= 2.0 * x * x / (2.0 * k + 1.0);
        total += term;
        k += 1.0;
    }
    (x * x).exp() - 2.0 / PI.sqrt() * total
}

/// Gives 1/√π · 1/(x + ½/(x + 1/(x + 3⁄2/(x + …)))) (Laplace).
fn erfcx_fraction(x: f64) -> f64 {
    let tail = (1..=DEPTH).rev().fold(0.0, |tail, n| f64::from(n) / 2.0 / (x + tail));
    1.0 / (PI.sqrt() * (x + tail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{TAU_0, close};
    use crate::gamma::gamma_q;
    use crate::math::sum;
    use crate::quadrature::{Node, panels};

    fn laws() -> impl Iterator<Item = HalfLine> {
        let slopes = [-40.0, -7.0, -3.0, -2.2, -2.0, -0.5, 0.0, 0.7, 2.0, 3.5, 30.0];
        let all = slopes.into_iter().flat_map(|slope| [0.2, 1.0, 6.0].map(|curvature| (slope, curvature)));
        all.map(|(slope, curvature)| HalfLine { curvature, slope })
    }

    /// The density beside its peak, with the logarithm of the peak; 84 = 2 · 42 nats below it nothing is left.
    fn rule(law: &HalfLine) -> (Vec<Node>, f64) {
        let peak = (law.slope / law.curvature).max(0.0);
        let (root, top) =
            ((84.0 / law.curvature).sqrt(), law.slope * peak - law.curvature * peak * peak / 2.0);
        let width = (1.0 / law.curvature.sqrt()).min(8.0 / law.slope.abs().max(1e-9));
        let nodes = panels((peak - root).max(0.0), peak + root, width);
        let weigh = |(x, w): Node| (x, w * (law.slope * x - law.curvature * x * x / 2.0 - top).exp());
        (nodes.into_iter().map(weigh).collect(), top)
    }

    #[test]
    fn moments_are_those_of_quadrature() {
        for law in laws() {
            let (nodes, top) = rule(&law);
            let integral = |f: &dyn Fn(f64) -> f64| sum(nodes.iter().map(|&(x, w)| w * f(x)));
            let z = integral(&|_| 1.0);
            close(law.log_z(), z.ln() + top, TAU_0);
            let mean = integral(&|x| x) / z;
            // Relative to itself: these are small numbers at steep negative slopes.
            close(law.mean() / mean, 1.0, TAU_0);
            close(law.square() / (integral(&|x| x * x) / z), 1.0, TAU_0);
            close(law.variance() / (integral(&|x| (x - mean) * (x - mean)) / z), 1.0, TAU_0);
        }
    }

    #[test]
    fn erfcx_meets_the_incomplete_gamma_function() {
        for x in [0.01, 0.5, 1.4999, 1.5001, 3.0, 5.0] {
            close(ln_erfcx(x), x * x + gamma_q(0.5, x * x).ln(), TAU_0);
            close(ln_erfcx(-x), x * x + (2.0 - gamma_q(0.5, x * x)).ln(), TAU_0);
        }
        close(ln_erfcx(1e8), -(1e8 * PI.sqrt()).ln(), TAU_0);
        close(ln_erfcx(-1e8) / 1e16, 1.0, TAU_0);
    }

    #[test]
    fn tails_are_those_of_quadrature() {
        for law in laws() {
            close(law.survival(0.0), 1.0, TAU_0);
            let from = law.mean() * 0.75;
            let (nodes, top) = rule(&law);
            let (end, width) = (nodes[nodes.len() - 1].0, (nodes[nodes.len() - 1].0 - nodes[0].0) / 300.0);
            let density = |x: f64| (law.slope * x - law.curvature * x * x / 2.0 - top).exp();
            let tail = sum(panels(from, end, width).iter().map(|(x, w)| w * density(*x)));
            close(law.survival(from), tail / (law.log_z() - top).exp(), 1e-11);
        }
    }
}
