//! Trains classifiers: discriminatively, or with a share of the likelihood of rows with and without a label.
//!
//! Generative training is that of any estimator of phases, `Cd` or `Pcd` say, by itself. What [`Hybrid`] adds up is made of
//! two gradients: G of −ln p(x, y), which such an estimator gives, and D of −ln p(y | x), which is exact. That of −ln p(x) is
//! G − D, whatever y is in it: so a row without a label gets a class ỹ ∼ p(y | x) for its chain to start from, and
//! the sum over all classes takes the place of ỹ in the positive phase.

use harmonium_core::address::Address;
use harmonium_core::stats::Phases;
use harmonium_core::train::{Estimate, Estimator, Kept, Schedule};
use harmonium_core::units::{Categorical, Input, Unit};
use harmonium_core::{Batch, EnergyModel, Error, HasParams, Params, purpose};
use harmonium_kernels::BitMatrix;
use serde::{Deserialize, Serialize};

use super::discriminative::{self, Blocks};
use super::{Classifier, labels};

/// What sets the draws of rows without a label apart from those of the others; purposes are smaller.
const UNLABELLED: u64 = 1 << 32;

/// Is the exact gradient of the mean of −ln p(y | x) over the rows; rows without a label have none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Discriminative {}

impl Discriminative {
    /// Makes the discriminative gradient.
    pub fn new() -> Self {
        Self {}
    }
}

/// Is the gradient of the mean over the rows of −γ ln p(y | x) − α ln p(x, y) where the label is known, and of −β ln p(x) where
/// it is not (Larochelle, Mandel, Pascanu & Bengio 2012, §4 and §5).
///
/// `chains` estimates what needs samples; it runs once for each kind of rows that a batch has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hybrid<E> {
    /// γ, 0 or more; 1 in the paper.
    pub discriminative: f32,
    /// α, 0 or more.
    pub generative: f32,
    /// β, 0 or more.
    pub unlabelled: f32,
    /// The estimator of the gradient of −ln p(x, y).
    pub chains: E,
}

impl<E: Default> Default for Hybrid<E> {
    fn default() -> Self {
        Self::new(0.01, E::default())
    }
}

impl<E> Hybrid<E> {
    /// Makes −ln p(y | x) − α ln p(x, y); rows without a label count for nothing.
    pub fn new(generative: f32, chains: E) -> Self {
        Self { discriminative: 1.0, generative, unlabelled: 0.0, chains }
    }

    /// Lets rows without a label count with −β ln p(x).
    #[must_use]
    pub fn with_unlabelled(self, unlabelled: f32) -> Self {
        Self { unlabelled, ..self }
    }

    /// Gives what the rows' discriminative gradients are multiplied with: γ, and −β where y stands for no label.
    fn weights(&self, known: &[Option<usize>], classes: &[usize]) -> Vec<(usize, f64)> {
        let weight = |(label, &class): (&Option<usize>, &usize)| match label {
            Some(label) => (*label, f64::from(self.discriminative)),
            None => (class, mutant!("B93", -f64::from(self.unlabelled), 0.0)),
        };
        known.iter().zip(classes).map(weight).collect()
    }
}

impl Estimator<Classifier> for Discriminative {
    fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    fn estimate(
        &mut self,
        model: &Classifier,
        data: &Batch,
        _sweeps: u32,
        _at: Address,
        phases: &mut Phases,
    ) -> Result<Estimate, Error> {
        let bits = data.bits()?;
        let (known, scores) = (labels::all(bits, model.units()), model.scores(bits));
        model.accumulate(&model.clamp(data), &mut phases.positive);
        let rows: Vec<(usize, f64)> =
            known.iter().map(|label| label.map_or((0, 0.0), |label| (label, 1.0))).collect();
        let sums = discriminative::sum(model, bits, &scores, &rows);
        Ok(Estimate::Gradient(mean(model, &sums, data.rows())))
    }
}

