//! Walks the statistics ⟨v hᵀ⟩ of two phases strip by strip, and moves the weights while a strip is near.
//!
//! A gradient of the weights is read once and then done with, so it is never stored: a task adds up the sums of its
//! columns, hands each strip of them to a [`Rule`] together with the weights they belong to, and writes these back.
#![allow(unsafe_code)]

use super::strips::{self, Scratch, with_scratch};
use super::{Chosen, Place, Probabilities, Store, Strip, Tables, WIDTH};
use crate::shared::Shared;
use crate::simd::{Kernel, Simd};
use crate::{Backend, BitMatrix, parallel, profile};

/// Holds visible bits and 16-bit means of hidden units, row for row, ready for v hᵀ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// One line a visible unit: its bits over the rows.
    lines: BitMatrix,
    means: Vec<u16>,
    hidden: usize,
}

impl Pair {
    /// Pairs `(n, visible)` bits with `(n, hidden)` means.
    ///
    /// # Panics
    /// If the rows are not as many, or none, or more than [`super::MAX_ROWS`].
    pub fn new(bits: &BitMatrix, means: Vec<u16>) -> Self {
        let rows = bits.rows();
        assert!((1..=super::MAX_ROWS).contains(&rows), "{rows} rows in one sum of 32 bits");
        assert!(means.len().is_multiple_of(rows), "{} means of {rows} rows", means.len());
        let lines = profile::stage("transposition of v", 0, || bits.transposed());
        Self { lines, hidden: means.len() / rows, means }
    }

    /// Gives the number of rows.
    pub fn rows(&self) -> usize {
        self.lines.units()
    }

    /// Adds Σ v to `out`, in units of 2^-16.
    pub fn add_visible(&self, out: &mut [i32]) {
        let ones = |line: usize| self.lines.row(line).iter().map(|word| word.count_ones()).sum::<u32>();
        out.iter_mut().enumerate().for_each(|(line, sum)| *sum += (ones(line) as i32) << 16);
    }

    /// Adds Σ h to `out`, in units of 2^-16.
    pub fn add_hidden(&self, out: &mut [i32]) {
        Backend::current().run(ColumnSums { means: &self.means, out });
    }

    /// Computes Σ v hᵀ: `(visible, hidden)`, in units of 2^-16.
    pub fn sums(&self) -> Vec<i32> {
        let mut out = vec![0; self.lines.rows() * self.hidden];
        let store = Store { out: Shared::new(&mut out), width: self.hidden };
        let operations = 2 * self.rows() * self.lines.rows() * self.hidden;
        profile::stage("statistics", operations, || strips::run(&self.chosen(false), &store));
        out
    }

    fn chosen(&self, negative: bool) -> Chosen<'_, Probabilities<'_>> {
        let source = Probabilities { p16: &self.means, hidden: self.hidden, negative };
        Chosen { bits: &self.lines, source }
    }
}

struct ColumnSums<'a> {
    means: &'a [u16],
    out: &'a mut [i32],
}

impl Kernel for ColumnSums<'_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        for row in self.means.chunks_exact(self.out.len()) {
            self.out.iter_mut().zip(row).for_each(|(sum, &mean)| *sum += i32::from(mean));
        }
    }
}

/// Is the entries of 32 neighbouring columns in one line.
pub type Cells<T> = [T; WIDTH];

/// Moves `N` matrices, given the sums of both phases.
pub trait Rule<const N: usize>: Sync {
    /// Whether [`Margins`] are wanted.
    const MARGINS: bool;

    /// Moves the cells from `(line, column)` on, and adds to the margins. Cells behind the last column hold zeros and
    /// are dropped. The negative sums are zero where they were subtracted from the positive ones already.
    ///
    /// An implementation is `#[inline(always)]`, so that it is compiled for each back end.
    fn apply(
        &self,
        at: (usize, usize),
        sums: [&Cells<i32>; 2],
        cells: &mut [Cells<f32>; N],
        margins: (&mut f32, &mut Cells<f32>),
    );
}

