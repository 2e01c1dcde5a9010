//! Computes the gradient of the mean loss of a batch by backpropagation (Rumelhart, Hinton & Williams 1986).

use harmonium_core::params::Tensor;
use harmonium_core::{Error, HasParams, Params};
use ndarray::{Array2, ArrayView2, ArrayViewMut2, s};

use super::product::{column_sums, product, product_into};
use super::{Goal, Loss, Network};
use crate::names::{BIAS, WEIGHTS};

/// Is what a training puts between layers: factors of units that are left out, and noise on inputs. Entry l is of layer l's
/// inputs for masks, and of its inputs z for noise.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Disturbance {
    /// What the values that layer l reads are multiplied with, `(n, inputs)`; none leaves them.
    pub masks: Vec<Option<Array2<f32>>>,
    /// What is added to the inputs of layer l's units before their activation, `(n, units)`.
    pub noise: Vec<Option<Array2<f32>>>,
}

/// Holds what the layers made of a batch.
struct Pass {
    /// What each layer read, its mask applied.
    read: Vec<Array2<f32>>,
    /// What each layer but the last gave, before the next one's mask; none where no mask stands between.
    whole: Vec<Option<Array2<f32>>>,
    /// The inputs z of the last layer.
    top: Array2<f32>,
}

impl Network {
    /// Computes the mean loss of rows and its gradient, in the blocks of the network: `(n, inputs)`.
    ///
    /// Losses are added in f64 in the order of the rows; the layers below `from` get zeros, and nothing goes down to them.
    ///
    /// # Errors
    /// Refuses rows, targets and a disturbance of other shapes, and a loss that is not one of the last layer.
    pub fn gradient(
        &self,
        x: Array2<f32>,
        goal: &Goal,
        loss: Loss,
        disturbance: &Disturbance,
        from: usize,
    ) -> Result<(f64, Params), Error> {
        loss.check(self, matches!(goal, Goal::Classes(_)))?;
        self.check_shapes(x.dim(), goal, disturbance)?;
        Ok(self.gradient_of(x, goal, loss, disturbance, from))
    }

    fn check_shapes(
        &self,
        (n, inputs): (usize, usize),
        goal: &Goal,
        disturbance: &Disturbance,
    ) -> Result<(), Error> {
        same("rows", [n.max(1), self.inputs()], [n, inputs])?;
        match goal {
            Goal::Values(values) => same("targets", [n, self.outputs()], values.dim().into())?,
            Goal::Classes(labels) => {
                same("labels", [n, 1], [labels.len(), 1])?;
                if let Some(row) = labels.iter().position(|&label| label >= self.outputs()) {
                    let expected = format!("a class below {}", self.outputs());
                    return Err(Error::value("labels", format!("row {row}"), expected, labels[row]));
                }
            }
        }
        for (layer, dense) in self.layers().iter().enumerate() {
            let own =
                |arrays: &[Option<Array2<f32>>]| arrays.get(layer)?.as_ref().map(|array| array.dim().into());
            own(&disturbance.masks).map_or(Ok(()), |got| same("masks", [n, dense.inputs()], got))?;
            own(&disturbance.noise).map_or(Ok(()), |got| same("noise", [n, dense.units()], got))?;
        }
        Ok(())
    }

    /// Does the same with what was checked.
    pub(super) fn gradient_of(
        &self,
        x: Array2<f32>,
        goal: &Goal,
        loss: Loss,
        disturbance: &Disturbance,
        from: usize,
    ) -> (f64, Params) {
        let (loss, layers) = self.by_layer(x, goal, loss, disturbance, from);
        let tensors = layers.into_iter().enumerate().flat_map(|(layer, gradient)| {
            let gradient = gradient.unwrap_or_else(|| self.zeros(layer));
            let names = [WEIGHTS[layer], BIAS[layer]];
            let tensors = gradient.tensors().to_vec().into_iter().zip(names);
            tensors.map(|(tensor, name)| Tensor { name, ..tensor }).collect::<Vec<_>>()
        });
        (loss, Params::new(tensors.collect()))
    }

    /// Computes the mean loss of rows without a gradient.
    pub(super) fn loss(&self, x: Array2<f32>, goal: &Goal, loss: Loss) -> f64 {
        let Pass { mut top, .. } = self.pass(x, &Disturbance::default());
        mean(&loss.delta(&mut top, self.last().activation, goal))
    }

