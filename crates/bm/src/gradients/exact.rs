//! Enumerates all states for the model's own moments, so that the gradient has no noise.

use harmonium_core::address::Address;
use harmonium_core::stats::Phases;
use harmonium_core::train::{Estimate, Estimator};
use harmonium_core::{Batch, EnergyModel, Error};
use harmonium_kernels::{BitMatrix, parallel};
use serde::{Deserialize, Serialize};

use super::{contrast, means};
use crate::law::Law;
use crate::sums::sums;
use crate::{ENUMERABLE, Machine};

/// Is the exact gradient: the negative phase sums over all states, 2^20 at most; so does the positive phase over the hidden
/// units, for each row that is different. A step takes about 2 n + 10 additions a state of n units.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exact {}

impl Exact {
    /// Makes the exact gradient.
    pub fn new() -> Self {
        Self {}
    }
}

impl Estimator<Machine> for Exact {
    fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    fn check_model(&self, model: &Machine) -> Result<(), Error> {
        if model.is_enumerable() {
            return Ok(());
        }
        let got = format!("{} units of {} states", model.graph.vertices(), model.states());
        Err(Error::shape("exact gradient", format!("at most 2^{ENUMERABLE} states"), got))
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
        let positive = model.data_sums(&state.bits)?;
        phases.positive.add_sums(data.rows() as u64, &positive);
        let (negative, _) = model.model_means()?;
        Ok(Estimate::Gradient(contrast(model, negative, &means(positive, data.rows()))))
    }
}

impl Machine {
    /// Adds up the statistics of rows, hidden units averaged out given the visible ones by enumeration.
    pub(crate) fn data_sums(&self, bits: &BitMatrix) -> Result<Vec<Vec<f64>>, Error> {
        if self.hidden_units() == 0 {
            return Ok(sums(self, bits));
        }
        let form = self.view().form();
        let rows = Self::distinct(&self.visible_of(bits));
        let parts = parallel::map(rows.len(), |at| {
            let law = Law::new(&form, &self.known(bits, rows[at].0))?;
            Ok(self.expected(&law).into_iter().map(|block| scaled(block, rows[at].1)).collect::<Vec<_>>())
        });
        let mut parts = parts.into_iter();
        let first = parts.next().unwrap_or_else(|| Ok(Vec::new()))?;
        parts.try_fold(first, |mut total, part: Result<Vec<Vec<f64>>, Error>| {
            total.iter_mut().flatten().zip(part?.into_iter().flatten()).for_each(|(sum, x)| *sum += x);
            Ok(total)
        })
    }
}

fn scaled(block: Vec<f64>, times: f64) -> Vec<f64> {
    block.into_iter().map(|x| x * times).collect()
}
