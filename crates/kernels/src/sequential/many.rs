//! Sweeps many chains: what a block of units receives from all bits of all chains is one product, and only within the block
//! does one unit wait for another.
//!
//! A chain on its own keeps what its units receive and adds a row of codes for every flip. Over many chains a product by tables
//! takes less than those rows, since a table of codes serves all chains. Within a block the lanes of a vector are chains: all
//! decide the same unit at once, and none waits for the flips of another. The results are the same, being sums of integers.

use super::laws::Rule;
use crate::bits::transpose64;
use crate::chacha::{self, Along, BLOCK};
use crate::product::{Product, Way};
use crate::shared::Shared;
use crate::simd::{Kernel, Simd, rows_to_lanes};
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
    /// The weights `(units, those of the block)`, one code being the grid's quantum. A unit of the block gives those behind it
    /// nothing here: they wait for its new state.
    weights: Vec<f32>,
    /// Σ of the codes of each unit.
    totals: Vec<i32>,
    /// The codes within the block.
    own: Vec<[i32; UNITS]>,
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
    ///
    /// [`Symmetric::sweep`]: super::Symmetric::sweep
    pub fn sweep(&self, bits: &mut BitMatrix, biases: &[f32], scale: [f32; 2], spins: bool, key: Key) {
        assert!(bits.units() == self.units && biases.len() == self.units, "units of all");
        for (number, (block, biases)) in self.parts.iter().zip(biases.chunks(UNITS)).enumerate() {
            let width = biases.len();
            let coupling = Coupling::new(&block.weights, self.units, width, self.grid);
            let mut sums = Product::new(bits, coupling, Way::Forward).sums();
            let (rows, stride) = (bits.rows(), bits.stride());
            let (words, all) = (Shared::new(bits.words_mut()), Shared::new(&mut sums));
            parallel::each(rows.div_ceil(CHAINS), |task| {
                let first = task * CHAINS;
                let count = CHAINS.min(rows - first);
                // SAFETY: every task has chains of its own; of their words, one belongs to this block.
                let (words, sums) = unsafe {
                    (words.part(first * stride, count * stride), all.part(first * width, count * width))
                };
                let part = Part { block, biases, scale, spins, number, first, key, sums };
                let drawn = Backend::current().run(part);
                words.iter_mut().skip(number).step_by(stride).zip(drawn).for_each(|(word, new)| *word = new);
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
        let mut weights: Vec<f32> = rows().flatten().map(|&code| code as f32 * grid.quantum()).collect();
        let mut own = vec![[0; UNITS]; end - begin];
        for (unit, (own, row)) in own.iter_mut().zip(rows().skip(begin)).enumerate() {
            own[..row.len()].copy_from_slice(row);
            let behind = mutant!("B390", unit, row.len());
            weights[(begin + unit) * row.len()..][behind..row.len()].fill(0.0);
        }
        Self { weights, totals, own }
    }
}

/// Draws one block of some chains, and gives the new words of the chains.
struct Part<'a> {
    block: &'a Block,
    biases: &'a [f32],
    scale: [f32; 2],
    spins: bool,
    /// The number of the block.
    number: usize,
    /// The first chain.
    first: usize,
    key: Key,
    /// What the bits give but for those of the block that come before, `(chains, units of the block)`.
    sums: &'a [i32],
}

impl Kernel for Part<'_> {
    type Out = [u64; CHAINS];

    #[inline(always)]
    fn run<S: Simd>(self) -> Self::Out {
        let chains = self.sums.len() / self.biases.len();
        let mut ones = [0; UNITS];
        for first in (0..chains).step_by(S::LANES) {
            self.draw::<S>(first, &mut ones);
        }
        transpose64(ones)
    }
}

impl Part<'_> {
    /// Draws the units in their order, each for one vector of chains, and sets the chains' bits in the words of the units.
    #[inline(always)]
    fn draw<S: Simd>(&self, first: usize, ones: &mut [u64; UNITS]) {
        let rule = Rule::<S>::new(self.scale, self.spins);
        let mut drawn = [S::splat(0); UNITS];
        for begin in (0..self.biases.len()).step_by(BLOCK) {
            let counter = ((self.number * UNITS + begin) / BLOCK) as u64;
            let stream = (self.first + first) as u64;
            let words = chacha::blocks::<S>(self.key.words(), counter, stream, Along::Streams);
            let others = self.others::<S>(first, begin);
            for (at, unit) in (begin..self.biases.len()).take(BLOCK).enumerate() {
                let bias = S::splat_f32(self.biases[unit]);
                let up = rule.decide(words[at], bias, self.sum::<S>(others[at], unit, &drawn));
                drawn[unit] = S::spread(up);
                ones[unit] |= u64::from(up) << first;
            }
        }
    }

    /// Gives what sixteen units receive but for those of the block that come before, a vector of chains a unit.
    #[inline(always)]
    fn others<S: Simd>(&self, first: usize, begin: usize) -> [S::I; BLOCK] {
        let width = self.biases.len();
        let mut rows = [[0; BLOCK]; 16];
        for (row, sums) in rows.iter_mut().zip(self.sums[first * width..].chunks_exact(width)) {
            let sums = &sums[begin..width.min(begin + BLOCK)];
            row[..sums.len()].copy_from_slice(sums);
        }
        let mut vectors = [S::splat(0); 16];
        for (at, vector) in vectors.iter_mut().enumerate() {
            *vector = S::load(&rows.as_flattened()[at * S::LANES..]);
        }
        rows_to_lanes::<S>(&vectors)
    }

    /// Adds what the units of the block that come before give, by their new states.
    #[inline(always)]
    fn sum<S: Simd>(&self, others: S::I, unit: usize, drawn: &[S::I; UNITS]) -> S::I {
        let mut sum = others;
        for (&code, &drawn) in self.block.own[unit][..unit].iter().zip(drawn) {
            sum = S::add(sum, S::and(S::splat(code), drawn));
        }
        if self.spins {
            // Σ q (2 b − 1) = 2 Σ q b − Σ q, which fits 32 bits where 2 Σ q b does not.
            return S::sub(S::shl::<1>(sum), S::splat(self.block.totals[unit]));
        }
        sum
    }
}
