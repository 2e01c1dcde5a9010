//! Multiplies bits with integers, exactly: inputs of a layer and statistics of a batch.
//!
//! All three products are one algorithm, `out[r][n] += Σ_k bit[r][k] · source[k][n]`, over three sources: the weight
//! codes as they lie ([`forward`]), transposed ([`backward`]), and the 16-bit probabilities of a batch
//! ([`add_statistics`]). The work is cut into tiles of 64 k's by 32 n's; integer sums do not care about the order.

mod isa;
mod scalar;
mod source;

use rayon::prelude::*;

use crate::shared::Shared;
use crate::{Backend, BitMatrix, Coupling};
pub(crate) use isa::{Isa, Lines};
use source::{Forward, Probabilities, Source, Transposed};

/// Columns of a tile.
pub(crate) const WIDTH: usize = 32;
/// Rows of a tile: the units of one word of bits.
pub(crate) const DEPTH: usize = 64;
/// Rows of bits that share the tables of one task.
const CHUNK: usize = 256;
/// Below this many products a task is not worth handing to another thread.
const SERIAL: usize = 1 << 15;

/// Holds `source[k0 .. k0 + 64][n0 .. n0 + 32]`, zero where the source ends.
#[repr(C, align(64))]
pub(crate) struct Tile(pub(crate) [[i32; WIDTH]; DEPTH]);

impl Tile {
    fn zeros() -> Self {
        Self([[0; WIDTH]; DEPTH])
    }
}

/// Computes the codes' sums of the hidden layer: `(n, visible) → (n, hidden)`, `out = bits · q`.
pub fn forward(bits: &BitMatrix, coupling: &Coupling, out: &mut [i32]) {
    out.fill(0);
    accumulate(Backend::current(), bits, &Forward::new(coupling), out);
}

/// Computes the codes' sums of the visible layer: `(n, hidden) → (n, visible)`, `out = bits · qᵀ`.
pub fn backward(bits: &BitMatrix, coupling: &Coupling, out: &mut [i32]) {
    out.fill(0);
    accumulate(Backend::current(), bits, &Transposed::new(coupling), out);
}

/// Adds the statistics ⟨v h⟩ of a batch: `out[i][j] += Σ_r v[r][i] · p16[r][j]`, `(n, visible), (n, hidden) → (visible,
/// hidden)`. Sums stay exact in 32 bits for at most [`MAX_ROWS`] rows.
///
/// # Panics
/// If there are more rows, or the shapes do not fit.
pub fn add_statistics(bits: &BitMatrix, p16: &[u16], hidden: usize, out: &mut [i32]) {
    assert!(bits.rows() <= MAX_ROWS, "{} rows in one sum of 32 bits", bits.rows());
    accumulate(Backend::current(), &bits.transposed(), &Probabilities::new(p16, hidden), out);
}

/// The most rows whose 16-bit probabilities add up within 32 bits.
pub const MAX_ROWS: usize = 32_767;

fn accumulate<S: Source>(backend: Backend, bits: &BitMatrix, source: &S, out: &mut [i32]) {
    assert_eq!(bits.units(), source.depth(), "units of the bits");
    assert_eq!(out.len(), bits.rows() * source.width(), "sums of {} x {}", bits.rows(), source.width());
    let columns = source.width().div_ceil(WIDTH);
    let tasks = columns * bits.rows().div_ceil(CHUNK);
    let out = Shared::new(out);
    let task = |index: usize| {
        let task = Task { bits, source, chunk: index / columns, column: index % columns * WIDTH };
        task.run(backend, &out);
    };
    if bits.rows() * source.depth() * source.width() < SERIAL {
        (0..tasks).for_each(task);
    } else {
        (0..tasks).into_par_iter().for_each(task);
    }
}

/// Is one chunk of rows by one tile's columns.
struct Task<'a, S> {
    bits: &'a BitMatrix,
    source: &'a S,
    chunk: usize,
    column: usize,
}

impl<S: Source> Task<'_, S> {
    fn run(&self, backend: Backend, out: &Shared<'_, i32>) {
        match backend {
            Backend::Scalar => self.run_on::<scalar::Scalar>(out),
            #[cfg(target_arch = "x86_64")]
            Backend::Avx2 => self.run_on::<crate::x86::Avx2>(out),
            #[cfg(target_arch = "x86_64")]
            Backend::Avx512 => self.run_on::<crate::x86::Avx512>(out),
            #[cfg(not(target_arch = "x86_64"))]
            Backend::Avx2 | Backend::Avx512 => unreachable!("back ends are checked before use"),
        }
    }

    #[allow(unsafe_code)]
    fn run_on<I: Isa>(&self, out: &Shared<'_, i32>) {
        let (mut tile, mut scratch) = (Tile::zeros(), I::Scratch::default());
        for word in 0..self.bits.stride() {
            self.source.tile::<I>(word * DEPTH, self.column, &mut tile);
            let used = DEPTH.min(self.source.depth() - word * DEPTH);
            // SAFETY: `Backend::current` and `force` hand out only back ends that the machine has.
            unsafe { I::combine(&tile, used, &mut scratch, &self.lines(word, out)) };
        }
    }

    fn lines<'l>(&'l self, word: usize, out: &'l Shared<'l, i32>) -> Lines<'l> {
        let rows = self.chunk * CHUNK..self.bits.rows().min(self.chunk * CHUNK + CHUNK);
        Lines { bits: self.bits, out, rows, word, column: self.column, width: self.source.width() }
    }
}

#[cfg(test)]
mod tests;
