//! Turns eight sums at a time into bits and probabilities.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m256, __m256d, __m256i, _CMP_GT_OQ, _CMP_LT_OQ, _MM_FROUND_NO_EXC, _MM_FROUND_TO_NEAREST_INT,
    _mm_packus_epi32, _mm_storeu_si128, _mm256_add_epi32, _mm256_add_pd, _mm256_add_ps, _mm256_and_ps,
    _mm256_castps_si256, _mm256_castps256_ps128, _mm256_castsi256_ps, _mm256_castsi256_si128, _mm256_cmp_ps,
    _mm256_cvtepi32_ps, _mm256_cvtps_epi32, _mm256_cvtps_pd, _mm256_div_ps, _mm256_extractf128_ps,
    _mm256_extracti128_si256, _mm256_fmadd_ps, _mm256_loadu_pd, _mm256_loadu_ps, _mm256_loadu_si256,
    _mm256_max_ps, _mm256_min_ps, _mm256_movemask_ps, _mm256_mul_pd, _mm256_mul_ps, _mm256_or_ps,
    _mm256_round_ps, _mm256_set1_pd, _mm256_set1_ps, _mm256_setzero_ps, _mm256_slli_epi32, _mm256_srli_epi32,
    _mm256_storeu_pd, _mm256_xor_ps,
};

use crate::bernoulli::{Affine, Lanes, Out};
use crate::numeric::{EXP, EXP_LIMIT, LN2_HIGH, LN2_LOW, LOG2_E, P16};

/// Units of one vector.
const LANES: usize = 8;
const NEAREST: i32 = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;

/// Handles whole groups of eight units and gives their number; the tail is left to the portable twin.
#[target_feature(enable = "avx2,fma")]
pub(crate) fn activate(sums: &[i32], affine: &Affine<'_>, out: &mut Out<'_>) -> usize {
    let groups = sums.len() / LANES;
    for g in 0..groups {
        let x = eight(sums, affine, g * LANES);
        let e = exp(_mm256_xor_ps(x, _mm256_set1_ps(-0.0)));
        if let Some((words, bits)) = &mut out.bits {
            let mask = draw(&words[g * LANES..(g + 1) * LANES], x, e);
            bits[g / 8] |= u64::from(mask) << (g % 8 * LANES);
        }
        if let Some(p16) = &mut out.p16 {
            probabilities(e, &mut p16[g * LANES..(g + 1) * LANES]);
        }
    }
    groups * LANES
}

/// Loads eight sums and makes activations of them.
#[target_feature(enable = "avx2,fma")]
#[inline]
fn eight(sums: &[i32], affine: &Affine<'_>, at: usize) -> __m256 {
    let (sums, bias) = (&sums[at..at + LANES], &affine.bias[at..at + LANES]);
    // SAFETY: both slices hold eight entries, and the loads need no alignment.
    let (sum, bias) = unsafe { (_mm256_loadu_si256(sums.as_ptr().cast()), _mm256_loadu_ps(bias.as_ptr())) };
    let input = _mm256_mul_ps(_mm256_cvtepi32_ps(sum), _mm256_set1_ps(affine.quantum));
    _mm256_add_ps(_mm256_mul_ps(input, _mm256_set1_ps(affine.gain)), bias)
}

/// Computes e^x as `numeric::exp` does; `min` and `max` keep a NaN in their second operand.
#[target_feature(enable = "avx2,fma")]
#[inline]
fn exp(x: __m256) -> __m256 {
    let x = _mm256_min_ps(_mm256_set1_ps(EXP_LIMIT), x);
    let x = _mm256_max_ps(_mm256_set1_ps(-EXP_LIMIT), x);
    let n = _mm256_round_ps::<NEAREST>(_mm256_mul_ps(x, _mm256_set1_ps(LOG2_E)));
    let r = _mm256_fmadd_ps(n, _mm256_set1_ps(-LN2_HIGH), x);
    let r = _mm256_fmadd_ps(n, _mm256_set1_ps(-LN2_LOW), r);
    let mut p = _mm256_set1_ps(EXP[0]);
    for &c in &EXP[1..] {
        p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(c));
    }
    let one = _mm256_set1_ps(1.0);
    p = _mm256_fmadd_ps(_mm256_fmadd_ps(p, r, one), r, one);
    let exponent = _mm256_slli_epi32::<23>(_mm256_cvtps_epi32(n));
    _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(p), exponent))
}

