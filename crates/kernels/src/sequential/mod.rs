//! Draws the units of dense machines one after the other: what each unit receives is kept, and follows every flip.
//!
//! Sixteen units at a time are decided as if none of them flipped; the first that does changes what the others of its block
//! receive, and these are decided again. So a block costs as many decisions as it has flips and one more, and the rows of codes of
//! all its flips go into the sums of all units together. The results are those of the plain loop, because sums of integers have no
//! order and a unit's decision depends on what it receives, its bias and its word alone.
#![allow(unsafe_code)]

mod laws;

use laws::{Laws, MOST, vectors};

use crate::bernoulli::fill;
use crate::chacha::BLOCK;
use crate::shared::Shared;
use crate::simd::{Kernel, Simd};
use crate::{Backend, Key, parallel};

/// Integers of the sums and words of the chains that a task sweeps together: they stay near while rows of codes come and go.
const TASK: usize = 1 << 17;

/// Integers of a cache line.
const LINE: usize = 16;

/// Is a dense machine of bits or spins: p ∝ e^−E, E = −Σ_(i<j) w_ij x_i x_j − Σ b_i x_i.
#[derive(Clone, Copy, Debug)]
pub struct Symmetric<'a> {
    /// Codes of the weights, `(units, units)`, symmetric, row-major, with zeros on the diagonal.
    pub codes: &'a [i32],
    /// Biases, one a unit, already times β.
    pub biases: &'a [f32],
    /// What one unit of a code weighs, 2^-s, and β.
    pub scale: [f32; 2],
    /// Whether x is ±1; else 0 or 1.
    pub spins: bool,
}

impl Symmetric<'_> {
    /// Draws every unit of every chain from its law given the others, units in their order: `x` and `sums` are `(chains, units)`.
    ///
    /// Unit j of chain c takes word j of stream `first + c`. Its activation is `sum · 2^-s · β + bias`, twice that for spins, and
    /// it becomes 1 by [`crate::numeric::bernoulli`]. `sums(c, i) = Σ_j codes(i, j) x(c, j)` holds before and after.
    ///
    /// # Panics
    /// If the shapes do not fit each other.
    pub fn sweep(&self, x: &mut [i8], sums: &mut [i32], key: Key, first: u64) {
        let n = self.check(x, sums);
        if n == 0 {
            return;
        }
        let (stride, chains) = (n.next_multiple_of(BLOCK), x.len() / n);
        let few = chains.div_ceil(rayon::current_num_threads()).clamp(1, (TASK / (2 * stride)).max(1));
        let (x, sums, backend) = (Shared::new(x), Shared::new(sums), Backend::current());
        parallel::each(chains.div_ceil(few), |task| {
            let begin = task * few;
            let count = few.min(chains - begin);
            // SAFETY: every task has chains of its own.
            let (x, sums) = unsafe { (x.part(begin * n, count * n), sums.part(begin * n, count * n)) };
            let mut words = vec![0; count * stride];
            for (chain, words) in words.chunks_exact_mut(stride).enumerate() {
                fill(key, first + (begin + chain) as u64, words);
            }
            backend.run(Sweep { machine: self, x, sums, words: &words });
        });
    }

    /// Does the same to one chain whose words are given, one a unit.
    ///
    /// # Panics
    /// If the shapes do not fit each other.
    pub fn sweep_one(&self, x: &mut [i8], sums: &mut [i32], words: &[u32]) {
        let n = self.check(x, sums);
        assert!(x.len() == n && words.len() == n, "one chain, and a word a unit");
        let mut padded = vec![0; n.next_multiple_of(BLOCK)];
        padded[..n].copy_from_slice(words);
        Backend::current().run(Sweep { machine: self, x, sums, words: &padded });
    }

    fn check(&self, x: &[i8], sums: &[i32]) -> usize {
        let n = self.biases.len();
        assert_eq!(self.codes.len(), n * n, "codes of all pairs");
        assert!(x.len() == sums.len() && x.len().is_multiple_of(n.max(1)), "a state and a sum a unit");
        n
    }
}

/// Sweeps some chains, block of units by block of units.
struct Sweep<'a> {
    machine: &'a Symmetric<'a>,
    x: &'a mut [i8],
    sums: &'a mut [i32],
    /// `(chains, units)`, each row padded to whole blocks.
    words: &'a [u32],
}

impl Kernel for Sweep<'_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let n = self.machine.biases.len();
        let stride = n.next_multiple_of(BLOCK);
        for begin in (0..n).step_by(BLOCK) {
            let block = Block::new(self.machine, begin);
            Block::fetch::<S>(self.machine, begin + BLOCK);
            let chains = self.x.chunks_exact_mut(n).zip(self.sums.chunks_exact_mut(n));
            for ((x, sums), words) in chains.zip(self.words.chunks_exact(stride)) {
                let words = words[begin..].first_chunk().expect("words are padded to whole blocks");
                let flips = block.decide::<S>(x, sums, words);
                block.apply::<S>(sums, &flips);
            }
        }
    }
}

/// Is sixteen units, or what is left of them at the end.
struct Block<'a> {
    machine: &'a Symmetric<'a>,
    n: usize,
    begin: usize,
    count: usize,
    /// Biases; a unit that is not there has −∞ and never flips.
    biases: [f32; BLOCK],
    /// The codes among these units, for spins twice.
    codes: [[i32; BLOCK]; BLOCK],
}

/// Lists rows of codes: of units that became 1, and of those that left it.
#[derive(Default)]
struct Flips {
    rows: [[usize; BLOCK]; 2],
    counts: [usize; 2],
}

