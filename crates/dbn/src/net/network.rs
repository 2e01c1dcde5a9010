//! Holds a feed-forward network: layers one upon the other, and what they compute of rows.

use harmonium_core::params::{Block, BlockMut};
use harmonium_core::persist::digest;
use harmonium_core::{Batch, Error, HasParams, Rows, rows};
use ndarray::{Array2, ArrayView2, Axis, concatenate};

use super::{Activation, Dense};
use crate::names::{self, BIAS, WEIGHTS};

/// Is a feed-forward network: x ↦ f_L(… f₁(x W₁ + b₁) …), rows in, rows out.
///
/// Its parameters are `weights_1`, `bias_1` and so on, weights as `(inputs, units)`. Networks start at random
/// ([`Network::new`]) or from machines ([`Network::from_rbms`], [`Network::unrolled`]), and [`super::tune`] trains them.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    layers: Vec<Dense>,
}

impl Network {
    /// Makes a network of layers.
    ///
    /// # Errors
    /// Refuses no layer and more than 16, layers whose sizes do not fit, and a softmax below another layer.
    pub fn from_layers(layers: Vec<Dense>) -> Result<Self, Error> {
        names::check_depth(layers.len())?;
        for (below, pair) in layers.windows(2).enumerate() {
            let (units, inputs) = (pair[0].units(), pair[1].inputs());
            if mutant!("B215", units != inputs, units < inputs) {
                let field = format!("layer {}", below + 2);
                return Err(Error::shape(field, format!("{units} inputs"), format!("{inputs} inputs")));
            }
            if pair[0].activation == Activation::Softmax {
                let field = format!("layer {}", below + 1);
                return Err(Error::option(field, "a softmax in the last layer alone", "a softmax below"));
            }
        }
        Ok(Self { layers })
    }

    /// Gives the layers, from the inputs up.
    pub fn layers(&self) -> &[Dense] {
        &self.layers
    }

    pub(super) fn layers_mut(&mut self) -> &mut [Dense] {
        &mut self.layers
    }

    /// Gives the number of inputs.
    pub fn inputs(&self) -> usize {
        self.layers[0].inputs()
    }

    /// Gives the number of outputs.
    pub fn outputs(&self) -> usize {
        self.last().units()
    }

    /// Gives the last layer.
    pub(super) fn last(&self) -> &Dense {
        &self.layers[self.layers.len() - 1]
    }

    /// Computes the outputs of rows: `(n, inputs) → (n, outputs)`; of a softmax, the probabilities of classes.
    ///
    /// # Errors
    /// Refuses rows of another width and missing values.
    pub fn transform(&self, data: &Batch) -> Result<Array2<f32>, Error> {
        self.up_to(data, self.layers.len())
    }

    /// Computes what the first `layers` layers make of rows: `(n, inputs) → (n, units)`; 0 gives the rows themselves.
    ///
    /// # Errors
    /// As [`Network::transform`]; refuses more layers than there are.
    pub fn up_to(&self, data: &Batch, layers: usize) -> Result<Array2<f32>, Error> {
        self.check_rows(data)?;
        if layers > self.layers.len() {
            return Err(Error::option("layers", format!("0 to {}", self.layers.len()), layers));
        }
        Ok(self.through(data.to_array(), 0..layers))
    }

    /// Computes the outputs of rows that need not lie in memory: `(n, inputs) → (n, outputs)`.
    ///
    /// # Errors
    /// As [`Network::transform`], and what could not be read.
    pub fn transform_rows(&self, data: &dyn Rows) -> Result<Array2<f32>, Error> {
        let parts: Vec<Array2<f32>> =
            rows::blocks(data).map(|block| self.transform(&block?)).collect::<Result<_, _>>()?;
        let views: Vec<ArrayView2<'_, f32>> = parts.iter().map(|part| part.view()).collect();
        concatenate(Axis(0), &views).map_err(|e| Error::shape("data", "rows of one width", e))
    }

    /// Sends checked values through some of the layers.
    pub(super) fn through(&self, x: Array2<f32>, layers: std::ops::Range<usize>) -> Array2<f32> {
        self.layers[layers].iter().fold(x, |x, layer| {
            let mut y = layer.forward(x.view(), layer.activation);
            if layer.activation == Activation::Softmax {
                layer.activation.apply(y.view_mut());
            }
            y
        })
    }

    /// Refuses rows that the first layer can't take.
    pub(super) fn check_rows(&self, data: &Batch) -> Result<(), Error> {
        data.check_units("data", self.inputs())?;
        data.check_complete("data")
    }
}

impl HasParams for Network {
    fn blocks(&self) -> Vec<Block<'_>> {
        let layers = self.layers.iter().enumerate();
        layers
            .flat_map(|(layer, dense)| {
                let names = [WEIGHTS[layer], BIAS[layer]];
                dense.blocks().into_iter().zip(names).map(|(block, name)| Block { name, ..block })
            })
            .collect()
    }

    fn blocks_mut(&mut self) -> Vec<BlockMut<'_>> {
        let layers = self.layers.iter_mut().enumerate();
        layers
            .flat_map(|(layer, dense)| {
                let names = [WEIGHTS[layer], BIAS[layer]];
                dense.blocks_mut().into_iter().zip(names).map(|(block, name)| BlockMut { name, ..block })
            })
            .collect()
    }

    fn follow(&mut self, _largest: &[f32]) {}

    /// Hashes parameters and activations.
    fn digest(&self) -> String {
        let codes: Vec<f32> = self.layers.iter().map(|layer| f32::from(layer.activation as u8)).collect();
        let shape = [codes.len()];
        let blocks = self.blocks();
        let entries = blocks.iter().map(|b| (b.name, &b.shape[..], b.values));
        digest(&entries.chain([("activations", &shape[..], &codes[..])]).collect::<Vec<_>>(), 0)
    }
}