    /// Computes the gradient, one of two tensors for each layer from `from` on.
    pub(super) fn by_layer(
        &self,
        x: Array2<f32>,
        goal: &Goal,
        loss: Loss,
        disturbance: &Disturbance,
        from: usize,
    ) -> (f64, Vec<Option<Params>>) {
        let Pass { read, whole, mut top } = self.pass(x, disturbance);
        let losses = loss.delta(&mut top, self.last().activation, goal);
        let share = 1.0 / losses.len() as f32;
        let mut delta = top;
        delta.mapv_inplace(|d| d * share);
        let mut gradients: Vec<Option<Params>> = self.layers().iter().map(|_| None).collect();
        for layer in (from..self.layers().len()).rev() {
            gradients[layer] = Some(of_layer(read[layer].view(), delta.view()));
            if layer > from {
                let mask = disturbance.masks.get(layer).and_then(Option::as_ref);
                let y = whole[layer - 1].as_ref().unwrap_or(&read[layer]);
                delta = self.down(layer, delta.view(), (mask, y));
            }
        }
        (mean(&losses), gradients)
    }

    /// Sends derivatives from the inputs of a layer's units to those of the layer below, which gave `y`.
    fn down(
        &self,
        layer: usize,
        delta: ArrayView2<'_, f32>,
        below: (Option<&Array2<f32>>, &Array2<f32>),
    ) -> Array2<f32> {
        let (mask, y) = below;
        let activation = self.layers()[layer - 1].activation;
        product(delta, self.layers()[layer].weights.t(), |mut part, at| {
            let range = part_of(at, &part);
            if let Some(mask) = mutant!("B218", mask, None) {
                part *= &mask.slice(s![range[0].clone(), range[1].clone()]);
            }
            activation.back(&mut part, y.slice(s![range[0].clone(), range[1].clone()]));
        })
    }

    fn pass(&self, x: Array2<f32>, disturbance: &Disturbance) -> Pass {
        let (mut read, mut whole, mut x) = (Vec::new(), Vec::new(), x);
        let last = self.layers().len() - 1;
        for (l, layer) in self.layers().iter().enumerate() {
            let mask = disturbance.masks.get(l).and_then(Option::as_ref);
            if l > 0 {
                whole.push(mask.map(|_| x.clone()));
            }
            if let Some(mask) = mask {
                x *= mask;
            }
            let noise = disturbance.noise.get(l).and_then(Option::as_ref);
            let activation =
                if l == last || noise.is_some() { super::Activation::Linear } else { layer.activation };
            let mut y = layer.forward(x.view(), activation);
            if let Some(noise) = noise {
                y += noise;
                if l < last {
                    layer.activation.apply(y.view_mut());
                }
            }
            read.push(std::mem::replace(&mut x, y));
        }
        Pass { read, whole, top: x }
    }

    /// Gives zeros of a layer's shape.
    fn zeros(&self, layer: usize) -> Params {
        self.layers()[layer].params().zeros_like()
    }
}

fn same(field: &str, expected: [usize; 2], got: [usize; 2]) -> Result<(), Error> {
    if expected == got {
        return Ok(());
    }
    Err(Error::shape(field, format!("{} x {}", expected[0], expected[1]), format!("{} x {}", got[0], got[1])))
}

fn mean(losses: &[f64]) -> f64 {
    losses.iter().sum::<f64>() / losses.len() as f64
}

fn part_of([row, column]: [usize; 2], part: &ArrayViewMut2<'_, f32>) -> [std::ops::Range<usize>; 2] {
    [row..row + part.nrows(), column..column + part.ncols()]
}

/// Computes the derivatives of a layer's parameters: xᵀ δ and the column sums of δ.
fn of_layer(x: ArrayView2<'_, f32>, delta: ArrayView2<'_, f32>) -> Params {
    let shape = [x.ncols(), delta.ncols()];
    let mut weights = vec![0.0; shape[0] * shape[1]];
    if let Ok(out) = ArrayViewMut2::from_shape(shape, &mut weights) {
        product_into(x.t(), delta, out, |_, _| {});
    }
    let bias = column_sums(delta);
    Params::new(vec![
        Tensor { name: "weights", shape: shape.to_vec(), values: weights },
        Tensor { name: "bias", shape: vec![bias.len()], values: bias },
    ])
}
