//! Makes the machine trainable: clamped states and sufficient statistics.

use std::borrow::Cow;

use harmonium_core::stats::{Shape, Stats};
use harmonium_core::units::{Means, Scaling, States, Unit, Units};
use harmonium_core::{
    Batch, EnergyModel, Error, Gibbs, HasParams, HiddenMeans, Key, Marginal, Params, Thermal,
};
use harmonium_kernels::BitMatrix;
use harmonium_kernels::product::MAX_ROWS;
use ndarray::Array1;

use crate::rbm::finite;
use crate::{Rbm, State, View};

/// Rows whose free energies are computed at a time: their inputs take 4 bytes a hidden unit.
const BLOCK: usize = 2048;

impl Gibbs for Rbm {
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

impl Marginal for Rbm {
    fn free_energy(&self, data: &Batch) -> Result<Array1<f64>, Error> {
        self.check_data(data)?;
        data.check_complete("data")?;
        let (view, states) = (self.view(), self.take(data));
        // The density of the data's own units.
        let volume = self.scaling().map_or(0.0, Scaling::log_volume);
        let starts = (0..states.rows()).step_by(BLOCK);
        let blocks = starts.map(|start| states.gather(start..states.rows().min(start + BLOCK)));
        let free = blocks.flat_map(|rows| {
            let measures = self.visible.log_measure(&rows).into_iter();
            view.free_energies(&rows)
                .into_iter()
                .zip(measures)
                .map(|(f, m)| f - m + volume)
                .collect::<Vec<_>>()
        });
        Ok(free.collect())
    }
}

impl Thermal for Rbm {
    type Tempered<'a> = View<'a>;

    fn tempered(&self, beta: f32) -> View<'_> {
        View::tempered(self, beta)
    }

    fn check_swaps(&self) -> Result<(), Error> {
        self.view().check_energy("swaps of chains")
    }

    /// Gives that of both layers, whose units are all free at β = 0; none where units are real.
    fn log_states(&self) -> Option<f64> {
        let layers = [&self.visible, &self.hidden];
        let known = self.check_swaps().is_ok() && layers.iter().all(|layer| layer.units().is_discrete());
        known.then(|| layers.iter().map(|layer| layer.free().log_z()).sum())
    }

    /// Refuses β = 0 where units are real: nothing holds them together there.
    fn check_beta(&self, beta: f32) -> Result<(), Error> {
        let real = [&self.visible, &self.hidden].into_iter().find(|layer| !layer.units().is_discrete());
        match real {
            Some(layer) if beta.is_nan() || beta <= 0.0 => {
                Err(Error::option("beta", format!("a number above 0 for {}", layer.units()), beta))
            }
            _ => Ok(()),
        }
    }
}

impl EnergyModel for Rbm {
    fn check_data(&self, data: &Batch) -> Result<(), Error> {
        data.check_kind("data", &self.visible.units())
    }

    fn hidden_means(&self) -> HiddenMeans {
        match self.hidden.units() {
            Units::Bernoulli(_) => HiddenMeans::Probabilities,
            _ => HiddenMeans::Values,
        }
    }

    fn growable(&self, hidden: usize) -> Result<usize, Error> {
        let own = self.hidden.units().count();
        self.grown_units(hidden.max(own)).map(|_| own)
    }

    fn grow(&mut self, hidden: usize, spread: f32, key: Key) -> Result<Vec<f32>, Error> {
        let units = self.grown_units(hidden)?;
        self.grow_to(&units, spread, key)
    }

    fn shift(&self) -> i32 {
        self.grid.shift()
    }

    fn restore(&mut self, params: &Params, shift: i32) -> Result<(), Error> {
        for tensor in params.tensors() {
            finite(tensor.name, &tensor.values)?;
        }
        let grid = self.restored_grid(&params.tensors()[0].values, shift)?;
        params.store(self);
        self.grid = grid;
        Ok(())
    }

