//! Runs the phases of a stack's training: core's `fit` for each machine, and up-down for all.

use harmonium_core::train::{Snapshot, Step, Training};
use harmonium_core::{Error, Key, Rows};
use harmonium_rbm::{Classifier, Rbm};

use super::stacking::{Stacking, Watch};
use super::top::Crown;
use super::tuning::{self, Standing};
use super::{Inferred, Progress, keys, start};

/// Holds what a run of core's `fit` left.
struct Run {
    machine: Rbm,
    snapshot: Snapshot,
    /// Whether its last epoch is done.
    over: bool,
    /// Whether the observer ended it.
    stopped: bool,
}

impl Stacking {
    /// Trains one machine, from 0 on; tells whether the observer stopped it.
    pub(super) fn layer(
        &mut self,
        layer: usize,
        (data, labels): (&dyn Rows, &[Option<usize>]),
        seed: Key,
        observer: &mut Watch<'_>,
        notices: &mut Vec<String>,
    ) -> Result<bool, Error> {
        let (this, key) = (self.clone(), keys::layer(seed, layer));
        let rows = Inferred::new(data, this.finished.iter().collect(), key);
        let Run { machine, snapshot, over, stopped } = if let Some(classes) = this.plan.label_of(layer) {
            let rows = rows.with_labels(labels, classes)?;
            this.fit(this.classifier(classes, &rows, key)?, &rows, key, observer, notices)?
        } else {
            this.fit(this.machine(&rows, key)?, &rows, key, observer, notices)?
        };
        if over {
            self.finished.push(start::settle(machine)?);
            self.current = None;
        } else {
            self.current = Some((machine, snapshot));
        }
        Ok(stopped)
    }

    /// Gives the machine in training, or one that begins.
    fn machine(&self, rows: &dyn Rows, key: Key) -> Result<Rbm, Error> {
        if let Some((rbm, _)) = &self.current {
            return Ok(rbm.clone());
        }
        let layer = self.finished.len();
        let (recipe, visible) = (&self.plan.layers[layer], self.plan.visible.as_ref());
        start::machine((layer, recipe), visible, self.finished.last(), rows, key)
    }

    /// Gives the classifier in training, or one that begins.
    fn classifier(&self, classes: usize, rows: &dyn Rows, key: Key) -> Result<Classifier, Error> {
        if let Some((rbm, _)) = &self.current {
            return Classifier::of(rbm.clone(), classes);
        }
        let layer = self.finished.len();
        start::classifier((layer, &self.plan.layers[layer]), classes, self.finished.last(), rows, key)
    }

    /// Trains a machine by core's `fit`, from where the present phase stands. A training that is over gives the average, if one
    /// was asked for.
    fn fit<M: Crown>(
        &self,
        mut model: M,
        rows: &Inferred<'_>,
        key: Key,
        observer: &mut Watch<'_>,
        notices: &mut Vec<String>,
    ) -> Result<Run, Error> {
        let (phase, recipe) = (self.phase(), &self.plan.layers[self.finished.len()]);
        let mut learner = recipe.learner.clone();
        let mut training = Training::new(&model, rows, &recipe.fit)?;
        if let Some((_, snapshot)) = &self.current {
            training.restore(&mut model, &mut learner, snapshot)?;
        }
        let mut watch = |step: &Step<'_, M>| {
            observer(&Progress {
                phase,
                step: step.training.step(),
                total: step.training.total(),
                epoch: step.training.epoch(),
                ends_epoch: step.ends_epoch,
                rows: step.rows,
                rate: step.training.rate(),
                notice: step.notice,
                machine: step.model.rbm(),
                state: &|| Self {
                    current: Some((step.model.rbm().clone(), step.good.clone())),
                    ..self.clone()
                },
            })
        };
        let summary = training.run(&mut model, rows, &mut learner, key, &mut watch)?;
        notices.extend(summary.notices.iter().map(|notice| format!("{phase}: {notice}")));
        let snapshot = training.snapshot(&model, &learner);
        let over = training.step() == training.total();
        if over {
            model = mutant!("B241", training.averaged(&model), None).unwrap_or(model);
        }
        Ok(Run { machine: model.rbm().clone(), snapshot, over, stopped: summary.stopped })
    }

    /// Fine-tunes all machines; tells whether the observer stopped it.
    pub(super) fn tune(
        &mut self,
        data: (&dyn Rows, &[Option<usize>]),
        seed: Key,
        observer: &mut Watch<'_>,
        notices: &mut Vec<String>,
    ) -> Result<bool, Error> {
        let Some(options) = &self.plan.tuning else { return Ok(false) };
        let state = |standing: Standing| Self { tuned: Some(standing), ..self.clone() };
        let start = self.tuned.as_ref();
        let job = tuning::Job {
            options,
            data,
            key: keys::tuning(seed),
            start,
            stack: &self.stack()?,
            state: &state,
        };
        let (standing, stopped) = match self.plan.classes {
            Some(_) => job.run::<Classifier>(observer, notices)?,
            None => job.run::<Rbm>(observer, notices)?,
        };
        self.tuned = Some(standing);
        Ok(stopped)
    }
}
