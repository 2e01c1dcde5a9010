//! Walks from independent layers to the machine, for annealed importance sampling.

use harmonium_core::sample::{Reversible, with_rows_back};
use harmonium_core::units::{Input, Layer, States, Unit, Units};
use harmonium_core::{Annealed, Error, Key};

use super::{Dbm, View};

/// Is the path (1 − β) E_base + β E; at β = 0 the visible units are independent and the hidden ones have no biases.
///
/// A run stands on the layers of one parity alone; those of the other are summed out in closed form, as in Salakhutdinov & Hinton
/// 2009, section 3.4, who keep the first hidden layer of two. The side with fewer features is kept: the more is summed out, the less the weights vary.
#[derive(Clone, Copy, Debug)]
pub struct Path<'a> {
    dbm: &'a Dbm,
    base: &'a Layer,
    kept: usize,
}

impl Dbm {
    /// Views the machine at β on the way from `base`: energy (1 − β) E_base + β E.
    pub fn annealed(&self, base: &Layer, beta: f32) -> View<'_> {
        View::annealed(self, base, beta)
    }

    /// Gives the path from `base` to the machine.
    ///
    /// # Errors
    /// Refuses a base of another width or kind, or with a parameter that is not finite.
    pub fn path<'a>(&'a self, base: &'a Layer) -> Result<Path<'a>, Error> {
        self.check_base(base)?;
        Ok(Path { dbm: self, base, kept: self.kept() })
    }

    /// Gives the parity of the layers with fewer features; of equals the odd one, which the visible layer is not in.
    pub(super) fn kept(&self) -> usize {
        let features =
            |parity| self.layers.iter().skip(parity).step_by(2).map(Layer::features).sum::<usize>();
        usize::from(features(1) <= features(0))
    }

    /// Gives the path whose runs stand on layers of even number, as chains do.
    pub(super) fn path_of_chains(&self) -> Path<'_> {
        Path { dbm: self, base: &self.base, kept: 0 }
    }
}

impl<'a> Path<'a> {
    pub(super) fn at(&self, beta: f32) -> View<'a> {
        View::annealed(self.dbm, self.base, beta)
    }
}

impl View<'_> {
    /// Computes the inputs of all layers that are not kept, β left out.
    pub(super) fn summed_inputs(&self, kept: usize, states: &[States]) -> Vec<(usize, Input<'static>)> {
        self.side(1 - kept).map(|l| (l, self.input(l, states).computed())).collect()
    }

    /// Computes −ln Σ e^−E over the other side of each row, in nats, at this β.
    pub(super) fn side_energies(
        &self,
        kept: usize,
        states: &[States],
        inputs: &[(usize, Input<'static>)],
    ) -> Vec<f64> {
        let mut total = vec![0.0; states[0].rows()];
        let mut add = |values: Vec<f64>, sign: f64| {
            total.iter_mut().zip(values).for_each(|(sum, x)| *sum += sign * x);
        };
        self.side(kept).for_each(|l| add(self.layers[l].energy(&states[l]), 1.0));
        for (l, input) in inputs {
            add(self.layers[*l].cgf(&input.with_gain(self.gain)), -1.0);
        }
        total
    }
}

impl Annealed for Path<'_> {
    type State = States;

    fn base_samples(&self, runs: usize, key: Key) -> States {
        let view = self.at(0.0);
        let mut states: Vec<States> = view.layers.iter().map(|layer| layer.rest(runs)).collect();
        for l in view.side(self.kept) {
            let nothing = Input::zero(runs, view.layers[l].features());
            states[l] = view.layers[l].sample(&nothing, key.fold_in(l as u64));
        }
        view.joined(self.kept, &states)
    }

    /// Gives ln Z of the base: Γ(0) of its visible units, and of hidden ones without biases, ln 2 for each bit.
    fn base_log_z(&self) -> f64 {
        let hidden = self.dbm.layers[1..].iter().map(|layer| match layer.units() {
            Units::Bernoulli(units) => units as f64 * std::f64::consts::LN_2,
            _ => layer.free().log_z(),
        });
        self.base.log_z() + hidden.sum::<f64>()
    }

    /// Shares one set of inputs between both free energies and the sweep's first half-step.
    fn advance(&self, state: &mut States, from: f32, to: f32, key: Key) -> Vec<f64> {
        let (before, after) = (self.at(from), self.at(to));
        let mut states = after.apart(self.kept, state);
        let inputs = after.summed_inputs(self.kept, &states);
        let f = before.side_energies(self.kept, &states, &inputs);
        let to = mutant!("B249", after.side_energies(self.kept, &states, &inputs), {
            before.side_energies(self.kept, &states, &inputs[1..])
        });
        let gains = f.iter().zip(to).map(|(a, b)| a - b).collect();
        for (l, input) in &inputs {
            let input = input.with_gain(after.gain);
            states[*l] = after.layers[*l].sample(&input, View::half_step(*l, key));
        }
        after.draw_side(self.kept, &mut states, key);
        *state = after.joined(self.kept, &states);
        gains
    }
}

/// A sweep seen on one side alone, Σ_y p(y | x) p(x' | y), is in detailed balance with the law of that side.
impl Reversible for Path<'_> {
    fn check_reversible(&self) -> Result<(), Error> {
        Ok(())
    }

    fn packed(&self, state: &States) -> States {
        state.clone()
    }

    fn put_back(&self, state: &mut States, before: &States, rows: &[bool]) {
        *state = with_rows_back(state, before, rows);
    }
}