impl<'a> Block<'a> {
    #[inline(always)]
    fn new(machine: &'a Symmetric<'a>, begin: usize) -> Self {
        let n = machine.biases.len();
        let count = BLOCK.min(n - begin);
        let mut biases = [f32::NEG_INFINITY; BLOCK];
        biases[..count].copy_from_slice(&machine.biases[begin..begin + count]);
        let mut codes = [[0; BLOCK]; BLOCK];
        for unit in 0..count {
            codes[unit] = padded(&machine.codes[(begin + unit) * n + begin..][..count]);
            codes[unit] = codes[unit].map(|code| code << i32::from(machine.spins));
        }
        Self { machine, n, begin, count, biases, codes }
    }

    /// Asks for the codes among the units from `begin` on: they lie far apart, and each is waited for otherwise.
    #[inline(always)]
    fn fetch<S: Simd>(machine: &Symmetric<'_>, begin: usize) {
        let n = machine.biases.len();
        for unit in begin..n.min(begin + BLOCK) {
            let row = &machine.codes[unit * n + begin..(unit + 1) * n];
            S::fetch(row);
            S::fetch(&row[row.len().min(BLOCK) - 1..]);
        }
    }

    /// Draws the units in their order, and tells which flipped.
    #[inline(always)]
    fn decide<S: Simd>(&self, x: &mut [i8], sums: &[i32], words: &[u32; BLOCK]) -> Flips {
        let mut flips = Flips::default();
        let x = &mut x[self.begin..self.begin + self.count];
        let before = (0..self.count).fold(0, |bits, unit| bits | u32::from(x[unit] > 0) << unit);
        let laws = Laws::<S>::new(self.machine, words, &self.biases);
        let mut sums = vectors::<S>(&padded(&sums[self.begin..][..self.count]));
        let mut open = u32::MAX >> (32 - BLOCK);
        loop {
            let other = (laws.ones(&sums, open) ^ before) & open;
            if other == 0 {
                return flips;
            }
            let unit = other.trailing_zeros() as usize;
            open &= u32::MAX << unit << 1;
            let up = before >> unit & 1 == 0;
            self.receive::<S>(&mut sums, unit, up);
            x[unit] = if up { 1 } else { -i8::from(self.machine.spins) };
            let row = (self.begin + unit) * self.n;
            // The row is on its way while the next decision is made.
            (row..row + self.n).step_by(LINE).for_each(|at| S::fetch(&self.machine.codes[at..]));
            flips.add(row, up);
        }
    }

    /// Adds a flip to what the units of the block receive.
    #[inline(always)]
    fn receive<S: Simd>(&self, sums: &mut [S::I; MOST], unit: usize, up: bool) {
        // −c = !c + 1: a choice by arithmetic, as nothing foretells the way.
        let down = S::splat(-i32::from(!up));
        for v in 0..BLOCK / S::LANES {
            let codes = S::load(&self.codes[unit][v * S::LANES..]);
            sums[v] = S::add(sums[v], S::sub(S::xor(codes, down), down));
        }
    }

    /// Adds the rows of all flips to what every unit receives: four vectors at a time, then one, then one unit.
    #[inline(always)]
    fn apply<S: Simd>(&self, sums: &mut [i32], flips: &Flips) {
        let [four, one] = [4 * S::LANES, S::LANES].map(|wide| self.n / wide * wide);
        for at in (0..four).step_by(4 * S::LANES) {
            self.add::<S, 4>(sums, flips, at);
        }
        for at in (four..one).step_by(S::LANES) {
            self.add::<S, 1>(sums, flips, at);
        }
        let [ups, downs] = flips.both();
        for at in one..self.n {
            let column = |rows: &[usize]| {
                rows.iter().fold(0_i32, |sum, row| sum.wrapping_add(self.machine.codes[row + at]))
            };
            let total = column(ups).wrapping_sub(column(downs));
            sums[at] = sums[at].wrapping_add(total << i32::from(self.machine.spins));
        }
    }

    #[inline(always)]
    fn add<S: Simd, const V: usize>(&self, sums: &mut [i32], flips: &Flips, at: usize) {
        let [ups, downs] = flips.both();
        let mut total = [S::splat(0); V];
        for (rows, up) in [(ups, true), (downs, false)] {
            for &row in rows {
                let part = &self.machine.codes[row + at..][..V * S::LANES];
                for v in 0..V {
                    let codes = S::load(&part[v * S::LANES..]);
                    total[v] = if up { S::add(total[v], codes) } else { S::sub(total[v], codes) };
                }
            }
        }
        let sums = &mut sums[at..][..V * S::LANES];
        for v in 0..V {
            let total = if self.machine.spins { S::shl::<1>(total[v]) } else { total[v] };
            let sum = S::load(&sums[v * S::LANES..]);
            S::store(&mut sums[v * S::LANES..], S::add(sum, total));
        }
    }
}

/// Pads what is left of a row with zeros.
#[inline(always)]
fn padded(row: &[i32]) -> [i32; BLOCK] {
    if let Some(whole) = row.first_chunk() {
        return *whole;
    }
    let mut out = [0; BLOCK];
    out[..row.len()].copy_from_slice(row);
    out
}

impl Flips {
    #[inline(always)]
    fn add(&mut self, row: usize, up: bool) {
        let way = usize::from(!up);
        self.rows[way][self.counts[way]] = row;
        self.counts[way] += 1;
    }

    #[inline(always)]
    fn both(&self) -> [&[usize]; 2] {
        [0, 1].map(|way| &self.rows[way][..self.counts[way]])
    }
}

#[cfg(test)]
mod tests;
