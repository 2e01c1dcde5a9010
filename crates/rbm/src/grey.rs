//! Trains a machine of bits on grey values that stand for the probabilities of its visible bits.

use std::borrow::Cow;

use harmonium_core::stats::Stats;
use harmonium_core::units::{States, Units};
use harmonium_core::{
    Batch, Block, BlockMut, EnergyModel, Error, Gibbs, HasParams, HiddenMeans, Key, Params, Thermal,
};
use ndarray::Array1;

use crate::{Rbm, State, View};

/// Is a machine of Bernoulli visible units whose data are probabilities in [0, 1], say grey pixels, as Hinton & Salakhutdinov (2006)
/// and many packages take them: the statistics of a row are v σ(c + Wᵀv)ᵀ, v and σ(c + Wᵀv) of the grey values themselves.
///
/// This is not the mean over draws of the bits, which [`harmonium_core::data::Drawn`] trains on, nor a gradient of their likelihood; but features
/// of grey values ([`Rbm::transform_grey`]) are those that the training saw. Chains are of bits, as those of the machine.
#[derive(Clone, Debug)]
pub struct Grey {
    rbm: Rbm,
}

impl Grey {
    /// Takes a machine, new or trained.
    ///
    /// # Errors
    /// Refuses visible units that are no bits.
    pub fn new(rbm: Rbm) -> Result<Self, Error> {
        rbm.check_bits()?;
        Ok(Self { rbm })
    }

    /// Lends the machine.
    pub fn rbm(&self) -> &Rbm {
        &self.rbm
    }

    /// Gives the machine back.
    pub fn into_rbm(self) -> Rbm {
        self.rbm
    }
}

impl Rbm {
    fn check_bits(&self) -> Result<(), Error> {
        match self.visible.units() {
            Units::Bernoulli(_) => Ok(()),
            other => Err(Error::shape("visible units", "Bernoulli", other)),
        }
    }

    /// Refuses rows that are no probabilities of the visible bits.
    pub(crate) fn check_grey(&self, data: &Batch) -> Result<(), Error> {
        self.check_bits()?;
        data.check_units("data", self.visible_units())?;
        data.check_complete("data")?;
        let States::Reals(values) = data.states() else { return Ok(()) };
        match values.indexed_iter().find(|(_, x)| mutant!("B387", !(0.0..=1.0).contains(*x), false)) {
            Some(((row, column), got)) => {
                Err(Error::value("data", format!("row {row}, column {column}"), "0 to 1", got))
            }
            None => Ok(()),
        }
    }
}

impl Gibbs for Grey {
    type State = State;

    fn init(&self, chains: usize, key: Key) -> State {
        self.rbm.init(chains, key)
    }

    fn sweep(&self, state: &mut State, key: Key) {
        self.rbm.sweep(state, key);
    }

    fn energy(&self, state: &State) -> Array1<f64> {
        self.rbm.energy(state)
    }

    fn pack(&self, state: &State) -> States {
        self.rbm.pack(state)
    }

    fn unpack(&self, packed: States) -> Result<State, Error> {
        self.rbm.unpack(packed)
    }
}

impl Thermal for Grey {
    type Tempered<'a> = View<'a>;

    fn tempered(&self, beta: f32) -> View<'_> {
        self.rbm.tempered(beta)
    }

    fn check_swaps(&self) -> Result<(), Error> {
        self.rbm.check_swaps()
    }

    fn log_states(&self) -> Option<f64> {
        self.rbm.log_states()
    }

    fn check_beta(&self, beta: f32) -> Result<(), Error> {
        self.rbm.check_beta(beta)
    }
}

impl HasParams for Grey {
    fn blocks(&self) -> Vec<Block<'_>> {
        self.rbm.blocks()
    }

    fn blocks_mut(&mut self) -> Vec<BlockMut<'_>> {
        self.rbm.blocks_mut()
    }

    fn follow(&mut self, largest: &[f32]) {
        self.rbm.follow(largest);
    }

    fn digest(&self) -> String {
        self.rbm.digest()
    }
}

impl EnergyModel for Grey {
    fn check_data(&self, data: &Batch) -> Result<(), Error> {
        self.rbm.check_grey(data)
    }

    fn hidden_means(&self) -> HiddenMeans {
        self.rbm.hidden_means()
    }

    fn growable(&self, hidden: usize) -> Result<usize, Error> {
        self.rbm.growable(hidden)
    }

    fn grow(&mut self, hidden: usize, spread: f32, key: Key) -> Result<Vec<f32>, Error> {
        self.rbm.grow(hidden, spread, key)
    }

    fn shift(&self) -> i32 {
        self.rbm.shift()
    }

    fn restore(&mut self, params: &Params, shift: i32) -> Result<(), Error> {
        self.rbm.restore(params, shift)
    }

    /// Lends the rows, of which nothing may be missing.
    fn complete<'a>(&self, data: &'a Batch, _sweeps: u32, _key: Key) -> Cow<'a, Batch> {
        Cow::Borrowed(data)
    }

    fn clamp(&self, data: &Batch) -> State {
        self.rbm.clamp(data)
    }

    /// Clamps the grey values and draws the hidden units given them.
    fn infer(&self, data: &Batch, key: Key) -> State {
        let state = self.rbm.infer(data, key);
        mutant!("B388", state, {
            let visible = self.rbm.view().sample_visible(&state.hidden, key.fold_in(1));
            State { visible, ..state }
        })
    }

    /// Makes real sums: grey values are no bits.
    fn stats(&self) -> Stats {
        self.rbm.real_stats()
    }

    fn accumulate(&self, state: &State, stats: &mut Stats) {
        self.rbm.accumulate_reals(state, stats);
    }
}
