//! Evaluates a machine on held-out rows: exactly, or by annealing with an interval.

use harmonium_core::evaluate::{self as measure, Annealing, Evaluable, Likelihood, Watch};
use harmonium_core::units::{Layer, States, Unit};
use harmonium_core::{Batch, EnergyModel, Error, Gibbs, Key, Marginal, Rows, data};
use harmonium_kernels::parallel;
use ndarray::Array1;

use crate::{Path, Rbm};

/// Units of the smaller layer up to which enumeration takes no time.
pub const ENUMERABLE: usize = 20;

impl Evaluable for Rbm {
    type State = States;
    type Path<'a> = Path<'a>;

    fn is_enumerable(&self) -> bool {
        Self::is_enumerable(self)
    }

    fn exact_log_z(&self) -> Result<f64, Error> {
        self.log_z()
    }

    fn unnormalized(&self, rows: &Batch) -> Result<Array1<f64>, Error> {
        Ok(self.free_energy(rows)?.mapv(|f| -f))
    }

    fn is_discrete(&self) -> bool {
        self.visible.units().is_discrete()
    }

    /// Gives the base of the machine, unless it is the even one that machines have before they see data.
    fn kept_base(&self) -> Option<Layer> {
        Some(self.base().clone()).filter(|base| *base != self.visible.free())
    }

    fn fit_base(&self, rows: &dyn Rows) -> Result<Layer, Error> {
        data::marginals(&self.visible.units(), rows, self.scaling())
    }

    fn path_from<'a>(&'a self, base: &'a Layer) -> Result<Path<'a>, Error> {
        self.path(base)
    }

    fn walk(
        &self,
        starts: &Batch,
        sweeps: u64,
        key: Key,
        watch: &mut dyn FnMut(usize, usize),
    ) -> Result<States, Error> {
        self.check_data(starts)?;
        let mut state = self.clamp(starts);
        parallel::team(|| {
            for sweep in 0..sweeps {
                self.sweep(&mut state, key.fold_in(sweep));
                watch(sweep as usize + 1, sweeps as usize);
            }
        });
        Ok(self.pack(&state))
    }

    fn stand(&self, rows: &Batch, _key: Key) -> Result<(States, Array1<f64>), Error> {
        let unnormalized = self.unnormalized(rows)?;
        Ok((self.pack(&self.clamp(rows)), unnormalized))
    }

    /// Sweeps h ∼ p(h | v), v ∼ p(v | h) are reversible in v.
    fn is_reversible(&self) -> bool {
        true
    }
}

impl Rbm {
    /// Measures the mean log-likelihood: exactly where the smaller layer has at most 2^20 states, else by annealing in both
    /// directions ([`harmonium_core::evaluate::log_likelihood`]).
    ///
    /// # Errors
    /// Refuses rows of another width, options out of range, and what is too uncertain.
    pub fn log_likelihood(
        &self,
        data: &Batch,
        options: &Annealing<'_>,
        key: Key,
    ) -> Result<Likelihood, Error> {
        measure::log_likelihood(self, data, options, key)
    }

    /// Computes the exact mean log-likelihood by enumerating the smaller layer.
    ///
    /// # Errors
    /// Refuses rows of another width, and machines whose smaller layer has more than 25 units.
    pub fn exact_likelihood(&self, data: &Batch) -> Result<Likelihood, Error> {
        measure::exact_likelihood(self, data)
    }

    /// Estimates the mean log-likelihood by annealed importance sampling, however uncertain; from the machine's own base, if the
    /// options have none, and backward only where they name rows to start from.
    ///
    /// # Errors
    /// Refuses rows or a base of another width, and options out of range.
    pub fn annealed_likelihood(
        &self,
        data: &Batch,
        options: &Annealing<'_>,
        key: Key,
        watch: &mut Watch<'_>,
    ) -> Result<Likelihood, Error> {
        let options = Annealing { base: options.base.or(Some(self.base())), ..options.clone() };
        measure::annealed_likelihood(self, data, &options, key, watch)
    }

    /// Computes the mean of −F(v) over rows, in nats.
    ///
    /// # Errors
    /// Refuses rows of another width.
    pub fn mean_unnormalized(&self, data: &Batch) -> Result<f64, Error> {
        let sum: f64 = self.free_energy(data)?.iter().sum();
        Ok(-sum / data.rows() as f64)
    }
}
