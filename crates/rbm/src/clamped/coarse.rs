//! Finds fine pixels below coarse ones: of each block of bits the sum is known, or a range of it, and v given h is drawn exactly
//! under that condition.

use std::borrow::Cow;
use std::sync::Arc;

use harmonium_core::units::{Input, Layer, Means, States, Unit};
use harmonium_core::{Batch, EnergyModel, Error, Key};
use harmonium_kernels::{BitMatrix, parallel};
use ndarray::{Array2, ArrayView2, Axis};
use ndarray_rand::rand::RngCore;

use super::known::Known;
use super::{Clamped, Clamping};
use crate::{Imputed, Rbm};

/// The most bits of a block.
const MOST: usize = 64;
/// What the logarithms of a block's odds may add up to, so that no product leaves the range of f64.
const RANGE: f64 = 600.0;

/// Divides images, row by row, into square blocks: the coarse pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coarse {
    blocks: Arc<Vec<Vec<usize>>>,
    features: usize,
}

impl Coarse {
    /// Divides images of `height` × `width` pixels into blocks of `side` × `side`.
    ///
    /// # Errors
    /// Refuses a side that does not divide both, and blocks of more than 64 pixels.
    pub fn new(height: usize, width: usize, side: usize) -> Result<Self, Error> {
        let divides =
            side > 0 && height > 0 && width > 0 && height.is_multiple_of(side) && width.is_multiple_of(side);
        if !divides || side * side > MOST {
            let expected = format!("1 to 8, a divisor of {height} and {width}");
            return Err(Error::option("side of a block", expected, side));
        }
        let corner = |block: usize| (block / (width / side) * side, block % (width / side) * side);
        let pixels = |block: usize| {
            let (top, left) = corner(block);
            (0..side * side).map(|at| (top + at / side) * width + left + at % side).collect()
        };
        let blocks = (0..height * width / (side * side)).map(pixels).collect();
        Ok(Self { blocks: Arc::new(blocks), features: height * width })
    }

    /// Gives the number of blocks.
    pub fn blocks(&self) -> usize {
        self.blocks.len()
    }

    /// Counts the bits of each block that are on: `(n, pixels) → (n, blocks)`.
    ///
    /// # Errors
    /// Refuses rows of another width, of other values than bits, and with missing ones.
    pub fn sums(&self, data: &Batch) -> Result<Array2<u16>, Error> {
        data.check_units("images", self.features)?;
        data.check_complete("images")?;
        let bits = data.bits()?;
        let sum = |(r, b): (usize, usize)| self.blocks[b].iter().map(|&f| u16::from(bits.get(r, f))).sum();
        Ok(Array2::from_shape_fn((data.rows(), self.blocks()), sum))
    }
}

impl Rbm {
    /// Clamps the sums of blocks of bits: `(n, blocks)`, the least and the most that each may be. One range of zero width is a
    /// coarse grey value, the upper half of all is a majority.
    ///
    /// # Errors
    /// Refuses other visible units than bits, other widths, and ranges without a sum in them.
    #[allow(clippy::needless_pass_by_value)] // A view is passed by value wherever ndarray is at home.
    pub fn refining<'a>(
        &'a self,
        coarse: &Coarse,
        least: ArrayView2<'_, u16>,
        most: ArrayView2<'_, u16>,
    ) -> Result<Clamped<'a>, Error> {
        if self.visible.bernoulli().is_none() {
            return Err(Error::shape("visible units", "bits", self.visible.units()));
        }
        if self.visible_units() != coarse.features {
            let (own, theirs) = (self.visible_units(), coarse.features);
            return Err(Error::shape("coarse images", format!("{own} pixels"), format!("{theirs}")));
        }
        check(coarse, &least, &most)?;
        let empty = Batch::from_bits(BitMatrix::zeros(least.nrows(), self.visible_units()))?;
        self.check_data(&empty)?;
        let sums = Sums { blocks: coarse.blocks.clone(), least: least.to_owned(), most: most.to_owned() };
        Ok(Clamped::new(self, Cow::Owned(empty), Known::Sums(sums)))
    }

    /// Computes p(v = 1 | sums of blocks) of every bit: `(n, blocks) → (n, visible)`. `key` is that of the seed.
    ///
    /// # Errors
    /// As [`Rbm::refining`]; refuses options out of range.
    #[allow(clippy::needless_pass_by_value)]
    pub fn refine(
        &self,
        coarse: &Coarse,
        sums: ArrayView2<'_, u16>,
        options: &Clamping,
        key: Key,
    ) -> Result<Imputed, Error> {
        self.refining(coarse, sums, sums)?.marginals(options, key, &mut |_| ())
    }
}