/// Draws eight units: u + u e^−x < 1.
#[target_feature(enable = "avx2,fma")]
#[inline]
fn draw(words: &[u32], x: __m256, e: __m256) -> u8 {
    assert!(words.len() == LANES);
    // SAFETY: there are eight words, and the load needs no alignment.
    let words = unsafe { _mm256_loadu_si256(words.as_ptr().cast()) };
    let u = _mm256_cvtepi32_ps(_mm256_srli_epi32::<8>(words));
    let u = _mm256_mul_ps(u, _mm256_set1_ps(1.0 / 16_777_216.0));
    let below = _mm256_cmp_ps::<_CMP_LT_OQ>(_mm256_fmadd_ps(u, e, u), _mm256_set1_ps(1.0));
    let finite = _mm256_cmp_ps::<_CMP_GT_OQ>(x, _mm256_set1_ps(f32::NEG_INFINITY));
    _mm256_movemask_ps(_mm256_and_ps(below, finite)) as u8
}

/// Rounds eight probabilities to 16 bits; the packing saturates at 65535, and NaN becomes 0.
#[target_feature(enable = "avx2,fma")]
#[inline]
fn probabilities(e: __m256, out: &mut [u16]) {
    assert!(out.len() == LANES);
    let sigma = _mm256_div_ps(_mm256_set1_ps(1.0), _mm256_add_ps(_mm256_set1_ps(1.0), e));
    let scaled = _mm256_max_ps(_mm256_mul_ps(sigma, _mm256_set1_ps(P16)), _mm256_setzero_ps());
    let codes: __m256i = _mm256_cvtps_epi32(scaled);
    let packed = _mm_packus_epi32(_mm256_castsi256_si128(codes), _mm256_extracti128_si256::<1>(codes));
    // SAFETY: there are eight codes of two bytes, and the store needs no alignment.
    unsafe { _mm_storeu_si128(out.as_mut_ptr().cast(), packed) };
}

/// Adds max(x, 0) to the linear lanes and multiplies 1 + e^−|x| into the product lanes, for whole groups of eight units;
/// gives their number.
#[target_feature(enable = "avx2,fma")]
pub(crate) fn softplus(sums: &[i32], affine: &Affine<'_>, lanes: &mut Lanes) -> usize {
    let (mut linear, mut product) = (halves(&lanes.linear), halves(&lanes.product));
    let groups = sums.len() / LANES;
    for g in 0..groups {
        let x = eight(sums, affine, g * LANES);
        let positive = split(_mm256_max_ps(x, _mm256_setzero_ps()));
        let e = split(exp(_mm256_or_ps(x, _mm256_set1_ps(-0.0))));
        for half in 0..2 {
            linear[half] = _mm256_add_pd(linear[half], positive[half]);
            product[half] = _mm256_mul_pd(product[half], _mm256_add_pd(_mm256_set1_pd(1.0), e[half]));
        }
    }
    for half in 0..2 {
        store(&mut lanes.linear, half, linear[half]);
        store(&mut lanes.product, half, product[half]);
    }
    groups * LANES
}

#[target_feature(enable = "avx2,fma")]
#[inline]
fn split(x: __m256) -> [__m256d; 2] {
    [_mm256_cvtps_pd(_mm256_castps256_ps128(x)), _mm256_cvtps_pd(_mm256_extractf128_ps::<1>(x))]
}

#[target_feature(enable = "avx2,fma")]
#[inline]
fn halves(lanes: &[f64; LANES]) -> [__m256d; 2] {
    // SAFETY: eight lanes hold two vectors of four, and the loads need no alignment.
    unsafe { [_mm256_loadu_pd(lanes.as_ptr()), _mm256_loadu_pd(lanes.as_ptr().add(4))] }
}

#[target_feature(enable = "avx2,fma")]
#[inline]
fn store(lanes: &mut [f64; LANES], half: usize, value: __m256d) {
    assert!(half < 2);
    // SAFETY: half is 0 or 1, so four lanes lie from 4 half on, and the store needs no alignment.
    unsafe { _mm256_storeu_pd(lanes.as_mut_ptr().add(4 * half), value) };
}
