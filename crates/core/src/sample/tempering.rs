//! Runs chains at several inverse temperatures that swap places: parallel tempering of any model, on a ladder that adapts
//! while it burns in (Geyer 1991; Hukushima & Nemoto 1996; Syed, Bouchard-Côté, Deligiannidis & Doucet 2022).

use harmonium_kernels::{Key, parallel, purpose};
use ndarray::Array1;
use serde::{Deserialize, Serialize};

use super::chains::sweeps;
use super::exchange::{Round, exchanged, of_rung};
use super::{Chains, Ladder, MAX_CHAINS, Observer, Seen, equal_barrier};
use crate::{Error, Gibbs, Thermal};

/// Says how parallel tempering runs: a set of chains a rung; each sweep is followed by swaps of neighbours, even and odd pairs
/// in turn (the irreversible scheme, whose round trips stay fast on long ladders).
///
/// The burn-in of [`Chains`] is where the ladder adapts: after sweeps 2, 4, 8, … of it, rungs move to where swaps are
/// equally often rejected ([`equal_barrier`]; Syed et al. 2022, algorithm 4). Then it stays, so that all that observers see is
/// parallel tempering at fixed β.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ParallelTempering {
    /// Chains of each rung, their burn-in and sweeps.
    pub chains: Chains,
    /// The inverse temperatures, or those to begin with.
    pub ladder: Ladder,
    /// Whether the ladder adapts in the burn-in.
    pub adapt: bool,
}

impl Default for ParallelTempering {
    fn default() -> Self {
        let chains = Chains { chains: 10, ..Chains::default() };
        Self { chains, ladder: Ladder::Even { rungs: 11, lowest: 0.1 }, adapt: true }
    }
}

impl ParallelTempering {
    /// Refuses options out of range.
    ///
    /// # Errors
    /// Names the option.
    pub fn check(&self) -> Result<(), Error> {
        self.chains.check()?;
        self.ladder.check()?;
        let all = self.chains.chains * self.ladder.betas().len();
        let expected = format!("at most {MAX_CHAINS} on all rungs");
        if all > MAX_CHAINS { Err(Error::option("chains", expected, all)) } else { Ok(()) }
    }

    /// Starts the chains of every rung.
    ///
    /// # Errors
    /// Refuses options out of range, models whose chains must not swap, and those without a law at the lowest β.
    pub fn start<'a, M: Thermal>(&self, model: &'a M, key: Key) -> Result<Replicas<'a, M>, Error> {
        self.check()?;
        model.check_swaps()?;
        let betas = self.ladder.betas();
        betas.iter().try_for_each(|&beta| model.check_beta(beta))?;
        let (chains, first) = (self.chains.chains, key.fold_in(purpose::CHAINS));
        let start = |(rung, &beta)| model.tempered(beta).init(chains, of_rung(first, rung));
        let states = betas.iter().enumerate().map(start).collect();
        let (count, energies) = (Count::new(betas.len(), chains, 0), Vec::new());
        Ok(Replicas { model, options: self.clone(), key, states, energies, betas, sweeps: 0, count })
    }

    /// Runs all sweeps; observers see the chains at β = 1 after the burn-in.
    ///
    /// # Errors
    /// As [`ParallelTempering::start`].
    pub fn run<'a, M: Thermal>(
        &self,
        model: &'a M,
        key: Key,
        observers: &mut [&mut dyn Observer],
    ) -> Result<Replicas<'a, M>, Error> {
        let mut replicas = self.start(model, key)?;
        parallel::team(|| {
            for done in 1..=self.chains.burn_in + self.chains.sweeps {
                replicas.step()?;
                if self.chains.shows(done) {
                    let pack = || model.pack(replicas.state());
                    let energies = || replicas.energies(0);
                    let seen = Seen::new(done, &pack, &energies);
                    observers.iter_mut().for_each(|observer| observer.see(&seen));
                }
            }
            Ok(replicas)
        })
    }
}

/// Counts swaps and journeys since the ladder last changed.
#[derive(Clone, Debug)]
struct Count {
    /// Sweeps before the first that is counted.
    since: u64,
    /// Swaps of each pair of neighbours.
    done: Vec<u64>,
    /// The replica on each rung of each chain, rung after rung: replicas are numbered by where they stood at first.
    replicas: Vec<usize>,
    /// Whether a replica was on the last rung since it was on the first; nothing before it was on the first.
    far: Vec<Option<bool>>,
    /// Ways from the first rung to the last and back, of each chain.
    trips: Vec<u64>,
}

impl Count {
    fn new(rungs: usize, chains: usize, since: u64) -> Self {
        let all = rungs * chains;
        let mut count = Self {
            since,
            done: vec![0; rungs - 1],
            replicas: (0..all).collect(),
            far: vec![None; all],
            trips: vec![0; chains],
        };
        count.visit(rungs, chains);
        count
    }

    /// Takes the rows that came to each place.
    fn add(&mut self, rungs: usize, chains: usize, places: &[usize], done: &[u64]) {
        self.done.iter_mut().zip(done).for_each(|(sum, done)| *sum += done);
        self.replicas = places.iter().map(|&place| self.replicas[place]).collect();
        self.visit(rungs, chains);
    }