/// Holds what a rule added up along the lines and along the columns, in an order that no thread decides.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Margins {
    /// One sum a line: over blocks of 32 columns, in their order.
    pub lines: Vec<f32>,
    /// One sum a column: over the lines, in their order within blocks of 1024, and then over the blocks.
    pub columns: Vec<f32>,
    /// The largest |x| of the first matrix after the move, NaN if any is.
    pub largest: f32,
}

/// Lines of a task.
const LINES: usize = 1024;

/// Says which rows a walk contrasts, and whether sums are subtracted before they become floats.
#[derive(Clone, Copy, Debug)]
pub struct Contrast<'a> {
    /// Data clamped.
    pub positive: &'a [Pair],
    /// The model running free.
    pub negative: &'a [Pair],
    /// Whether both phases have the same number of rows, so that one sum serves both.
    pub joined: bool,
}

/// Applies a rule to every strip of `(visible, hidden)` matrices.
///
/// # Panics
/// If the matrices and pairs are not of one shape, or a phase is empty.
pub fn walk<const N: usize, R: Rule<N>>(
    contrast: Contrast<'_>,
    targets: [&mut [f32]; N],
    rule: &R,
) -> Margins {
    let (lines, width) = (contrast.positive[0].lines.rows(), contrast.positive[0].hidden);
    let pairs = || contrast.positive.iter().chain(contrast.negative);
    assert!(pairs().all(|pair| (pair.lines.rows(), pair.hidden) == (lines, width)), "pairs of one shape");
    assert!(targets.iter().all(|target| target.len() == lines * width), "targets of {lines} x {width}");
    let (columns, chunks) = (width.div_ceil(WIDTH), lines.div_ceil(LINES));
    let size = |n: usize| if R::MARGINS { n } else { 0 };
    let (mut along_lines, mut along_columns) =
        (vec![0.0; size(columns * lines)], vec![0.0; size(chunks * width)]);
    let mut largest = vec![0_u32; columns * chunks];
    let walk = Walk {
        contrast,
        rule,
        targets: targets.map(Shared::new),
        shape: (lines, width),
        margins: (Shared::new(&mut along_lines), Shared::new(&mut along_columns)),
        largest: Shared::new(&mut largest),
    };
    let operations = 2 * pairs().map(Pair::rows).sum::<usize>() * lines * width;
    profile::stage("statistics and update", operations, || {
        parallel::each(columns * chunks, |task| walk.task(task, columns));
    });
    let largest = f32::from_bits(largest.into_iter().max().unwrap_or(0));
    Margins { lines: folded(&along_lines, lines), columns: folded(&along_columns, width), largest }
}

/// Adds up parts of `length` entries in their order.
fn folded(parts: &[f32], length: usize) -> Vec<f32> {
    let mut parts = parts.chunks_exact(length);
    let mut total = parts.next().map_or(Vec::new(), <[f32]>::to_vec);
    parts.for_each(|part| total.iter_mut().zip(part).for_each(|(sum, x)| *sum += x));
    total
}

struct Walk<'a, R, const N: usize> {
    contrast: Contrast<'a>,
    rule: &'a R,
    targets: [Shared<'a, f32>; N],
    shape: (usize, usize),
    margins: (Shared<'a, f32>, Shared<'a, f32>),
    largest: Shared<'a, u32>,
}

impl<const N: usize, R: Rule<N>> Walk<'_, R, N> {
    fn task(&self, task: usize, columns: usize) {
        let place = Place { row: task / columns * LINES, column: task % columns * WIDTH };
        let lines = LINES.min(self.shape.0 - place.row);
        with_scratch(2 * lines, |Scratch { tables, strips }| {
            let (positive, negative) = strips.split_at_mut(lines);
            let step = Step { walk: self, place, tables, positive, negative, task };
            Backend::current().run(step);
        });
    }
}

