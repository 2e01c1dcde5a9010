//! Cools copies of a problem from random spins, again and again (Kirkpatrick, Gelatt & Vecchi 1983), and keeps the best.

use harmonium_core::Error;
use harmonium_kernels::{Key, parallel, purpose};
use rand::Rng;
use serde::{Deserialize, Serialize};

use super::Problem;
use super::codes::Codes;
use super::luby::luby;

/// The most sweeps of one cooling, and the most rounds.
const MAX_COUNT: u64 = 1 << 40;

/// The most copies side by side.
const MAX_REPLICAS: usize = 1 << 16;

/// Says how a problem is cooled. β rises evenly from 1/`hot` to 1/`cold`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Anneal {
    /// Sweeps of the shortest cooling; those of round n are this many times 1, 1, 2, 1, 1, 2, 4, …
    pub sweeps: u64,
    /// Rounds, unless the watcher ends the search before.
    pub rounds: u64,
    /// Copies that are cooled in a round, independently of each other.
    pub replicas: usize,
    /// The temperature to begin with; none for half of the root mean square cost of a flip among random spins.
    pub hot: Option<f64>,
    /// The temperature to end with; none for a quarter of the mean cost of a coupling, or a thirtieth of the former.
    pub cold: Option<f64>,
}

impl Default for Anneal {
    fn default() -> Self {
        Self { sweeps: 1000, rounds: 15, replicas: 8, hot: None, cold: None }
    }
}

/// Is what a search has come to after a round.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Rounds done.
    pub rounds: u64,
    /// Sweeps done by all copies together.
    pub sweeps: u64,
    /// The lowest energy so far.
    pub energy: f64,
    /// The lowest energy of this round.
    pub last: f64,
}

/// Is the best that a search has found.
#[derive(Clone, Debug, PartialEq)]
pub struct Ground {
    /// Its spins, `true` being up; vertex by vertex.
    pub up: Vec<bool>,
    /// Their energy.
    pub energy: f64,
    /// How it was come to, round by round.
    pub trace: Vec<Progress>,
}

impl Anneal {
    /// Refuses no sweeps, rounds or copies, and temperatures that do not fall.
    ///
    /// # Errors
    /// Names the option.
    pub fn check(&self) -> Result<(), Error> {
        if !(1..=MAX_REPLICAS).contains(&self.replicas) {
            return Err(Error::option("replicas", format!("1 to {MAX_REPLICAS}"), self.replicas));
        }
        check_counts(self.sweeps, self.rounds, [self.hot, self.cold])
    }
}

/// Refuses what no search can have.
pub(super) fn check_counts(sweeps: u64, rounds: u64, temperatures: [Option<f64>; 2]) -> Result<(), Error> {
    for (name, value) in [("sweeps", sweeps), ("rounds", rounds)] {
        if !(1..=MAX_COUNT).contains(&value) {
            return Err(Error::option(name, "1 to 2^40", value));
        }
    }
    for (name, value) in [("hot", temperatures[0]), ("cold", temperatures[1])] {
        match value {
            Some(t) if !(t > 0.0 && t.is_finite()) => return Err(Error::option(name, "above 0", t)),
            _ => {}
        }
    }
    Ok(())
}

/// Gives the temperatures between which a problem is searched.
pub(super) fn between(problem: &Problem, hot: Option<f64>, cold: Option<f64>) -> Result<[f64; 2], Error> {
    let [own_hot, own_cold] = problem.temperatures();
    // What was not asked for gives way to what was.
    let hot = hot.unwrap_or_else(|| own_hot.max(cold.unwrap_or(0.0)));
    let cold = cold.unwrap_or_else(|| own_cold.min(hot));
    if cold > hot {
        return Err(Error::option("cold", format!("at most hot, {hot}"), cold));
    }
    Ok([hot, cold])
}

/// Holds what a search has come to.
pub(super) struct Search {
    pub(super) ground: Ground,
}

impl Default for Search {
    fn default() -> Self {
        Self { ground: Ground { up: Vec::new(), energy: f64::INFINITY, trace: Vec::new() } }
    }
}

