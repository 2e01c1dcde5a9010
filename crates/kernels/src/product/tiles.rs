//! Multiplies bits with integer codes in tiles of bytes, exactly, as the matrix unit of a processor does.
//!
//! A code is the sum of its bytes, `q = a + 256 b + 65,536 c` with a and b unsigned and c signed, so that a product of
//! bits and codes is three products of bytes: Σ q = Σ a + 256 Σ b + 65,536 Σ c, modulo 2^32 like every other sum here.
//! The algorithm is written over [`Tiles`], which the instructions of AMX implement and a model in plain Rust, with
//! which the tests prove all of it but those instructions.

use std::cell::RefCell;
use std::marker::PhantomData;

use super::tables::{DEPTH, QUARTER};
use super::{Chosen, Place, Source, Strip};
use crate::simd::{Kernel, Simd};

/// Rows of a tile, and 32-bit words of a row.
pub(crate) const SIDE: usize = 16;

/// Holds sixteen rows of 64 bytes; byte i of a row is byte i % 4 of word i / 4, the lowest first.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Tile(pub(crate) [[i32; SIDE]; SIDE]);

impl Tile {
    pub(crate) const ZERO: Self = Self([[0; SIDE]; SIDE]);
}

/// Says how many rows of how many bytes each tile of a unit has, in the format of `ldtilecfg`.
#[repr(C, align(64))]
pub(crate) struct Configuration(pub(crate) [u8; 64]);

impl Configuration {
    /// Gives each of the eight tiles all its rows and bytes.
    const FULL: Self = {
        let mut bytes = [0; 64];
        // The palette; then 16 bits of row length a tile, and 8 bits of rows a tile.
        bytes[0] = 1;
        let mut tile = 0;
        while tile < 8 {
            bytes[16 + 2 * tile] = 4 * SIDE as u8;
            bytes[48 + tile] = SIDE as u8;
            tile += 1;
        }
        Self(bytes)
    };
}

/// Is a matrix unit of eight tiles, with the operations of AMX-INT8; `A`, `B`, `C` and `T` are numbers of tiles.
pub(crate) trait Tiles {
    /// Configures the unit of this thread; it is released when the value is dropped.
    fn configured(configuration: &Configuration) -> Self;
    fn zero<const T: usize>(&mut self);
    fn load<const T: usize>(&mut self, from: &Tile);
    fn store<const T: usize>(&mut self, to: &mut Tile);
    /// Adds A · B to C: `C[m][n] += Σ_k Σ_i A[m][4 k + i] · B[k][4 n + i]`. The bytes of A are unsigned, those of B as
    /// `SIGNED` says, and the words of C wrap.
    fn dot<const SIGNED: bool, const C: usize, const A: usize, const B: usize>(&mut self);
    /// Writes 64 bits as bytes 0 and 1.
    fn spread(bits: u64, row: &mut [i32; SIDE]);
    /// Asks for a tile that will be loaded soon.
    fn prefetch(tile: &Tile);
}

/// Adds the products of the rows from `place` on to their sums, as [`Chosen::add`] does.
#[inline(always)]
pub(crate) fn add<S: Simd, U: Tiles, T: Source>(chosen: &Chosen<'_, T>, place: Place, sums: &mut [Strip]) {
    PANELS
        .with_borrow_mut(|panels| S::call(Blocks::<U, T> { chosen, place, sums, panels, unit: PhantomData }));
}

/// Words of bits whose codes are packed at once: with three planes they fill 96 KiB, half of it read in one pass.
const STEPS: usize = 16;
/// Bytes of a code.
const BYTES: usize = 4;
/// How many steps ahead tiles of codes are asked for; without that the unit waits most of the time.
const AHEAD: usize = 2;

/// Is two tiles side by side, or one below the other.
type Two = [Tile; 2];

/// Is the memory of a task.
struct Panels {
    /// Byte p of each code: 32 columns a step.
    codes: [[Two; STEPS]; BYTES],
    /// The bits of 32 rows.
    bits: [Two; STEPS],
    /// The sums of 32 rows in 32 columns, for each byte of the codes.
    sums: [[Two; 2]; BYTES],
}

thread_local! {
    static PANELS: RefCell<Box<Panels>> = RefCell::new(Box::new(Panels::ZERO));
}

