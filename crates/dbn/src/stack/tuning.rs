//! Fine-tunes a whole stack by up-down (Hinton, Osindero & Teh 2006, appendix B), batch by batch, from any step on.

use std::ops::ControlFlow;

use harmonium_core::address::Address;
use harmonium_core::data::order;
use harmonium_core::params::largest;
use harmonium_core::rows::per_epoch;
use harmonium_core::stats::Phases;
use harmonium_core::train::{Action, Kept, Optimizer, Snapshot, Transform};
use harmonium_core::units::{States, Units};
use harmonium_core::{Batch, EnergyModel, Error, Key, Params, Rows, purpose};
use harmonium_kernels::parallel;
use harmonium_rbm::Rbm;

use super::directed::{Directed, generative_gradient, recognition_gradient};
use super::inferred::batch as rows_of;
use super::stacking::{Stacking, Watch};
use super::top::{Crown, Top};
use super::{Dbn, Phase, Progress, UpDown, keys, start};

/// Is where up-down stands: the generative and the recognition half of each machine below the top, in turn, and the top.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Standing {
    pub(super) machines: Vec<Rbm>,
    /// What each goes on from; none once it is over.
    pub(super) snapshots: Vec<Snapshot>,
}

impl Standing {
    pub(super) fn is_done(&self) -> bool {
        self.snapshots.is_empty()
    }

    /// Gives the stack of these machines.
    pub(super) fn stack(&self, classes: Option<usize>) -> Result<Dbn, Error> {
        let Some((top, halves)) = self.machines.split_last() else {
            return Err(Error::option("machines", "one at least", 0));
        };
        let directed =
            |halves: &[Rbm]| Directed { generative: halves[0].clone(), recognition: halves.get(1).cloned() };
        let top = match classes {
            Some(classes) => harmonium_rbm::Classifier::of(top.clone(), classes)?.top(),
            None => Top::Plain(top.clone()),
        };
        Dbn::new(halves.chunks(2).map(directed).collect(), top)
    }
}

