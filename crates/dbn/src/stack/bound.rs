//! Bounds the log-likelihood of a stack from below: E_q\[ln p*(h_{L−1}) + Σ ln p(h_{l−1} | h_l) − Σ ln q(h_l | h_{l−1})\] − ln Z of the
//! top machine (Hinton, Osindero & Teh 2006, section 4; Salakhutdinov & Murray 2008, section 3.3).

use std::fmt;

use harmonium_core::evaluate::{Annealing, Interval, log_likelihood};
use harmonium_core::units::{Bernoulli, Categorical, Layer, Mixed, Scaling, States, Unit, Units};
use harmonium_core::{Batch, BitMatrix, EnergyModel, Error, Key, Marginal};
use harmonium_rbm::{Classifier, Rbm, labelled};
use serde::{Deserialize, Serialize};

use super::inferred::batch;
use super::top::Top;
use super::{Dbn, keys};

/// Units between data and top up to which their states are enumerated.
const ENUMERABLE: usize = 12;
/// Rows whose draws are held at a time.
const BLOCK: usize = 2048;
/// Standard errors of the draws that an interval has on either side.
const SIGMAS: f64 = 3.0;

/// Says how a bound is measured.
#[derive(Clone, Debug)]
pub struct Bounding<'a> {
    /// Draws of the hidden layers for each row, two at least.
    pub draws: usize,
    /// Enumerates these layers instead, where they have at most 12 units in all, which are bits.
    pub enumerate: bool,
    /// How ln Z of the top machine is estimated, where it is not enumerated, and what is too uncertain to be given out. Rows in
    /// it are those that the top machine sees; if none are named, draws made of the data.
    pub annealing: Annealing<'a>,
}

impl Default for Bounding<'_> {
    fn default() -> Self {
        Self { draws: 20, enumerate: true, annealing: Annealing::default() }
    }
}

/// Holds a lower bound of the log-likelihood, mean over rows, and what it was made of; in nats.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bound {
    /// The bound.
    pub bound: f64,
    /// Its interval: three standard errors of the draws, and that of ln Z. How the rows vary is not in it.
    pub interval: Interval,
    /// The bound but for ln Z.
    pub expectation: f64,
    /// The standard error of that, from the draws; 0 where all states were enumerated.
    pub error: f64,
    /// Draws of the hidden layers for each row; none where these were enumerated, or there are none.
    pub draws: Option<usize>,
    /// ln Z of the top machine.
    pub log_z: f64,
    /// Between what it lies; both ends are equal where it is exact.
    pub log_z_interval: Interval,
    /// Effective number of annealing runs, if there were any.
    pub ess: Option<f64>,
}

impl fmt::Display for Bound {
    /// Says the bound, and never an estimate without its interval.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Interval { low, high } = self.interval;
        if self.draws.is_none() && self.ess.is_none() {
            return write!(f, "at least {:.4} nats a row, exact bound", self.bound);
        }
        write!(f, "at least {:.2} nats a row, 3σ [{low:.2}, {high:.2}]", self.bound)?;
        self.draws.map_or(Ok(()), |draws| write!(f, ", {draws} draws a row"))?;
        self.ess.map_or(Ok(()), |ess| write!(f, ", effective runs {ess:.0}"))
    }
}

impl Dbn {
    /// Bounds the mean log-likelihood of rows from below; a label is summed out. A stack of one machine gets its likelihood.
    /// `key` is that of the seed.
    ///
    /// # Errors
    /// Refuses rows of another width or kind, missing values, options out of range, top machines without an energy, and an ln Z
    /// that is too uncertain.
    pub fn bound(&self, data: &Batch, options: &Bounding<'_>, key: Key) -> Result<Bound, Error> {
        self.check(data)?;
        if options.draws < 2 {
            return Err(Error::option("draws", "2 or more", options.draws));
        }
        let key = keys::evaluate(key, keys::BOUND);
        let (expectation, error, draws) = match self.lower.len() {
            0 => (mean(&self.log_top(&self.take(data))?), 0.0, None),
            _ if options.enumerate && self.is_enumerable() => (self.enumerated(data)?, 0.0, None),
            _ => {
                let (mean, error) = self.sampled(data, options.draws, key.fold_in(0))?;
                (mean, error, Some(options.draws))
            }
        };
        let expectation = expectation - self.volume();
        let (log_z, log_z_interval, ess) = self.log_z(data, &options.annealing, key.fold_in(1))?;
        let off = SIGMAS * error;
        let interval = Interval {
            low: expectation - off - log_z_interval.high,
            high: expectation + off - log_z_interval.low,
        };
        Ok(Bound {
            bound: expectation - log_z,
            interval,
            expectation,
            error,
            draws,
            log_z,
            log_z_interval,
            ess,
        })
    }