impl<E: Estimator<Classifier>> Estimator<Classifier> for Hybrid<E> {
    fn check(&self) -> Result<(), Error> {
        let weights = [
            ("discriminative", self.discriminative),
            ("generative", self.generative),
            ("unlabelled", self.unlabelled),
        ];
        for (name, weight) in weights {
            Schedule::Constant(f64::from(weight)).check(name, 0.0, 1e6)?;
        }
        self.chains.check()
    }

    fn check_model(&self, model: &Classifier) -> Result<(), Error> {
        self.chains.check_model(model)
    }

    fn estimate(
        &mut self,
        model: &Classifier,
        data: &Batch,
        sweeps: u32,
        at: Address,
        phases: &mut Phases,
    ) -> Result<Estimate, Error> {
        let bits = data.bits()?;
        let (known, scores) = (labels::all(bits, model.units()), model.scores(bits));
        let other = Address::new(at.seed().fold_in(UNLABELLED), at.step());
        let drawn = draw(&scores, model.classes, other);
        let whole = Batch::from_bits(model.completed(bits, &drawn))?;
        model.accumulate(&model.clamp(&whole), &mut phases.positive);
        let sums = discriminative::sum(model, bits, &scores, &self.weights(&known, &drawn));
        let mut out = mean(model, &sums, data.rows());
        for (has_label, weight, at) in [(true, self.generative, at), (false, self.unlabelled, other)] {
            let rows: Vec<usize> =
                (0..data.rows()).filter(|&row| known[row].is_some() == has_label).collect();
            if weight > 0.0 && !rows.is_empty() {
                let share = weight * mutant!("B94", rows.len() as f32 / data.rows() as f32, 1.0);
                let mut phases = Phases::new(model.stats());
                let part = self.chains.estimate(model, &whole.gather(rows), sweeps, at, &mut phases)?;
                add(&mut out, &part.gradient(model, &phases), share);
            }
        }
        Ok(Estimate::Gradient(out))
    }

    fn judge(&self, model: &Classifier, at: Address) -> Result<(), Error> {
        self.chains.judge(model, at)
    }

    fn rolled_back(&mut self, model: &Classifier) -> Result<(), Error> {
        self.chains.rolled_back(model)
    }

    fn sweeps(&self) -> &Schedule {
        self.chains.sweeps()
    }

    fn kept(&self) -> Kept {
        mutant!("B95", self.chains.kept(), Kept::default())
    }

    fn grow(&mut self, model: &Classifier) -> Result<(), Error> {
        self.chains.grow(model)
    }

    fn restore(&mut self, model: &Classifier, kept: Kept) -> Result<(), Error> {
        self.chains.restore(model, kept)
    }
}

/// Draws a class of each row from its scores, row r from stream r.
fn draw(scores: &[f64], classes: usize, at: Address) -> Vec<usize> {
    let shifted = scores.chunks_exact(classes).flat_map(|row| {
        let most = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        row.iter().map(move |score| (score - most) as f32)
    });
    let input = Input::reals(shifted.collect(), 1.0);
    let drawn = Categorical::new(vec![0.0; classes], classes).sample(&input, at.key(purpose::POSITIVE));
    let bits: &BitMatrix = drawn.expect_bits();
    labels::all(bits, 0).into_iter().map(Option::unwrap_or_default).collect()
}

/// Divides sums by the number of rows.
fn mean(model: &Classifier, sums: &Blocks, rows: usize) -> Params {
    let mut out = model.params();
    for (tensor, sums) in out.tensors_mut().iter_mut().zip(sums) {
        tensor.values.iter_mut().zip(sums).for_each(|(value, sum)| *value = (sum / rows as f64) as f32);
    }
    out
}

fn add(to: &mut Params, from: &Params, weight: f32) {
    for (to, from) in to.tensors_mut().iter_mut().zip(from.tensors()) {
        to.values.iter_mut().zip(&from.values).for_each(|(to, from)| *to += weight * from);
    }
}
