//! Fills missing values with what the machine expects of them, given those that are there.

use harmonium_core::sample::Imputed;
use harmonium_core::units::{Input, States, Unit};
use harmonium_core::{Batch, EnergyModel, Error, Gibbs, Key, purpose};
use harmonium_kernels::{evaluate, parallel};
use ndarray::{Array2, Zip};
use serde::{Deserialize, Serialize};

use crate::{Rbm, State};

/// Says how long chains walk whose observed values stay clamped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Imputing {
    /// Sweeps before anything is counted.
    pub warming: u32,
    /// Sweeps that are counted.
    pub sweeps: u32,
}

impl Default for Imputing {
    fn default() -> Self {
        Self { warming: 100, sweeps: 400 }
    }
}

impl Imputing {
    /// Refuses options out of range.
    ///
    /// # Errors
    /// Names the option.
    pub fn check(self) -> Result<(), Error> {
        if self.sweeps > 0 {
            return Ok(());
        }
        Err(Error::option("sweeps", "1 or more", 0))
    }
}

impl Rbm {
    /// Fills missing values with their mean and spread given the others of their row: averages over Gibbs sweeps in which
    /// these stay clamped, row r from stream r. `key` is that of the seed.
    ///
    /// # Errors
    /// Refuses rows that the visible units can't take, and options out of range.
    pub fn impute(&self, data: &Batch, options: Imputing, key: Key) -> Result<Imputed, Error> {
        self.check_data(data)?;
        options.check()?;
        let shape = (data.rows(), data.units());
        let (mut means, mut squares) = (Array2::<f64>::zeros(shape), Array2::<f64>::zeros(shape));
        let warming = u64::from(options.warming);
        let end = warming + u64::from(options.sweeps);
        let key = key.fold_in(purpose::EVALUATE).fold_in(evaluate::IMPUTE);
        let mut sweep = 0;
        self.walk_clamped(data, end, key, &mut |state| {
            sweep += 1;
            if sweep > warming {
                self.count(state, &mut means, &mut squares);
            }
        });
        Ok(self.imputed(data, [&means, &squares], f64::from(options.sweeps)))
    }

    /// Adds the means of the visible units given the hidden ones, which vary less than draws, and squares of draws.
    fn count(&self, state: &State, means: &mut Array2<f64>, squares: &mut Array2<f64>) {
        let view = self.view();
        let own = |values: Array2<f32>| self.give(States::Reals(values)).to_array();
        let expected = own(self.visible.means_of(&self.visible.mean(&view.visible_input(&state.hidden))));
        let drawn = own(self.visible.features_of(&state.visible));
        Zip::from(means).and(&expected).for_each(|sum, &x| *sum += f64::from(x));
        Zip::from(squares).and(&drawn).and(&expected).for_each(|sum, &x, &mean| {
            *sum += f64::from(x - mean).powi(2) + f64::from(mean).powi(2);
        });
    }

    fn imputed(&self, data: &Batch, [means, squares]: [&Array2<f64>; 2], n: f64) -> Imputed {
        let given = self.visible.features_of(data.states());
        let gone = |r: usize, f: usize| data.missing().is_some_and(|missing| missing.get(r, f));
        let mean = |(r, f)| if gone(r, f) { (means[(r, f)] / n) as f32 } else { given[(r, f)] };
        let spread = |(r, f): (usize, usize)| {
            let mean = means[(r, f)] / n;
            if gone(r, f) { (squares[(r, f)] / n - mean * mean).max(0.0).sqrt() as f32 } else { 0.0 }
        };
        Imputed {
            mean: Array2::from_shape_fn(given.dim(), mean),
            spread: Array2::from_shape_fn(given.dim(), spread),
        }
    }

    /// Walks chains that start at draws from the marginals where values are missing, and stay at the others; gives the
    /// visible states, standardised. `watch` sees each sweep.
    pub(crate) fn walk_clamped(
        &self,
        data: &Batch,
        sweeps: u64,
        key: Key,
        watch: &mut dyn FnMut(&State),
    ) -> States {
        self.walk_with(data, sweeps, key, &mut |state, key| self.sweep(state, key), watch)
    }

    /// Walks such chains by sweeps of another kind.
    pub(crate) fn walk_with(
        &self,
        data: &Batch,
        sweeps: u64,
        key: Key,
        move_on: &mut dyn FnMut(&mut State, Key),
        watch: &mut dyn FnMut(&State),
    ) -> States {
        let given = self.take(data).into_owned();
        let Some(missing) = data.missing() else { return given };
        let drawn = self.base.sample(&Input::zero(data.rows(), self.visible_units()), key.fold_in(0));
        let mut state = self.view().standing(given.filled(missing, &drawn));
        parallel::team(|| {
            for sweep in 0..sweeps {
                move_on(&mut state, key.fold_in(sweep + 1));
                state.visible = mutant!("B88", given.filled(missing, &state.visible), state.visible.clone());
                watch(&state);
            }
        });
        state.visible
    }
}
