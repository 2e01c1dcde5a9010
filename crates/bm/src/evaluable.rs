//! Lets the one call for likelihoods measure machines.

use std::borrow::Cow;

use harmonium_core::data::marginals;
use harmonium_core::evaluate::Evaluable;
use harmonium_core::units::{Layer, Unit};
use harmonium_core::{Batch, EnergyModel, Error, Gibbs, Key, Marginal, Rows};
use harmonium_kernels::parallel;
use ndarray::Array1;

use crate::{Machine, Path, State};

/// Machines of at most 2^20 states are enumerated; for larger ones, hidden units may have 2^20 states, since −F sums over them.
impl Evaluable for Machine {
    type State = State;
    type Path<'a> = Path<'a>;

    fn is_enumerable(&self) -> bool {
        Self::is_enumerable(self)
    }

    fn exact_log_z(&self) -> Result<f64, Error> {
        self.log_z()
    }

    fn unnormalized(&self, rows: &Batch) -> Result<Array1<f64>, Error> {
        Ok(-self.free_energy(rows)?)
    }

    fn is_discrete(&self) -> bool {
        true
    }

    /// Gives the base of the visible units ([`Machine::base`]), unless it is the even one that machines have before they see data.
    fn kept_base(&self) -> Option<Layer> {
        let kind = self.visible_kind();
        let own = &self.base()[..kind.features()];
        own.iter().any(|&bias| bias != 0.0).then(|| kind.layer(own.to_vec()))
    }

    fn fit_base(&self, rows: &dyn Rows) -> Result<Layer, Error> {
        marginals(&self.visible_kind(), rows, None)
    }

    /// Gives the path from these visible units; in the base, hidden units have no biases.
    fn path_from<'a>(&'a self, base: &'a Layer) -> Result<Path<'a>, Error> {
        let (expected, got) = (self.visible_kind(), base.units());
        if expected != got {
            return Err(Error::shape("base", expected, got));
        }
        let mut biases = base.bias().to_vec();
        biases.resize(self.biases().len(), 0.0);
        self.path(Cow::Owned(biases))
    }

    fn walk(
        &self,
        starts: &Batch,
        sweeps: u64,
        key: Key,
        watch: &mut dyn FnMut(usize, usize),
    ) -> Result<State, Error> {
        self.check_data(starts)?;
        // Sweeps count up from 0; the start draws hidden units from where no sweep reaches.
        let mut state = self.infer(starts, key.fold_in(u64::MAX));
        parallel::team(|| {
            for sweep in 0..sweeps {
                self.sweep(&mut state, key.fold_in(sweep));
                watch(sweep as usize + 1, sweeps as usize);
            }
        });
        Ok(state)
    }

    /// Draws every hidden unit from its law given the visible units alone, the other hidden ones at 0: where hidden units do not
    /// meet, that is the model's own.
    fn stand(&self, rows: &Batch, key: Key) -> Result<(State, Array1<f64>), Error> {
        self.check_data(rows)?;
        rows.check_complete("data")?;
        Ok(self.view().stood(&self.clamp(rows).bits, key))
    }

    /// The way back visits the units in the opposite order.
    fn is_reversible(&self) -> bool {
        true
    }
}
