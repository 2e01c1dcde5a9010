//! Defines the elementary functions that decide a bit: the same operations in the same order on every CPU.
//!
//! e^x = 2^n · P(r) with n = round_even(x / ln 2), r = x − n ln 2 in two steps, and P of degree 6 with the least largest
//! relative error on |r| ≤ ln 2 / 2 (3e-9; the coefficients come from a weighted least-squares iteration). Rounding
//! brings the error to 1e-7.

use crate::simd::Simd;

/// Arguments of e^x are held within ±125 ln 2, so that 2^n stays normal.
pub const EXP_LIMIT: f32 = 86.643_4;

const LOG2_E: f32 = std::f32::consts::LOG2_E;
const LN2_HIGH: f32 = 0.693_359_4;
const LN2_LOW: f32 = -0.000_212_194_44;

/// Coefficients of r⁶ … r²; those of r and 1 are 1.
const EXP: [f32; 5] = [0.001_381_454, 0.008_368_745, 0.041_668_39, 0.166_665_21, 0.499_999_94];

/// One unit of a 16-bit fixed-point probability is 2^-16.
pub const P16: f32 = 65_536.0;

/// Computes e^x for |x| ≤ [`EXP_LIMIT`]; beyond that the limit's value, and NaN for NaN.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    let x = clamp(x, EXP_LIMIT);
    let n = (x * LOG2_E).round_ties_even();
    let r = n.mul_add(-LN2_LOW, n.mul_add(-LN2_HIGH, x));
    let p = EXP.iter().skip(1).fold(EXP[0], |p, &c| p.mul_add(r, c));
    let p = p.mul_add(r, 1.0).mul_add(r, 1.0);
    f32::from_bits(p.to_bits().wrapping_add((n as i32 as u32) << 23))
}

/// Holds x within ±limit and keeps NaN, as the vector instructions do.
#[inline(always)]
fn clamp(x: f32, limit: f32) -> f32 {
    if x > limit {
        limit
    } else if x < -limit {
        -limit
    } else {
        x
    }
}

/// Computes σ(x) = 1 / (1 + e^−x).
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// Rounds σ(x) to 16 bits: min(round_even(65536 σ), 65535), and 0 for NaN.
#[inline(always)]
pub fn p16(x: f32) -> u16 {
    let scaled = (sigmoid(x) * P16).round_ties_even();
    if scaled > 65_535.0 { 65_535 } else { scaled as u16 }
}

/// Decides a unit: (word >> 8) · 2^-24 < σ(x), without a division. NaN and −∞ give 0.
#[inline(always)]
pub fn bernoulli(word: u32, x: f32) -> bool {
    let u = (word >> 8) as f32 * (1.0 / 16_777_216.0);
    u.mul_add(exp(-x), u) < 1.0 && x > f32::NEG_INFINITY
}

/// The share of Metropolis moves that are tried at all; the others stay. Without such idleness, units that are visited in a fixed order may
/// go round in circles of moves that cost nothing, which no chain enters or leaves: a lattice in stripes of width one turns over as a whole
/// for ever. Detailed balance does not see it, as it holds for moves there and back alike.
pub const TRIED: f32 = 255.0 / 256.0;

/// Decides a Metropolis move that lowers βE by `gain`: (2 (word >> 9) + 1) 2^-24 < [`TRIED`] min(1, e^gain), which is cut off below 2^-24. NaN is
/// a no.
#[inline(always)]
pub fn metropolis(word: u32, gain: f32) -> bool {
    let chance = if gain >= 0.0 { 1.0 } else { exp(gain) };
    ((2 * (word >> 9) + 1) as f32) * (1.0 / 16_777_216.0) < mutant!("B382", TRIED, 1.0) * chance
}

/// Does the same as its namesakes outside, lane by lane.
pub(crate) mod lanes {
    use super::{EXP, EXP_LIMIT, LN2_HIGH, LN2_LOW, LOG2_E, P16, Simd};

    /// Computes e^x.
    #[inline(always)]
    pub(crate) fn exp<S: Simd>(x: S::F) -> S::F {
        let constant = S::splat_f32;
        // Both keep a NaN that stands in their second place.
        let x = S::max(constant(-EXP_LIMIT), S::min(constant(EXP_LIMIT), x));
        let n = S::round(S::mul(x, constant(LOG2_E)));
        let r = S::fma(n, constant(-LN2_LOW), S::fma(n, constant(-LN2_HIGH), x));
        let mut p = constant(EXP[0]);
        for &c in &EXP[1..] {
            p = S::fma(p, r, constant(c));
        }
        let p = S::fma(S::fma(p, r, constant(1.0)), r, constant(1.0));
        S::from_bits(S::add(S::to_bits(p), S::shl::<23>(S::to_int(n))))
    }

    /// Computes −x.
    #[inline(always)]
    pub(crate) fn negated<S: Simd>(x: S::F) -> S::F {
        S::from_bits(S::xor(S::to_bits(x), S::splat(i32::MIN)))
    }

    /// Computes −|x|.
    #[inline(always)]
    pub(crate) fn minus_absolute<S: Simd>(x: S::F) -> S::F {
        S::from_bits(S::or(S::to_bits(x), S::splat(i32::MIN)))
    }

    /// Gives the 16-bit codes of σ(x) from e^−x, up to 65,536; a NaN becomes 0.
    #[inline(always)]
    pub(crate) fn p16<S: Simd>(e: S::F) -> S::I {
        let one = S::splat_f32(1.0);
        let scaled = S::mul(S::div(one, S::add_f32(one, e)), S::splat_f32(P16));
        let scaled = mutant!("B45", S::round(scaled), S::round(S::add_f32(scaled, S::splat_f32(-0.5))));
        S::to_int(S::max(scaled, S::splat_f32(0.0)))
    }

    /// Decides units from words, activations and e^−x: bit l for lane l.
    #[inline(always)]
    pub(crate) fn bernoulli<S: Simd>(words: S::I, x: S::F, e: S::F) -> u32 {
        let u = S::mul(S::from_int(S::shr::<8>(words)), S::splat_f32(1.0 / 16_777_216.0));
        S::less(S::fma(u, e, u), S::splat_f32(1.0)) & S::less(S::splat_f32(f32::NEG_INFINITY), x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_within_its_relative_error() {
        // Bound: polynomial 3e-9, five roundings of the last fused steps at most 1 ulp = 1.2e-7 together.
        for i in -860_000..860_000 {
            let x = i as f32 * 1e-4;
            let exact = f64::from(x).exp();
            assert!((f64::from(exp(x)) / exact - 1.0).abs() < 1.2e-7, "exp({x})");
        }
    }

    #[test]
    fn the_end_codes_of_a_probability_are_pinned() {
        assert_eq!((p16(f32::NEG_INFINITY), p16(0.0), p16(f32::INFINITY)), (0, 32_768, 65_535));
        assert_eq!((p16(-1e4), p16(1e4), p16(f32::NAN)), (0, 65_535, 0));
    }

    #[test]
    fn a_sure_unit_never_errs() {
        for word in [0, 255, 256, u32::MAX] {
            assert!(bernoulli(word, f32::INFINITY) && !bernoulli(word, f32::NEG_INFINITY));
            assert!(!bernoulli(word, f32::NAN));
        }
        assert!(bernoulli(0x7FFF_FFFF, 0.0) && !bernoulli(0x8000_0000, 0.0));
    }
}
