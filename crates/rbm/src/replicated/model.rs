//! Makes the replicated softmax trainable: clamped documents and sufficient statistics.

use std::borrow::Cow;

use harmonium_core::stats::Stats;
use harmonium_core::units::{States, Unit};
use harmonium_core::{
    Batch, Block, BlockMut, EnergyModel, Error, Gibbs, HasParams, HiddenMeans, Key, Marginal, Params, Thermal,
};
use ndarray::Array1;

use super::{ReplicatedSoftmax, ReplicatedView, check_documents};
use crate::{State, View};

impl ReplicatedSoftmax {
    /// Views the model as it is.
    pub fn view(&self) -> ReplicatedView<'_> {
        ReplicatedView::new(self, self.rbm.view())
    }
}

impl Gibbs for ReplicatedSoftmax {
    type State = State;

    fn init(&self, chains: usize, key: Key) -> State {
        self.view().init(chains, key)
    }

    fn sweep(&self, state: &mut State, key: Key) {
        self.view().sweep(state, key);
    }

    fn energy(&self, state: &State) -> Array1<f64> {
        self.view().energy(state)
    }

    fn pack(&self, state: &State) -> States {
        self.view().pack(state)
    }

    fn unpack(&self, packed: States) -> Result<State, Error> {
        self.view().unpack(packed)
    }
}

impl HasParams for ReplicatedSoftmax {
    /// Lends W, b and a.
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

impl Thermal for ReplicatedSoftmax {
    type Tempered<'a> = ReplicatedView<'a>;

    fn tempered(&self, beta: f32) -> ReplicatedView<'_> {
        ReplicatedView::new(self, View::tempered(&self.rbm, beta))
    }

    /// Refuses: chains of two lengths must not swap places, as each length has a ln Z of its own.
    fn check_swaps(&self) -> Result<(), Error> {
        Err(Error::shape("swaps of chains", "rows of one length", "a replicated softmax"))
    }
}

impl EnergyModel for ReplicatedSoftmax {
    fn check_data(&self, data: &Batch) -> Result<(), Error> {
        check_documents(data, &self.rbm.visible().units())
    }

    /// Sums D h: each row's means have its length for a factor.
    fn hidden_means(&self) -> HiddenMeans {
        HiddenMeans::Scaled
    }

    fn shift(&self) -> i32 {
        self.rbm.shift()
    }

    fn restore(&mut self, params: &Params, shift: i32) -> Result<(), Error> {
        self.rbm.restore(params, shift)
    }

    /// Lends the rows as they are: [`EnergyModel::check_data`] refuses missing values.
    fn complete<'a>(&self, data: &'a Batch, _sweeps: u32, _key: Key) -> Cow<'a, Batch> {
        Cow::Borrowed(data)
    }

    fn clamp(&self, data: &Batch) -> State {
        self.view().standing(data.states().clone())
    }

    fn infer(&self, data: &Batch, key: Key) -> State {
        let (view, visible) = (self.view(), data.states().clone());
        let (hidden, means) = view.hidden().sample_with_means(&view.hidden_input(&visible), key);
        State { visible, hidden, posterior: Some(means) }
    }

    fn stats(&self) -> Stats {
        self.rbm.stats()
    }

    /// Adds v hᵀ, v and D h with the hidden units as their means given v, in 16-bit fixed point.
    fn accumulate(&self, state: &State, stats: &mut Stats) {
        let view = self.view();
        let known = state.posterior.clone();
        let means = known.unwrap_or_else(|| view.hidden().mean(&view.hidden_input(&state.visible)));
        stats.add_documents(state.visible.expect_reals(), &view.hidden().means_of(&means));
    }
}

impl Marginal for ReplicatedSoftmax {
    /// Computes F(v) − ln(D!/Π v_k!), in nats: of all sequences of tokens with these counts, so that ln p(v) given D is this, with
    /// a minus, less ln Z_D.
    fn free_energy(&self, data: &Batch) -> Result<Array1<f64>, Error> {
        self.check_data(data)?;
        let states = data.states();
        let ways = states.expect_reals().rows().into_iter().map(|row| {
            let length: f64 = row.iter().map(|&x| f64::from(x)).sum();
            let same: f64 = row.iter().filter(|x| **x > 1.0).map(|&x| libm::lgamma(f64::from(x) + 1.0)).sum();
            libm::lgamma(length + 1.0) - same
        });
        Ok(self.view().free_energies(states).into_iter().zip(ways).map(|(f, ways)| f - ways).collect())
    }
}
