//! Models bags of words by replicated softmax units: E(v, h) = −v·W·h − b·v − D a·h, D = Σ_k v_k (Hinton & Salakhutdinov 2009,
//! eqs. 1 to 5).
//!
//! A row counts the words of a document of D tokens; the hidden biases are multiplied with D, and given h the D tokens are drawn
//! from one softmax. Each length has a partition function of its own, Z_D = Σ_h e^(D g(h)) with g(h) = ln Σ_k e^(b_k + W_k·h) +
//! a·h: a sum over sequences of tokens, of which D!/Π v_k! have the same counts v. So D is the inverse temperature of a law over
//! h, and annealing can pass through all lengths in one go.

mod evaluate;
mod file;
mod model;
mod path;
mod topics;
mod view;

pub use evaluate::Perplexity;
pub use path::LengthPath;
pub use view::ReplicatedView;

use harmonium_core::rows::read_range;
use harmonium_core::units::{Unit, Units};
use harmonium_core::{Batch, Error, HasParams, Key, Rows};

use crate::Rbm;

/// The most tokens of a document.
pub const MAX_LENGTH: u32 = 1_000_000;

/// The most lengths that are kept for fresh chains.
const KEPT: usize = 1000;

/// Documents that are looked at in one go.
const BLOCK: usize = 64;

/// Is a replicated softmax: a restricted Boltzmann machine over counts of words whose sum is given, with Bernoulli hidden units,
/// the topics. Rows are documents, one column a word; each row brings its own length, the sum of its counts.
///
/// ```
/// use harmonium_core::{Batch, Key, train::{Cd, Fit, Silent, fit}};
/// use harmonium_rbm::ReplicatedSoftmax;
/// use ndarray::array;
/// let data = Batch::reals(array![[3.0, 2.0, 0.0], [0.0, 1.0, 4.0], [5.0, 1.0, 0.0]])?;
/// let mut model = ReplicatedSoftmax::for_data(&data, 2, Key::from_seed(1))?;
/// fit(&mut model, &data, &mut Cd::new(1), &Fit::default(), Key::from_seed(1), &mut Silent)?;
/// assert_eq!(model.transform(&data)?.dim(), (3, 2));
/// # Ok::<(), harmonium_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ReplicatedSoftmax {
    /// W, b and a, and the base of annealing. By itself it has Poisson units, whose sum is not given.
    rbm: Rbm,
    /// Lengths that fresh chains choose from, in their order.
    lengths: Vec<u32>,
}

impl ReplicatedSoftmax {
    /// Makes a model from the weights and biases of a machine of Poisson and Bernoulli units, and from the lengths that fresh
    /// chains choose from; of more than 1,000, so many are kept evenly.
    ///
    /// # Errors
    /// Refuses other units, no lengths, and lengths outside 1 to [`MAX_LENGTH`].
    pub fn from_rbm(rbm: Rbm, lengths: &[u32]) -> Result<Self, Error> {
        let (visible, hidden) = (rbm.visible().units(), rbm.hidden().units());
        if !matches!((&visible, &hidden), (Units::Poisson(_), Units::Bernoulli(_))) {
            let got = format!("{visible} and {hidden}");
            return Err(Error::shape("replicated softmax", "Poisson and Bernoulli units", got));
        }
        check_lengths(lengths)?;
        let mut sorted = lengths.to_vec();
        sorted.sort_unstable();
        let n = sorted.len().min(KEPT);
        let lengths = (0..n).map(|i| sorted[(2 * i + 1) * sorted.len() / (2 * n)]).collect();
        Ok(Self { rbm, lengths })
    }

    /// Makes a model with small random weights and zero biases, for documents of these lengths.
    ///
    /// # Errors
    /// As [`Rbm::new`] and [`ReplicatedSoftmax::from_rbm`].
    pub fn new(words: usize, hidden: usize, lengths: &[u32], key: Key) -> Result<Self, Error> {
        Self::from_rbm(Rbm::new(Units::Poisson(words), Units::Bernoulli(hidden), key)?, lengths)
    }

