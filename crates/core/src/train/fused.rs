//! Contrasts, transforms and moves the weights in one walk over them: the fast form of an update.
//!
//! It gives the bits of the plain form, which is contrast, transforms and optimiser one after the other over whole
//! gradients (`Training::plain`); a test compares them.

use harmonium_kernels::product::{Cells, Contrast, Margins, Rule, walk};

use super::average::{self, Share};
use super::constraint::Bound;
use super::optimizer::Move;
use super::transform::{Decay, dot, shift};
use super::{Enhanced, Fit, Optimizer};
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
    mut share: Share<'_>,
    (rate, at): (f32, (u64, u64, u32)),
) -> Option<Vec<f32>> {
    let contrast = phases.pairs(0)?;
    let mut blocks = model.blocks_mut();
    let [weights, visible, hidden] = &mut blocks[..] else { return None };
    let step = optimizer.begin(rate, at);
    let mut biases = [vec![0.0; visible.values.len()], vec![0.0; hidden.values.len()]];
    biases.iter_mut().enumerate().for_each(|(i, values)| phases.contrast_block(i + 1, values));
    let offsets = offsets(options, phases);
    let centred = offsets.as_ref().map(|offsets| Centred { offsets, biases: biases.clone() });
    let weight = share.as_ref().map_or(0.0, |(_, weight)| *weight);
    let bound = options.constraints.bound(rate);
    let rule = Weights { scales: phases.scales(), centred, decay: &options.decay, step, bound, weight };
    let average = share.as_mut().map(|(average, _)| &mut average.tensors_mut()[0].values);
    let margins = rule.walk(contrast, weights.values, optimizer.moments(0), average);
    if rule.centred.is_some() {
        for (bias, margin) in biases.iter_mut().zip([&margins.lines, &margins.columns]) {
            bias.iter_mut().zip(margin).for_each(|(bias, x)| *bias -= mutant!("B56", x, &0.0));
        }
    }
    for (i, (block, gradient)) in [visible, hidden].into_iter().zip(&biases).enumerate() {
        optimizer.update_block(i + 1, block.values, gradient, step.of_biases());
        if let Some((average, weight)) = &mut share {
            average::follow(&mut average.tensors_mut()[i + 1].values, block.values, *weight);
        }
    }
    let largest = |block: usize| largest(blocks[block].values);
    Some(vec![margins.largest, largest(1), largest(2)])
}

/// Gives the offsets that the gradient is centred on, if it is.
fn offsets(options: &mut Fit, phases: &Phases) -> Option<[Vec<f32>; 2]> {
    if options.enhanced {
        return Some(Enhanced::offsets(phases));
    }
    let centre = options.centre.as_mut()?;
    centre.follow(phases);
    centre.offsets.clone()
}

/// Moves the weights: contrast, centring, decay and the optimiser's rule, bounds and average, strip by strip.
struct Weights<'a> {
    scales: Scales,
    centred: Option<Centred<'a>>,
    decay: &'a Decay,
    step: Move,
    bound: Option<Bound>,
    /// How far the average moves, if there is one.
    weight: f32,
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
        average: Option<&mut Vec<f32>>,
    ) -> Margins {
        let (alone, beside) = (&Walked::<false>(self), &Walked::<true>(self));
        match (moments, average) {
            ([None, _], None) => walk(contrast, [weights], alone),
            ([None, _], Some(average)) => walk(contrast, [weights, average], beside),
            ([Some(first), None], None) => walk(contrast, [weights, first], alone),
            ([Some(first), None], Some(average)) => walk(contrast, [weights, first, average], beside),
            ([Some(first), Some(second)], None) => walk(contrast, [weights, first, second], alone),
            ([Some(first), Some(second)], Some(average)) => {
                walk(contrast, [weights, first, second, average], beside)
            }
        }
    }
}

/// Is the rule with the average as the last matrix, or without one: the compiler must know which, to know all lengths.
struct Walked<'a, const AVERAGED: bool>(&'a Weights<'a>);

impl<const N: usize, const AVERAGED: bool> Rule<N> for Walked<'_, AVERAGED> {
    const MARGINS: bool = true;

    #[inline(always)]
    fn apply(
        &self,
        at: (usize, usize),
        sums: [&Cells<i32>; 2],
        cells: &mut [Cells<f32>; N],
        (along, down): (&mut f32, &mut Cells<f32>),
    ) {
        let rule = self.0;
        let mut gradient = rule.scales.gradient(sums);
        if let Some(centred) = &rule.centred {
            centred.apply(at, &mut gradient, (along, down));
        }
        let (weights, moments) = cells.split_first_mut().expect("the weights are the first matrix");
        if !rule.decay.is_none() {
            rule.decay.pull(&mut gradient, &weights[..]);
        }
        let (moments, average) = moments.split_at_mut(if AVERAGED { N - 2 } else { N - 1 });
        let (first, second) = match moments {
            [first, second, ..] => (&mut first[..], &mut second[..]),
            [first] => (&mut first[..], &mut [][..]),
            [] => (&mut [][..], &mut [][..]),
        };
        rule.step.apply(weights, &gradient, first, second);
        if let Some(bound) = rule.bound {
            bound.apply(weights);
        }
        if let [average] = average {
            average::follow(average, &weights[..], rule.weight);
        }
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
