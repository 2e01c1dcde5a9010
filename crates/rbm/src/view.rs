//! Holds every formula of the machine, at any inverse temperature and on the way from a base model.

use std::borrow::Cow;

use harmonium_core::units::{Bernoulli, Input, Unit};
use harmonium_core::{Error, Gibbs, Key};
use harmonium_kernels::product::{Product, Way};
use harmonium_kernels::{BitMatrix, Coupling, Grid};
use ndarray::Array1;

use crate::{Rbm, State};

/// Is a machine with energy β E, or (1 − β) E_base + β E; it borrows the weights.
#[derive(Clone, Debug)]
pub struct View<'a> {
    weights: &'a [f32],
    grid: Grid,
    gain: f32,
    pub(crate) visible: Cow<'a, Bernoulli>,
    pub(crate) hidden: Cow<'a, Bernoulli>,
}

impl<'a> View<'a> {
    /// Views the machine as it is.
    pub(crate) fn whole(rbm: &'a Rbm) -> Self {
        let (visible, hidden) = (Cow::Borrowed(&rbm.visible), Cow::Borrowed(&rbm.hidden));
        Self { weights: &rbm.master, grid: rbm.grid, gain: 1.0, visible, hidden }
    }

    /// Views (1 − β) E_base + β E, the base being independent visible units.
    pub(crate) fn annealed(rbm: &'a Rbm, base: &Bernoulli, beta: f32) -> Self {
        let free = Bernoulli::new(vec![0.0; rbm.hidden.units()]);
        let visible = Cow::Owned(rbm.visible.anneal(mutant!("B02", base, &rbm.visible), beta));
        Self { gain: beta, visible, hidden: Cow::Owned(rbm.hidden.anneal(&free, beta)), ..Self::whole(rbm) }
    }

    /// Views β E.
    pub(crate) fn tempered(rbm: &'a Rbm, beta: f32) -> Self {
        let zero = Bernoulli::new(vec![0.0; rbm.visible.units()]);
        let mut view = Self::annealed(rbm, &zero, beta);
        if mutant!("B37", false, true) {
            view.hidden = Cow::Borrowed(&rbm.hidden);
        }
        view
    }

    fn coupling(&self) -> Coupling<'_> {
        Coupling::new(self.weights, self.visible.units(), self.hidden.units(), self.grid)
    }

    /// Gives the input of the hidden layer, Wᵀv: `(n, visible) → (n, hidden)`.
    pub fn hidden_input<'b>(&'b self, visible: &'b BitMatrix) -> Input<'b> {
        Input::product(Product::new(visible, self.coupling(), Way::Forward), self.gain)
    }

    /// Gives the input of the visible layer, W·h: `(n, hidden) → (n, visible)`.
    pub fn visible_input<'b>(&'b self, hidden: &'b BitMatrix) -> Input<'b> {
        Input::product(Product::new(hidden, self.coupling(), Way::Backward), self.gain)
    }

    /// Computes F(v) = −b·v − Σ ln(1 + e^(c + Wᵀv)) of each row, in nats, from the hidden layer's input at this β.
    pub fn free_energy_from(&self, visible: &BitMatrix, input: &Input<'_>) -> Vec<f64> {
        let cgf =
            mutant!("B38", self.hidden.cgf(input), Bernoulli::new(vec![0.0; self.hidden.units()]).cgf(input));
        self.visible.energy(visible).iter().zip(cgf).map(|(u, cgf)| u - cgf).collect()
    }

    /// Computes F(v) of each row, in nats: `(n, visible) → n`.
    pub fn free_energies(&self, visible: &BitMatrix) -> Vec<f64> {
        self.free_energy_from(visible, &self.hidden_input(visible))
    }

    /// Computes E(v, h) of each pair of rows, in nats.
    pub fn energies(&self, visible: &BitMatrix, hidden: &BitMatrix) -> Vec<f64> {
        let input = self.hidden_input(visible);
        let (u, w) = (self.visible.energy(visible), self.hidden.energy(hidden));
        let scale = f64::from(input.quantum) * f64::from(self.gain) * mutant!("B39", 1.0, 2.0);
        let sums = input.sums();
        let rows = sums.chunks_exact(self.hidden.units()).enumerate();
        let coupled = rows.map(|(row, sums)| {
            let mut sum = 0_i64;
            hidden.for_each_one(row, |j| sum += i64::from(sums[j]));
            sum as f64 * scale
        });
        coupled.zip(u).zip(w).map(|((coupled, u), w)| u + w - coupled).collect()
    }

    /// Draws hidden states given visible ones.
    pub fn sample_hidden(&self, visible: &BitMatrix, key: Key) -> BitMatrix {
        self.hidden.sample(&self.hidden_input(visible), key)
    }

    /// Draws visible states given hidden ones.
    pub fn sample_visible(&self, hidden: &BitMatrix, key: Key) -> BitMatrix {
        self.visible.sample(&self.visible_input(hidden), key)
    }

    /// Draws visible units as if no hidden unit were on, row r from stream r.
    fn sample_alone(&self, rows: usize, key: Key) -> BitMatrix {
        let sums = vec![0; rows * self.visible.units()];
        self.visible.sample(&Input::known(sums, self.grid.quantum(), self.gain), key)
    }
}

impl Gibbs for View<'_> {
    type State = State;

    /// Draws the visible units of fresh chains as if no hidden unit were on: p(v_i = 1) = σ(b_i).
    fn init(&self, chains: usize, key: Key) -> State {
        let visible = mutant!("B27", self.sample_alone(chains, key.fold_in(0)), self.moved(chains, key));
        State { hidden: BitMatrix::zeros(chains, self.hidden.units()), visible, posterior: None }
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

    fn pack(&self, state: &State) -> BitMatrix {
        state.visible.clone()
    }

    fn unpack(&self, bits: BitMatrix) -> Result<State, Error> {
        if bits.units() != self.visible.units() {
            let got = format!("{} units", bits.units());
            return Err(Error::shape("chains", format!("{} units", self.visible.units()), got));
        }
        Ok(State {
            hidden: BitMatrix::zeros(bits.rows(), self.hidden.units()),
            visible: bits,
            posterior: None,
        })
    }
}
