//! Adds sixteen-entry tables of four rows each with 512-bit vectors.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m512i, _mm512_add_epi32, _mm512_loadu_si512, _mm512_setzero_si512, _mm512_storeu_si512,
};

use super::avx2::{Avx2, Tables};
use crate::product::{DEPTH, Isa, Lines, Tile, WIDTH};

pub(crate) struct Avx512;

/// Vectors in a tile's row.
const VECTORS: usize = WIDTH / 16;

impl Isa for Avx512 {
    type Scratch = Tables;

    unsafe fn transpose(rows: &[[i32; DEPTH]; WIDTH], tile: &mut Tile) {
        // SAFETY: the caller vouches for AVX-512, and whatever has it has AVX2.
        unsafe { Avx2::transpose(rows, tile) }
    }

    unsafe fn combine(tile: &Tile, used: usize, tables: &mut Tables, lines: &Lines<'_>) {
        // SAFETY: the caller vouches for AVX-512. The number of groups is a constant in each loop.
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

#[target_feature(enable = "avx512f")]
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
#[target_feature(enable = "avx512f")]
#[inline]
fn build(table: &mut [[i32; WIDTH]; 16], rows: &[[i32; WIDTH]]) {
    for v in 0..VECTORS {
        let mut sums = [_mm512_setzero_si512(); 16];
        store(&mut table[0], v, sums[0]);
        for subset in 1..16_usize {
            let row = load(&rows[subset.trailing_zeros() as usize], v);
            sums[subset] = _mm512_add_epi32(sums[subset & (subset - 1)], row);
            store(&mut table[subset], v, sums[subset]);
        }
    }
}

/// Adds one entry of each table, chosen by four bits, to 32 sums.
#[target_feature(enable = "avx512f")]
#[inline]
fn add<const G: usize>(tables: &Tables, bits: u64, sums: &mut [i32; WIDTH]) {
    let mut even = [load(sums, 0), load(sums, 1)];
    let mut odd = [_mm512_setzero_si512(); VECTORS];
    for g in (0..G).step_by(2) {
        let first = &tables.0[g][(bits >> (4 * g) & 15) as usize];
        let second = &tables.0[g + 1][(bits >> (4 * g + 4) & 15) as usize];
        for v in 0..VECTORS {
            even[v] = _mm512_add_epi32(even[v], load(first, v));
            odd[v] = _mm512_add_epi32(odd[v], load(second, v));
        }
    }
    for v in 0..VECTORS {
        store(sums, v, _mm512_add_epi32(even[v], odd[v]));
    }
}

/// Does the same where fewer than 32 columns are left.
#[target_feature(enable = "avx512f")]
#[inline]
fn add_tail<const G: usize>(tables: &Tables, bits: u64, sums: &mut [i32]) {
    let mut whole = [0; WIDTH];
    whole[..sums.len()].copy_from_slice(sums);
    add::<G>(tables, bits, &mut whole);
    sums.copy_from_slice(&whole[..sums.len()]);
}

/// Loads entries 16 v … 16 v + 15 of a row.
#[target_feature(enable = "avx512f")]
#[inline]
fn load(row: &[i32; WIDTH], v: usize) -> __m512i {
    assert!(v < VECTORS);
    // SAFETY: the entries lie inside the row; the load needs no alignment.
    unsafe { _mm512_loadu_si512(row.as_ptr().add(v * 16).cast()) }
}

/// Stores entries 16 v … 16 v + 15 of a row.
#[target_feature(enable = "avx512f")]
#[inline]
fn store(row: &mut [i32; WIDTH], v: usize, value: __m512i) {
    assert!(v < VECTORS);
    // SAFETY: the entries lie inside the row; the store needs no alignment.
    unsafe { _mm512_storeu_si512(row.as_mut_ptr().add(v * 16).cast(), value) }
}
