//! Writes a machine in another way that gives every visible state the same probability.

use harmonium_core::Error;
use harmonium_core::units::{Layer, Unit, Units};
use ndarray::{Array2, ArrayView2, Axis};

use crate::Rbm;

/// Holds weights and layers in f64 while they change, so that rounding happens once.
struct Parts {
    weights: Array2<f64>,
    bias: [Vec<f64>; 2],
    base: Vec<f64>,
    units: [Units; 2],
}

impl Rbm {
    /// Moves to the zero-sum gauge: weights and biases of a categorical unit add up to 0 over its classes, on both sides. What
    /// is taken off a unit's weights goes to the biases of the other layer, as exactly one of its classes is on.
    ///
    /// # Errors
    /// As [`Rbm::from_layers`].
    pub fn zero_sum(&self) -> Result<Self, Error> {
        let mut parts = self.open();
        for side in 0..2 {
            if let Units::Categorical { classes, .. } = parts.units[side] {
                parts.centre_classes(side, classes);
            }
        }
        self.close(parts)
    }

    /// Writes units 0 and 1 as spins, t = (x + 1)/2: W of two such layers becomes W/4, b becomes b/2 + Σ W/4.
    ///
    /// Layers of other kinds stay as they are.
    ///
    /// # Errors
    /// As [`Rbm::from_layers`].
    pub fn to_spins(&self) -> Result<Self, Error> {
        self.recoded(Units::Spin, |units| matches!(units, Units::Bernoulli(_)), (0.5, 0.5))
    }

    /// Writes spins as units 0 and 1, x = 2t − 1. Layers of other kinds stay as they are.
    ///
    /// # Errors
    /// As [`Rbm::from_layers`].
    pub fn to_bits(&self) -> Result<Self, Error> {
        self.recoded(Units::Bernoulli, |units| matches!(units, Units::Spin(_)), (2.0, -1.0))
    }

    /// Puts old = scale · new + offset into the energy, for layers of one kind.
    fn recoded(
        &self,
        to: impl Fn(usize) -> Units,
        is_old: impl Fn(&Units) -> bool,
        (scale, offset): (f64, f64),
    ) -> Result<Self, Error> {
        let mut parts = self.open();
        for side in 0..2 {
            if is_old(&parts.units[side]) {
                parts.units[side] = to(parts.units[side].count());
                parts.recode(side, scale, offset);
                if side == 0 {
                    parts.base.iter_mut().for_each(|b| *b *= scale);
                }
            }
        }
        self.close(parts)
    }

    /// Scales each hidden unit of a Gaussian layer with learned variance so that its variance is 1: W and b times σ.
    ///
    /// # Errors
    /// Refuses other hidden layers.
    pub fn unit_variance(&self) -> Result<Self, Error> {
        let Layer::Gaussian(layer) = self.hidden() else {
            return Err(Error::shape("gauge", "Gaussian hidden units", self.hidden().units()));
        };
        let deviations: Vec<f64> =
            layer.log_variance().iter().map(|&z| libm::exp(f64::from(z) / 2.0)).collect();
        let mut parts = self.open();
        for ((mut column, bias), deviation) in
            parts.weights.columns_mut().into_iter().zip(&mut parts.bias[1]).zip(&deviations)
        {
            column.iter_mut().for_each(|w| *w *= deviation);
            *bias *= deviation;
        }
        parts.units[1] = Units::Gaussian(deviations.len());
        self.close(parts)
    }

    fn open(&self) -> Parts {
        let wide = |layer: &Layer| layer.bias().iter().map(|&b| f64::from(b)).collect();
        Parts {
            weights: self.weights().mapv(f64::from),
            bias: [self.visible(), self.hidden()].map(wide),
            base: wide(self.base()),
            units: [self.visible(), self.hidden()].map(Layer::units),
        }
    }

    /// Rounds to f32, and to a grid of its own; layers of the old kind keep their further parameters.
    fn close(&self, parts: Parts) -> Result<Self, Error> {
        let Parts { weights, bias: [visible, hidden], base, units } = parts;
        let narrow = |bias: Vec<f64>| bias.into_iter().map(|b| b as f32).collect::<Vec<f32>>();
        let layer = |old: &Layer, units: &Units, bias: Vec<f64>| {
            if old.units() != *units {
                return units.layer(narrow(bias));
            }
            let mut layer = old.clone();
            layer.parts_mut().0.copy_from_slice(&narrow(bias));
            layer
        };
        let [visible, hidden] =
            [layer(self.visible(), &units[0], visible), layer(self.hidden(), &units[1], hidden)];
        let mut rbm = Self::from_layers(weights.mapv(|w| w as f32), visible, hidden)?;
        rbm.set_base(layer(self.base(), &units[0], base))?;
        rbm.set_scaling(self.scaling().cloned())?;
        Ok(rbm)
    }
}

impl Parts {
    /// Lends the weights with the features of one side as rows.
    fn rows(&self, side: usize) -> ArrayView2<'_, f64> {
        if side == 0 { self.weights.view() } else { self.weights.t() }
    }

    fn recode(&mut self, side: usize, scale: f64, offset: f64) {
        let shifts = self.rows(side).sum_axis(Axis(0)) * offset;
        self.bias[1 - side].iter_mut().zip(&shifts).for_each(|(b, shift)| *b += shift);
        self.bias[side].iter_mut().for_each(|b| *b *= scale);
        self.weights *= scale;
    }

    fn centre_classes(&mut self, side: usize, classes: usize) {
        for unit in self.bias[side].chunks_exact_mut(classes) {
            let mean = unit.iter().sum::<f64>() / classes as f64;
            unit.iter_mut().for_each(|b| *b -= mean);
        }
        let mut weights = std::mem::take(&mut self.weights);
        let mut rows = if side == 0 { weights.view_mut() } else { weights.view_mut().reversed_axes() };
        for mut unit in rows.axis_chunks_iter_mut(Axis(0), classes) {
            let means = unit.sum_axis(Axis(0)) / classes as f64;
            unit -= &means;
            self.bias[1 - side].iter_mut().zip(&means).for_each(|(b, mean)| *b += mean);
        }
        self.weights = weights;
    }
}
