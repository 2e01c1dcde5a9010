//! Runs chains at several inverse temperatures that swap places: PCD by parallel tempering.

mod burn_in;

use harmonium_kernels::{Key, purpose};
use serde::{Deserialize, Serialize};

use self::burn_in::Spaced;
use super::{Estimate, Estimator, check_k};
use crate::address::Address;
use crate::sample::exchange::{Exchanged, Round, exchanged, of_rung, packed, unpacked};
use crate::sample::{Ladder, MAX_CHAINS, check_chains};
use crate::stats::Phases;
use crate::train::{Kept, Schedule};
use crate::units::States;
use crate::{Batch, EnergyModel, Error, Gibbs};

/// Is PCD by parallel tempering (Desjardins et al. 2010; Cho, Raiko & Ilin 2010): one set of chains a rung; each sweep is
/// followed by swaps of neighbours, even and odd pairs in turn. The rung of β = 1 gives the statistics.
///
/// A ladder of one rung is PCD.
///
/// With `adapt` above 0 the ladder begins as given and is spaced anew after updates 2, 4, 8, … up to that one, each time by what
/// was rejected since the last ([`crate::sample::equal_barrier`]; rounds that double as in Syed et al. 2022, algorithm 4). Afterwards it
/// stays, so that what follows is parallel tempering at fixed β.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tempering {
    /// Sweeps a step.
    pub k: Schedule,
    /// Chains of each rung, whatever the size of the batch.
    pub chains: usize,
    /// The inverse temperatures, or those to begin with.
    pub ladder: Ladder,
    /// Updates of the burn-in in which the ladder is adapted; 0 for never.
    pub adapt: u64,
    /// The ladder as it stands, and since when, if it is adapted.
    #[serde(skip)]
    adapted: Option<Spaced>,
    /// Where the chains stand, rung after rung, packed by the model.
    #[serde(skip)]
    state: Option<States>,
    /// Rounds of swaps so far.
    #[serde(skip)]
    rounds: u64,
    /// Swaps done so far by each pair of neighbours.
    #[serde(skip)]
    done: Vec<u64>,
}

impl Default for Tempering {
    fn default() -> Self {
        Self::new(1, 100, Ladder::default())
    }
}

impl Tempering {
    /// Makes PCD-k with this many chains on each rung of a ladder.
    pub fn new(k: u32, chains: usize, ladder: Ladder) -> Self {
        let k = Schedule::Constant(f64::from(k));
        Self { k, chains, ladder, adapt: 0, adapted: None, state: None, rounds: 0, done: Vec::new() }
    }

    /// Refuses options out of range.
    ///
    /// # Errors
    /// Names the option.
    pub fn check(&self) -> Result<(), Error> {
        check_chains(self.chains)?;
        check_k(&self.k)?;
        self.ladder.check()?;
        let (all, expected) = (self.chains * self.rungs(), format!("at most {MAX_CHAINS} on all rungs"));
        if all > MAX_CHAINS { Err(Error::option("chains", expected, all)) } else { Ok(()) }
    }

    /// Gives the inverse temperatures as they stand.
    pub fn betas(&self) -> Vec<f32> {
        self.adapted.as_ref().map_or_else(|| self.ladder.betas(), |adapted| adapted.betas.clone())
    }

    /// Gives the share of swaps that were accepted since the start, or since the ladder last changed, for each pair of
    /// neighbours, the first that of β = 1; NaN for a pair that had no turn yet.
    pub fn swap_rates(&self) -> Vec<f64> {
        let since = self.adapted.as_ref().map_or(0, |adapted| adapted.since);
        let rate = |(pair, &done): (usize, &u64)| {
            let turns = |rounds: u64| (rounds + 1 - pair as u64 % 2) / 2;
            done as f64 / ((turns(self.rounds) - turns(since)) * self.chains as u64) as f64
        };
        self.done.iter().enumerate().map(rate).collect()
    }

    /// Gives where the chains stand, packed by the model, rung after rung; nothing before the first update.
    pub fn standing(&self) -> Option<&States> {
        self.state.as_ref()
    }

    fn rungs(&self) -> usize {
        match &self.ladder {
            Ladder::Even { rungs, .. } => *rungs,
            Ladder::Betas(betas) => betas.len(),
        }
    }

