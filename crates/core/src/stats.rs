//! Adds up sufficient statistics in integers, and contrasts two phases.

use harmonium_kernels::product::{Cells, Contrast, MAX_ROWS, Pair, Rule, walk};
use harmonium_kernels::{BitMatrix, profile};

use crate::Params;

/// One unit of a statistic is 2^-16.
const SCALE: f32 = 1.0 / 65_536.0;

/// Rows of pairs that are kept before they are added up: more would only take memory.
const PENDING: usize = 8192;

/// Says what a block of statistics is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One sum an entry.
    Flat(usize),
    /// Σ v hᵀ of two layers, with their units.
    Outer(usize, usize),
}

/// Holds the sum of −∂E/∂θ over rows, entry by entry in units of 2^-16, and the number of rows.
///
/// Two are equal if their sums are, however these were added up.
#[derive(Clone, Debug)]
pub struct Stats {
    rows: u64,
    sums: Vec<Sums>,
}

impl PartialEq for Stats {
    fn eq(&self, other: &Self) -> bool {
        let all = |stats: &Self| stats.sums.iter().map(Sums::all).collect::<Vec<_>>();
        self.rows == other.rows && all(self) == all(other)
    }
}

#[derive(Clone, Debug)]
enum Sums {
    Flat(Flat),
    Outer(Outer),
}

/// Adds in 32 bits while that is exact, and carries over into 64 bits before it is not.
#[derive(Clone, Debug)]
struct Flat {
    window: Vec<i32>,
    in_window: usize,
    carried: Option<Vec<i64>>,
}

/// Keeps factors as long as they are few, so that their product is formed where it is used up.
#[derive(Clone, Debug)]
struct Outer {
    size: usize,
    pending: Vec<Pair>,
    settled: Option<Vec<i64>>,
}

impl Stats {
    /// Makes empty sums of these blocks.
    pub fn new(shapes: &[Shape]) -> Self {
        let empty = |&shape: &Shape| match shape {
            Shape::Flat(size) => Sums::Flat(Flat { window: vec![0; size], in_window: 0, carried: None }),
            Shape::Outer(visible, hidden) => {
                Sums::Outer(Outer { size: visible * hidden, pending: Vec::new(), settled: None })
            }
        };
        Self { rows: 0, sums: shapes.iter().map(empty).collect() }
    }

    /// Forgets everything and keeps the memory.
    pub fn clear(&mut self) {
        self.rows = 0;
        for sums in &mut self.sums {
            match sums {
                Sums::Flat(flat) => {
                    flat.window.fill(0);
                    (flat.in_window, flat.carried) = (0, None);
                }
                Sums::Outer(outer) => {
                    outer.pending.clear();
                    outer.settled = None;
                }
            }
        }
    }

    /// Gives the number of rows that were added.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Adds v hᵀ, v and h of rows to the three blocks of a model of two layers: `(n, visible)` bits and `(n, hidden)`
    /// means in units of 2^-16.
    ///
    /// # Panics
    /// If the blocks are others or of other widths, or there are more rows than [`MAX_ROWS`].
    pub fn add(&mut self, visible: &BitMatrix, means: Vec<u16>) {
        let rows = visible.rows();
        if rows == 0 {
            return;
        }
        let [Sums::Outer(outer), Sums::Flat(v), Sums::Flat(h)] = &mut self.sums[..] else {
            panic!("statistics of two layers have a block of pairs and two of units");
        };
        let (nv, nh) = (visible.units(), means.len() / rows);
        assert_eq!((v.window.len(), h.window.len()), (nv, nh), "units of both layers");
        let pair = Pair::new(visible, means);
        profile::stage("sums of v and h", 0, || {
            pair.add_visible(v.room(rows));
            pair.add_hidden(h.room(rows));
        });
        outer.add(pair);
        self.rows += rows as u64;
    }

    /// Gives the mean over rows of each entry of a block: the only division, in f32 as the gradient has it.
    pub fn means(&self, block: usize) -> Vec<f32> {
        let scale = SCALE / self.rows as f32;
        self.sums[block].all().into_iter().map(|sum| sum as f32 * scale).collect()
    }
}

impl Flat {
    /// Lends 32-bit sums that have room for `rows` more rows of 16-bit statistics.
    fn room(&mut self, rows: usize) -> &mut [i32] {
        if self.in_window + rows > MAX_ROWS {
            self.carry();
        }
        self.in_window += rows;
        &mut self.window
    }

    fn carry(&mut self) {
        let carried = self.carried.get_or_insert_with(|| vec![0; self.window.len()]);
        carried
            .iter_mut()
            .zip(&mut self.window)
            .for_each(|(sum, part)| *sum += i64::from(std::mem::take(part)));
        self.in_window = 0;
    }
}

impl Outer {
    fn add(&mut self, pair: Pair) {
        let pending: usize = self.pending.iter().map(Pair::rows).sum();
        if pending > 0 && pending + pair.rows() > PENDING {
            self.settled = Some(self.all());
            self.pending.clear();
        }
        self.pending.push(pair);
    }

    fn all(&self) -> Vec<i64> {
        let mut total = self.settled.clone().unwrap_or_else(|| vec![0; self.size]);
        for pair in &self.pending {
            total.iter_mut().zip(pair.sums()).for_each(|(sum, part)| *sum += i64::from(part));
        }
        total
    }
}

impl Sums {
    fn all(&self) -> Vec<i64> {
        match self {
            Self::Outer(outer) => outer.all(),
            Self::Flat(flat) => {
                let carried = flat.carried.clone().unwrap_or_else(|| vec![0; flat.window.len()]);
                carried.into_iter().zip(&flat.window).map(|(sum, &part)| sum + i64::from(part)).collect()
            }
        }
    }
}

