//! Differentiates the pseudo-likelihood, which needs no ln Z and no samples.

use harmonium_core::address::Address;
use harmonium_core::evaluate::LogSumExp;
use harmonium_core::stats::Phases;
use harmonium_core::train::{Estimate, Estimator};
use harmonium_core::{Batch, EnergyModel, Error, HasParams};
use harmonium_kernels::parallel;
use ndarray::Array1;
use serde::{Deserialize, Serialize};

use super::{contrast, means};
use crate::chain::Chain;
use crate::mean_field::{sigmoid, softmax};
use crate::sums::sums;
use crate::{Machine, View};

/// Tasks that a sum over rows is cut into: a fixed number is a fixed order of sums.
const TASKS: usize = 16;

/// Is the gradient of the mean of −Σ_i ln p(x_i | x_−i) over the rows (Besag 1975; of classes Aurell & Ekeberg 2012), for
/// machines without hidden units.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PseudoLikelihood {}

impl PseudoLikelihood {
    /// Makes the gradient of the pseudo-likelihood.
    pub fn new() -> Self {
        Self {}
    }
}

impl Estimator<Machine> for PseudoLikelihood {
    fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    fn check_model(&self, model: &Machine) -> Result<(), Error> {
        model.check_visible("pseudo-likelihood")
    }

    fn estimate(
        &mut self,
        model: &Machine,
        data: &Batch,
        _sweeps: u32,
        _at: Address,
        phases: &mut Phases,
    ) -> Result<Estimate, Error> {
        let state = model.clamp(data);
        let (rows, own) = (data.rows(), sums(model, &state.bits));
        phases.positive.add_sums(rows as u64, &own);
        let tasks = TASKS.min(rows);
        let parts = parallel::map(tasks, |task| {
            let mut total: Vec<Vec<f64>> = model.blocks().iter().map(|b| vec![0.0; b.values.len()]).collect();
            for row in task * rows / tasks..(task + 1) * rows / tasks {
                add_row(&model.view(), &Chain::new(&model.view(), state.bits.row(row)), &mut total);
            }
            total
        });
        let mut model_sums: Vec<Vec<f64>> =
            model.blocks().iter().map(|b| vec![0.0; b.values.len()]).collect();
        for part in parts {
            model_sums.iter_mut().flatten().zip(part.into_iter().flatten()).for_each(|(sum, x)| *sum += x);
        }
        // Each term appears in the conditional of every unit that it couples.
        let times = |block: usize| [2.0, 1.0, 3.0][block];
        let data_sums: Vec<Vec<f64>> = own
            .into_iter()
            .enumerate()
            .map(|(b, sums)| sums.into_iter().map(|x| times(b) * x).collect())
            .collect();
        Ok(Estimate::Gradient(contrast(model, means(model_sums, rows), &means(data_sums, rows))))
    }
}

/// Adds, of one row, what the statistics are on average when each unit is drawn anew given the others.
fn add_row(view: &View<'_>, chain: &Chain, total: &mut [Vec<f64>]) {
    let (machine, width) = (view.machine, view.machine.width());
    let mean: Vec<f64> =
        (0..machine.graph.vertices()).flat_map(|unit| conditional(view, chain, unit)).collect();
    let x = |feature: usize| f64::from(chain.x[feature]);
    for (table, &[i, j]) in total[0].chunks_mut(width * width).zip(machine.graph.edges()) {
        for (at, sum) in table.iter_mut().enumerate() {
            let (f, g) = (i as usize * width + at / width, j as usize * width + at % width);
            *sum += mean[f] * x(g) + mutant!("B139", x(f) * mean[g], mean[f] * x(g));
        }
    }
    total[1].iter_mut().zip(&mean).for_each(|(sum, mean)| *sum += mean);
    for (number, triple) in machine.triples.iter().enumerate() {
        let [i, j, k] = triple.map(|unit| unit as usize);
        total[2][number] += mean[i] * x(j) * x(k) + x(i) * mean[j] * x(k) + x(i) * x(j) * mean[k];
    }
}

