//! Makes the conditional machine trainable: its statistics are those of W and the biases, and u vᵀ and u hᵀ for A and B.

use std::borrow::Cow;

use harmonium_core::persist::digest;
use harmonium_core::stats::{Shape, Stats};
use harmonium_core::units::{Input, Scaling, States, Unit};
use harmonium_core::{
    Batch, Block, BlockMut, EnergyModel, Error, Gibbs, HasParams, HiddenMeans, Key, Marginal, Params, Thermal,
};
use harmonium_kernels::{BitMatrix, Grid};
use ndarray::Array1;

use super::pairs::features;
use super::{Conditional, ConditionalState, ConditionalView};
use crate::View;
use crate::growth::widened;
use crate::rbm::finite;

/// The names of A and B.
pub(super) const MATRICES: [&str; 2] = ["condition_visible", "condition_hidden"];

impl Conditional {
    /// Views the machine as it is.
    pub fn view(&self) -> ConditionalView<'_> {
        ConditionalView::new(self, self.rbm.view())
    }

    /// Gives the grid of this shift, if it holds weights up to `largest`.
    pub(super) fn restored_grid(&self, shift: i32, largest: f32) -> Result<Grid, Error> {
        let (visible, hidden) = self.sizes();
        let expected = format!("one that holds weights up to {largest}");
        Grid::restored(visible, hidden, shift, largest)
            .ok_or_else(|| Error::value("grid shift", "", expected, shift))
    }

    /// Puts all matrices on a known grid.
    pub(super) fn put_on_grid(&mut self, shift: i32) -> Result<(), Error> {
        self.rbm.grid = self.restored_grid(shift, self.largest())?;
        Ok(())
    }

    /// Gives the columns of a mask that belong to the visible units.
    fn missing(&self, data: &Batch) -> Option<BitMatrix> {
        let (width, visible) = (self.condition_units(), self.rbm.visible_units());
        let of = |mask: &BitMatrix| {
            BitMatrix::from_fn(mask.rows(), visible, |row, unit| mask.get(row, width + unit))
        };
        data.missing().map(of)
    }
}

impl Gibbs for Conditional {
    type State = ConditionalState;

    /// Starts chains whose condition is 0, as [`ConditionalView`] does.
    fn init(&self, chains: usize, key: Key) -> ConditionalState {
        self.view().init(chains, key)
    }

    fn sweep(&self, state: &mut ConditionalState, key: Key) {
        self.view().sweep(state, key);
    }

    fn run(&self, state: &mut ConditionalState, sweeps: std::ops::Range<u64>, key: Key) {
        self.view().run(state, sweeps, key);
    }

    fn energy(&self, state: &ConditionalState) -> Array1<f64> {
        self.view().energy(state)
    }

    fn pack(&self, state: &ConditionalState) -> States {
        self.view().pack(state)
    }

    fn unpack(&self, packed: States) -> Result<ConditionalState, Error> {
        self.view().unpack(packed)
    }
}