    /// Starts the chains of every rung; those of β = 1 as PCD does.
    fn start<M: EnergyModel>(&mut self, model: &M, betas: &[f32], at: Address) -> Vec<M::State> {
        self.done = vec![0; betas.len() - 1];
        let key = at.seed().fold_in(purpose::CHAINS);
        let rungs = betas.iter().enumerate();
        rungs.map(|(rung, &beta)| model.tempered(beta).init(self.chains, of_rung(key, rung))).collect()
    }

    /// Lets neighbours swap: pairs 0, 2, … in one round, pairs 1, 3, … in the next.
    fn swap<M: EnergyModel>(
        &mut self,
        model: &M,
        betas: &[f32],
        states: Vec<M::State>,
        key: Key,
    ) -> Result<Vec<M::State>, Error> {
        if betas.len() == 1 {
            return Ok(states);
        }
        let first = (self.rounds % 2) as usize;
        let round = Round { rungs: betas.len(), chains: self.chains, first, key };
        let Exchanged { states, done, .. } = exchanged(model, betas, &states, &round)?;
        self.done.iter_mut().zip(done).for_each(|(sum, done)| *sum += done);
        self.rounds += 1;
        Ok(states)
    }
}

impl<M: EnergyModel> Estimator<M> for Tempering {
    fn check(&self) -> Result<(), Error> {
        Self::check(self)
    }

    fn check_model(&self, model: &M) -> Result<(), Error> {
        model.check_free()?;
        model.check_swaps()
    }

    fn estimate(
        &mut self,
        model: &M,
        data: &Batch,
        sweeps: u32,
        at: Address,
        phases: &mut Phases,
    ) -> Result<Estimate, Error> {
        model.accumulate(&model.clamp(data), &mut phases.positive);
        let betas = self.betas();
        let mut states = match self.state.take() {
            Some(chains) => unpacked(model, &chains, self.chains)?,
            None => self.start(model, &betas, at),
        };
        for sweep in 0..u64::from(sweeps) {
            for (rung, (state, &beta)) in states.iter_mut().zip(&betas).enumerate() {
                let key = of_rung(at.key(purpose::NEGATIVE), rung).fold_in(sweep);
                model.tempered(mutant!("B74", beta, 1.0)).sweep(state, key);
            }
            states = self.swap(model, &betas, states, at.key(purpose::SWAP).fold_in(sweep))?;
        }
        model.accumulate(&states[mutant!("B75", 0, states.len() - 1)], &mut phases.negative);
        self.state = Some(packed(model, &states));
        self.adapt();
        Ok(Estimate::Phases)
    }

    fn sweeps(&self) -> &Schedule {
        &self.k
    }

    fn kept(&self) -> Kept {
        let mut kept = Kept::default().with_chains(self.state.as_ref());
        if self.state.is_none() {
            return kept;
        }
        if let Some(Spaced { betas, updates, since }) = &self.adapted {
            let counts = [*updates, mutant!("B119", *since, 0)];
            kept = kept.with_reals("betas", &[betas.len()], betas).with_counts("ladder", &counts);
        }
        kept.with_counts("swaps", &[&[mutant!("B76", self.rounds, 0)], &self.done[..]].concat())
    }

    fn restore(&mut self, model: &M, mut kept: Kept) -> Result<(), Error> {
        let chains = kept.take_chains(self.chains * self.rungs())?;
        let counts = kept.take_counts("swaps", self.rungs())?;
        let adapted = self.take_adapted(&mut kept, counts.as_ref().map(|counts| counts[0]))?;
        kept.finished("parallel tempering")?;
        if chains.is_some() != counts.is_some() {
            let got = if chains.is_some() { "chains alone" } else { "counters alone" };
            return Err(Error::shape("swaps", "counters beside chains", got));
        }
        if chains.is_some() && self.adapt > 0 && adapted.is_none() {
            return Err(Error::shape("ladder", "the ladder that was adapted", "none"));
        }
        chains.as_ref().map(|bits| unpacked(model, bits, self.chains)).transpose()?;
        let counts = counts.unwrap_or_else(|| vec![0; self.rungs()]);
        (self.rounds, self.done) = (counts[0], counts[1..].to_vec());
        (self.state, self.adapted) = (chains, adapted);
        Ok(())
    }
}
