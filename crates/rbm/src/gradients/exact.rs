//! Enumerates the smaller layer for the model's own moments, so that the gradient has no noise: bits in Gray-code order.

use harmonium_core::address::Address;
use harmonium_core::stats::Phases;
use harmonium_core::train::{Estimate, Estimator};
use harmonium_core::{Batch, EnergyModel, Error};
use harmonium_kernels::parallel;
use serde::{Deserialize, Serialize};

use super::{TASKS, Wide, add, are_bits, contrast, listed, soften, transposed};
use crate::{ENUMERABLE, Rbm};

/// States of one block, 2^8: their means fit the cache.
const BLOCK: usize = 8;

/// Is the exact gradient: the negative phase sums over all states of the smaller layer, 2^20 at most, that is 20 units of two
/// states. A step takes 2^n · m exponentials for layers of n and m units.
///
/// One layer must have states that can be listed (bits, spins, classes, binomial counts); the other one may be of any kind
/// that has an energy. Between bits all sums are in f64; else means given a state are those of the layers: 16-bit
/// probabilities, and f32 values.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exact {}

impl Exact {
    /// Makes the exact gradient.
    pub fn new() -> Self {
        Self {}
    }
}

impl Estimator<Rbm> for Exact {
    fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    fn check_model(&self, model: &Rbm) -> Result<(), Error> {
        if !are_bits(model) {
            return listed::check(model);
        }
        let small = model.visible_units().min(model.hidden_units());
        if small <= ENUMERABLE {
            return Ok(());
        }
        let expected = format!("at most {ENUMERABLE} units in the smaller layer");
        Err(Error::shape("exact gradient", expected, small))
    }

    fn estimate(
        &mut self,
        model: &Rbm,
        data: &Batch,
        _sweeps: u32,
        _at: Address,
        phases: &mut Phases,
    ) -> Result<Estimate, Error> {
        Estimator::<Rbm>::check_model(self, model)?;
        model.accumulate(&model.clamp(data), &mut phases.positive);
        if are_bits(model) {
            return Ok(Estimate::Gradient(contrast(model, phases, moments(model))));
        }
        Ok(Estimate::Gradient(contrast(model, phases, listed::moments(model)?)))
    }
}

/// Computes ⟨v hᵀ⟩, ⟨v⟩ and ⟨h⟩ under the model.
fn moments(rbm: &Rbm) -> [Vec<f64>; 3] {
    let wide = Wide::of(rbm);
    let by_hidden = rbm.hidden_units() < rbm.visible_units();
    let wide = if by_hidden { wide.transposed() } else { wide };
    let all = enumerated(&wide);
    let width = wide.hidden_bias.len();
    let total = all.sums[all.sums.len() - 1];
    // A line holds Σ p x ⟨y⟩ and behind it Σ p x; the last line has x = 1.
    let lines = all.sums.chunks(width + 1).map(|line| line.iter().map(|sum| sum / total));
    let (mut cross, mut x) = (Vec::new(), Vec::new());
    for line in lines {
        cross.extend(line);
        x.extend(cross.pop());
    }
    x.pop();
    let y = cross.split_off(cross.len() - width);
    if by_hidden { [transposed(&cross, width), y, x] } else { [cross, x, y] }
}

/// Holds sums over states x of the enumerated layer, each weighed with e^(−F(x) − reference).
struct Sums {
    reference: f64,
    /// A line for each unit of x, and one for all states: Σ ⟨y⟩ and, at the end, Σ 1.
    sums: Vec<f64>,
}

