//! Sweeps one chain with the upper parts of its codes: half as much to read for a flip, and whoever is left open asks for all.
//!
//! A large machine does not fit into a near cache, and a flip reads a row of its codes. What decides most units is coarse, so
//! codes are cut to 13 bits, two in 32. Each unit knows how much the parts that were cut off can amount to, Σ_j |rest(i, j)|; a
//! unit whose bounds that leaves open gets its whole sum from the codes themselves. The results are those of the plain loop.

use super::laws::{Laws, MOST, Rule};
use super::{Block, Flips, Line, Symmetric, ones};
use crate::chacha::BLOCK;
use crate::simd::{Kernel, Simd};
use crate::{Backend, numeric};

/// Columns of a line: two in each of its integers, the second sixteen in the upper halves.
const COLUMNS: usize = 2 * BLOCK;

/// Upper parts lie from −4096 to 4095 and are stored from 0 to 8191, so that four of them, and more, add up within 16 bits.
const LOWEST: i32 = -4096;
const MASK: i32 = 8191;

/// Holds the upper parts of codes.
#[derive(Clone, Debug, PartialEq)]
pub struct Upper {
    units: usize,
    /// Lines of a row.
    stride: usize,
    lines: Vec<Line>,
    /// An upper part is worth 2^shift codes.
    shift: u32,
    /// Of each unit, the most that what was cut off can add up to.
    rests: Vec<i32>,
}

impl Upper {
    /// Cuts codes, `(units, units)`, symmetric, row-major; `None` if what a unit may receive, and what is cut off, leaves 31 bits.
    ///
    /// # Panics
    /// If there are not as many as pairs of units.
    pub fn new(units: usize, codes: &[i32]) -> Option<Self> {
        assert_eq!(codes.len(), units * units, "codes of all pairs");
        let largest = codes.iter().map(|code| code.unsigned_abs()).max().unwrap_or(0);
        let shift = (0..32).find(|&shift| i64::from(largest) + (1 << shift >> 1) < 4096 << shift)?;
        let upper = |code: i32| (i64::from(code) + (1 << shift >> 1)) >> shift;
        let rest = |code: i32| (i64::from(code) - (upper(code) << shift)).abs();
        let mut rests = Vec::with_capacity(units);
        for row in codes.chunks_exact(units.max(1)) {
            let cut: i64 = row.iter().map(|&code| rest(code)).sum();
            let all: i64 = row.iter().map(|&code| i64::from(code).abs() + rest(code)).sum();
            rests.push(i32::try_from(cut).ok().filter(|_| all < 1 << 30)?);
        }
        let stride = units.div_ceil(COLUMNS);
        let mut lines = vec![Line([0; BLOCK]); units * stride];
        for (at, &code) in codes.iter().enumerate() {
            let (row, column) = (at / units, at % units);
            let stored = upper(code) as i32 - LOWEST;
            let half = column % COLUMNS / BLOCK * 16;
            lines[row * stride + column / COLUMNS].0[column % BLOCK] |= stored << half;
        }
        Some(Self { units, stride, lines, shift, rests })
    }

    fn row(&self, unit: usize) -> &[Line] {
        &self.lines[unit * self.stride..][..self.stride]
    }
}

/// Holds a chain and what its units receive by the upper parts.
#[derive(Clone, Debug, PartialEq)]
pub struct Chain {
    x: Vec<i8>,
    /// Padded to whole lines.
    sums: Vec<i32>,
}

impl Chain {
    /// Starts from a state, a number a unit: 0 or 1, of spins −1 or 1.
    ///
    /// # Panics
    /// If there are not as many as units.
    pub fn new(upper: &Upper, x: Vec<i8>) -> Self {
        assert_eq!(x.len(), upper.units, "a state a unit");
        let mut sums = vec![0; upper.stride * COLUMNS];
        for (unit, &x) in x.iter().enumerate().filter(|(_, x)| **x != 0) {
            for (sums, line) in sums.chunks_exact_mut(COLUMNS).zip(upper.row(unit)) {
                for (column, sum) in sums.iter_mut().enumerate() {
                    let stored = line.0[column % BLOCK] >> (column / BLOCK * 16) & 0xFFFF;
                    *sum += (stored + LOWEST) * i32::from(x);
                }
            }
        }
        Self { x, sums }
    }

    /// Gives the state.
    pub fn x(&self) -> &[i8] {
        &self.x
    }

    /// Draws every unit from its law given the others, in their order; unit j takes word j.
    ///
    /// # Panics
    /// If the shapes do not fit each other.
    pub fn sweep(&mut self, machine: &Symmetric<'_>, upper: &Upper, words: &[u32]) {
        let n = upper.units;
        assert!(machine.codes.units == n && machine.biases.len() == n && words.len() == n, "units of all");
        Backend::current().run(Sweep { machine, upper, chain: self, words });
    }
}

struct Sweep<'a> {
    machine: &'a Symmetric<'a>,
    upper: &'a Upper,
    chain: &'a mut Chain,
    words: &'a [u32],
}

impl Kernel for Sweep<'_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(mut self) {
        let n = self.upper.units;
        let rule = Rule::<S>::new(self.machine.scale, self.machine.spins);
        for begin in (0..n).step_by(BLOCK) {
            Block::fetch::<S>(self.machine, begin + BLOCK);
            let flips = self.decide(rule, begin);
            self.apply::<S>(&flips);
        }
    }
}

