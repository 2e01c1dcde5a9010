//! Holds one layer of a network: y = f(x W + b), with f one of five activations.

use harmonium_core::params::{Block, BlockMut};
use harmonium_core::{Error, HasParams};
use ndarray::{Array1, Array2, ArrayView2, ArrayViewMut1, ArrayViewMut2};
use serde::{Deserialize, Serialize};

use super::numeric::{exp, sigmoid, tanh};
use super::product::product;

/// Names what a layer does with its inputs z = x W + b.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// σ(z).
    Sigmoid,
    /// z itself.
    Linear,
    /// max(0, z).
    Relu,
    /// tanh z.
    Tanh,
    /// e^z of each unit over the sum of all: for the last layer alone.
    Softmax,
}

/// Is a layer whose units all see all of its inputs.
#[derive(Clone, Debug, PartialEq)]
pub struct Dense {
    pub(super) weights: Array2<f32>,
    pub(super) bias: Array1<f32>,
    pub(super) activation: Activation,
}

impl Activation {
    /// Turns inputs into outputs in place; rows of a softmax must be whole.
    pub(super) fn apply(self, mut z: ArrayViewMut2<'_, f32>) {
        match self {
            Self::Sigmoid => map(&mut z, sigmoid),
            Self::Linear => {}
            // Written so that NaN stays.
            Self::Relu => map(&mut z, |x| if x < 0.0 { 0.0 } else { x }),
            Self::Tanh => map(&mut z, tanh),
            Self::Softmax => z.rows_mut().into_iter().for_each(softmax),
        }
    }

    /// Gives f′(z) from y = f(z).
    #[inline(always)]
    fn slope(self, y: f32) -> f32 {
        match self {
            Self::Sigmoid => mutant!("B214", y * (1.0 - y), y),
            Self::Relu => f32::from(u8::from(y > 0.0)),
            Self::Tanh => 1.0 - y * y,
            // A softmax never stands below another layer.
            Self::Linear | Self::Softmax => 1.0,
        }
    }

    /// Multiplies what arrives from above with f′(z), given y = f(z) and with the same rows and columns.
    pub(super) fn back(self, delta: &mut ArrayViewMut2<'_, f32>, y: ArrayView2<'_, f32>) {
        for (mut delta, y) in delta.rows_mut().into_iter().zip(y.rows()) {
            match self {
                Self::Linear | Self::Softmax => {}
                Self::Sigmoid => delta.zip_mut_with(&y, |d, &y| *d *= Self::Sigmoid.slope(y)),
                Self::Relu => delta.zip_mut_with(&y, |d, &y| *d *= Self::Relu.slope(y)),
                Self::Tanh => delta.zip_mut_with(&y, |d, &y| *d *= Self::Tanh.slope(y)),
            }
        }
    }
}

/// Maps row by row, which are slices, so that the loops become vector instructions.
#[inline(always)]
fn map(values: &mut ArrayViewMut2<'_, f32>, f: impl Fn(f32) -> f32) {
    for mut row in values.rows_mut() {
        match row.as_slice_mut() {
            Some(row) => row.iter_mut().for_each(|x| *x = f(*x)),
            None => row.mapv_inplace(&f),
        }
    }
}

/// Turns the inputs of one row into probabilities; the largest is taken off first, so that no sum overflows.
pub(super) fn softmax(mut row: ArrayViewMut1<'_, f32>) {
    let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    row.mapv_inplace(|x| exp(x - most));
    let sum: f64 = row.iter().map(|&x| f64::from(x)).sum();
    row.mapv_inplace(|x| (f64::from(x) / sum) as f32);
}

impl Dense {
    /// Makes a layer from weights, `(inputs, units)`, and one bias a unit.
    ///
    /// # Errors
    /// Refuses a layer without inputs or units, other than one bias a unit, and values that are not finite.
    pub fn new(weights: Array2<f32>, bias: Array1<f32>, activation: Activation) -> Result<Self, Error> {
        let (inputs, units) = weights.dim();
        if inputs == 0 || units == 0 {
            return Err(Error::shape(
                "weights",
                "one input and one unit at least",
                format!("{inputs} x {units}"),
            ));
        }
        if bias.len() != units {
            return Err(Error::shape("bias", format!("{units} entries"), format!("{} entries", bias.len())));
        }
        for (name, bad) in [
            ("weights", weights.iter().find(|x| !x.is_finite())),
            ("bias", bias.iter().find(|x| !x.is_finite())),
        ] {
            if let Some(got) = bad {
                return Err(Error::value(name, "", "finite numbers", got));
            }
        }
        let weights =
            if weights.is_standard_layout() { weights } else { weights.as_standard_layout().into_owned() };
        Ok(Self { weights, bias, activation })
    }

    /// Gives the number of inputs.
    pub fn inputs(&self) -> usize {
        self.weights.nrows()
    }

    /// Gives the number of units.
    pub fn units(&self) -> usize {
        self.weights.ncols()
    }

    /// Gives the weights, `(inputs, units)`.
    pub fn weights(&self) -> &Array2<f32> {
        &self.weights
    }

    /// Gives the biases, one a unit.
    pub fn bias(&self) -> &Array1<f32> {
        &self.bias
    }

    /// Gives the activation.
    pub fn activation(&self) -> Activation {
        self.activation
    }

    /// Computes x W + b, and the activation of all but a softmax, whose rows are not whole in a part.
    pub(super) fn forward(&self, x: ArrayView2<'_, f32>, activation: Activation) -> Array2<f32> {
        product(x, self.weights.view(), |mut part, [_, first]| {
            let bias = self.bias.slice(ndarray::s![first..first + part.ncols()]);
            part.rows_mut().into_iter().for_each(|mut row| row += &bias);
            if activation != Activation::Softmax {
                activation.apply(part);
            }
        })
    }
}

impl HasParams for Dense {
    fn blocks(&self) -> Vec<Block<'_>> {
        let weights = self.weights.as_slice().unwrap_or_default();
        let bias = self.bias.as_slice().unwrap_or_default();
        vec![
            Block { name: "weights", shape: vec![self.inputs(), self.units()], values: weights },
            Block { name: "bias", shape: vec![self.units()], values: bias },
        ]
    }

    fn blocks_mut(&mut self) -> Vec<BlockMut<'_>> {
        vec![
            BlockMut { name: "weights", values: self.weights.as_slice_mut().unwrap_or_default() },
            BlockMut { name: "bias", values: self.bias.as_slice_mut().unwrap_or_default() },
        ]
    }

    fn follow(&mut self, _largest: &[f32]) {}

    fn digest(&self) -> String {
        let blocks = self.blocks();
        let entries: Vec<_> = blocks.iter().map(|b| (b.name, &b.shape[..], b.values)).collect();
        harmonium_core::persist::digest(&entries, 0)
    }
}
