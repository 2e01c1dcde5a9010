//! Holds the options of a training as one plain value.

use serde::{Deserialize, Serialize};

use super::{
    Adapt, Average, Centre, Clip, Constraints, Decay, Enhanced, Estimate, Fisher, GroupL1, Growth, Guard,
    Method, Schedule, Sparsity, Transform,
};
use crate::stats::{Phases, Stats};
use crate::{Block, Error, HiddenMeans, Params};

/// Sweeps that draw missing values: the hidden units forget their start in a few.
const COMPLETION: u32 = 10;

/// Says how long, in which batches and by which rule a model is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fit {
    /// Passes over the data; 0 leaves the model as it is.
    pub epochs: u32,
    /// Rows of an update; the last batch of an epoch may be shorter.
    pub batch: usize,
    /// η, per update of mean gradients.
    pub learning_rate: Schedule,
    /// The rule that turns gradients into steps.
    pub method: Method,
    /// Centres the gradient, if set.
    pub centre: Option<Centre>,
    /// Takes the enhanced gradient, which is centred on the means of both phases; not beside `centre`, and only with
    /// estimators that have both phases.
    pub enhanced: bool,
    /// Divides the gradient of the likelihood by the diagonal of the Fisher matrix, if set; not with centring, and only for
    /// units that are bits and estimators that have both phases.
    pub fisher: Option<Fisher>,
    /// Pulls the weights towards zero.
    pub decay: Decay,
    /// Pulls the weights of each hidden unit together, if set.
    pub group_l1: Option<GroupL1>,
    /// Pulls the hidden units towards a mean activity, if set.
    pub sparsity: Option<Sparsity>,
    /// Shortens long gradients, if set: those of the likelihood and the penalties together.
    pub clip: Option<Clip>,
    /// Adapts the learning rate, if set.
    pub adapt: Option<Adapt>,
    /// Keeps the parameters within bounds.
    pub constraints: Constraints,
    /// Adds hidden units at the beginning of epochs; masks are then numbered for the last number of them.
    pub growth: Vec<Growth>,
    /// Averages the parameters beside the training, if set.
    pub average: Option<Average>,
    /// Sweeps that draw missing values before each update, given those that are there.
    pub completion: u32,
    /// Watches for numbers that run away.
    pub guard: Guard,
}

impl Default for Fit {
    fn default() -> Self {
        Self {
            epochs: 10,
            batch: 100,
            learning_rate: Schedule::Constant(0.05),
            method: Method::default(),
            centre: None,
            enhanced: false,
            fisher: None,
            decay: Decay::default(),
            group_l1: None,
            sparsity: None,
            clip: None,
            adapt: None,
            constraints: Constraints::default(),
            growth: Vec::new(),
            average: None,
            completion: COMPLETION,
            guard: Guard::default(),
        }
    }
}

impl Fit {
    /// Refuses options out of range.
    ///
    /// # Errors
    /// Names the first option that is wrong.
    pub fn check(&self) -> Result<(), Error> {
        if self.batch == 0 {
            return Err(Error::option("batch", "1 or more", 0));
        }
        self.learning_rate.check("learning_rate", 0.0, 1e6)?;
        self.method.check()?;
        self.centre.as_ref().map_or(Ok(()), Centre::check)?;
        self.check_coordinates()?;
        self.fisher.as_ref().map_or(Ok(()), Fisher::check)?;
        self.decay.check()?;
        self.group_l1.as_ref().map_or(Ok(()), GroupL1::check)?;
        self.sparsity.as_ref().map_or(Ok(()), Sparsity::check)?;
        self.clip.as_ref().map_or(Ok(()), Clip::check)?;
        self.adapt.as_ref().map_or(Ok(()), Adapt::check)?;
        self.constraints.check()?;
        Growth::check(&self.growth)?;
        self.average.as_ref().map_or(Ok(()), Average::check)?;
        self.guard.check()
    }

    /// Refuses two ways of changing the coordinates of the gradient at once.
    fn check_coordinates(&self) -> Result<(), Error> {
        if self.enhanced && self.centre.is_some() {
            return Err(Error::option("enhanced", "no centring beside it", "both"));
        }
        if self.fisher.is_some() && (self.enhanced || self.centre.is_some()) {
            return Err(Error::option("fisher", "a gradient that is not centred", "a centred one"));
        }
        Ok(())
    }

    /// Refuses a model for whose units an option has no formula.
    pub(super) fn check_units(&self, stats: &Stats) -> Result<(), Error> {
        if self.fisher.is_some() && !stats.are_bits() {
            return Err(Error::option("fisher", "a model whose units are all bits", "spins or real values"));
        }
        Ok(())
    }

