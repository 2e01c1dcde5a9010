//! Runs a training: batch by batch, from any step on.

use harmonium_kernels::{Key, parallel, profile, purpose};

use super::growth::widen;
use super::{
    Action, Adapted, Estimate, Estimator, Fit, Growth, Kept, Mask, Observer, Optimizer, Step, adapt, average,
    fused,
};
use crate::address::Address;
use crate::data::order;
use crate::params::largest;
use crate::stats::Phases;
use crate::{Batch, EnergyModel, Error, HasParams, Params, Rows, rows};

/// Trains a model on the rows of `data`.
///
/// # Errors
/// Refuses options out of range and data of another width before it changes anything. When numbers run away it puts
/// the last good state back and says what did. When rows can't be read, the model stands as the last update left it.
pub fn fit<M: EnergyModel, E: Estimator<M> + ?Sized>(
    model: &mut M,
    data: &dyn Rows,
    estimator: &mut E,
    options: &Fit,
    key: Key,
    observer: &mut impl Observer<M>,
) -> Result<Summary, Error> {
    Training::new(model, data, options)?.run(model, data, estimator, key, observer)
}

/// Says how a training ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Updates done in all.
    pub steps: u64,
    /// Whether the observer ended it before its last epoch.
    pub stopped: bool,
    /// What the guard did and what else a user should know.
    pub notices: Vec<String>,
    /// How often the guard put the last good state back, also before an interruption.
    pub rollbacks: u32,
    /// The lowest share of its rate that the guard made the training go on with; 1 where it did nothing.
    pub lowest_rate: f32,
}

/// Is a training as it stands between two updates.
#[derive(Clone, Debug)]
pub struct Training {
    options: Fit,
    optimizer: Optimizer,
    rows: usize,
    step: u64,
    rate_factor: f32,
    retries: u32,
    notices: Vec<String>,
    order: (u32, Vec<u32>),
    average: Option<Params>,
    adapted: Option<Adapted>,
    /// The masks as the options have them, numbered for the last width.
    masks: Vec<Mask>,
}

/// Holds all that a training needs to go on bit for bit, besides its options, data and seed.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// Updates done.
    pub step: u64,
    /// What the guard multiplied the learning rate with, and how often.
    pub rate: (f32, u32),
    /// The master parameters.
    pub params: Params,
    /// The grid's shift.
    pub shift: i32,
    /// The moments of the optimiser with its running products.
    pub moments: (Params, Params, [f32; 2]),
    /// The offsets of centring.
    pub offsets: Option<[Vec<f32>; 2]>,
    /// What lives on in the estimator: chains and more.
    pub kept: Kept,
    /// The average of the parameters, once it has begun.
    pub average: Option<Params>,
    /// What the adaptation of the rate goes on from.
    pub adapted: Option<Adapted>,
}

impl Training {
    /// Prepares a training from its first step on.
    ///
    /// # Errors
    /// Refuses options out of range, data of another width than the model's, and data that can't be read.
    pub fn new<M: EnergyModel>(model: &M, data: &dyn Rows, options: &Fit) -> Result<Self, Error> {
        options.check()?;
        options.check_units(&model.stats())?;
        options.check_means(model.hidden_means())?;
        rows::check_count("data", data.rows())?;
        match data.whole() {
            Some(all) => model.check_data(all)?,
            // One row has the width of all; values are looked at batch by batch.
            None => model.check_data(&rows::first(data)?)?,
        }
        let (params, mut own) = (model.params(), options.clone());
        if let Some(last) = options.growth.last() {
            let sizes = (model.growable(last.hidden)?, features(&params));
            own.constraints.masks = Growth::masks(&options.growth, &options.constraints.masks, sizes);
        }
        own.constraints.check_model(&params)?;
        let mut notices = Vec::new();
        let rows = rows::per_epoch(data);
        if options.batch > rows {
            let (batch, so) = (options.batch, "is larger than the data: one batch of");
            notices.push(format!("batch {batch} {so} {rows} rows"));
        }
        Ok(Self {
            optimizer: Optimizer::new(options.method.clone(), &params),
            options: own,
            masks: options.constraints.masks.clone(),
            rows,
            step: 0,
            rate_factor: 1.0,
            retries: 0,
            notices,
            order: (u32::MAX, Vec::new()),
            average: None,
            adapted: None,
        })
    }

    /// Gives the number of updates done.
    pub fn step(&self) -> u64 {
        self.step
    }

