//! Swaps chains with earlier models of the same training: PCD by trajectory tempering.

mod reject;

use harmonium_kernels::{Key, purpose};
use serde::{Deserialize, Serialize};

use super::{Estimate, Estimator, check_k};
use crate::address::Address;
use crate::sample::exchange::{Round, of_rung, packed, unpacked};
use crate::sample::{MAX_CHAINS, MAX_RUNGS, check_chains};
use crate::stats::Phases;
use crate::train::growth::widen;
use crate::train::{Kept, Schedule};
use crate::units::States;
use crate::{Batch, EnergyModel, Error, Params};

/// The shift of the coarsest grid.
const COARSEST: i32 = -126;

/// Is PCD by trajectory parallel tempering (Béreux, Decelle, Furtlehner, Rosset & Seoane 2025): the rungs are the model and
/// copies of it from earlier in the training, newest first. Each sweep is followed by swaps of neighbours, even and odd
/// pairs in turn, with probability min(1, e^(ΔE(x) − ΔE(y))), ΔE = E_newer − E_older, x on the newer rung.
///
/// Another copy is kept once the model swaps too seldom with the newest one: once the share of accepted swaps of the two since
/// the last look, `every` updates ago, is below `threshold`.
///
/// With `least` above 0 an update that breaks the ladder is rejected: after each update the chains of the model and those of
/// the newest copy sweep once aside, and the mean of min(1, e^(ΔE(x) − ΔE(y))) over them is judged. Below `least`, the last good
/// parameters and chains are restored (those of the guard: `Guard::every`), the restored model is kept as a copy, so that what
/// follows has a nearer rung, and the training goes on with a lower rate, or ends, as `Guard::action` says. The two bounds and
/// the lower rate are this implementation's own; published is that copies are kept such that neighbours swap often enough. A
/// full ladder rejects nothing, as no copy could help it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Trajectory {
    /// Sweeps a step.
    pub k: Schedule,
    /// Chains of each rung, whatever the size of the batch.
    pub chains: usize,
    /// The share of accepted swaps below which the model is kept, above 0 and below 1.
    pub threshold: f32,
    /// The share of accepted swaps below which an update is rejected, below `threshold`; 0 rejects none.
    pub least: f32,
    /// Updates between two looks at the share that keeps a model.
    pub every: u64,
    /// The most rungs, the model itself among them; then no more are kept.
    pub most: usize,
    /// Earlier models, newest first.
    #[serde(skip)]
    earlier: Vec<Earlier>,
    /// Where the chains stand, rung after rung, packed by the model.
    #[serde(skip)]
    state: Option<States>,
    /// Updates since the last look.
    #[serde(skip)]
    updates: u64,
    /// Rounds of swaps so far.
    #[serde(skip)]
    rounds: u64,
}

/// Is an earlier model, and how chains swapped between it and the next newer one since the last look.
#[derive(Clone, Debug, PartialEq)]
struct Earlier {
    params: Params,
    shift: i32,
    tried: u64,
    done: u64,
}

impl Default for Trajectory {
    fn default() -> Self {
        Self::new(1, 100)
    }
}

impl Earlier {
    fn of(model: &impl EnergyModel) -> Self {
        Self { params: model.params(), shift: model.shift(), tried: 0, done: 0 }
    }

    /// Makes the model again that this is a copy of.
    fn model<M: EnergyModel + Clone>(&self, like: &M) -> Result<M, Error> {
        let mut out = like.clone();
        out.restore(&self.params, self.shift)?;
        Ok(out)
    }
}

impl Trajectory {
    /// Makes PCD-k with this many chains a rung; a look every 20 updates keeps a model that swaps less than a quarter.
    pub fn new(k: u32, chains: usize) -> Self {
        Self {
            k: Schedule::Constant(f64::from(k)),
            chains,
            threshold: 0.25,
            least: 0.0,
            every: 20,
            most: 50,
            earlier: Vec::new(),
            state: None,
            updates: 0,
            rounds: 0,
        }
    }

    /// Refuses options out of range.
    ///
    /// # Errors
    /// Names the option.
    pub fn check(&self) -> Result<(), Error> {
        check_chains(self.chains)?;
        check_k(&self.k)?;
        if !(self.threshold > 0.0 && self.threshold < 1.0) {
            return Err(Error::option("threshold", "above 0 and below 1", self.threshold));
        }
        if !(self.least >= 0.0 && self.least < self.threshold) {
            return Err(Error::option("least", "0 or above, and below the threshold", self.least));
        }
        if self.every == 0 {
            return Err(Error::option("every", "1 or more updates", 0));
        }
        if !(2..=MAX_RUNGS).contains(&self.most) {
            return Err(Error::option("most rungs", format!("2 to {MAX_RUNGS}"), self.most));
        }
        let (all, expected) = (self.chains * self.most, format!("at most {MAX_CHAINS} on all rungs"));
        if all > MAX_CHAINS { Err(Error::option("chains", expected, all)) } else { Ok(()) }
    }

