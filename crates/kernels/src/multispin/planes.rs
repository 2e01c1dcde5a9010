//! Keeps the spins of a periodic lattice as two planes of bits, one a colour of the checkerboard.
#![allow(unsafe_code)]

use super::Rule;
use super::kernel::{Count, HalfSweep};
use crate::parallel;
use crate::shared::Shared;
use crate::{Backend, BitMatrix, Key};

/// Words in front of the sites of a row.
pub(super) const FRONT: usize = 1;
/// Words behind them.
const BACK: usize = 1;
/// The words of a row are a multiple of this, so that whole vectors cover them.
const VECTOR: usize = 16;
/// Words that a task works on, about.
const TASK: usize = 1 << 9;

/// Holds a periodic lattice of `rows` × `columns` spins, both even: a one is spin up.
///
/// In front of each row of a plane stands a copy of its last site, and behind it one of its first. Columns may have any even
/// number; narrow lattices leave lanes of a vector idle.
#[derive(Clone, Debug)]
pub struct Planes {
    rows: usize,
    columns: usize,
    /// The sites of each colour.
    colours: [Vec<i32>; 2],
    /// Ones where a row has sites.
    sites: Vec<i32>,
}

impl Planes {
    /// Packs a lattice whose bits are given as `(rows, columns)`.
    ///
    /// # Panics
    /// If a side is odd or zero, or if there are 2^32 rows or 2^36 columns or more.
    pub fn pack(lattice: &BitMatrix) -> Self {
        let (rows, columns) = (lattice.rows(), lattice.units());
        assert!(Self::fits(rows, columns), "{rows} × {columns} has no checkerboard");
        let words = (columns / 2).div_ceil(32).next_multiple_of(VECTOR);
        let mut sites = vec![0; FRONT + words + BACK];
        (0..columns / 2).for_each(|k| set(&mut sites, k));
        let colours = [(); 2].map(|()| vec![0; rows * sites.len()]);
        let mut out = Self { rows, columns, colours, sites };
        for row in 0..rows {
            let line = row * out.stride();
            for (word, &bits) in lattice.row(row).iter().enumerate() {
                out.colours[row % 2][line + FRONT + word] = gather(bits) as i32;
                out.colours[(row + 1) % 2][line + FRONT + word] = gather(bits >> 1) as i32;
            }
            [0, 1].into_iter().for_each(|colour| out.wrap(colour, row));
        }
        out
    }

    /// Tells whether a lattice of this size has a checkerboard, and rows and blocks that can be numbered.
    pub fn fits(rows: usize, columns: usize) -> bool {
        let even = |side: usize| side > 0 && side.is_multiple_of(2);
        even(rows) && even(columns) && rows < 1 << 32 && columns < 1 << 36
    }

    /// Gives the lattice as bits, `(rows, columns)`.
    pub fn unpack(&self) -> BitMatrix {
        let mut out = BitMatrix::zeros(self.rows, self.columns);
        for row in 0..self.rows {
            let line = row * self.stride() + FRONT;
            let word = |parity: usize, word: usize| {
                spread((self.colours[(row + parity) % 2][line + word] & self.sites[FRONT + word]) as u32)
            };
            (0..out.stride()).for_each(|w| out.row_mut(row)[w] = word(0, w) | word(1, w) << 1);
        }
        out
    }

    /// Reads one spin.
    ///
    /// # Panics
    /// If the lattice has no such site.
    pub fn get(&self, row: usize, column: usize) -> bool {
        assert!(row < self.rows && column < self.columns, "site ({row}, {column})");
        let (word, bit) = (FRONT + column / 64, column / 2 % 32);
        self.colours[(row + column) % 2][row * self.stride() + word] >> bit & 1 == 1
    }

