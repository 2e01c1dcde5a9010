//! Centres the gradient of a deep machine: in all couplings, on running means of the data or on the means of both phases.

use harmonium_core::address::Address;
use harmonium_core::params::Tensor;
use harmonium_core::stats::Phases;
use harmonium_core::train::{Estimate, Estimator, Kept, Schedule};
use harmonium_core::{Batch, Error, Params};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

use super::Dbm;
use super::params::block_of;

/// Is an estimator around another whose gradient it centres: ∂W_l' = ⟨(x_{l−1} − μ_{l−1})(x_l − μ_l)ᵀ⟩, with the biases corrected so that
/// the model is the same (Montavon & Müller 2012, equations 5 to 8; here the parameters stay those of the machine as it is).
///
/// The step is the gradient in the coordinates of the centred machine, taken back to those of the machine itself: g' = T Tᵀ g, with a T
/// that has an inverse, so that it vanishes only where g does. Offsets are the means of the data, mean field's in hidden layers: the first
/// batch sets them; then they move by `rate` an update.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Centred<E> {
    /// The estimator whose gradient is centred.
    pub inner: E,
    /// How fast the offsets follow the batch, above 0 and at most 1.
    pub rate: f32,
    /// Takes the means of both phases of each batch for offsets, half and half: the enhanced gradient (Cho, Raiko & Ilin 2013).
    pub enhanced: bool,
    /// μ_l of each layer.
    #[serde(skip)]
    offsets: Option<Vec<Vec<f32>>>,
}

impl<E> Centred<E> {
    /// Centres the gradient of an estimator on means of the data that move by a hundredth an update.
    pub fn new(inner: E) -> Self {
        Self { inner, rate: 0.01, enhanced: false, offsets: None }
    }

    /// Takes the enhanced gradient of an estimator.
    pub fn enhanced(inner: E) -> Self {
        Self { enhanced: true, ..Self::new(inner) }
    }

    /// Gives μ_l of each layer; nothing before the first update, and for enhanced gradients.
    pub fn offsets(&self) -> Option<&[Vec<f32>]> {
        self.offsets.as_deref()
    }

    /// Gives the offsets of this update.
    fn follow(&mut self, layers: usize, phases: &Phases) -> Vec<Vec<f32>> {
        let means = (0..layers).map(|l| phases.positive.means(bias_of(l)));
        if self.enhanced {
            let half = |(l, data): (usize, Vec<f32>)| {
                let model = phases.negative.means(bias_of(l));
                data.iter().zip(model).map(|(d, m)| d * 0.5 + m * 0.5).collect()
            };
            return means.enumerate().map(half).collect();
        }
        let means: Vec<Vec<f32>> = means.collect();
        let rate = self.rate;
        let offsets = self.offsets.get_or_insert_with(|| means.clone());
        for (offset, mean) in offsets.iter_mut().flatten().zip(means.iter().flatten()) {
            *offset = *offset * (1.0 - rate) + mean * rate;
        }
        offsets.clone()
    }
}

/// Gives the number of the block of b_l.
fn bias_of(layer: usize) -> usize {
    if layer < 2 { layer + 1 } else { block_of(layer) + 1 }
}

/// Gives the number of the block of W_l.
fn weights_of(layer: usize) -> usize {
    if layer < 2 { 0 } else { block_of(layer) }
}

/// Takes a gradient to the coordinates whose origin are the offsets of all layers, and back.
fn centre(gradient: &mut Params, offsets: &[Vec<f32>]) {
    let tensors = gradient.tensors_mut();
    let biases: Vec<Vec<f32>> = (0..offsets.len()).map(|l| tensors[bias_of(l)].values.clone()).collect();
    for l in 1..offsets.len() {
        let ([mu, lambda], [db, dc]) = ([&offsets[l - 1], &offsets[l]], [&biases[l - 1], &biases[l]]);
        shift(&mut tensors[weights_of(l)], [mu, lambda], [db, dc]);
        let (lines, columns) = margins(&tensors[weights_of(l)], [mu, lambda]);
        subtract(&mut tensors[bias_of(l - 1)].values, &mutant!("B247", lines, vec![0.0; lines.len()]));
        subtract(&mut tensors[bias_of(l)].values, &columns);
    }
}

/// Subtracts μ_i dc_j + db_i λ_j from each weight.
fn shift(weights: &mut Tensor, [mu, lambda]: [&[f32]; 2], [db, dc]: [&[f32]; 2]) {
    let lines = weights.values.chunks_mut(lambda.len()).zip(mu.iter().zip(db));
    lines.for_each(|(line, (mu, db))| {
        let pairs = line.iter_mut().zip(dc.iter().zip(lambda));
        pairs.for_each(|(w, (dc, lambda))| *w -= mu * dc + lambda * db);
    });
}

