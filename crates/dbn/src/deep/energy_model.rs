//! Makes the machine trainable: clamped states, mean field and sufficient statistics.

use std::borrow::Cow;

use harmonium_core::stats::{Shape, Stats};
use harmonium_core::units::{Input, Layer, States, Unit, Units};
use harmonium_core::{Batch, EnergyModel, Error, Gibbs, HasParams, HiddenMeans, Key, Params, Thermal};
use harmonium_kernels::parallel;
use ndarray::Array1;

use super::dbm::finite;
use super::params::FIRST;
use super::state::Latent;
use super::{Dbm, State, View};

impl Gibbs for Dbm {
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

impl Thermal for Dbm {
    type Tempered<'a> = View<'a>;

    fn tempered(&self, beta: f32) -> View<'_> {
        View::tempered(self, beta)
    }

    /// Refuses β = 0 where units are real or unbounded: nothing holds them together there.
    fn check_beta(&self, beta: f32) -> Result<(), Error> {
        let open = self.layers.iter().map(Layer::units).find(is_open);
        match open {
            Some(units) if beta.is_nan() || beta <= 0.0 => {
                Err(Error::option("beta", format!("a number above 0 for {units}"), beta))
            }
            _ => Ok(()),
        }
    }
}

/// Tells whether some units of a layer have a density.
fn is_open(units: &Units) -> bool {
    match units {
        Units::Mixed(parts) => parts.iter().any(is_open),
        Units::Binomial { .. } | Units::Poisson(_) => false,
        other => !other.is_binary(),
    }
}

impl EnergyModel for Dbm {
    fn check_data(&self, data: &Batch) -> Result<(), Error> {
        data.check_kind("data", &self.layers[0].units())
    }

    /// Says that no one statistic is that of the hidden units.
    fn hidden_means(&self) -> HiddenMeans {
        HiddenMeans::Absent
    }

    fn shift(&self) -> i32 {
        self.grid.shift()
    }

    fn restore(&mut self, params: &Params, shift: i32) -> Result<(), Error> {
        for tensor in params.tensors() {
            finite(tensor.name, &tensor.values)?;
        }
        let weights = params.tensors().iter().filter(|tensor| tensor.shape.len() > 1);
        let most = weights.map(|tensor| harmonium_core::params::largest(&tensor.values)).fold(0.0, f32::max);
        let grid = self.restored_grid(most, shift)?;
        params.store(self);
        self.grid = grid;
        Ok(())
    }

    /// Starts missing values at draws from the base, and hidden units at rest.
    fn complete<'a>(&self, data: &'a Batch, sweeps: u32, key: Key) -> Cow<'a, Batch> {
        let Some(missing) = data.missing() else { return Cow::Borrowed(data) };
        let (view, given) = (self.view(), data.states());
        let drawn = self.base.sample(&Input::zero(data.rows(), self.visible_units()), key.fold_in(0));
        let mut state = view.standing(given.filled(missing, &drawn), Latent::Clamped);
        parallel::team(|| {
            for sweep in 0..u64::from(sweeps) {
                view.sweep(&mut state, key.fold_in(sweep + 1));
                state.layers[0] = given.filled(missing, &state.layers[0]);
            }
        });
        Cow::Owned(data.completed(state.layers.swap_remove(0)))
    }

    fn clamp(&self, data: &Batch) -> State {
        self.view().standing(data.states().clone(), Latent::Clamped)
    }

    /// Infers the hidden units by mean field, and draws the layers of even number, from which a sweep starts, from it.
    fn infer(&self, data: &Batch, key: Key) -> State {
        let (view, mut state) = (self.view(), self.clamp(data));
        view.infer(&mut state, key);
        state
    }

    /// Makes integer sums for the first coupling where both its layers are binary, else real ones; sums of products of 16-bit means are
    /// exact in f64, too.
    fn stats(&self) -> Stats {
        let sizes = self.blocks().into_iter().map(|block| Shape::Real(block.values.len()));
        let mut shapes: Vec<Shape> = sizes.collect();
        let [visible, first] = [0, 1].map(|l| &self.layers[l]);
        if !(visible.units().is_binary() && first.units().is_binary()) {
            return Stats::new(&shapes);
        }
        let (nv, nh) = (visible.features(), first.features());
        shapes.splice(..FIRST, [Shape::Outer(nv, nh), Shape::Flat(nv), Shape::Flat(nh)]);
        Stats::new(&shapes).with_signs(visible.signs(), first.signs())
    }

    /// Adds x_{l−1} x_lᵀ and x_l: of data with the means of mean field, of chains with the layers of odd number averaged out given
    /// the others, as the hidden layer of a machine of two layers is.
    fn accumulate(&self, state: &State, stats: &mut Stats) {
        let view = self.view();
        match &state.latent {
            Latent::Drawn => view.add_drawn(state, stats),
            Latent::Inferred(law) => view.add_inferred(&state.layers[0], law, stats),
            Latent::Clamped => {
                view.add_inferred(&state.layers[0], &view.mean_field(&state.layers[0]), stats);
            }
        }
    }
}
