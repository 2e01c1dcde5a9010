//! Lets copies at many temperatures change places, and pairs of copies exchange clusters: for glasses, where cooling gets stuck.

use std::mem::swap;

use harmonium_core::Error;
use harmonium_core::train::swaps;
use harmonium_kernels::flips::{Links, Spins};
use harmonium_kernels::{Key, purpose};
use rand::{Rng, RngCore};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::anneal::{Search, check_counts};
use super::codes::Codes;
use super::{Ground, Problem, Progress};

/// Says how copies are tempered. Temperatures fall by equal ratios.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Temper {
    /// Temperatures, each with two copies.
    pub rungs: usize,
    /// Sweeps of every copy in a round, each followed by swaps and clusters.
    pub sweeps: u64,
    /// Rounds, unless the watcher ends the search before.
    pub rounds: u64,
    /// Exchange clusters (Houdayer 2001; Zhu, Ochoa & Katzgraber 2015): worth it where neighbours are few, as on lattices.
    pub clusters: bool,
    /// The highest temperature; none for half of the root mean square cost of a flip among random spins.
    pub hot: Option<f64>,
    /// The lowest temperature; none for a quarter of the mean cost of a coupling, or a thirtieth of the former.
    pub cold: Option<f64>,
}

impl Default for Temper {
    fn default() -> Self {
        Self { rungs: 24, sweeps: 100, rounds: 100, clusters: true, hot: None, cold: None }
    }
}

impl Temper {
    /// Refuses fewer than two rungs, no sweeps or rounds, and temperatures that do not fall.
    ///
    /// # Errors
    /// Names the option.
    pub fn check(&self) -> Result<(), Error> {
        if !(2..=1000).contains(&self.rungs) {
            return Err(Error::option("rungs", "2 to 1000", self.rungs));
        }
        check_counts(self.sweeps, self.rounds, [self.hot, self.cold])
    }
}

/// Is two copies at one temperature, with the best that either has been at.
struct Pair {
    copies: [Spins; 2],
    best: (i64, Vec<bool>),
}

/// Searches for the spins of the lowest energy by parallel tempering. What a copy does depends on the key, its rung and the sweep alone.
/// `over` is asked between sweeps whether the time is over; `watch` hears after each round how far it has come, and ends the
/// search by `true`.
///
/// # Errors
/// Refuses options out of range.
pub fn temper(
    problem: &Problem,
    options: &Temper,
    key: Key,
    over: &(dyn Fn() -> bool + Sync),
    watch: &mut dyn FnMut(&Progress) -> bool,
) -> Result<Ground, Error> {
    options.check()?;
    let codes = Codes::of(problem);
    let key = key.fold_in(purpose::ANNEAL);
    let betas = betas(options, problem, codes.quantum)?;
    let mut pairs: Vec<Pair> =
        (0..options.rungs).map(|rung| begin(&codes, key.stream(rung as u64))).collect();
    let mut search = Search::default();
    for round in 0..options.rounds {
        let mut done = 0;
        while done < options.sweeps && !over() {
            let number = round * options.sweeps + done;
            let ladder = Ladder { links: &codes.links, betas: &betas, clusters: options.clusters, number };
            ladder.step(&mut pairs, key.fold_in(number));
            done += 1;
        }
        let Some(best) = pairs.iter_mut().min_by_key(|pair| pair.best.0) else { break };
        let up = codes.by_vertex(&descended(&codes, &best.best.1));
        search.add(vec![(problem.energy(&up), up)], done * 2 * options.rungs as u64);
        if watch(search.now()) || over() {
            break;
        }
        pairs.iter_mut().for_each(|pair| pair.best = lower(&pair.copies));
    }
    Ok(search.ground)
}

/// Is what a step needs to know.
struct Ladder<'a> {
    links: &'a Links,
    betas: &'a [f32],
    clusters: bool,
    number: u64,
}

impl Ladder<'_> {
    /// Sweeps every copy, exchanges a cluster of each pair, and lets neighbours swap: even pairs of rungs, then odd ones.
    fn step(&self, pairs: &mut [Pair], key: Key) {
        pairs.par_iter_mut().enumerate().for_each(|(rung, pair)| {
            for (copy, spins) in pair.copies.iter_mut().enumerate() {
                // A sweep reads the stream of its number; the key is its own already.
                spins.sweep(self.links, self.betas[rung], key, (2 * rung + copy) as u64);
            }
            if self.clusters {
                exchange(self.links, &mut pair.copies, key.fold_in(0).stream(rung as u64));
            }
            let now = pair.copies.iter().map(Spins::energy).min();
            if now.is_some_and(|now| now < pair.best.0) {
                pair.best = lower(&pair.copies);
            }
        });
        for rung in (self.number as usize % 2..self.betas.len() - 1).step_by(2) {
            let mut stream = key.fold_in(1).stream(rung as u64);
            let (cold, warm) = pairs.split_at_mut(rung + 1);
            for (a, b) in cold[rung].copies.iter_mut().zip(&mut warm[0].copies) {
                let energies = [a.energy() as f64, b.energy() as f64];
                if swaps(stream.next_u32(), [self.betas[rung], self.betas[rung + 1]], energies) {
                    swap(a, b);
                }
            }
        }
    }
}

