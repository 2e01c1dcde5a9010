//! Cuts strips of integers out of weights and of probabilities.

use super::tables::{QUARTER, Strip, WIDTH};
use crate::Coupling;
use crate::grid::{self, ROUNDER};
use crate::simd::{Simd, rows_to_lanes};

/// Is a matrix of integers `(depth, width)` that is read strip by strip.
pub(crate) trait Source: Sync {
    fn depth(&self) -> usize;
    fn width(&self) -> usize;
    /// Reads sixteen rows of 32 columns at `(k0, n0)`, with zeros behind the end.
    fn rows<S: Simd>(&self, k0: usize, n0: usize, out: &mut [Strip; QUARTER]);
}

/// Is the codes `q` as they lie: `(visible, hidden)`.
pub(crate) struct Forward<'a>(pub(crate) Coupling<'a>);

/// Is the codes transposed: `(hidden, visible)`.
pub(crate) struct Transposed<'a>(pub(crate) Coupling<'a>);

/// Is the 16-bit probabilities of a batch: `(n, hidden)`; negated where they are to be subtracted.
#[derive(Clone, Copy)]
pub(crate) struct Probabilities<'a> {
    pub(crate) p16: &'a [u16],
    pub(crate) hidden: usize,
    pub(crate) negative: bool,
}

impl Source for Forward<'_> {
    fn depth(&self) -> usize {
        self.0.visible
    }

    fn width(&self) -> usize {
        self.0.hidden
    }

    #[inline(always)]
    fn rows<S: Simd>(&self, k0: usize, n0: usize, out: &mut [Strip; QUARTER]) {
        let factor = self.0.factor();
        for (r, codes) in out.iter_mut().enumerate() {
            let next = row(self.0.weights, self.0.hidden, k0 + r + QUARTER, n0);
            S::prefetch(next);
            S::prefetch(&next[next.len().min(WIDTH / 2)..]);
            let weights = row(self.0.weights, self.0.hidden, k0 + r, n0);
            match weights.first_chunk() {
                Some(full) => encode::<S>(full, factor, codes),
                None => encode_some(weights, factor, codes),
            }
        }
    }
}

impl Source for Probabilities<'_> {
    fn depth(&self) -> usize {
        self.p16.len() / self.hidden
    }

    fn width(&self) -> usize {
        self.hidden
    }

    #[inline(always)]
    fn rows<S: Simd>(&self, k0: usize, n0: usize, out: &mut [Strip; QUARTER]) {
        let sign = if self.negative { -1 } else { 1 };
        for (r, codes) in out.iter_mut().enumerate() {
            let p16 = row(self.p16, self.hidden, k0 + r, n0);
            if p16.len() < WIDTH {
                *codes = Strip::ZERO;
            }
            codes.0.iter_mut().zip(p16).for_each(|(code, &p)| *code = i32::from(p) * sign);
        }
    }
}

impl Source for Transposed<'_> {
    fn depth(&self) -> usize {
        self.0.hidden
    }

    fn width(&self) -> usize {
        self.0.visible
    }

    #[inline(always)]
    fn rows<S: Simd>(&self, k0: usize, n0: usize, out: &mut [Strip; QUARTER]) {
        let columns = WIDTH.min(self.0.visible - n0);
        if columns < WIDTH {
            *out = [Strip::ZERO; QUARTER];
        }
        for n in (0..columns).step_by(S::LANES) {
            let vectors = rows_to_lanes::<S>(&self.words::<S>(k0, n0 + n));
            for (codes, vector) in out.iter_mut().zip(vectors) {
                S::store(&mut codes.0[n..], vector);
            }
        }
    }
}

impl Transposed<'_> {
    /// Reads sixteen codes of each of `LANES` visible units, in the order of the units.
    #[inline(always)]
    fn words<S: Simd>(&self, k0: usize, i0: usize) -> [S::I; 16] {
        let (factor, hidden) = (self.0.factor(), self.0.hidden);
        let (parts, mut out) = (16 / S::LANES, [S::splat(0); 16]);
        for l in 0..S::LANES.min(self.0.visible - i0) {
            let row = &self.0.weights[(i0 + l) * hidden + k0..(i0 + l + 1) * hidden];
            // A column of rows is no pattern that a CPU foresees.
            S::prefetch(&row[row.len().min(2 * QUARTER)..]);
            let mut some = [0.0; 16];
            let weights = if let Some(weights) = row.first_chunk::<16>() {
                weights
            } else {
                some[..row.len()].copy_from_slice(row);
                &some
            };
            for part in 0..parts {
                out[l * parts + part] = code::<S>(&weights[part * S::LANES..], factor);
            }
        }
        out
    }
}

/// Gives what lies in a row from a column on; nothing behind the last row.
#[inline(always)]
fn row<T>(matrix: &[T], width: usize, row: usize, column: usize) -> &[T] {
    if row * width < matrix.len() { &matrix[row * width + column..(row + 1) * width] } else { &[] }
}

#[inline(always)]
fn encode<S: Simd>(weights: &[f32; WIDTH], factor: f32, codes: &mut Strip) {
    for n in (0..WIDTH).step_by(S::LANES) {
        S::store(&mut codes.0[n..], code::<S>(&weights[n..], factor));
    }
}

#[inline(always)]
fn encode_some(weights: &[f32], factor: f32, codes: &mut Strip) {
    *codes = Strip::ZERO;
    codes.0.iter_mut().zip(weights).for_each(|(code, &w)| *code = grid::code(w, factor));
}

/// Rounds weights to codes as [`grid::code`] does.
#[inline(always)]
pub(crate) fn code<S: Simd>(weights: &[f32], factor: f32) -> S::I {
    let shifted = S::add_f32(S::mul(S::load_f32(weights), S::splat_f32(factor)), S::splat_f32(ROUNDER));
    S::add(S::to_bits(shifted), S::splat((ROUNDER.to_bits() as i32).wrapping_neg()))
}
