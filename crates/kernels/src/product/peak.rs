//! Looks tables up with nothing around it: the most that the products could reach.

use std::hint::black_box;

use super::strips::{Scratch, with_scratch};
use super::{Choice, DEPTH, Strip, Tables, WIDTH};
use crate::simd::{Kernel, Simd};
use crate::{Backend, parallel};

/// Rows whose sums take 4 KiB of the nearest cache beside the tables.
const ROWS: usize = 32;
/// Tasks a thread, so that one which is held up does not hold up the burst.
const TASKS: usize = 8;

/// Makes one burst of look-ups on all threads; gives the operations of dense products of the same shape.
pub(crate) fn look_ups(passes: usize) -> usize {
    let words: [u64; ROWS] = std::array::from_fn(|row| (row as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let tasks = TASKS * rayon::current_num_threads();
    parallel::each(tasks, |_| {
        with_scratch(ROWS, |Scratch { tables, strips }| {
            Backend::current().run(LookUps { tables, words: &words, sums: &mut *strips, passes });
            black_box(strips);
        });
    });
    2 * ROWS * DEPTH * WIDTH * passes * tasks
}

struct LookUps<'a> {
    tables: &'a Tables,
    words: &'a [u64],
    sums: &'a mut [Strip],
    passes: usize,
}

impl Kernel for LookUps<'_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        for _ in 0..self.passes {
            S::call(Choice {
                plain: false,
                tables: self.tables,
                quarters: DEPTH / super::QUARTER,
                words: self.words,
                stride: 1,
                sums: &mut *self.sums,
            });
        }
    }
}
