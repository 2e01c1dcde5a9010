//! Computes what a row of ratings says to the hidden units and to each level of an item.

use harmonium_core::Error;
use harmonium_kernels::softmax;

use super::expand::add;
use super::{HiddenKind, RatingsRbm};

/// Terms of a product of numbers in 1..2 that stays finite in f32 lanes of eight.
const BLOCK: usize = 512;

/// Is one rating of a row: the item and the level.
pub(super) type Pair = (u32, u8);

impl RatingsRbm {
    /// Refuses rows that are not in the order of items, each once, or that name items or levels which are not there.
    ///
    /// # Errors
    /// Names the place in the row.
    pub fn check_row(&self, row: &[Pair]) -> Result<(), Error> {
        for (at, &(item, level)) in row.iter().enumerate() {
            let place = || format!("rating {at}");
            if item as usize >= self.items() || usize::from(level) >= self.scale.levels {
                let expected = format!("an item below {}, a level below {}", self.items(), self.scale.levels);
                return Err(Error::value("row", place(), expected, format!("{item}, {level}")));
            }
            if at > 0 && row[at - 1].0 >= item {
                return Err(Error::value("row", place(), "items in rising order, each once", item));
            }
        }
        Ok(())
    }

    /// Computes g for a row of `n` ratings.
    pub(super) fn gain(&self, n: usize) -> f32 {
        let damping = self.options.damping;
        if damping > 0.0 { 1.0 / (1.0 + n as f32 / damping).sqrt() } else { 1.0 }
    }

    /// Computes what ratings say to the hidden units, biases included: c + g Σ W + g Σ D. A missing rating says nothing.
    pub(super) fn hidden_input(&self, row: &[Pair], g: f32) -> Vec<f32> {
        let mut input = self.hidden_bias.clone();
        for &(item, level) in row {
            add(&mut input, self.weight(item, level), g);
            self.known(&mut input, item, g);
        }
        let missing = mutant!("B279", 0..0, 0..self.items() as u32);
        for item in missing.filter(|item| row.binary_search_by_key(item, |pair| pair.0).is_err()) {
            add(&mut input, self.weight(item, 0), g);
        }
        input
    }

    /// Adds what it says that an item is known to be rated.
    pub(super) fn known(&self, input: &mut [f32], item: u32, g: f32) {
        if !self.conditional.is_empty() {
            add(input, self.condition(item), g);
        }
    }

    /// Gives the weights of a level of an item.
    pub(super) fn weight(&self, item: u32, level: u8) -> &[f32] {
        let at = (item as usize * self.scale.levels + usize::from(level)) * self.options.hidden;
        &self.weights[at..at + self.options.hidden]
    }

    /// Gives the conditional weights of an item.
    pub(super) fn condition(&self, item: u32) -> &[f32] {
        &self.conditional[item as usize * self.options.hidden..][..self.options.hidden]
    }

    /// Gives s of a rating: how far it lies above its item's mean.
    pub(super) fn above(&self, item: u32, level: usize) -> f32 {
        self.scale.value(level) - self.centres[item as usize]
    }

    /// Adds up s over ratings.
    pub(super) fn pull(&self, row: &[Pair]) -> f32 {
        row.iter().map(|&(item, level)| self.above(item, usize::from(level))).sum()
    }

    /// Gives the lateral coupling of an item with ratings whose s add up to `pull`, in a row of `n` with the item.
    pub(super) fn lateral(&self, pull: f32, n: usize) -> f32 {
        let lateral = self.options.lateral;
        if lateral > 0.0 { pull / ((n - 1) as f32 + lateral) } else { 0.0 }
    }

    /// Computes ln p of an item's levels up to a constant, all hidden states summed up: b + s · coupling + Σ_j cgf_j. `input` is what the others
    /// say. Leaves the hidden means under each level, `(K, hidden)`.
    pub(super) fn scores(
        &self,
        item: u32,
        input: &[f32],
        g: f32,
        coupling: f32,
        work: &mut Work,
    ) -> Vec<f64> {
        let (k, hidden) = (self.scale.levels, self.options.hidden);
        for level in 0..k {
            let out = &mut work.means[level * hidden..(level + 1) * hidden];
            let weights = self.weight(item, level as u8);
            out.iter_mut().zip(input.iter().zip(weights)).for_each(|(x, (a, w))| *x = a + g * w);
        }
        let sums = activate(self.options.kind, work, hidden);
        let bias = &self.bias[item as usize * k..][..k];
        let score = |(level, sum)| {
            sum + f64::from(bias[level]) + f64::from(coupling) * f64::from(self.above(item, level))
        };
        sums.into_iter().enumerate().map(score).collect()
    }

    /// Makes room for [`RatingsRbm::scores`].
    pub(super) fn work(&self) -> Work {
        let size = self.scale.levels * self.options.hidden;
        Work { means: vec![0.0; size], odds: vec![0.0; size + 1] }
    }
}

/// Holds activations that become means, and e^−|x| of them behind a leading 0.
pub(super) struct Work {
    pub(super) means: Vec<f32>,
    odds: Vec<f32>,
}

impl Work {
    /// Takes activations as they are.
    pub(super) fn of(means: Vec<f32>) -> Self {
        Self { odds: vec![0.0; means.len() + 1], means }
    }
}

/// Replaces activations by means, and adds up the cgf over each run of `hidden` units.
pub(super) fn activate(kind: HiddenKind, work: &mut Work, hidden: usize) -> Vec<f64> {
    if kind == HiddenKind::Gaussian {
        return work
            .means
            .chunks_exact(hidden)
            .map(|x| x.iter().map(|&x| 0.5 * f64::from(x * x)).sum())
            .collect();
    }
    work.odds[0] = 0.0;
    work.odds[1..].iter_mut().zip(&work.means).for_each(|(e, x)| *e = -x.abs());
    // With a leading 0 as the largest of one unit, odds are exponentials.
    let classes = work.odds.len();
    softmax::odds(&mut work.odds, classes);
    let runs = work.means.chunks_exact_mut(hidden).zip(work.odds[1..].chunks_exact(hidden));
    runs.map(|(x, e)| {
        let sum = softplus(x, e);
        x.iter_mut().zip(e).for_each(|(x, &e)| *x = if *x >= 0.0 { 1.0 } else { e } / (1.0 + e));
        sum
    })
    .collect()
}

/// Adds up ln(1 + e^x) = max(x, 0) + ln(1 + e^−|x|), with one logarithm for a block of products.
fn softplus(x: &[f32], e: &[f32]) -> f64 {
    let blocks = x.chunks(BLOCK).zip(e.chunks(BLOCK));
    blocks
        .map(|(x, e)| {
            let (mut sums, mut products) = ([0.0_f32; 8], [1.0_f32; 8]);
            for (x, e) in x.chunks(8).zip(e.chunks(8)) {
                sums.iter_mut().zip(x).for_each(|(sum, x)| *sum += x.max(0.0));
                products.iter_mut().zip(e).for_each(|(product, e)| *product *= 1.0 + e);
            }
            let sum: f64 = sums.iter().map(|&x| f64::from(x)).sum();
            sum + libm::log(products.iter().map(|&x| f64::from(x)).product())
        })
        .sum()
}

/// Makes probabilities of scores.
pub(super) fn softmax_of(scores: &[f64]) -> Vec<f64> {
    let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let odds: Vec<f64> = scores.iter().map(|s| libm::exp(s - most)).collect();
    let total: f64 = odds.iter().sum();
    odds.into_iter().map(|o| o / total).collect()
}
