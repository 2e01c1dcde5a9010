//! Holds every formula of the machine, at any inverse temperature and on the way from a base model.

use std::borrow::Cow;

use harmonium_core::units::{Input, Layer, States, Unit};
use harmonium_core::{Error, Gibbs, Key};
use harmonium_kernels::product::Way;
use ndarray::Array1;

use crate::coupling::Weights;
use crate::{Rbm, State};

/// Is a machine with energy β E, or (1 − β) E_base + β E; it borrows the weights.
#[derive(Clone, Debug)]
pub struct View<'a> {
    pub(crate) weights: Weights<'a>,
    pub(crate) gain: f32,
    pub(crate) visible: Cow<'a, Layer>,
    pub(crate) hidden: Cow<'a, Layer>,
}

impl<'a> View<'a> {
    /// Views the machine as it is.
    pub(crate) fn whole(rbm: &'a Rbm) -> Self {
        let (visible, hidden) = (Cow::Borrowed(&rbm.visible), Cow::Borrowed(&rbm.hidden));
        let shape = (visible.features(), hidden.features());
        Self { weights: Weights { master: &rbm.master, shape, grid: rbm.grid }, gain: 1.0, visible, hidden }
    }

    /// Views (1 − β) E_base + β E, the base being independent visible units, and hidden ones without biases.
    pub(crate) fn annealed(rbm: &'a Rbm, base: &Layer, beta: f32) -> Self {
        let visible = Cow::Owned(rbm.visible.anneal(mutant!("B02", base, &rbm.visible), beta));
        let hidden = Cow::Owned(rbm.hidden.anneal(&rbm.hidden.free(), beta));
        Self { gain: beta, visible, hidden, ..Self::whole(rbm) }
    }

    /// Views β E.
    pub(crate) fn tempered(rbm: &'a Rbm, beta: f32) -> Self {
        let visible = Cow::Owned(rbm.visible.temper(beta));
        let hidden = Cow::Owned(mutant!("B37", rbm.hidden.temper(beta), rbm.hidden.clone()));
        Self { gain: beta, visible, hidden, ..Self::whole(rbm) }
    }

    /// Refuses what only holds where draws follow e^−E.
    pub(crate) fn check_energy(&self, what: &str) -> Result<(), Error> {
        let units = self.hidden.units();
        if mutant!("B98", units.follow_energy(), true) {
            return Ok(());
        }
        Err(Error::shape(what, "hidden units whose draws follow an energy", units))
    }

    /// Gives the input of the hidden layer, Wᵀv: `(n, visible) → (n, hidden)`.
    pub fn hidden_input<'b>(&'b self, visible: &'b States) -> Input<'b> {
        self.weights.input(visible, self.visible.signs(), Way::Forward, self.gain)
    }

    /// Gives the input of the visible layer, W·h: `(n, hidden) → (n, visible)`.
    pub fn visible_input<'b>(&'b self, hidden: &'b States) -> Input<'b> {
        self.weights.input(hidden, self.hidden.signs(), Way::Backward, self.gain)
    }

    /// Computes F(v) = U(v) − Γ(Wᵀv) of each row, in nats, from the hidden layer's input at this β.
    pub fn free_energy_from(&self, visible: &States, input: &Input<'_>) -> Vec<f64> {
        let cgf = mutant!("B38", self.hidden.cgf(input), self.hidden.free().cgf(input));
        self.visible.energy(visible).iter().zip(cgf).map(|(u, cgf)| u - cgf).collect()
    }

    /// Computes F(v) of each row, in nats: `(n, visible) → n`.
    pub fn free_energies(&self, visible: &States) -> Vec<f64> {
        self.free_energy_from(visible, &self.hidden_input(visible))
    }

    /// Computes E(v, h) = U(v) + U(h) − v·W·h of each pair of rows, in nats.
    pub fn energies(&self, visible: &States, hidden: &States) -> Vec<f64> {
        let (u, w) = (self.visible.energy(visible), self.hidden.energy(hidden));
        let coupled = self.hidden.coupled(hidden, &self.hidden_input(visible));
        let coupled = coupled.into_iter().map(|coupled| coupled * mutant!("B39", 1.0, 2.0));
        coupled.zip(u).zip(w).map(|((coupled, u), w)| u + w - coupled).collect()
    }

    /// Draws hidden states given visible ones.
    pub fn sample_hidden(&self, visible: &States, key: Key) -> States {
        self.hidden.sample(&self.hidden_input(visible), key)
    }

    /// Draws visible states given hidden ones.
    pub fn sample_visible(&self, hidden: &States, key: Key) -> States {
        self.visible.sample(&self.visible_input(hidden), key)
    }

    /// Draws visible units as if they received nothing, row r from stream r.
    fn sample_alone(&self, rows: usize, key: Key) -> States {
        self.visible.sample(&Input::zero(rows, self.visible.features()), key)
    }

    /// Stands visible states in a place where no hidden unit is drawn yet.
    pub(crate) fn standing(&self, visible: States) -> State {
        State { hidden: self.hidden.rest(visible.rows()), visible, posterior: None }
    }
}

impl Gibbs for View<'_> {
    type State = State;

    /// Draws the visible units of fresh chains as if they received nothing from hidden ones: p(v) ∝ e^−U(v).
    fn init(&self, chains: usize, key: Key) -> State {
        self.standing(mutant!("B27", self.sample_alone(chains, key.fold_in(0)), self.moved(chains, key)))
    }

    /// Draws h ∼ p(h | v) in half-step 0, then v ∼ p(v | h) in half-step 1.
    fn sweep(&self, state: &mut State, key: Key) {
        let posterior = state.posterior.take();
        if posterior.is_none() {
            state.hidden = self.sample_hidden(&state.visible, key.fold_in(0));
        }
        let key = mutant!("B42", key.fold_in(1), key.fold_in(0));
        let input = self.visible_input(&state.hidden);
        state.visible = mutant!("B15", self.visible.sample(&input, key), self.visible.mode(&input));
        #[cfg(feature = "mutants")]
        self.plant(state, posterior, key);
    }

    fn energy(&self, state: &State) -> Array1<f64> {
        self.energies(&state.visible, &state.hidden).into()
    }

    fn pack(&self, state: &State) -> States {
        state.visible.clone()
    }

    fn unpack(&self, packed: States) -> Result<State, Error> {
        packed.check_features("chains", self.visible.features())?;
        if packed.bits().is_some() != self.visible.units().is_binary() {
            return Err(Error::shape(
                "chains",
                format!("{}", self.visible.units()),
                "states of another kind",
            ));
        }
        Ok(self.standing(packed))
    }
}