impl Sweep<'_> {
    /// Draws the units of a block in their order, and tells which flipped.
    #[inline(always)]
    fn decide<S: Simd>(&mut self, rule: Rule<S>, begin: usize) -> Flips {
        let count = BLOCK.min(self.upper.units - begin);
        let (mut words, mut rests, mut biases) = ([0; BLOCK], [0; BLOCK], [0.0; BLOCK]);
        biases[..count].copy_from_slice(&self.machine.biases[begin..begin + count]);
        words[..count].copy_from_slice(&self.words[begin..begin + count]);
        rests[..count].copy_from_slice(&self.upper.rests[begin..begin + count]);
        let before = ones(&self.chain.x[begin..begin + count]) as u32;
        let laws = Laws::new(rule, &words, &biases).widened(&rests);
        let mut sums = self.sums::<S>(begin);
        let (mut flips, mut open) = (Flips::default(), u32::MAX >> (32 - count));
        loop {
            let (up, unsure) = laws.decided(&sums);
            let other = ((up ^ before) | unsure) & open;
            if other == 0 {
                return flips;
            }
            let unit = other.trailing_zeros() as usize;
            open &= u32::MAX << unit << 1;
            let certain = mutant!("B213", unsure >> unit & 1 == 0, true);
            let up = if certain { up >> unit & 1 == 1 } else { self.wholly(begin + unit) };
            if up == (before >> unit & 1 == 1) {
                continue;
            }
            self.receive::<S>(&mut sums, begin + unit, up);
            self.chain.x[begin + unit] = if up { 1 } else { -i8::from(self.machine.spins) };
            flips.add(begin + unit, up);
            // The row is on its way while the units behind are decided.
            self.upper.row(begin + unit).iter().for_each(|line| S::fetch(&line.0));
        }
    }

    /// Adds a flip to what the units of its block receive.
    #[inline(always)]
    fn receive<S: Simd>(&self, sums: &mut [S::I; MOST], unit: usize, up: bool) {
        let own = &self.machine.codes.row(unit)[unit / BLOCK].0;
        let down = S::splat(-i32::from(!up));
        for v in 0..BLOCK / S::LANES {
            let codes = S::load(&own[v * S::LANES..]);
            let codes = if self.machine.spins { S::shl::<1>(codes) } else { codes };
            sums[v] = S::add(sums[v], S::sub(S::xor(codes, down), down));
        }
    }

    /// Gives what the units of a block receive by the upper parts, in codes.
    #[inline(always)]
    fn sums<S: Simd>(&self, begin: usize) -> [S::I; MOST] {
        let mut codes = [0; BLOCK];
        let sums = &self.chain.sums[begin..begin + BLOCK];
        codes.iter_mut().zip(sums).for_each(|(code, sum)| *code = sum << self.upper.shift);
        super::laws::vectors::<S>(&codes)
    }

    /// Decides one unit by the codes themselves.
    #[inline(never)]
    fn wholly(&self, unit: usize) -> bool {
        let Symmetric { codes, biases, scale, spins } = *self.machine;
        let row = codes.row(unit).iter().zip(self.chain.x.chunks(BLOCK));
        let line = |(line, x): (&Line, &[i8])| -> i32 {
            line.0.iter().zip(x).map(|(code, &x)| code * i32::from(x)).sum()
        };
        let sum: i32 = row.map(line).sum();
        let activation = sum as f32 * scale[0] * scale[1] + biases[unit];
        numeric::bernoulli(self.words[unit], if spins { 2.0 * activation } else { activation })
    }

    /// Adds the rows of all flips to what every unit receives, four flips at a time.
    #[inline(always)]
    fn apply<S: Simd>(&mut self, flips: &Flips) {
        for four in (0..flips.count).step_by(4) {
            match flips.count - four {
                1 => self.add::<S, 1>(flips, four),
                2 => self.add::<S, 2>(flips, four),
                3 => self.add::<S, 3>(flips, four),
                _ => self.add::<S, 4>(flips, four),
            }
        }
    }

    /// Adds rows in both halves of 32 bits at once. Of a unit that leaves 1, 8191 − stored is added: a stored part counts for
    /// its value plus 4096, and that for 4095 less its value.
    #[inline(always)]
    fn add<S: Simd, const N: usize>(&mut self, flips: &Flips, first: usize) {
        let mut rows: [&[Line]; N] = [&[]; N];
        let mut masks = [S::splat(0); N];
        let mut offset = 0;
        for flip in 0..N {
            let down = flips.downs[first + flip];
            rows[flip] = &self.upper.row(flips.units[first + flip])[..self.upper.stride];
            masks[flip] = S::splat((MASK | MASK << 16) & down);
            offset += -LOWEST + down;
        }
        let (offset, half) = (S::splat(offset), S::splat(0xFFFF));
        let spins = self.machine.spins;
        for (line, sums) in self.chain.sums.chunks_exact_mut(COLUMNS).enumerate() {
            for at in (0..BLOCK).step_by(S::LANES) {
                let mut total = S::splat(0);
                for flip in 0..N {
                    total = S::add(total, S::xor(S::load(&rows[flip][line].0[at..]), masks[flip]));
                }
                for (part, begin) in [(S::and(total, half), at), (S::shr::<16>(total), BLOCK + at)] {
                    let change = S::sub(part, offset);
                    let change = if spins { S::shl::<1>(change) } else { change };
                    let sum = S::add(S::load(&sums[begin..]), change);
                    S::store(&mut sums[begin..], sum);
                }
            }
        }
    }
}