/// Gives the means of a unit's features given the others.
fn conditional(view: &View<'_>, chain: &Chain, unit: usize) -> Vec<f64> {
    let inputs = inputs(view, chain, unit);
    match (inputs.len(), view.machine.is_spin()) {
        (1, true) => vec![libm::tanh(inputs[0])],
        (1, false) => vec![sigmoid(inputs[0])],
        _ => softmax(&inputs),
    }
}

/// Gives what the features of a unit receive, with their biases.
fn inputs(view: &View<'_>, chain: &Chain, unit: usize) -> Vec<f64> {
    let width = view.machine.width();
    (0..width).map(|class| input(view, chain, unit * width + class)).collect()
}

/// Gives Σ J x + b of a feature in f64.
fn input(view: &View<'_>, chain: &Chain, feature: usize) -> f64 {
    let step = f64::from(view.machine.grid.quantum()) * f64::from(view.gain);
    f64::from(chain.sum(view, feature)) * step + f64::from(view.biases[feature])
}

impl Machine {
    /// Computes Σ_i ln p(x_i | x_−i) of each row, in nats, for machines without hidden units.
    ///
    /// # Errors
    /// Refuses hidden units, and rows of another width or kind or with missing values.
    pub fn pseudo_log_likelihood(&self, data: &Batch) -> Result<Array1<f64>, Error> {
        self.check_visible("pseudo-likelihood")?;
        self.check_data(data)?;
        data.check_complete("data")?;
        let (view, width) = (self.view(), self.width());
        let state = self.clamp(data);
        let row = |row: usize| {
            let chain = Chain::new(&view, state.bits.row(row));
            let unit = |unit: usize| {
                let inputs = inputs(&view, &chain, unit);
                log_share(&inputs, &chain.x[unit * width..], self.is_spin())
            };
            (0..self.graph.vertices()).map(unit).sum::<f64>()
        };
        Ok(parallel::map(data.rows(), row).into())
    }

    pub(crate) fn check_visible(&self, what: &str) -> Result<(), Error> {
        if self.hidden_units() == 0 {
            return Ok(());
        }
        Err(Error::shape(what, "no hidden units", self.hidden_units()))
    }
}

/// Gives ln p of a unit's own state, from its inputs, however improbable it is.
fn log_share(inputs: &[f64], x: &[i8], spin: bool) -> f64 {
    match (inputs.len(), spin) {
        (1, true) => -softplus(-2.0 * f64::from(x[0]) * inputs[0]),
        (1, false) => -softplus(if x[0] == 1 { -inputs[0] } else { inputs[0] }),
        _ => {
            let mut total = LogSumExp::default();
            inputs.iter().for_each(|&input| total.add(input));
            let own: f64 = inputs.iter().zip(x).map(|(input, &x)| input * f64::from(x)).sum();
            own - total.value()
        }
    }
}

/// Computes ln(1 + e^x) without overflow.
fn softplus(x: f64) -> f64 {
    mutant!("B338", x.max(0.0) + libm::log1p(libm::exp(-x.abs())), libm::log1p(libm::exp(x)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against an activation of a: −ln(1 + e^a), which is −a where a is large.
    #[test]
    fn improbable_states_keep_their_digits() {
        for a in [40.0, 800.0] {
            assert_eq!(log_share(&[a], &[0], false), -a);
            assert_eq!(log_share(&[-a], &[1], false), -a);
            assert_eq!(log_share(&[a / 2.0], &[-1], true), -a);
            assert_eq!(log_share(&[a, 0.0], &[0, 1], false), -a);
        }
        assert!((log_share(&[0.3], &[1], false) - (1.0 / (1.0 + (-0.3_f64).exp())).ln()).abs() < 1e-15);
    }
}
