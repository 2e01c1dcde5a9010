//! Draws samples by the sampler that was asked for, and tells how its chains moved.

use std::fmt;

use clap::{Args, ValueEnum};
use harmonium::rbm::Rbm;
use harmonium::sample::{
    Anneal, Chains, Cooling, Ladder, Mixing, MixingTest, ParallelTempering, Seen, TemperedTransitions,
};
use harmonium::units::States;
use harmonium::{Error, Gibbs, Key};
use ndarray::Array2;
use serde::Serialize;

/// Chains of which energies are kept for the mixing test.
const TRACED: usize = 64;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Sampler {
    /// Chains that walk from the base model to the machine, and then run there.
    #[default]
    Gibbs,
    /// Chains at several temperatures that swap places; the ladder adapts in the first half of the sweeps.
    Tempering,
    /// Chains that heat up, cool down, and accept or refuse where that ends.
    TemperedTransitions,
    /// Chains that cool to states of low energy: the best of them is the one sample.
    Anneal,
}

#[derive(Debug, Args)]
pub(crate) struct SamplerOptions {
    /// How samples are drawn
    #[arg(long, value_enum, default_value_t, value_name = "NAME")]
    pub(crate) sampler: Sampler,
    /// Temperatures of the ladder [default: 11; for tempered transitions 50]
    #[arg(long, value_name = "N")]
    pub(crate) rungs: Option<usize>,
    /// The lowest inverse temperature of the ladder [default: 0.1]
    #[arg(long, value_name = "BETA")]
    pub(crate) lowest_beta: Option<f32>,
}

/// Is what a sampler has to say of itself.
#[derive(Debug, Serialize)]
pub(crate) struct Outcome {
    sampler: Sampler,
    /// β of the rungs, and the rates at which neighbours swap.
    #[serde(skip_serializing_if = "Option::is_none")]
    ladder: Option<(Vec<f32>, Vec<f64>)>,
    /// Ways to the last rung and back, of all chains.
    #[serde(skip_serializing_if = "Option::is_none")]
    round_trips: Option<u64>,
    /// Share of accepted transitions.
    #[serde(skip_serializing_if = "Option::is_none")]
    acceptance: Option<f64>,
    /// The lowest energy met, in nats.
    #[serde(skip_serializing_if = "Option::is_none")]
    energy: Option<f64>,
    /// The mixing test on energies.
    #[serde(skip_serializing_if = "Option::is_none")]
    mixing: Option<Mixing>,
}

impl Outcome {
    fn of(sampler: Sampler) -> Self {
        Self { sampler, ladder: None, round_trips: None, acceptance: None, energy: None, mixing: None }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if let Some((betas, rates)) = &self.ladder {
            let list = |values: Vec<String>| values.join(" ");
            parts.push(format!("betas {}", list(betas.iter().map(|b| format!("{b:.3}")).collect())));
            parts.push(format!("swap rates {}", list(rates.iter().map(|r| format!("{r:.2}")).collect())));
        }
        parts.extend(self.round_trips.map(|trips| format!("round trips {trips}")));
        parts.extend(self.acceptance.map(|rate| format!("transitions accepted {:.1} %", 100.0 * rate)));
        parts.extend(self.energy.map(|energy| format!("lowest energy {energy:.4} nats")));
        parts.extend(self.mixing.as_ref().map(|mixing| format!("energies: {mixing}")));
        f.write_str(&parts.join("\n"))
    }
}

/// Draws `n` samples with so many sweeps of each chain; `watch` hears how many are done.
///
/// # Errors
/// Refuses options out of range, and models that the sampler can't treat.
pub(crate) fn draw(
    rbm: &Rbm,
    (n, sweeps): (usize, u64),
    options: &SamplerOptions,
    key: Key,
    watch: &mut dyn FnMut(u64),
) -> Result<(States, Option<Outcome>), Error> {
    options.check()?;
    let (samples, outcome) = match options.sampler {
        Sampler::Gibbs => return Ok((rbm.sample(n, sweeps, key, watch), None)),
        Sampler::Tempering => options.temper(rbm, (n, sweeps), key, watch)?,
        Sampler::TemperedTransitions => options.transit(rbm, (n, sweeps), key, watch)?,
        Sampler::Anneal => anneal(rbm, (n, sweeps), key, watch)?,
    };
    Ok((rbm.give(samples), Some(outcome)))
}

