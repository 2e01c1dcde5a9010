//! Gives what users ask of a conditional machine: the machine of one condition, samples, means, features, likelihoods.

use harmonium_core::units::{Layer, States, Unit};
use harmonium_core::{Batch, EnergyModel, Error, Gibbs, Key, Marginal, purpose};
use harmonium_kernels::{evaluate, parallel};
use ndarray::{Array2, Zip};
use serde::{Deserialize, Serialize};

use super::{Conditional, ConditionalState};
use crate::Rbm;

/// Says how the mean of v given u is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Prediction {
    /// By steps of naive mean field, h ← ⟨h | v, u⟩ and v ← ⟨v | h, u⟩, from the mean of v without hidden units; nothing is drawn.
    MeanField {
        /// Steps.
        steps: u32,
    },
    /// By a chain of each row: the mean of ⟨v | h, u⟩ over its sweeps.
    Gibbs {
        /// Sweeps before anything is counted.
        warming: u32,
        /// Sweeps that are counted, 1 or more.
        sweeps: u32,
    },
}

impl Default for Prediction {
    fn default() -> Self {
        Self::MeanField { steps: 20 }
    }
}

impl Prediction {
    /// Refuses options out of range.
    ///
    /// # Errors
    /// Names the option.
    pub fn check(self) -> Result<(), Error> {
        match self {
            Self::Gibbs { sweeps: 0, .. } => Err(Error::option("sweeps", "1 or more", 0)),
            _ => Ok(()),
        }
    }
}

impl Conditional {
    /// Makes the machine of one condition, `(1, condition)`: biases b + Aᵀu and c + Bᵀu, W as it is. ln Z(u), annealing and
    /// all else is asked of it; its base is that of all conditions.
    ///
    /// # Errors
    /// Refuses a condition that does not fit, and any number of rows but one.
    pub fn given(&self, condition: &Batch) -> Result<Rbm, Error> {
        self.pairs.check_condition(condition)?;
        if condition.rows() != 1 {
            return Err(Error::shape("condition", "one row", format!("{} rows", condition.rows())));
        }
        Ok(self.at(&self.take_condition(condition.states())))
    }

    /// Makes the machine of one standardised condition.
    fn at(&self, condition: &States) -> Rbm {
        let pulls = self.view().pulls(condition);
        let mut rbm = self.rbm.clone();
        for (layer, pull) in [(&mut rbm.visible, &pulls.visible), (&mut rbm.hidden, &pulls.hidden)] {
            layer.parts_mut().0.iter_mut().zip(pull.values()).for_each(|(bias, x)| *bias += x);
        }
        rbm
    }

    /// Computes the mean of ln p(v | u) over rows of [`super::Pairs::join`], in nats, by enumerating the smaller layer for each.
    ///
    /// # Errors
    /// Refuses rows that do not fit, and machines of which neither layer has at most 2^25 states.
    pub fn exact_likelihood(&self, data: &Batch) -> Result<f64, Error> {
        let free = self.free_energy(data)?;
        let mut sum = 0.0;
        for (row, free) in free.iter().enumerate() {
            let (condition, _) = self.take(&data.states().gather([row]));
            sum -= free + self.at(&condition).log_z()?;
        }
        Ok(sum / data.rows() as f64)
    }

    /// Draws a v for each condition, `(n, condition) → (n, visible)`, in the data's own units: row r after `sweeps` sweeps that
    /// start without hidden units. `key` is that of the seed.
    ///
    /// # Errors
    /// Refuses conditions that do not fit.
    pub fn sample(&self, condition: &Batch, sweeps: u64, key: Key) -> Result<States, Error> {
        self.pairs.check_condition(condition)?;
        let (key, view) = (key.fold_in(purpose::EVALUATE).fold_in(evaluate::SAMPLE), self.view());
        let condition = self.take_condition(condition.states()).into_owned();
        let mut at = view.start(condition, key.fold_in(0));
        view.run(&mut at, 1..sweeps + 1, key);
        Ok(self.rbm.give(at.state.visible))
    }

    /// Predicts v, its mean for each condition: `(n, condition) → (n, visible)`, in the data's own units; of bits probabilities.
    /// `key` is that of the seed.
    ///
    /// # Errors
    /// Refuses conditions that do not fit, and options out of range.
    pub fn predict(&self, condition: &Batch, how: Prediction, key: Key) -> Result<Array2<f32>, Error> {
        self.pairs.check_condition(condition)?;
        how.check()?;
        let condition = self.take_condition(condition.states()).into_owned();
        let means = match how {
            Prediction::MeanField { steps } => self.mean_field(&condition, steps),
            Prediction::Gibbs { warming, sweeps } => {
                let key = key.fold_in(purpose::EVALUATE).fold_in(evaluate::IMPUTE);
                self.mean_of_chains(condition, u64::from(warming), u64::from(sweeps), key)
            }
        };
        Ok(self.rbm.give(States::Reals(means)).to_array())
    }

    fn mean_field(&self, condition: &States, steps: u32) -> Array2<f32> {
        let (view, visible, hidden) = (self.view(), &self.rbm.visible, &self.rbm.hidden);
        let pulls = view.pulls(condition);
        let mean = |layer: &Layer, input: &_| layer.means_of(&layer.mean(input));
        let mut v = mean(visible, &pulls.visible);
        for _ in 0..steps {
            let h = mean(hidden, &view.hidden_input(&States::Reals(v), &pulls));
            v = mean(visible, &view.visible_input(&States::Reals(h), &pulls));
        }
        v
    }

    fn mean_of_chains(&self, condition: States, warming: u64, sweeps: u64, key: Key) -> Array2<f32> {
        let (view, visible) = (self.view(), &self.rbm.visible);
        let pulls = view.pulls(&condition);
        let mut at: ConditionalState = view.start(condition, key.fold_in(0));
        let mut sum = Array2::<f64>::zeros((at.condition.rows(), visible.features()));
        parallel::team(|| {
            for sweep in 0..warming + sweeps {
                view.sweep_with(&mut at, &pulls, key.fold_in(sweep + 1));
                if sweep >= warming {
                    let means =
                        visible.means_of(&visible.mean(&view.visible_input(&at.state.hidden, &pulls)));
                    Zip::from(&mut sum).and(&means).for_each(|sum, &mean| *sum += f64::from(mean));
                }
            }
        });
        sum.mapv(|sum| (sum / sweeps as f64) as f32)
    }

    /// Computes features, the means of the hidden units given v and u: `(n, condition + visible) → (n, hidden)`.
    ///
    /// # Errors
    /// Refuses rows that do not fit.
    pub fn transform(&self, data: &Batch) -> Result<Array2<f32>, Error> {
        self.check_data(data)?;
        data.check_complete("data")?;
        let (condition, visible) = self.take(data.states());
        let (view, hidden) = (self.view(), &self.rbm.hidden);
        Ok(hidden.means_of(&hidden.mean(&view.hidden_input(&visible, &view.pulls(&condition)))))
    }
}