    /// Gives the earlier models that are rungs, newest first: their parameters.
    pub fn earlier(&self) -> impl Iterator<Item = &Params> {
        self.earlier.iter().map(|earlier| &earlier.params)
    }

    /// Makes the earlier models again, newest first.
    ///
    /// # Errors
    /// Refuses copies of another model.
    pub fn models<M: EnergyModel + Clone>(&self, like: &M) -> Result<Vec<M>, Error> {
        self.earlier.iter().map(|earlier| earlier.model(like)).collect()
    }

    /// Gives the share of swaps that were accepted since the last look, for each pair of neighbours, the first that of the
    /// model and the newest copy; NaN for a pair that had no turn yet.
    pub fn swap_rates(&self) -> Vec<f64> {
        self.earlier.iter().map(|pair| pair.done as f64 / pair.tried as f64).collect()
    }

    /// Gives where the chains stand, packed by the model, rung after rung; nothing before the first update.
    pub fn standing(&self) -> Option<&States> {
        self.state.as_ref()
    }

    /// Keeps the model as the first copy, and starts chains of both; those of the model as PCD does.
    fn start<M: EnergyModel>(&mut self, model: &M, at: Address) -> Vec<M::State> {
        self.earlier = vec![Earlier::of(model)];
        let key = at.seed().fold_in(purpose::CHAINS);
        [0, 1].map(|rung| model.init(self.chains, of_rung(key, rung))).into()
    }

    fn swap<M: EnergyModel>(
        &mut self,
        rungs: &[&M],
        states: &[M::State],
        key: Key,
    ) -> Result<Vec<M::State>, Error> {
        let first = (self.rounds % 2) as usize;
        let round = Round { rungs: rungs.len(), chains: self.chains, first, key };
        let mut gains = vec![Vec::new(); self.earlier.len()];
        for pair in round.pairs() {
            gains[pair] = exponents([rungs[pair], rungs[pair + 1]], [&states[pair], &states[pair + 1]]);
            self.earlier[pair].tried += self.chains as u64;
        }
        let accepted = |exponent: f64| libm::exp(exponent.min(0.0)) * 16_777_216.0;
        let (places, done) =
            round.places(|word, pair, chain| f64::from(word >> 8) < accepted(gains[pair][chain]));
        self.earlier.iter_mut().zip(done).for_each(|(pair, done)| pair.done += done);
        self.rounds += 1;
        unpacked(rungs[0], &packed(rungs[0], states).gather(places), self.chains)
    }

    /// Keeps the model, with its chains, if it swapped too seldom since the last look.
    fn look<M: EnergyModel>(&mut self, model: &M, states: &mut Vec<M::State>) {
        self.updates += 1;
        if !self.updates.is_multiple_of(self.every) {
            return;
        }
        self.updates = 0;
        let newest = &self.earlier[0];
        let seldom =
            newest.tried > 0 && (newest.done as f64) < f64::from(self.threshold) * newest.tried as f64;
        self.earlier.iter_mut().for_each(|pair| (pair.tried, pair.done) = (0, 0));
        if seldom && !self.is_full() {
            self.earlier.insert(0, Earlier::of(model));
            states.insert(1, states[0].clone());
        }
    }

    fn is_full(&self) -> bool {
        self.earlier.len() + 1 >= self.most
    }
}

/// Gives E_a(x) + E_b(y) − E_a(y) − E_b(x) of each chain: the logarithm of what a swap of x and y is worth.
fn exponents<M: EnergyModel>([a, b]: [&M; 2], [x, y]: [&M::State; 2]) -> Vec<f64> {
    let gain = (a.energy(x) - b.energy(x)) - (a.energy(y) - b.energy(y));
    gain.to_vec()
}

