//! Makes the machine trainable: clamped states and sufficient statistics.

use harmonium_core::stats::Stats;
use harmonium_core::units::Unit;
use harmonium_core::{Batch, EnergyModel, Error, Gibbs, Key, Marginal, Params};
use harmonium_kernels::{BitMatrix, product};
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

    fn pack(&self, state: &State) -> BitMatrix {
        self.view().pack(state)
    }

    fn unpack(&self, bits: BitMatrix) -> Result<State, Error> {
        self.view().unpack(bits)
    }
}

impl Marginal for Rbm {
    fn free_energy(&self, data: &Batch) -> Result<Array1<f64>, Error> {
        self.check_data(data)?;
        let (view, bits) = (self.view(), data.bits());
        let starts = (0..bits.rows()).step_by(BLOCK);
        let blocks = starts.map(|start| bits.gather(start..bits.rows().min(start + BLOCK)));
        Ok(blocks.flat_map(|rows| view.free_energies(&rows)).collect())
    }
}

impl EnergyModel for Rbm {
    type Tempered<'a> = View<'a>;

    fn tempered(&self, beta: f32) -> View<'_> {
        View::tempered(self, beta)
    }

    fn check_data(&self, data: &Batch) -> Result<(), Error> {
        data.check_units("data", self.visible_units())
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

    fn clamp(&self, data: &Batch) -> State {
        let hidden = BitMatrix::zeros(data.rows(), self.hidden_units());
        State { visible: data.bits().clone(), hidden, posterior: None }
    }

    fn infer(&self, data: &Batch, key: Key) -> State {
        let view = self.view();
        let input = view.hidden_input(data.bits());
        let hidden = view.hidden.sample(&input, key);
        let posterior = mutant!("B17", view.hidden.mean(&input), codes(&hidden));
        State { visible: data.bits().clone(), hidden, posterior: Some(posterior) }
    }

    fn stats(&self) -> Stats {
        let (nv, nh) = (self.visible_units(), self.hidden_units());
        Stats::new(&[nv * nh, nv, nh])
    }

    /// Adds v hᵀ, v and h with the hidden units as their means given v, in 16-bit fixed point.
    fn accumulate(&self, state: &State, stats: &mut Stats) {
        let computed = match &state.posterior {
            Some(_) => None,
            None => Some(self.view().hidden.mean(&self.view().hidden_input(&state.visible))),
        };
        let means = computed.as_ref().or(state.posterior.as_ref()).expect("one of the two is there");
        let rows = state.visible.rows();
        for start in (0..rows).step_by(product::MAX_ROWS) {
            let end = rows.min(start + product::MAX_ROWS);
            let part = &means[start * self.hidden_units()..end * self.hidden_units()];
            if start == 0 && end == rows {
                add(stats, &state.visible, part);
            } else {
                add(stats, &state.visible.gather(start..end), part);
            }
        }
    }
}

fn add(stats: &mut Stats, visible: &BitMatrix, means: &[u16]) {
    let mut sums = stats.window(visible.rows()).into_iter();
    let mut next = || sums.next().expect("three blocks");
    let (weights, visible_sums, hidden_sums) = (next(), next(), next());
    product::add_statistics(visible, means, hidden_sums.len(), weights);
    for (sum, ones) in visible_sums.iter_mut().zip(visible.count_by_unit()) {
        *sum += (ones as i32) << 16;
    }
    for row in means.chunks_exact(hidden_sums.len()) {
        hidden_sums.iter_mut().zip(row).for_each(|(sum, &p)| *sum += i32::from(p));
    }
}

/// Turns draws into the 16-bit codes of 0 and 1: what a planted bug takes for means.
#[cfg(feature = "mutants")]
fn codes(hidden: &BitMatrix) -> Vec<u16> {
    let code = |row, unit| if hidden.get(row, unit) { u16::MAX } else { 0 };
    (0..hidden.rows()).flat_map(|row| (0..hidden.units()).map(move |unit| code(row, unit))).collect()
}

#[cfg(feature = "mutants")]
impl View<'_> {
    /// Leaves wrong hidden statistics behind a sweep, if such a bug is planted; a right sweep leaves none.
    pub(crate) fn plant(&self, state: &mut State, before: Option<Vec<u16>>, key: Key) {
        let paired = mutant!("B01", None, Some(codes(&state.hidden)));
        let again = || codes(&self.sample_hidden(&state.visible, key.fold_in(2)));
        let drawn = mutant!("B16", paired, Some(again()));
        state.posterior = mutant!("B18", drawn, before);
    }

    /// Gives what chains that stood at 0 are after one sweep: what a planted bug takes for fresh ones.
    pub(crate) fn moved(&self, chains: usize, key: Key) -> BitMatrix {
        let old = BitMatrix::zeros(chains, self.visible.units());
        self.sample_visible(&self.sample_hidden(&old, key.fold_in(0)), key.fold_in(1))
    }
}
