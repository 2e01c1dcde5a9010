//! Computes pseudo-likelihoods: how well each visible unit is foretold by all others.

use harmonium_core::units::{Input, Unit};
use harmonium_core::{Batch, EnergyModel, Error};
use harmonium_kernels::BitMatrix;
use ndarray::Array1;
use rayon::prelude::*;

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
        let rows: Vec<f64> =
            (0..data.rows()).into_par_iter().map(|row| view.pseudo(data.bits(), row, &codes)).collect();
        Ok(rows.into())
    }
}

/// Holds the weights' codes, row by row of the visible units.
struct Codes(Vec<i32>);

impl Codes {
    fn of(view: &View<'_>) -> Self {
        let nv = view.visible.units();
        Self(view.hidden_input(&BitMatrix::from_fn(nv, nv, |row, unit| row == unit)).sums)
    }
}

impl View<'_> {
    /// Computes Σ_i −ln(1 + e^(F(v) − F(v with i flipped))) of one row.
    fn pseudo(&self, data: &BitMatrix, row: usize, codes: &Codes) -> f64 {
        let v = data.gather([row]);
        let input = self.hidden_input(&v);
        let here = self.free_energy_from(&v, &input)[0];
        let units = self.visible.units();
        let terms = (0..units).map(|i| {
            let on = v.get(0, i);
            let there = self.flipped(&v, &input, codes, i, on);
            -softplus(here - there)
        });
        terms.sum::<f64>() * mutant!("B24", 1.0, units as f64)
    }

    /// Computes F of the row with unit `i` flipped, from the row's own input.
    fn flipped(&self, v: &BitMatrix, input: &Input, codes: &Codes, i: usize, on: bool) -> f64 {
        let nh = self.hidden.units();
        let sign = if on { -1 } else { 1 };
        let codes = &codes.0[i * nh..(i + 1) * nh];
        let sums = input.sums.iter().zip(codes).map(|(sum, code)| sum + sign * code).collect();
        let flipped = Input { sums, ..*input };
        let bias = f64::from(self.visible.bias()[i]);
        self.visible.energy(v)[0] - f64::from(sign) * bias - self.hidden.cgf(&flipped)[0]
    }
}

fn softplus(x: f64) -> f64 {
    x.max(0.0) + libm::log1p(libm::exp(-x.abs()))
}
