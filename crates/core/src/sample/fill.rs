//! Fills gaps of rows by draws of any model, what is there staying clamped.

use harmonium_kernels::{Key, evaluate, purpose};
use ndarray::{Array2, Zip};
use serde::{Deserialize, Serialize};

use crate::{Batch, EnergyModel, Error};

/// Says how many chains a row gets whose observed values stay clamped, and how long they walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filling {
    /// Chains of each row, each of which gives one draw.
    pub chains: usize,
    /// Sweeps of each.
    pub sweeps: u32,
}

impl Default for Filling {
    fn default() -> Self {
        Self { chains: 100, sweeps: 100 }
    }
}

impl Filling {
    /// Refuses options out of range.
    ///
    /// # Errors
    /// Names the option.
    pub fn check(self) -> Result<(), Error> {
        if !(1..=100_000).contains(&self.chains) {
            return Err(Error::option("chains", "1 to 100000", self.chains));
        }
        if self.sweeps == 0 {
            return Err(Error::option("sweeps", "1 or more", 0));
        }
        Ok(())
    }
}

/// Holds rows without gaps, in the data's own units: `(n, visible)` each.
#[derive(Clone, Debug, PartialEq)]
pub struct Imputed {
    /// What is there, and means of what is missing; of bits and classes these are probabilities.
    pub mean: Array2<f32>,
    /// Standard deviations: 0 for what is there.
    pub spread: Array2<f32>,
}

/// Fills missing values with mean and spread of draws given the others of their row, by [`EnergyModel::complete`]: of machines of two
/// layers, general ones and deep ones alike. Each chain starts anew, so that draws of a row are independent; a mean errs by
/// spread / √chains, and by what the chains have not forgotten of their start. `key` is that of the seed; `watch` hears of each chain.
///
/// # Errors
/// Refuses rows that the model can't take, missing values where it can draw none, and options out of range.
pub fn fill<M: EnergyModel + ?Sized>(
    model: &M,
    data: &Batch,
    options: Filling,
    key: Key,
    watch: &mut dyn FnMut(usize),
) -> Result<Imputed, Error> {
    options.check()?;
    model.check_data(data)?;
    let key = key.fold_in(purpose::EVALUATE).fold_in(evaluate::FILL);
    let shape = (data.rows(), data.units());
    let (mut sums, mut squares) = (Array2::<f64>::zeros(shape), Array2::<f64>::zeros(shape));
    let given = data.to_array();
    for chain in 0..options.chains {
        let drawn =
            model.complete(data, options.sweeps, key.fold_in(mutant!("B361", chain as u64, 0))).to_array();
        Zip::from(&mut sums).and(&mut squares).and(&drawn).for_each(|sum, square, &x| {
            *sum += f64::from(x);
            *square += f64::from(x).powi(2);
        });
        watch(chain + 1);
    }
    let n = options.chains as f64;
    let gone = |(r, f): (usize, usize)| data.missing().is_some_and(|missing| missing.get(r, f));
    let mean = |place| if gone(place) { (sums[place] / n) as f32 } else { given[place] };
    let spread = |place| {
        let variance = squares[place] / n - (sums[place] / n).powi(2);
        if gone(place) { variance.max(0.0).sqrt() as f32 } else { 0.0 }
    };
    Ok(Imputed { mean: Array2::from_shape_fn(shape, mean), spread: Array2::from_shape_fn(shape, spread) })
}
