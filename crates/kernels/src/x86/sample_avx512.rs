//! Turns sixteen sums at a time into bits, probabilities and softplus sums.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m256, __m512, __m512d, _CMP_GT_OQ, _CMP_LT_OQ, _MM_FROUND_NO_EXC, _MM_FROUND_TO_NEAREST_INT,
    _mm256_castpd_ps, _mm256_storeu_si256, _mm512_add_epi32, _mm512_add_pd, _mm512_add_ps, _mm512_castps_pd,
    _mm512_castps_si512, _mm512_castps512_ps256, _mm512_castsi512_ps, _mm512_cmp_ps_mask, _mm512_cvtepi32_ps,
    _mm512_cvtps_epi32, _mm512_cvtps_pd, _mm512_cvtusepi32_epi16, _mm512_div_ps, _mm512_extractf64x4_pd,
    _mm512_fmadd_ps, _mm512_loadu_pd, _mm512_loadu_ps, _mm512_loadu_si512, _mm512_max_ps, _mm512_min_ps,
    _mm512_mul_pd, _mm512_mul_ps, _mm512_or_si512, _mm512_roundscale_ps, _mm512_set1_epi32, _mm512_set1_pd,
    _mm512_set1_ps, _mm512_setzero_ps, _mm512_slli_epi32, _mm512_srli_epi32, _mm512_storeu_pd,
    _mm512_xor_si512,
};

use crate::bernoulli::{Affine, Lanes, Out};
use crate::numeric::{EXP, EXP_LIMIT, LN2_HIGH, LN2_LOW, LOG2_E, P16};

/// Units of one vector.
const LANES: usize = 16;
const NEAREST: i32 = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;

/// Handles whole groups of sixteen units and gives their number; the tail is left to the portable twin.
#[target_feature(enable = "avx512f")]
pub(crate) fn activate(sums: &[i32], affine: &Affine<'_>, out: &mut Out<'_>) -> usize {
    let groups = sums.len() / LANES;
    for g in 0..groups {
        let x = sixteen(sums, affine, g * LANES);
        let e = exp(with_sign(x, Sign::Flipped));
        if let Some((words, bits)) = &mut out.bits {
            let mask = draw(&words[g * LANES..(g + 1) * LANES], x, e);
            bits[g / 4] |= u64::from(mask) << (g % 4 * LANES);
        }
        if let Some(p16) = &mut out.p16 {
            probabilities(e, &mut p16[g * LANES..(g + 1) * LANES]);
        }
    }
    groups * LANES
}

/// Loads sixteen sums and makes activations of them.
#[target_feature(enable = "avx512f")]
#[inline]
fn sixteen(sums: &[i32], affine: &Affine<'_>, at: usize) -> __m512 {
    let (sums, bias) = (&sums[at..at + LANES], &affine.bias[at..at + LANES]);
    // SAFETY: both slices hold sixteen entries, and the loads need no alignment.
    let (sum, bias) = unsafe { (_mm512_loadu_si512(sums.as_ptr().cast()), _mm512_loadu_ps(bias.as_ptr())) };
    let input = _mm512_mul_ps(_mm512_cvtepi32_ps(sum), _mm512_set1_ps(affine.quantum));
    _mm512_add_ps(_mm512_mul_ps(input, _mm512_set1_ps(affine.gain)), bias)
}

#[derive(Clone, Copy)]
enum Sign {
    Flipped,
    Minus,
}

/// Flips the sign of x, or makes it −|x|.
#[target_feature(enable = "avx512f")]
#[inline]
fn with_sign(x: __m512, sign: Sign) -> __m512 {
    let (bit, x) = (_mm512_set1_epi32(i32::MIN), _mm512_castps_si512(x));
    _mm512_castsi512_ps(match sign {
        Sign::Flipped => _mm512_xor_si512(x, bit),
        Sign::Minus => _mm512_or_si512(x, bit),
    })
}