struct Step<'a, 'w, R, const N: usize> {
    walk: &'a Walk<'w, R, N>,
    place: Place,
    tables: &'a mut Tables,
    positive: &'a mut [Strip],
    negative: &'a mut [Strip],
    task: usize,
}

impl<const N: usize, R: Rule<N>> Kernel for Step<'_, '_, R, N> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(mut self) {
        self.add::<S>();
        self.apply::<S>();
    }
}

impl<const N: usize, R: Rule<N>> Step<'_, '_, R, N> {
    #[inline(always)]
    fn add<S: Simd>(&mut self) {
        let Contrast { positive, negative, joined } = self.walk.contrast;
        self.positive.fill(Strip::ZERO);
        for pair in positive {
            pair.chosen(false).add::<S>(self.tables, self.place, self.positive);
        }
        if !joined {
            self.negative.fill(Strip::ZERO);
        }
        for pair in negative {
            let sums = if joined { &mut *self.positive } else { &mut *self.negative };
            pair.chosen(joined).add::<S>(self.tables, self.place, sums);
        }
    }

    // Plain loops by index: iterators that end up as calls would not be compiled for the back end.
    #[inline(always)]
    fn apply<S: Simd>(&mut self) {
        let (mut down, mut most) = ([0.0; WIDTH], [0; WIDTH]);
        for offset in 0..self.positive.len() {
            self.line::<S>(offset, &mut down, &mut most);
        }
        let largest = most.into_iter().max().unwrap_or(0);
        // SAFETY: tasks differ in their lines or in their columns; this entry is this task's.
        unsafe { self.walk.largest.part(self.task, 1)[0] = largest as u32 };
        if R::MARGINS {
            let (width, chunk) = (self.walk.shape.1, self.place.row / LINES);
            let columns = WIDTH.min(width - self.place.column);
            // SAFETY: as above: one entry a column and a block of lines.
            let out = unsafe { self.walk.margins.1.part(chunk * width + self.place.column, columns) };
            out.copy_from_slice(&down[..columns]);
        }
    }

    /// Moves the cells of one line.
    #[inline(always)]
    fn line<S: Simd>(&self, offset: usize, down: &mut Cells<f32>, most: &mut Cells<i32>) {
        let (walk, (lines, width), line) = (self.walk, self.walk.shape, self.place.row + offset);
        let (from, columns) = (line * width + self.place.column, WIDTH.min(width - self.place.column));
        let (mut cells, mut along) = ([[0.0; WIDTH]; N], 0.0);
        for n in 0..N {
            // SAFETY: as above, and this borrows a part at a time.
            copy(unsafe { walk.targets[n].part(from, columns) }, &mut cells[n]);
        }
        let negative = if walk.contrast.joined { &Strip::ZERO } else { &self.negative[offset] };
        let sums = [&self.positive[offset].0, &negative.0];
        walk.rule.apply((line, self.place.column), sums, &mut cells, (&mut along, down));
        for n in 0..N {
            // SAFETY: as above.
            copy(&cells[n], unsafe { walk.targets[n].part(from, columns) });
        }
        if R::MARGINS {
            let block = self.place.column / WIDTH;
            // SAFETY: as above: one entry a line and a block of columns.
            unsafe { walk.margins.0.part(block * lines + line, 1)[0] = along };
        }
        for at in (0..WIDTH).step_by(S::LANES) {
            // Without their sign, floats order like their bits, and NaN lies above infinity.
            let size = S::shr::<1>(S::shl::<1>(S::to_bits(S::load_f32(&cells[0][at..]))));
            let size = S::max_int(S::load(&most[at..]), size);
            S::store(&mut most[at..], size);
        }
    }
}

/// Copies as many cells as both have, all 32 at once where they can be.
#[inline(always)]
fn copy(from: &[f32], to: &mut [f32]) {
    match (from.first_chunk::<WIDTH>(), to.first_chunk_mut::<WIDTH>()) {
        (Some(from), Some(to)) => *to = *from,
        _ => to.iter_mut().zip(from).for_each(|(to, &from)| *to = from),
    }
}
