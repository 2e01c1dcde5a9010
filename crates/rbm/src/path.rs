//! Walks from independent visible units to the machine, for annealed importance sampling.

use harmonium_core::sample::{Reversible, with_rows_back};
use harmonium_core::units::{Layer, States, Unit, Units};
use harmonium_core::{Annealed, Error, Gibbs, Key};

use crate::{Rbm, View};

/// Is the path (1 − β) E_base + β E; at β = 0 the visible units are independent and the hidden ones have no biases.
#[derive(Clone, Copy, Debug)]
pub struct Path<'a> {
    pub(crate) rbm: &'a Rbm,
    pub(crate) base: &'a Layer,
}

impl Rbm {
    /// Views the machine at β on the way from `base`: energy (1 − β) E_base + β E.
    pub fn annealed(&self, base: &Layer, beta: f32) -> View<'_> {
        View::annealed(self, base, beta)
    }

    /// Gives the path from `base` to the machine.
    ///
    /// # Errors
    /// Refuses a base of another width or kind, or with a parameter that is not finite, and machines without an energy.
    pub fn path<'a>(&'a self, base: &'a Layer) -> Result<Path<'a>, Error> {
        self.view().check_energy("annealing")?;
        self.check_base(base)?;
        Ok(Path { rbm: self, base })
    }
}

impl Annealed for Path<'_> {
    type State = States;

    fn base_samples(&self, runs: usize, key: Key) -> States {
        self.rbm.annealed(self.base, 0.0).init(runs, key).visible
    }

    /// Gives ln Z of the base: Γ(0) of its visible units, and of hidden ones without biases, ln 2 for each bit.
    fn base_log_z(&self) -> f64 {
        let hidden = match self.rbm.hidden.units() {
            Units::Bernoulli(units) => units as f64 * std::f64::consts::LN_2,
            _ => self.rbm.hidden.free().log_z(),
        };
        mutant!("B54", self.base.log_z() + hidden, 0.0)
    }

    /// Shares one input between both free energies and the sweep's first half-step.
    fn advance(&self, state: &mut States, from: f32, to: f32, key: Key) -> Vec<f64> {
        let (before, after) = (self.rbm.annealed(self.base, from), self.rbm.annealed(self.base, to));
        let mut input = before.hidden_input(state).computed();
        let f = before.free_energy_from(state, &input);
        input.gain = to;
        let gains = f.iter().zip(after.free_energy_from(state, &input)).map(|(a, b)| a - b).collect();
        let hidden = after.hidden.sample(&input, key.fold_in(0));
        *state = after.sample_visible(&hidden, key.fold_in(1));
        gains
    }
}

/// A sweep seen on v alone, Σ_h p(h | v) p(v' | h), is in detailed balance with p(v).
impl Reversible for Path<'_> {
    fn check_reversible(&self) -> Result<(), Error> {
        Ok(())
    }

    fn packed(&self, state: &States) -> States {
        state.clone()
    }

    fn put_back(&self, state: &mut States, before: &States, rows: &[bool]) {
        *state = with_rows_back(state, before, rows);
    }
}
