//! Leaves hidden units out while a machine is trained: p(r) p(v, h | r), h_j = 0 where r_j = 0 (Srivastava, Hinton, Krizhevsky,
//! Sutskever & Salakhutdinov 2014, §8.1).
//!
//! [`Dropout`] hands the estimator within it a [`Thinned`] machine: one whose rows and chains have a mask r each, in both phases.
//! Neither the machine nor the optimiser learns of it. The masks belong to rows and not to batches, as in the paper: to put
//! zeros into bits and means that are drawn anyway costs little.

use std::borrow::Cow;

use harmonium_core::address::Address;
use harmonium_core::stats::{Phases, Stats};
use harmonium_core::train::{Estimate, Estimator, Kept, Schedule};
use harmonium_core::units::{Means, States, Unit};
use harmonium_core::{
    Batch, Block, BlockMut, EnergyModel, Error, Gibbs, HasParams, HiddenMeans, Key, Params, Thermal, purpose,
};
use harmonium_kernels::{BitMatrix, bernoulli, parallel};
use ndarray::Array1;
use serde::{Deserialize, Serialize};

use crate::{Rbm, State, View};

/// Folded into the key of masks: rows of data, and chains that are no rows of data.
const ROWS: u64 = 0;
const CHAINS: u64 = 1;

/// Rows whose masks one task draws.
const TASK: usize = 256;

/// Is an estimator, CD or PCD say, of the mean gradient of machines from which Bernoulli hidden units are left out.
///
/// A row of data draws its mask anew at every update; CD's chains keep that of their row, persistent chains draw one of their
/// own. With a rate of 0 it is the estimator itself, bit for bit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dropout<E> {
    /// The probability that a hidden unit is left out, from 0 to below 1.
    pub rate: f32,
    /// What estimates the gradient of the machines that remain.
    pub estimator: E,
}

/// Is a machine whose rows and chains are without some of its hidden units.
#[derive(Clone, Debug)]
pub struct Thinned<'a> {
    rbm: Cow<'a, Rbm>,
    rate: f32,
    key: Key,
}

/// Is a thinned machine with energy β E; it borrows the weights.
#[derive(Clone, Debug)]
pub struct ThinnedView<'a> {
    view: View<'a>,
    rate: f32,
    key: Key,
}

/// Holds where chains stand, and which hidden units each of them has: `(chains, hidden)`.
#[derive(Clone, Debug, PartialEq)]
pub struct ThinnedState {
    state: State,
    mask: BitMatrix,
}

impl<E> Dropout<E> {
    /// Makes dropout of this rate around an estimator.
    pub fn new(rate: f32, estimator: E) -> Self {
        Self { rate, estimator }
    }

    /// Makes the one machine that stands for all thinned ones: its weights are multiplied with 1 − rate, the probability that
    /// a unit takes part, so that the visible units receive what they receive on average (§4 there).
    ///
    /// # Errors
    /// Refuses a rate out of range.
    pub fn expected(&self, rbm: &Rbm) -> Result<Rbm, Error> {
        check_rate(self.rate)?;
        let mut out = rbm.clone();
        let weights = out.blocks_mut().into_iter().take(1);
        weights.flat_map(|block| block.values).for_each(|w| *w *= 1.0 - self.rate);
        out.refresh();
        Ok(out)
    }

    fn thinned<'a>(&self, rbm: &'a Rbm, key: Key) -> Thinned<'a> {
        Thinned { rbm: Cow::Borrowed(rbm), rate: self.rate, key }
    }
}

fn check_rate(rate: f32) -> Result<(), Error> {
    if (0.0..1.0).contains(&rate) {
        return Ok(());
    }
    Err(Error::option("dropout rate", "0 to below 1", rate))
}

impl<E: for<'a> Estimator<Thinned<'a>>> Estimator<Rbm> for Dropout<E> {
    fn check(&self) -> Result<(), Error> {
        check_rate(self.rate)?;
        Estimator::<Thinned<'static>>::check(&self.estimator)
    }

    fn check_model(&self, model: &Rbm) -> Result<(), Error> {
        if model.hidden().bernoulli().is_none() {
            return Err(Error::shape("dropout", "Bernoulli hidden units", model.hidden().units()));
        }
        self.estimator.check_model(&self.thinned(model, Key::from_seed(0)))
    }