impl SamplerOptions {
    /// Refuses options of a ladder where there is none.
    fn check(&self) -> Result<(), Error> {
        let laddered = matches!(self.sampler, Sampler::Tempering | Sampler::TemperedTransitions);
        if laddered || self.rungs.is_none() && self.lowest_beta.is_none() {
            return Ok(());
        }
        Err(Error::option("sampler", "tempering or tempered-transitions with a ladder", self.name()))
    }

    fn name(&self) -> String {
        self.sampler.to_possible_value().map_or_else(String::new, |value| value.get_name().into())
    }

    fn ladder(&self, rungs: usize) -> Ladder {
        Ladder::Even { rungs: self.rungs.unwrap_or(rungs), lowest: self.lowest_beta.unwrap_or(0.1) }
    }

    fn temper(
        &self,
        rbm: &Rbm,
        (n, sweeps): (usize, u64),
        key: Key,
        watch: &mut dyn FnMut(u64),
    ) -> Result<(States, Outcome), Error> {
        let chains = halves(n, sweeps);
        let tempering = ParallelTempering { chains, ladder: self.ladder(11), adapt: true };
        let (mut energies, mut outcome) = (Energies::default(), Outcome::of(self.sampler));
        let mut replicas = tempering.start(rbm, key)?;
        for done in 1..=sweeps {
            replicas.step()?;
            watch(done);
            if done > chains.burn_in {
                energies.keep(replicas.energies(0).iter().copied());
            }
        }
        outcome.ladder = Some((replicas.betas().to_vec(), replicas.swap_rates()));
        outcome.round_trips = Some(replicas.round_trips().iter().sum());
        outcome.mixing = energies.mixing()?;
        Ok((rbm.pack(replicas.state()), outcome))
    }

    /// A transition takes as many sweeps as there are rungs up and down.
    fn transit(
        &self,
        rbm: &Rbm,
        (n, sweeps): (usize, u64),
        key: Key,
        watch: &mut dyn FnMut(u64),
    ) -> Result<(States, Outcome), Error> {
        let transitions = TemperedTransitions { ladder: self.ladder(50) };
        transitions.check()?;
        let each = 2 * transitions.ladder.betas().len() as u64;
        if sweeps < 2 * each {
            return Err(Error::option(
                "sweeps",
                format!("{} or more, for two transitions", 2 * each),
                sweeps,
            ));
        }
        let path = rbm.path(rbm.base())?;
        let (mut energies, mut outcome) = (Energies::default(), Outcome::of(self.sampler));
        let free = |visible: &States| rbm.view().free_energies(visible).into();
        let mut look = |seen: &Seen<'_>| {
            watch(seen.sweep() * each);
            energies.keep(seen.energies().iter().copied());
        };
        let chains = halves(n, sweeps / each);
        let (samples, count) = transitions.run(&path, &chains, &free, key, &mut [&mut look])?;
        outcome.acceptance = Some(count.rate());
        outcome.mixing = energies.mixing()?;
        Ok((samples, outcome))
    }
}

/// Spends the first half of the sweeps on burning in.
fn halves(chains: usize, sweeps: u64) -> Chains {
    Chains { chains, burn_in: sweeps / 2, sweeps: sweeps - sweeps / 2, thin: 1 }
}

fn anneal(
    rbm: &Rbm,
    (chains, sweeps): (usize, u64),
    key: Key,
    watch: &mut dyn FnMut(u64),
) -> Result<(States, Outcome), Error> {
    let anneal = Anneal { chains, sweeps: sweeps as usize, cooling: Cooling::default() };
    let found = anneal.run(rbm, key, &mut |done, _| {
        watch(done as u64);
        true
    })?;
    Ok((found.best, Outcome { energy: Some(found.energy), ..Outcome::of(Sampler::Anneal) }))
}

/// Keeps energies of some chains.
#[derive(Default)]
struct Energies {
    chains: usize,
    values: Vec<f64>,
}

impl Energies {
    fn keep(&mut self, energies: impl Iterator<Item = f64>) {
        let before = self.values.len();
        self.values.extend(energies.take(TRACED));
        self.chains = self.values.len() - before;
    }

    /// Judges them, where there are enough.
    fn mixing(self) -> Result<Option<Mixing>, Error> {
        let looks = self.values.len() / self.chains.max(1);
        if looks < 8 {
            return Ok(None);
        }
        let shape = |e| Error::shape("energies", "whole looks", e);
        let values = Array2::from_shape_vec((looks, self.chains), self.values).map_err(shape)?;
        MixingTest::default().judge(values.view()).map(Some)
    }
}