    /// Starts missing values at draws from the marginals ([`Rbm::base`]).
    fn complete<'a>(&self, data: &'a Batch, sweeps: u32, key: Key) -> Cow<'a, Batch> {
        if data.missing().is_none() {
            return Cow::Borrowed(data);
        }
        let state = self.walk_clamped(data, u64::from(sweeps), key, &mut |_| ());
        Cow::Owned(data.completed(self.give(state)))
    }

    fn clamp(&self, data: &Batch) -> State {
        self.view().standing(self.take(data).into_owned())
    }

    fn infer(&self, data: &Batch, key: Key) -> State {
        let (view, visible) = (self.view(), self.take(data).into_owned());
        let (hidden, means) = view.hidden.sample_with_means(&view.hidden_input(&visible), key);
        let posterior = Some(mutant!("B17", means, codes(&hidden)));
        State { visible, hidden, posterior }
    }

    /// Makes integer sums where both layers are binary, else real ones.
    fn stats(&self) -> Stats {
        let (nv, nh) = (self.visible_units(), self.hidden_units());
        if self.is_binary() {
            return Stats::new(&[Shape::Outer(nv, nh), Shape::Flat(nv), Shape::Flat(nh)])
                .with_signs(self.visible.signs(), self.hidden.signs());
        }
        self.real_stats()
    }

    /// Adds v hᵀ, v and h with the hidden units as their means given v: in 16-bit fixed point where these are probabilities;
    /// and what the layers' other parameters have for statistics.
    fn accumulate(&self, state: &State, stats: &mut Stats) {
        let (view, known) = (self.view(), state.posterior.as_ref());
        let means = || known.cloned().unwrap_or_else(|| view.hidden.mean(&view.hidden_input(&state.visible)));
        match &state.visible {
            States::Bits(bits) if self.hidden.units().is_binary() => self.add_bits(bits, means(), stats),
            _ => self.accumulate_reals(state, stats),
        }
    }
}

impl Rbm {
    /// Tells whether both layers are binary, so that statistics are integers.
    pub(crate) fn is_binary(&self) -> bool {
        self.visible.units().is_binary() && self.hidden.units().is_binary()
    }

    /// Makes empty real sums.
    pub(crate) fn real_stats(&self) -> Stats {
        let sizes = self.blocks().into_iter().map(|block| Shape::Real(block.values.len()));
        Stats::new(&sizes.collect::<Vec<_>>())
    }

    /// Adds v hᵀ, v, h and the further statistics to real sums.
    pub(crate) fn accumulate_reals(&self, state: &State, stats: &mut Stats) {
        let (view, visible) = (self.view(), &state.visible);
        let input = view.hidden_input(visible).computed();
        let means = state.posterior.as_ref().map_or_else(|| view.hidden.mean(&input), Clone::clone);
        let mut further = self.visible.extra_states(visible);
        further.extend(self.hidden.extra_means(&input));
        stats.add_reals(&self.visible.features_of(visible), &self.hidden.means_of(&means), &further);
    }

    pub(crate) fn add_bits(&self, visible: &BitMatrix, means: Means, stats: &mut Stats) {
        let Means::Codes(means) = means else { panic!("means of a binary layer are codes") };
        let rows = visible.rows();
        if rows <= MAX_ROWS {
            return stats.add(visible, means);
        }
        for start in (0..rows).step_by(MAX_ROWS) {
            let (end, nh) = (rows.min(start + MAX_ROWS), self.hidden_units());
            stats.add(&visible.gather(start..end), means[start * nh..end * nh].to_vec());
        }
    }
}

/// Turns draws into the 16-bit codes of 0 and 1: what a planted bug takes for means.
#[cfg(feature = "mutants")]
fn codes(hidden: &States) -> Means {
    let hidden = hidden.expect_bits();
    let code = |row, unit| if hidden.get(row, unit) { u16::MAX } else { 0 };
    Means::Codes(
        (0..hidden.rows()).flat_map(|row| (0..hidden.units()).map(move |unit| code(row, unit))).collect(),
    )
}

#[cfg(feature = "mutants")]
impl View<'_> {
    /// Leaves wrong hidden statistics behind a sweep, if such a bug is planted; a right sweep leaves none.
    pub(crate) fn plant(&self, state: &mut State, before: Option<Means>, key: Key) {
        let paired = mutant!("B01", None, Some(codes(&state.hidden)));
        let again = || codes(&self.sample_hidden(&state.visible, key.fold_in(2)));
        let drawn = mutant!("B16", paired, Some(again()));
        state.posterior = mutant!("B18", drawn, before);
    }

    /// Gives what chains that stood at 0 are after one sweep: what a planted bug takes for fresh ones.
    pub(crate) fn moved(&self, chains: usize, key: Key) -> States {
        let old = self.visible.rest(chains);
        self.sample_visible(&self.sample_hidden(&old, key.fold_in(0)), key.fold_in(1))
    }
}
