//! Walks from independent visible units to the machine, for annealed importance sampling.

use harmonium_core::units::{Bernoulli, Unit};
use harmonium_core::{Annealed, Error, Gibbs, Key};
use harmonium_kernels::BitMatrix;

use crate::rbm::finite;
use crate::{Rbm, View};

/// Is the path (1 − β) E_base + β E; at β = 0 the visible units are independent and the hidden ones fair coins.
#[derive(Clone, Copy, Debug)]
pub struct Path<'a> {
    pub(crate) rbm: &'a Rbm,
    pub(crate) base: &'a Bernoulli,
}

impl Rbm {
    /// Views the machine at β on the way from `base`: energy (1 − β) E_base + β E.
    pub fn annealed(&self, base: &Bernoulli, beta: f32) -> View<'_> {
        View::annealed(self, base, beta)
    }

    /// Gives the path from `base` to the machine.
    ///
    /// # Errors
    /// Refuses a base of another width, or with a bias that is not finite.
    pub fn path<'a>(&'a self, base: &'a Bernoulli) -> Result<Path<'a>, Error> {
        finite("base", base.bias())?;
        if base.units() == self.visible_units() {
            return Ok(Path { rbm: self, base });
        }
        let units = |n: usize| format!("{n} units");
        Err(Error::shape("base", units(self.visible_units()), units(base.units())))
    }
}

impl Annealed for Path<'_> {
    type State = BitMatrix;

    fn base_samples(&self, runs: usize, key: Key) -> BitMatrix {
        self.rbm.annealed(self.base, 0.0).init(runs, key).visible
    }

    /// Gives ln Z of the base: Σ ln(1 + e^a) for the visible units and ln 2 for each hidden one.
    fn base_log_z(&self) -> f64 {
        let hidden = self.rbm.hidden_units() as f64 * std::f64::consts::LN_2;
        mutant!("B54", self.base.log_z() + hidden, 0.0)
    }

    /// Shares one input between both free energies and the sweep's first half-step.
    fn advance(&self, state: &mut BitMatrix, from: f32, to: f32, key: Key) -> Vec<f64> {
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
