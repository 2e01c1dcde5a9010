//! Names the steps of a product that an instruction set does in its own way.
#![allow(unsafe_code)]

use super::{DEPTH, Tile, WIDTH};
use crate::BitMatrix;
use crate::shared::Shared;

/// Does the two steps that an instruction set can do better than portable code.
///
/// # Safety
/// Callers make sure that the machine has the instructions.
pub(crate) trait Isa {
    /// What a task keeps between tiles.
    type Scratch: Default;

    /// Transposes 32 rows of 64 codes into a tile.
    ///
    /// # Safety
    /// As for the trait.
    unsafe fn transpose(rows: &[[i32; DEPTH]; WIDTH], tile: &mut Tile);

    /// Adds the tile's rows whose bit is one to the sums of each line; `used` k's of the tile count.
    ///
    /// # Safety
    /// As for the trait.
    unsafe fn combine(tile: &Tile, used: usize, scratch: &mut Self::Scratch, lines: &Lines<'_>);
}

/// Pairs one word of each row of bits with the row's sums in one column of tiles.
pub(crate) struct Lines<'a> {
    pub(super) bits: &'a BitMatrix,
    pub(super) out: &'a Shared<'a, i32>,
    pub(super) rows: std::ops::Range<usize>,
    pub(super) word: usize,
    pub(super) column: usize,
    pub(super) width: usize,
}

impl Lines<'_> {
    /// Gives the rows that have a line.
    #[inline(always)]
    pub(crate) fn rows(&self) -> std::ops::Range<usize> {
        self.rows.clone()
    }

    /// Gives the bits of a row.
    #[inline(always)]
    pub(crate) fn bits(&self, row: usize) -> u64 {
        self.bits.row(row)[self.word]
    }

    /// Lends the sums of a row: `WIDTH` of them, or what is left of the last column.
    ///
    /// # Safety
    /// Only one row's sums may be borrowed at a time.
    #[inline(always)]
    #[allow(clippy::mut_from_ref)]
    pub(crate) unsafe fn sums(&self, row: usize) -> &mut [i32] {
        let columns = WIDTH.min(self.width - self.column);
        // SAFETY: tasks differ in their rows or in their columns, and the caller borrows one row at a time.
        unsafe { self.out.part(row * self.width + self.column, columns) }
    }
}
