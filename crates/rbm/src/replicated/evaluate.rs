//! Evaluates topics on held-out documents: ln Z_D of every length, exactly or by annealing, and the perplexity of a word.

use std::fmt;

use harmonium_core::evaluate::{Ais, AisEstimate, Interval, LogSumExp};
use harmonium_core::units::States;
use harmonium_core::{Batch, EnergyModel, Error, Key};
use harmonium_kernels::{BitMatrix, parallel};
use serde::{Deserialize, Serialize};

use super::view::lengths_of;
use super::{ReplicatedSoftmax, ReplicatedView, check_lengths};

/// The most terms e^(b_k + W_k·h) of an enumeration.
const MAX_TERMS: f64 = 1e10;

/// Hidden states of one task, 2^6.
const BLOCK: u32 = 6;

/// Holds the perplexity of a word, e^(−Σ ln p / Σ D): documents as sequences of tokens, sums over documents.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Perplexity {
    /// The perplexity.
    pub per_word: f64,
    /// Its interval, from those of ln Z_D alone, all at one end; both ends are equal where ln Z_D is exact.
    pub interval: Interval,
    /// The smallest effective number of runs of a length; infinite where ln Z_D is exact.
    pub ess: f64,
    /// Documents.
    pub documents: usize,
    /// Tokens of all documents.
    pub tokens: u64,
}

impl fmt::Display for Perplexity {
    /// Says the perplexity, and never an estimate without its interval.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self { per_word, ess, .. }, Interval { low, high }) = (self, self.interval);
        if ess.is_infinite() {
            return write!(f, "perplexity {per_word:.1}, exact");
        }
        write!(f, "perplexity {per_word:.1}, 3σ [{low:.1}, {high:.1}], effective runs {ess:.0}")
    }
}

impl ReplicatedSoftmax {
    /// Computes ln Z_D of each of these lengths exactly, in nats, by enumerating the hidden states once: Z_D = Σ_h e^(D g(h)).
    ///
    /// # Errors
    /// Refuses lengths out of range, and models with more than 10¹⁰ words times hidden states.
    pub fn log_z(&self, lengths: &[u32]) -> Result<Vec<f64>, Error> {
        check_lengths(lengths)?;
        let hidden = self.hidden_units() as u32;
        let terms = libm::exp2(f64::from(hidden)) * self.words() as f64;
        if terms > MAX_TERMS {
            let expected = format!("at most {MAX_TERMS:e} words times hidden states");
            return Err(Error::shape("exact enumeration", expected, format!("{terms:e}")));
        }
        let block = BLOCK.min(hidden);
        let parts = parallel::map(1 << (hidden - block), |task| {
            let gains = self.view().gains(&listed((task as u64) << block, 1 << block, hidden as usize));
            let sum =
                |&length: &u32| gains.iter().map(|g| f64::from(length) * g).collect::<LogSumExp>().value();
            lengths.iter().map(sum).collect::<Vec<f64>>()
        });
        let sum = |at: usize| parts.iter().map(|part| part[at]).collect::<LogSumExp>().value();
        Ok((0..lengths.len()).map(sum).collect())
    }

    /// Computes the perplexity of a word of the base, in which words are drawn alone (the unigram model).
    ///
    /// # Errors
    /// Refuses rows of another width and rows without a word.
    pub fn base_perplexity(&self, data: &Batch) -> Result<Perplexity, Error> {
        self.check_data(data)?;
        let lengths = lengths_of(data.states());
        check_lengths(&lengths)?;
        let view = ReplicatedView::annealed(self, 0.0);
        let hidden = self.hidden_units() as f64 * std::f64::consts::LN_2;
        let of = |length: u32| exact(f64::from(length) * view.log_alone() + hidden);
        Ok(perplexity(&view, data, &lengths.into_iter().map(of).collect::<Vec<_>>()))
    }

    /// Computes the perplexity of a word exactly.
    ///
    /// # Errors
    /// As [`ReplicatedSoftmax::log_z`]; refuses rows of another width and rows without a word.
    pub fn exact_perplexity(&self, data: &Batch) -> Result<Perplexity, Error> {
        self.check_data(data)?;
        let log_z = self.log_z(&lengths_of(data.states()))?.into_iter().map(exact);
        Ok(perplexity(&self.view(), data, &log_z.collect::<Vec<_>>()))
    }

    /// Estimates the perplexity of a word by annealed importance sampling, ln Z_D of every length being that of
    /// [`ReplicatedSoftmax::annealed_log_z`].
    ///
    /// # Errors
    /// Refuses options out of range, rows of another width and rows without a word.
    pub fn perplexity(
        &self,
        data: &Batch,
        options: &Ais,
        key: Key,
        watch: &mut dyn FnMut(usize, usize),
    ) -> Result<Perplexity, Error> {
        self.check_data(data)?;
        let log_z = self.annealed_log_z(&lengths_of(data.states()), options, key, watch)?;
        Ok(perplexity(&self.view(), data, &log_z))
    }
}

fn exact(log_z: f64) -> AisEstimate {
    AisEstimate { log_z, interval: Interval { low: log_z, high: log_z }, ess: f64::INFINITY }
}

/// Puts together checked documents and ln Z_D of each of them.
fn perplexity(view: &ReplicatedView<'_>, data: &Batch, log_z: &[AisEstimate]) -> Perplexity {
    let free: f64 = view.free_energies(data.states()).iter().sum();
    let tokens: u64 = lengths_of(data.states()).into_iter().map(u64::from).sum();
    let of = |end: &dyn Fn(&AisEstimate) -> f64| {
        libm::exp((free + log_z.iter().map(end).sum::<f64>()) / tokens as f64)
    };
    Perplexity {
        per_word: of(&|z| z.log_z),
        interval: Interval { low: of(&|z| z.interval.low), high: of(&|z| z.interval.high) },
        ess: log_z.iter().map(|z| z.ess).fold(f64::INFINITY, f64::min),
        documents: data.rows(),
        tokens,
    }
}

/// Lists hidden states from a number on, the first unit being the lowest bit.
fn listed(first: u64, count: u64, hidden: usize) -> States {
    States::Bits(BitMatrix::from_fn(count as usize, hidden, |r, j| (first + r as u64) >> j & 1 == 1))
}