    fn estimate(
        &mut self,
        model: &Rbm,
        data: &Batch,
        sweeps: u32,
        at: Address,
        phases: &mut Phases,
    ) -> Result<Estimate, Error> {
        let thinned = self.thinned(model, at.key(purpose::DROPOUT));
        self.estimator.estimate(&thinned, data, sweeps, at, phases)
    }

    fn complete<'a>(&self, model: &Rbm, data: &'a Batch, sweeps: u32, at: Address) -> Cow<'a, Batch> {
        let thinned = self.thinned(model, at.key(purpose::DROPOUT));
        let key = at.key(purpose::COMPLETE);
        mutant!("B202", thinned.complete(data, sweeps, key), model.complete(data, sweeps, key))
    }

    fn judge(&self, model: &Rbm, at: Address) -> Result<(), Error> {
        self.estimator.judge(&self.thinned(model, at.key(purpose::DROPOUT)), at)
    }

    fn rolled_back(&mut self, model: &Rbm) -> Result<(), Error> {
        let thinned = self.thinned(model, Key::from_seed(0));
        self.estimator.rolled_back(&thinned)
    }

    fn sweeps(&self) -> &Schedule {
        Estimator::<Thinned<'static>>::sweeps(&self.estimator)
    }

    fn kept(&self) -> Kept {
        Estimator::<Thinned<'static>>::kept(&self.estimator)
    }

    fn grow(&mut self, model: &Rbm) -> Result<(), Error> {
        let thinned = self.thinned(model, Key::from_seed(0));
        self.estimator.grow(&thinned)
    }

    fn restore(&mut self, model: &Rbm, kept: Kept) -> Result<(), Error> {
        let thinned = self.thinned(model, Key::from_seed(0));
        self.estimator.restore(&thinned, kept)
    }
}

// ---- The thinned machine ----

impl ThinnedView<'_> {
    /// Draws a mask for each row, row r from stream r, unit j from word j: 1 where the unit takes part.
    fn masks(&self, rows: usize, of: u64) -> BitMatrix {
        let (units, key) = (self.view.hidden.bias().len(), self.key.fold_in(of));
        let left_out = (f64::from(self.rate) * f64::from(1_u32 << 24)) as u32;
        let bits = parallel::map(rows.div_ceil(TASK), |task| {
            let (mut words, mut bits) = (vec![0; units], Vec::new());
            for row in task * TASK..rows.min((task + 1) * TASK) {
                bernoulli::fill(key, mutant!("B113", row as u64, 0), &mut words);
                bits.extend(words.chunks(64).map(|words| packed(words, left_out)));
            }
            bits
        });
        BitMatrix::from_words(rows, units, bits.concat()).expect("words of every row")
    }

    fn with_masks(&self, state: State, of: u64) -> ThinnedState {
        ThinnedState { mask: self.masks(state.visible.rows(), of), state }
    }
}

/// Packs whether words reach a threshold of 24 bits.
fn packed(words: &[u32], threshold: u32) -> u64 {
    let bits = words.iter().enumerate();
    bits.fold(0, |bits, (at, word)| bits | u64::from(word >> 8 >= threshold) << at)
}

/// Puts zeros where the units are left out.
fn held(hidden: &States, mask: &BitMatrix) -> States {
    States::Bits(BitMatrix::zeros(mask.rows(), mask.units())).filled(mask, hidden)
}

/// Puts means of 0 where the units are left out.
fn held_means(means: Means, mask: &BitMatrix) -> Means {
    let Means::Codes(mut codes) = means else { panic!("means of bits are codes") };
    for (row, line) in codes.chunks_mut(mask.units()).enumerate() {
        for (part, word) in line.chunks_mut(64).zip(mask.row(row)) {
            part.iter_mut().enumerate().for_each(|(at, code)| *code *= (word >> at & 1) as u16);
        }
    }
    Means::Codes(codes)
}

impl Gibbs for ThinnedView<'_> {
    type State = ThinnedState;

    fn init(&self, chains: usize, key: Key) -> ThinnedState {
        self.with_masks(self.view.init(chains, key), CHAINS)
    }

    /// Draws h ∼ p(h | v, r) in half-step 0, then v ∼ p(v | h) in half-step 1.
    fn sweep(&self, at: &mut ThinnedState, key: Key) {
        let (view, state) = (&self.view, &mut at.state);
        if state.posterior.take().is_none() {
            let drawn = view.sample_hidden(&state.visible, key.fold_in(0));
            state.hidden = mutant!("B111", held(&drawn, &at.mask), drawn);
        }
        state.visible = view.sample_visible(&state.hidden, key.fold_in(1));
    }

    fn energy(&self, at: &ThinnedState) -> Array1<f64> {
        self.view.energy(&at.state)
    }

    fn pack(&self, at: &ThinnedState) -> States {
        self.view.pack(&at.state)
    }

    fn unpack(&self, packed: States) -> Result<ThinnedState, Error> {
        Ok(self.with_masks(self.view.unpack(packed)?, CHAINS))
    }
}

