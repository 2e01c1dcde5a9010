//! Knows the exact solutions: of the infinite lattice (Onsager 1944, Yang 1952) and of a finite periodic one (Kaufman 1949).
//!
//! Energies, heats and magnetisations are a site, J = k = 1, as functions of the temperature.

use std::f64::consts::{FRAC_PI_2, PI, SQRT_2};

/// Gives T_c = 2 / ln(1 + √2), below which the infinite lattice orders.
pub fn critical_temperature() -> f64 {
    2.0 / libm::log1p(SQRT_2)
}

/// Gives the mean energy a site of the infinite lattice (Onsager 1944): −coth 2K (1 + (2/π) κ′ K(κ)), K = 1/T,
/// κ′ = 2 tanh² 2K − 1.
pub fn energy(temperature: f64) -> f64 {
    let tanh = libm::tanh(2.0 / temperature);
    let kappa = 2.0 * tanh * tanh - 1.0;
    // κ′ K(κ) tends to zero with κ′.
    let part = if kappa == 0.0 { 0.0 } else { kappa / FRAC_PI_2 * elliptic(kappa.abs()).0 };
    -(1.0 + part) / tanh
}

/// Gives the specific heat a site of the infinite lattice (Onsager 1944); infinite at the critical temperature.
pub fn specific_heat(temperature: f64) -> f64 {
    let coupling = 1.0 / temperature;
    let tanh = libm::tanh(2.0 * coupling);
    let kappa = 2.0 * tanh * tanh - 1.0;
    // T_c itself is a float, so that κ′ is not quite zero there.
    if kappa.abs() < 1e-14 {
        return f64::INFINITY;
    }
    let (first, second) = elliptic(kappa.abs());
    // 1 − tanh² as 1 / cosh², which keeps its digits where it is small.
    let rest = 1.0 / libm::cosh(2.0 * coupling).powi(2);
    let factor = 4.0 / PI * (coupling / tanh).powi(2);
    factor * (first - second - rest * (FRAC_PI_2 + kappa * first))
}

/// Gives the spontaneous magnetisation of the infinite lattice (Yang 1952): (1 − sinh^−4 2K)^(1/8), zero above T_c.
pub fn magnetization(temperature: f64) -> f64 {
    let sinh = libm::sinh(2.0 / temperature);
    if sinh <= 1.0 { 0.0 } else { libm::pow(1.0 - sinh.powi(-4), 0.125) }
}

/// Gives the complete elliptic integrals K and E of the modulus whose complement is given, by arithmetic-geometric means
/// (Abramowitz & Stegun 17.6).
fn elliptic(complement: f64) -> (f64, f64) {
    let (mut a, mut b) = (1.0, complement);
    let mut sum = (1.0 - b * b) / 2.0;
    let mut weight = 0.5;
    while (a - b).abs() > 1e-15 * a {
        let c = (a - b) / 2.0;
        (a, b) = (f64::midpoint(a, b), libm::sqrt(a * b));
        weight *= 2.0;
        sum += weight * c * c;
    }
    let first = FRAC_PI_2 / a;
    (first, first * (1.0 - sum))
}

/// Gives ln Z of a periodic lattice of `rows` × `columns` sites (Kaufman 1949, equation 48), in nats.
///
/// Z = ½ (2 sinh 2K)^(rows · columns / 2) · (Π 2 cosh ½ m γ_odd + Π 2 sinh ½ m γ_odd + Π 2 cosh ½ m γ_even + Π 2 sinh ½ m γ_even),
/// each over the n columns, m rows; cosh γ_l = cosh 2K coth 2K − cos(π l / n), and γ_0 = 2 K + ln tanh K has a sign.
pub fn log_z(rows: usize, columns: usize, temperature: f64) -> f64 {
    let coupling = 1.0 / temperature;
    let (half, n) = (rows as f64 / 2.0, columns);
    let angles = |odd: usize| (0..n).map(move |r| half * gamma(2 * r + odd, n, coupling));
    // 2 cosh x = e^|x| (1 + e^−2|x|), 2 sinh x = ± e^|x| (1 − e^−2|x|).
    let cosh = |x: f64| x.abs() + libm::log1p(libm::exp(-2.0 * x.abs()));
    let sinh = |x: f64| x.abs() + libm::log(-libm::expm1(-2.0 * x.abs()));
    let logs = [
        angles(1).map(cosh).sum::<f64>(),
        angles(1).map(sinh).sum(),
        angles(0).map(cosh).sum(),
        angles(0).map(sinh).sum(),
    ];
    let signs = [1.0, 1.0, 1.0, if gamma(0, n, coupling) < 0.0 { mutant!("B158", -1.0, 1.0) } else { 1.0 }];
    let top = logs.into_iter().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = logs.iter().zip(signs).map(|(log, sign)| sign * libm::exp(log - top)).sum();
    // ln 2 sinh 2K, without overflow where K is large.
    let sinh = 2.0 * coupling + libm::log(-libm::expm1(-4.0 * coupling));
    half * columns as f64 * sinh + top + libm::log(sum / 2.0)
}

