//! Differentiates the pseudo-likelihood, which needs no ln Z and no samples.

use harmonium_core::address::Address;
use harmonium_core::stats::Phases;
use harmonium_core::train::{Estimate, Estimator};
use harmonium_core::{Batch, BitMatrix, EnergyModel, Error};
use harmonium_kernels::parallel;
use serde::{Deserialize, Serialize};

use super::{TASKS, Wide, add, are_bits, gradient, shares, sigmoid, soften};
use crate::Rbm;

/// Is the gradient of the mean of −Σ_i ln p(v_i | v_−i) over the rows (Besag 1975; for these machines Marlin, Swersky,
/// Chen & de Freitas 2010). A step takes n · V · H exponentials for n rows.
///
/// Visible units may be of any kind with states that can be listed: bits, spins, classes (of which i counts the units: the
/// pseudo-likelihood of Potts models, Aurell & Ekeberg 2012), binomial counts; hidden units of any kind that has an energy.
/// Between bits all is in f64; else means given a state are those of the layers: 16-bit probabilities, and f32 values.
///
/// ```
/// use harmonium_core::{Batch, Key, train::{Fit, Silent, fit}, units::Units};
/// use harmonium_rbm::{PseudoLikelihood, Rbm};
/// use ndarray::array;
/// let data = Batch::new(array![[0.0, 0.0, 1.0], [1.0, 1.0, 0.0]].view())?;
/// let mut rbm = Rbm::for_data(&data, Units::Bernoulli(4), Key::from_seed(1))?;
/// let before = rbm.pseudo_log_likelihood(&data)?.sum();
/// fit(&mut rbm, &data, &mut PseudoLikelihood::new(), &Fit::default(), Key::from_seed(1), &mut Silent)?;
/// assert!(rbm.pseudo_log_likelihood(&data)?.sum() > before);
/// # Ok::<(), harmonium_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PseudoLikelihood {}

impl PseudoLikelihood {
    /// Makes the gradient of the pseudo-likelihood.
    pub fn new() -> Self {
        Self {}
    }
}

impl Estimator<Rbm> for PseudoLikelihood {
    fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    fn check_model(&self, model: &Rbm) -> Result<(), Error> {
        if are_bits(model) { Ok(()) } else { shares::check(model, "gradient of the pseudo-likelihood") }
    }

    fn estimate(
        &mut self,
        model: &Rbm,
        data: &Batch,
        _sweeps: u32,
        _at: Address,
        phases: &mut Phases,
    ) -> Result<Estimate, Error> {
        model.accumulate(&model.clamp(data), &mut phases.positive);
        if are_bits(model) {
            return Ok(Estimate::Gradient(gradient(model, mean(&Wide::of(model), data.bits()?))));
        }
        let rows = model.clamp(data);
        Ok(Estimate::Gradient(gradient(model, shares::mean_gradient(model, rows.visible()))))
    }
}

/// Gives the mean gradient over rows, by W, b and c.
fn mean(wide: &Wide, data: &BitMatrix) -> [Vec<f64>; 3] {
    let rows = data.rows();
    let tasks = TASKS.min(rows);
    let parts = parallel::map(tasks, |task| {
        let mut sums = empty(wide);
        (task * rows / tasks..(task + 1) * rows / tasks).for_each(|row| add_row(wide, data, row, &mut sums));
        sums
    });
    let mut out = empty(wide);
    parts.iter().for_each(|part| out.iter_mut().zip(part).for_each(|(out, part)| add(out, part)));
    out.map(|block| block.into_iter().map(|sum| sum / rows as f64).collect())
}

fn empty(wide: &Wide) -> [Vec<f64>; 3] {
    [&wide.weights, &wide.visible_bias, &wide.hidden_bias].map(|block| vec![0.0; block.len()])
}

/// Adds ∂/∂θ Σ_i ln(1 + e^(F(v) − F(v̄))) of a row, v̄ having unit i flipped: with s_i = 1 − p(v_i | v_−i),
/// Σ_i s_i (∂F(v) − ∂F(v̄)).
fn add_row(wide: &Wide, data: &BitMatrix, row: usize, [dw, db, dc]: &mut [Vec<f64>; 3]) {
    let mut activations = wide.hidden_bias.clone();
    data.for_each_one(row, |unit| add(&mut activations, wide.row(unit)));
    let mut means = activations.clone();
    let here = soften(&mut means);
    let mut moved = vec![0.0; means.len()];
    let mut flipped = means.clone();
    for (unit, line) in dw.chunks_mut(means.len()).enumerate() {
        let sign = if data.get(row, unit) { -1.0 } else { 1.0 };
        let couplings = activations.iter().zip(wide.row(unit));
        flipped.iter_mut().zip(couplings).for_each(|(to, (a, w))| *to = a + sign * w);
        let there = soften(&mut flipped);
        let surprise = sigmoid(sign * wide.visible_bias[unit] + there - here);
        db[unit] += sign * surprise;
        line.iter_mut().zip(&flipped).for_each(|(w, flipped)| *w += sign * surprise * flipped);
        let moves = flipped.iter().zip(&means);
        moved.iter_mut().zip(moves).for_each(|(moved, (there, here))| *moved += surprise * (there - here));
    }
    let width = moved.len();
    data.for_each_one(row, |unit| mutant!("B78", add(&mut dw[unit * width..][..width], &moved), ()));
    add(dc, &moved);
}