    /// Refuses options that take the statistics of the hidden units for what they are not.
    pub(super) fn check_means(&self, means: HiddenMeans) -> Result<(), Error> {
        if means == HiddenMeans::Absent {
            return self.check_layers();
        }
        let scaled = means == HiddenMeans::Scaled;
        let centred = [("centre", self.centre.is_some()), ("enhanced", self.enhanced)];
        if let Some((name, _)) = centred.iter().find(|(_, set)| mutant!("B200", scaled, false) && *set) {
            let expected = "a model whose statistics are products of two units' values";
            return Err(Error::option(name, expected, "one whose hidden units count once a token"));
        }
        if self.sparsity.is_some() && mutant!("B201", means != HiddenMeans::Probabilities, false) {
            return Err(Error::option("sparsity", "Bernoulli hidden units", "others"));
        }
        Ok(())
    }

    /// Refuses what is about two layers.
    fn check_layers(&self) -> Result<(), Error> {
        let needs = [
            ("centre", self.centre.is_some()),
            ("enhanced", self.enhanced),
            ("sparsity", self.sparsity.is_some()),
            ("group_l1", self.group_l1.is_some()),
            ("max_norm", self.constraints.max_norm.is_some()),
        ];
        match needs.into_iter().find(|(_, needs)| *needs) {
            Some((name, _)) => Err(Error::option(name, "a model of two layers", "one layer of units")),
            None => Ok(()),
        }
    }

    /// Refuses a finished gradient where an option needs the statistics of the negative phase.
    pub(super) fn check_estimate(&self, estimate: &Estimate) -> Result<(), Error> {
        let needs = [("enhanced", self.enhanced), ("fisher", self.fisher.is_some())];
        match needs.into_iter().find(|(_, needs)| *needs) {
            Some((name, _)) if mutant!("B121", matches!(estimate, Estimate::Gradient(_)), false) => {
                Err(Error::option(name, "an estimator with a negative phase", "a finished gradient"))
            }
            _ => Ok(()),
        }
    }

    /// Tells whether an update can be made in one walk over the weights.
    pub(super) fn fuses(&self) -> bool {
        let whole = self.fisher.is_some() || self.clip.is_some() || self.adapt.is_some();
        !(whole || self.group_l1.is_some() || self.sparsity.is_some()) && self.constraints.fuse()
    }

    /// Tells whether a schedule depends on the number of epochs, so that a finished training can't be prolonged.
    pub fn depends_on_length(&self) -> bool {
        let averaged = self.average.is_some_and(|average| average.start > 0.0);
        self.learning_rate.depends_on_length() || self.method.depends_on_length() || averaged
    }

    /// Changes a gradient as the options ask for, in this order: coordinates, penalties, what is held fast, length.
    pub(super) fn transform(&mut self, gradient: &mut Params, blocks: &[Block<'_>], phases: &Phases) {
        let mut apply = |transform: Option<&mut dyn Transform>| {
            transform.into_iter().for_each(|transform| transform.apply(gradient, blocks, phases));
        };
        apply(self.centre.as_mut().map(|t| t as _));
        apply(self.enhanced.then_some(&mut Enhanced));
        apply(self.fisher.as_mut().map(|t| t as _));
        apply(Some(&mut self.decay));
        apply(self.group_l1.as_mut().map(|t| t as _));
        apply(self.sparsity.as_mut().map(|t| t as _));
        self.constraints.release(gradient);
        self.clip.iter_mut().for_each(|clip| clip.apply(gradient, blocks, phases));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::{Mask, Sign};

    /// The comparison of both forms of an update means nothing for options that have only one.
    #[test]
    fn what_can_be_done_weight_by_weight_is_fused() {
        let bounds = |constraints| Fit { constraints, ..Fit::default() };
        let none = Constraints::default;
        let fused = [
            Fit::default(),
            Fit { enhanced: true, average: Some(Average::default()), ..Fit::default() },
            Fit { centre: Some(Centre::default()), method: Method::adamw(0.1), ..Fit::default() },
            bounds(Constraints { proximal: 0.1, sign: Some(Sign::Positive), ..none() }),
        ];
        let plain = [
            Fit { fisher: Some(Fisher::default()), ..Fit::default() },
            Fit { group_l1: Some(GroupL1::default()), ..Fit::default() },
            Fit { sparsity: Some(Sparsity::default()), ..Fit::default() },
            Fit { clip: Some(Clip { norm: 1.0 }), ..Fit::default() },
            Fit { adapt: Some(Adapt::default()), ..Fit::default() },
            bounds(Constraints { max_norm: Some(1.0), ..none() }),
            bounds(Constraints { masks: vec![Mask::default()], ..none() }),
            bounds(Constraints { frozen: vec!["weights".into()], ..none() }),
        ];
        assert!(fused.iter().all(Fit::fuses) && !plain.iter().any(Fit::fuses));
    }
}