impl Thinned<'_> {
    fn thin<'b>(&self, view: View<'b>) -> ThinnedView<'b> {
        ThinnedView { view, rate: self.rate, key: self.key }
    }

    fn view(&self) -> ThinnedView<'_> {
        self.thin(self.rbm.view())
    }
}

impl Gibbs for Thinned<'_> {
    type State = ThinnedState;

    fn init(&self, chains: usize, key: Key) -> ThinnedState {
        self.view().init(chains, key)
    }

    fn sweep(&self, state: &mut ThinnedState, key: Key) {
        self.view().sweep(state, key);
    }

    fn energy(&self, state: &ThinnedState) -> Array1<f64> {
        self.view().energy(state)
    }

    fn pack(&self, state: &ThinnedState) -> States {
        self.view().pack(state)
    }

    fn unpack(&self, packed: States) -> Result<ThinnedState, Error> {
        self.view().unpack(packed)
    }
}

impl HasParams for Thinned<'_> {
    fn blocks(&self) -> Vec<Block<'_>> {
        self.rbm.blocks()
    }

    fn blocks_mut(&mut self) -> Vec<BlockMut<'_>> {
        self.rbm.to_mut().blocks_mut()
    }

    fn follow(&mut self, largest: &[f32]) {
        self.rbm.to_mut().follow(largest);
    }

    fn digest(&self) -> String {
        self.rbm.digest()
    }
}

impl Thermal for Thinned<'_> {
    type Tempered<'b>
        = ThinnedView<'b>
    where
        Self: 'b;

    fn tempered(&self, beta: f32) -> ThinnedView<'_> {
        self.thin(self.rbm.tempered(beta))
    }
}

impl EnergyModel for Thinned<'_> {
    fn check_data(&self, data: &Batch) -> Result<(), Error> {
        self.rbm.check_data(data)
    }

    fn hidden_means(&self) -> HiddenMeans {
        self.rbm.hidden_means()
    }

    fn shift(&self) -> i32 {
        self.rbm.shift()
    }

    fn restore(&mut self, params: &Params, shift: i32) -> Result<(), Error> {
        self.rbm.to_mut().restore(params, shift)
    }

    /// Draws what is missing given the rest of the row and the hidden units that its mask leaves.
    fn complete<'b>(&self, data: &'b Batch, sweeps: u32, key: Key) -> Cow<'b, Batch> {
        if data.missing().is_none() {
            return Cow::Borrowed(data);
        }
        let (view, mask) = (self.view(), self.view().masks(data.rows(), ROWS));
        let drawn = self.rbm.walk_with(
            data,
            u64::from(sweeps),
            key,
            &mut |state, key| {
                let mut at = ThinnedState { state: state.clone(), mask: mask.clone() };
                view.sweep(&mut at, key);
                *state = at.state;
            },
            &mut |_| (),
        );
        Cow::Owned(data.completed(self.rbm.give(drawn)))
    }

    fn clamp(&self, data: &Batch) -> ThinnedState {
        self.view().with_masks(self.rbm.clamp(data), ROWS)
    }

    fn infer(&self, data: &Batch, key: Key) -> ThinnedState {
        let mut at = self.view().with_masks(self.rbm.infer(data, key), ROWS);
        at.state.hidden = held(&at.state.hidden, &at.mask);
        at.state.posterior = at.state.posterior.map(|means| held_means(means, &at.mask));
        at
    }

    fn stats(&self) -> Stats {
        self.rbm.stats()
    }

    /// Adds what the machine adds, with means of 0 for units that are left out.
    fn accumulate(&self, at: &ThinnedState, stats: &mut Stats) {
        let (view, mut state) = (self.rbm.view(), at.state.clone());
        let means = state.posterior.take();
        let means = means.unwrap_or_else(|| view.hidden.mean(&view.hidden_input(&state.visible)));
        state.posterior = Some(mutant!("B112", held_means(means, &at.mask), means));
        self.rbm.accumulate(&state, stats);
    }
}