/// Reads updates and rounds, and what is known of each earlier model but its parameters.
fn read(numbers: &[i64], most: usize) -> Result<([u64; 2], Vec<Earlier>), Error> {
    let wrong = || {
        let expected = format!("two counters, and three numbers for each of 1 to {} models", most - 1);
        Error::shape("trajectory", expected, format!("{numbers:?}"))
    };
    let count = |n: i64| u64::try_from(n).map_err(|_| wrong());
    let ([updates, rounds, rest @ ..], true) = (numbers, numbers.len() % 3 == 2) else { return Err(wrong()) };
    let earlier = rest.chunks(3).map(|three| {
        let shift = i32::try_from(three[0]).map_err(|_| wrong())?;
        let (tried, done) = (count(three[1])?, count(three[2])?);
        Ok(Earlier { params: Params::new(Vec::new()), shift, tried, done })
    });
    let earlier = earlier.collect::<Result<Vec<_>, Error>>()?;
    if (1..most).contains(&earlier.len()) {
        Ok(([count(*updates)?, count(*rounds)?], earlier))
    } else {
        Err(wrong())
    }
}

/// Takes the parameters of a rung out.
fn taken(kept: &mut Kept, rung: usize, model: &impl EnergyModel) -> Result<Params, Error> {
    let mut params = model.params();
    for tensor in params.tensors_mut() {
        let name = format!("rung-{rung}/{}", tensor.name);
        let values = kept.take_reals(&name, &tensor.shape)?;
        tensor.values =
            values.ok_or_else(|| Error::shape(name, "the parameters of an earlier model", "none"))?;
    }
    Ok(params)
}

impl<M: EnergyModel + Clone> Estimator<M> for Trajectory {
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
        let mut states = match self.state.take() {
            Some(chains) => unpacked(model, &chains, self.chains)?,
            None => self.start(model, at),
        };
        let earlier = self.models(model)?;
        let rungs: Vec<&M> = [model].into_iter().chain(&earlier).collect();
        for sweep in 0..u64::from(sweeps) {
            for (rung, (state, model)) in states.iter_mut().zip(&rungs).enumerate() {
                model.sweep(state, of_rung(at.key(purpose::NEGATIVE), rung).fold_in(sweep));
            }
            states = self.swap(&rungs, &states, at.key(purpose::SWAP).fold_in(sweep))?;
        }
        model.accumulate(&states[0], &mut phases.negative);
        self.look(model, &mut states);
        self.state = Some(packed(model, &states));
        Ok(Estimate::Phases)
    }

    fn judge(&self, model: &M, at: Address) -> Result<(), Error> {
        self.reject(model, at)
    }

    fn rolled_back(&mut self, model: &M) -> Result<(), Error> {
        self.keep_restored(model)
    }

    fn sweeps(&self) -> &Schedule {
        &self.k
    }

    fn kept(&self) -> Kept {
        let mut kept = Kept::default().with_chains(self.state.as_ref());
        if self.state.is_none() {
            return kept;
        }
        let mut numbers = vec![self.updates as i64, self.rounds as i64];
        for (rung, earlier) in self.earlier.iter().enumerate() {
            numbers.extend([i64::from(earlier.shift), earlier.tried as i64, earlier.done as i64]);
            for t in earlier.params.tensors() {
                kept = kept.with_reals(&format!("rung-{}/{}", rung + 1, t.name), &t.shape, &t.values);
            }
        }
        kept.with_integers("trajectory", numbers)
    }

    /// Gives the earlier models the new units without weights, which leave their law as it is.
    fn grow(&mut self, model: &M) -> Result<(), Error> {
        let nothing = model.params().zeros_like();
        let mut like = model.clone();
        for earlier in &mut self.earlier {
            widen(&mut earlier.params, nothing.clone());
            // A wider layer may leave the weights fewer bits: their grid gets coarser until they fit, as the model's own did.
            while like.restore(&earlier.params, earlier.shift).is_err() && earlier.shift > COARSEST {
                earlier.shift -= 1;
            }
        }
        Ok(())
    }

    fn restore(&mut self, model: &M, mut kept: Kept) -> Result<(), Error> {
        let Some(numbers) = kept.take_integers("trajectory")? else {
            kept.finished("trajectory tempering")?;
            (self.earlier, self.state, self.updates, self.rounds) = (Vec::new(), None, 0, 0);
            return Ok(());
        };
        let (head, mut earlier) = read(&numbers, self.most)?;
        let chains = kept.take_chains((earlier.len() + 1) * self.chains)?;
        let chains = chains.ok_or_else(|| Error::shape("chains", "chains beside earlier models", "none"))?;
        for (rung, earlier) in earlier.iter_mut().enumerate() {
            earlier.params = taken(&mut kept, rung + 1, model)?;
            earlier.model(model)?;
        }
        kept.finished("trajectory tempering")?;
        unpacked(model, &chains, self.chains)?;
        (self.earlier, self.state, [self.updates, self.rounds]) = (earlier, Some(chains), head);
        Ok(())
    }
}