impl HasParams for Conditional {
    /// Lends the parameters of the machine of W, and then A and B, `(condition, visible)` and `(condition, hidden)`.
    fn blocks(&self) -> Vec<Block<'_>> {
        let mut blocks = self.rbm.blocks();
        let matrices =
            [(&self.to_visible, self.rbm.visible_units()), (&self.to_hidden, self.rbm.hidden_units())];
        for (name, (values, width)) in MATRICES.into_iter().zip(matrices) {
            blocks.push(Block { name, shape: vec![self.condition_units(), width], values });
        }
        blocks
    }

    fn blocks_mut(&mut self) -> Vec<BlockMut<'_>> {
        let mut blocks = self.rbm.blocks_mut();
        for (name, values) in MATRICES.into_iter().zip([&mut self.to_visible, &mut self.to_hidden]) {
            blocks.push(BlockMut { name, values });
        }
        blocks
    }

    /// Follows the largest entry of the three matrices with their grid.
    fn follow(&mut self, largest: &[f32]) {
        let [weights, .., to_visible, to_hidden] = largest else { return };
        let most = weights.max(*to_visible).max(*to_hidden);
        if [weights, to_visible, to_hidden].into_iter().all(|m| m.is_finite()) {
            self.rbm.grid = self.rbm.grid.followed(mutant!("B105", most, *weights));
        }
    }

    fn digest(&self) -> String {
        let blocks = self.blocks();
        let values = |block: &Block<'_>| match block.shape[..] {
            [_] => block.values.to_vec(),
            _ => block.values.iter().map(|&w| self.rbm.grid.round(w)).collect(),
        };
        let mut entries: Vec<(String, Vec<usize>, Vec<f32>)> =
            blocks.iter().map(|block| (block.name.to_owned(), block.shape.clone(), values(block))).collect();
        for (name, scaling) in [("scaling", self.rbm.scaling()), ("condition", self.scaling.as_ref())] {
            if let Some(scaling) = scaling {
                for (part, figures) in [("mean", scaling.mean()), ("deviation", scaling.deviation())] {
                    entries.push((format!("{name}/{part}"), vec![figures.len()], figures.to_vec()));
                }
            }
        }
        let entries: Vec<_> = entries.iter().map(|(n, shape, v)| (n.as_str(), &shape[..], &v[..])).collect();
        digest(&entries, self.shift())
    }
}

impl Thermal for Conditional {
    type Tempered<'a> = ConditionalView<'a>;

    fn tempered(&self, beta: f32) -> ConditionalView<'_> {
        ConditionalView::new(self, View::tempered(&self.rbm, beta))
    }
}

impl EnergyModel for Conditional {
    fn check_data(&self, data: &Batch) -> Result<(), Error> {
        self.pairs.check("data", data)
    }

    /// Refuses: each condition has a law of its own.
    fn check_free(&self) -> Result<(), Error> {
        Err(Error::option(
            "estimator",
            "chains that start at the rows (CD): each condition has its own law",
            "other chains",
        ))
    }

    fn hidden_means(&self) -> HiddenMeans {
        self.rbm.hidden_means()
    }

    fn growable(&self, hidden: usize) -> Result<usize, Error> {
        let own = self.rbm.growable(hidden)?;
        self.pairs.check_width(self.rbm.grown_units(hidden.max(own))?.features())?;
        Ok(own)
    }

    /// Draws the columns of B from stream 1, as those of W from stream 0.
    fn grow(&mut self, hidden: usize, spread: f32, key: Key) -> Result<Vec<f32>, Error> {
        self.growable(hidden)?;
        let (old, shift) = (self.rbm.hidden_units(), self.shift());
        let means = self.rbm.grow(hidden, spread, key)?;
        self.to_hidden =
            widened(&self.to_hidden, (old, self.rbm.hidden_units()), spread, &mut key.stream(1))?;
        let (visible, hidden) = self.sizes();
        let largest = self.largest();
        let kept = Grid::restored(visible, hidden, shift, largest);
        self.rbm.grid = kept.unwrap_or_else(|| Grid::settled(visible, hidden, largest));
        Ok(means)
    }

    fn shift(&self) -> i32 {
        self.rbm.shift()
    }

    fn restore(&mut self, params: &Params, shift: i32) -> Result<(), Error> {
        let tensors = params.tensors();
        tensors.iter().try_for_each(|tensor| finite(tensor.name, &tensor.values))?;
        let most = tensors.iter().filter(|t| t.shape.len() > 1).flat_map(|t| &t.values);
        let grid = self.restored_grid(shift, most.fold(0.0, |most: f32, x| most.max(x.abs())))?;
        params.store(self);
        self.rbm.grid = grid;
        Ok(())
    }

