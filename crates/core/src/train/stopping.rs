//! Stops a training that no longer gets better on rows it does not see, and keeps its best state.
//!
//! [`Patience`] is the rule: scores in, verdicts out; its state is the scores it was given, so whoever wrote them down can
//! resume it. [`EarlyStopping`] is an observer around another one that judges each epoch and keeps the best snapshot.

use std::ops::ControlFlow;

use harmonium_kernels::Key;
use serde::{Deserialize, Serialize};

use super::{Estimator, Observer, Snapshot, Step, Training};
use crate::doctor::{Doctor, Gap};
use crate::stats::Phases;
use crate::{Batch, EnergyModel, Error};

/// Says how long a training goes on without getting better.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Stopping {
    /// Epochs in a row that may be no better than the best before the training ends (Prechelt 1998, UP_s with s = patience).
    pub patience: u32,
}

impl Default for Stopping {
    fn default() -> Self {
        Self { patience: 5 }
    }
}

impl Stopping {
    /// Refuses options out of range.
    ///
    /// # Errors
    /// Names the option.
    pub fn check(&self) -> Result<(), Error> {
        if self.patience == 0 {
            return Err(Error::option("patience", "1 or more", 0));
        }
        Ok(())
    }
}

/// Says what an epoch's score means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// None was better: the state is worth keeping.
    Best,
    /// Another epoch was better, this many epochs ago.
    Worse(u32),
    /// No epoch was better for as long as the options allow.
    Over,
}

/// Judges scores, one an epoch, greater being better.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Patience {
    options: Stopping,
    best: Option<(u32, f64)>,
}

impl Patience {
    /// Starts without scores.
    pub fn new(options: Stopping) -> Self {
        Self { options, best: None }
    }

    /// Judges the score of an epoch. An equal score is better, as it comes from a longer training; one that is not a number
    /// is never better.
    pub fn judge(&mut self, epoch: u32, score: f64) -> Verdict {
        let better = self.best.is_none_or(|(_, best)| score >= best) && !score.is_nan();
        if better {
            self.best = Some((epoch, score));
            return Verdict::Best;
        }
        let waited = epoch.saturating_sub(self.best.map_or(0, |(epoch, _)| epoch));
        if waited >= mutant!("B83", self.options.patience, u32::MAX) {
            Verdict::Over
        } else {
            Verdict::Worse(waited)
        }
    }

    /// Gives the best epoch and its score.
    pub fn best(&self) -> Option<(u32, f64)> {
        self.best
    }
}

/// Scores a free-energy gap: 0 as long as validation rows look like training rows, else how far they are apart, in nats
/// and negative. A gap is no likelihood; it tells when a model overfits, not how good it is, so every epoch before that
/// counts as better than the ones before it.
pub fn gap_score(gap: &Gap, options: &Doctor) -> f64 {
    (gap.limit(options) - gap.mean).min(0.0)
}

/// Computes the root mean square over all parameters of ⟨−∂E/∂θ⟩ on rows minus that after `sweeps` from these rows: 0
/// where the model has the moments of the rows. Chains draw from `key`.
///
/// # Errors
/// Refuses rows of another width.
pub fn moment_mismatch<M: EnergyModel>(model: &M, rows: &Batch, sweeps: u32, key: Key) -> Result<f64, Error> {
    model.check_data(rows)?;
    let mut state = model.clamp(rows);
    let (mut phases, mut gradient) = (Phases::new(model.stats()), model.params());
    model.accumulate(&state, &mut phases.positive);
    model.run(&mut state, 0..u64::from(sweeps), key);
    model.accumulate(&state, &mut phases.negative);
    phases.contrast(&mut gradient);
    let values = || gradient.tensors().iter().flat_map(|tensor| &tensor.values);
    let square: f64 = values().map(|&x| f64::from(x) * f64::from(x)).sum();
    Ok((square / values().count().max(1) as f64).sqrt())
}

/// Is an observer around another that ends the training when its epochs stop getting better.
pub struct EarlyStopping<O, J> {
    /// The observer that sees every update first, and may stop the training by itself.
    pub inner: O,
    judge: J,
    patience: Patience,
    best: Option<Snapshot>,
    over: bool,
    failure: Option<Error>,
}