    /// Gives the number of finished epochs.
    pub fn epoch(&self) -> u32 {
        (self.step / self.batches()) as u32
    }

    /// Gives the number of updates of an epoch.
    pub fn batches(&self) -> u64 {
        self.rows.div_ceil(self.options.batch) as u64
    }

    /// Gives the number of updates of the whole training.
    pub fn total(&self) -> u64 {
        self.batches() * u64::from(self.options.epochs)
    }

    /// Gives the learning rate of the next update, before what its own gradient adapts.
    pub fn rate(&self) -> f32 {
        self.scheduled() * self.adapted.as_ref().map_or(1.0, |adapted| adapted.factor)
    }

    /// Gives the learning rate that schedule and guard have come to.
    fn scheduled(&self) -> f32 {
        self.options.learning_rate.at(self.step, self.total(), self.epoch()) as f32 * self.rate_factor
    }

    /// Gives a copy of the model with the average of its parameters, once that has begun.
    pub fn averaged<M: HasParams + Clone>(&self, model: &M) -> Option<M> {
        let mut out = model.clone();
        self.average.as_ref()?.store(&mut out);
        Some(out)
    }

    /// Goes on until the last epoch is done or the observer stops it.
    ///
    /// # Errors
    /// Says what ran away, with the last good state put back, or which rows could not be read.
    pub fn run<M: EnergyModel, E: Estimator<M> + ?Sized>(
        &mut self,
        model: &mut M,
        data: &dyn Rows,
        estimator: &mut E,
        key: Key,
        observer: &mut impl Observer<M>,
    ) -> Result<Summary, Error> {
        estimator.check()?;
        estimator.check_model(model)?;
        parallel::team(|| self.run_to_the_end(model, data, estimator, key, observer))
    }

    fn run_to_the_end<M: EnergyModel, E: Estimator<M> + ?Sized>(
        &mut self,
        model: &mut M,
        data: &dyn Rows,
        estimator: &mut E,
        key: Key,
        observer: &mut impl Observer<M>,
    ) -> Result<Summary, Error> {
        let mut phases = Phases::new(model.stats());
        let mut gradient = observer.wants_gradient().then(|| model.params());
        if self.step == 0 && self.total() > 0 {
            self.options.constraints.begin(model);
        }
        let mut good = self.snapshot(model, estimator);
        while self.step < self.total() {
            if let Some(growth) = self.due(model)? {
                self.grow(model, estimator, growth, key)?;
                phases = Phases::new(model.stats());
                gradient = gradient.is_some().then(|| model.params());
                good = self.snapshot(model, estimator);
            }
            let batch = profile::stage("rows of the batch", 0, || self.batch(data, key))?;
            if mutant!("B389", data.whole().is_none(), false) {
                model.check_data(&batch)?;
            }
            let largest = self.update(model, &batch, estimator, key, (&mut phases, gradient.as_mut()))?;
            let judged = || estimator.judge(model, Address::new(key, self.step)).err();
            let notice = match self.options.guard.fault(largest, self.step).or_else(judged) {
                Some(fault) => Some(self.roll_back(model, estimator, &good, fault)?),
                None => None,
            };
            let ends_epoch = notice.is_none() && self.step.is_multiple_of(self.batches());
            if ends_epoch || notice.is_none() && self.step.is_multiple_of(self.options.guard.every) {
                good = profile::stage("copy for the guard", 0, || self.snapshot(model, estimator));
            }
            let step = Step {
                model: &*model,
                gradient: gradient.as_ref(),
                training: self,
                rows: batch.rows(),
                ends_epoch,
                notice: notice.as_deref(),
                good: &good,
                snapshot: &|| self.snapshot(model, estimator),
            };
            if profile::stage("observer", 0, || observer.observe(&step)).is_break() {
                return Ok(self.summary(true));
            }
        }
        Ok(self.summary(false))
    }

    /// Gives the growth that is due, if one is.
    fn due(&self, model: &impl EnergyModel) -> Result<Option<Growth>, Error> {
        let Some(last) = self.options.growth.last() else { return Ok(None) };
        let hidden = model.growable(last.hidden)?;
        Ok(Growth::due(&self.options.growth, self.epoch(), || hidden))
    }

