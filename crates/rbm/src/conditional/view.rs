//! Sweeps over hidden and visible units while the condition of each row holds still.

use std::ops::Range;

use harmonium_core::units::{Input, States, Unit};
use harmonium_core::{Error, Gibbs, Key};
use harmonium_kernels::parallel;
use harmonium_kernels::product::Way;
use ndarray::Array1;

use super::{Conditional, Pairs};
use crate::coupling::Weights;
use crate::{State, View};

/// Holds a condition for each chain, and where the chains stand.
#[derive(Clone, Debug, PartialEq)]
pub struct ConditionalState {
    pub(super) condition: States,
    pub(super) state: State,
}

impl ConditionalState {
    /// Gives the conditions, `(chains, condition)`, real ones standardised.
    pub fn condition(&self) -> &States {
        &self.condition
    }

    /// Gives the visible states, `(chains, visible)`.
    pub fn visible(&self) -> &States {
        self.state.visible()
    }

    /// Gives the hidden states, `(chains, hidden)`, as [`State::hidden`] does.
    pub fn hidden(&self) -> &States {
        self.state.hidden()
    }
}

/// Is a conditional machine with energy β E; it borrows the weights.
#[derive(Clone, Debug)]
pub struct ConditionalView<'a> {
    pub(super) view: View<'a>,
    pairs: &'a Pairs,
    to_visible: Weights<'a>,
    to_hidden: Weights<'a>,
}

/// Holds what the two layers receive from the conditions: the same through all sweeps.
pub(super) struct Pulls {
    pub(super) visible: Input<'static>,
    pub(super) hidden: Input<'static>,
}

impl<'a> ConditionalView<'a> {
    pub(super) fn new(model: &'a Conditional, view: View<'a>) -> Self {
        let (width, grid) = (model.condition_units(), model.rbm.grid);
        let weights = |master: &'a [f32], units| Weights { master, shape: (width, units), grid };
        Self {
            pairs: &model.pairs,
            to_visible: weights(&model.to_visible, model.rbm.visible_units()),
            to_hidden: weights(&model.to_hidden, model.rbm.hidden_units()),
            view,
        }
    }

    /// Computes Aᵀu and Bᵀu, β included.
    pub(super) fn pulls(&self, condition: &States) -> Pulls {
        let signs = self.pairs.has_signs();
        let pull =
            |weights: Weights<'_>| weights.input(condition, signs, Way::Forward, self.view.gain).computed();
        Pulls { visible: pull(self.to_visible), hidden: pull(self.to_hidden) }
    }

    /// Gives Wᵀv + Bᵀu.
    pub(super) fn hidden_input(&self, visible: &States, pulls: &Pulls) -> Input<'static> {
        let own = self.view.hidden_input(visible);
        mutant!("B104", sum(own, &pulls.hidden), own.computed())
    }

    /// Gives W·h + Aᵀu.
    pub(super) fn visible_input(&self, hidden: &States, pulls: &Pulls) -> Input<'static> {
        sum(self.view.visible_input(hidden), &pulls.visible)
    }

    /// Computes F(v | u) = U(v) − u·A·v − Γ(Wᵀv + Bᵀu) of each row, in nats.
    pub(super) fn free_energies(&self, condition: &States, visible: &States) -> Vec<f64> {
        let pulls = self.pulls(condition);
        let free = self.view.free_energy_from(visible, &self.hidden_input(visible, &pulls));
        let coupled = self.view.visible.coupled(visible, &pulls.visible);
        free.into_iter().zip(coupled).map(|(free, coupled)| free - mutant!("B106", coupled, 0.0)).collect()
    }

    /// Stands visible states beside their conditions, where no hidden unit is drawn yet.
    pub(super) fn standing(&self, condition: States, visible: States) -> ConditionalState {
        ConditionalState { condition, state: self.view.standing(visible) }
    }

    /// Draws visible states as if they received nothing from hidden units: p(v) ∝ e^(−U(v) + u·A·v).
    pub(super) fn start(&self, condition: States, key: Key) -> ConditionalState {
        let visible = self.view.visible.sample(&self.pulls(&condition).visible, key);
        self.standing(condition, visible)
    }

    pub(super) fn sweep_with(&self, at: &mut ConditionalState, pulls: &Pulls, key: Key) {
        let state = &mut at.state;
        if state.posterior.take().is_none() {
            let input = self.hidden_input(&state.visible, pulls);
            state.hidden = self.view.hidden.sample(&input, key.fold_in(0));
        }
        let input = self.visible_input(&state.hidden, pulls);
        state.visible = self.view.visible.sample(&input, key.fold_in(1));
    }
}

impl Gibbs for ConditionalView<'_> {
    type State = ConditionalState;

    /// Starts chains whose condition is 0: of real conditions the mean.
    fn init(&self, chains: usize, key: Key) -> ConditionalState {
        let units = self.pairs.condition();
        let condition = units.layer(vec![0.0; units.features()]).rest(chains);
        self.start(condition, key.fold_in(0))
    }

    /// Draws h ∼ p(h | v, u) in half-step 0, then v ∼ p(v | h, u) in half-step 1.
    fn sweep(&self, state: &mut ConditionalState, key: Key) {
        let pulls = self.pulls(&state.condition);
        self.sweep_with(state, &pulls, key);
    }

    fn run(&self, state: &mut ConditionalState, sweeps: Range<u64>, key: Key) {
        let pulls = self.pulls(&state.condition);
        parallel::team(|| sweeps.for_each(|sweep| self.sweep_with(state, &pulls, key.fold_in(sweep))));
    }

    /// Computes U(v) + U(h) − v·W·h − u·A·v − u·B·h of each row, in nats.
    fn energy(&self, at: &ConditionalState) -> Array1<f64> {
        let (pulls, ConditionalState { state, .. }) = (self.pulls(&at.condition), at);
        let own = self.view.energies(&state.visible, &state.hidden);
        let visible = self.view.visible.coupled(&state.visible, &pulls.visible);
        let hidden = self.view.hidden.coupled(&state.hidden, &pulls.hidden);
        own.into_iter().zip(visible).zip(hidden).map(|((own, v), h)| own - v - h).collect()
    }

    /// Packs the conditions with the visible states behind them.
    fn pack(&self, at: &ConditionalState) -> States {
        self.pairs.joined(&at.condition, &at.state.visible)
    }

    fn unpack(&self, packed: States) -> Result<ConditionalState, Error> {
        packed.check_features("chains", self.pairs.units().features())?;
        if packed.bits().is_some() != self.pairs.is_binary() {
            return Err(Error::shape("chains", self.pairs.units(), "states of another kind"));
        }
        let (condition, visible) = self.pairs.split(&packed);
        Ok(self.standing(condition, visible))
    }
}

/// Adds two inputs of one gain: as integers where both are, else as numbers.
fn sum(own: Input<'_>, other: &Input<'static>) -> Input<'static> {
    let mut own = own.computed();
    let codes = other.sums().filter(|_| own.sums().is_some());
    if let Some(codes) = codes {
        own.add(&codes, 1);
        return own;
    }
    let values = own.values().into_iter().zip(other.values()).map(|(own, other)| own + other);
    Input::reals(values.collect(), 1.0)
}
