//! Evaluates a deep machine: ln Z exactly or by annealing, and with it the variational bound of the likelihood.

use harmonium_core::evaluate::{self as measure, Annealing, Evaluable, Likelihood, LogSumExp, Watch};
use harmonium_core::units::{Layer, States, Unit, Units};
use harmonium_core::{Batch, EnergyModel, Error, Gibbs, Key, Rows, data};
use harmonium_kernels::{BitMatrix, parallel};
use ndarray::Array1;

use super::{Dbm, Path, View};

/// Units of the smaller side up to which enumeration takes no time, and up to which it is done at all.
const ENUMERABLE: (usize, usize) = (20, 25);

/// States of one task, 2^12.
const BLOCK: usize = 12;

impl Evaluable for Dbm {
    type State = States;
    type Path<'a> = Path<'a>;

    fn is_enumerable(&self) -> bool {
        self.side_bits(self.kept()).is_some_and(|bits| bits <= ENUMERABLE.0)
    }

    fn exact_log_z(&self) -> Result<f64, Error> {
        self.log_z()
    }

    /// Gives a lower bound of it ([`Dbm::variational_bound`]), so that every likelihood of a deep machine is a bound: exact with one
    /// hidden layer.
    fn unnormalized(&self, rows: &Batch) -> Result<Array1<f64>, Error> {
        self.variational_bound(rows)
    }

    /// With one hidden layer mean field is exact.
    fn is_bounded(&self) -> bool {
        mutant!("B326", self.depth() > 1, false)
    }

    fn is_discrete(&self) -> bool {
        self.layers[0].units().is_discrete()
    }

    /// Gives the base of the machine, unless it is the even one that machines have before they see data.
    fn kept_base(&self) -> Option<Layer> {
        Some(self.base.clone()).filter(|base| *base != self.layers[0].free())
    }

    fn fit_base(&self, rows: &dyn Rows) -> Result<Layer, Error> {
        data::marginals(&self.layers[0].units(), rows, None)
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
        Ok(self.view().joined(self.kept(), &state.layers))
    }

    /// Runs stand on one side, on which sweeps are reversible.
    fn is_reversible(&self) -> bool {
        true
    }
}

impl Dbm {
    /// Measures a lower bound of the mean log-likelihood, mean E_q\[−E\] + H(q) − ln Z: with ln Z exactly where the smaller side has at most
    /// 2^20 states, else by annealing in both directions ([`harmonium_core::evaluate::log_likelihood`]). The intervals are those of ln Z.
    ///
    /// # Errors
    /// Refuses rows of another width, options out of range, and what is too uncertain.
    pub fn likelihood_bound(
        &self,
        data: &Batch,
        options: &Annealing<'_>,
        key: Key,
    ) -> Result<Likelihood, Error> {
        measure::log_likelihood(self, data, options, key)
    }

    /// Estimates that bound by annealed importance sampling, however uncertain; from the machine's own base, if the options have
    /// none, and backward only where they name rows to start from.
    ///
    /// # Errors
    /// Refuses rows or a base of another width, and options out of range.
    pub fn annealed_bound(
        &self,
        data: &Batch,
        options: &Annealing<'_>,
        key: Key,
        watch: &mut Watch<'_>,
    ) -> Result<Likelihood, Error> {
        let options = Annealing { base: options.base.or(Some(&self.base)), ..options.clone() };
        measure::annealed_likelihood(self, data, &options, key, watch)
    }

    /// Computes ln Z exactly, in nats: sums over the states of the layers of one parity, the others in closed form.
    ///
    /// # Errors
    /// Refuses machines of which neither side has at most 25 units, all bits or spins.
    pub fn log_z(&self) -> Result<f64, Error> {
        self.view().log_z()
    }

    /// Counts the units of one side, where all have two states.
    fn side_bits(&self, parity: usize) -> Option<usize> {
        let layers = self.layers.iter().skip(parity).step_by(2);
        layers
            .map(|layer| match layer.units() {
                Units::Bernoulli(units) | Units::Spin(units) => Some(units),
                _ => None,
            })
            .sum()
    }
}

impl View<'_> {
    /// Computes ln Z exactly, in nats.
    ///
    /// # Errors
    /// As [`Dbm::log_z`].
    pub fn log_z(&self) -> Result<f64, Error> {
        let sides = [0, 1].map(|parity| (self.dbm.side_bits(parity).unwrap_or(usize::MAX), parity));
        let (bits, kept) = sides.into_iter().min().unwrap_or_default();
        if bits > ENUMERABLE.1 {
            let expected = format!("at most {} units of two states in every second layer", ENUMERABLE.1);
            return Err(Error::shape("exact enumeration", expected, "more"));
        }
        let block = BLOCK.min(bits);
        let parts = parallel::map(1 << (bits - block), |part| {
            let masks =
                BitMatrix::from_fn(1 << block, bits, |row, unit| (part << block | row) >> unit & 1 == 1);
            let states = self.apart(kept, &States::Bits(masks));
            let inputs = self.summed_inputs(kept, &states);
            let energies = self.side_energies(kept, &states, &inputs);
            energies.into_iter().map(|f| -f).collect::<LogSumExp>().value()
        });
        Ok(parts.into_iter().collect::<LogSumExp>().value())
    }
}
