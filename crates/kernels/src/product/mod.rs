//! Multiplies bits with integers, exactly: inputs of a layer and statistics of a batch.
//!
//! All products are one algorithm, `out[r][n] = Σ_k bit[r][k] · source[k][n]`, over three sources: the weight codes as
//! they lie, transposed, and the 16-bit probabilities of a batch. The work is cut into strips of 32 columns, which are
//! handed to a sink while they are still in the nearest cache; integer sums do not care about the order.

mod outer;
mod peak;
mod source;
pub(crate) mod strips;
mod tables;
#[cfg(any(target_arch = "x86_64", test))]
pub(crate) mod tiles;

use crate::shared::Shared;
use crate::simd::Simd;
use crate::{BitMatrix, Coupling, profile};
pub use outer::{Cells, Contrast, Margins, Pair, Rule, walk};
pub(crate) use peak::look_ups;
pub(crate) use source::{Forward, Probabilities, Source, Transposed};
pub(crate) use strips::{Place, Sink, Sums};
use tables::Choice;
pub(crate) use tables::{DEPTH, QUARTER, Strip, Tables, WIDTH};

/// The most rows whose 16-bit probabilities add up within 32 bits.
pub const MAX_ROWS: usize = 32_767;

/// Says which way a product goes through the weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From visible bits to inputs of the hidden layer: `bits · q`.
    Forward,
    /// From hidden bits to inputs of the visible layer: `bits · qᵀ`.
    Backward,
}

/// Is a product of bits and weight codes that is still to be computed: `(n, one layer) → (n, the other)`.
#[derive(Clone, Copy, Debug)]
pub struct Product<'a> {
    bits: &'a BitMatrix,
    coupling: Coupling<'a>,
    way: Way,
}

impl<'a> Product<'a> {
    /// Joins the factors.
    ///
    /// # Panics
    /// If the bits are not as wide as their side of the weights.
    pub fn new(bits: &'a BitMatrix, coupling: Coupling<'a>, way: Way) -> Self {
        let units = if way == Way::Forward { coupling.visible } else { coupling.hidden };
        assert_eq!(bits.units(), units, "units of the bits");
        Self { bits, coupling, way }
    }

    /// Gives the number of rows.
    pub fn rows(&self) -> usize {
        self.bits.rows()
    }

    /// Gives the number of columns.
    pub fn width(&self) -> usize {
        if self.way == Way::Forward { self.coupling.hidden } else { self.coupling.visible }
    }

    /// Gives the weight of one code, 2^-s.
    pub fn quantum(&self) -> f32 {
        self.coupling.quantum()
    }

    /// Computes all sums, row-major.
    pub fn sums(&self) -> Vec<i32> {
        let mut out = vec![0; self.rows() * self.width()];
        let store = Store { out: Shared::new(&mut out), width: self.width() };
        let name = if self.way == Way::Forward { "inputs of h" } else { "inputs of v" };
        profile::stage(name, self.operations(), || self.hand_to(&store));
        out
    }

    /// Tells which way it goes.
    pub(crate) fn way(&self) -> Way {
        self.way
    }

    /// Counts the operations of a dense product of this shape.
    pub(crate) fn operations(&self) -> usize {
        2 * self.rows() * self.coupling.visible * self.coupling.hidden
    }

    /// Computes all sums and hands them on, strip by strip.
    pub(crate) fn hand_to(&self, sink: &impl Sink) {
        match self.way {
            Way::Forward => strips::run(&Chosen { bits: self.bits, source: Forward(self.coupling) }, sink),
            Way::Backward => {
                strips::run(&Chosen { bits: self.bits, source: Transposed(self.coupling) }, sink);
            }
        }
    }
}

/// Keeps the sums themselves.
struct Store<'a> {
    out: Shared<'a, i32>,
    width: usize,
}

#[allow(unsafe_code)]
impl Sink for Store<'_> {
    #[inline(always)]
    fn take<S: Simd>(&self, place: Place, sums: &[Strip]) {
        let columns = WIDTH.min(self.width - place.column);
        for (row, sums) in sums.iter().enumerate() {
            // SAFETY: every strip of every row is handed out once.
            let out = unsafe { self.out.part((place.row + row) * self.width + place.column, columns) };
            out.copy_from_slice(&sums.0[..columns]);
        }
    }
}

/// Sums the rows of a source that bits choose.
pub(crate) struct Chosen<'a, T> {
    pub(crate) bits: &'a BitMatrix,
    pub(crate) source: T,
}

impl<T: Source> Sums for Chosen<'_, T> {
    fn rows(&self) -> usize {
        self.bits.rows()
    }

    fn width(&self) -> usize {
        self.source.width()
    }

    fn cost(&self) -> usize {
        self.source.depth()
    }

    #[inline(always)]
    fn strip<S: Simd>(&self, tables: &mut Tables, place: Place, sums: &mut [Strip]) {
        sums.fill(Strip::ZERO);
        self.add::<S>(tables, place, sums);
    }
}

impl<T: Source> Chosen<'_, T> {
    /// Adds the products of the rows from `place` on to their sums.
    #[inline(always)]
    pub(crate) fn add<S: Simd>(&self, tables: &mut Tables, place: Place, sums: &mut [Strip]) {
        #[cfg(target_arch = "x86_64")]
        if S::TILES {
            return tiles::add::<S, crate::simd::amx::Unit, T>(self, place, sums);
        }
        for word in 0..self.bits.stride() {
            let used = DEPTH.min(self.source.depth() - word * DEPTH).div_ceil(QUARTER);
            let stride = self.bits.stride();
            let words = &self.bits.words()[place.row * stride + word..];
            let plain = Choice::is_sparse(words, stride, sums.len(), used);
            for quarter in 0..used {
                let k0 = word * DEPTH + quarter * QUARTER;
                let mut rows = [Strip::ZERO; QUARTER];
                self.source.rows::<S>(k0, place.column, &mut rows);
                if plain {
                    *tables.rows(quarter) = rows;
                } else {
                    tables.build::<S>(quarter, &rows);
                }
            }
            S::call(Choice { tables, plain, quarters: used, words, stride, sums: &mut *sums });
        }
    }
}

#[cfg(test)]
mod tests;