/// Gives where up-down begins.
pub(super) fn begin(stack: &Dbn, options: &UpDown) -> Result<Standing, Error> {
    match stack.classes() {
        Some(_) => Ok(Tuning::<harmonium_rbm::Classifier>::new(stack, options)?.standing()),
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

/// Is a model with the moments of its optimiser.
struct Half<M> {
    model: M,
    optimizer: Optimizer,
}

impl<M: EnergyModel> Half<M> {
    fn new(model: M, options: &UpDown) -> Self {
        let optimizer = Optimizer::new(options.method.clone(), &model.params());
        Self { model, optimizer }
    }

    fn snapshot(&self, step: u64, rate: (f32, u32), kept: Kept) -> Snapshot {
        let (first, second, powers) = self.optimizer.state();
        Snapshot {
            step,
            rate,
            params: self.model.params(),
            shift: self.model.shift(),
            moments: (mutant!("B234", first.clone(), first.zeros_like()), second.clone(), powers),
            offsets: None,
            kept,
            average: None,
            adapted: None,
        }
    }

    /// Puts a snapshot back; the caller drops the whole where that is refused.
    fn restore(&mut self, snapshot: &Snapshot) -> Result<(), Error> {
        let (first, second, powers) = self.optimizer.state_mut();
        same_shape("moments", first, &snapshot.moments.0)?;
        same_shape("second moments", second, &snapshot.moments.1)?;
        (*first, *second, *powers) = snapshot.moments.clone();
        self.model.restore(&snapshot.params, snapshot.shift)
    }

    /// Moves the model against a gradient; gives the largest |parameter| after it.
    fn update(&mut self, mut gradient: Params, options: &UpDown, phases: &Phases, at: At) -> f32 {
        options.decay.clone().apply(&mut gradient, &self.model.blocks(), phases);
        self.optimizer.update(&mut self.model, &gradient, at.rate, at.place);
        self.model.refresh()
    }
}

/// Holds the learning rate of an update, and its place in the training: step, steps in all, epoch.
#[derive(Clone, Copy)]
struct At {
    rate: f32,
    place: (u64, u64, u32),
}

/// Is up-down between two updates.
struct Tuning<M> {
    lower: Vec<[Half<Rbm>; 2]>,
    top: Half<M>,
    /// Persistent chains of the top machine, packed.
    chains: Option<States>,
    step: u64,
    /// What the guard multiplied the rate with, and how often.
    factor: (f32, u32),
    phases: Phases,
}

impl<M: Crown> Tuning<M> {
    fn new(stack: &Dbn, options: &UpDown) -> Result<Self, Error> {
        let halves = |directed: &Directed| {
            [&directed.generative, directed.recogniser()].map(|rbm| Half::new(rbm.clone(), options))
        };
        let top = M::of(stack.top.rbm().clone(), stack.classes().unwrap_or(0))?;
        let phases = Phases::new(top.stats());
        Ok(Self {
            lower: stack.lower.iter().map(halves).collect(),
            top: Half::new(top, options),
            chains: None,
            step: 0,
            factor: (1.0, 0),
            phases,
        })
    }

    fn rate(&self, options: &UpDown, total: u64, epoch: u32) -> f32 {
        options.learning_rate.at(self.step, total, epoch) as f32 * self.factor.0
    }

    /// Does one update of all halves, from gradients at the same parameters; gives the largest |parameter| after it.
    fn update(
        &mut self,
        options: &UpDown,
        (data, labels): (&dyn Rows, &[Option<usize>]),
        rows: &[u32],
        key: Key,
        (total, epoch): (u64, u32),
    ) -> Result<f32, Error> {
        let (address, place) = (Address::new(key, self.step), (self.step, total, epoch));
        let at = At { rate: self.rate(options, total, epoch), place };
        let batch = data.read(rows)?;
        let awake = self.wake(&batch, address)?;
        let sweeps = options.k.at(place.0, place.1, place.2).round() as u64;
        let own: Vec<Option<usize>> =
            rows.iter().map(|&row| labels.get(row as usize).copied().flatten()).collect();
        let (associative, dreamt) =
            self.associate((&awake, batch.natural_units()), &own, (options.chains, sweeps), address)?;
        let asleep = self.sleep(dreamt, address);
        let gradients = self.gradients(&awake, &asleep);
        self.step += 1;
        let phases = &self.phases;
        let halves = self.lower.iter_mut().flatten().zip(gradients.into_iter().flatten());
        let mut most: Vec<f32> =
            halves.map(|(half, gradient)| half.update(gradient, options, phases, at)).collect();
        most.push(self.top.update(associative, options, phases, at));
        Ok(largest(&most))
    }

    /// Draws all layers below the top's hidden one upwards, that of the data first.
    fn wake(&self, data: &Batch, address: Address) -> Result<Vec<States>, Error> {
        data.check_complete("data")?;
        let Some([lowest, _]) = self.lower.first() else { return Ok(vec![data.states().clone()]) };
        lowest.model.check_data(data)?;
        let (key, mut states) =
            (address.key(purpose::POSITIVE), vec![lowest.model.clamp(data).visible().clone()]);
        for (layer, [_, recognition]) in self.lower.iter().enumerate() {
            let above = recognition.model.view().sample_hidden(&states[layer], key.fold_in(layer as u64));
            states.push(above);
        }
        Ok(states)
    }

    /// Estimates the top machine's gradient, and gives the states of the layer below it where its chains stand.
    fn associate(
        &mut self,
        (awake, kind): (&[States], Units),
        labels: &[Option<usize>],
        (chains, sweeps): (usize, u64),
        address: Address,
    ) -> Result<(Params, States), Error> {
        let (top, phases) = (&self.top.model, &mut self.phases);
        let shared = self.lower.last().map(|[_, recognition]| recognition.model.hidden().units());
        let data = top.rows(rows_of(awake[awake.len() - 1].clone(), &shared.unwrap_or(kind))?, labels)?;
        top.check_data(&data)?;
        phases.clear();
        let depth = self.lower.len() as u64;
        let met = top.infer(&data, address.key(purpose::POSITIVE).fold_in(depth).fold_in(0));
        top.accumulate(&met, &mut phases.positive);
        let mut state = match (chains, self.chains.take()) {
            (0, _) => met,
            (_, Some(packed)) => top.unpack(packed)?,
            (chains, None) => top.init(chains, address.seed().fold_in(purpose::CHAINS)),
        };
        top.run(&mut state, 0..sweeps, address.key(purpose::NEGATIVE));
        top.accumulate(&state, &mut phases.negative);
        let mut gradient = top.params();
        phases.contrast(&mut gradient);
        let packed = top.pack(&state);
        self.chains = (chains > 0).then(|| packed.clone());
        Ok((gradient, top.shared(packed)))
    }

    /// Draws all layers downwards from that below the top's hidden one; gives them with that of the data first.
    fn sleep(&self, dreamt: States, address: Address) -> Vec<States> {
        let key = address.key(keys::SLEEP);
        let mut states = vec![dreamt];
        for (layer, [generative, _]) in self.lower.iter().enumerate().rev() {
            let below =
                generative.model.view().sample_visible(&states[states.len() - 1], key.fold_in(layer as u64));
            states.push(below);
        }
        states.reverse();
        states
    }

    /// Computes the gradients of all directed halves: of generative weights on what was recognised, of recognition weights on
    /// what was generated.
    fn gradients(&self, awake: &[States], asleep: &[States]) -> Vec<[Params; 2]> {
        let asleep = mutant!("B235", asleep, awake);
        let each = |(layer, [generative, recognition]): (usize, &[Half<Rbm>; 2])| {
            [
                generative_gradient(&generative.model, &awake[layer], &awake[layer + 1]),
                recognition_gradient(&recognition.model, &asleep[layer], &asleep[layer + 1]),
            ]
        };
        self.lower.iter().enumerate().map(each).collect()
    }

    /// Copies all that is needed to go on from here.
    fn standing(&self) -> Standing {
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
    fn settled(&self) -> Result<Standing, Error> {
        let standing = self.standing();
        let machines = standing.machines.into_iter().map(start::settle).collect::<Result<_, _>>()?;
        Ok(Standing { machines, snapshots: Vec::new() })
    }

    /// Puts back what [`Tuning::standing`] gave.
    fn restore(&mut self, standing: &Standing, options: &UpDown) -> Result<(), Error> {
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
    fn roll_back(&mut self, options: &UpDown, good: &Standing, fault: Error) -> Result<String, Error> {
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

/// Refuses tensors of other names or shapes.
fn same_shape(field: &str, expected: &Params, got: &Params) -> Result<(), Error> {
    let outline =
        |p: &Params| p.tensors().iter().map(|t| format!("{} {:?}", t.name, t.shape)).collect::<Vec<_>>();
    let (expected, got) = (outline(expected), outline(got));
    if expected == got {
        return Ok(());
    }
    Err(Error::shape(field, expected.join(", "), got.join(", ")))
}