struct Blocks<'a, U, T> {
    chosen: &'a Chosen<'a, T>,
    place: Place,
    sums: &'a mut [Strip],
    panels: &'a mut Panels,
    unit: PhantomData<U>,
}

impl<U: Tiles, T: Source> Kernel for Blocks<'_, U, T> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let Self { chosen, place, sums, panels, .. } = self;
        let mut unit = U::configured(&Configuration::FULL);
        let stride = chosen.bits.stride();
        for word in (0..stride).step_by(STEPS) {
            let steps = STEPS.min(stride - word);
            let planes = panels.pack::<S>(&chosen.source, word, steps, place.column);
            let words = chosen.bits.words()[place.row * stride..].chunks(2 * SIDE * stride);
            for (words, sums) in words.zip(sums.chunks_mut(2 * SIDE)) {
                let rows = words.chunks_exact(stride).take(sums.len());
                panels.spread::<U>(rows.map(|row| &row[word..word + steps]));
                panels.multiply(&mut unit, planes, steps, sums.len() > SIDE);
                panels.collect::<S>(planes, sums);
            }
        }
    }
}

/// Says which bytes of codes make them up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Planes {
    /// Two unsigned bytes, for codes from 0 to 65,535.
    Two = 2,
    /// Two unsigned bytes and a signed one, for codes of 24 bits.
    Three = 3,
    /// All bytes, unsigned: any code, modulo 2^32.
    Four = 4,
}

impl Panels {
    // They are made on the heap, once a thread.
    #[allow(clippy::large_stack_arrays)]
    const ZERO: Self = Self {
        codes: [[[Tile::ZERO; 2]; STEPS]; BYTES],
        bits: [[Tile::ZERO; 2]; STEPS],
        sums: [[[Tile::ZERO; 2]; 2]; BYTES],
    };

    /// Packs 32 columns of codes, 64 rows a step, and says which bytes count. Behind the last quarter the panel keeps
    /// what it held: no bit chooses that.
    #[inline(always)]
    fn pack<S: Simd>(&mut self, source: &impl Source, word: usize, steps: usize, column: usize) -> Planes {
        let mut seen = Seen { third: [0; SIDE], fourth: [0; SIDE] };
        let mut rows = [Strip::ZERO; QUARTER];
        let depth = (source.depth() - word * DEPTH).min(steps * DEPTH);
        for at in 0..depth.div_ceil(QUARTER) {
            source.rows::<S>(word * DEPTH + at * QUARTER, column, &mut rows);
            for (group, rows) in rows.as_chunks().0.iter().enumerate() {
                let at = at * (QUARTER / BYTES) + group;
                self.pack_group(at / SIDE, at % SIDE, rows, &mut seen);
            }
        }
        seen.planes()
    }

    /// Packs four rows of codes, which are one row of a tile of each byte.
    #[inline(always)]
    fn pack_group(&mut self, step: usize, row: usize, codes: &[Strip; BYTES], seen: &mut Seen) {
        for half in 0..2 {
            for n in 0..SIDE {
                let bytes = transposed(codes.each_ref().map(|codes| codes.0[half * SIDE + n]));
                seen.third[n] |= bytes[2];
                seen.fourth[n] |= bytes[3] ^ signs(bytes[2]);
                for (plane, bytes) in self.codes.iter_mut().zip(bytes) {
                    plane[step][half].0[row][n] = bytes;
                }
            }
        }
    }