    /// Starts missing visible values at draws from the marginals, and holds the conditions and the others still.
    fn complete<'a>(&self, data: &'a Batch, sweeps: u32, key: Key) -> Cow<'a, Batch> {
        let Some(missing) = self.missing(data) else { return Cow::Borrowed(data) };
        let (condition, given) = self.take(data.states());
        let (view, nothing) = (self.view(), Input::zero(data.rows(), self.rbm.visible_units()));
        let start = given.filled(&missing, &self.rbm.base.sample(&nothing, key.fold_in(0)));
        let (pulls, mut at) = (view.pulls(&condition), view.standing(condition, start));
        for sweep in 0..u64::from(sweeps) {
            view.sweep_with(&mut at, &pulls, key.fold_in(sweep + 1));
            at.state.visible = given.filled(&missing, &at.state.visible);
        }
        let visible = self.rbm.give(at.state.visible);
        let (condition, _) = self.pairs.split(data.states());
        Cow::Owned(data.completed(self.pairs.joined(&condition, &visible)))
    }

    fn clamp(&self, data: &Batch) -> ConditionalState {
        let (condition, visible) = self.take(data.states());
        self.view().standing(condition, visible)
    }

    fn infer(&self, data: &Batch, key: Key) -> ConditionalState {
        let (mut at, view) = (self.clamp(data), self.view());
        let input = view.hidden_input(&at.state.visible, &view.pulls(&at.condition));
        let (hidden, means) = self.rbm.hidden.sample_with_means(&input, key);
        (at.state.hidden, at.state.posterior) = (hidden, Some(means));
        at
    }

    /// Makes the statistics of the machine of W, and real sums for A and B, which are exact where all units are binary.
    fn stats(&self) -> Stats {
        let (nv, nh, m) = (self.rbm.visible_units(), self.rbm.hidden_units(), self.condition_units());
        if self.rbm.is_binary() {
            let shapes = [
                Shape::Outer(nv, nh),
                Shape::Flat(nv),
                Shape::Flat(nh),
                Shape::Real(m * nv),
                Shape::Real(m * nh),
            ];
            return Stats::new(&shapes).with_signs(self.rbm.visible.signs(), self.rbm.hidden.signs());
        }
        let sizes = self.blocks().into_iter().map(|block| Shape::Real(block.values.len()));
        Stats::new(&sizes.collect::<Vec<_>>())
    }

    /// Adds what [`crate::Rbm`] adds, with the hidden units as their means given v and u, and u vᵀ and u hᵀ.
    fn accumulate(&self, at: &ConditionalState, stats: &mut Stats) {
        let (rbm, state) = (&self.rbm, &at.state);
        let view = self.view();
        let input = || view.hidden_input(&state.visible, &view.pulls(&at.condition));
        let visible = rbm.visible.features_of(&state.visible);
        let hidden = if rbm.is_binary() {
            let means = state.posterior.clone().unwrap_or_else(|| rbm.hidden.mean(&input()));
            let hidden = rbm.hidden.means_of(&means);
            rbm.add_bits(state.visible.expect_bits(), means, stats);
            hidden
        } else {
            let input = input();
            let means = state.posterior.clone().unwrap_or_else(|| rbm.hidden.mean(&input));
            let hidden = rbm.hidden.means_of(&means);
            let mut further = rbm.visible.extra_states(&state.visible);
            further.extend(rbm.hidden.extra_means(&input));
            stats.add_reals(&visible, &hidden, &further);
            hidden
        };
        let condition = features(self.pairs.condition(), &at.condition);
        stats.add_products(&condition, &[&visible, &hidden]);
    }
}

impl Marginal for Conditional {
    /// Computes F(v | u) = −ln Σ_h e^−E(v, h | u), in nats: ln p(v | u) = −F(v | u) − ln Z(u).
    fn free_energy(&self, data: &Batch) -> Result<Array1<f64>, Error> {
        self.check_data(data)?;
        data.check_complete("data")?;
        let (condition, visible) = self.take(data.states());
        let volume = self.rbm.scaling().map_or(0.0, Scaling::log_volume);
        let free = self.view().free_energies(&condition, &visible);
        let measures = self.rbm.visible.log_measure(&visible);
        Ok(free.into_iter().zip(measures).map(|(free, measure)| free - measure + volume).collect())
    }
}