    /// Notes who stands at the ends.
    fn visit(&mut self, rungs: usize, chains: usize) {
        for chain in 0..chains {
            let (near, last) = (self.replicas[chain], self.replicas[(rungs - 1) * chains + chain]);
            if let Some(far) = &mut self.far[last] {
                *far = true;
            }
            let returned = self.far[near] == mutant!("B172", Some(true), Some(false));
            self.trips[chain] += u64::from(returned && rungs > 1);
            self.far[near] = Some(false);
        }
    }
}

/// Holds the chains of all rungs as they run.
pub struct Replicas<'a, M: Thermal> {
    model: &'a M,
    options: ParallelTempering,
    key: Key,
    states: Vec<M::State>,
    /// Of these states, once there was a swap.
    energies: Vec<Array1<f64>>,
    betas: Vec<f32>,
    sweeps: u64,
    count: Count,
}

impl<M: Thermal> Replicas<'_, M> {
    /// Sweeps every rung once, lets neighbours swap, and adapts the ladder where a round of the burn-in ends.
    ///
    /// # Errors
    /// Refuses what the model can't unpack.
    pub fn step(&mut self) -> Result<(), Error> {
        let (sweeps, rungs) = (sweeps(self.key), self.betas.len());
        for (rung, (state, &beta)) in self.states.iter_mut().zip(&self.betas).enumerate() {
            let key = of_rung(sweeps, mutant!("B336", rung, 0)).fold_in(self.sweeps);
            self.model.tempered(mutant!("B173", beta, 1.0)).sweep(state, key);
        }
        let chains = self.options.chains.chains;
        if rungs > 1 {
            let key = self.key.fold_in(purpose::SWAP).fold_in(self.sweeps);
            let round = Round { rungs, chains, first: (self.sweeps % 2) as usize, key };
            let found = exchanged(self.model, &self.betas, &self.states, &round)?;
            self.count.add(rungs, chains, &found.places, &found.done);
            (self.states, self.energies) = (found.states, found.energies);
        }
        self.sweeps += 1;
        self.adapt();
        Ok(())
    }

    /// Spaces the ladder anew after sweeps 2, 4, 8, … of the first half of the burn-in, so that the chains have time to reach the law of
    /// their last temperatures, and begins to count anew at its end.
    fn adapt(&mut self) {
        let (burn_in, rungs) = (self.options.chains.burn_in, self.betas.len());
        if self.sweeps > burn_in || rungs < 2 {
            return;
        }
        let early = 2 * self.sweeps <= burn_in;
        let spaced = self.options.adapt && self.sweeps > 1 && self.sweeps.is_power_of_two() && early;
        if spaced {
            let rejected: Vec<f64> = self.swap_rates().iter().map(|rate| 1.0 - rate).collect();
            self.betas = equal_barrier(&self.betas, &rejected);
        }
        if spaced || self.sweeps == burn_in {
            self.count = Count::new(rungs, self.options.chains.chains, self.sweeps);
        }
    }

    /// Gives the chains at β = 1.
    pub fn state(&self) -> &M::State {
        &self.states[mutant!("B174", 0, self.states.len() - 1)]
    }

    /// Gives the chains of each rung, the first at β = 1.
    pub fn states(&self) -> &[M::State] {
        &self.states
    }

    /// Gives the energies of the chains of a rung at β = 1, in nats: of all units, those too that a swap does not keep.
    ///
    /// # Panics
    /// If there is no such rung.
    pub fn energies(&self, rung: usize) -> Array1<f64> {
        let kept = self.energies.get(rung).cloned();
        mutant!("B345", kept, None).unwrap_or_else(|| self.model.energy(&self.states[rung]))
    }

    /// Gives the inverse temperatures as they stand.
    pub fn betas(&self) -> &[f32] {
        &self.betas
    }

    /// Gives the replica on each rung of each chain, rung after rung, numbered by where they stood when counting began.
    pub fn replicas(&self) -> &[usize] {
        &self.count.replicas
    }

    /// Gives the share of swaps that were accepted since the burn-in, or since the ladder last changed, for each pair of
    /// neighbours, the first that of β = 1; NaN for a pair that had no turn yet.
    pub fn swap_rates(&self) -> Vec<f64> {
        let chains = self.options.chains.chains as u64;
        let rate = |(pair, &done): (usize, &u64)| {
            let turns = |sweeps: u64| (sweeps + 1 - pair as u64 % 2) / 2;
            done as f64 / ((turns(self.sweeps) - turns(self.count.since)) * chains) as f64
        };
        self.count.done.iter().enumerate().map(rate).collect()
    }

    /// Gives how often a replica went from β = 1 to the last rung and back, since counting began: one number a chain.
    pub fn round_trips(&self) -> &[u64] {
        &self.count.trips
    }

    /// Gives the communication barrier Λ = Σ (1 − swap rate): with many rungs a chain makes 1 / (2 + 2Λ) round trips a
    /// sweep at most (Syed et al. 2022, theorem 2).
    pub fn barrier(&self) -> f64 {
        self.swap_rates().iter().map(|rate| 1.0 - rate).sum()
    }
}