    /// Gives ln of the volume that a standardised row has in the data's own units.
    fn volume(&self) -> f64 {
        let lowest = self.lower.first().map_or(self.top.rbm(), |directed| &directed.generative);
        mutant!("B244", lowest.scaling().map_or(0.0, Scaling::log_volume), 0.0)
    }

    /// Computes −F of what the top machine sees, the label summed out; standardised rows are as they are.
    fn log_top(&self, seen: &States) -> Result<Vec<f64>, Error> {
        let free = match &self.top {
            Top::Plain(rbm) => {
                let measures = rbm.visible().log_measure(seen);
                let free = rbm.view().free_energies(seen).into_iter();
                return Ok(free.zip(measures).map(|(f, m)| m - f).collect());
            }
            Top::Labelled(model) => {
                let rows = Batch::from_states(seen.clone())?;
                model.free_energy(&labelled(&rows, &vec![None; rows.rows()], model.classes())?)?
            }
        };
        Ok(free.into_iter().map(|f| -f).collect())
    }

    /// Computes ln p*(h_{L−1}) + Σ ln p(h_{l−1} | h_l) − Σ ln q(h_l | h_{l−1}) of each row of states, and Σ ln q.
    fn log_weights(&self, states: &[States]) -> Result<Vec<(f64, f64)>, Error> {
        let rows = states[0].rows();
        let (mut weights, mut logs) = (vec![0.0; rows], vec![0.0; rows]);
        for (layer, directed) in self.lower.iter().enumerate() {
            let (below, above) = (&states[layer], &states[layer + 1]);
            let generated = directed.log_generated(below, above);
            let recognised = directed.log_recognised(below, above);
            for row in 0..rows {
                weights[row] += generated[row] - mutant!("B239", recognised[row], 0.0);
                logs[row] += recognised[row];
            }
        }
        let top = self.log_top(&states[self.lower.len()])?;
        Ok(weights.into_iter().zip(top).map(|(w, top)| w + top).zip(logs).collect())
    }

    /// Tells whether the layers between data and top have few states, which are bits.
    fn is_enumerable(&self) -> bool {
        let bits = |units: &Units| matches!(units, Units::Bernoulli(_) | Units::Spin(_));
        let between = self.lower.iter().map(|directed| directed.hidden().units());
        between.clone().all(|units| bits(&units)) && between.map(|u| u.count()).sum::<usize>() <= ENUMERABLE
    }

    /// Computes the mean over rows of the expectation, over all states of the layers between.
    fn enumerated(&self, data: &Batch) -> Result<f64, Error> {
        let widths: Vec<usize> = self.lower.iter().map(|directed| directed.hidden().features()).collect();
        let count = 1_usize << widths.iter().sum::<usize>();
        let mut first = 0;
        let between: Vec<States> = widths
            .iter()
            .map(|&width| {
                let start = first;
                first += width;
                States::Bits(BitMatrix::from_fn(count, width, |state, unit| state >> (start + unit) & 1 == 1))
            })
            .collect();
        let rows = self.take(data);
        let each = (0..rows.rows()).map(|row| {
            let below = rows.gather(std::iter::repeat_n(row, count));
            let all: Vec<States> = [below].into_iter().chain(between.iter().cloned()).collect();
            Ok(self.log_weights(&all)?.into_iter().map(|(w, q)| libm::exp(q) * w).sum())
        });
        Ok(mean(&each.collect::<Result<Vec<f64>, Error>>()?))
    }