impl Search {
    /// Takes what the copies of a round found, with their sweeps; of equals the first stays.
    pub(super) fn add(&mut self, found: Vec<(f64, Vec<bool>)>, sweeps: u64) {
        let Ground { up: best, energy: lowest, trace } = &mut self.ground;
        let last = found.iter().map(|(energy, _)| *energy).fold(f64::INFINITY, f64::min);
        for (energy, up) in found {
            if energy < *lowest {
                (*lowest, *best) = (energy, up);
            }
        }
        let (rounds, before) = trace.last().map_or((0, 0), |now| (now.rounds, now.sweeps));
        trace.push(Progress { rounds: rounds + 1, sweeps: before + sweeps, energy: *lowest, last });
    }

    /// Gives the last round.
    pub(super) fn now(&self) -> &Progress {
        &self.ground.trace[self.ground.trace.len() - 1]
    }
}

/// Is one copy, with the best it has been at.
struct Copy {
    energy: f64,
    up: Vec<bool>,
    sweeps: u64,
}

/// Searches for the spins of the lowest energy. Round n of copy c depends on the key, n and c alone. `watch` hears after each round
/// how far it has come, and ends the search by `true`.
///
/// # Errors
/// Refuses options out of range.
pub fn anneal(
    problem: &Problem,
    options: &Anneal,
    key: Key,
    watch: &mut dyn FnMut(&Progress) -> bool,
) -> Result<Ground, Error> {
    anneal_until(problem, options, key, &|| false, watch)
}

/// Does the same, and asks between the sweeps of every copy whether the time is over: then all descend and end. What is found
/// depends on the moment, unlike that of whole rounds.
///
/// # Errors
/// Refuses options out of range.
pub fn anneal_until(
    problem: &Problem,
    options: &Anneal,
    key: Key,
    over: &(dyn Fn() -> bool + Sync),
    watch: &mut dyn FnMut(&Progress) -> bool,
) -> Result<Ground, Error> {
    options.check()?;
    let temperatures = between(problem, options.hot, options.cold)?;
    let codes = Codes::of(problem);
    let key = key.fold_in(purpose::ANNEAL);
    let mut search = Search::default();
    for round in 0..options.rounds {
        let cooling =
            Cooling { codes: &codes, temperatures, sweeps: options.sweeps.saturating_mul(luby(round)), over };
        let key = key.fold_in(round);
        let copies = parallel::map(options.replicas, |copy| cooling.run(problem, key.fold_in(copy as u64)));
        let sweeps = copies.iter().map(|copy| copy.sweeps).sum();
        search.add(copies.into_iter().map(|copy| (copy.energy, copy.up)).collect(), sweeps);
        if watch(search.now()) || over() {
            break;
        }
    }
    Ok(search.ground)
}

/// Is one cooling of given length.
struct Cooling<'a> {
    codes: &'a Codes,
    temperatures: [f64; 2],
    sweeps: u64,
    over: &'a (dyn Fn() -> bool + Sync),
}

impl Cooling<'_> {
    fn run(&self, problem: &Problem, key: Key) -> Copy {
        let spins = problem.graph().vertices();
        // The streams below this are those of the sweeps.
        let mut stream = key.stream(u64::MAX);
        let begin: Vec<bool> = (0..spins).map(|_| stream.random()).collect();
        let mut state = self.codes.start(&begin);
        let (mut best, mut energy, mut done) = (begin, state.energy(), 0);
        while done < self.sweeps && !(self.over)() {
            state.sweep(&self.codes.links, self.beta(done), key, done);
            done += 1;
            if state.energy() < energy {
                energy = state.energy();
                best.clear();
                best.extend(state.up());
            }
        }
        state.descend(&self.codes.links);
        if state.energy() < energy {
            best = state.up().collect();
        }
        let up = self.codes.by_vertex(&best);
        Copy { energy: problem.energy(&up), up, sweeps: done }
    }

    /// Gives β of a sweep, a code.
    fn beta(&self, sweep: u64) -> f32 {
        let [hot, cold] = self.temperatures.map(|t| self.codes.quantum / t);
        let part = sweep as f64 / (self.sweeps.max(2) - 1) as f64;
        (hot + (cold - hot) * part) as f32
    }
}
