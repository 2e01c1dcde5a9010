//! Trains a stack phase by phase, and goes on in any of them bit for bit.

use std::ops::ControlFlow;

use harmonium_core::train::Snapshot;
use harmonium_core::units::Units;
use harmonium_core::{EnergyModel, Error, Key, Rows, rows};
use harmonium_rbm::{Classifier, Rbm};

use super::directed::Directed;
use super::inferred::check_labels;
use super::top::{Crown, Top};
use super::tuning::{self, Standing};
use super::{Dbn, Greedy, Phase, Progress, Recipe, UpDown};

/// Says how a run of a stack's training ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Ended {
    /// What comes next; [`Phase::Done`] unless the observer ended it before.
    pub phase: Phase,
    /// What the guards did and what else a user should know, each behind its phase.
    pub notices: Vec<String>,
}

/// Is the training of a stack as it stands between two updates: finished machines, and where the present phase is.
#[derive(Clone, Debug, PartialEq)]
pub struct Stacking {
    pub(super) plan: Greedy,
    /// The machines whose greedy training is over, on their grids.
    pub(super) finished: Vec<Rbm>,
    /// The machine in training.
    pub(super) current: Option<(Rbm, Snapshot)>,
    /// The halves of all machines in up-down.
    pub(super) tuned: Option<Standing>,
}

/// Watches the training of a stack; `Break` ends it after the update.
pub(super) type Watch<'a> = dyn FnMut(&Progress<'_>) -> ControlFlow<()> + 'a;

/// Trains a stack from the first update to the last; `labels`, one a row, go with a plan of so many classes.
///
/// # Errors
/// As [`Stacking::run`]; refuses to give a stack whose training the observer ended.
pub fn train(
    plan: Greedy,
    data: &dyn Rows,
    labels: Option<&[Option<usize>]>,
    key: Key,
    observer: &mut dyn FnMut(&Progress<'_>) -> ControlFlow<()>,
) -> Result<Dbn, Error> {
    let mut stacking = Stacking::new(plan)?;
    stacking.run(data, labels, key, observer)?;
    stacking.finish()
}

impl Stacking {
    /// Prepares a training.
    ///
    /// # Errors
    /// As [`Greedy::check`].
    pub fn new(plan: Greedy) -> Result<Self, Error> {
        plan.check()?;
        Ok(Self { plan, finished: Vec::new(), current: None, tuned: None })
    }

    /// Prepares the up-down of a stack that is there: nothing else is trained.
    ///
    /// # Errors
    /// As [`UpDown::check`].
    pub fn tuning(dbn: &Dbn, options: UpDown) -> Result<Self, Error> {
        let hidden = (1..=dbn.depth()).map(|layer| dbn.units(layer));
        let layers = hidden.map(|hidden| Ok(Recipe { hidden: hidden?, ..Recipe::default() }));
        let (layers, visible) = (layers.collect::<Result<_, Error>>()?, Some(dbn.units(0)?));
        let mut out = Self::new(Greedy { visible, layers, classes: dbn.classes(), tuning: Some(options) })?;
        out.finished = dbn.rbms().into_iter().cloned().collect();
        if let Some(options) =
            out.plan.tuning.as_ref().filter(|options| options.epochs > 0 || dbn.is_untied())
        {
            out.tuned = Some(tuning::begin(dbn, options)?);
        }
        Ok(out)
    }

    /// Says what comes next.
    pub fn phase(&self) -> Phase {
        if self.finished.len() < self.plan.layers.len() {
            return Phase::Layer(self.finished.len() + 1);
        }
        match (&self.plan.tuning, &self.tuned) {
            (None, _) => Phase::Done,
            (Some(options), _) if options.epochs == 0 => Phase::Done,
            (Some(_), Some(standing)) if standing.is_done() => Phase::Done,
            _ => Phase::UpDown,
        }
    }

    /// Gives the plan.
    pub fn plan(&self) -> &Greedy {
        &self.plan
    }

    /// Gives the machines whose greedy training is over.
    pub fn finished(&self) -> &[Rbm] {
        &self.finished
    }

    /// Goes on until the last phase is done or the observer stops it.
    ///
    /// # Errors
    /// Refuses data and labels that do not fit the plan or each other. Says what ran away and which rows could not be read; the
    /// training then stands where it stood when it was called, later machines that are finished aside.
    pub fn run(
        &mut self,
        data: &dyn Rows,
        labels: Option<&[Option<usize>]>,
        key: Key,
        observer: &mut dyn FnMut(&Progress<'_>) -> ControlFlow<()>,
    ) -> Result<Ended, Error> {
        self.check_data(data, labels)?;
        let labels = labels.unwrap_or(&[]);
        let mut notices = Vec::new();
        loop {
            let phase = self.phase();
            let stopped = match phase {
                Phase::Layer(layer) => self.layer(layer - 1, (data, labels), key, observer, &mut notices)?,
                Phase::UpDown => self.tune((data, labels), key, observer, &mut notices)?,
                Phase::Done => true,
            };
            if stopped {
                return Ok(Ended { phase: self.phase(), notices });
            }
        }
    }

    /// Gives the stack.
    ///
    /// # Errors
    /// Refuses if the training is not over.
    pub fn finish(self) -> Result<Dbn, Error> {
        if self.phase() != Phase::Done {
            return Err(Error::option("training", "one that is over", format!("one at {}", self.phase())));
        }
        self.stack()
    }

    /// Gives the stack as it stands: the machines that are finished, and those of up-down.
    ///
    /// # Errors
    /// Refuses if no machine is finished yet.
    pub fn stack(&self) -> Result<Dbn, Error> {
        if let Some(standing) = &self.tuned {
            return standing.stack(self.plan.classes);
        }
        let Some((last, lower)) = self.finished.split_last() else {
            return Err(Error::option("machines", "one finished at least", 0));
        };
        let top = match self.plan.label_of(lower.len()) {
            Some(classes) => Classifier::of(last.clone(), classes)?.top(),
            None => Top::Plain(last.clone()),
        };
        Dbn::new(lower.iter().cloned().map(Directed::tied).collect(), top)
    }

    /// Refuses what no phase could take, before anything is changed.
    fn check_data(&self, data: &dyn Rows, labels: Option<&[Option<usize>]>) -> Result<(), Error> {
        rows::check_count("data", data.rows())?;
        let first = rows::first(data)?;
        data.whole().unwrap_or(&first).check_complete("data")?;
        if let Some(machine) = self.finished.first() {
            machine.check_data(&first)?;
        }
        let visible = self.plan.visible.clone().unwrap_or_else(|| first.natural_units());
        first.check_kind("data", &visible)?;
        if let Some(recipe) = self.plan.layers.get(1).filter(|recipe| recipe.transposed) {
            super::greedy::check_turned(1, &visible, &recipe.hidden)?;
        }
        match (self.plan.classes, labels) {
            (None, None) => Ok(()),
            (Some(classes), Some(labels)) => {
                if self.plan.layers.len() == 1 && !matches!(visible, Units::Bernoulli(_)) {
                    return Err(Error::shape("data beside the label", "bits", visible));
                }
                check_labels(labels, classes, data.rows())
            }
            (None, Some(_)) => Err(Error::option("labels", "none, as the plan has no classes", "some")),
            (Some(classes), None) => {
                Err(Error::option("labels", format!("those of {classes} classes"), "none"))
            }
        }
    }
}
