//! Adds up sufficient statistics, in integers where states are bits, and contrasts two phases.

use harmonium_kernels::product::{Cells, Contrast, MAX_ROWS, Pair, Rule, walk};
use harmonium_kernels::{BitMatrix, parallel, profile};
use ndarray::{Array2, ArrayView2, Axis, s};

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
    /// One sum of real values an entry.
    Real(usize),
}

/// Rows of real values that are added up at a time; the sums of these blocks are added in order.
const BLOCK: usize = 64;

/// Lines of Σ v hᵀ that one task adds up.
const LINES: usize = 64;

/// Holds the sum of −∂E/∂θ over rows, entry by entry in units of 2^-16, and the number of rows.
///
/// Two are equal if their sums are, however these were added up.
#[derive(Clone, Debug)]
pub struct Stats {
    rows: u64,
    sums: Vec<Sums>,
    /// Whether the bits t of a layer, visible or hidden, stand for 2t − 1.
    signs: [bool; 2],
}

impl PartialEq for Stats {
    fn eq(&self, other: &Self) -> bool {
        let all = |stats: &Self| {
            stats.sums.iter().map(|sums| (sums.all(), sums.reals().to_vec())).collect::<Vec<_>>()
        };
        self.rows == other.rows && all(self) == all(other)
    }
}

