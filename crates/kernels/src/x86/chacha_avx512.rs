//! Computes sixteen ChaCha8 blocks of one stream side by side.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m512i, _mm512_add_epi32, _mm512_rol_epi32, _mm512_set1_epi32, _mm512_setr_epi32, _mm512_setzero_si512,
    _mm512_shuffle_i32x4, _mm512_storeu_si512, _mm512_unpackhi_epi32, _mm512_unpackhi_epi64,
    _mm512_unpacklo_epi32, _mm512_unpacklo_epi64, _mm512_xor_si512,
};

use crate::chacha::{BLOCK, QUARTERS, state};

/// Blocks computed at once.
const LANES: usize = 16;

/// Fills whole groups of sixteen blocks from block 0 on, and gives the number of words that it wrote.
#[target_feature(enable = "avx512f")]
pub(crate) fn fill(key: &[u32; 8], stream: u64, words: &mut [u32]) -> usize {
    let mut done = 0;
    for group in words.chunks_exact_mut(LANES * BLOCK) {
        blocks(key, stream, (done / BLOCK) as u32, group);
        done += group.len();
    }
    done
}

#[target_feature(enable = "avx512f")]
fn blocks(key: &[u32; 8], stream: u64, first: u32, out: &mut [u32]) {
    let start = spread(key, stream, first);
    let mut x = start;
    for _ in 0..4 {
        for q in &QUARTERS {
            quarter(&mut x, q);
        }
    }
    for (sum, begun) in x.iter_mut().zip(start) {
        *sum = _mm512_add_epi32(*sum, begun);
    }
    for (block, words) in transpose(&x).into_iter().zip(out.chunks_exact_mut(BLOCK)) {
        // SAFETY: `words` holds sixteen words, and the store needs no alignment.
        unsafe { _mm512_storeu_si512(words.as_mut_ptr().cast(), block) };
    }
}

/// Lays the first state words into vectors, lane l for block `first + l`.
#[target_feature(enable = "avx512f")]
#[inline]
fn spread(key: &[u32; 8], stream: u64, first: u32) -> [__m512i; BLOCK] {
    let mut x = [_mm512_setzero_si512(); BLOCK];
    for (vector, word) in x.iter_mut().zip(state(key, u64::from(first), stream)) {
        *vector = _mm512_set1_epi32(word as i32);
    }
    let lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    x[12] = _mm512_add_epi32(x[12], lanes);
    x
}

#[target_feature(enable = "avx512f")]
#[inline]
fn quarter(x: &mut [__m512i; BLOCK], &[a, b, c, d]: &[usize; 4]) {
    x[a] = _mm512_add_epi32(x[a], x[b]);
    x[d] = _mm512_rol_epi32::<16>(_mm512_xor_si512(x[d], x[a]));
    x[c] = _mm512_add_epi32(x[c], x[d]);
    x[b] = _mm512_rol_epi32::<12>(_mm512_xor_si512(x[b], x[c]));
    x[a] = _mm512_add_epi32(x[a], x[b]);
    x[d] = _mm512_rol_epi32::<8>(_mm512_xor_si512(x[d], x[a]));
    x[c] = _mm512_add_epi32(x[c], x[d]);
    x[b] = _mm512_rol_epi32::<7>(_mm512_xor_si512(x[b], x[c]));
}

/// Transposes 16 × 16 words of 32 bits: quarters of four rows first, then the quarters among each other.
#[target_feature(enable = "avx512f")]
#[inline]
fn transpose(x: &[__m512i; BLOCK]) -> [__m512i; BLOCK] {
    let mut quads = [_mm512_setzero_si512(); BLOCK];
    for q in 0..4 {
        let (a, b, c, d) = (x[4 * q], x[4 * q + 1], x[4 * q + 2], x[4 * q + 3]);
        let (ab_low, ab_high) = (_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
        let (cd_low, cd_high) = (_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
        quads[4 * q] = _mm512_unpacklo_epi64(ab_low, cd_low);
        quads[4 * q + 1] = _mm512_unpackhi_epi64(ab_low, cd_low);
        quads[4 * q + 2] = _mm512_unpacklo_epi64(ab_high, cd_high);
        quads[4 * q + 3] = _mm512_unpackhi_epi64(ab_high, cd_high);
    }
    let mut out = [_mm512_setzero_si512(); BLOCK];
    for i in 0..4 {
        // Lane group g of `quads[4 q + i]` holds words 4 q … 4 q + 3 of block 4 g + i.
        let low01 = _mm512_shuffle_i32x4::<0x44>(quads[i], quads[4 + i]);
        let high01 = _mm512_shuffle_i32x4::<0xEE>(quads[i], quads[4 + i]);
        let low23 = _mm512_shuffle_i32x4::<0x44>(quads[8 + i], quads[12 + i]);
        let high23 = _mm512_shuffle_i32x4::<0xEE>(quads[8 + i], quads[12 + i]);
        out[i] = _mm512_shuffle_i32x4::<0x88>(low01, low23);
        out[4 + i] = _mm512_shuffle_i32x4::<0xDD>(low01, low23);
        out[8 + i] = _mm512_shuffle_i32x4::<0x88>(high01, high23);
        out[12 + i] = _mm512_shuffle_i32x4::<0xDD>(high01, high23);
    }
    out
}