/// Gives energy and spins of the lower copy.
fn lower(copies: &[Spins; 2]) -> (i64, Vec<bool>) {
    let [a, b] = copies;
    let best = if b.energy() < a.energy() { b } else { a };
    (best.energy(), best.up().collect())
}

/// Flips a connected cluster of spins in which the copies differ, in both: the sum of their energies stays, and so does the law of
/// the pair (Houdayer 2001).
fn exchange(links: &Links, copies: &mut [Spins; 2], mut stream: impl RngCore) {
    let mut differs: Vec<bool> = copies[0].up().zip(copies[1].up()).map(|(a, b)| a != b).collect();
    let count = differs.iter().filter(|differs| **differs).count();
    if count == 0 {
        return;
    }
    let chosen = stream.random_range(0..count);
    let Some(first) = (0..differs.len()).filter(|&spin| differs[spin]).nth(chosen) else { return };
    let (mut cluster, mut at) = (vec![first as u32], 0);
    differs[first] = false;
    while let Some(&spin) = cluster.get(at) {
        at += 1;
        for next in links.neighbours(spin as usize) {
            if differs[next as usize] {
                differs[next as usize] = false;
                cluster.push(next);
            }
        }
    }
    copies.iter_mut().for_each(|copy| copy.flip_all(links, &cluster));
}

/// Gives β of each rung, a code, the coldest first.
fn betas(options: &Temper, problem: &Problem, quantum: f64) -> Result<Vec<f32>, Error> {
    let [hot, cold] = super::anneal::between(problem, options.hot, options.cold)?;
    let ratio = libm::log(hot / cold) / (options.rungs - 1) as f64;
    Ok((0..options.rungs).map(|rung| (quantum / cold * libm::exp(-ratio * rung as f64)) as f32).collect())
}

fn begin(codes: &Codes, mut stream: impl RngCore) -> Pair {
    let mut copy = || {
        let up: Vec<bool> = (0..codes.links.spins()).map(|_| stream.random()).collect();
        codes.start(&up)
    };
    let copies = [copy(), copy()];
    Pair { best: lower(&copies), copies }
}

fn descended(codes: &Codes, up: &[bool]) -> Vec<bool> {
    let mut spins = codes.start(up);
    spins.descend(&codes.links);
    spins.up().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Graph;

    /// From every pair of states of a path with a chord: energies keep their sum, the copies differ in the same spins, and the same
    /// choice leads back. So a move is as likely as its reverse, and the law of the pair stays.
    #[test]
    fn exchanges_of_clusters_can_be_undone_and_keep_the_energy() {
        let graph = Graph::new(6, [[0, 1], [1, 2], [2, 3], [3, 4], [4, 5], [1, 4]]).unwrap();
        let problem = Problem::new(graph, vec![1.0, -2.0, 0.5, 1.5, -1.0, 2.5], vec![0.5; 6]).unwrap();
        let codes = Codes::of(&problem);
        let start = |state: u32| codes.start(&(0..6).map(|i| state >> i & 1 == 1).collect::<Vec<_>>());
        let differs =
            |pair: &[Spins; 2]| pair[0].up().zip(pair[1].up()).map(|(a, b)| a != b).collect::<Vec<_>>();
        let mut moved = 0;
        for both in 0..1 << 12 {
            let begin = [start(both & 63), start(both >> 6)];
            let stream = || Key::from_seed(u64::from(both)).stream(0);
            let mut pair = begin.clone();
            exchange(&codes.links, &mut pair, stream());
            let sum = |pair: &[Spins; 2]| pair[0].energy() + pair[1].energy();
            assert_eq!((sum(&pair), differs(&pair)), (sum(&begin), differs(&begin)));
            moved += usize::from(pair != begin);
            exchange(&codes.links, &mut pair, stream());
            assert_eq!(pair, begin);
        }
        // Only pairs of equal states, 64 of them, have nothing to exchange.
        assert_eq!(moved, (1 << 12) - 64);
    }
}