fn check(coarse: &Coarse, least: &ArrayView2<'_, u16>, most: &ArrayView2<'_, u16>) -> Result<(), Error> {
    let got = |x: &ArrayView2<'_, u16>| format!("{} x {}", x.nrows(), x.ncols());
    if least.dim() != most.dim() || least.ncols() != coarse.blocks() || least.nrows() == 0 {
        let expected = format!("rows of {} blocks", coarse.blocks());
        return Err(Error::shape("sums of blocks", expected, format!("{} and {}", got(least), got(most))));
    }
    let wrong = |&((_, b), &low): &((usize, usize), &u16), high: u16| {
        low > high || usize::from(low) > coarse.blocks[b].len()
    };
    match least.indexed_iter().find(|at| wrong(at, most[at.0])) {
        Some(((row, block), low)) => {
            let expected = format!("least ≤ most, and at most {}", coarse.blocks[block].len());
            let got = format!("{low} to {}", most[(row, block)]);
            Err(Error::value("sums of blocks", format!("row {row}, block {block}"), expected, got))
        }
        None => Ok(()),
    }
}

/// Holds what the sums of blocks of bits are.
#[derive(Clone, Debug)]
pub(super) struct Sums {
    blocks: Arc<Vec<Vec<usize>>>,
    least: Array2<u16>,
    most: Array2<u16>,
}

impl Sums {
    pub(super) fn rows(&self) -> usize {
        self.least.nrows()
    }

    pub(super) fn gather(&self, rows: &[usize]) -> Self {
        let [least, most] = [&self.least, &self.most].map(|x| x.select(Axis(0), rows));
        Self { blocks: self.blocks.clone(), least, most }
    }

    /// Draws bits given their input and the sums of their blocks: of each block first its sum, then one bit after the other.
    pub(super) fn draw(&self, layer: &Layer, input: &Input<'_>, key: Key) -> (States, Means) {
        let (values, width) = (input.values(), layer.features());
        let rows = parallel::map(self.rows(), |row| {
            let line = &values[row * width..(row + 1) * width];
            let mut words = key.stream(row as u64);
            let (mut on, mut codes) = (vec![false; width], vec![0_u16; width]);
            for (block, units) in self.blocks.iter().enumerate() {
                let weights = Weights::new(units.iter().map(|&f| f64::from(line[f] + layer.bias()[f])));
                let range = [self.least[(row, block)], self.most[(row, block)]].map(usize::from);
                let (drawn, means) = weights.draw(range, &mut || uniform(words.next_u32()));
                for ((&f, drawn), mean) in units.iter().zip(drawn).zip(means) {
                    on[f] = drawn;
                    codes[f] = (mean * 65_536.0).round_ties_even().clamp(0.0, 65_535.0) as u16;
                }
            }
            (on, codes)
        });
        let bits = BitMatrix::from_fn(rows.len(), width, |r, f| rows[r].0[f]);
        (bits.into(), Means::Codes(rows.into_iter().flat_map(|(_, codes)| codes).collect()))
    }
}

fn uniform(word: u32) -> f64 {
    f64::from(word >> 8) / 16_777_216.0
}

/// Holds the law of the bits of a block, each of which has odds of e^a.
struct Weights {
    /// ln of the sum of the products of k of the odds.
    logs: Vec<f64>,
    /// `on[i][k]`, the probability that bit i is on where k of the bits from i on are.
    on: Vec<Vec<f64>>,
}