/// Computes W λ and Wᵀ μ, each in the order of the entries.
fn margins(weights: &Tensor, [mu, lambda]: [&[f32]; 2]) -> (Vec<f32>, Vec<f32>) {
    let (mut along, mut down) = (Vec::with_capacity(mu.len()), vec![0.0; lambda.len()]);
    for (line, mu) in weights.values.chunks(lambda.len()).zip(mu) {
        along.push(dot(line, lambda));
        down.iter_mut().zip(line).for_each(|(sum, w)| *sum += w * mu);
    }
    (along, down)
}

/// Adds products in eight lanes, in the order of the entries.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0; 8];
    for (a, b) in a.chunks(8).zip(b.chunks(8)) {
        lanes.iter_mut().zip(a.iter().zip(b)).for_each(|(lane, (a, b))| *lane += a * b);
    }
    lanes.iter().sum()
}

fn subtract(values: &mut [f32], other: &[f32]) {
    values.iter_mut().zip(other).for_each(|(x, y)| *x -= y);
}

/// The name of the offsets of a layer among what lives on.
fn name(layer: usize) -> String {
    format!("offset/{layer}")
}

impl<E: Estimator<Dbm>> Estimator<Dbm> for Centred<E> {
    fn check(&self) -> Result<(), Error> {
        if self.rate > 0.0 && self.rate <= 1.0 {
            return self.inner.check();
        }
        Err(Error::option("centre rate", "above 0 and at most 1", self.rate))
    }

    fn check_model(&self, model: &Dbm) -> Result<(), Error> {
        self.inner.check_model(model)
    }

    fn estimate(
        &mut self,
        model: &Dbm,
        data: &Batch,
        sweeps: u32,
        at: Address,
        phases: &mut Phases,
    ) -> Result<Estimate, Error> {
        let estimate = self.inner.estimate(model, data, sweeps, at, phases)?;
        if self.enhanced && matches!(estimate, Estimate::Gradient(_)) {
            return Err(Error::option(
                "enhanced",
                "an estimator with a negative phase",
                "a finished gradient",
            ));
        }
        let mut gradient = estimate.gradient(model, phases);
        centre(&mut gradient, &self.follow(model.layers.len(), phases));
        Ok(Estimate::Gradient(gradient))
    }

    fn complete<'a>(&self, model: &Dbm, data: &'a Batch, sweeps: u32, at: Address) -> Cow<'a, Batch> {
        self.inner.complete(model, data, sweeps, at)
    }

    fn judge(&self, model: &Dbm, at: Address) -> Result<(), Error> {
        self.inner.judge(model, at)
    }

    fn rolled_back(&mut self, model: &Dbm) -> Result<(), Error> {
        self.inner.rolled_back(model)
    }

    fn sweeps(&self) -> &Schedule {
        self.inner.sweeps()
    }

    fn kept(&self) -> Kept {
        let offsets = self.offsets.iter().flatten().enumerate();
        offsets.fold(self.inner.kept(), |kept, (l, values)| {
            kept.with_reals(
                &name(l),
                &[values.len()],
                &mutant!("B248", values.clone(), vec![0.0; values.len()]),
            )
        })
    }

    fn restore(&mut self, model: &Dbm, mut kept: Kept) -> Result<(), Error> {
        let layers = model.layers.iter().enumerate();
        let taken = layers.map(|(l, layer)| kept.take_reals(&name(l), &[layer.features()]));
        let offsets: Vec<Option<Vec<f32>>> = taken.collect::<Result<_, Error>>()?;
        let known = offsets.iter().flatten().count();
        if known != 0 && known != offsets.len() {
            return Err(Error::shape("offsets", format!("those of {} layers", offsets.len()), known));
        }
        self.inner.restore(model, kept)?;
        self.offsets = offsets.into_iter().collect();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use harmonium_core::units::Units;
    use harmonium_core::{EnergyModel, HasParams};

    #[test]
    fn blocks_are_found_by_their_layer() {
        let units = [3, 4, 5, 6].map(Units::Bernoulli);
        let dbm = Dbm::new(&units, harmonium_core::Key::from_seed(1)).unwrap();
        let blocks = dbm.blocks();
        for l in 0..4 {
            assert_eq!(blocks[bias_of(l)].values.len(), 3 + l);
            assert!(l == 0 || blocks[weights_of(l)].shape == [2 + l, 3 + l]);
        }
        assert_eq!(dbm.stats().means(bias_of(3)).len(), 6);
    }
}
