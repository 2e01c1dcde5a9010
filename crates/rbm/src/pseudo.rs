//! Computes pseudo-likelihoods: how well each visible unit is foretold by all others.

use harmonium_core::units::Unit;
use harmonium_core::{Batch, EnergyModel, Error};
use harmonium_kernels::{BitMatrix, parallel};
use ndarray::Array1;

use crate::{Rbm, View};

impl Rbm {
    /// Computes Σ_i ln p(v_i | v_−i) of each row, in nats (Besag 1975): `(n, visible) → n`. It is no likelihood.
    ///
    /// # Errors
    /// Refuses rows of another width.
    pub fn pseudo_log_likelihood(&self, data: &Batch) -> Result<Array1<f64>, Error> {
        self.check_data(data)?;
        let view = self.view();
        let codes = Codes::of(&view);
        Ok(parallel::map(data.rows(), |row| view.pseudo(data.bits(), row, &codes)).into())
    }
}

/// Holds the weights' codes, row by row of the visible units.
struct Codes(Vec<i32>);

impl Codes {
    fn of(view: &View<'_>) -> Self {
        let nv = view.visible.units();
        Self(view.hidden_input(&BitMatrix::from_fn(nv, nv, |row, unit| row == unit)).into_sums())
    }

    /// Writes the sums that the hidden layer has once unit `i` came (sign 1) or went (sign −1).
    fn add(&self, i: usize, sign: i32, sums: &[i32], out: &mut [i32]) {
        let codes = self.0[i * sums.len()..].iter();
        out.iter_mut().zip(sums).zip(codes).for_each(|((out, sum), code)| *out = sum + sign * code);
    }
}

impl View<'_> {
    /// Computes Σ_i −ln(1 + e^(F(v) − F(v with i flipped))) of one row.
    fn pseudo(&self, data: &BitMatrix, row: usize, codes: &Codes) -> f64 {
        let v = data.gather([row]);
        let input = self.hidden_input(&v).computed();
        let here = self.free_energy_from(&v, &input)[0];
        let units = self.visible.units();
        let outer = self.visible.energy(&v)[0];
        let mut flipped = input.clone();
        let terms = (0..units).map(|i| {
            let sign = if v.get(0, i) { -1 } else { 1 };
            codes.add(i, sign, &input.sums(), flipped.sums_mut());
            let there =
                outer - f64::from(sign) * f64::from(self.visible.bias()[i]) - self.hidden.cgf(&flipped)[0];
            -softplus(here - there)
        });
        terms.sum::<f64>() * mutant!("B24", 1.0, units as f64)
    }
}

fn softplus(x: f64) -> f64 {
    x.max(0.0) + libm::log1p(libm::exp(-x.abs()))
}
