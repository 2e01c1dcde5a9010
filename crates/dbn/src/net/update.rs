//! Moves the parameters of each layer: decay, the optimiser's rule, and the largest length of weights.

use harmonium_core::train::Optimizer;
use harmonium_core::{HasParams, Params};
use ndarray::{Array2, Axis};
use rayon::prelude::*;

use super::{Dense, Network, Tuning};

/// Moves the layers that have a gradient; which thread moves which changes no bit.
pub(super) fn layers(
    layers: &mut [Dense],
    gradients: Vec<Option<Params>>,
    optimizers: &mut [Optimizer],
    options: &Tuning,
    (rate, at): (f32, (u64, u64, u32)),
) {
    let each = layers.par_iter_mut().zip(optimizers).zip(gradients);
    each.for_each(|((layer, optimizer), gradient)| {
        let Some(mut gradient) = gradient else { return };
        decay(layer, &mut gradient, options.decay);
        optimizer.update(layer, &gradient, rate, at);
        options.max_norm.into_iter().for_each(|norm| shorten(&mut layer.weights, norm));
    });
}

/// Adds λ W to the derivatives of the weights.
fn decay(layer: &Dense, gradient: &mut Params, decay: f32) {
    if decay == 0.0 {
        return;
    }
    if let Some(weights) = gradient.tensors_mut().first_mut() {
        weights.values.iter_mut().zip(&layer.weights).for_each(|(g, w)| *g += decay * w);
    }
}

/// Shortens the incoming weights of units that are longer than `norm`; squares are added in f64, in the order of the inputs.
fn shorten(weights: &mut Array2<f32>, norm: f32) {
    let mut squares = vec![0.0_f64; weights.ncols()];
    for row in weights.rows() {
        squares.iter_mut().zip(row).for_each(|(sum, &w)| *sum += f64::from(w) * f64::from(w));
    }
    let factor = |square: f64| {
        let length = square.sqrt();
        if length > f64::from(norm) { (f64::from(norm) / length) as f32 } else { 1.0 }
    };
    let factors: Vec<f32> = squares.into_iter().map(factor).collect();
    for mut row in weights.axis_iter_mut(Axis(0)) {
        row.iter_mut().zip(&factors).for_each(|(w, factor)| *w *= factor);
    }
}

/// Moves the average towards the parameters after `step` updates of `total`: θ̄ ← θ̄ + w (θ − θ̄), w as the options' `Average`
/// says.
pub(super) fn average(
    average: &mut Option<Params>,
    options: &Tuning,
    (step, total): (u64, u64),
    network: &Network,
) {
    let Some(rule) = options.average else { return };
    let n = step.saturating_sub((rule.start * total as f64).ceil() as u64);
    if n == 0 {
        return;
    }
    let weight = (1.0 - rule.decay).max(1.0 / n as f32);
    let average = average.get_or_insert_with(|| network.params().zeros_like());
    for (mean, block) in average.tensors_mut().iter_mut().zip(network.blocks()) {
        let entries = mean.values.iter_mut().zip(block.values);
        entries.for_each(|(mean, x)| *mean += (x - *mean) * mutant!("B226", weight, 1.0));
    }
}