/// From this K on cosh γ is e^2K / 2 to the last digit, and soon too large for a float.
const FLAT: f64 = 100.0;

fn gamma(l: usize, n: usize, coupling: f64) -> f64 {
    if l == 0 {
        return 2.0 * coupling + libm::log(libm::tanh(coupling));
    }
    if coupling > FLAT {
        return 2.0 * coupling;
    }
    let c = libm::cosh(2.0 * coupling) / libm::tanh(2.0 * coupling) - libm::cos(PI * l as f64 / n as f64);
    libm::acosh(c)
}

/// The step in K of the differences that derive energies from ln Z. The heat's peak has a width of one over the lattice's length L: steps of
/// `0.03 / L` leave a relative error of the next order of 0.03⁴, below 1e-6; rounding, 1e-16 of ln Z divided by the step's square, stays below
/// 1e-6 a site.
const STEP: f64 = 1e-4;
const STEP_OF_LENGTH: f64 = 0.03;

/// From this K on a lattice of any size differs from the infinite one by less than e^−8K, and ln Z loses more in rounding.
const COLD: f64 = 4.0;

/// Gives mean energy and specific heat a site of a periodic lattice: −∂ ln Z / ∂K and K² ∂² ln Z / ∂K², by differences.
pub fn finite(rows: usize, columns: usize, temperature: f64) -> (f64, f64) {
    let coupling = 1.0 / temperature;
    if coupling > COLD {
        return (energy(temperature), specific_heat(temperature));
    }
    let step = STEP.min(coupling / 8.0).min(mutant!("B339", STEP_OF_LENGTH / rows.max(columns) as f64, STEP));
    let at = |n: f64| log_z(rows, columns, 1.0 / (coupling + n * step));
    let [far_below, below, here, above, far_above] = [-2.0, -1.0, 0.0, 1.0, 2.0].map(at);
    let sites = (rows * columns) as f64;
    let first = (far_below - 8.0 * below + 8.0 * above - far_above) / (12.0 * step);
    let second = (16.0 * (below + above) - (far_below + far_above) - 30.0 * here) / (12.0 * step * step);
    (-first / sites, coupling * coupling * second / sites)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(got: f64, expected: f64, error: f64) {
        assert!((got - expected).abs() <= error, "{got} instead of {expected}");
    }

    #[test]
    fn the_infinite_lattice_has_its_known_values() {
        let known = [(2.0, -1.745_565), (2.5, -1.106_079), (3.0, -0.817_309), (5.0, -0.428_229)];
        known.iter().for_each(|&(t, e)| near(energy(t), e, 1e-6));
        near(energy(1.0 / 0.3), -0.704_499, 1e-6);
        near(energy(1.0 / 0.38), -1.006_649, 1e-6);
        near(energy(critical_temperature()), -SQRT_2, 1e-7);
        near(magnetization(2.0), 0.911_319, 5e-7);
        assert_eq!(magnetization(2.3), 0.0);
        near(critical_temperature(), 2.269_185, 5e-7);
    }

    #[test]
    fn nothing_overflows_where_it_is_cold_or_hot() {
        for t in [1e-6, 1e-3, 0.01, 1e3, 1e6] {
            let (e, c) = finite(6, 8, t);
            assert!((e - energy(t)).abs() < 1e-3 && (c - specific_heat(t)).abs() < 1e-3, "{t}: {e} {c}");
            assert!((0.0..=1.0).contains(&magnetization(t)));
        }
    }

    #[test]
    fn the_heat_is_the_slope_of_the_energy() {
        for t in [0.5, 1.0, 1.7, 2.2, 2.3, 3.0, 10.0] {
            let slope = (energy(t + 1e-5) - energy(t - 1e-5)) / 2e-5;
            near(specific_heat(t), slope, 1e-5 * (1.0 + slope));
        }
    }

    /// Energy and heat by enumeration of the 2^16 states of 4 × 4 sites.
    #[test]
    fn small_lattices_have_the_values_of_their_enumeration() {
        let known = [
            (1.0, -1.997_158, 0.023_409),
            (2.0, -1.755_380, 0.605_533),
            (2.269_185, -1.565_624, 0.783_267),
            (3.0, -1.017_070, 0.603_135),
            (3.5, -0.776_150, 0.375_756),
        ];
        for (t, e, c) in known {
            let (energy, heat) = finite(4, 4, t);
            near(energy, e, 2e-6);
            near(heat, c, 2e-5);
        }
    }

    #[test]
    fn rows_and_columns_may_be_exchanged_and_large_lattices_are_nearly_infinite() {
        near(log_z(4, 10, 2.1), log_z(10, 4, 2.1), 1e-10);
        near(log_z(3, 8, 3.0), log_z(8, 3, 3.0), 1e-10);
        near(finite(128, 128, 3.0).0, energy(3.0), 1e-5);
        near(finite(128, 128, 2.0).1, specific_heat(2.0), 1e-3);
    }
}
