//! Fine-tunes a whole stack by up-down (Hinton, Osindero & Teh 2006, appendix B), batch by batch, from any step on.

mod half;
mod standing;
mod update;

use std::ops::ControlFlow;

use harmonium_core::data::order;
use harmonium_core::rows::per_epoch;
use harmonium_core::{Error, Key, Rows};
use harmonium_kernels::parallel;
use harmonium_rbm::{Classifier, Rbm};

pub(super) use standing::Standing;

use super::stacking::{Stacking, Watch};
use super::top::Crown;
use super::{Dbn, Phase, Progress, UpDown};
use update::Tuning;

/// Gives where up-down begins.
pub(super) fn begin(stack: &Dbn, options: &UpDown) -> Result<Standing, Error> {
    match stack.classes() {
        Some(_) => Ok(Tuning::<Classifier>::new(stack, options)?.standing()),
        None => Ok(Tuning::<Rbm>::new(stack, options)?.standing()),
    }
}

/// Holds what a run of up-down is given.
pub(super) struct Job<'a> {
    pub(super) options: &'a UpDown,
    pub(super) data: (&'a dyn Rows, &'a [Option<usize>]),
    pub(super) key: Key,
    /// Where it stands, unless it begins.
    pub(super) start: Option<&'a Standing>,
    pub(super) stack: &'a Dbn,
    /// Makes the training of the stack from where up-down stands.
    pub(super) state: &'a dyn Fn(Standing) -> Stacking,
}

impl Job<'_> {
    /// Goes on until the last epoch is done or the observer stops it; tells whether it did.
    pub(super) fn run<M: Crown>(
        &self,
        observer: &mut Watch<'_>,
        notices: &mut Vec<String>,
    ) -> Result<(Standing, bool), Error> {
        let mut tuning = Tuning::<M>::new(self.stack, self.options)?;
        if let Some(standing) = self.start {
            tuning.restore(standing, self.options)?;
        }
        parallel::team(|| self.to_the_end(&mut tuning, observer, notices))
    }

    fn to_the_end<M: Crown>(
        &self,
        tuning: &mut Tuning<M>,
        observer: &mut Watch<'_>,
        notices: &mut Vec<String>,
    ) -> Result<(Standing, bool), Error> {
        let (data, batch) = (self.data.0, self.options.batch);
        let batches = per_epoch(data).div_ceil(batch) as u64;
        let total = batches * u64::from(self.options.epochs);
        let (mut good, mut epoch_order) = (tuning.standing(), (u64::MAX, Vec::new()));
        while tuning.step < total {
            let epoch = tuning.step / batches;
            if epoch_order.0 != epoch {
                epoch_order = (epoch, order(data, self.key, epoch));
            }
            let first = (tuning.step % batches) as usize * batch;
            let rows = &epoch_order.1[first..epoch_order.1.len().min(first + batch)];
            let most = tuning.update(self.options, self.data, rows, self.key, (total, epoch as u32))?;
            let notice = match self.options.guard.fault(most, tuning.step) {
                Some(fault) => Some(tuning.roll_back(self.options, &good, fault)?),
                None => None,
            };
            let ends_epoch = notice.is_none() && tuning.step.is_multiple_of(batches);
            if ends_epoch || notice.is_none() && tuning.step.is_multiple_of(self.options.guard.every) {
                good = tuning.standing();
            }
            notices.extend(notice.iter().map(|notice| format!("{}: {notice}", Phase::UpDown)));
            let progress = Progress {
                phase: Phase::UpDown,
                step: tuning.step,
                total,
                epoch: (tuning.step / batches) as u32,
                ends_epoch,
                rows: rows.len(),
                rate: tuning.rate(self.options, total, (tuning.step / batches) as u32),
                notice: notice.as_deref(),
                machine: tuning.top.model.rbm(),
                state: &|| (self.state)(good.clone()),
            };
            if observer(&progress) == ControlFlow::Break(()) && tuning.step < total {
                return Ok((tuning.standing(), true));
            }
        }
        Ok((tuning.settled()?, false))
    }
}