impl Weights {
    fn new(activations: impl Iterator<Item = f64>) -> Self {
        let a: Vec<f64> = activations.collect();
        let [low, high] =
            a.iter().fold([f64::INFINITY, f64::NEG_INFINITY], |[l, h], &x| [l.min(x), h.max(x)]);
        let centre = f64::midpoint(low, high);
        let fits = (high - centre) * a.len() as f64 <= RANGE;
        if mutant!("B355", fits, true) { Self::of_products(&a, centre) } else { Self::of_logarithms(&a) }
    }

    /// Adds up products of odds, all divided by e^centre.
    fn of_products(a: &[f64], centre: f64) -> Self {
        let odds: Vec<f64> = a.iter().map(|x| libm::exp(x - centre)).collect();
        let below = table(a.len(), 1.0, 0.0, |i, more, less| more + odds[i] * less);
        let logs = below[0].iter().enumerate().map(|(k, x)| libm::log(*x) + k as f64 * centre).collect();
        let on = |i: usize, k: usize| odds[i] * below[i + 1][k - 1] / below[i][k];
        Self { logs, on: shares(a.len(), on) }
    }

    /// Adds up logarithms, where products would leave the range of f64: slower.
    fn of_logarithms(a: &[f64]) -> Self {
        let mut below = table(a.len(), 0.0, f64::NEG_INFINITY, |i, more, less| log_add(more, a[i] + less));
        let on = |i: usize, k: usize| libm::exp(a[i] + below[i + 1][k - 1] - below[i][k]);
        let on = shares(a.len(), on);
        Self { logs: below.swap_remove(0), on }
    }

    /// Gives p(sum = k) for each k of a range.
    fn sums(&self, [least, most]: [usize; 2]) -> Vec<f64> {
        let logs = &self.logs[least..=most.min(self.on.len())];
        let top = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let weights: Vec<f64> = logs.iter().map(|x| libm::exp(x - top)).collect();
        let total: f64 = weights.iter().sum();
        weights.into_iter().map(|w| w / total).collect()
    }

    /// Draws bits whose sum lies in a range; gives their means under this condition too.
    fn draw(&self, range: [usize; 2], uniform: &mut dyn FnMut() -> f64) -> (Vec<bool>, Vec<f64>) {
        let m = self.on.len();
        let sums = self.sums(range);
        let mut u = uniform();
        let within = sums.iter().take(sums.len() - 1).take_while(|&&p| {
            let past = u >= p;
            u -= if past { p } else { 0.0 };
            past
        });
        let mut left = range[0] + within.count();
        let drawn = (0..m).map(|i| {
            let on = uniform() < self.on[i][mutant!("B294", left, left.min(1))];
            left -= usize::from(on);
            on
        });
        let drawn = drawn.collect();
        // How likely each number of bits is still to come.
        let mut to_come = vec![0.0; m + 1];
        to_come[range[0]..range[0] + sums.len()].copy_from_slice(&sums);
        let means = (0..m).map(|i| {
            let moved: Vec<f64> =
                (0..=m).map(|k| to_come[k] * if k <= m - i { self.on[i][k] } else { 0.0 }).collect();
            for k in 0..=m {
                to_come[k] += moved.get(k + 1).copied().unwrap_or(0.0) - moved[k];
            }
            moved.iter().sum()
        });
        (drawn, means.collect())
    }
}

/// Gives the sums of the products of k of the odds of bits i and on, `below[i][k]` for k up to m − i: of none it is `one`.
fn table(m: usize, one: f64, zero: f64, add: impl Fn(usize, f64, f64) -> f64) -> Vec<Vec<f64>> {
    let mut below = vec![vec![zero; m + 1]; m + 1];
    below[m][0] = one;
    for i in (0..m).rev() {
        below[i][0] = one;
        for k in 1..=m - i {
            below[i][k] = add(i, below[i + 1][k], below[i + 1][k - 1]);
        }
    }
    below
}

fn shares(m: usize, on: impl Fn(usize, usize) -> f64) -> Vec<Vec<f64>> {
    let of = |i: usize| (0..=m - i).map(|k| if k == 0 { 0.0 } else { on(i, k) }).collect();
    (0..m).map(of).collect()
}

/// Computes ln(e^a + e^b).
fn log_add(a: f64, b: f64) -> f64 {
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    if low == f64::NEG_INFINITY { high } else { high + libm::log1p(libm::exp(low - high)) }
}
