//! Passes data upwards: features of any layer, and reconstructions from it.

use harmonium_core::units::{States, Unit};
use harmonium_core::{Batch, EnergyModel, Error, Key};
use ndarray::Array2;

use super::top::Top;
use super::{Dbn, keys};

/// Rows that pass through a stack at a time.
const BLOCK: usize = 2048;

impl Dbn {
    /// Computes features, the means of a layer counted from 1: `(n, visible) → (n, units)`. Those of layer 1 are exact, given the
    /// data; further up each layer gets the means of the one below it as if they were its states. A label is left out.
    ///
    /// # Errors
    /// Refuses rows of another width or kind, missing values, and layers that are not there.
    pub fn transform(&self, data: &Batch, layer: usize) -> Result<Array2<f32>, Error> {
        self.check_layer(layer, 1)?;
        self.check(data)?;
        let blocks = (0..data.rows()).step_by(BLOCK).map(|start| {
            let rows = data.gather(start..data.rows().min(start + BLOCK));
            Ok(self.means(&rows, layer)?.into_raw_vec_and_offset().0)
        });
        let values: Vec<Vec<f32>> = blocks.collect::<Result<_, Error>>()?;
        Ok(States::reals(values.concat(), self.units(layer)?.features()).to_array())
    }

    /// Gives the means of a layer of checked rows.
    fn means(&self, data: &Batch, layer: usize) -> Result<Array2<f32>, Error> {
        let mut states = self.take(data);
        for directed in self.lower.iter().take(layer) {
            let (machine, view) = (directed.recogniser(), directed.recogniser().view());
            let means = machine.hidden().mean(&view.hidden_input(&states));
            states = States::Reals(machine.hidden().means_of(&means));
        }
        if layer == self.depth() {
            let top = self.top.unlabelled()?;
            let means = top.hidden().mean(&top.view().hidden_input(&states));
            states = States::Reals(top.hidden().means_of(&means));
        }
        Ok(states.to_array())
    }

    /// Gives what the top machine sees of checked rows: the means of the layer below it, or the rows themselves.
    pub(super) fn seen(&self, data: &Batch) -> Result<States, Error> {
        match self.lower.len() {
            0 => Ok(self.take(data)),
            layer => Ok(States::Reals(self.means(data, layer)?)),
        }
    }

    /// Reconstructs rows from a layer, counted from 1: states are drawn up to it and down again, row r from stream r, and the
    /// means of the visible layer are given: `(n, visible) → (n, visible)`. `key` is that of the seed.
    ///
    /// # Errors
    /// Refuses rows of another width or kind, missing values, and layers that are not there.
    pub fn reconstruct(&self, data: &Batch, layer: usize, key: Key) -> Result<Array2<f32>, Error> {
        self.check_layer(layer, 1)?;
        self.check(data)?;
        let key = keys::evaluate(key, keys::RECONSTRUCT);
        let (up, down) = (key.fold_in(0), key.fold_in(1));
        let mut states =
            self.drawn(data, layer.min(self.lower.len()), up).pop().unwrap_or_else(|| self.take(data));
        if layer < self.depth() {
            return Ok(self.down(states, layer, down).1);
        }
        let top = self.top.unlabelled()?;
        let hidden = top.view().sample_hidden(&states, up.fold_in(layer as u64 - 1));
        let (view, shared) = (top.view(), top.visible());
        let input = view.visible_input(&hidden).computed();
        if self.lower.is_empty() {
            return Ok(self.give(States::Reals(shared.means_of(&shared.mean(&input)))).to_array());
        }
        states = shared.sample(&input, down.fold_in(layer as u64 - 1));
        Ok(self.down(states, layer - 1, down).1)
    }

    /// Draws layers 1 to `layer`, which are all below the top's hidden one, after that of the data; layer l from `key.fold_in(l − 1)`.
    pub(super) fn drawn(&self, data: &Batch, layer: usize, key: Key) -> Vec<States> {
        let mut states = vec![self.take(data)];
        for (n, directed) in self.lower.iter().enumerate().take(layer) {
            states.push(directed.up(&states[n], key.fold_in(n as u64)));
        }
        states
    }

    /// Draws downwards from states of a layer, machine n from `key.fold_in(n)`: visible states and their means, in the data's own
    /// units. From layer 0 there is nothing to draw, and the states are their own means.
    pub(super) fn down(&self, mut states: States, layer: usize, key: Key) -> (States, Array2<f32>) {
        for (n, directed) in self.lower.iter().enumerate().take(layer).skip(1).rev() {
            states = directed.down(&states, key.fold_in(n as u64));
        }
        let Some(lowest) = self.lower.first().filter(|_| layer > 0) else {
            let means = self.give(States::Reals(self.top.shared().features_of(&states))).to_array();
            return (self.give(states), means);
        };
        let (view, visible) = (lowest.generative.view(), lowest.generative.visible());
        let (drawn, means) = visible.sample_with_means(&view.visible_input(&states), key.fold_in(0));
        let means = self.give(States::Reals(visible.means_of(&means))).to_array();
        (self.give(drawn), means)
    }

    /// Refuses rows that the stack can't take.
    pub(super) fn check(&self, data: &Batch) -> Result<(), Error> {
        match (self.lower.first(), &self.top) {
            (Some(lowest), _) => lowest.generative.check_data(data)?,
            (None, Top::Plain(rbm)) => rbm.check_data(data)?,
            (None, Top::Labelled(_)) => data.check_kind("data", &self.top.shared().units())?,
        }
        data.check_complete("data")
    }

    /// Gives the states of checked rows, standardised where the data are.
    pub(super) fn take(&self, data: &Batch) -> States {
        match (self.lower.first(), &self.top) {
            (Some(lowest), _) => lowest.generative.clamp(data).visible().clone(),
            (None, Top::Plain(rbm)) => rbm.clamp(data).visible().clone(),
            (None, Top::Labelled(_)) => data.states().clone(),
        }
    }

    /// Gives visible states back in the data's own units.
    pub(super) fn give(&self, states: States) -> States {
        match (self.lower.first(), &self.top) {
            (Some(lowest), _) => lowest.generative.give(states),
            (None, Top::Plain(rbm)) => rbm.give(states),
            (None, Top::Labelled(_)) => states,
        }
    }
}
