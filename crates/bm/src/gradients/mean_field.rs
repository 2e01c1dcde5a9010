//! Replaces the negative phase by mean field: magnetisations, and correlations by linear response.

use harmonium_core::address::Address;
use harmonium_core::stats::Phases;
use harmonium_core::train::{Estimate, Estimator};
use harmonium_core::{Batch, EnergyModel, Error};
use serde::{Deserialize, Serialize};

use super::{contrast, means};
use crate::form::Wide;
use crate::linear::Cholesky;
use crate::mean_field::{self, variance};
use crate::{Machine, Order};

/// The most units, whose correlations are the inverse of a matrix.
const MAX_UNITS: usize = 2048;

/// Is the gradient in mean field: ⟨x_i⟩ = m_i solves the naive or the TAP equations (Peterson & Anderson 1987), and
/// ⟨x_i x_j⟩ = m_i m_j + (A⁻¹)_ij with A_ij = ∂b_i/∂m_j is linear response (Kappen & Rodríguez 1998), without which
/// couplings between visible units could not be learned. For bits and spins without third-order terms. Hidden units are
/// averaged out given the data as [`EnergyModel::accumulate`] says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MeanField {
    /// How far the free energy is expanded.
    pub order: Order,
}

impl MeanField {
    /// Makes mean field of an order.
    pub fn new(order: Order) -> Self {
        Self { order }
    }
}

impl Estimator<Machine> for MeanField {
    fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    fn check_model(&self, model: &Machine) -> Result<(), Error> {
        if model.width() > 1 || !model.triples.is_empty() {
            return Err(Error::shape("mean field", "bits or spins in pairs", model.units()));
        }
        if model.graph.vertices() > MAX_UNITS {
            return Err(Error::shape(
                "mean field",
                format!("at most {MAX_UNITS} units"),
                model.graph.vertices(),
            ));
        }
        Ok(())
    }

    fn estimate(
        &mut self,
        model: &Machine,
        data: &Batch,
        _sweeps: u32,
        _at: Address,
        phases: &mut Phases,
    ) -> Result<Estimate, Error> {
        self.check_model(model)?;
        model.accumulate(&model.clamp(data), &mut phases.positive);
        let block = |n: usize| phases.positive.means(n).into_iter().map(f64::from).collect::<Vec<_>>();
        let positive = means(vec![block(0), block(1)], 1);
        Ok(Estimate::Gradient(contrast(model, model.mean_field(self.order)?, &positive)))
    }
}

impl Machine {
    /// Computes ⟨x_i x_j⟩ of every edge and ⟨x_i⟩ in mean field with linear response, for bits and spins in pairs.
    ///
    /// # Errors
    /// Refuses couplings so strong that the equations do not settle, have no stable solution where they did, or that the expansion in
    /// the couplings does not converge there.
    pub fn mean_field(&self, order: Order) -> Result<Vec<Vec<f64>>, Error> {
        Estimator::<Self>::check_model(&MeanField { order }, self)?;
        let n = self.graph.vertices();
        let (m, settled) = mean_field::solved(self, &vec![None; n], order);
        if !settled {
            return Err(too_strong("equations that did not settle"));
        }
        if order == Order::Tap && mutant!("B311", reach(self, &m), 0.0) >= 1.0 {
            return Err(too_strong("an expansion that does not converge"));
        }
        let Some(factor) = Cholesky::new(response(self, &m, order), n) else {
            return Err(too_strong("a response that is not positive definite"));
        };
        let covariance = factor.inverse();
        let pair = |&[i, j]: &[u32; 2]| {
            let (i, j) = (i as usize, j as usize);
            m[i] * m[j] + covariance[i * n + j]
        };
        Ok(vec![self.graph.edges().iter().map(pair).collect(), m.clone()])
    }
}

fn too_strong(got: &str) -> Error {
    Error::uncertain("mean field", "couplings weak enough for a stable solution", got)
}

/// Gives the largest Σ_j J_ij² var_i var_j of a unit: below 1 the expansion of the free energy converges (Plefka 1982, equation 12).
fn reach(machine: &Machine, m: &[f64]) -> f64 {
    let wide = Wide::of(&machine.view());
    let mut sums = vec![0.0; m.len()];
    for (units, table) in wide.terms.iter().filter(|(units, _)| units.len() == 2) {
        let (i, j) = (units[0], units[1]);
        let term = table[0] * table[0] * variance(&wide, m[i]) * variance(&wide, m[j]);
        sums[i] += term;
        sums[j] += term;
    }
    sums.into_iter().fold(0.0, f64::max)
}

/// Gives A = ∂b/∂m, row-major.
fn response(machine: &Machine, m: &[f64], order: Order) -> Vec<f64> {
    let (wide, n) = (Wide::of(&machine.view()), m.len());
    let off = if wide.spins { 0.0 } else { 0.5 };
    let tap = if order == Order::Tap { 1.0 } else { 0.0 };
    let mut a = vec![0.0; n * n];
    m.iter().enumerate().for_each(|(i, &m)| a[i * n + i] = 1.0 / variance(&wide, m));
    for (units, table) in wide.terms.iter().filter(|(units, _)| units.len() == 2) {
        let (i, j, weight) = (units[0], units[1], table[0]);
        let entry = -weight - 2.0 * tap * weight * weight * (m[i] - off) * (m[j] - off);
        (a[i * n + j], a[j * n + i]) = (entry, entry);
        a[i * n + i] += mutant!("B140", tap, 0.0) * weight * weight * variance(&wide, m[j]);
        a[j * n + j] += tap * weight * weight * variance(&wide, m[i]);
    }
    a
}
