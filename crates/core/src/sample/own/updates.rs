//! Updates sites: heat bath, Metropolis, and Metropolis with locally informed proposals.
//!
//! Each is a function of the state and of words alone, so that its transition matrix can be read off it.

use serde::{Deserialize, Serialize};

use harmonium_kernels::numeric::TRIED;

use super::Sites;
use crate::Error;
use crate::units::normal::uniform;

/// Says how sites are updated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Update {
    /// Each site is drawn from its conditional (Geman & Geman 1984).
    #[default]
    HeatBath,
    /// Each site is offered another state, all alike, and takes it by the rule of Metropolis et al. (1953); one offer in 256 is refused as it
    /// comes, so that sites where nothing costs anything do not go round for ever. So are informed changes.
    Metropolis,
    /// Gibbs with gradients (Grathwohl et al. 2021): one change among all, each with weight e^(−βΔE/2), is accepted by the rule of
    /// Hastings (1970). It finds the few changes that matter where most sites are sure of their state.
    Informed {
        /// Changes that are tried in a sweep.
        moves: u32,
    },
}

impl Update {
    pub(super) fn check(self) -> Result<(), Error> {
        match self {
            Self::Informed { moves: 0 } => Err(Error::option("moves", "1 or more", 0)),
            _ => Ok(()),
        }
    }
}

/// Gives the first place where the cumulated weights exceed the word's share of their sum; nothing where they are no numbers.
fn pick(weights: impl Iterator<Item = f64> + Clone, word: u32) -> Option<usize> {
    let target = uniform(word) * weights.clone().sum::<f64>();
    let mut sum = 0.0;
    weights.into_iter().position(|weight| {
        sum += weight;
        sum > target
    })
}

/// Decides by r e^`log`, at most r, which is [`TRIED`]. No number is a no.
fn accepts(log: f64, word: u32) -> bool {
    let tried = mutant!("B384", f64::from(TRIED), 1.0);
    uniform(word) < tried * libm::exp(log.min(0.0)) && !log.is_nan()
}

/// Draws a site from its conditional at β: state s where the word's share of Σ e^(−βΔE) falls, states in their order.
pub fn heat_bath<E: Sites + ?Sized>(energy: &E, beta: f64, x: &mut [u16], site: usize, word: u32) {
    if energy.states(site) == 2 {
        return two_states(energy, beta, x, site, word);
    }
    let change = |to: u16| if to == x[site] { 0.0 } else { energy.change(x, site, to) };
    let logs: Vec<f64> = (0..energy.states(site)).map(|to| -beta * change(to)).collect();
    let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if let Some(to) = pick(logs.iter().map(|log| libm::exp(log - most)), word) {
        x[site] = to as u16;
    }
}

/// Does the same where there are but two, by p(0) = 1 / (1 + e^(−βΔE)).
fn two_states<E: Sites + ?Sized>(energy: &E, beta: f64, x: &mut [u16], site: usize, word: u32) {
    let change = -beta * energy.change(x, site, 1 - x[site]);
    let zero = 1.0 / (1.0 + libm::exp(if x[site] == 0 { change } else { -change }));
    // No number leaves the site as it is.
    if !zero.is_nan() {
        x[site] = u16::from(uniform(word) >= zero);
    }
}

/// Offers a site another state, by the first word, and takes it with probability r min(1, e^(−βΔE)), by the second; r is
/// [`TRIED`].
pub fn metropolis<E: Sites + ?Sized>(energy: &E, beta: f64, x: &mut [u16], site: usize, words: [u32; 2]) {
    let states = energy.states(site);
    let others = u64::from(states) - 1;
    let ahead = 1 + (u64::from(words[0]) * others >> 32);
    let to = ((u64::from(x[site]) + ahead) % u64::from(states)) as u16;
    if accepts(-beta * mutant!("B178", energy.change(x, site, to), energy.energy(x)), words[1]) {
        x[site] = to;
    }
}

/// Lists ln of the weights of all proposals, −βΔE/2, site after site; −∞ for staying.
fn proposals<E: Sites + ?Sized>(energy: &E, beta: f64, x: &[u16]) -> Vec<f64> {
    let count = (0..energy.sites()).map(|site| usize::from(energy.states(site))).sum();
    let mut out = vec![0.0; count];
    energy.changes(x, &mut out);
    out.iter_mut().for_each(|change| *change *= -beta / 2.0);
    let mut start = 0;
    for (site, &state) in x.iter().enumerate() {
        out[start + usize::from(state)] = f64::NEG_INFINITY;
        start += usize::from(energy.states(site));
    }
    out
}

/// Computes ln Σ e^x with the largest x.
fn log_sum(logs: &[f64]) -> (f64, f64) {
    let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (most + libm::log(logs.iter().map(|log| libm::exp(log - most)).sum()), most)
}

/// Proposes one change, by the first word, with probability ∝ e^(−βΔ/2), Δ being what [`Sites::changes`] gives, and accepts it, by
/// the second, with probability r min(1, e^(−βΔE) q(x | y) / q(y | x)) (Grathwohl et al. 2021, algorithm 1; Zanella 2020).
pub fn informed<E: Sites + ?Sized>(energy: &E, beta: f64, x: &mut [u16], words: [u32; 2]) {
    let logs = proposals(energy, beta, x);
    let (sum, most) = log_sum(&logs);
    let Some(place) = pick(logs.iter().map(|log| libm::exp(log - most)), words[0]) else { return };
    let (mut site, mut to) = (0, place);
    while to >= usize::from(energy.states(site)) {
        to -= usize::from(energy.states(site));
        site += 1;
    }
    let (from, change) = (x[site], energy.change(x, site, to as u16));
    x[site] = to as u16;
    let back = proposals(energy, beta, x);
    let returning = back[place - to + usize::from(from)] - log_sum(&back).0;
    let log = -beta * change + mutant!("B179", returning - (logs[place] - sum), 0.0);
    if !accepts(log, words[1]) {
        x[site] = from;
    }
}
