//! Decides the sites of one colour, a vector of them at a time, and counts bonds.

use std::ops::Range;

use super::planes::FRONT;
use super::rule::CLASSES;
use super::{Moves, Precision, Rule};
use crate::Key;
use crate::chacha::{Along, blocks};
use crate::simd::{Kernel, Simd};

/// The counter of the blocks that hold the lower halves of words.
const LOWER: u64 = 1 << 32;

/// Decides lines of one colour: `own` are lines `begin ..`, `other` is the whole other plane.
pub(super) struct HalfSweep<'a> {
    pub(super) own: &'a mut [i32],
    pub(super) other: &'a [i32],
    pub(super) sites: &'a [i32],
    pub(super) rows: usize,
    pub(super) begin: usize,
    pub(super) colour: usize,
    pub(super) rule: &'a Rule,
    pub(super) bits: &'a [[i32; CLASSES]; 32],
    pub(super) key: Key,
}

impl Kernel for HalfSweep<'_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        match (self.rule.moves(), self.rule.precision()) {
            (Moves::Metropolis, Precision::Full) => self.lines::<S, false, false>(),
            (Moves::Metropolis, Precision::Fast) => self.lines::<S, false, true>(),
            (Moves::HeatBath, Precision::Full) => self.lines::<S, true, false>(),
            (Moves::HeatBath, Precision::Fast) => self.lines::<S, true, true>(),
        }
    }
}

impl HalfSweep<'_> {
    #[inline(always)]
    fn lines<S: Simd, const BATH: bool, const FAST: bool>(self) {
        let stride = self.sites.len();
        for line in 0..self.own.len() / stride {
            let row = self.begin + line;
            let near = Near::new(self.other, stride, self.rows, row, row + self.colour);
            let own = &mut self.own[line * stride..][..stride];
            for word in (FRONT..stride - FRONT).step_by(S::LANES) {
                let spins = S::load(&own[word..]);
                let sites = S::load(&self.sites[word..]);
                let unequal = S::splat(if self.rule.unequal() { 0 } else { -1 });
                let [a, b, c, d] = near.load::<S>(word).map(|x| S::xor(S::xor(x, spins), unequal));
                let (classes, turned) = classes::<S, BATH>([a, b, c, d]);
                let classes = classes.map(|class| S::and(class, sites));
                let words =
                    Words { key: &self.key, row: row as u64, block: (word - FRONT) as u64, bits: self.bits };
                let below = words.below::<S, BATH, FAST>(&classes);
                S::store(&mut own[word..], S::xor(spins, S::and(S::xor(below, turned), sites)));
            }
        }
    }
}

/// Is the four neighbours of the sites of a row: three lines of the other plane.
struct Near<'a> {
    above: &'a [i32],
    beside: &'a [i32],
    below: &'a [i32],
    /// Whether the second neighbour in the row is the next site of its line, not the one before.
    next: bool,
}

impl<'a> Near<'a> {
    #[inline(always)]
    fn new(plane: &'a [i32], stride: usize, rows: usize, row: usize, parity: usize) -> Self {
        let line = |row: usize| &plane[row * stride..][..stride];
        let above = line(if row == 0 { rows - 1 } else { row - 1 });
        let below = line(if row + 1 == rows { 0 } else { row + 1 });
        Self { above, beside: line(row), below, next: mutant!("B154", parity % 2 == 1, parity % 2 == 0) }
    }

    #[inline(always)]
    fn load<S: Simd>(&self, word: usize) -> [S::I; 4] {
        let beside = S::load(&self.beside[word..]);
        let second = if self.next {
            S::or(S::shr::<1>(beside), S::shl::<31>(S::load(&self.beside[word + 1..])))
        } else {
            S::or(S::shl::<1>(beside), S::shr::<31>(S::load(&self.beside[word - 1..])))
        };
        [S::load(&self.above[word..]), beside, second, S::load(&self.below[word..])]
    }
}

