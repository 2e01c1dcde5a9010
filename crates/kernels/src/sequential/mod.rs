//! Draws the units of dense machines one after the other: what each unit receives is kept, and follows every flip.
//!
//! Sixteen units at a time are decided as if none of them flipped; the first that does changes what the others of its block
//! receive, and these are decided again. So a block costs as many decisions as it has flips and one more, and the rows of codes of
//! all its flips go into the sums of all units together. The results are those of the plain loop, because sums of integers have no
//! order and a unit's decision depends on what it receives, its bias and its word alone.
#![allow(unsafe_code)]

mod laws;
mod many;
mod one;

use laws::{Laws, MOST, Rule, vectors};
pub use many::Blocks;
pub use one::{Chain, Upper};

use crate::bernoulli::fill;
use crate::chacha::BLOCK;
use crate::shared::Shared;
use crate::simd::{Kernel, Simd};
use crate::{Backend, Key, parallel};

/// Integers of the sums and words of the chains that a task sweeps together: they stay near while rows of codes come and go.
const TASK: usize = 1 << 17;

/// Holds symmetric codes of weights, every row from the start of a cache line on.
#[derive(Clone, Debug, PartialEq)]
pub struct Codes {
    units: usize,
    /// Lines of a row.
    stride: usize,
    lines: Vec<Line>,
}

/// Is a cache line of codes.
#[repr(align(64))]
#[derive(Clone, Copy, Debug, PartialEq)]
struct Line([i32; BLOCK]);

impl Codes {
    /// Lays out codes, `(units, units)`, symmetric, row-major, with zeros on the diagonal.
    ///
    /// # Panics
    /// If there are not as many as pairs of units.
    pub fn new(units: usize, codes: &[i32]) -> Self {
        assert_eq!(codes.len(), units * units, "codes of all pairs");
        let rows = codes.chunks_exact(units.max(1)).flat_map(|row| row.chunks(BLOCK));
        Self { units, stride: units.div_ceil(BLOCK), lines: rows.map(|part| Line(padded(part))).collect() }
    }

    /// Gives the number of units.
    pub fn units(&self) -> usize {
        self.units
    }

    /// Gives a row, padded with zeros.
    #[inline(always)]
    fn row(&self, unit: usize) -> &[Line] {
        &self.lines[unit * self.stride..][..self.stride]
    }
}