impl<O, J> EarlyStopping<O, J> {
    /// Watches a training with `judge`, which scores the model at the end of each epoch, greater being better.
    ///
    /// # Errors
    /// Refuses options out of range.
    pub fn new(inner: O, options: Stopping, judge: J) -> Result<Self, Error> {
        options.check()?;
        Ok(Self { inner, judge, patience: Patience::new(options), best: None, over: false, failure: None })
    }

    /// Goes on from where another watch of the same training stood: its rule and its best state.
    pub fn resume(&mut self, patience: Patience, best: Option<Snapshot>) {
        (self.patience, self.best) = (patience, best);
    }

    /// Gives the rule with what it knows.
    pub fn patience(&self) -> &Patience {
        &self.patience
    }

    /// Gives the best state so far.
    pub fn best(&self) -> Option<&Snapshot> {
        self.best.as_ref()
    }

    /// Tells whether patience ran out.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// Puts the best state back into model, estimator and training, and gives its epoch and score, if any epoch was judged.
    ///
    /// # Errors
    /// Gives the judge's first error; refuses another training's parts, as [`Training::restore`] does.
    pub fn put_back<M: EnergyModel, E: Estimator<M> + ?Sized>(
        &mut self,
        training: &mut Training,
        model: &mut M,
        estimator: &mut E,
    ) -> Result<Option<(u32, f64)>, Error> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        if let Some(best) = &self.best {
            training.restore(model, estimator, best)?;
        }
        Ok(self.patience.best())
    }

    fn look<M>(&mut self, step: &Step<'_, M>) -> Result<ControlFlow<()>, Error>
    where
        J: FnMut(&M) -> Result<f64, Error>,
    {
        let score = (self.judge)(step.model)?;
        match self.patience.judge(step.training.epoch(), score) {
            Verdict::Best => self.best = Some(step.good.clone()),
            Verdict::Worse(_) => {}
            Verdict::Over => self.over = true,
        }
        Ok(if self.over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }
}

impl<M, O: Observer<M>, J: FnMut(&M) -> Result<f64, Error>> Observer<M> for EarlyStopping<O, J> {
    fn observe(&mut self, step: &Step<'_, M>) -> ControlFlow<()> {
        let flow = self.inner.observe(step);
        if !step.ends_epoch {
            return flow;
        }
        let judged = self.look(step).unwrap_or_else(|error| {
            self.failure = Some(error);
            ControlFlow::Break(())
        });
        if judged.is_break() { judged } else { flow }
    }

    fn wants_gradient(&self) -> bool {
        self.inner.wants_gradient()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdicts(patience: u32, scores: &[f64]) -> Vec<Verdict> {
        let mut rule = Patience::new(Stopping { patience });
        scores.iter().enumerate().map(|(epoch, &score)| rule.judge(epoch as u32 + 1, score)).collect()
    }

    #[test]
    fn patience_counts_epochs_since_the_best() {
        use Verdict::{Best, Over, Worse};
        assert_eq!(
            verdicts(2, &[1.0, 2.0, 1.5, 2.0, 1.0, 1.9]),
            [Best, Best, Worse(1), Best, Worse(1), Over]
        );
        assert_eq!(verdicts(1, &[3.0, 2.0]), [Best, Over]);
        assert_eq!(verdicts(2, &[f64::NAN, f64::NAN]), [Worse(1), Over]);
        assert_eq!(verdicts(2, &[f64::NAN, 1.0, f64::NAN]), [Worse(1), Best, Worse(1)]);
    }

    /// Whoever replays the scores has the rule as it stood.
    #[test]
    fn a_rule_is_its_scores() {
        let scores = [1.0, 4.0, 3.0, 2.0];
        let mut rule = Patience::new(Stopping { patience: 3 });
        let seen = scores.iter().zip(1..).map(|(&score, epoch)| rule.judge(epoch, score));
        assert_eq!(seen.last(), Some(Verdict::Worse(2)));
        assert_eq!(rule.best(), Some((2, 4.0)));
        assert_eq!(rule.judge(5, 3.9), Verdict::Over);
    }

    #[test]
    fn a_gap_within_its_limit_scores_nothing() {
        let options = Doctor::default();
        let gap = |mean| Gap { mean, spread: 10.0, error: 0.1 };
        assert_eq!([gap(-3.0), gap(5.0), gap(5.5)].map(|g| gap_score(&g, &options)), [0.0, 0.0, -0.5]);
    }
}
