//! Looks for states of low energy by cooling chains: simulated annealing (Kirkpatrick, Gelatt & Vecchi 1983).

use harmonium_kernels::{Key, parallel, purpose};
use serde::{Deserialize, Serialize};

use super::chains::{check_chains, sweeps};
use crate::units::States;
use crate::{Error, Gibbs, Thermal};

/// The most sweeps of an annealing.
const MAX_SWEEPS: usize = 100_000_000;

/// Says how β rises.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Cooling {
    /// By equal steps.
    Linear {
        /// β of the first sweep, 0 or more.
        from: f32,
        /// β of the last.
        to: f32,
    },
    /// By equal factors.
    Geometric {
        /// β of the first sweep, above 0.
        from: f32,
        /// β of the last.
        to: f32,
    },
    /// One β after the other, each for as many sweeps as any other, or one more.
    Betas(Vec<f32>),
}

impl Default for Cooling {
    fn default() -> Self {
        Self::Geometric { from: 0.1, to: 10.0 }
    }
}

impl Cooling {
    /// Gives β of sweep `at` of `of`.
    fn beta(&self, at: usize, of: usize) -> f32 {
        let part = at as f64 / (of.max(2) - 1) as f64;
        match self {
            Self::Linear { from, to } => (f64::from(*from) + f64::from(to - from) * part) as f32,
            Self::Geometric { from, to } => {
                let ratio = libm::log(f64::from(*to) / f64::from(*from));
                (f64::from(*from) * libm::exp(ratio * part)) as f32
            }
            Self::Betas(betas) => betas[at * betas.len() / of],
        }
    }

    /// Refuses β that are negative or not finite, a geometric start at 0, and an empty list.
    ///
    /// # Errors
    /// Names the option.
    pub fn check(&self) -> Result<(), Error> {
        let (all, least) = match self {
            Self::Linear { from, to } => (vec![*from, *to], 0.0),
            Self::Geometric { from, to } => (vec![*from, *to], f32::MIN_POSITIVE),
            Self::Betas(betas) => (betas.clone(), 0.0),
        };
        if !all.is_empty() && all.iter().all(|beta| beta.is_finite() && *beta >= least) {
            return Ok(());
        }
        let expected = if least > 0.0 { "finite numbers above 0" } else { "finite numbers, 0 or more" };
        Err(Error::option("cooling", expected, format!("{all:?}")))
    }
}

/// Says how an annealing runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Anneal {
    /// Chains that cool side by side; the best of all is kept.
    pub chains: usize,
    /// Sweeps in all.
    pub sweeps: usize,
    /// How β rises.
    pub cooling: Cooling,
}

impl Default for Anneal {
    fn default() -> Self {
        Self { chains: 10, sweeps: 1000, cooling: Cooling::default() }
    }
}

/// Is what an annealing found.
#[derive(Clone, Debug, PartialEq)]
pub struct Annealing {
    /// The best state met, packed by the model: one row. Units that a model does not pack, say hidden ones, have no place
    /// in it, though the energy is that of all units.
    pub best: States,
    /// Its energy at β = 1, in nats.
    pub energy: f64,
    /// The lowest energy met after each sweep: it never rises.
    pub trace: Vec<f64>,
}

impl Anneal {
    /// Refuses options out of range.
    ///
    /// # Errors
    /// Names the option.
    pub fn check(&self) -> Result<(), Error> {
        check_chains(self.chains)?;
        if !(1..=MAX_SWEEPS).contains(&self.sweeps) {
            return Err(Error::option("sweeps", format!("1 to {MAX_SWEEPS}"), self.sweeps));
        }
        self.cooling.check()
    }

    /// Cools chains from fresh starts. `go_on` hears how many sweeps are done and the lowest energy, and stops the annealing
    /// by `false`.
    ///
    /// # Errors
    /// Refuses options out of range, and β at which the model has no law.
    pub fn run<M: Thermal>(
        &self,
        model: &M,
        key: Key,
        go_on: &mut dyn FnMut(usize, f64) -> bool,
    ) -> Result<Annealing, Error> {
        self.check()?;
        let beta = |at| self.cooling.beta(at, self.sweeps);
        (0..self.sweeps).try_for_each(|at| model.check_beta(beta(at)))?;
        let mut state = model.tempered(beta(0)).init(self.chains, key.fold_in(purpose::CHAINS));
        let mut found =
            Annealing { best: model.pack(&state).gather([0]), energy: f64::INFINITY, trace: vec![] };
        parallel::team(|| {
            for at in 0..self.sweeps {
                model.tempered(beta(at)).sweep(&mut state, sweeps(key).fold_in(at as u64));
                found.look(model, &state);
                if !go_on(at + 1, found.energy) {
                    break;
                }
            }
        });
        Ok(found)
    }
}

impl Annealing {
    /// Keeps the best chain if it is better than all before; the first of equals.
    fn look<M: Gibbs>(&mut self, model: &M, state: &M::State) {
        let energies = model.energy(state);
        for (row, &energy) in energies.iter().enumerate() {
            if energy < self.energy {
                self.energy = energy;
                self.best = model.pack(state).gather([row]);
            }
        }
        self.trace.push(mutant!("B175", self.energy, energies[0]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_have_their_ends_and_their_steps() {
        let betas = |cooling: Cooling, of| (0..of).map(|at| cooling.beta(at, of)).collect::<Vec<_>>();
        assert_eq!(betas(Cooling::Linear { from: 0.0, to: 2.0 }, 5), [0.0, 0.5, 1.0, 1.5, 2.0]);
        let all = betas(Cooling::Geometric { from: 0.5, to: 8.0 }, 5);
        assert!(all.iter().zip([0.5, 1.0, 2.0, 4.0, 8.0]).all(|(a, b): (&f32, f32)| (a - b).abs() < 1e-6));
        assert_eq!(betas(Cooling::Betas(vec![0.1, 1.0]), 4), [0.1, 0.1, 1.0, 1.0]);
        assert_eq!(betas(Cooling::Linear { from: 1.0, to: 2.0 }, 1), [1.0]);
    }

    #[test]
    fn schedules_out_of_range_are_named() {
        for bad in [
            Cooling::Betas(vec![]),
            Cooling::Betas(vec![f32::NAN]),
            Cooling::Geometric { from: 0.0, to: 1.0 },
            Cooling::Linear { from: -1.0, to: 1.0 },
            Cooling::Linear { from: 0.0, to: f32::INFINITY },
        ] {
            assert!(bad.check().unwrap_err().to_string().starts_with("cooling: expected finite"));
        }
        assert!(Anneal { sweeps: 0, ..Anneal::default() }.check().is_err());
        assert!(Anneal::default().check().is_ok());
    }
}
