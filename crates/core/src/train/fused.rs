//! Contrasts, transforms and moves the weights in one walk over them: the fast form of an update.
//!
//! It gives the bits of the plain form, which is contrast, transforms and optimiser one after the other over whole
//! gradients (`Training::plain`); a test compares them.

use harmonium_kernels::product::{Cells, Contrast, Margins, Rule, walk};

use super::optimizer::Move;
use super::transform::{Decay, dot, shift};
use super::{Fit, Optimizer};
use crate::HasParams;
use crate::params::largest;
use crate::stats::{Phases, Scales};

/// Updates a model of two layers, whose blocks are weights, visible and hidden biases; gives the largest |parameter| of
/// each block, or nothing where the statistics are no pairs of two layers.
pub(super) fn update(
    model: &mut impl HasParams,
    phases: &Phases,
    options: &mut Fit,
    optimizer: &mut Optimizer,
    step: Move,
) -> Option<Vec<f32>> {
    let contrast = phases.pairs(0)?;
    let mut blocks = model.blocks_mut();
    let [weights, visible, hidden] = &mut blocks[..] else { return None };
    let mut biases = [vec![0.0; visible.values.len()], vec![0.0; hidden.values.len()]];
    biases.iter_mut().enumerate().for_each(|(i, values)| phases.contrast_block(i + 1, values));
    let mut centred = None;
    if let Some(centre) = &mut options.centre {
        centre.follow(phases);
        centred = centre.offsets.as_ref().map(|offsets| Centred { offsets, biases: biases.clone() });
    }
    let rule = Weights { scales: phases.scales(), centred, decay: &options.decay, step };
    let margins = rule.walk(contrast, weights.values, optimizer.moments(0));
    if rule.centred.is_some() {
        for (bias, margin) in biases.iter_mut().zip([&margins.lines, &margins.columns]) {
            bias.iter_mut().zip(margin).for_each(|(bias, x)| *bias -= mutant!("B56", x, &0.0));
        }
    }
    for (i, (block, gradient)) in [visible, hidden].into_iter().zip(&biases).enumerate() {
        optimizer.update_block(i + 1, block.values, gradient, step);
    }
    let largest = |block: usize| largest(blocks[block].values);
    Some(vec![margins.largest, largest(1), largest(2)])
}

/// Moves the weights: contrast, centring, decay and the optimiser's rule, strip by strip.
struct Weights<'a> {
    scales: Scales,
    centred: Option<Centred<'a>>,
    decay: &'a Decay,
    step: Move,
}

/// Is what centring needs: μ and λ, and the gradients of the biases before it.
struct Centred<'a> {
    offsets: &'a [Vec<f32>; 2],
    biases: [Vec<f32>; 2],
}

impl Weights<'_> {
    fn walk(
        &self,
        contrast: Contrast<'_>,
        weights: &mut [f32],
        moments: [Option<&mut Vec<f32>>; 2],
    ) -> Margins {
        match moments {
            [None, _] => walk(contrast, [weights], self),
            [Some(first), None] => walk(contrast, [weights, first], self),
            [Some(first), Some(second)] => walk(contrast, [weights, first, second], self),
        }
    }
}

impl<const N: usize> Rule<N> for Weights<'_> {
    const MARGINS: bool = true;

    #[inline(always)]
    fn apply(
        &self,
        at: (usize, usize),
        sums: [&Cells<i32>; 2],
        cells: &mut [Cells<f32>; N],
        (along, down): (&mut f32, &mut Cells<f32>),
    ) {
        let mut gradient = self.scales.gradient(sums);
        if let Some(centred) = &self.centred {
            centred.apply(at, &mut gradient, (along, down));
        }
        let (weights, moments) = cells.split_first_mut().expect("the weights are the first matrix");
        if !self.decay.is_none() {
            self.decay.pull(&mut gradient, &weights[..]);
        }
        let (first, second) = match moments {
            [first, second, ..] => (&mut first[..], &mut second[..]),
            [first] => (&mut first[..], &mut [][..]),
            [] => (&mut [][..], &mut [][..]),
        };
        self.step.apply(weights, &gradient, first, second);
    }
}

impl Centred<'_> {
    #[inline(always)]
    fn apply(
        &self,
        (line, column): (usize, usize),
        gradient: &mut Cells<f32>,
        (along, down): (&mut f32, &mut Cells<f32>),
    ) {
        let ([mu, lambda], [db, dc]) = (self.offsets, &self.biases);
        let (lambda, dc) = (strip(lambda, column), strip(dc, column));
        shift(gradient, [mu[line], db[line]], [&dc, &lambda]);
        *along = dot(gradient, &lambda);
        down.iter_mut().zip(&*gradient).for_each(|(sum, w)| *sum += w * mu[line]);
    }
}

/// Gives 32 entries, with zeros behind the end.
#[inline(always)]
fn strip(values: &[f32], from: usize) -> Cells<f32> {
    let mut out = [0.0; 32];
    let rest = &values[from..];
    match rest.first_chunk() {
        Some(full) => out = *full,
        None => out[..rest.len()].copy_from_slice(rest),
    }
    out
}
