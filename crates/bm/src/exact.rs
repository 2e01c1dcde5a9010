//! Enumerates states: ln Z, probabilities, moments, likelihoods, and samples that are exact.

use std::collections::BTreeMap;

use harmonium_core::evaluate::LogSumExp;
use harmonium_core::{Batch, EnergyModel, Error, Key, Marginal};
use harmonium_kernels::{BitMatrix, parallel};
use ndarray::Array1;
use rand::RngCore;

use crate::form::{Form, Wide};
use crate::law::{Law, normalised};
use crate::{Machine, State, View};

/// The most states, as a power of two, that are tabulated at once: for moments, samples and hidden units.
pub const ENUMERABLE: u32 = 20;

/// The most states, as a power of two, that ln Z adds up.
const MAX_BITS: u32 = 25;

/// States of one task of ln Z, as a power of two.
const TASK: f64 = 65_536.0;

impl Machine {
    /// Tells whether all states can be tabulated: at most 2^20.
    pub fn is_enumerable(&self) -> bool {
        self.view().form().states() <= f64::from(1 << ENUMERABLE)
    }

    /// Computes ln Z exactly, in nats, over all states of all units.
    ///
    /// # Errors
    /// Refuses more than 2^25 states.
    pub fn log_z(&self) -> Result<f64, Error> {
        self.view().log_z()
    }

    /// Computes ln p(v) of each row exactly, in nats; hidden units are summed out.
    ///
    /// # Errors
    /// Refuses rows of another width or kind or with missing values, more than 2^25 states, and more than 2^20 of the
    /// hidden units.
    pub fn log_likelihoods(&self, data: &Batch) -> Result<Array1<f64>, Error> {
        Ok(-self.free_energy(data)? - self.log_z()?)
    }

    /// Computes the mean of ln p(v) over the rows, as [`Machine::log_likelihoods`].
    ///
    /// # Errors
    /// As [`Machine::log_likelihoods`].
    pub fn log_likelihood(&self, data: &Batch) -> Result<f64, Error> {
        Ok(self.log_likelihoods(data)?.sum() / data.rows() as f64)
    }

    /// Gives p(x) of every state of all units; the first unit is the lowest digit of the index, bits and spins have two states.
    ///
    /// # Errors
    /// Refuses more than 2^20 states.
    pub fn probabilities(&self) -> Result<Vec<f64>, Error> {
        Ok(self.view().law()?.0)
    }

    /// Draws independent states of all units from p itself, row r from the first two words of stream r.
    ///
    /// # Errors
    /// Refuses more than 2^20 states.
    pub fn sample_exact(&self, rows: usize, key: Key) -> Result<State, Error> {
        let mut table = self.probabilities()?;
        let mut sum = 0.0;
        for p in &mut table {
            sum += *p;
            *p = sum;
        }
        let last = table.partition_point(|&c| c < sum);
        let draw = |row: usize| {
            // 53 bits make a uniform number below 1.
            let u = (key.stream(row as u64).next_u64() >> 11) as f64 / 9_007_199_254_740_992.0;
            table.partition_point(|&c| c <= u * sum).min(last)
        };
        let drawn = parallel::map(rows.div_ceil(256), |task| {
            (task * 256..rows.min((task + 1) * 256)).map(draw).collect::<Vec<_>>()
        });
        Ok(State::new(self.listed(&drawn.concat())))
    }

    /// Gives the states of these indices.
    fn listed(&self, indices: &[usize]) -> BitMatrix {
        let (base, width) = (self.states(), self.width());
        let digit = |index: usize, unit: usize| index / base.pow(unit as u32) % base;
        BitMatrix::from_fn(indices.len(), self.biases.len(), |row, feature| {
            let state = digit(indices[row], feature / width);
            if width == 1 { state == 1 } else { state == feature % width }
        })
    }

    /// Reads the states of the visible units of a row.
    pub(crate) fn known(&self, bits: &BitMatrix, row: usize) -> Vec<Option<usize>> {
        let width = self.width();
        let state = |unit: usize| {
            let of = |feature: usize| bits.get(row, feature);
            if width == 1 {
                return usize::from(of(unit));
            }
            (0..width).find(|class| of(unit * width + class)).unwrap_or(0)
        };
        let units = self.graph.vertices();
        (0..units).map(|unit| (unit < self.visible).then(|| state(unit))).collect()
    }