    /// Makes a model for documents, `(n, words)`: small random weights, the words' shares with one more token of each (add-one)
    /// as biases and as the base of annealing, and the documents' lengths; each document counts as often as its weight says.
    ///
    /// # Errors
    /// As [`Rbm::new`]; refuses values that are no counts and documents of more than [`MAX_LENGTH`] tokens, and says what
    /// could not be read.
    pub fn for_data(data: &dyn Rows, hidden: usize, key: Key) -> Result<Self, Error> {
        let units = Units::Poisson(data.units());
        let (mut sums, mut lengths) = (vec![1.0_f64; data.units()], Vec::new());
        for start in (0..data.rows()).step_by(BLOCK) {
            let block = read_range(data, start..data.rows().min(start + BLOCK))?;
            check_documents(&block, &units)?;
            for (at, row) in block.states().expect_reals().rows().into_iter().enumerate() {
                let weights = mutant!("B203", data.weights(), None::<&[f32]>);
                let weight = weights.map_or(1.0, |weights| f64::from(weights[start + at]));
                lengths.push((row.sum() as u32, weight));
                sums.iter_mut().zip(row).for_each(|(sum, &x)| *sum += weight * f64::from(x));
            }
        }
        let total: f64 = sums.iter().sum();
        let bias: Vec<f32> = sums.iter().map(|sum| libm::log(sum / total) as f32).collect();
        let mut rbm = Rbm::new(units.clone(), Units::Bernoulli(hidden), key)?;
        rbm.blocks_mut()[1].values.copy_from_slice(&bias);
        rbm.set_base(units.layer(bias))?;
        lengths.retain(|&(length, weight)| length > 0 && weight > 0.0);
        Self::from_rbm(rbm, &evenly(lengths))
    }

    /// Gives the machine that holds W, b and a. By itself it does not know that the sum of a row is given.
    pub fn rbm(&self) -> &Rbm {
        &self.rbm
    }

    /// Gives the number of words.
    pub fn words(&self) -> usize {
        self.rbm.visible_units()
    }

    /// Gives the number of hidden units, the topics.
    pub fn hidden_units(&self) -> usize {
        self.rbm.hidden_units()
    }

    /// Gives the lengths that fresh chains choose from, in their order.
    pub fn lengths(&self) -> &[u32] {
        &self.lengths
    }

    /// Gives a, the hidden biases of one token.
    fn hidden_bias(&self) -> &[f32] {
        self.rbm.hidden().bias()
    }
}

/// Keeps lengths evenly, at most [`KEPT`] of them: as if each stood there as often as its weight says.
fn evenly(mut weighted: Vec<(u32, f64)>) -> Vec<u32> {
    weighted.sort_by_key(|(length, _)| *length);
    let total: f64 = weighted.iter().map(|(_, weight)| weight).sum();
    // At least one, of rows whose weights come to less than half a row.
    let n = (total.round() as usize).clamp(usize::from(!weighted.is_empty()), KEPT);
    let (mut at, mut sum) = (0, 0.0);
    let mut kept = |i: usize| {
        let target = (2 * i + 1) as f64 * total / (2 * n) as f64;
        while at + 1 < weighted.len() && sum + weighted[at].1 <= target {
            sum += weighted[at].1;
            at += 1;
        }
        weighted[at].0
    };
    (0..n).map(&mut kept).collect()
}

/// Refuses no lengths, and lengths outside 1 to [`MAX_LENGTH`].
fn check_lengths(lengths: &[u32]) -> Result<(), Error> {
    let expected = format!("1 to {MAX_LENGTH} tokens");
    if lengths.is_empty() {
        return Err(Error::value("lengths", "", expected, "no document"));
    }
    match lengths.iter().position(|length| !(1..=MAX_LENGTH).contains(length)) {
        Some(at) => Err(Error::value("lengths", format!("document {at}"), expected, lengths[at])),
        None => Ok(()),
    }
}

/// Refuses rows that are no counts, with missing values, or longer than [`MAX_LENGTH`].
fn check_documents(data: &Batch, units: &Units) -> Result<(), Error> {
    data.check_kind("data", units)?;
    data.check_complete("data")?;
    let tokens =
        |row: usize| data.states().expect_reals().row(row).iter().map(|&x| f64::from(x)).sum::<f64>();
    match (0..data.rows()).find(|&row| tokens(row) > f64::from(MAX_LENGTH)) {
        Some(row) => {
            let expected = format!("at most {MAX_LENGTH} tokens");
            Err(Error::value("data", format!("row {row}"), expected, tokens(row)))
        }
        None => Ok(()),
    }
}