#[derive(Clone, Debug)]
enum Sums {
    Flat(Flat),
    Outer(Outer),
    Real(Vec<f64>),
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
            Shape::Real(size) => Sums::Real(vec![0.0; size]),
        };
        Self { rows: 0, sums: shapes.iter().map(empty).collect(), signs: [false; 2] }
    }

    /// Says for which of the two layers a bit t stands for the spin 2t − 1.
    #[must_use]
    pub fn with_signs(self, visible: bool, hidden: bool) -> Self {
        Self { signs: [visible, hidden], ..self }
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
                Sums::Real(sums) => sums.fill(0.0),
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
        let [Sums::Outer(outer), Sums::Flat(v), Sums::Flat(h), ..] = &mut self.sums[..] else {
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

    /// Adds v hᵀ, v and h of rows of real values, `(n, visible)` and `(n, hidden)`, and further statistics of the rows.
    ///
    /// # Panics
    /// If the blocks are others or of other widths.
    pub fn add_reals(&mut self, visible: &Array2<f32>, hidden: &Array2<f32>, further: &[Array2<f32>]) {
        self.rows += visible.nrows() as u64;
        let [pairs, blocks @ ..] = &mut self.sums[..] else { panic!("statistics of two layers have blocks") };
        profile::stage("sums of v and h", 2 * visible.len() * hidden.ncols(), || {
            add_pairs(pairs.reals_mut(), visible, hidden);
        });
        assert!(blocks.len() >= 2 + further.len(), "one block for each further statistic");
        for (block, values) in blocks.iter_mut().zip([visible, hidden].into_iter().chain(further)) {
            let sums = block.reals_mut();
            assert_eq!(sums.len(), values.ncols(), "units of the statistic");
            for row in values.rows() {
                sums.iter_mut().zip(row).for_each(|(sum, &x)| *sum += f64::from(x));
            }
        }
    }

    /// Adds sums over rows of blocks of real values, one list a block.
    ///
    /// # Panics
    /// If the blocks are others or of other widths.
    pub fn add_sums(&mut self, rows: u64, all: &[Vec<f64>]) {
        self.rows += rows;
        assert_eq!(self.sums.len(), all.len(), "one list a block");
        for (block, sums) in self.sums.iter_mut().zip(all) {
            let own = block.reals_mut();
            assert_eq!(own.len(), sums.len(), "entries of the block");
            own.iter_mut().zip(sums).for_each(|(own, sum)| *own += sum);
        }
    }

    /// Tells whether every entry is a mean of zeros and ones, or of their products: neither real values nor spins.
    pub fn are_bits(&self) -> bool {
        let reals = self.sums.iter().any(|sums| matches!(sums, Sums::Real(_)));
        mutant!("B120", self.signs == [false; 2] && !reals, true)
    }

    /// Adds v hᵀ, v and D h of documents, D being the sum of a row of counts: `(n, words)` and `(n, hidden)`. Words that a
    /// document lacks take no time; products of counts and 16-bit means have exact sums.
    ///
    /// # Panics
    /// If the blocks are others or of other widths.
    pub fn add_documents(&mut self, visible: &Array2<f32>, hidden: &Array2<f32>) {
        self.rows += visible.nrows() as u64;
        let [pairs, words, topics] = &mut self.sums[..] else { panic!("documents have three blocks") };
        let (pairs, words, topics) = (pairs.reals_mut(), words.reals_mut(), topics.reals_mut());
        assert_eq!((words.len(), topics.len()), (visible.ncols(), hidden.ncols()), "units of both layers");
        for (v, h) in visible.rows().into_iter().zip(hidden.rows()) {
            let h: Vec<f64> = h.iter().map(|&h| f64::from(h)).collect();
            let add = |sums: &mut [f64], times: f64| {
                sums.iter_mut().zip(&h).for_each(|(sum, h)| *sum += times * h);
            };
            let mut length = 0.0;
            for (word, &x) in v.iter().enumerate().filter(|(_, x)| **x != 0.0) {
                let x = f64::from(x);
                (words[word], length) = (words[word] + x, length + x);
                add(&mut pairs[word * h.len()..(word + 1) * h.len()], x);
            }
            add(topics, mutant!("B100", length, 1.0));
        }
    }

    /// Adds Σ x yᵀ to the last blocks, one for each y: `(n, lines)` and `(n, columns)`, of rows that were counted with their
    /// other statistics. Sums of bits and of 16-bit means are exact.
    ///
    /// # Panics
    /// If the blocks are others or of other widths.
    pub fn add_products(&mut self, x: &Array2<f32>, all: &[&Array2<f32>]) {
        let first = self.sums.len() - all.len();
        for (block, y) in self.sums[first..].iter_mut().zip(all) {
            add_pairs(block.reals_mut(), x, y);
        }
    }

    /// Lends the sums of a block of real values, for statistics of rows that were counted with others.
    ///
    /// # Panics
    /// If the block is of another kind.
    pub fn reals_mut(&mut self, block: usize) -> &mut [f64] {
        self.sums[block].reals_mut()
    }

    /// Gives the mean over rows of each entry of a block: the only division, in f32 as the gradient has it.
    pub fn means(&self, block: usize) -> Vec<f32> {
        if let Sums::Real(sums) = &self.sums[block] {
            return sums.iter().map(|sum| (sum / self.rows as f64) as f32).collect();
        }
        let scale = SCALE / self.rows as f32;
        let spin = block > 0 && self.signs[block - 1];
        let value = |mean: f32| if spin { 2.0 * mean - 1.0 } else { mean };
        self.sums[block].all().into_iter().map(|sum| value(sum as f32 * scale)).collect()
    }
}

/// Adds v hᵀ: blocks of rows one after the other, lines of the sum side by side.
fn add_pairs(sums: &mut [f64], visible: &Array2<f32>, hidden: &Array2<f32>) {
    let width = hidden.ncols();
    let (visible, hidden) = (visible.mapv(f64::from), hidden.mapv(f64::from));
    assert_eq!(sums.len(), visible.ncols() * width, "units of both layers");
    let tasks = visible.ncols().div_ceil(LINES);
    let parts = parallel::map(tasks, |task| {
        let lines = task * LINES..visible.ncols().min((task + 1) * LINES);
        let mut part: Vec<f64> = sums[lines.start * width..lines.end * width].to_vec();
        let blocks = visible.axis_chunks_iter(Axis(0), BLOCK).zip(hidden.axis_chunks_iter(Axis(0), BLOCK));
        blocks.for_each(|(v, h)| add_block(&mut part, v.slice(s![.., lines.clone()]), h));
        part
    });
    sums.copy_from_slice(&parts.concat());
}

#[allow(clippy::needless_pass_by_value)] // A view is passed by value wherever ndarray is at home.
fn add_block(sums: &mut [f64], visible: ArrayView2<'_, f64>, hidden: ArrayView2<'_, f64>) {
    sums.iter_mut().zip(visible.t().dot(&hidden).iter()).for_each(|(sum, x)| *sum += x);
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
    /// Gives real sums; none where the sums are integers.
    fn reals(&self) -> &[f64] {
        if let Self::Real(sums) = self { sums } else { &[] }
    }

    fn reals_mut(&mut self) -> &mut [f64] {
        let Self::Real(sums) = self else { panic!("statistics of real values") };
        sums
    }

    /// Gives integer sums; none where the sums are real.
    fn all(&self) -> Vec<i64> {
        match self {
            Self::Real(_) => Vec::new(),
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
            match self.bit_pairs(block) {
                Some(contrast) => drop(walk(contrast, [&mut tensor.values], &scales)),
                None => self.contrast_block(block, &mut tensor.values),
            }
        }
        if self.positive.signs != [false; 2] {
            self.turn_into_spins(gradient);
        }
    }

    /// Turns the contrast of bits into that of spins: with v = s t − o (s = 2, o = 1 for spins, else 1 and 0),
    /// ∂⟨v hᵀ⟩ = s s' ∂⟨t t'ᵀ⟩ − s o' ∂⟨t⟩ − o s' ∂⟨t'⟩, as constants contrast to nothing.
    fn turn_into_spins(&self, gradient: &mut Params) {
        let [weights, visible, hidden, ..] = gradient.tensors_mut() else { return };
        let [(s, o), (s1, o1)] = self.positive.signs.map(|spin| if spin { (2.0, 1.0) } else { (1.0, 0.0) });
        for (line, &t) in weights.values.chunks_mut(hidden.values.len()).zip(&visible.values) {
            let pairs = line.iter_mut().zip(&hidden.values);
            pairs.for_each(|(w, t1)| *w = s * s1 * *w - mutant!("B87", s * o1 * t, 0.0) - o * s1 * t1);
        }
        visible.values.iter_mut().for_each(|x| *x *= s);
        hidden.values.iter_mut().for_each(|x| *x *= s1);
    }

    /// Writes one block of the gradient from sums that are there.
    pub(crate) fn contrast_block(&self, block: usize, values: &mut [f32]) {
        if let (Sums::Real(p), Sums::Real(n)) = (&self.positive.sums[block], &self.negative.sums[block]) {
            let [rows, chains] = [self.positive.rows as f64, self.negative.rows as f64];
            let contrasts = p.iter().zip(n).map(|(p, n)| -(p / rows - n / chains) as f32);
            values.iter_mut().zip(contrasts).for_each(|(value, contrast)| *value = contrast);
            return;
        }
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
        self.bit_pairs(block).filter(|_| self.positive.signs == [false; 2])
    }

    /// Gives the pairs of bits whose contrast a block is, if it consists of nothing else; spins are left to be made of them.
    fn bit_pairs(&self, block: usize) -> Option<Contrast<'_>> {
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
