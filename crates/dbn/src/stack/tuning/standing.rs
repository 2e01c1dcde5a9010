//! Copies where up-down stands, and puts it back.

use harmonium_core::Error;
use harmonium_core::train::{Action, Kept, Snapshot};
use harmonium_rbm::{Classifier, Rbm};

use super::update::Tuning;
use crate::stack::directed::Directed;
use crate::stack::top::{Crown, Top};
use crate::stack::{Dbn, UpDown, start};

/// Is where up-down stands: the generative and the recognition half of each machine below the top, in turn, and the top.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::stack) struct Standing {
    pub(in crate::stack) machines: Vec<Rbm>,
    /// What each goes on from; none once it is over.
    pub(in crate::stack) snapshots: Vec<Snapshot>,
}

impl Standing {
    pub(in crate::stack) fn is_done(&self) -> bool {
        self.snapshots.is_empty()
    }

    /// Gives the stack of these machines.
    pub(in crate::stack) fn stack(&self, classes: Option<usize>) -> Result<Dbn, Error> {
        let Some((top, halves)) = self.machines.split_last() else {
            return Err(Error::option("machines", "one at least", 0));
        };
        let directed =
            |halves: &[Rbm]| Directed { generative: halves[0].clone(), recognition: halves.get(1).cloned() };
        let top = match classes {
            Some(classes) => Classifier::of(top.clone(), classes)?.top(),
            None => Top::Plain(top.clone()),
        };
        Dbn::new(halves.chunks(2).map(directed).collect(), top)
    }
}

impl<M: Crown> Tuning<M> {
    /// Copies all that is needed to go on from here.
    pub(super) fn standing(&self) -> Standing {
        let (step, rate) = (self.step, self.factor);
        let kept = Kept::default().with_chains(mutant!("B236", self.chains.as_ref(), None));
        let halves = self.lower.iter().flatten();
        let snapshots = halves.clone().map(|half| half.snapshot(step, rate, Kept::default()));
        Standing {
            machines: halves.map(|half| half.model.clone()).chain([self.top.model.rbm().clone()]).collect(),
            snapshots: snapshots.chain([self.top.snapshot(step, rate, kept)]).collect(),
        }
    }

    /// Gives the machines on their grids, when all is done.
    pub(super) fn settled(&self) -> Result<Standing, Error> {
        let standing = self.standing();
        let machines = standing.machines.into_iter().map(start::settle).collect::<Result<_, _>>()?;
        Ok(Standing { machines, snapshots: Vec::new() })
    }

    /// Puts back what [`Tuning::standing`] gave.
    pub(super) fn restore(&mut self, standing: &Standing, options: &UpDown) -> Result<(), Error> {
        let count = 2 * self.lower.len() + 1;
        let Some((top, lower)) =
            standing.snapshots.split_last().filter(|_| standing.snapshots.len() == count)
        else {
            return Err(Error::shape("up-down", format!("{count} machines"), standing.snapshots.len()));
        };
        self.top.restore(top)?;
        self.lower.iter_mut().flatten().zip(lower).try_for_each(|(half, snapshot)| half.restore(snapshot))?;
        let mut kept = top.kept.clone();
        self.chains = kept.take_chains(options.chains)?;
        kept.finished("up-down")?;
        self.chains.clone().map(|chains| self.top.model.unpack(chains)).transpose()?;
        (self.step, self.factor) = (top.step, top.rate);
        Ok(())
    }

    /// Goes back to the last good state, with a lower rate if the guard is to try again.
    pub(super) fn roll_back(
        &mut self,
        options: &UpDown,
        good: &Standing,
        fault: Error,
    ) -> Result<String, Error> {
        let (factor, retries) = self.factor;
        self.restore(good, options)?;
        let Action::Retry { factor: lower, max } = options.guard.action else { return Err(fault) };
        if retries >= max {
            return Err(fault);
        }
        self.factor = (factor * lower, retries + 1);
        Ok(format!("{fault}; back at step {} with {} of the rate", self.step, self.factor.0))
    }
}
