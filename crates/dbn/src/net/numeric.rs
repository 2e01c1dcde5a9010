//! Computes the elementary functions of networks by sums and products that round one after the other.
//!
//! They are the same operations on every CPU, and loops over them become vector instructions without asking for any. Layout
//! and coefficients of e^x are those of the kernels' exponential; only its fused steps are two roundings here.

/// Arguments of e^x are held within ±125 ln 2, so that 2^n stays normal.
const LIMIT: f32 = 86.643_4;
const LOG2_E: f32 = std::f32::consts::LOG2_E;
const LN2_HIGH: f32 = 0.693_359_4;
const LN2_LOW: f32 = -0.000_212_194_44;
/// 3 · 2²²: what is added to it and taken away again has been rounded to a whole number, half to even.
const ROUNDER: f32 = 12_582_912.0;
/// Coefficients of r⁶ … r²; those of r and 1 are 1.
const EXP: [f32; 5] = [0.001_381_454, 0.008_368_745, 0.041_668_39, 0.166_665_21, 0.499_999_94];
/// Coefficients of the series of artanh s = s (1 + s²/3 + s⁴/5 + …), from s¹² down; |s| ≤ 1/3 leaves an error of 5e-9.
const ARTANH: [f32; 6] = [1.0 / 13.0, 1.0 / 11.0, 1.0 / 9.0, 1.0 / 7.0, 1.0 / 5.0, 1.0 / 3.0];

/// Computes e^x, relative error 2.4e-7, for |x| ≤ 86.6; beyond that the limit's value, and NaN for NaN.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    let x = x.clamp(-LIMIT, LIMIT);
    let shifted = x * LOG2_E + ROUNDER;
    let n = shifted - ROUNDER;
    let r = (x - n * LN2_HIGH) - n * LN2_LOW;
    let p = EXP[1..].iter().fold(EXP[0], |p, &c| p * r + c);
    let p = (p * r + 1.0) * r + 1.0;
    // The lowest bits of `shifted` are n. The last term is 0 but for NaN.
    f32::from_bits(p.to_bits().wrapping_add(shifted.to_bits() << 23)) + 0.0 * x
}

/// Computes σ(x) = 1 / (1 + e^−x), relative error 5e-7.
#[inline(always)]
pub(super) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// Computes tanh x = 1 − 2 / (1 + e^2x), absolute error 3e-7.
#[inline(always)]
pub(super) fn tanh(x: f32) -> f32 {
    1.0 - 2.0 / (1.0 + exp(2.0 * x))
}

/// Computes ln(1 + e^x), relative error 6e-7 of max(1, |x|).
#[inline(always)]
pub(super) fn softplus(x: f32) -> f32 {
    let u = exp(-x.abs());
    // ln(1 + u) = 2 artanh(u / (2 + u)).
    let s = u / (2.0 + u);
    let p = ARTANH[1..].iter().fold(ARTANH[0], |p, &c| p * (s * s) + c);
    // A maximum would swallow NaN.
    let positive = if x < 0.0 { 0.0 } else { x };
    positive + 2.0 * s * (p * (s * s) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_within_their_errors() {
        for i in -860_000..860_000 {
            let x = i as f32 * 1e-4;
            let exact = f64::from(x);
            let e = libm::exp(exact);
            assert!((f64::from(exp(x)) / e - 1.0).abs() < 2.4e-7, "exp({x})");
            assert!((f64::from(sigmoid(x)) * (1.0 + libm::exp(-exact)) - 1.0).abs() < 5e-7, "σ({x})");
            assert!((f64::from(tanh(x)) - libm::tanh(exact)).abs() < 3e-7, "tanh({x})");
            let soft = exact.max(0.0) + libm::log1p(libm::exp(-exact.abs()));
            assert!((f64::from(softplus(x)) - soft).abs() < 6e-7 * soft.max(1.0), "softplus({x})");
        }
    }

    #[test]
    fn ends_and_what_is_no_number() {
        assert_eq!((sigmoid(-1e9), sigmoid(0.0), sigmoid(1e9)), (sigmoid(-LIMIT), 0.5, 1.0));
        assert_eq!((tanh(-1e9), tanh(0.0), tanh(1e9)), (-1.0, 0.0, 1.0));
        for f in [exp, sigmoid, tanh, softplus] {
            assert!(f(f32::NAN).is_nan() && f(f32::from_bits(0x7FC0_01FF)).is_nan());
        }
    }
}
