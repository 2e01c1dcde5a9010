//! Trains a machine of ratings: rows of one length each, so every row has its own gradient, and they are added in the order of the batch.

use std::ops::ControlFlow;

use harmonium_core::address::Address;
use harmonium_core::data::{RatedRows, Ratings, shuffled};
use harmonium_core::params::largest;
use harmonium_core::train::Optimizer;
use harmonium_core::{Error, HasParams, Key, Params};
use harmonium_kernels::parallel;

use super::expand::{add, factors};
use super::pseudo::RowGradient;
use super::row::Pair;
use super::{Objective, RatingsFit, RatingsRbm, contrastive, pseudo};

/// Is what an observer sees after an epoch.
pub struct RatingsProgress<'a> {
    /// The machine after it.
    pub model: &'a RatingsRbm,
    /// Epochs done.
    pub epoch: u32,
    /// Nats a rating: −ln p of a rating given the others, or of contrastive divergence the share of ratings that the chains changed; each row
    /// as the machine was when its turn came.
    pub loss: f64,
}

/// Trains on the ratings; `observer` sees each epoch and may stop. The same bits on any number of threads.
///
/// # Errors
/// Refuses options out of range and ratings of another scale or number of items; reports a training that ran away, and leaves the machine
/// as it was after the last good epoch.
pub fn fit_ratings(
    rbm: &mut RatingsRbm,
    ratings: &Ratings,
    options: &RatingsFit,
    key: Key,
    observer: &mut dyn FnMut(&RatingsProgress<'_>) -> ControlFlow<()>,
) -> Result<(), Error> {
    options.check()?;
    if ratings.scale() != rbm.scale || ratings.items().len() != rbm.items() {
        let expected = format!("{} items on a scale of {}", rbm.items(), rbm.scale);
        let got = format!("{} on {}", ratings.items().len(), ratings.scale());
        return Err(Error::shape("ratings", expected, got));
    }
    parallel::team(|| Walk::new(rbm, ratings, options, key).run(rbm, observer))
}

struct Walk<'a> {
    rows: RatedRows,
    /// The users who rated something.
    users: Vec<u32>,
    /// Ratings of each item.
    counts: Vec<f32>,
    options: &'a RatingsFit,
    key: Key,
    optimizer: Optimizer,
    step: u64,
}

impl<'a> Walk<'a> {
    fn new(rbm: &RatingsRbm, ratings: &Ratings, options: &'a RatingsFit, key: Key) -> Self {
        let rows = ratings.rows();
        let users = (0..rows.rows() as u32).filter(|&user| !rows.row(user as usize).is_empty()).collect();
        let mut counts = vec![0.0; rbm.items()];
        ratings.each().iter().for_each(|rating| counts[rating.item as usize] += 1.0);
        let optimizer = Optimizer::new(options.method.clone(), &rbm.params());
        Self { rows, users, counts, options, key, optimizer, step: 0 }
    }

    fn run(
        &mut self,
        rbm: &mut RatingsRbm,
        observer: &mut dyn FnMut(&RatingsProgress<'_>) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let ratings: usize = self.rows.ratings();
        for epoch in 0..self.options.epochs {
            let good = rbm.params();
            let order = shuffled(self.users.len(), self.key, u64::from(epoch));
            let mut loss = 0.0;
            for batch in order.chunks(self.options.batch) {
                match self.update(rbm, batch, epoch) {
                    Ok(of_batch) => loss += of_batch,
                    Err(error) => {
                        good.store(rbm);
                        return Err(error);
                    }
                }
            }
            let progress = RatingsProgress { model: rbm, epoch: epoch + 1, loss: loss / ratings as f64 };
            if observer(&progress).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Does one update, and gives the loss of its rows.
    fn update(&mut self, rbm: &mut RatingsRbm, batch: &[u32], epoch: u32) -> Result<f64, Error> {
        let total = u64::from(self.options.epochs) * self.users.len().div_ceil(self.options.batch) as u64;
        let users: Vec<u32> = batch.iter().map(|&place| self.users[place as usize]).collect();
        let address = Address::new(self.key, self.step);
        let rows = parallel::map(users.len(), |at| self.row(rbm, users[at], address, epoch, total));
        let loss = rows.iter().map(|row| row.loss).sum();
        let mut gradient = self.add_up(rbm, &users, &rows);
        self.decay(rbm, &mut gradient);
        let rate = self.options.learning_rate.at(self.step, total, epoch) as f32;
        self.optimizer.update(rbm, &gradient, rate, (self.step, total, epoch));
        self.step += 1;
        let most = largest(&rbm.blocks().iter().map(|block| largest(block.values)).collect::<Vec<_>>());
        if let Some(fault) = self.options.guard.fault(most, self.step) {
            return Err(fault);
        }
        rbm.refresh();
        Ok(loss)
    }

    fn row(&self, rbm: &RatingsRbm, user: u32, at: Address, epoch: u32, total: u64) -> RowGradient {
        let row = self.rows.row(user as usize);
        match &self.options.objective {
            Objective::Pseudo => pseudo::gradient(rbm, row),
            Objective::Contrastive(sweeps) => {
                let sweeps = sweeps.at(at.step(), total, epoch) as u32;
                contrastive::gradient(rbm, row, sweeps.max(1), at, u64::from(user))
            }
        }
    }

    /// Adds up rows in their order, and divides by their number.
    fn add_up(&self, rbm: &RatingsRbm, users: &[u32], rows: &[RowGradient]) -> Params {
        let share = 1.0 / rows.len() as f32;
        let mut whole = vec![0.0; rbm.items() * rbm.kept_levels() * rbm.options.hidden];
        let mut out = rbm.params().zeros_like();
        let tensors = out.tensors_mut();
        for (user, gradient) in users.iter().zip(rows) {
            let row = self.rows.row(*user as usize);
            scatter(&mut whole, row, &gradient.kept, share);
            scatter(&mut tensors[1].values, row, &gradient.bias, share);
            add(&mut tensors[2].values, &gradient.hidden, share);
            if !gradient.conditional.is_empty() {
                scatter(&mut tensors[3].values, row, &gradient.conditional, share);
            }
        }
        if rbm.options.rank == 0 {
            tensors[0].values = whole;
        } else {
            let (hidden, rank) = (rbm.options.hidden, rbm.options.rank);
            let [a, b] = factors(&whole, &rbm.kept, &rbm.loadings, rank, hidden);
            tensors[0].values = a;
            tensors.last_mut().into_iter().for_each(|last| last.values.clone_from(&b));
        }
        out
    }

    /// Adds the gradient of the decay: λ (ratings of the item) / (rows) θ.
    fn decay(&self, rbm: &RatingsRbm, gradient: &mut Params) {
        let each = self.options.decay / self.users.len() as f32;
        for (tensor, block) in gradient.tensors_mut().iter_mut().zip(rbm.blocks()) {
            if matches!(block.name, "weights" | "conditional") {
                let width = block.values.len() / self.counts.len();
                let items = tensor.values.chunks_exact_mut(width).zip(block.values.chunks_exact(width));
                items.zip(&self.counts).for_each(|((g, x), count)| add(g, x, each * count));
            }
        }
    }
}

/// Adds entries of a row's items to those of all items.
fn scatter(all: &mut [f32], row: &[Pair], of_row: &[f32], share: f32) {
    let width = of_row.len() / row.len();
    for (&(item, _), values) in row.iter().zip(of_row.chunks_exact(width)) {
        add(&mut all[item as usize * width..][..width], values, share);
    }
}
