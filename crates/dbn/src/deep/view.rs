//! Holds every formula of the machine, at any inverse temperature and on the way from a base model.

use std::borrow::Cow;

use harmonium_core::units::{Input, Layer, States, Unit, unpack};
use harmonium_core::{Error, Gibbs, Key};
use harmonium_kernels::BitMatrix;
use harmonium_kernels::product::Way;
use ndarray::{Array1, Array2, Axis, concatenate, s};

use super::link::{Link, inputs};
use super::state::Latent;
use super::{Dbm, State};

/// Where half-steps that draw hidden units of clamped data have their keys, beyond those of sweeps.
pub(super) const INFERRED: u64 = 1 << 32;

/// Is a machine with energy β E, or (1 − β) E_base + β E; it borrows the weights.
#[derive(Clone, Debug)]
pub struct View<'a> {
    pub(super) dbm: &'a Dbm,
    pub(super) gain: f32,
    pub(super) layers: Vec<Cow<'a, Layer>>,
}

/// Says from which layer an input comes, and how.
#[derive(Clone, Copy, Debug)]
pub(super) struct From<'a> {
    pub(super) layer: usize,
    pub(super) link: Link<'a>,
    pub(super) way: Way,
}

impl<'a> View<'a> {
    /// Views the machine as it is.
    pub(super) fn whole(dbm: &'a Dbm) -> Self {
        Self { dbm, gain: 1.0, layers: dbm.layers.iter().map(Cow::Borrowed).collect() }
    }

    /// Views β E.
    pub(super) fn tempered(dbm: &'a Dbm, beta: f32) -> Self {
        let temper = |layer: &Layer| Cow::Owned(mutant!("B245", layer.temper(beta), layer.clone()));
        Self { dbm, gain: beta, layers: dbm.layers.iter().map(temper).collect() }
    }

    /// Views (1 − β) E_base + β E, the base being independent visible units, and hidden ones without biases.
    pub(super) fn annealed(dbm: &'a Dbm, base: &Layer, beta: f32) -> Self {
        let mut view = Self::whole(dbm);
        for (l, layer) in dbm.layers.iter().enumerate() {
            let start = if l == 0 { base } else { &layer.free() };
            view.layers[l] = Cow::Owned(layer.anneal(start, beta));
        }
        Self { gain: beta, ..view }
    }

    /// Gives a layer as it is at this β.
    ///
    /// # Panics
    /// If there is no such layer.
    pub fn layer(&self, l: usize) -> &Layer {
        &self.layers[l]
    }

