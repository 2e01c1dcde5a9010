//! Tunes a network by backpropagation: batch by batch, from any step on.

use harmonium_core::data::order;
use harmonium_core::params::largest;
use harmonium_core::train::{Action, Optimizer, Summary};
use harmonium_core::{Batch, Error, HasParams, Key, Params, Rows, rows};
use std::ops::ControlFlow;

use super::chosen::Chosen;
use super::snapshot::TuningSnapshot;
use super::{Disturbance, Goal, Network, Progress, Targets, Tuning, update};

/// Tunes a network on rows and their targets.
///
/// Afterwards the network has the parameters of the epoch that the validation rows judge best; without such rows, their average if
/// one was asked for, else those of the last update. An observer that ends the tuning before that leaves them as the last update did.
///
/// ```
/// use std::ops::ControlFlow;
///
/// use harmonium_core::{Batch, Key};
/// use harmonium_dbn::net::{Activation, Network, Targets, Tuning, tune};
/// let (key, x) = (Key::from_seed(1), ndarray::array![[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]);
/// let (x, labels) = (Batch::new(x.view())?, [Some(0), Some(1), Some(1), Some(0)]);
/// let mut network = Network::new(&[2, 8, 2], &[Activation::Tanh, Activation::Softmax], key)?;
/// let options = Tuning { epochs: 2000, ..Tuning::default() };
/// tune(&mut network, &x, &Targets::Classes(&labels), &options, key, &mut |_| ControlFlow::Continue(()))?;
/// assert_eq!(network.predict(&x)?, [0, 1, 1, 0]);
/// # Ok::<(), harmonium_core::Error>(())
/// ```
///
/// # Errors
/// Refuses options out of range, and data or targets that do not fit, before it changes anything. When numbers run away it puts
/// the last good state back and says what did. When rows can't be read, the network stands as the last update left it.
pub fn tune(
    network: &mut Network,
    inputs: &dyn Rows,
    targets: &Targets<'_>,
    options: &Tuning,
    key: Key,
    observer: &mut dyn FnMut(&Progress<'_>) -> ControlFlow<()>,
) -> Result<Summary, Error> {
    Tuner::new(network, inputs, targets, options)?.run(network, inputs, targets, key, observer)
}

/// Is a tuning as it stands between two updates.
#[derive(Clone, Debug)]
pub struct Tuner {
    pub(super) options: Tuning,
    /// One for each layer, so that layers that are held fast have moments of their own.
    pub(super) optimizers: Vec<Optimizer>,
    pub(super) step: u64,
    pub(super) rate_factor: f32,
    pub(super) retries: u32,
    pub(super) average: Option<Params>,
    /// The best epoch, its score and its parameters.
    pub(super) best: Option<(u32, f64, Params)>,
    notices: Vec<String>,
    /// The rows to train on and to judge by.
    pub(super) rows: [Vec<u32>; 2],
    /// Rows of an epoch: all to train on once, or the sum of their weights.
    per_epoch: usize,
    order: (u32, Vec<u32>),
}

impl Tuner {
    /// Prepares a tuning from its first step on.
    ///
    /// # Errors
    /// As [`tune`].
    pub fn new(
        network: &Network,
        inputs: &dyn Rows,
        targets: &Targets<'_>,
        options: &Tuning,
    ) -> Result<Self, Error> {
        options.check()?;
        options.check_network(network, matches!(targets, Targets::Classes(_)))?;
        targets.check(network, inputs, options.loss)?;
        let rows = parts(inputs.rows(), targets, options.validation)?;
        let per_epoch = rows::per_epoch(&Chosen::new(inputs, &rows[0])?);
        let mut notices = Vec::new();
        if options.batch > per_epoch {
            let so = "is larger than the data: one batch of";
            notices.push(format!("batch {} {so} {per_epoch} rows", options.batch));
        }
        let optimizers = network.layers().iter().map(|l| Optimizer::new(options.method.clone(), &l.params()));
        Ok(Self {
            optimizers: optimizers.collect(),
            options: options.clone(),
            step: 0,
            rate_factor: 1.0,
            retries: 0,
            average: None,
            best: None,
            notices,
            rows,
            per_epoch,
            order: (u32::MAX, Vec::new()),
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
        self.per_epoch.div_ceil(self.options.batch) as u64
    }

    /// Gives the number of updates of the whole tuning.
    pub fn total(&self) -> u64 {
        self.batches() * u64::from(self.options.epochs)
    }

    /// Gives the learning rate of the next update.
    pub fn rate(&self) -> f32 {
        self.options.learning_rate.at(self.step, self.total(), self.epoch()) as f32 * self.rate_factor
    }

    /// Gives the best epoch so far and its score, greater being better, where validation rows judge.
    pub fn best(&self) -> Option<(u32, f64)> {
        self.best.as_ref().map(|(epoch, score, _)| (*epoch, *score))
    }

    /// Gives a copy of the network with the average of its parameters, once that has begun.
    pub fn averaged(&self, network: &Network) -> Option<Network> {
        let mut out = network.clone();
        self.average.as_ref()?.store(&mut out);
        Some(out)
    }

    /// Goes on until the last epoch is done, the validation rows say that it is enough, or the observer stops it.
    ///
    /// # Errors
    /// As [`tune`].
    pub fn run(
        &mut self,
        network: &mut Network,
        inputs: &dyn Rows,
        targets: &Targets<'_>,
        key: Key,
        observer: &mut dyn FnMut(&Progress<'_>) -> ControlFlow<()>,
    ) -> Result<Summary, Error> {
        self.check_again(network, inputs, targets)?;
        let (mut good, mut over) = (self.snapshot(network), self.is_over());
        while self.step < self.total() && !over {
            let (named, x) = self.batch(inputs, key)?;
            let goal = targets.goal(&named, &x)?;
            let loss = self.update(network, &x, &goal, key);
            let most = network.blocks().iter().map(|block| largest(block.values)).collect::<Vec<_>>();
            let notice = match self.options.guard.fault(mutant!("B223", largest(&most), 0.0), self.step) {
                Some(fault) => Some(self.roll_back(network, &good, fault)?),
                None => None,
            };
            let ends_epoch = notice.is_none() && self.step.is_multiple_of(self.batches());
            let score = if ends_epoch { self.judge(network, inputs, targets)? } else { None };
            over = self.is_over();
            if ends_epoch || notice.is_none() && self.step.is_multiple_of(self.options.guard.every) {
                good = self.snapshot(network);
            }
            let progress = Progress {
                network: &*network,
                tuner: self,
                loss,
                rows: named.len(),
                ends_epoch,
                score,
                notice: notice.as_deref(),
            };
            let unfinished = mutant!("B381", self.step < self.total() && !over, true);
            if observer(&progress).is_break() && unfinished {
                return Ok(self.summary(true));
            }
        }
        self.finish(network);
        Ok(self.summary(over && self.step < self.total()))
    }

    /// Puts the best parameters into the network, or the average.
    fn finish(&self, network: &mut Network) {
        match (&self.best, &self.average) {
            (Some((_, _, best)), _) if mutant!("B224", true, false) => best.store(network),
            (_, Some(average)) => average.store(network),
            _ => {}
        }
    }

    /// Computes the loss of a batch and moves the parameters against its gradient.
    fn update(&mut self, network: &mut Network, x: &Batch, goal: &Goal, key: Key) -> f64 {
        let at = (self.step, self.total(), self.epoch());
        let Tuning { dropout, noise, loss, .. } = self.options;
        let disturbance = Disturbance::draw(network, x.rows(), dropout, noise, (key, self.step));
        let from = if self.epoch() < self.options.head_first { network.layers().len() - 1 } else { 0 };
        let (loss, gradients) = network.by_layer(x.to_array(), goal, loss, &disturbance, from);
        let rate = self.rate();
        self.step += 1;
        update::layers(network.layers_mut(), gradients, &mut self.optimizers, &self.options, (rate, at));
        update::average(&mut self.average, &self.options, (self.step, at.1), network);
        loss
    }

    /// Takes the rows of the next batch in the order of its epoch.
    fn batch(&mut self, inputs: &dyn Rows, key: Key) -> Result<(Vec<u32>, Batch), Error> {
        let epoch = self.epoch();
        if self.order.0 != epoch {
            let chosen = Chosen::new(inputs, &self.rows[0])?;
            let places = order(&chosen, key, u64::from(epoch));
            self.order = (epoch, places.into_iter().map(|at| chosen.of_all(at)).collect());
        }
        let start = (self.step % self.batches()) as usize * self.options.batch;
        let end = self.per_epoch.min(start + self.options.batch);
        let named = self.order.1[start..end].to_vec();
        let read = inputs.read(&named)?;
        Ok((named, read))
    }

    fn roll_back(
        &mut self,
        network: &mut Network,
        good: &TuningSnapshot,
        fault: Error,
    ) -> Result<String, Error> {
        let (factor, retries) = (self.rate_factor, self.retries);
        self.restore(network, good)?;
        let Action::Retry { factor: lower, max } = self.options.guard.action else { return Err(fault) };
        if retries >= max {
            return Err(fault);
        }
        (self.rate_factor, self.retries) = (factor * lower, retries + 1);
        let notice = format!("{fault}; back at step {} with {} of the rate", self.step, self.rate_factor);
        self.notices.push(notice.clone());
        Ok(notice)
    }

    fn check_again(&self, network: &Network, inputs: &dyn Rows, targets: &Targets<'_>) -> Result<(), Error> {
        let rows = parts(inputs.rows(), targets, self.options.validation)?;
        let per_epoch = rows::per_epoch(&Chosen::new(inputs, &rows[0])?);
        let same = rows == self.rows && per_epoch == self.per_epoch;
        if same && inputs.units() == network.inputs() {
            return Ok(());
        }
        Err(Error::shape("data", "the rows that the tuning began with", "others"))
    }

    fn summary(&self, stopped: bool) -> Summary {
        Summary {
            steps: self.step,
            stopped,
            notices: self.notices.clone(),
            rollbacks: self.retries,
            lowest_rate: self.rate_factor,
        }
    }
}

/// Gives the rows with a target: those to train on, and the ones to judge by among the last `validation` rows of all.
fn parts(rows: usize, targets: &Targets<'_>, validation: usize) -> Result<[Vec<u32>; 2], Error> {
    let (train, judge): (Vec<u32>, Vec<u32>) =
        targets.known(rows).into_iter().partition(|&row| (row as usize) < rows.saturating_sub(validation));
    let lacks =
        [("training rows", train.is_empty()), ("validation rows", validation > 0 && judge.is_empty())];
    match lacks.into_iter().find(|(_, lacks)| *lacks) {
        Some((field, _)) => {
            Err(Error::option("validation", format!("a number that leaves {field}"), validation))
        }
        None => Ok([train, judge]),
    }
}