    /// Gives the number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Gives the number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Decides each site of a colour anew, given the other colour; the words of row r are those of stream r of the key.
    ///
    /// # Panics
    /// If there is no such colour.
    pub fn update(&mut self, colour: usize, rule: &Rule, key: Key) {
        let (rows, stride) = (self.rows, self.stride());
        let lines = TASK.div_ceil(stride);
        let [first, second] = &mut self.colours;
        let (own, other) = if colour == 0 { (first, &*second) } else { (second, &*first) };
        let (own, sites, backend) = (Shared::new(own), &self.sites[..], Backend::current());
        let bits = rule.bits();
        parallel::each(rows.div_ceil(lines), |task| {
            let begin = task * lines;
            let count = lines.min(rows - begin);
            // SAFETY: every task has lines of its own.
            let own = unsafe { own.part(begin * stride, count * stride) };
            backend.run(HalfSweep { own, other, sites, rows, begin, colour, rule, bits: &bits, key });
            own.chunks_exact_mut(stride).for_each(|line| wrap(line, self.columns / 2));
        });
    }

    /// Counts the bonds between equal spins; the lattice has 2 · rows · columns bonds.
    pub fn equal_bonds(&self) -> u64 {
        self.sum(|begin, lines| {
            Backend::current().run(Count {
                own: &self.colours[0],
                other: &self.colours[1],
                sites: &self.sites,
                rows: self.rows,
                lines: begin..begin + lines,
            })
        })
    }

    /// Counts the spins that are up.
    pub fn up(&self) -> u64 {
        let ones = |line: &[i32]| {
            line.iter().zip(&self.sites).map(|(&x, &s)| u64::from((x & s).count_ones())).sum::<u64>()
        };
        self.sum(|begin, lines| {
            let part = begin * self.stride()..(begin + lines) * self.stride();
            self.colours
                .iter()
                .flat_map(|plane| plane[part.clone()].chunks_exact(self.stride()))
                .map(ones)
                .sum()
        })
    }

    /// Adds up what `count` gives for parts of the rows: from which row on, and how many.
    fn sum(&self, count: impl Fn(usize, usize) -> u64 + Sync) -> u64 {
        let lines = TASK.div_ceil(self.stride());
        let part = |task: usize| count(task * lines, lines.min(self.rows - task * lines));
        parallel::map(self.rows.div_ceil(lines), part).into_iter().sum()
    }

    fn stride(&self) -> usize {
        self.sites.len()
    }

    fn wrap(&mut self, colour: usize, row: usize) {
        let stride = self.stride();
        wrap(&mut self.colours[colour][row * stride..(row + 1) * stride], self.columns / 2);
    }
}

impl PartialEq for Planes {
    /// Compares the spins.
    fn eq(&self, other: &Self) -> bool {
        (self.rows, self.columns) == (other.rows, other.columns) && self.unpack() == other.unpack()
    }
}

/// Sets site k of a row.
fn set(line: &mut [i32], k: usize) {
    line[FRONT + k / 32] |= 1 << (k % 32);
}

/// The exchanges that move the bits of a half apart, or together again: how far, and what stays (Warren, Hacker's Delight, 7-2).
const STEPS: [(u32, u64); 5] = [
    (16, 0x0000_FFFF_0000_FFFF),
    (8, 0x00FF_00FF_00FF_00FF),
    (4, 0x0F0F_0F0F_0F0F_0F0F),
    (2, 0x3333_3333_3333_3333),
    (1, 0x5555_5555_5555_5555),
];

/// Puts bit k at place 2 k.
fn spread(bits: u32) -> u64 {
    STEPS.iter().fold(u64::from(bits), |x, &(by, stays)| (x | x << by) & stays)
}

/// Puts bit 2 k at place k, and drops the others.
fn gather(bits: u64) -> u32 {
    let even = bits & STEPS[4].1;
    let halves = [STEPS[3], STEPS[2], STEPS[1], STEPS[0], (0, u64::from(u32::MAX))];
    halves.iter().zip([1, 2, 4, 8, 16]).fold(even, |x, (&(_, stays), by)| (x | x >> by) & stays) as u32
}

/// Puts the last of `count` sites in front of a row and the first one behind it.
fn wrap(line: &mut [i32], count: usize) {
    let at = |k: usize| (FRONT + k / 32, k % 32);
    let ((last, bit), (behind, place)) = (at(count - 1), at(count));
    line[0] = mutant!("B157", (line[last] >> bit & 1) << 31, 0);
    line[behind] = line[behind] & !(1 << place) | (line[FRONT] & 1) << place;
}