/// Computes e^x as `numeric::exp` does; `min` and `max` keep a NaN in their second operand.
#[target_feature(enable = "avx512f")]
#[inline]
fn exp(x: __m512) -> __m512 {
    let x = _mm512_min_ps(_mm512_set1_ps(EXP_LIMIT), x);
    let x = _mm512_max_ps(_mm512_set1_ps(-EXP_LIMIT), x);
    let n = _mm512_roundscale_ps::<NEAREST>(_mm512_mul_ps(x, _mm512_set1_ps(LOG2_E)));
    let r = _mm512_fmadd_ps(n, _mm512_set1_ps(-LN2_HIGH), x);
    let r = _mm512_fmadd_ps(n, _mm512_set1_ps(-LN2_LOW), r);
    let mut p = _mm512_set1_ps(EXP[0]);
    for &c in &EXP[1..] {
        p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(c));
    }
    let one = _mm512_set1_ps(1.0);
    p = _mm512_fmadd_ps(_mm512_fmadd_ps(p, r, one), r, one);
    let exponent = _mm512_slli_epi32::<23>(_mm512_cvtps_epi32(n));
    _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(p), exponent))
}

/// Draws sixteen units: u + u e^−x < 1.
#[target_feature(enable = "avx512f")]
#[inline]
fn draw(words: &[u32], x: __m512, e: __m512) -> u16 {
    assert!(words.len() == LANES);
    // SAFETY: there are sixteen words, and the load needs no alignment.
    let words = unsafe { _mm512_loadu_si512(words.as_ptr().cast()) };
    let u = _mm512_cvtepi32_ps(_mm512_srli_epi32::<8>(words));
    let u = _mm512_mul_ps(u, _mm512_set1_ps(1.0 / 16_777_216.0));
    let below = _mm512_cmp_ps_mask::<_CMP_LT_OQ>(_mm512_fmadd_ps(u, e, u), _mm512_set1_ps(1.0));
    below & _mm512_cmp_ps_mask::<_CMP_GT_OQ>(x, _mm512_set1_ps(f32::NEG_INFINITY))
}

/// Rounds sixteen probabilities to 16 bits; the packing saturates at 65535, and NaN becomes 0.
#[target_feature(enable = "avx512f")]
#[inline]
fn probabilities(e: __m512, out: &mut [u16]) {
    assert!(out.len() == LANES);
    let sigma = _mm512_div_ps(_mm512_set1_ps(1.0), _mm512_add_ps(_mm512_set1_ps(1.0), e));
    let scaled = _mm512_max_ps(_mm512_mul_ps(sigma, _mm512_set1_ps(P16)), _mm512_setzero_ps());
    let packed = _mm512_cvtusepi32_epi16(_mm512_cvtps_epi32(scaled));
    // SAFETY: there are sixteen codes of two bytes, and the store needs no alignment.
    unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), packed) };
}

/// Adds max(x, 0) to the linear lanes and multiplies 1 + e^−|x| into the product lanes, for whole groups of sixteen
/// units, the lower eight before the upper; gives their number.
#[target_feature(enable = "avx512f")]
pub(crate) fn softplus(sums: &[i32], affine: &Affine<'_>, lanes: &mut Lanes) -> usize {
    // SAFETY: there are eight lanes of each kind, and the loads need no alignment.
    let (mut linear, mut product) =
        unsafe { (_mm512_loadu_pd(lanes.linear.as_ptr()), _mm512_loadu_pd(lanes.product.as_ptr())) };
    let groups = sums.len() / LANES;
    for g in 0..groups {
        let x = sixteen(sums, affine, g * LANES);
        let positive = split(_mm512_max_ps(x, _mm512_setzero_ps()));
        let e = split(exp(with_sign(x, Sign::Minus)));
        for half in 0..2 {
            linear = _mm512_add_pd(linear, positive[half]);
            product = _mm512_mul_pd(product, _mm512_add_pd(_mm512_set1_pd(1.0), e[half]));
        }
    }
    // SAFETY: there are eight lanes of each kind, and the stores need no alignment.
    unsafe {
        _mm512_storeu_pd(lanes.linear.as_mut_ptr(), linear);
        _mm512_storeu_pd(lanes.product.as_mut_ptr(), product);
    }
    groups * LANES
}

/// Widens the lower and the upper eight.
#[target_feature(enable = "avx512f")]
#[inline]
fn split(x: __m512) -> [__m512d; 2] {
    let upper: __m256 = _mm256_castpd_ps(_mm512_extractf64x4_pd::<1>(_mm512_castps_pd(x)));
    [_mm512_cvtps_pd(_mm512_castps512_ps256(x)), _mm512_cvtps_pd(upper)]
}
