//! Adds tile rows one by one: the portable path, and the specification of the others.
#![allow(unsafe_code)]

use super::{DEPTH, Isa, Lines, Tile, WIDTH};

pub(crate) struct Scalar;

impl Isa for Scalar {
    type Scratch = ();

    unsafe fn transpose(rows: &[[i32; DEPTH]; WIDTH], tile: &mut Tile) {
        for (n, row) in rows.iter().enumerate() {
            for (k, &code) in row.iter().enumerate() {
                tile.0[k][n] = code;
            }
        }
    }

    unsafe fn combine(tile: &Tile, _used: usize, (): &mut (), lines: &Lines<'_>) {
        for row in lines.rows() {
            // SAFETY: this loop holds one row's sums at a time.
            let sums = unsafe { lines.sums(row) };
            let mut rest = lines.bits(row);
            while rest != 0 {
                let codes = &tile.0[rest.trailing_zeros() as usize];
                sums.iter_mut().zip(codes).for_each(|(sum, code)| *sum = sum.wrapping_add(*code));
                rest &= rest - 1;
            }
        }
    }
}