    /// Gives the means of −∂E/∂θ, block after block, under a law.
    pub(crate) fn expected(&self, law: &Law) -> Vec<Vec<f64>> {
        let (wide, width) = (Wide::like(self), self.width());
        let mut blocks = vec![Vec::new(), Vec::new(), Vec::new()];
        for (units, _) in &wide.terms {
            let block = &mut blocks[[1, 0, 2][units.len() - 1]];
            if width == 1 {
                block.push(law.product(units, wide.spins));
                continue;
            }
            for at in 0..width.pow(units.len() as u32) {
                let classes = [at / width, at % width];
                let classes = if units.len() == 1 { &classes[1..] } else { &classes[..] };
                let places: Vec<(usize, usize)> =
                    units.iter().copied().zip(classes.iter().copied()).collect();
                block.push(law.probability(&places));
            }
        }
        blocks.truncate(if self.triples.is_empty() { 2 } else { 3 });
        blocks
    }

    /// Gives the mean statistics of all states, and ln Z.
    pub(crate) fn model_means(&self) -> Result<(Vec<Vec<f64>>, f64), Error> {
        let form = self.view().form();
        let law = Law::new(&form, &vec![None; form.units])?;
        Ok((self.expected(&law), law.log_z))
    }

    /// Gives the distinct rows of visible states, in a fixed order, and how often each comes.
    pub(crate) fn distinct(bits: &BitMatrix) -> Vec<(usize, f64)> {
        let mut seen: BTreeMap<&[u64], (usize, f64)> = BTreeMap::new();
        (0..bits.rows()).for_each(|row| seen.entry(bits.row(row)).or_insert((row, 0.0)).1 += 1.0);
        seen.into_values().collect()
    }

    /// Refuses more states of the hidden units than can be tabulated.
    pub(crate) fn check_hidden(&self, what: &str) -> Result<(), Error> {
        if self.hidden_states() <= f64::from(1 << ENUMERABLE) {
            return Ok(());
        }
        let got = format!("{} of {} states", self.hidden_units(), self.states());
        Err(Error::shape(what, format!("hidden units of at most 2^{ENUMERABLE} states"), got))
    }

    pub(crate) fn hidden_states(&self) -> f64 {
        libm::pow(self.states() as f64, self.hidden_units() as f64)
    }
}

impl Marginal for Machine {
    /// Without hidden units F(v) is E(v); else these are enumerated.
    fn free_energy(&self, data: &Batch) -> Result<Array1<f64>, Error> {
        self.check_data(data)?;
        data.check_complete("data")?;
        self.check_hidden("free energy")?;
        let state = self.clamp(data);
        if self.hidden_units() == 0 {
            return Ok(self.view().energies(&state.bits).into());
        }
        let form = self.view().form();
        let free = |row: usize| {
            let table = form.given(&self.known(&state.bits, row)).table();
            -table.into_iter().collect::<LogSumExp>().value()
        };
        Ok(parallel::map(data.rows(), free).into())
    }
}

impl View<'_> {
    /// Expresses −E by indicators.
    pub(crate) fn form(&self) -> Form {
        Wide::of(self).form()
    }

    /// Computes ln Z exactly, in nats.
    ///
    /// # Errors
    /// Refuses more than 2^25 states.
    pub fn log_z(&self) -> Result<f64, Error> {
        let form = self.form();
        if form.states() > f64::from(1 << MAX_BITS) {
            return Err(Error::shape(
                "exact enumeration",
                format!("at most 2^{MAX_BITS} states"),
                form.states(),
            ));
        }
        // The first units are the lower digits; tasks differ in the upper ones.
        let low = (0..form.units).rev().find(|&low| libm::pow(form.base as f64, (low + 1) as f64) <= TASK);
        let low = low.map_or(0, |low| low + 1);
        let tasks = form.base.pow((form.units - low) as u32);
        let parts = parallel::map(tasks, |task| {
            let upper =
                (low..form.units).map(|unit| Some(task / form.base.pow((unit - low) as u32) % form.base));
            let known: Vec<Option<usize>> = (0..low).map(|_| None).chain(upper).collect();
            form.given(&known).table().into_iter().collect::<LogSumExp>().value()
        });
        Ok(parts.into_iter().collect::<LogSumExp>().value())
    }

    /// Gives p(x) of every state, and ln Z.
    pub(crate) fn law(&self) -> Result<(Vec<f64>, f64), Error> {
        normalised(&self.form())
    }
}
