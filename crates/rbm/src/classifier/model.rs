//! Makes the classifier trainable: what it does not share with the machine of x and y is that y is one of its classes.

use std::borrow::Cow;

use harmonium_core::evaluate::LogSumExp;
use harmonium_core::stats::Stats;
use harmonium_core::units::{States, Unit};
use harmonium_core::{
    Batch, Block, BlockMut, EnergyModel, Error, Gibbs, HasParams, HiddenMeans, Key, Marginal, Params, Thermal,
};
use ndarray::Array1;

use super::{Classifier, ClassifierView, labels};
use crate::{State, View};

impl Classifier {
    /// Views the classifier as it is.
    pub fn view(&self) -> ClassifierView<'_> {
        ClassifierView::new(self, self.rbm.view())
    }

    /// Gives checked rows with a class each: those without one get the likeliest given x.
    fn whole(&self, data: &Batch) -> Batch {
        let bits = data.states().expect_bits();
        if labels::all(bits, self.units()).iter().all(Option::is_some) {
            return data.clone();
        }
        let likeliest = self.likeliest(bits);
        Batch::from_bits(self.completed(bits, &likeliest)).expect("as many rows as there were")
    }
}

impl Gibbs for Classifier {
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

impl HasParams for Classifier {
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

impl Thermal for Classifier {
    type Tempered<'a> = ClassifierView<'a>;

    fn tempered(&self, beta: f32) -> ClassifierView<'_> {
        ClassifierView::new(self, View::tempered(&self.rbm, beta))
    }
}

impl EnergyModel for Classifier {
    fn check_data(&self, data: &Batch) -> Result<(), Error> {
        self.rbm.check_data(data)?;
        data.check_complete("data")?;
        labels::check(data.bits()?, self.units())
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

    /// Lends the rows as they are: [`EnergyModel::check_data`] refuses missing values of x.
    fn complete<'a>(&self, data: &'a Batch, _sweeps: u32, _key: Key) -> Cow<'a, Batch> {
        Cow::Borrowed(data)
    }

    /// Clamps x and y; a row without a label gets its likeliest class.
    fn clamp(&self, data: &Batch) -> State {
        self.rbm.clamp(&self.whole(data))
    }

    /// Clamps x and y, as [`EnergyModel::clamp`] does, and draws the hidden units.
    fn infer(&self, data: &Batch, key: Key) -> State {
        self.rbm.infer(&self.whole(data), key)
    }

    fn stats(&self) -> Stats {
        self.rbm.stats()
    }

    fn accumulate(&self, state: &State, stats: &mut Stats) {
        self.rbm.accumulate(state, stats);
    }
}

impl Marginal for Classifier {
    /// Computes F(x, y) of rows with a label, and F(x) = −ln Σ_y e^−F(x, y) of rows without one, in nats.
    fn free_energy(&self, data: &Batch) -> Result<Array1<f64>, Error> {
        self.check_data(data)?;
        let bits = data.bits()?;
        let (blank, scores) = (labels::blank(bits, self.units(), self.classes), self.scores(bits));
        let outer = self.rbm.visible.energy(&States::Bits(blank));
        let free =
            outer.iter().zip(scores.chunks_exact(self.classes)).enumerate().map(|(row, (u, scores))| {
                match labels::label(bits, row, self.units()) {
                    Some(class) => u - scores[class],
                    None => u - scores.iter().copied().collect::<LogSumExp>().value(),
                }
            });
        Ok(free.collect())
    }
}
