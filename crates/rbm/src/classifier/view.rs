//! Sweeps over hidden units, x and y; y is drawn as one of its classes.

use harmonium_core::units::{Categorical, Input, States, Unit};
use harmonium_core::{Error, Gibbs, Key};
use harmonium_kernels::product::{Product, Way};
use harmonium_kernels::{BitMatrix, Coupling};
use ndarray::Array1;

use super::{Classifier, labels};
use crate::{State, View};

/// Is a classifier with energy β E; it borrows the weights.
#[derive(Clone, Debug)]
pub struct ClassifierView<'a> {
    pub(super) view: View<'a>,
    /// n, the units of x.
    units: usize,
    label: Categorical,
}

impl<'a> ClassifierView<'a> {
    pub(super) fn new(model: &'a Classifier, view: View<'a>) -> Self {
        let (units, classes) = (model.units(), model.classes);
        let label = Categorical::new(view.visible.bias()[units..].to_vec(), classes);
        Self { view, units, label }
    }

    /// Gives U·h: `(n, hidden) → (n, classes)`.
    fn label_input<'b>(&'b self, hidden: &'b BitMatrix) -> Input<'b> {
        let (weights, width) = (self.view.weights, hidden.units());
        let rows = &weights.master[self.units * width..];
        let coupling = Coupling::new(rows, self.label.bias().len(), width, weights.grid);
        Input::product(Product::new(hidden, coupling, Way::Backward), self.view.gain)
    }

    /// Gives what y receives from no hidden unit.
    fn alone(&self, rows: usize) -> Input<'static> {
        Input::zero(rows, self.label.bias().len())
    }

    /// Draws a class for each row, in the place of bits that were drawn each for itself.
    fn with_label(&self, visible: &States, input: &Input<'_>, key: Key) -> States {
        let label = self.label.sample(input, key);
        let (drawn, mut bits) = (label.expect_bits(), visible.expect_bits().clone());
        for row in 0..bits.rows() {
            (0..drawn.units()).for_each(|class| bits.set(row, self.units + class, drawn.get(row, class)));
        }
        States::Bits(bits)
    }
}

impl Gibbs for ClassifierView<'_> {
    type State = State;

    /// Draws x and y of fresh chains as if they received nothing from hidden units.
    fn init(&self, chains: usize, key: Key) -> State {
        let fresh = self.view.init(chains, key).visible;
        self.view.standing(self.with_label(&fresh, &self.alone(chains), key.fold_in(2)))
    }

    /// Draws h ∼ p(h | x, y) in half-step 0, then x ∼ p(x | h) in half-step 1 and y ∼ p(y | h) in half-step 2.
    fn sweep(&self, state: &mut State, key: Key) {
        self.view.sweep(state, key);
        let hidden = state.hidden.expect_bits();
        let input = mutant!("B90", self.label_input(hidden), self.alone(hidden.rows()));
        state.visible = self.with_label(&state.visible, &input, key.fold_in(2));
    }

    fn energy(&self, state: &State) -> Array1<f64> {
        self.view.energy(state)
    }

    fn pack(&self, state: &State) -> States {
        self.view.pack(state)
    }

    fn unpack(&self, packed: States) -> Result<State, Error> {
        let state = self.view.unpack(packed)?;
        let bits = state.visible.expect_bits();
        labels::check(bits, self.units)?;
        match labels::all(bits, self.units).iter().position(Option::is_none) {
            Some(row) => Err(Error::value("chains", format!("row {row}"), "one class", "none")),
            None => Ok(state),
        }
    }
}