    /// Estimates the mean over rows of the expectation from draws, and its standard error.
    fn sampled(&self, data: &Batch, draws: usize, key: Key) -> Result<(f64, f64), Error> {
        let (mut total, mut variance) = (0.0, 0.0);
        for (block, start) in (0..data.rows()).step_by(BLOCK).enumerate() {
            let rows = data.gather(start..data.rows().min(start + BLOCK));
            let mut sums = vec![[0.0; 2]; rows.rows()];
            let mut first = Vec::new();
            for draw in 0..draws {
                let key = key.fold_in(block as u64).fold_in(draw as u64);
                let weights = self.log_weights(&self.drawn(&rows, self.lower.len(), key))?;
                if draw == 0 {
                    first.clone_from(&weights);
                }
                // About the first draw, so that nothing is lost to a large mean.
                for ((sum, (w, _)), (origin, _)) in sums.iter_mut().zip(&weights).zip(&first) {
                    let off = w - origin;
                    *sum = [sum[0] + off, sum[1] + off * off];
                }
            }
            let n = draws as f64;
            for ([sum, square], (origin, _)) in sums.into_iter().zip(first) {
                total += origin + sum / n;
                variance += (square - sum * sum / n).max(0.0) / (n - 1.0) / n;
            }
        }
        let rows = data.rows() as f64;
        Ok((total / rows, variance.sqrt() / rows))
    }

    /// Measures ln Z of the top machine: exactly where it is enumerable.
    fn log_z(
        &self,
        data: &Batch,
        options: &Annealing<'_>,
        key: Key,
    ) -> Result<(f64, Interval, Option<f64>), Error> {
        let held;
        let machine = match &self.top {
            Top::Plain(rbm) => rbm,
            Top::Labelled(model) => {
                held = mixed(model)?;
                &held
            }
        };
        if machine.is_enumerable() {
            let log_z = machine.log_z()?;
            return Ok((log_z, Interval { low: log_z, high: log_z }, None));
        }
        let rows = self.starts(data, key.fold_in(0))?;
        let found = log_likelihood(machine, &rows, options, key.fold_in(1))?;
        Ok((found.log_z, found.bracket(), found.ess))
    }

    /// Gives rows that the top machine sees, its label included: draws made of the data.
    fn starts(&self, data: &Batch, key: Key) -> Result<Batch, Error> {
        let Some(last) = self.lower.last() else {
            let Top::Labelled(model) = &self.top else { return Ok(data.clone()) };
            return classed(model, data);
        };
        let seen = self.drawn(data, self.lower.len(), key).pop().unwrap_or_else(|| self.take(data));
        let rows = batch(seen, &last.hidden().units())?;
        match &self.top {
            Top::Plain(_) => Ok(rows),
            Top::Labelled(model) => classed(model, &rows),
        }
    }
}

/// Puts the likeliest class behind each row, all as real values.
fn classed(model: &Classifier, rows: &Batch) -> Result<Batch, Error> {
    let blank = labelled(rows, &vec![None; rows.rows()], model.classes())?;
    Batch::reals(model.clamp(&blank).visible().to_array())
}

/// Makes the machine whose visible units are bits and one label: what a classifier is, with an ln Z of its own.
fn mixed(model: &Classifier) -> Result<Rbm, Error> {
    let rbm = model.rbm();
    let layer = |bias: &[f32]| {
        let (bits, label) = bias.split_at(model.units());
        let label = Layer::Categorical(Categorical::new(label.to_vec(), model.classes()));
        Layer::Mixed(Mixed::new(vec![Layer::Bernoulli(Bernoulli::new(bits.to_vec())), label]))
    };
    let out = Rbm::from_layers(rbm.weights(), layer(rbm.visible_bias()), rbm.hidden().clone())?;
    let mut out = out.on_grid(rbm.shift())?;
    out.set_base(layer(rbm.base().bias()))?;
    Ok(out)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
