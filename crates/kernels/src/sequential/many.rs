//! Sweeps many chains: what a block of units receives from all bits of all chains is one product, and only within the block
//! does one unit wait for another.
//!
//! A chain on its own keeps what its units receive and adds a row of codes for every flip. Over many chains a product by tables
//! takes less than those rows, since a table of codes serves all chains. The results are the same, being sums of integers.

use super::{Codes, Sweep, Symmetric, ones, unpack};
use crate::chacha::{self, Along, BLOCK};
use crate::product::{Product, Way};
use crate::shared::Shared;
use crate::simd::{Kernel, Simd};
use crate::{Backend, BitMatrix, Coupling, Grid, Key, parallel};

/// Units of a block: those of a word of bits.
const UNITS: usize = 64;

/// Chains of a task.
const CHAINS: usize = 64;

/// Holds the codes of a dense machine, block of units by block of units.
#[derive(Clone, Debug, PartialEq)]
pub struct Blocks {
    units: usize,
    grid: Grid,
    parts: Vec<Block>,
}

#[derive(Clone, Debug, PartialEq)]
struct Block {
    /// The weights `(units, those of the block)`, one code being the grid's quantum.
    weights: Vec<f32>,
    /// Σ of the codes of each unit.
    totals: Vec<i32>,
    /// The codes within the block.
    own: Codes,
}

impl Blocks {
    /// Lays out codes, `(units, units)`, symmetric, row-major, with zeros on the diagonal.
    ///
    /// # Panics
    /// If there are not as many as pairs of units, or a code has more than 22 bits. Sums of them must stay within 32 bits.
    pub fn new(units: usize, codes: &[i32]) -> Self {
        assert_eq!(codes.len(), units * units, "codes of all pairs");
        let grid = Grid::new(1, 1);
        let limit = 1 << (grid.bits() - 1);
        assert!(
            codes.iter().all(|code| code.unsigned_abs() < limit),
            "codes of at most {} bits",
            grid.bits()
        );
        let parts = (0..units).step_by(UNITS).map(|begin| Block::new(units, codes, begin, grid));
        Self { units, grid, parts: parts.collect() }
    }

    /// Draws every unit of every chain from its law given the others, units in their order, as [`Symmetric::sweep`] does from the
    /// same words: unit j of chain c takes word j of stream c. `scale` is what one unit of a code weighs, and β.
    ///
    /// # Panics
    /// If the shapes do not fit each other.
    pub fn sweep(&self, bits: &mut BitMatrix, biases: &[f32], scale: [f32; 2], spins: bool, key: Key) {
        assert!(bits.units() == self.units && biases.len() == self.units, "units of all");
        for (number, block) in self.parts.iter().enumerate() {
            let width = block.totals.len();
            let coupling = Coupling::new(&block.weights, self.units, width, self.grid);
            let mut sums = Product::new(bits, coupling, Way::Forward).sums();
            let begin = number * UNITS;
            let own = &biases[begin..begin + width];
            let machine = Symmetric { codes: &block.own, biases: own, scale, spins };
            let (rows, stride) = (bits.rows(), bits.stride());
            let (words, all) = (Shared::new(bits.words_mut()), Shared::new(&mut sums));
            parallel::each(rows.div_ceil(CHAINS), |task| {
                let first = task * CHAINS;
                let count = CHAINS.min(rows - first);
                // SAFETY: every task has chains of its own; of their words, one belongs to this block.
                let (words, sums) = unsafe {
                    (words.part(first * stride, count * stride), all.part(first * width, count * width))
                };
                Backend::current().run(Part {
                    machine,
                    totals: &block.totals,
                    number,
                    first,
                    key,
                    words,
                    stride,
                    sums,
                });
            });
        }
    }
}

impl Block {
    fn new(units: usize, codes: &[i32], begin: usize, grid: Grid) -> Self {
        let end = units.min(begin + UNITS);
        let rows = || codes.chunks_exact(units).map(|row| &row[begin..end]);
        let mut totals = vec![0; end - begin];
        rows().for_each(|row| totals.iter_mut().zip(row).for_each(|(total, code)| *total += code));
        let own: Vec<i32> = rows().skip(begin).take(end - begin).flatten().copied().collect();
        let weights = rows().flatten().map(|&code| code as f32 * grid.quantum()).collect();
        Self { weights, totals, own: Codes::new(end - begin, &own) }
    }
}

/// Sweeps one block of some chains.
struct Part<'a> {
    machine: Symmetric<'a>,
    totals: &'a [i32],
    /// The number of the block.
    number: usize,
    /// The first chain.
    first: usize,
    key: Key,
    words: &'a mut [u64],
    stride: usize,
    /// What the bits give, `(chains, units of the block)`.
    sums: &'a mut [i32],
}

impl Kernel for Part<'_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let width = self.totals.len();
        let chains = self.sums.len() / width;
        let mut x = vec![0_i8; chains * width];
        for (chain, x) in x.chunks_exact_mut(width).enumerate() {
            unpack(self.words[chain * self.stride + self.number], self.machine.spins, x);
        }
        if self.machine.spins {
            // Σ q (2 b − 1) = 2 Σ q b − Σ q, which fits 32 bits where 2 Σ q b does not.
            for sums in self.sums.chunks_exact_mut(width) {
                sums.iter_mut()
                    .zip(self.totals)
                    .for_each(|(sum, total)| *sum = sum.wrapping_mul(2).wrapping_sub(*total));
            }
        }
        let random = self.random::<S>(chains);
        let sweep =
            Sweep { machine: &self.machine, x: &mut x, sums: &mut *self.sums, words: &random, ahead: true };
        sweep.run::<S>();
        for (chain, x) in x.chunks_exact(width).enumerate() {
            self.words[chain * self.stride + self.number] = ones(x);
        }
    }
}

impl Part<'_> {
    /// Gives the words of the units of the block, `(chains, units)`, padded to whole vectors of sixteen.
    #[inline(always)]
    fn random<S: Simd>(&self, chains: usize) -> Vec<u32> {
        let stride = self.totals.len().next_multiple_of(BLOCK);
        let mut out = vec![0; chains * stride];
        for first in (0..chains).step_by(S::LANES) {
            for part in 0..stride / BLOCK {
                let counter = (self.number * UNITS / BLOCK + part) as u64;
                let stream = (self.first + first) as u64;
                let vectors = chacha::rows::<S>(self.key.words(), counter, stream, Along::Streams);
                let mut fresh = [[0_i32; BLOCK]; 16];
                for (v, vector) in vectors.into_iter().enumerate() {
                    S::store(&mut fresh.as_flattened_mut()[v * S::LANES..], vector);
                }
                let rows = out[first * stride..].chunks_mut(stride).take(S::LANES);
                for (row, fresh) in rows.zip(&fresh) {
                    let places = row[part * BLOCK..][..BLOCK].iter_mut();
                    places.zip(fresh).for_each(|(place, &word)| *place = word as u32);
                }
            }
        }
        out
    }
}