/// Is a dense machine of bits or spins: p ∝ e^−E, E = −Σ_(i<j) w_ij x_i x_j − Σ b_i x_i.
#[derive(Clone, Copy, Debug)]
pub struct Symmetric<'a> {
    /// Codes of the weights.
    pub codes: &'a Codes,
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
        let n = self.codes.units;
        assert_eq!(self.biases.len(), n, "a bias a unit");
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
        let n = self.machine.codes.units;
        let stride = n.next_multiple_of(BLOCK);
        let rule = Rule::<S>::new(self.machine.scale, self.machine.spins);
        for begin in (0..n).step_by(BLOCK) {
            let block = Block::new(self.machine, begin);
            Block::fetch::<S>(self.machine, begin + BLOCK);
            let chains = self.x.chunks_exact_mut(n).zip(self.sums.chunks_exact_mut(n));
            for ((x, sums), words) in chains.zip(self.words.chunks_exact(stride)) {
                let words = words[begin..].first_chunk().expect("words are padded to whole blocks");
                let flips = block.decide(rule, x, sums, words);
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

/// Lists units that flipped, and of each −1 where it left the state 1, else 0.
#[derive(Default)]
struct Flips {
    units: [usize; BLOCK],
    downs: [i32; BLOCK],
    count: usize,
}

impl<'a> Block<'a> {
    #[inline(always)]
    fn new(machine: &'a Symmetric<'a>, begin: usize) -> Self {
        let n = machine.codes.units;
        let count = BLOCK.min(n - begin);
        let mut biases = [f32::NEG_INFINITY; BLOCK];
        biases[..count].copy_from_slice(&machine.biases[begin..begin + count]);
        let mut codes = [[0; BLOCK]; BLOCK];
        for unit in 0..count {
            let row = machine.codes.row(begin + unit)[begin / BLOCK].0;
            codes[unit] = row.map(|code| code << i32::from(machine.spins));
        }
        Self { machine, n, begin, count, biases, codes }
    }

    /// Asks for the codes among the units from `begin` on: they lie far apart, and each is waited for otherwise.
    #[inline(always)]
    fn fetch<S: Simd>(machine: &Symmetric<'_>, begin: usize) {
        for unit in begin..machine.codes.units.min(begin + BLOCK) {
            S::fetch(&machine.codes.row(unit)[begin / BLOCK].0);
        }
    }

    /// Draws the units in their order, and tells which flipped.
    #[inline(always)]
    fn decide<S: Simd>(&self, rule: Rule<S>, x: &mut [i8], sums: &[i32], words: &[u32; BLOCK]) -> Flips {
        let mut flips = Flips::default();
        let x = &mut x[self.begin..self.begin + self.count];
        let before = ones(x) as u32;
        let laws = Laws::new(rule, words, &self.biases);
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
            flips.add(self.begin + unit, up);
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

    /// Adds the rows of all flips to what every unit receives, four flips at a time.
    #[inline(always)]
    fn apply<S: Simd>(&self, sums: &mut [i32], flips: &Flips) {
        for four in (0..flips.count).step_by(4) {
            match flips.count - four {
                1 => self.add::<S, 1>(sums, (flips, four)),
                2 => self.add::<S, 2>(sums, (flips, four)),
                3 => self.add::<S, 3>(sums, (flips, four)),
                _ => self.add::<S, 4>(sums, (flips, four)),
            }
        }
    }

    #[inline(always)]
    fn add<S: Simd, const N: usize>(&self, sums: &mut [i32], (flips, first): (&Flips, usize)) {
        let mut rows: [&[Line]; N] = [&[]; N];
        let mut downs = [S::splat(0); N];
        for flip in 0..N {
            rows[flip] = &self.machine.codes.row(flips.units[first + flip])[..self.n.div_ceil(BLOCK)];
            downs[flip] = S::splat(flips.downs[first + flip]);
        }
        let whole = self.n / BLOCK;
        let (lines, rest) = sums.as_chunks_mut::<BLOCK>();
        for line in 0..whole {
            self.add_line::<S, N>(&mut lines[line], rows.map(|row| &row[line]), &downs);
        }
        if !rest.is_empty() {
            let mut all = padded(rest);
            self.add_line::<S, N>(&mut all, rows.map(|row| &row[whole]), &downs);
            rest.copy_from_slice(&all[..rest.len()]);
        }
    }

    #[inline(always)]
    fn add_line<S: Simd, const N: usize>(
        &self,
        sums: &mut [i32; BLOCK],
        codes: [&Line; N],
        downs: &[S::I; N],
    ) {
        for at in (0..BLOCK).step_by(S::LANES) {
            let mut total = S::splat(0);
            for flip in 0..N {
                let codes = S::load(&codes[flip].0[at..]);
                total = S::add(total, S::sub(S::xor(codes, downs[flip]), downs[flip]));
            }
            let twice = mutant!("B160", self.machine.spins, false);
            let total = if twice { S::shl::<1>(total) } else { total };
            let sum = S::load(&sums[at..]);
            S::store(&mut sums[at..], S::add(sum, total));
        }
    }
}

/// One in the lowest bit of each byte.
const LOW: u64 = 0x0101_0101_0101_0101;

/// Packs up to 64 states: bit j is set where x(j) is 1, and not where it is 0 or −1.
#[inline(always)]
fn ones(x: &[i8]) -> u64 {
    let (eights, rest) = x.as_chunks::<8>();
    let mut out = 0;
    for (at, eight) in eights.iter().enumerate() {
        let bytes = u64::from_le_bytes(eight.map(i8::cast_unsigned));
        // A state of −1 has its sign set. The product moves the lowest bit of byte j to bit 56 + j.
        let low = bytes & !(bytes >> 7) & LOW;
        out |= (low.wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * at);
    }
    let begin = 8 * eights.len();
    rest.iter().enumerate().fold(out, |out, (at, &x)| out | u64::from(x > 0) << (begin + at))
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
    fn add(&mut self, unit: usize, up: bool) {
        (self.units[self.count], self.downs[self.count]) = (unit, -i32::from(!up));
        self.count += 1;
    }
}

#[cfg(test)]
mod tests;
