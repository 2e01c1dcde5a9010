//! Judges a tuning by rows it does not see, keeps the best epoch, and says when it is enough.

use harmonium_core::{Error, HasParams, Rows};
use ndarray::Array2;

use super::predict::likeliest;
use super::{Goal, Network, Score, Targets, Tuner};

/// Rows that are judged at a time.
const BLOCK: usize = 1000;

impl Tuner {
    /// Scores an epoch by the validation rows, if there are any, and keeps the best.
    pub(super) fn judge(
        &mut self,
        network: &Network,
        inputs: &dyn Rows,
        targets: &Targets<'_>,
    ) -> Result<Option<f64>, Error> {
        if self.rows[1].is_empty() {
            return Ok(None);
        }
        let judged = self.averaged(network).unwrap_or_else(|| network.clone());
        let score = -self.penalty(&judged, inputs, targets)?;
        // The rule that stops: a score that is no number is never better, and equal ones are.
        let better = self.best.as_ref().is_none_or(|(_, best, _)| score >= *best) && !score.is_nan();
        if better {
            self.best = Some((self.epoch(), score, judged.params()));
        }
        Ok(Some(score))
    }

    /// Computes the mean loss of the validation rows, or their share of errors.
    fn penalty(&self, network: &Network, inputs: &dyn Rows, targets: &Targets<'_>) -> Result<f64, Error> {
        let mut sum = 0.0;
        for named in self.rows[1].chunks(BLOCK) {
            let x = inputs.read(named)?;
            let goal = targets.goal(named, &x)?;
            sum += match (self.options.score, &goal) {
                (Score::Errors, Goal::Classes(labels)) => wrong(&network.transform(&x)?, labels) as f64,
                _ => network.loss(x.to_array(), &goal, self.options.loss) * named.len() as f64,
            };
        }
        Ok(sum / self.rows[1].len() as f64)
    }

    /// Tells whether the stopping rule has had enough after the present epoch.
    pub(super) fn is_over(&self) -> bool {
        let Some(stopping) = self.options.stopping else { return false };
        let last = self.best.as_ref().map_or(0, |(epoch, ..)| *epoch);
        self.step.is_multiple_of(self.batches()) && self.epoch().saturating_sub(last) >= stopping.patience
    }
}

fn wrong(outputs: &Array2<f32>, labels: &[usize]) -> usize {
    outputs.rows().into_iter().zip(labels).filter(|(row, label)| likeliest(*row) != **label).count()
}