/// Holds the statistics of the two phases of one update.
#[derive(Clone, Debug)]
pub struct Phases {
    /// Data clamped.
    pub positive: Stats,
    /// The model running free.
    pub negative: Stats,
}

impl Phases {
    /// Makes two phases of one shape.
    pub fn new(stats: Stats) -> Self {
        Self { positive: stats.clone(), negative: stats }
    }

    /// Forgets both phases.
    pub fn clear(&mut self) {
        self.positive.clear();
        self.negative.clear();
    }

    /// Writes the gradient of the negative log-likelihood, ⟨∂E/∂θ⟩ positive − ⟨∂E/∂θ⟩ negative, into `gradient`.
    ///
    /// Each mean is its sum times 2^-16 / rows; where both phases have the same number of rows, the sums are subtracted
    /// first, as integers.
    pub fn contrast(&self, gradient: &mut Params) {
        let scales = self.scales();
        for (block, tensor) in gradient.tensors_mut().iter_mut().enumerate() {
            match self.pairs(block) {
                Some(contrast) => drop(walk(contrast, [&mut tensor.values], &scales)),
                None => self.contrast_block(block, &mut tensor.values),
            }
        }
    }

    /// Writes one block of the gradient from sums that are there.
    pub(crate) fn contrast_block(&self, block: usize, values: &mut [f32]) {
        let scales = self.scales();
        let sums = self.positive.sums[block].all().into_iter().zip(self.negative.sums[block].all());
        values.iter_mut().zip(sums).for_each(|(value, (p, n))| {
            *value = if scales.joined {
                -((p - n) as f32 * scales.positive)
            } else {
                -(p as f32 * scales.positive - n as f32 * scales.negative)
            };
        });
    }

    /// Gives the pairs whose contrast a block is, if it consists of nothing else.
    pub(crate) fn pairs(&self, block: usize) -> Option<Contrast<'_>> {
        let (Sums::Outer(positive), Sums::Outer(negative)) =
            (&self.positive.sums[block], &self.negative.sums[block])
        else {
            return None;
        };
        let known = |outer: &Outer| outer.settled.is_none() && !outer.pending.is_empty();
        (known(positive) && known(negative)).then_some(Contrast {
            positive: &positive.pending,
            negative: &negative.pending,
            joined: self.scales().joined,
        })
    }

    pub(crate) fn scales(&self) -> Scales {
        let (rows, chains) = (self.positive.rows, self.negative.rows);
        let divisor = mutant!("B23", rows, rows.next_power_of_two());
        let sign = mutant!("B14", 1.0, -1.0);
        Scales {
            joined: rows == chains,
            positive: sign * SCALE / divisor as f32,
            negative: sign * SCALE / chains as f32,
        }
    }
}

/// Turns sums of both phases into the gradient of the negative log-likelihood.
#[derive(Clone, Copy)]
pub(crate) struct Scales {
    joined: bool,
    positive: f32,
    negative: f32,
}

impl Scales {
    #[inline(always)]
    #[allow(clippy::needless_range_loop)] // Iterators that end up as calls would not be compiled for the back end.
    pub(crate) fn gradient(&self, [positive, negative]: [&Cells<i32>; 2]) -> Cells<f32> {
        let mut out = [0.0; 32];
        if self.joined {
            for i in 0..out.len() {
                out[i] = -(positive[i] as f32 * self.positive);
            }
        } else {
            for i in 0..out.len() {
                out[i] = -(positive[i] as f32 * self.positive - negative[i] as f32 * self.negative);
            }
        }
        out
    }
}

/// Stores the gradient itself.
impl Rule<1> for Scales {
    const MARGINS: bool = false;

    #[inline(always)]
    fn apply(
        &self,
        _at: (usize, usize),
        sums: [&Cells<i32>; 2],
        cells: &mut [Cells<f32>; 1],
        _margins: (&mut f32, &mut Cells<f32>),
    ) {
        cells[0] = self.gradient(sums);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::Tensor;

    fn filled(rows: &[usize]) -> Stats {
        let mut stats = Stats::new(&[Shape::Outer(1, 1), Shape::Flat(1), Shape::Flat(1)]);
        for &n in rows {
            stats.add(&BitMatrix::from_fn(n, 1, |_, _| true), vec![u16::MAX; n]);
        }
        stats
    }

    #[test]
    fn sums_beyond_one_window_are_carried_exactly() {
        let stats = filled(&[MAX_ROWS, MAX_ROWS, 5]);
        assert_eq!(stats.rows(), 2 * MAX_ROWS as u64 + 5);
        let mean = 65_535.0 / 65_536.0;
        assert_eq!([stats.means(0)[0], stats.means(1)[0], stats.means(2)[0]], [mean, 1.0, mean]);
    }

    #[test]
    fn the_contrast_is_negative_where_data_have_more() {
        for (rows, expected) in [(4, -0.5), (2, -0.5)] {
            let mut phases = Phases::new(filled(&[]));
            phases.positive.add(&BitMatrix::from_fn(rows, 1, |r, _| r < rows / 2), vec![0; rows]);
            phases.negative.add(&BitMatrix::zeros(4, 1), vec![0; 4]);
            let tensor = |n| Tensor { name: "b", shape: vec![n], values: vec![0.0; n] };
            let mut gradient = Params::new(vec![tensor(1), tensor(1), tensor(1)]);
            phases.contrast(&mut gradient);
            let values: Vec<f32> = gradient.tensors().iter().map(|t| t.values[0]).collect();
            assert_eq!(values, [0.0, expected, 0.0], "{rows} rows");
        }
    }
}