    /// Gives the weights between layer l and the one above it.
    pub(super) fn link(&self, l: usize) -> Link<'a> {
        let shape = (self.layers[l].features(), self.layers[l + 1].features());
        Link { master: &self.dbm.masters[l], shape, grid: self.dbm.grid }
    }

    /// Lists the neighbours of a layer, the lower one first.
    pub(super) fn neighbours(&self, l: usize) -> Vec<From<'a>> {
        let below = (l > 0).then(|| From { layer: l - 1, link: self.link(l - 1), way: Way::Forward });
        let above =
            (l < self.dbm.depth()).then(|| From { layer: l + 1, link: self.link(l), way: Way::Backward });
        below.into_iter().chain(above).collect()
    }

    /// Gives what a layer receives from its neighbours: `W_lᵀ x_{l−1} + W_{l+1} x_{l+1}`.
    pub fn input<'b>(&'b self, l: usize, states: &'b [States]) -> Input<'b> {
        let from = self.neighbours(l);
        if let Some(sums) = self.bits_alone(&from, states) {
            return sums;
        }
        let features = |(from, codes): (usize, Array2<f64>)| (wide(&self.layers[from], &states[from]), codes);
        let terms: Vec<(Array2<f64>, Array2<f64>)> = self.codes_about(l).into_iter().map(features).collect();
        let lent: Vec<_> = terms.iter().map(|(x, codes)| (x.view(), codes.view())).collect();
        let known = Array2::zeros((states[from[0].layer].rows(), self.layers[l].features()));
        Input::reals(inputs(&known, &lent, self.dbm.grid.quantum()), self.gain)
    }

    /// Gives the input as exact integers, where all neighbours are bits.
    fn bits_alone<'b>(&'b self, from: &[From<'a>], states: &'b [States]) -> Option<Input<'b>> {
        let bits: Option<Vec<&BitMatrix>> = from.iter().map(|f| states[f.layer].bits()).collect();
        let bits = bits?;
        if let [f] = from
            && !self.layers[f.layer].signs()
        {
            return Some(Input::product(f.link.product(bits[0], f.way), self.gain));
        }
        let each =
            from.iter().zip(bits).map(|(f, bits)| f.link.sums(bits, self.layers[f.layer].signs(), f.way));
        let sums = each.reduce(|mut sums, more| {
            sums.iter_mut().zip(more).for_each(|(sum, x)| *sum += x);
            sums
        });
        Some(Input::known(sums?, self.dbm.grid.quantum(), self.gain))
    }

    /// Draws a layer given its neighbours.
    pub(super) fn draw(&self, l: usize, states: &mut [States], key: Key) {
        states[l] = self.layers[l].sample(&self.input(l, states), key);
    }

    /// Gives the key of a layer's half-step: layer 1 is drawn first and then the visible one, as in a machine of two layers.
    pub(super) fn half_step(l: usize, key: Key) -> Key {
        key.fold_in(match l {
            0 => 1,
            1 => 0,
            l => l as u64,
        })
    }

    /// Numbers the layers of one parity, 0 for even ones.
    pub(super) fn side(&self, parity: usize) -> impl Iterator<Item = usize> + use<> {
        (parity..=self.dbm.depth()).step_by(2)
    }

    /// Draws the layers of one parity given the others.
    pub(super) fn draw_side(&self, parity: usize, states: &mut [States], key: Key) {
        self.side(parity).for_each(|l| self.draw(l, states, Self::half_step(l, key)));
    }

    /// Gives states of all layers at rest but for the visible ones.
    pub(super) fn standing(&self, visible: States, latent: Latent) -> State {
        let rows = visible.rows();
        let above = self.layers[1..].iter().map(|layer| layer.rest(rows));
        State { layers: [visible].into_iter().chain(above).collect(), latent }
    }

    /// Draws the hidden layers of even number of clamped data from mean field: where sweeps start.
    pub(super) fn infer(&self, state: &mut State, key: Key) {
        let posterior = self.mean_field(&state.layers[0]);
        for l in self.side(0).skip(1) {
            let input = Input::reals(posterior.inputs[l - 1].clone(), self.gain);
            state.layers[l] = self.layers[l].sample(&input, key.fold_in(INFERRED + l as u64));
        }
        state.latent = Latent::Inferred(posterior);
    }

    /// Computes E of each row, in nats, at this β.
    pub(super) fn energies(&self, states: &[States]) -> Vec<f64> {
        let mut total = vec![0.0; states[0].rows()];
        let mut add = |values: Vec<f64>, sign: f64| {
            total.iter_mut().zip(values).for_each(|(sum, x)| *sum += sign * x);
        };
        (0..states.len()).for_each(|l| add(self.layers[l].energy(&states[l]), 1.0));
        // Every coupling has one end in a layer of odd number.
        self.side(1).for_each(|l| add(self.layers[l].coupled(&states[l], &self.input(l, states)), -1.0));
        total
    }

    /// Puts the states of the layers of one parity side by side, as bits if all are.
    pub(super) fn joined(&self, parity: usize, states: &[States]) -> States {
        let parts: Vec<&States> = self.side(parity).map(|l| &states[l]).collect();
        if let [only] = parts[..] {
            return only.clone();
        }
        let bits: Option<Vec<&BitMatrix>> = parts.iter().map(|part| part.bits()).collect();
        let Some(bits) = bits else {
            let values: Vec<Array2<f32>> = parts.iter().map(|part| part.to_array()).collect();
            let views: Vec<_> = values.iter().map(|values| values.view()).collect();
            return States::Reals(concatenate(Axis(1), &views).expect("states of as many rows"));
        };
        let width = bits.iter().map(|bits| bits.units()).sum();
        let mut out = BitMatrix::zeros(states[0].rows(), width);
        for row in 0..states[0].rows() {
            let mut from = 0;
            for part in &bits {
                part.for_each_one(row, |unit| out.set(row, from + unit, true));
                from += mutant!("B256", part.units(), 0);
            }
        }
        States::Bits(out)
    }

    /// Takes the states of the layers of one parity apart; the others are at rest.
    ///
    /// # Errors
    /// Refuses states of another width or kind.
    pub(super) fn parted(&self, parity: usize, packed: &States) -> Result<Vec<States>, Error> {
        let width = self.side(parity).map(|l| self.layers[l].features()).sum();
        packed.check_features("chains", width)?;
        let binary = self.side(parity).all(|l| self.layers[l].units().is_binary());
        if packed.bits().is_some() != binary {
            let expected = if binary { "bits" } else { "real values" };
            return Err(Error::shape("chains", expected, "states of another kind"));
        }
        Ok(self.apart(parity, packed))
    }

    /// Does so with states that fit.
    pub(super) fn apart(&self, parity: usize, packed: &States) -> Vec<States> {
        let mut states: Vec<States> = self.layers.iter().map(|layer| layer.rest(packed.rows())).collect();
        let mut from = 0;
        for l in self.side(parity) {
            let to = from + self.layers[l].features();
            states[l] = part(packed, from..to, self.layers[l].units().is_binary());
            from = to;
        }
        states
    }
}

