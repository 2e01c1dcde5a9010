//! Cuts tiles of integers out of weights and of probabilities.
#![allow(unsafe_code)]

use super::{DEPTH, Isa, Tile, WIDTH};
use crate::{Coupling, grid};

/// Is a matrix of integers `(depth, width)` that is made tile by tile.
pub(super) trait Source: Sync {
    fn depth(&self) -> usize;
    fn width(&self) -> usize;
    /// Fills the tile at `(k0, n0)`, with zeros behind the end.
    fn tile<I: Isa>(&self, k0: usize, n0: usize, tile: &mut Tile);
}

/// Is the codes `q` as they lie: `(visible, hidden)`.
pub(super) struct Forward<'a>(&'a Coupling<'a>);

/// Is the codes transposed: `(hidden, visible)`.
pub(super) struct Transposed<'a>(&'a Coupling<'a>);

/// Is the 16-bit probabilities of a batch: `(n, hidden)`.
pub(super) struct Probabilities<'a> {
    p16: &'a [u16],
    hidden: usize,
}

impl<'a> Forward<'a> {
    pub(super) fn new(coupling: &'a Coupling<'a>) -> Self {
        Self(coupling)
    }
}

impl<'a> Transposed<'a> {
    pub(super) fn new(coupling: &'a Coupling<'a>) -> Self {
        Self(coupling)
    }
}

impl<'a> Probabilities<'a> {
    pub(super) fn new(p16: &'a [u16], hidden: usize) -> Self {
        assert!(
            hidden > 0 && p16.len().is_multiple_of(hidden),
            "{} probabilities of {hidden} units",
            p16.len()
        );
        Self { p16, hidden }
    }
}

impl Source for Forward<'_> {
    fn depth(&self) -> usize {
        self.0.visible
    }

    fn width(&self) -> usize {
        self.0.hidden
    }

    fn tile<I: Isa>(&self, k0: usize, n0: usize, tile: &mut Tile) {
        let factor = self.0.factor();
        let rows = self.0.weights.chunks_exact(self.0.hidden).skip(k0);
        fill(tile, rows, n0, |w| grid::code(w, factor));
    }
}

impl Source for Probabilities<'_> {
    fn depth(&self) -> usize {
        self.p16.len() / self.hidden
    }

    fn width(&self) -> usize {
        self.hidden
    }

    fn tile<I: Isa>(&self, k0: usize, n0: usize, tile: &mut Tile) {
        fill(tile, self.p16.chunks_exact(self.hidden).skip(k0), n0, i32::from);
    }
}

impl Source for Transposed<'_> {
    fn depth(&self) -> usize {
        self.0.hidden
    }

    fn width(&self) -> usize {
        self.0.visible
    }

    fn tile<I: Isa>(&self, k0: usize, n0: usize, tile: &mut Tile) {
        let factor = self.0.factor();
        let mut rows = [[0; DEPTH]; WIDTH];
        let used = DEPTH.min(self.0.hidden - k0);
        for (codes, weights) in rows.iter_mut().zip(self.0.weights.chunks_exact(self.0.hidden).skip(n0)) {
            encode(&mut codes[..used], &weights[k0..k0 + used], |w| grid::code(w, factor));
        }
        // SAFETY: the caller runs on a machine that has the instructions of `I`.
        unsafe { I::transpose(&rows, tile) };
    }
}

/// Copies up to 64 rows from column `n0` on, and zeros behind their end.
#[inline(always)]
fn fill<'a, T: Copy + 'a>(
    tile: &mut Tile,
    mut rows: impl Iterator<Item = &'a [T]>,
    n0: usize,
    code: impl Fn(T) -> i32 + Copy,
) {
    for codes in &mut tile.0 {
        let values = rows.next().map_or(&[][..], |row| &row[n0..]);
        let used = WIDTH.min(values.len());
        encode(&mut codes[..used], &values[..used], code);
        codes[used..].fill(0);
    }
}

#[inline(always)]
fn encode<T: Copy>(codes: &mut [i32], values: &[T], code: impl Fn(T) -> i32) {
    codes.iter_mut().zip(values).for_each(|(out, &value)| *out = code(value));
}
