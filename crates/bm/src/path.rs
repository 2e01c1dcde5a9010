//! Walks from independent units to the machine, for annealed importance sampling.

use std::borrow::Cow;

use harmonium_core::evaluate::LogSumExp;
use harmonium_core::sample::{Reversible, with_rows_back};
use harmonium_core::units::States;
use harmonium_core::{Annealed, Error, Key};
use harmonium_kernels::parallel;

use crate::parameters::{finite, same_length};
use crate::view::Free;
use crate::{Machine, State, View};

/// Is the path (1 − β) E_base + β E over the states of all units; at β = 0 they are independent.
#[derive(Clone, Debug)]
pub struct Path<'a> {
    machine: &'a Machine,
    base: Cow<'a, [f32]>,
}

impl Machine {
    /// Views the machine at β on the way from independent units with these biases: energy (1 − β) E_base + β E.
    ///
    /// # Errors
    /// As [`Machine::path`].
    pub fn annealed(&self, base: &[f32], beta: f32) -> Result<View<'_>, Error> {
        self.path(base)?;
        Ok(View::annealed(self, base, beta))
    }

    /// Gives the path to the machine from independent units with these biases, one a feature, say [`Machine::base`].
    ///
    /// # Errors
    /// Refuses another number of biases, and one that is not finite.
    pub fn path<'a>(&'a self, base: impl Into<Cow<'a, [f32]>>) -> Result<Path<'a>, Error> {
        let base = base.into();
        same_length("base", self.biases.len(), base.len())?;
        finite("base", &base)?;
        Ok(Path { machine: self, base })
    }
}

impl Annealed for Path<'_> {
    type State = State;

    fn base_samples(&self, runs: usize, key: Key) -> State {
        State::new(View::annealed(self.machine, &self.base, 0.0).alone(runs, key.fold_in(0)))
    }

    /// Gives Σ ln Σ_x e^(b x) over the units.
    fn base_log_z(&self) -> f64 {
        let width = self.machine.width();
        let unit = |biases: &[f32]| {
            let wide = biases.iter().map(|&b| f64::from(b));
            match (width, self.machine.is_spin()) {
                (1, true) => {
                    [f64::from(biases[0]), -f64::from(biases[0])].into_iter().collect::<LogSumExp>().value()
                }
                (1, false) => [f64::from(biases[0]), 0.0].into_iter().collect::<LogSumExp>().value(),
                _ => wide.collect::<LogSumExp>().value(),
            }
        };
        self.base.chunks(width).map(unit).sum()
    }

    fn advance(&self, state: &mut State, from: f32, to: f32, key: Key) -> Vec<f64> {
        self.step(state, from, to, &|view, state| view.walk(state, Free::All, 0..1, &|_| key))
    }

    /// Visits the units from the last to the first: each draw is in detailed balance with the law, so that the same draws in the opposite
    /// order are the reversal of a sweep.
    fn retreat(&self, state: &mut State, from: f32, to: f32, key: Key) -> Vec<f64> {
        self.step(state, from, to, &|view, state| view.walk_back(state, key))
    }
}

impl Reversible for Path<'_> {
    fn check_reversible(&self) -> Result<(), Error> {
        Ok(())
    }

    fn packed(&self, state: &State) -> States {
        States::Bits(state.bits.clone())
    }

    fn put_back(&self, state: &mut State, before: &State, rows: &[bool]) {
        let [now, then] = [&*state, before].map(|state| self.packed(state));
        state.bits = with_rows_back(&now, &then, rows).expect_bits().clone();
    }
}

impl Path<'_> {
    /// Gives F_from − F_to of each row, and then moves at β = `to`.
    fn step(
        &self,
        state: &mut State,
        from: f32,
        to: f32,
        walk: &(dyn Fn(&View<'_>, &mut State) + Sync),
    ) -> Vec<f64> {
        let (before, after) =
            (View::annealed(self.machine, &self.base, from), View::annealed(self.machine, &self.base, to));
        let energies = before.energies(&state.bits).into_iter();
        let gains =
            energies.zip(after.energies(&state.bits)).map(|(a, b)| mutant!("B141", a - b, b - a)).collect();
        parallel::team(|| walk(&after, state));
        gains
    }
}
