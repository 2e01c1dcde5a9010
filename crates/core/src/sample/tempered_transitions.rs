//! Leaves a well by heating up and cooling down again, and accepts or refuses where that ends: tempered transitions
//! (Neal 1996, "Sampling from multimodal distributions using tempered transitions").

use harmonium_kernels::{Key, purpose};
use ndarray::Array1;
use rand::RngCore;
use serde::{Deserialize, Serialize};

use super::chains::sweeps;
use super::{Chains, Ladder, Observer, Seen};
use crate::model::Step;
use crate::units::States;
use crate::{Annealed, Error};

/// Is a path that knows the reversal of each of its sweeps ([`Annealed::retreat`]).
///
/// That is what a tempered transition needs: on the way down it must run the reversal of every sweep on the way up. Sweeps in
/// detailed balance are their own: one there and back through the units, h ∼ p(h | v), v ∼ p(v | h) seen on v alone, and a single
/// step of Metropolis type. One that goes through units in turn is not, though it leaves the law alone; its reversal goes through
/// them from the last to the first.
pub trait Reversible: Annealed {
    /// Refuses paths whose sweeps have no reversal.
    ///
    /// # Errors
    /// Says what a path must be like.
    fn check_reversible(&self) -> Result<(), Error>;

    /// Packs the states, one row a chain.
    fn packed(&self, state: &Self::State) -> States;

    /// Puts `before` back in the rows of the mask.
    fn put_back(&self, state: &mut Self::State, before: &Self::State, rows: &[bool]);
}

/// Says through which β a tempered transition goes.
///
/// Up from β₀ = 1 to β_n and down again by sweeps T_i at β_i; the end is accepted with probability
/// min(1, Π_i f_(i+1)(x̂_i) / f_i(x̂_i) · f_i(x̌_i) / f_(i+1)(x̌_i)), x̂_i being the states before T_(i+1) on the way up, x̌_i those
/// after it on the way down (equation 7). The log ratios are what [`Annealed::advance`] gives: laws are those of the
/// path (1 − β) E_base + β E, so that chains lose nothing at β = 0 but the base's law. There is one more sweep at
/// β = 1 at either end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TemperedTransitions {
    /// The inverse temperatures, from 1 down: as the acceptance falls with the squares of the steps, many.
    pub ladder: Ladder,
}

impl Default for TemperedTransitions {
    fn default() -> Self {
        Self { ladder: Ladder::Even { rungs: 50, lowest: 0.1 } }
    }
}

/// Counts transitions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transitions {
    /// Those accepted, of all chains.
    pub accepted: u64,
    /// All of them.
    pub tried: u64,
}

impl Transitions {
    /// Gives the share that was accepted; NaN before the first.
    pub fn rate(&self) -> f64 {
        self.accepted as f64 / self.tried as f64
    }
}

impl TemperedTransitions {
    /// Refuses ladders of fewer than two rungs or out of range.
    ///
    /// # Errors
    /// Names the option.
    pub fn check(&self) -> Result<(), Error> {
        self.ladder.check()?;
        match self.ladder.betas().len() {
            1 => Err(Error::option("rungs", "2 or more", 1)),
            _ => Ok(()),
        }
    }

    /// Lets every chain try one transition, and tells which were accepted. Step n of the way draws from `key.fold_in(n)`, and
    /// the decision of chain c from stream c of `key.fold_in(u64::MAX)`.
    ///
    /// # Errors
    /// Refuses options out of range, and paths whose sweeps have no reversal.
    pub fn step<A: Reversible>(&self, path: &A, state: &mut A::State, key: Key) -> Result<Vec<bool>, Error> {
        self.check()?;
        path.check_reversible()?;
        let up = self.ladder.betas();
        let (before, mut ratio, mut step) = (state.clone(), Vec::new(), 0);
        // At β = 1 alone first, then up; at the top alone, then down.
        let down: Vec<f32> = up.iter().rev().copied().collect();
        let ways: [(_, Step<A>); 2] = [(&up, A::advance), (&down, mutant!("B340", A::retreat, A::advance))];
        for (way, walk) in ways {
            let turn = std::iter::once([way[0]; 2]);
            for [from, to] in turn.chain(way.windows(2).map(|pair| [pair[0], pair[1]])) {
                let gains = walk(path, state, from, to, key.fold_in(step));
                ratio.resize(gains.len(), 0.0);
                ratio.iter_mut().zip(gains).for_each(|(sum, gain)| *sum += gain);
                step += 1;
            }
        }
        let accepted = |(row, log): (usize, &f64)| {
            accepts(key.fold_in(mutant!("B386", u64::MAX, 0)).stream(row as u64).next_u32(), *log)
        };
        let accepted: Vec<bool> = ratio.iter().enumerate().map(accepted).collect();
        let refused: Vec<bool> = accepted.iter().map(|accepted| !accepted).collect();
        path.put_back(state, &before, &refused);
        Ok(accepted)
    }

    /// Starts at the base's law and lets chains try `burn_in` transitions, then `sweeps` more, of which observers see every
    /// `thin`-th; `energy` is what they get as energies, in nats.
    ///
    /// # Errors
    /// As [`TemperedTransitions::step`]; refuses options out of range.
    pub fn run<A: Reversible>(
        &self,
        path: &A,
        chains: &Chains,
        energy: &dyn Fn(&A::State) -> Array1<f64>,
        key: Key,
        observers: &mut [&mut dyn Observer],
    ) -> Result<(A::State, Transitions), Error> {
        chains.check()?;
        let mut state = path.base_samples(chains.chains, key.fold_in(purpose::CHAINS));
        let mut count = Transitions::default();
        for done in 1..=chains.burn_in + chains.sweeps {
            let accepted = self.step(path, &mut state, sweeps(key).fold_in(done - 1))?;
            if done > chains.burn_in {
                count.tried += accepted.len() as u64;
                count.accepted += accepted.iter().filter(|accepted| **accepted).count() as u64;
            }
            if chains.shows(done) {
                let (pack, energies) = (|| path.packed(&state), || energy(&state));
                let seen = Seen::new(done, &pack, &energies);
                observers.iter_mut().for_each(|observer| observer.see(&seen));
            }
        }
        Ok((state, count))
    }
}

/// Puts rows of packed states back.
///
/// # Panics
/// If the shapes differ.
pub fn with_rows_back(state: &States, before: &States, rows: &[bool]) -> States {
    let count = state.rows();
    let both = States::stacked(&[state.clone(), before.clone()]);
    both.gather(rows.iter().enumerate().map(|(row, &back)| if back { count + row } else { row }))
}

/// Tells whether a transition is accepted whose word this is and whose ratio has this logarithm; one that is no number is refused. Steps
/// decide so.
pub fn accepts(word: u32, log_ratio: f64) -> bool {
    let p = libm::exp(mutant!("B176", mutant!("B335", log_ratio, 0.9 * log_ratio).min(0.0), 0.0));
    !log_ratio.is_nan() && f64::from(word >> 8) < p * 16_777_216.0
}