/// Gives the sites with a threshold of two satisfied bonds (Metropolis: or fewer), of three and of four, and those that turn over where their
/// word is not below the threshold.
#[inline(always)]
fn classes<S: Simd, const BATH: bool>([a, b, c, d]: [S::I; 4]) -> ([S::I; CLASSES], S::I) {
    let (one, two) = (S::xor(a, b), S::and(a, b));
    let (one_more, two_more) = (S::xor(c, d), S::and(c, d));
    let not = |x| S::xor(x, S::splat(-1));
    let four = S::and(two, two_more);
    let three = S::or(S::and(two, one_more), S::and(one, two_more));
    if !BATH {
        return ([not(S::or(three, four)), three, four], S::splat(0));
    }
    let (some, others) = (S::or(one, two), S::or(one_more, two_more));
    let none = not(S::or(some, others));
    let single = S::or(S::and(one, not(others)), S::and(one_more, not(some)));
    let (strong, weak) = (S::or(four, none), S::or(three, single));
    ([not(S::or(strong, weak)), weak, strong], mutant!("B156", S::or(none, single), none))
}

/// Addresses the words of a vector of sites.
struct Words<'a> {
    key: &'a Key,
    row: u64,
    block: u64,
    bits: &'a [[i32; CLASSES]; 32],
}

impl Words<'_> {
    /// Finds the sites whose words are below their thresholds.
    #[inline(always)]
    fn below<S: Simd, const BATH: bool, const FAST: bool>(&self, classes: &[S::I; CLASSES]) -> S::I {
        // The first threshold of Metropolis has no lower half: see `rule`.
        let of_any = S::or(classes[1], classes[2]);
        let of_any = if BATH { S::or(of_any, classes[0]) } else { of_any };
        let (below, open) = self.half::<S, BATH>(classes, 0);
        if FAST || !S::any(S::and(open, of_any)) {
            return below;
        }
        S::or(below, S::and(open, self.half::<S, BATH>(classes, 1).0))
    }

    /// Compares one half of the words: which are below, and which are equal.
    ///
    /// From the lowest bit on, a word is below where its bit is below, and stays as it was where the bits are equal.
    #[inline(always)]
    fn half<S: Simd, const BATH: bool>(&self, classes: &[S::I; CLASSES], half: usize) -> (S::I, S::I) {
        let words =
            blocks::<S>(self.key.words(), self.block + LOWER * half as u64, self.row, Along::Counters);
        let (mut below, mut equal) = (S::splat(0), S::splat(-1));
        for d in (0..16).rev() {
            let bits = &self.bits[16 * half + d];
            let part = |class: usize| S::and(classes[class], S::splat(bits[class]));
            let threshold = S::or(S::or(part(0), part(1)), part(2));
            let differ = S::xor(words[d], threshold);
            below = S::select(differ, threshold, below);
            equal = S::select(differ, S::splat(0), equal);
        }
        (below, equal)
    }
}

/// Counts the bonds of some lines of colour 0 that join equal spins; every bond has one end of this colour.
pub(super) struct Count<'a> {
    pub(super) own: &'a [i32],
    pub(super) other: &'a [i32],
    pub(super) sites: &'a [i32],
    pub(super) rows: usize,
    pub(super) lines: Range<usize>,
}

impl Kernel for Count<'_> {
    type Out = u64;

    #[inline(always)]
    fn run<S: Simd>(self) -> u64 {
        let stride = self.sites.len();
        let mut count = 0;
        for row in self.lines {
            let near = Near::new(self.other, stride, self.rows, row, row);
            for word in (FRONT..stride - FRONT).step_by(S::LANES) {
                let spins = S::load(&self.own[row * stride + word..]);
                let sites = S::load(&self.sites[word..]);
                let equal = |x| S::and(S::xor(S::xor(x, spins), S::splat(-1)), sites);
                count += near.load::<S>(word).into_iter().map(|x| ones::<S>(equal(x))).sum::<u64>();
            }
        }
        count
    }
}

#[inline(always)]
fn ones<S: Simd>(x: S::I) -> u64 {
    let mut words = [0; 16];
    S::store(&mut words, x);
    words.iter().map(|&word| u64::from(word.count_ones())).sum()
}
