//! Does one update of up-down: wake, the top machine, sleep.

use harmonium_core::address::Address;
use harmonium_core::params::largest;
use harmonium_core::stats::Phases;
use harmonium_core::units::{States, Units};
use harmonium_core::{Batch, EnergyModel, Error, Key, Params, Rows, purpose};
use harmonium_rbm::Rbm;

use super::half::{At, Half};
use crate::stack::directed::{Directed, generative_gradient, recognition_gradient};
use crate::stack::inferred::batch as rows_of;
use crate::stack::top::Crown;
use crate::stack::{Dbn, UpDown, keys};

/// Is up-down between two updates.
pub(super) struct Tuning<M> {
    pub(super) lower: Vec<[Half<Rbm>; 2]>,
    pub(super) top: Half<M>,
    /// Persistent chains of the top machine, packed.
    pub(super) chains: Option<States>,
    pub(super) step: u64,
    /// What the guard multiplied the rate with, and how often.
    pub(super) factor: (f32, u32),
    phases: Phases,
}

impl<M: Crown> Tuning<M> {
    pub(super) fn new(stack: &Dbn, options: &UpDown) -> Result<Self, Error> {
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

    pub(super) fn rate(&self, options: &UpDown, total: u64, epoch: u32) -> f32 {
        options.learning_rate.at(self.step, total, epoch) as f32 * self.factor.0
    }

    /// Does one update of all halves, from gradients at the same parameters; gives the largest |parameter| after it.
    pub(super) fn update(
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
        let taught = mutant!("B235", asleep, awake);
        let each = |(layer, [generative, recognition]): (usize, &[Half<Rbm>; 2])| {
            [
                generative_gradient(&generative.model, &awake[layer], &awake[layer + 1]),
                recognition_gradient(&recognition.model, &taught[layer], &taught[layer + 1]),
            ]
        };
        self.lower.iter().enumerate().map(each).collect()
    }
}
