//! Tunes a network by conjugate gradients: a few line searches on each large batch (Hinton & Salakhutdinov 2006, supplement).

use std::ops::ControlFlow;

use harmonium_core::data::order;
use harmonium_core::{Error, HasParams, Key, Params, Rows, rows};
use serde::{Deserialize, Serialize};

use super::chosen::Chosen;
use super::line::{Point, Search};
use super::{Disturbance, Loss, Network, Targets};

/// Says how a network is tuned by conjugate gradients.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Conjugate {
    /// Passes over the rows; 0 leaves the network as it is.
    pub epochs: u32,
    /// Rows of a batch.
    pub batch: usize,
    /// Line searches on each batch; the first goes down the gradient.
    pub searches: u32,
    /// Losses that a line search may ask for.
    pub evaluations: u32,
    /// σ of the strong Wolfe conditions: a search ends where the slope is at most this share of the first one. The smaller, the
    /// more exact.
    pub slope: f64,
    /// What is minimised.
    pub loss: Loss,
    /// Epochs in which the last layer learns alone.
    pub head_first: u32,
}

impl Default for Conjugate {
    fn default() -> Self {
        Self {
            epochs: 10,
            batch: 1000,
            searches: 3,
            evaluations: 20,
            slope: 0.5,
            loss: Loss::default(),
            head_first: 0,
        }
    }
}

impl Conjugate {
    /// Refuses options out of range.
    ///
    /// # Errors
    /// Names the first option that is wrong.
    pub fn check(&self) -> Result<(), Error> {
        let least = [("batch", self.batch), ("evaluations", self.evaluations as usize)];
        if let Some((name, _)) = least.into_iter().find(|(_, value)| *value == 0) {
            return Err(Error::option(name, "1 or more", 0));
        }
        // Sufficient decrease asks for 0.01 of the first slope, and must not ask for more than this.
        if (0.0..1.0).contains(&self.slope) {
            return Ok(());
        }
        Err(Error::option("slope", "0 to below 1", self.slope))
    }
}

/// Is what an observer sees after each batch.
#[derive(Clone, Copy)]
pub struct Searched<'a> {
    /// The network after the line searches.
    pub network: &'a Network,
    /// Batches done.
    pub step: u64,
    /// Finished epochs.
    pub epoch: u32,
    /// The mean loss of the batch before and after its searches.
    pub losses: [f64; 2],
    /// Whether this batch ended an epoch.
    pub ends_epoch: bool,
}

/// Tunes a network from batch `step` on (0 is the beginning), and gives the number of batches done in all. Nothing lives on from
/// one batch to the next but the parameters, so parameters and step are all that a resumed tuning needs.
///
/// # Errors
/// Refuses options out of range, and data or targets that do not fit, before it changes anything; says which rows could not be
/// read. A batch whose loss is no number is an error, and leaves the network as it was before it.
pub fn conjugate(
    network: &mut Network,
    inputs: &dyn Rows,
    targets: &Targets<'_>,
    options: &Conjugate,
    (key, step): (Key, u64),
    observer: &mut dyn FnMut(&Searched<'_>) -> ControlFlow<()>,
) -> Result<u64, Error> {
    options.check()?;
    targets.check(network, inputs, options.loss)?;
    let known = targets.known(inputs.rows());
    let chosen = Chosen::new(inputs, &known)?;
    // Batches of even size: a short last one would be fitted to death.
    let count = rows::per_epoch(&chosen);
    let batches = count.div_ceil(options.batch) as u64;
    let size = count.div_ceil(batches.max(1) as usize).max(1);
    let mut places = (u32::MAX, Vec::new());
    for step in step..batches * u64::from(options.epochs) {
        let epoch = (step / batches) as u32;
        if places.0 != epoch {
            places = (epoch, order(&chosen, key, u64::from(epoch)));
        }
        let own = places.1.chunks(size).nth((step % batches) as usize).unwrap_or_default();
        let named: Vec<u32> = own.iter().map(|&at| chosen.of_all(at)).collect();
        let read = inputs.read(&named)?;
        let (x, goal) = (read.to_array(), targets.goal(&named, &read)?);
        let from = if epoch < options.head_first { network.layers().len() - 1 } else { 0 };
        let mut trial = network.clone();
        let mut ask = |params: &Params| {
            params.store(&mut trial);
            trial.gradient_of(x.clone(), &goal, options.loss, &Disturbance::default(), from)
        };
        let (losses, params) = minimise(network.params(), options, &mut ask);
        if !losses[0].is_finite() {
            return Err(Error::diverged("loss", format!("batch {step}"), "a finite number", losses[0]));
        }
        params.store(network);
        let (done, ends_epoch) = (step + 1, (step + 1) % batches == 0);
        let epoch = (done / batches) as u32;
        if observer(&Searched { network, step: done, epoch, losses, ends_epoch }).is_break() {
            return Ok(done);
        }
    }
    Ok(step.max(batches * u64::from(options.epochs)))
}

/// Minimises a function that gives its value and gradient, by Polak & Ribière's conjugate gradients (1969): the direction is
/// s ← β s − g with β = max(0, g·(g − g′) / g′·g′), and −g where it would not go down. Values and sums are f64. Gives the first and
/// the last value, and where the last is.
pub fn minimise(
    start: Params,
    options: &Conjugate,
    ask: &mut dyn FnMut(&Params) -> (f64, Params),
) -> ([f64; 2], Params) {
    let (value, gradient) = ask(&start);
    let mut here = Point { at: start, value, gradient };
    let mut direction = negative(&here.gradient);
    // The first step changes a loss of slope −g·g by less than 1 (Rasmussen 2006).
    let first = |gradient: &Params| 1.0 / (1.0 + gradient.dot(gradient));
    let (mut length, mut failed) = (first(&here.gradient), false);
    for _ in 0..options.searches {
        let mut slope = here.gradient.dot(&direction);
        if slope >= 0.0 {
            direction = negative(&here.gradient);
            slope = -here.gradient.dot(&here.gradient);
        }
        // A slope of nothing, and one that is no number, lead nowhere.
        if slope.is_nan() || slope == 0.0 {
            break;
        }
        let search = Search { options, start: &here, direction: &direction, slope };
        let Some((found, next)) = search.run(length, ask) else {
            // A direction that leads nowhere gives way to the steepest one; when that leads nowhere too, it is over.
            if failed {
                break;
            }
            (direction, length, failed) = (negative(&here.gradient), first(&here.gradient), true);
            continue;
        };
        failed = false;
        turn(&mut direction, &here.gradient, &next.gradient);
        // The next step changes the loss as much as this one, to first order.
        let next_slope = next.gradient.dot(&direction);
        let ratio = if next_slope < 0.0 { slope / next_slope } else { 1.0 };
        length = found * ratio.min(10.0);
        here = next;
    }
    ([value, here.value], here.at)
}

fn negative(gradient: &Params) -> Params {
    let mut out = gradient.clone();
    out.tensors_mut().iter_mut().for_each(|t| t.values.iter_mut().for_each(|x| *x = -*x));
    out
}

/// Turns the direction towards the new gradient's.
fn turn(direction: &mut Params, old: &Params, new: &Params) {
    let beta = (new.dot(new) - mutant!("B227", new.dot(old), new.dot(new))) / old.dot(old);
    let beta = beta.max(0.0) as f32;
    for (s, g) in direction.tensors_mut().iter_mut().zip(new.tensors()) {
        s.values.iter_mut().zip(&g.values).for_each(|(s, g)| *s = beta * *s - g);
    }
}
