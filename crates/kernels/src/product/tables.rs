//! Adds rows of integers that bits choose, with sixteen-entry tables of four rows each ("four Russians").
#![allow(unsafe_code)]

use crate::simd::{Kernel, Simd};

/// Columns of a strip of sums.
pub(crate) const WIDTH: usize = 32;
/// Rows that the tables hold: the units of one word of bits.
pub(crate) const DEPTH: usize = 64;
/// Rows that are handed over at once.
pub(crate) const QUARTER: usize = 16;
/// Rows whose sums make one table.
const GROUP: usize = 4;
const SUBSETS: usize = 1 << GROUP;
/// A strip has 2^7 bytes.
const STRIP: u32 = size_of::<Strip>().trailing_zeros();
/// Tables that a quarter fills.
const PART: usize = QUARTER / GROUP;

/// Is 32 neighbouring integers of one row.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Strip(pub(crate) [i32; WIDTH]);

impl Strip {
    pub(crate) const ZERO: Self = Self([0; WIDTH]);
}

/// Holds, for each group of four rows, the sums of all sixteen subsets of them: 32 KiB, made for the nearest cache.
pub(crate) struct Tables([[Strip; SUBSETS]; DEPTH / GROUP]);

impl Tables {
    // They are made on the heap, once a thread.
    #[allow(clippy::large_stack_arrays)]
    pub(crate) const ZERO: Self = Self([[Strip::ZERO; SUBSETS]; DEPTH / GROUP]);

    /// Lends the place of sixteen rows themselves.
    pub(crate) fn rows(&mut self, quarter: usize) -> &mut [Strip; QUARTER] {
        &mut self.0[quarter]
    }

    /// Fills the tables of sixteen rows: each subset is itself without its lowest row, plus that row.
    #[inline(always)]
    pub(crate) fn build<S: Simd>(&mut self, quarter: usize, rows: &[Strip; QUARTER]) {
        let tables = &mut self.0[quarter * PART..(quarter + 1) * PART];
        for (table, rows) in tables.iter_mut().zip(rows.chunks_exact(GROUP)) {
            for at in (0..WIDTH).step_by(S::LANES) {
                let rows: [S::I; GROUP] = std::array::from_fn(|i| S::load(&rows[i].0[at..]));
                let mut sums = [S::splat(0); SUBSETS];
                S::store(&mut table[0].0[at..], sums[0]);
                for subset in 1..SUBSETS {
                    sums[subset] =
                        S::add(sums[subset & (subset - 1)], rows[subset.trailing_zeros() as usize]);
                    S::store(&mut table[subset].0[at..], sums[subset]);
                }
            }
        }
    }
}

/// Adds to each sum the rows whose bit is one.
pub(crate) struct Choice<'a> {
    /// Tables of up to 64 rows, or the rows themselves in their place.
    pub(crate) tables: &'a Tables,
    /// Whether the rows themselves are there, to be added one by one.
    pub(crate) plain: bool,
    /// How many quarters of the tables count.
    pub(crate) quarters: usize,
    /// The words of bits of the first row; the next row's lie `stride` further on.
    pub(crate) words: &'a [u64],
    pub(crate) stride: usize,
    pub(crate) sums: &'a mut [Strip],
}

impl Kernel for Choice<'_> {
    type Out = ();

    /// The number of tables is a constant in each loop, so that it is unrolled.
    #[inline(always)]
    fn run<S: Simd>(self) {
        match self.quarters {
            _ if self.plain => self.add_plain::<S>(),
            1 => self.add::<S, 4>(),
            2 => self.add::<S, 8>(),
            3 => self.add::<S, 12>(),
            _ => self.add::<S, 16>(),
        }
    }
}

impl Choice<'_> {
    /// Tells whether adding rows one by one is cheaper than building tables: a table costs as much as some twenty rows,
    /// and each quarter has four.
    #[inline(always)]
    pub(crate) fn is_sparse(words: &[u64], stride: usize, lines: usize, quarters: usize) -> bool {
        let (most, mut ones) = (90 * quarters, 0);
        for line in 0..lines {
            ones += words[line * stride].count_ones() as usize;
            if ones >= most {
                return false;
            }
        }
        true
    }

    #[inline(always)]
    fn add_plain<S: Simd>(self) {
        let rows = self.tables.0.as_flattened();
        for (&bits, sums) in self.words.iter().step_by(self.stride).zip(self.sums) {
            if bits != 0 {
                add_ones::<S>(rows, bits, sums);
            }
        }
    }

    #[inline(always)]
    fn add<S: Simd, const G: usize>(self) {
        for (&bits, sums) in self.words.iter().step_by(self.stride).zip(self.sums) {
            if bits != 0 {
                add_one::<S, G>(self.tables, bits, sums);
            }
        }
    }
}

// Loops over vectors of a constant number become straight code.
#[allow(clippy::needless_range_loop)]
#[inline(always)]
fn add_ones<S: Simd>(rows: &[Strip], mut bits: u64, sums: &mut Strip) {
    let mut total = [S::splat(0); WIDTH / 4];
    for v in 0..WIDTH / S::LANES {
        total[v] = S::load(&sums.0[v * S::LANES..]);
    }
    while bits != 0 {
        let row = &rows[bits.trailing_zeros() as usize];
        for v in 0..WIDTH / S::LANES {
            total[v] = S::add(total[v], S::load(&row.0[v * S::LANES..]));
        }
        bits &= bits - 1;
    }
    for v in 0..WIDTH / S::LANES {
        S::store(&mut sums.0[v * S::LANES..], total[v]);
    }
}

#[inline(always)]
fn add_one<S: Simd, const G: usize>(tables: &Tables, bits: u64, sums: &mut Strip) {
    let mut total = [S::splat(0); WIDTH / 4];
    for v in 0..WIDTH / S::LANES {
        total[v] = S::load(&sums.0[v * S::LANES..]);
    }
    for g in 0..G {
        // The subset times the size of a strip, by one rotation and one mask.
        let at = bits.rotate_right((GROUP * g) as u32 + 64 - STRIP) as usize & ((SUBSETS - 1) << STRIP);
        // SAFETY: the mask keeps `at` on one of the sixteen strips of table g.
        let entry = unsafe { &*(&raw const tables.0[g]).cast::<Strip>().byte_add(at) };
        for v in 0..WIDTH / S::LANES {
            total[v] = S::add(total[v], S::load(&entry.0[v * S::LANES..]));
        }
    }
    for v in 0..WIDTH / S::LANES {
        S::store(&mut sums.0[v * S::LANES..], total[v]);
    }
}
