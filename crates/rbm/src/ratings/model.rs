//! Holds the parameters of a machine of ratings, and makes one for a set of ratings.

use harmonium_core::data::{Ratings, Scale};
use harmonium_core::params::{Block, BlockMut};
use harmonium_core::persist::digest;
use harmonium_core::{Error, HasParams, Key, purpose};
use ndarray::Array1;
use ndarray_rand::RandomExt;
use ndarray_rand::rand_distr::Uniform;
use rayon::prelude::*;

use super::expand::{basis, product, spread};
use super::{Biases, RatingsOptions};

/// Half the width of the uniform initial weights.
const INITIAL: f32 = 0.05;
/// Ratings of the whole set that stand behind the first biases of an item.
const PRIOR: f32 = 10.0;
/// The most weights of levels: 8 GiB.
const MAX_WEIGHTS: usize = 1 << 31;

/// Is a restricted Boltzmann machine of ratings; see the head of the module for its energy.
///
/// ```
/// use harmonium_core::{Key, data::{Ratings, ReadRatings, Scale}};
/// use harmonium_rbm::ratings::{RatingsFit, RatingsOptions, RatingsRbm, fit_ratings};
/// use std::ops::ControlFlow::Continue;
/// let text = "ann,apple,5\nann,plum,1\nbob,apple,4\ncem,plum,2\ncem,pear,5\n";
/// let ratings = Ratings::parse("text", text, Scale::default(), &ReadRatings::default())?;
/// let mut rbm = RatingsRbm::for_data(&ratings, RatingsOptions { hidden: 4, ..Default::default() }, Key::from_seed(1))?;
/// fit_ratings(&mut rbm, &ratings, &RatingsFit::default(), Key::from_seed(1), &mut |_| Continue(()))?;
/// // Bob has rated one item; the machine expects a rating of each of the others.
/// let bob = ratings.rows().row(ratings.user("bob")? as usize).to_vec();
/// assert!((1.0..=5.0).contains(&rbm.expected(&bob, 1)?));
/// # Ok::<(), harmonium_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct RatingsRbm {
    pub(super) options: RatingsOptions,
    pub(super) scale: Scale,
    pub(super) names: Vec<String>,
    /// Kept weights, `(items · M, hidden)`, or A, `(items · M, rank)`.
    pub(super) kept: Vec<f32>,
    /// B, `(rank, hidden)`; empty without factors.
    pub(super) loadings: Vec<f32>,
    /// b, `(items, K)`.
    pub(super) bias: Vec<f32>,
    /// c.
    pub(super) hidden_bias: Vec<f32>,
    /// D, `(items, hidden)`; empty without the conditional term.
    pub(super) conditional: Vec<f32>,
    /// The mean rating of each item, from which the lateral coupling counts.
    pub(super) centres: Vec<f32>,
    /// Makes K levels of M kept weights, `(K, M)`.
    pub(super) basis: Vec<f32>,
    /// W, `(items, K, hidden)`.
    pub(super) weights: Vec<f32>,
}

impl RatingsRbm {
    /// Makes a machine for ratings, with a visible unit for each item: small random weights, biases at the logarithms of how often an item
    /// gets its levels, and the items' means.
    ///
    /// # Errors
    /// Refuses options out of range, and more weights than 2³¹.
    pub fn for_data(ratings: &Ratings, options: RatingsOptions, key: Key) -> Result<Self, Error> {
        let mut rbm = Self::blank(ratings.scale(), ratings.items().to_vec(), options)?;
        let draw = |n: usize, half: f32, stream: u64| -> Result<Vec<f32>, Error> {
            let range =
                Uniform::new(-half, half).map_err(|e| Error::option("initial weights", "a range", e))?;
            let mut stream = key.fold_in(purpose::INIT).stream(stream);
            Ok(Array1::random_using(n, range, &mut stream).to_vec())
        };
        if rbm.options.rank == 0 {
            rbm.kept = draw(rbm.kept.len(), INITIAL, 0)?;
        } else {
            // Their product spreads as whole weights do: Var = rank · Var A · Var B.
            let half = (3.0_f32.sqrt() * INITIAL / (rbm.options.rank as f32).sqrt()).sqrt();
            rbm.kept = draw(rbm.kept.len(), half, 0)?;
            rbm.loadings = draw(rbm.loadings.len(), half, 1)?;
        }
        rbm.bias = frequencies(ratings);
        let lateral = rbm.options.lateral;
        let biases = Biases::fit(ratings, [if lateral > 0.0 { lateral } else { 15.0 }, 15.0])?;
        rbm.centres = biases.items.iter().map(|b| (biases.mean + b) as f32).collect();
        rbm.refresh();
        Ok(rbm)
    }

