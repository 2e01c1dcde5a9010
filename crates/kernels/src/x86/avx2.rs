//! Adds sixteen-entry tables of four rows each ("four Russians") with 256-bit vectors.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m256i, _mm256_add_epi32, _mm256_loadu_si256, _mm256_permute2x128_si256, _mm256_setzero_si256,
    _mm256_storeu_si256, _mm256_unpackhi_epi32, _mm256_unpackhi_epi64, _mm256_unpacklo_epi32,
    _mm256_unpacklo_epi64,
};

use crate::product::{DEPTH, Isa, Lines, Tile, WIDTH};

pub(crate) struct Avx2;

/// Vectors in a tile's row.
const VECTORS: usize = WIDTH / 8;
/// Groups of four rows in a tile.
const GROUPS: usize = DEPTH / 4;

/// Holds, for each group of four rows, the sums of all sixteen subsets of them.
#[repr(C, align(64))]
pub(crate) struct Tables(pub(super) [[[i32; WIDTH]; 16]; GROUPS]);

impl Default for Tables {
    // They are made to stay in the first-level cache, and live on the stack of one task.
    #[allow(clippy::large_stack_arrays)]
    fn default() -> Self {
        Self([[[0; WIDTH]; 16]; GROUPS])
    }
}

impl Isa for Avx2 {
    type Scratch = Tables;

    unsafe fn transpose(rows: &[[i32; DEPTH]; WIDTH], tile: &mut Tile) {
        // SAFETY: the caller vouches for AVX2.
        unsafe { transpose(rows, tile) }
    }

    unsafe fn combine(tile: &Tile, used: usize, tables: &mut Tables, lines: &Lines<'_>) {
        // SAFETY: the caller vouches for AVX2. The number of groups is a constant in each loop.
        unsafe {
            match used {
                0..=16 => combine::<4>(tile, tables, lines),
                17..=32 => combine::<8>(tile, tables, lines),
                33..=48 => combine::<12>(tile, tables, lines),
                _ => combine::<16>(tile, tables, lines),
            }
        }
    }
}

#[target_feature(enable = "avx2")]
fn combine<const G: usize>(tile: &Tile, tables: &mut Tables, lines: &Lines<'_>) {
    for (group, rows) in tables.0.iter_mut().zip(tile.0.chunks_exact(4)).take(G) {
        build(group, rows);
    }
    for row in lines.rows() {
        let bits = lines.bits(row);
        if bits == 0 {
            continue;
        }
        // SAFETY: this loop holds one row's sums at a time.
        let sums = unsafe { lines.sums(row) };
        match <&mut [i32; WIDTH]>::try_from(&mut *sums) {
            Ok(full) => add::<G>(tables, bits, full),
            Err(_) => add_tail::<G>(tables, bits, sums),
        }
    }
}

/// Builds a table: subset `s` is `s` without its lowest row, plus that row.
#[target_feature(enable = "avx2")]
#[inline]
fn build(table: &mut [[i32; WIDTH]; 16], rows: &[[i32; WIDTH]]) {
    for v in 0..VECTORS {
        let mut sums = [_mm256_setzero_si256(); 16];
        store(&mut table[0], v, sums[0]);
        for subset in 1..16_usize {
            let row = load(&rows[subset.trailing_zeros() as usize], v);
            sums[subset] = _mm256_add_epi32(sums[subset & (subset - 1)], row);
            store(&mut table[subset], v, sums[subset]);
        }
    }
}

/// Adds one entry of each table, chosen by four bits, to 32 sums.
#[target_feature(enable = "avx2")]
#[inline]
fn add<const G: usize>(tables: &Tables, bits: u64, sums: &mut [i32; WIDTH]) {
    let mut total = [_mm256_setzero_si256(); VECTORS];
    for (v, t) in total.iter_mut().enumerate() {
        *t = load(sums, v);
    }
    for (g, table) in tables.0.iter().enumerate().take(G) {
        let entry = &table[(bits >> (4 * g) & 15) as usize];
        for (v, t) in total.iter_mut().enumerate() {
            *t = _mm256_add_epi32(*t, load(entry, v));
        }
    }
    for (v, t) in total.into_iter().enumerate() {
        store(sums, v, t);
    }
}

/// Does the same where fewer than 32 columns are left.
#[target_feature(enable = "avx2")]
#[inline]
fn add_tail<const G: usize>(tables: &Tables, bits: u64, sums: &mut [i32]) {
    let mut whole = [0; WIDTH];
    whole[..sums.len()].copy_from_slice(sums);
    add::<G>(tables, bits, &mut whole);
    sums.copy_from_slice(&whole[..sums.len()]);
}

#[target_feature(enable = "avx2")]
fn transpose(rows: &[[i32; DEPTH]; WIDTH], tile: &mut Tile) {
    for n in (0..WIDTH).step_by(8) {
        for k in (0..DEPTH).step_by(8) {
            let mut block = [_mm256_setzero_si256(); 8];
            for (row, codes) in block.iter_mut().zip(&rows[n..]) {
                *row = load(codes, k / 8);
            }
            for (i, column) in transpose8(block).into_iter().enumerate() {
                store(&mut tile.0[k + i], n / 8, column);
            }
        }
    }
}

/// Transposes 8 × 8 words of 32 bits.
#[target_feature(enable = "avx2")]
#[inline]
pub(super) fn transpose8(a: [__m256i; 8]) -> [__m256i; 8] {
    let pair = |i: usize| (_mm256_unpacklo_epi32(a[i], a[i + 1]), _mm256_unpackhi_epi32(a[i], a[i + 1]));
    let ((l0, h0), (l1, h1), (l2, h2), (l3, h3)) = (pair(0), pair(2), pair(4), pair(6));
    let quad = |a, b| (_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b));
    let ((a0, a1), (a2, a3)) = (quad(l0, l1), quad(h0, h1));
    let ((b0, b1), (b2, b3)) = (quad(l2, l3), quad(h2, h3));
    let low = |a, b| _mm256_permute2x128_si256::<0x20>(a, b);
    let high = |a, b| _mm256_permute2x128_si256::<0x31>(a, b);
    [
        low(a0, b0),
        low(a1, b1),
        low(a2, b2),
        low(a3, b3),
        high(a0, b0),
        high(a1, b1),
        high(a2, b2),
        high(a3, b3),
    ]
}

/// Loads entries 8 v … 8 v + 7 of a row.
#[target_feature(enable = "avx2")]
#[inline]
fn load<const N: usize>(row: &[i32; N], v: usize) -> __m256i {
    assert!(v * 8 + 8 <= N);
    // SAFETY: the entries lie inside the row; the load needs no alignment.
    unsafe { _mm256_loadu_si256(row.as_ptr().add(v * 8).cast()) }
}

/// Stores entries 8 v … 8 v + 7 of a row.
#[target_feature(enable = "avx2")]
#[inline]
fn store<const N: usize>(row: &mut [i32; N], v: usize, value: __m256i) {
    assert!(v * 8 + 8 <= N);
    // SAFETY: the entries lie inside the row; the store needs no alignment.
    unsafe { _mm256_storeu_si256(row.as_mut_ptr().add(v * 8).cast(), value) }
}
