//! Evaluates a machine on held-out rows: exactly, or by annealing with an interval.

use std::fmt;

use harmonium_core::evaluate::{Ais, AisEstimate, Interval, forward, reverse};
use harmonium_core::units::{Layer, States};
use harmonium_core::{Batch, EnergyModel, Error, Gibbs, Key, Marginal, data, purpose};
use harmonium_kernels::{evaluate, parallel};
use serde::{Deserialize, Serialize};

use crate::Rbm;

/// Units of the smaller layer up to which enumeration takes no time.
pub const ENUMERABLE: usize = 20;

/// Says how ln Z is estimated, and from where the backward runs start.
#[derive(Clone, Debug)]
pub struct Annealing<'a> {
    /// Runs and temperatures.
    pub ais: Ais,
    /// The independent base; else the machine's own ([`Rbm::base`]).
    pub base: Option<&'a Layer>,
    /// Rows from which chains walk to become samples for the backward runs; none leaves the backward estimate out.
    pub starts: Option<&'a Batch>,
    /// Sweeps of those chains.
    pub sweeps: u64,
}

/// Holds a log-likelihood, mean over rows, and what it was made of; in nats.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Likelihood {
    /// ln Z.
    pub log_z: f64,
    /// Its interval; both ends are equal where it is exact.
    pub log_z_interval: Interval,
    /// ln Z from the backward runs, with its interval.
    pub log_z_reverse: Option<(f64, Interval)>,
    /// Sweeps that the backward runs' chains were given to reach the model.
    pub reverse_sweeps: Option<u64>,
    /// Effective number of forward runs.
    pub ess: Option<f64>,
    /// Mean of −F(v).
    pub mean_unnormalized: f64,
    /// Mean of −F(v) − ln Z.
    pub log_likelihood: f64,
    /// Its interval, from that of ln Z alone: how the rows vary is not in it.
    pub log_likelihood_interval: Interval,
}

impl Likelihood {
    fn new(mean_unnormalized: f64, forward: &AisEstimate) -> Self {
        let Interval { low, high } = forward.interval;
        Self {
            log_z: forward.log_z,
            log_z_interval: forward.interval,
            log_z_reverse: None,
            reverse_sweeps: None,
            ess: Some(forward.ess),
            mean_unnormalized,
            log_likelihood: mean_unnormalized - forward.log_z,
            log_likelihood_interval: Interval {
                low: mean_unnormalized - high,
                high: mean_unnormalized - low,
            },
        }
    }
}

impl Default for Annealing<'_> {
    fn default() -> Self {
        Self { ais: Ais::default(), base: None, starts: None, sweeps: 1000 }
    }
}

impl fmt::Display for Likelihood {
    /// Says the log-likelihood, and never an estimate without its interval.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Interval { low, high } = self.log_likelihood_interval;
        let Some(ess) = self.ess else { return write!(f, "{:.4} nats a row, exact", self.log_likelihood) };
        write!(
            f,
            "{:.2} nats a row, 3σ [{low:.2}, {high:.2}], effective runs {ess:.0}",
            self.log_likelihood
        )?;
        match (self.log_z_reverse, self.reverse_sweeps) {
            (Some((log_z, Interval { low, high })), Some(sweeps)) => {
                let [mean, low, high] = [log_z, high, low].map(|end| self.mean_unnormalized - end);
                write!(f, ", reverse {mean:.2} [{low:.2}, {high:.2}] after {sweeps} sweeps")
            }
            _ => Ok(()),
        }
    }
}

/// Names the stages of an evaluation to whoever watches it.
pub type Watch<'a> = dyn FnMut(&str, usize, usize) + 'a;

impl Rbm {
    /// Measures the mean log-likelihood: exactly where the smaller layer has at most 2^20 states, else by annealing.
    ///
    /// # Errors
    /// Refuses rows of another width and options out of range.
    pub fn log_likelihood(
        &self,
        data: &Batch,
        options: &Annealing<'_>,
        key: Key,
    ) -> Result<Likelihood, Error> {
        if self.is_enumerable() {
            return self.exact_likelihood(data);
        }
        self.annealed_likelihood(data, options, key, &mut |_, _, _| ())
    }

    /// Computes the exact mean log-likelihood by enumerating the smaller layer.
    ///
    /// # Errors
    /// Refuses rows of another width, and machines whose smaller layer has more than 25 units.
    pub fn exact_likelihood(&self, data: &Batch) -> Result<Likelihood, Error> {
        let mean = self.mean_unnormalized(data)?;
        let log_z = self.log_z()?;
        let exact = AisEstimate { log_z, interval: Interval { low: log_z, high: log_z }, ess: 0.0 };
        Ok(Likelihood { ess: None, ..Likelihood::new(mean, &exact) })
    }

    /// Estimates the mean log-likelihood by annealed importance sampling.
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
        let mean = self.mean_unnormalized(data)?;
        let path = self.path(options.base.unwrap_or(&self.base))?;
        let there = forward(&path, &options.ais, key, &mut |done, of| watch("annealing", done, of))?;
        let mut out = Likelihood::new(mean, &there);
        if let Some(starts) = options.starts {
            self.check_data(starts)?;
            let samples = self.walk(starts, options, key, watch);
            let back =
                reverse(&path, samples, &options.ais, key, &mut |done, of| watch("back again", done, of))?;
            out.log_z_reverse = Some((back.log_z, back.interval));
            out.reverse_sweeps = Some(options.sweeps);
        }
        Ok(out)
    }

    /// Computes the mean of −F(v) over rows, in nats.
    ///
    /// # Errors
    /// Refuses rows of another width.
    pub fn mean_unnormalized(&self, data: &Batch) -> Result<f64, Error> {
        let sum: f64 = self.free_energy(data)?.iter().sum();
        Ok(-sum / data.rows() as f64)
    }

    /// Walks chains from rows drawn without repetition, as far as there are enough.
    fn walk(&self, starts: &Batch, options: &Annealing<'_>, key: Key, watch: &mut Watch<'_>) -> States {
        let key = key.fold_in(purpose::EVALUATE);
        let order = data::shuffled(starts.rows(), key.fold_in(evaluate::ORDER), 0);
        let rows = order.iter().cycle().take(options.ais.runs).map(|&row| row as usize);
        let mut state = self.clamp(&starts.gather(rows));
        let key = key.fold_in(evaluate::WALK);
        parallel::team(|| {
            for sweep in 0..options.sweeps {
                self.sweep(&mut state, key.fold_in(sweep));
                watch("walking to the model", sweep as usize + 1, options.sweeps as usize);
            }
        });
        self.pack(&state)
    }
}