    /// Makes a machine whose parameters are all 0.
    pub(super) fn blank(scale: Scale, names: Vec<String>, options: RatingsOptions) -> Result<Self, Error> {
        scale.check()?;
        options.check()?;
        let (items, hidden) = (names.len(), options.hidden);
        let weights = items.checked_mul(scale.levels).and_then(|n| n.checked_mul(hidden));
        if weights.is_none_or(|n| n > MAX_WEIGHTS || n == 0) {
            let got = format!("{items} × {} × {hidden}", scale.levels);
            return Err(Error::shape("weights", "at most 2³¹ for items × levels × hidden units", got));
        }
        let basis = basis(&options.levels, scale.levels);
        let (m, width) = (basis.len() / scale.levels, options.width());
        if options.rank.saturating_mul(items * m + hidden) > MAX_WEIGHTS {
            let got = format!("{} × ({items} × {m} + {hidden})", options.rank);
            return Err(Error::shape(
                "factors",
                "at most 2³¹ for rank × (items × degrees + hidden units)",
                got,
            ));
        }
        Ok(Self {
            kept: vec![0.0; items * m * width],
            loadings: vec![0.0; options.rank * hidden],
            bias: vec![0.0; items * scale.levels],
            hidden_bias: vec![0.0; hidden],
            conditional: vec![0.0; if options.conditional { items * hidden } else { 0 }],
            centres: vec![0.0; items],
            basis,
            weights: vec![0.0; items * scale.levels * hidden],
            options,
            scale,
            names,
        })
    }

    /// Gives the options that the machine was made with.
    pub fn options(&self) -> &RatingsOptions {
        &self.options
    }

    /// Gives the scale of its ratings.
    pub fn scale(&self) -> Scale {
        self.scale
    }

    /// Gives the names of the items.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Gives W, `(items, levels, hidden)`, row-major.
    pub fn weights(&self) -> &[f32] {
        &self.weights
    }

    /// Gives the means of the items, from which the lateral coupling counts.
    pub fn centres(&self) -> &[f32] {
        &self.centres
    }

    /// Gives the number of items.
    pub fn items(&self) -> usize {
        self.names.len()
    }

    /// Gives the number of kept weights of an item and a hidden unit.
    pub(super) fn kept_levels(&self) -> usize {
        self.basis.len() / self.scale.levels
    }

    /// Gives the kept weights themselves, `(items · M, hidden)`.
    fn whole(&self) -> std::borrow::Cow<'_, [f32]> {
        match self.options.rank {
            0 => (&self.kept[..]).into(),
            rank => product(&self.kept, &self.loadings, rank, self.options.hidden).into(),
        }
    }

    /// Computes W anew.
    fn expand(&mut self) {
        let (hidden, m, k) = (self.options.hidden, self.kept_levels(), self.scale.levels);
        let whole = self.whole().into_owned();
        let items = self.weights.par_chunks_mut(k * hidden).zip(whole.par_chunks(m * hidden));
        items.for_each(|(out, kept)| {
            out.fill(0.0);
            spread(&self.basis, kept, out, hidden);
        });
    }
}

/// Computes the logarithms of how often each item gets its levels, with some ratings of the whole set behind them.
fn frequencies(ratings: &Ratings) -> Vec<f32> {
    let (k, items) = (ratings.scale().levels, ratings.items().len());
    let (mut all, mut of_items) = (vec![1.0_f32; k], vec![0.0_f32; items * k]);
    for rating in ratings.each() {
        all[usize::from(rating.level)] += 1.0;
        of_items[rating.item as usize * k + usize::from(rating.level)] += 1.0;
    }
    let total: f32 = all.iter().sum();
    for item in of_items.chunks_exact_mut(k) {
        let n: f32 = item.iter().sum();
        let prior = all.iter().map(|count| PRIOR * count / total);
        item.iter_mut().zip(prior).for_each(|(x, prior)| *x = libm::logf((*x + prior) / (n + PRIOR)));
    }
    of_items
}

impl HasParams for RatingsRbm {
    fn blocks(&self) -> Vec<Block<'_>> {
        let (hidden, k, rank) = (self.options.hidden, self.scale.levels, self.options.rank);
        let width = self.options.width();
        let mut out = vec![
            Block { name: "weights", shape: vec![self.kept.len() / width, width], values: &self.kept },
            Block { name: "bias", shape: vec![self.items() * k], values: &self.bias },
            Block { name: "hidden_bias", shape: vec![hidden], values: &self.hidden_bias },
        ];
        if !self.conditional.is_empty() {
            let shape = vec![self.items(), hidden];
            out.push(Block { name: "conditional", shape, values: &self.conditional });
        }
        if !self.loadings.is_empty() {
            out.push(Block { name: "loadings", shape: vec![rank, hidden], values: &self.loadings });
        }
        out
    }

    fn blocks_mut(&mut self) -> Vec<BlockMut<'_>> {
        let mut out = vec![
            BlockMut { name: "weights", values: &mut self.kept },
            BlockMut { name: "bias", values: &mut self.bias },
            BlockMut { name: "hidden_bias", values: &mut self.hidden_bias },
        ];
        if !self.conditional.is_empty() {
            out.push(BlockMut { name: "conditional", values: &mut self.conditional });
        }
        if !self.loadings.is_empty() {
            out.push(BlockMut { name: "loadings", values: &mut self.loadings });
        }
        out
    }

    fn follow(&mut self, _largest: &[f32]) {
        self.expand();
    }

    fn digest(&self) -> String {
        let blocks = self.blocks();
        let centres = [self.items()];
        let entries = blocks.iter().map(|b| (b.name, &b.shape[..], b.values));
        let all = entries.chain([("centres", &centres[..], &self.centres[..])]);
        digest(&all.collect::<Vec<_>>(), 0)
    }
}