    /// Adds hidden units to the model, and what belongs to them to all that is of its shape.
    fn grow<M: EnergyModel, E: Estimator<M> + ?Sized>(
        &mut self,
        model: &mut M,
        estimator: &mut E,
        growth: Growth,
        key: Key,
    ) -> Result<(), Error> {
        let key = Address::new(key, self.step).key(purpose::INIT);
        let means = model.grow(growth.hidden, growth.spread, key)?;
        let sizes = (growth.hidden, features(&model.params()));
        self.options.constraints.masks = Growth::masks(&self.options.growth, &self.masks, sizes);
        self.options.constraints.begin(model);
        let params = model.params();
        let (first, second, _) = self.optimizer.state_mut();
        [first, second].into_iter().for_each(|moments| widen(moments, params.zeros_like()));
        if let Some(average) = &mut self.average {
            widen(average, mutant!("B109", params.clone(), params.zeros_like()));
        }
        if let Some(adapted) = &mut self.adapted {
            widen(&mut adapted.gradient, params.zeros_like());
        }
        if let Some([_, hidden]) = self.options.centre.as_mut().and_then(|centre| centre.offsets.as_mut()) {
            hidden.extend(means);
        }
        estimator.grow(model)
    }

    /// Does one update: estimate, contrast, transform, move; gives the largest |parameter| after it.
    fn update<M: EnergyModel, E: Estimator<M> + ?Sized>(
        &mut self,
        model: &mut M,
        batch: &Batch,
        estimator: &mut E,
        key: Key,
        (phases, gradient): (&mut Phases, Option<&mut Params>),
    ) -> Result<f32, Error> {
        let at = (self.step, self.total(), self.epoch());
        let sweeps = estimator.sweeps().at(at.0, at.1, at.2).round() as u32;
        phases.clear();
        let address = Address::new(key, self.step);
        let batch = estimator.complete(model, batch, self.options.completion, address);
        let estimate = estimator.estimate(model, &batch, sweeps, address, phases)?;
        self.options.check_estimate(&estimate)?;
        let rate = self.scheduled();
        self.step += 1;
        if gradient.is_none() && matches!(estimate, Estimate::Phases) && self.options.fuses() {
            let share = average::share(&mut self.average, &self.options, (self.step, at.1), model);
            let (options, optimizer) = (&mut self.options, &mut self.optimizer);
            if let Some(each) = fused::update(model, phases, options, optimizer, share, (rate, at)) {
                model.follow(&each);
                return Ok(largest(&each));
            }
        }
        match (gradient, estimate) {
            (Some(gradient), Estimate::Phases) => {
                phases.contrast(gradient);
                self.plain(model, phases, gradient, (rate, at));
            }
            (seen, estimate) => {
                let mut finished = estimate.gradient(model, phases);
                self.plain(model, phases, &mut finished, (rate, at));
                seen.into_iter().for_each(|seen| seen.clone_from(&finished));
            }
        }
        Ok(model.refresh())
    }

    /// Does the same as the fused form, from a gradient that is there and can be looked at, and what takes a whole gradient.
    fn plain(
        &mut self,
        model: &mut impl HasParams,
        phases: &Phases,
        gradient: &mut Params,
        (rate, at): (f32, (u64, u64, u32)),
    ) {
        self.options.transform(gradient, &model.blocks(), phases);
        let adapt = self.options.adapt;
        let rate = rate * adapt.map_or(1.0, |adapt| adapt.follow(&mut self.adapted, gradient));
        let (step, constraints) = (self.optimizer.begin(rate, at), &self.options.constraints);
        self.optimizer.apply(model, gradient, step, &|name| constraints.freezes(name));
        constraints.apply(model, gradient, rate);
        if let Some((average, weight)) =
            average::share(&mut self.average, &self.options, (self.step, at.1), model)
        {
            for (average, block) in average.tensors_mut().iter_mut().zip(model.blocks()) {
                average::follow(&mut average.values, block.values, weight);
            }
        }
    }

    /// Takes the rows of the next batch in the order of its epoch.
    fn batch(&mut self, data: &dyn Rows, key: Key) -> Result<Batch, Error> {
        let epoch = self.epoch();
        if self.order.0 != epoch {
            self.order = (epoch, order(data, key, u64::from(mutant!("B31", epoch, 0))));
        }
        let start = (self.step % self.batches()) as usize * self.options.batch;
        let end = self.rows.min(start + self.options.batch);
        data.read(&self.order.1[start..end])
    }