/// Sums over all states of the visible layer.
fn enumerated(wide: &Wide) -> Sums {
    let (units, width) = (wide.visible_bias.len(), wide.hidden_bias.len());
    let bits = units.min(BLOCK);
    let blocks = 1 << (units - bits);
    let tasks = TASKS.min(blocks);
    let each = blocks / tasks;
    let parts = parallel::map(tasks, |task| {
        let mut out = Sums::none((units + 1) * (width + 1));
        let mut means = vec![0.0; (width + 1) << bits];
        (task * each..(task + 1) * each)
            .for_each(|block| out.add_block(wide, (block as u64) << bits, &mut means));
        out
    });
    let mut out = Sums::none((units + 1) * (width + 1));
    parts.into_iter().for_each(|part| {
        let scale = out.raised(part.reference);
        out.sums.iter_mut().zip(part.sums).for_each(|(sum, part)| *sum += part * scale);
    });
    out
}

impl Sums {
    fn none(entries: usize) -> Self {
        Self { reference: f64::NEG_INFINITY, sums: vec![0.0; entries] }
    }

    /// Makes the reference at least as high as another, and gives what sums with that one are multiplied with.
    fn raised(&mut self, other: f64) -> f64 {
        if other > self.reference {
            let scale = libm::exp(self.reference - other);
            self.sums.iter_mut().for_each(|sum| *sum *= scale);
            self.reference = other;
        }
        libm::exp(other - self.reference)
    }

    /// Adds the states that share their upper bits with `first`; `means` has a line for each of them.
    fn add_block(&mut self, wide: &Wide, first: u64, means: &mut [f64]) {
        let line = wide.hidden_bias.len() + 1;
        let logs = block(wide, first, means);
        let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        self.raised(most);
        for (means, log) in means.chunks_mut(line).zip(&logs) {
            let weight = libm::exp(log - self.reference);
            means[line - 1] = 1.0;
            means.iter_mut().for_each(|mean| *mean *= weight);
        }
        self.fold(first, means, line);
    }

    /// Adds the lines of a block to those of their units, the lowest bit first: half as many lines remain each time.
    fn fold(&mut self, first: u64, means: &mut [f64], line: usize) {
        let (mut states, mut unit) = (means.len() / line, 0);
        while states > 1 {
            for pair in 0..states / 2 {
                let odd = (2 * pair + 1) * line..(2 * pair + 2) * line;
                add(&mut self.sums[unit * line..(unit + 1) * line], &means[odd.clone()]);
                means.copy_within(2 * pair * line..(2 * pair + 1) * line, pair * line);
                let (to, from) = means.split_at_mut(odd.start);
                add(&mut to[pair * line..(pair + 1) * line], &from[..line]);
            }
            (states, unit) = (states / 2, unit + 1);
        }
        let units = self.sums.len() / line - 1;
        let on = (unit..units).filter(|unit| first >> unit & 1 == 1).chain([units]);
        on.for_each(|unit| add(&mut self.sums[unit * line..(unit + 1) * line], &means[..line]));
    }
}

/// Writes ⟨y⟩ of each state of a block into its line, and gives −F(x) of each: b·x + Σ ln(1 + e^a).
fn block(wide: &Wide, first: u64, means: &mut [f64]) -> Vec<f64> {
    let (units, width) = (wide.visible_bias.len(), wide.hidden_bias.len());
    let mut activations = wide.hidden_bias.clone();
    let mut bias = 0.0;
    for unit in (0..units).filter(|unit| first >> unit & 1 == 1) {
        add(&mut activations, wide.row(unit));
        bias += wide.visible_bias[unit];
    }
    let states = means.len() / (width + 1);
    let mut logs = vec![0.0; states];
    let mut state = 0_usize;
    for index in 0..states {
        if index > 0 {
            let flipped = index.trailing_zeros() as usize;
            state ^= 1 << flipped;
            let sign = if mutant!("B77", state >> flipped & 1 == 1, true) { 1.0 } else { -1.0 };
            activations.iter_mut().zip(wide.row(flipped)).for_each(|(a, w)| *a += sign * w);
            bias += sign * wide.visible_bias[flipped];
        }
        let line = &mut means[state * (width + 1)..][..width];
        line.copy_from_slice(&activations);
        logs[state] = bias + soften(line);
    }
    logs
}