    /// Lays out the bits of up to 32 rows; those behind the last keep what they held, and their sums are not read.
    #[inline(always)]
    fn spread<'a, U: Tiles>(&mut self, rows: impl Iterator<Item = &'a [u64]>) {
        for (row, words) in rows.enumerate() {
            for (step, &bits) in self.bits.iter_mut().zip(words) {
                U::spread(bits, &mut step[row / SIDE].0[row % SIDE]);
            }
        }
    }

    /// Multiplies bits with each byte that counts.
    #[inline(always)]
    fn multiply<U: Tiles>(&mut self, unit: &mut U, planes: Planes, steps: usize, both: bool) {
        for plane in 0..planes as usize {
            let (codes, sums) = (&self.codes[plane][..steps], &mut self.sums[plane]);
            if planes == Planes::Three && plane == 2 {
                multiply::<U, true>(unit, &self.bits, codes, sums, both);
            } else {
                multiply::<U, false>(unit, &self.bits, codes, sums, both);
            }
        }
    }

    /// Adds the sums of all bytes, each with its weight.
    #[inline(always)]
    fn collect<S: Simd>(&self, planes: Planes, sums: &mut [Strip]) {
        for (row, sums) in sums.iter_mut().enumerate() {
            for n in (0..2 * SIDE).step_by(S::LANES) {
                let part = |p: usize| S::load(&self.sums[p][row / SIDE][n / SIDE].0[row % SIDE][n % SIDE..]);
                let mut total = S::add(S::load(&sums.0[n..]), S::add(part(0), S::shl::<8>(part(1))));
                if planes != Planes::Two {
                    total = S::add(total, S::shl::<16>(part(2)));
                }
                if planes == Planes::Four {
                    total = S::add(total, S::shl::<24>(part(3)));
                }
                S::store(&mut sums.0[n..], total);
            }
        }
    }
}

/// Multiplies up to 32 rows of bits with one byte of 32 columns of codes: tiles 0 to 3 collect the sums, 4 and 5 hold
/// bits, 6 and 7 codes.
#[inline(always)]
fn multiply<U: Tiles, const SIGNED: bool>(
    unit: &mut U,
    bits: &[Two],
    codes: &[Two],
    sums: &mut [Two; 2],
    both: bool,
) {
    unit.zero::<0>();
    unit.zero::<1>();
    unit.zero::<2>();
    unit.zero::<3>();
    for (step, (bits, tiles)) in bits.iter().zip(codes).enumerate() {
        codes.get(step + AHEAD).into_iter().flatten().for_each(U::prefetch);
        unit.load::<4>(&bits[0]);
        unit.load::<6>(&tiles[0]);
        unit.load::<7>(&tiles[1]);
        unit.dot::<SIGNED, 0, 4, 6>();
        unit.dot::<SIGNED, 1, 4, 7>();
        if both {
            unit.load::<5>(&bits[1]);
            unit.dot::<SIGNED, 2, 5, 6>();
            unit.dot::<SIGNED, 3, 5, 7>();
        }
    }
    unit.store::<0>(&mut sums[0][0]);
    unit.store::<1>(&mut sums[0][1]);
    unit.store::<2>(&mut sums[1][0]);
    unit.store::<3>(&mut sums[1][1]);
}

/// Collects, column by column, which bytes of codes say something.
struct Seen {
    /// Bits of third bytes.
    third: [i32; SIDE],
    /// Bits of fourth bytes that aren't the sign of the third.
    fourth: [i32; SIDE],
}

impl Seen {
    fn planes(&self) -> Planes {
        let any = |bytes: &[i32; SIDE]| bytes.iter().any(|&bytes| bytes != 0);
        match (any(&self.third), any(&self.fourth)) {
            (_, true) => Planes::Four,
            (true, false) => Planes::Three,
            (false, false) => Planes::Two,
        }
    }
}

/// Transposes 4 × 4 bytes: byte i of word p is byte p of word i.
#[inline(always)]
fn transposed(words: [i32; BYTES]) -> [i32; BYTES] {
    const EVEN: u32 = 0x00FF_00FF;
    const LOW: u32 = 0x0000_FFFF;
    let [a, b, c, d] = words.map(|word| word as u32);
    let even = [a & EVEN | (b & EVEN) << 8, c & EVEN | (d & EVEN) << 8];
    let odd = [a >> 8 & EVEN | b & !EVEN, c >> 8 & EVEN | d & !EVEN];
    let low = |[ab, cd]: [u32; 2]| (ab & LOW | cd << 16) as i32;
    let high = |[ab, cd]: [u32; 2]| (ab >> 16 | cd & !LOW) as i32;
    [low(even), low(odd), high(even), high(odd)]
}

/// Gives, for each of four bytes, 255 where its highest bit is one.
#[inline(always)]
fn signs(bytes: i32) -> i32 {
    let ones = bytes as u32 >> 7 & 0x0101_0101;
    (ones << 8).wrapping_sub(ones) as i32
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