    fn roll_back<M: EnergyModel, E: Estimator<M> + ?Sized>(
        &mut self,
        model: &mut M,
        estimator: &mut E,
        good: &Snapshot,
        fault: Error,
    ) -> Result<String, Error> {
        let (factor, retries) = (self.rate_factor, self.retries);
        self.restore(model, estimator, good)?;
        let Action::Retry { factor: lower, max } = self.options.guard.action else { return Err(fault) };
        if retries >= max {
            return Err(fault);
        }
        estimator.rolled_back(model)?;
        (self.rate_factor, self.retries) = (factor * lower, retries + 1);
        let notice = format!("{fault}; back at step {} with {} of the rate", self.step, self.rate_factor);
        self.notices.push(notice.clone());
        Ok(notice)
    }

    fn summary(&self, stopped: bool) -> Summary {
        Summary {
            steps: self.step,
            stopped,
            notices: self.notices.clone(),
            rollbacks: mutant!("B84", self.retries, 0),
            // The guard lowers rates and never raises them.
            lowest_rate: self.rate_factor,
        }
    }

    /// Copies all that is needed to go on from here.
    pub fn snapshot<M: EnergyModel, E: Estimator<M> + ?Sized>(&self, model: &M, estimator: &E) -> Snapshot {
        let (first, second, powers) = self.optimizer.state();
        Snapshot {
            step: mutant!("B30", self.step, 0),
            rate: (self.rate_factor, self.retries),
            params: model.params(),
            shift: model.shift(),
            moments: (mutant!("B32", first.clone(), first.zeros_like()), second.clone(), powers),
            offsets: self.options.centre.as_ref().and_then(|centre| centre.offsets.clone()),
            kept: estimator.kept(),
            average: mutant!("B68", self.average.clone(), self.average.as_ref().map(Params::zeros_like)),
            adapted: self.adapted.clone(),
        }
    }

    /// Puts a snapshot back into training, model and estimator.
    ///
    /// # Errors
    /// Refuses a snapshot of another model, optimiser or estimator; then nothing is changed.
    pub fn restore<M: EnergyModel, E: Estimator<M> + ?Sized>(
        &mut self,
        model: &mut M,
        estimator: &mut E,
        snapshot: &Snapshot,
    ) -> Result<(), Error> {
        let (first, second, _) = self.optimizer.state();
        same_shape("parameters", &model.params(), &snapshot.params)?;
        same_shape("moments", first, &snapshot.moments.0)?;
        same_shape("second moments", second, &snapshot.moments.1)?;
        self.check_offsets(&snapshot.params, snapshot.offsets.as_ref())?;
        average::check(snapshot, &self.options, self.total())?;
        adapt::check(snapshot, &self.options)?;
        let before = estimator.kept();
        estimator.restore(model, snapshot.kept.clone())?;
        if let Err(refusal) = model.restore(&snapshot.params, snapshot.shift) {
            // A refusal changes nothing, so what lived on goes back to where it stood.
            estimator.restore(model, mutant!("B60", before, snapshot.kept.clone()))?;
            return Err(refusal);
        }
        let (first, second, powers) = self.optimizer.state_mut();
        (*first, *second, *powers) = snapshot.moments.clone();
        if let Some(centre) = &mut self.options.centre {
            centre.offsets.clone_from(&snapshot.offsets);
        }
        (self.average, self.adapted) = (snapshot.average.clone(), snapshot.adapted.clone());
        self.step = snapshot.step;
        (self.rate_factor, self.retries) = snapshot.rate;
        Ok(())
    }

    fn check_offsets(&self, params: &Params, offsets: Option<&[Vec<f32>; 2]>) -> Result<(), Error> {
        let Some(offsets) = offsets else { return Ok(()) };
        let expected: Vec<usize> = params.tensors().iter().skip(1).take(2).map(|t| t.values.len()).collect();
        let got: Vec<usize> = offsets.iter().map(Vec::len).collect();
        if self.options.centre.is_some() && expected == got {
            return Ok(());
        }
        Err(Error::shape("centring offsets", format!("{expected:?}"), format!("{got:?}")))
    }
}

/// Gives the number of hidden features of a model of two layers.
fn features(params: &Params) -> usize {
    params.tensors().get(2).map_or(0, |bias| bias.values.len())
}

/// Refuses tensors of other names or shapes.
pub(super) fn same_shape(field: &str, expected: &Params, got: &Params) -> Result<(), Error> {
    let outline =
        |p: &Params| p.tensors().iter().map(|t| format!("{} {:?}", t.name, t.shape)).collect::<Vec<_>>();
    let (expected, got) = (outline(expected), outline(got));
    if mutant!("B33", expected == got, true) {
        return Ok(());
    }
    Err(Error::shape(field, expected.join(", "), got.join(", ")))
}