/// Copies some columns of states.
fn part(packed: &States, columns: std::ops::Range<usize>, binary: bool) -> States {
    let bits = |on: &dyn Fn(usize, usize) -> bool| {
        States::Bits(BitMatrix::from_fn(packed.rows(), columns.len(), |r, u| on(r, columns.start + u)))
    };
    match packed {
        States::Bits(all) if columns.len() == all.units() => States::Bits(all.clone()),
        States::Bits(all) => bits(&|r, u| all.get(r, u)),
        States::Reals(all) if binary => bits(&|r, u| all[(r, u)] != 0.0),
        States::Reals(all) => States::Reals(all.slice(s![.., columns]).to_owned()),
    }
}

impl Gibbs for View<'_> {
    type State = State;

    /// Draws the layers of even number as if they received nothing.
    fn init(&self, chains: usize, key: Key) -> State {
        let mut state = self.standing(self.layers[0].rest(chains), Latent::Drawn);
        for l in self.side(0) {
            let nothing = Input::zero(chains, self.layers[l].features());
            state.layers[l] = self.layers[l].sample(&nothing, key.fold_in(l as u64));
        }
        state
    }

    /// Draws the layers of odd number given the others, then those of even number; layer l from its own half-step (0 for layer 1, 1
    /// for the visible layer, l for all others).
    fn sweep(&self, state: &mut State, key: Key) {
        if state.latent == Latent::Clamped {
            self.infer(state, key);
        }
        state.latent = Latent::Drawn;
        self.draw_side(mutant!("B255", 1, 0), &mut state.layers, key);
        self.draw_side(0, &mut state.layers, key);
    }

    fn energy(&self, state: &State) -> Array1<f64> {
        self.energies(&state.layers).into()
    }

    /// Packs the layers of even number side by side.
    fn pack(&self, state: &State) -> States {
        self.joined(0, &state.layers)
    }

    fn unpack(&self, packed: States) -> Result<State, Error> {
        Ok(State { layers: self.parted(0, &packed)?, latent: Latent::Drawn })
    }
}

/// Gives features in f64: those of bits and of 16-bit means are exact.
pub(super) fn wide(layer: &Layer, states: &States) -> Array2<f64> {
    match states {
        States::Bits(bits) if !layer.signs() => unpack(bits).mapv(f64::from),
        other => layer.features_of(other).mapv(f64::from),
    }
}
