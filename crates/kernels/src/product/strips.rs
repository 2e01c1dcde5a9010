//! Cuts sums into strips, spreads them over threads, and hands each on while it is in the nearest cache.

use std::cell::RefCell;

use super::{Strip, Tables, WIDTH};
use crate::simd::{Kernel, Simd};
use crate::{Backend, parallel};

/// Is the first row and the first column of a strip.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) row: usize,
    pub(crate) column: usize,
}

/// Is a matrix of sums that is made strip by strip.
pub(crate) trait Sums: Sync {
    fn rows(&self) -> usize;
    fn width(&self) -> usize;
    /// Tells how many operations an entry takes, for deciding whether threads pay.
    fn cost(&self) -> usize;
    /// Makes 32 columns of the rows from `place` on; what lies behind the last column does not matter.
    fn strip<S: Simd>(&self, tables: &mut Tables, place: Place, sums: &mut [Strip]);
}

/// Takes strips of sums.
pub(crate) trait Sink: Sync {
    /// Takes 32 columns of the rows from `place` on; those behind the last column are to be left out.
    fn take<S: Simd>(&self, place: Place, sums: &[Strip]);
}

/// Is sums that are there already, row-major.
pub(crate) struct Ready<'a> {
    pub(crate) sums: &'a [i32],
    pub(crate) width: usize,
}

impl Sums for Ready<'_> {
    fn rows(&self) -> usize {
        self.sums.len() / self.width
    }

    fn width(&self) -> usize {
        self.width
    }

    fn cost(&self) -> usize {
        16
    }

    #[inline(always)]
    fn strip<S: Simd>(&self, _tables: &mut Tables, place: Place, sums: &mut [Strip]) {
        let columns = WIDTH.min(self.width - place.column);
        for (row, strip) in (place.row..).zip(sums) {
            let from = row * self.width + place.column;
            strip.0[..columns].copy_from_slice(&self.sums[from..from + columns]);
        }
    }
}

/// The most rows of a task: tables are built once for all of them, and their sums (128 KiB) stream past. Fewer where that
/// would leave a thread less than so many tasks, but not so few that tables do not pay.
const ROWS: usize = 1024;
const FEW_ROWS: usize = 64;
const TASKS: usize = 4;
/// Below this many operations a burst of tasks is not worth another thread.
const SERIAL: usize = 1 << 15;

/// Makes all sums and hands them to the sink.
pub(crate) fn run(sums: &impl Sums, sink: &impl Sink) {
    run_on(Backend::current(), sums, sink);
}

pub(super) fn run_on(backend: Backend, sums: &impl Sums, sink: &impl Sink) {
    let columns = sums.width().div_ceil(WIDTH);
    let share = sums.rows() * columns / (TASKS * rayon::current_num_threads());
    let rows = share.next_multiple_of(FEW_ROWS).clamp(FEW_ROWS, ROWS);
    let task = |index: usize| {
        let place = Place { row: index / columns * rows, column: index % columns * WIDTH };
        let rows = rows.min(sums.rows() - place.row);
        with_scratch(rows, |Scratch { tables, strips }| {
            backend.run(Task { sums, sink, place, tables, strips });
        });
    };
    let tasks = columns * sums.rows().div_ceil(rows);
    if sums.rows() * sums.width() * sums.cost() < SERIAL {
        (0..tasks).for_each(task);
    } else {
        parallel::each(tasks, task);
    }
}

struct Task<'a, A, B> {
    sums: &'a A,
    sink: &'a B,
    place: Place,
    tables: &'a mut Tables,
    strips: &'a mut [Strip],
}

impl<A: Sums, B: Sink> Kernel for Task<'_, A, B> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        self.sums.strip::<S>(self.tables, self.place, self.strips);
        self.sink.take::<S>(self.place, self.strips);
    }
}

/// Is the memory of a task.
pub(crate) struct Scratch<'a> {
    pub(crate) tables: &'a mut Tables,
    pub(crate) strips: &'a mut [Strip],
}

/// Lends the memory that a thread keeps between its tasks, with this many strips.
pub(crate) fn with_scratch<R>(strips: usize, task: impl FnOnce(Scratch<'_>) -> R) -> R {
    KEPT.with_borrow_mut(|(tables, kept)| {
        if kept.len() < strips {
            kept.resize(strips, Strip::ZERO);
        }
        task(Scratch { tables, strips: &mut kept[..strips] })
    })
}

thread_local! {
    static KEPT: RefCell<(Box<Tables>, Vec<Strip>)> = RefCell::new((Box::new(Tables::ZERO), Vec::new()));
}
