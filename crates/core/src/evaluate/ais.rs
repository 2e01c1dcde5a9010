//! Estimates ln Z by annealed importance sampling, forward from the base and backward from the model (Neal 2001).
//!
//! Forward, E[w] = Z / Z_base with w = Π f_k(v_k) / f_{k−1}(v_k). Backward from exact samples of the model, E[w'] =
//! Z_base / Z; with samples that have not mixed it is biased. The forward estimate of ln Z errs low on average, the
//! backward one high, so that both together bracket it (Burda, Grosse & Salakhutdinov 2015).

use harmonium_kernels::{Key, parallel, purpose};
use serde::{Deserialize, Serialize};

use super::{Betas, Interval, Weights};
use crate::model::Step;
use crate::{Annealed, Error};

/// Says how an annealing is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ais {
    /// Independent runs.
    pub runs: usize,
    /// The temperatures.
    pub betas: Betas,
}

impl Default for Ais {
    fn default() -> Self {
        Self { runs: 100, betas: Betas::default() }
    }
}

/// Is an estimate of ln Z from one direction.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AisEstimate {
    /// ln Z, in nats.
    pub log_z: f64,
    /// Three standard errors of the mean weight about it, in log space.
    pub interval: Interval,
    /// Effective number of runs.
    pub ess: f64,
}

/// The most runs side by side.
const MAX_RUNS: usize = 1_000_000;

/// How many standard errors an interval spans to each side.
pub(super) const SIGMAS: f64 = 3.0;

impl Ais {
    /// Refuses fewer than two runs or more than a million, and too few or too many temperatures.
    ///
    /// # Errors
    /// Names the option.
    pub fn check(&self) -> Result<(), Error> {
        if !(2..=MAX_RUNS).contains(&self.runs) {
            return Err(Error::option("runs", format!("2 to {MAX_RUNS}"), self.runs));
        }
        self.betas.check()
    }
}

impl AisEstimate {
    /// Makes an estimate of ln Z of weights whose mean is Z / Z_base.
    fn upward(weights: &Weights, base: f64) -> Self {
        let Interval { low, high } = weights.interval(SIGMAS);
        let interval = Interval { low: low + base, high: high + base };
        Self { log_z: weights.log_mean() + base, interval, ess: weights.effective() }
    }

    /// Makes an estimate of ln Z of weights whose mean is Z_base / Z.
    fn downward(weights: &Weights, base: f64) -> Self {
        let Interval { low, high } = weights.interval(SIGMAS);
        let interval = Interval { low: base - high, high: base - low };
        Self { log_z: base - weights.log_mean(), interval, ess: weights.effective() }
    }
}

/// Estimates ln Z from the base to the model. `watch` hears how many of how many temperatures are done, those of a pilot
/// apart.
///
/// # Errors
/// Refuses options out of range, and moves that do not keep the law ([`Annealed::check_path`]).
pub fn forward<A: Annealed>(
    path: &A,
    options: &Ais,
    key: Key,
    watch: &mut dyn FnMut(usize, usize),
) -> Result<AisEstimate, Error> {
    options.check()?;
    path.check_path()?;
    let betas = options.betas.along(path, options.runs, key, watch);
    Ok(forward_along(path, options.runs, &betas, key, watch).0)
}

/// Estimates ln Z from samples of the model back to the base.
///
/// # Errors
/// Refuses options out of range, and moves that do not keep the law ([`Annealed::check_path`]).
pub fn reverse<A: Annealed>(
    path: &A,
    samples: A::State,
    options: &Ais,
    key: Key,
    watch: &mut dyn FnMut(usize, usize),
) -> Result<AisEstimate, Error> {
    options.check()?;
    path.check_path()?;
    let betas = options.betas.along(path, options.runs, key, watch);
    Ok(reverse_along(path, samples, &betas, key, watch).0)
}

/// Runs forward along given temperatures; gives the weights, too.
pub(super) fn forward_along<A: Annealed>(
    path: &A,
    runs: usize,
    betas: &[f32],
    key: Key,
    watch: &mut dyn FnMut(usize, usize),
) -> (AisEstimate, Weights) {
    let key = key.fold_in(purpose::AIS).fold_in(0);
    let start = path.base_samples(runs, key);
    let weights = walked(A::advance, path, start, betas, key, watch);
    (AisEstimate::upward(&weights, path.base_log_z()), weights)
}

/// Runs backward along given temperatures, which rise; gives the weights, too.
pub(super) fn reverse_along<A: Annealed>(
    path: &A,
    samples: A::State,
    betas: &[f32],
    key: Key,
    watch: &mut dyn FnMut(usize, usize),
) -> (AisEstimate, Weights) {
    let falling: Vec<f32> = betas.iter().rev().copied().collect();
    let key = key.fold_in(purpose::AIS).fold_in(1);
    let weights = walked(A::retreat, path, samples, &falling, key, watch);
    (AisEstimate::downward(&weights, path.base_log_z()), weights)
}

/// Walks all runs along the temperatures and adds up their log weights.
pub(super) fn walked<A: Annealed>(
    step: Step<A>,
    path: &A,
    mut state: A::State,
    betas: &[f32],
    key: Key,
    watch: &mut dyn FnMut(usize, usize),
) -> Weights {
    let mut log = Vec::new();
    parallel::team(|| {
        for (index, pair) in betas.windows(2).enumerate() {
            let gains = step(path, &mut state, pair[0], pair[1], key.fold_in(index as u64 + 1));
            log.resize(gains.len(), 0.0);
            log.iter_mut().zip(gains).for_each(|(sum, gain)| *sum += gain);
            watch(index + 1, betas.len() - 1);
        }
    });
    Weights::new(log)
}
