//! Computes pseudo-likelihoods: how well each visible unit is foretold by all others.

use harmonium_core::units::{States, Unit, Units};
use harmonium_core::{Batch, EnergyModel, Error};
use harmonium_kernels::{BitMatrix, parallel};
use ndarray::Array1;

use crate::gradients::{check, log_likelihoods};
use crate::{Rbm, View};

impl Rbm {
    /// Computes Σ_i ln p(v_i | v_−i) of each row, in nats, i counting units (Besag 1975; of classes Aurell & Ekeberg 2012):
    /// `(n, visible) → n`. It is no likelihood.
    ///
    /// # Errors
    /// Refuses rows of another width, machines whose visible units have no states that can be listed, and hidden units without
    /// an energy.
    pub fn pseudo_log_likelihood(&self, data: &Batch) -> Result<Array1<f64>, Error> {
        self.check_data(data)?;
        data.check_complete("data")?;
        let (view, units) = (self.view(), self.visible.units());
        if !matches!(units, Units::Bernoulli(_) | Units::Spin(_)) {
            check(self, "pseudo-likelihood")?;
            return Ok(log_likelihoods(self, &self.take(data)).into());
        }
        let (codes, bits) = (Codes::of(&view), data.bits()?);
        Ok(parallel::map(data.rows(), |row| view.pseudo(bits, row, &codes)).into())
    }
}

/// Holds what the hidden layer's sums change by when a visible bit is set, row by row of the visible units.
pub(crate) struct Codes(Vec<i32>);

impl Codes {
    /// A bit more adds q to the sums, and 2 q where bits stand for spins.
    pub(crate) fn of(view: &View<'_>) -> Self {
        let nv = view.visible.features();
        let alone = States::Bits(BitMatrix::from_fn(nv, nv, |row, unit| row == unit));
        let none = view.visible.rest(1);
        let sums = |states: &States| {
            view.hidden_input(states).sums().map(std::borrow::Cow::into_owned).unwrap_or_default()
        };
        let (mut codes, none) = (sums(&alone), sums(&none));
        codes
            .chunks_exact_mut(none.len())
            .for_each(|row| row.iter_mut().zip(&none).for_each(|(q, n)| *q -= n));
        Self(codes)
    }

    pub(crate) fn row(&self, unit: usize, width: usize) -> &[i32] {
        &self.0[unit * width..(unit + 1) * width]
    }
}

impl View<'_> {
    /// Computes Σ_i −ln(1 + e^(F(v) − F(v with i flipped))) of one row.
    fn pseudo(&self, data: &BitMatrix, row: usize, codes: &Codes) -> f64 {
        let v = data.gather([row]);
        let (states, units) = (States::Bits(v.clone()), self.visible.features());
        let mut input = self.hidden_input(&states).computed();
        let here = self.free_energy_from(&states, &input)[0];
        let outer = self.visible.energy(&states)[0];
        let step = if self.visible.signs() { 2.0 } else { 1.0 };
        let terms = (0..units).map(|i| {
            let (sign, codes) = (if v.get(0, i) { -1 } else { 1 }, codes.row(i, self.hidden.features()));
            input.add(codes, sign);
            let bias = step * f64::from(sign) * f64::from(self.visible.bias()[i]);
            let there = outer - bias - self.hidden.cgf(&input)[0];
            input.add(codes, -sign);
            -softplus(here - there)
        });
        terms.sum::<f64>() * mutant!("B24", 1.0, units as f64)
    }
}

fn softplus(x: f64) -> f64 {
    x.max(0.0) + libm::log1p(libm::exp(-x.abs()))
}
