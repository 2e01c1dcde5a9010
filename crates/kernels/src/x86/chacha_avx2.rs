//! Computes eight ChaCha8 blocks of one stream side by side.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m256i, _mm256_add_epi8, _mm256_add_epi32, _mm256_and_si256, _mm256_or_si256, _mm256_set1_epi8,
    _mm256_set1_epi32, _mm256_setr_epi8, _mm256_setr_epi32, _mm256_setzero_si256, _mm256_shuffle_epi8,
    _mm256_slli_epi32, _mm256_srli_epi32, _mm256_storeu_si256, _mm256_xor_si256,
};

use super::avx2::transpose8;
use crate::chacha::{BLOCK, QUARTERS, state};

/// Blocks computed at once.
const LANES: usize = 8;

/// Fills whole groups of eight blocks from word `start` on, a multiple of a block's, and gives the number of words that
/// are filled then.
#[target_feature(enable = "avx2")]
pub(crate) fn fill(key: &[u32; 8], stream: u64, start: usize, words: &mut [u32]) -> usize {
    let mut done = start;
    for group in words[start..].chunks_exact_mut(LANES * BLOCK) {
        blocks(key, stream, (done / BLOCK) as u32, group);
        done += group.len();
    }
    done
}

#[target_feature(enable = "avx2")]
fn blocks(key: &[u32; 8], stream: u64, first: u32, out: &mut [u32]) {
    let start = spread(key, stream, first);
    let mut x = start;
    for _ in 0..4 {
        for q in &QUARTERS {
            quarter(&mut x, q);
        }
    }
    for (sum, begun) in x.iter_mut().zip(start) {
        *sum = _mm256_add_epi32(*sum, begun);
    }
    write(&x, out);
}

/// Lays the first state words into vectors, lane l for block `first + l`.
#[target_feature(enable = "avx2")]
#[inline]
fn spread(key: &[u32; 8], stream: u64, first: u32) -> [__m256i; BLOCK] {
    let mut x = [_mm256_setzero_si256(); BLOCK];
    for (vector, word) in x.iter_mut().zip(state(key, u64::from(first), stream)) {
        *vector = _mm256_set1_epi32(word as i32);
    }
    x[12] = _mm256_add_epi32(x[12], _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    x
}

#[target_feature(enable = "avx2")]
#[inline]
fn quarter(x: &mut [__m256i; BLOCK], &[a, b, c, d]: &[usize; 4]) {
    x[a] = _mm256_add_epi32(x[a], x[b]);
    x[d] = rotate16(_mm256_xor_si256(x[d], x[a]));
    x[c] = _mm256_add_epi32(x[c], x[d]);
    x[b] = rotate::<12, 20>(_mm256_xor_si256(x[b], x[c]));
    x[a] = _mm256_add_epi32(x[a], x[b]);
    x[d] = rotate8(_mm256_xor_si256(x[d], x[a]));
    x[c] = _mm256_add_epi32(x[c], x[d]);
    x[b] = rotate::<7, 25>(_mm256_xor_si256(x[b], x[c]));
}

#[target_feature(enable = "avx2")]
#[inline]
fn rotate<const LEFT: i32, const RIGHT: i32>(x: __m256i) -> __m256i {
    _mm256_or_si256(_mm256_slli_epi32::<LEFT>(x), _mm256_srli_epi32::<RIGHT>(x))
}

/// Rotates by whole bytes, which one shuffle does.
#[target_feature(enable = "avx2")]
#[inline]
fn rotate16(x: __m256i) -> __m256i {
    _mm256_shuffle_epi8(x, byte_rotation(2))
}

#[target_feature(enable = "avx2")]
#[inline]
fn rotate8(x: __m256i) -> __m256i {
    _mm256_shuffle_epi8(x, byte_rotation(3))
}

/// Makes the shuffle that takes byte i of a word from byte i + shift.
#[target_feature(enable = "avx2")]
#[inline]
fn byte_rotation(shift: i8) -> __m256i {
    #[rustfmt::skip]
    let identity = _mm256_setr_epi8(
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
    );
    let within = _mm256_and_si256(_mm256_add_epi8(identity, _mm256_set1_epi8(shift)), _mm256_set1_epi8(3));
    let word = _mm256_and_si256(identity, _mm256_set1_epi8(12));
    _mm256_or_si256(word, within)
}

/// Writes the blocks one after the other: word i of lane l goes to 16 l + i.
#[target_feature(enable = "avx2")]
#[inline]
fn write(x: &[__m256i; BLOCK], out: &mut [u32]) {
    for half in 0..2 {
        let mut rows = [_mm256_setzero_si256(); 8];
        rows.copy_from_slice(&x[half * 8..half * 8 + 8]);
        for (lane, words) in transpose8(rows).into_iter().zip(out.chunks_exact_mut(BLOCK)) {
            let eight = &mut words[half * 8..half * 8 + 8];
            // SAFETY: `eight` holds eight words, and the store needs no alignment.
            unsafe { _mm256_storeu_si256(eight.as_mut_ptr().cast(), lane) };
        }
    }
}
