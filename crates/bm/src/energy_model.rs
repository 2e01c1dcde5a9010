//! Makes the machine trainable: clamped states and sufficient statistics.

use std::borrow::Cow;

use harmonium_core::stats::{Shape, Stats};
use harmonium_core::units::States;
use harmonium_core::{Batch, EnergyModel, Error, Gibbs, HasParams, HiddenMeans, Key, Params, Thermal};
use harmonium_kernels::{BitMatrix, Grid, parallel};
use ndarray::Array1;

use crate::law::Law;
use crate::mean_field::{self, Order};
use crate::parameters::finite;
use crate::state::Latent;
use crate::sums::sums;
use crate::view::Free;
use crate::{Machine, State, View};

/// Sweeps over the hidden units that draw them given data.
const SWEEPS: u64 = 10;

/// The most states of the hidden units over which positive phases average.
const AVERAGED: f64 = 4096.0;

/// Means of hidden units count in steps of 2^-16, so that their sums are exact in any order.
const STEPS: f64 = 65_536.0;

impl Gibbs for Machine {
    type State = State;

    fn init(&self, chains: usize, key: Key) -> State {
        self.view().init(chains, key)
    }

    fn sweep(&self, state: &mut State, key: Key) {
        self.view().sweep(state, key);
    }

    fn run(&self, state: &mut State, sweeps: std::ops::Range<u64>, key: Key) {
        self.view().run(state, sweeps, key);
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

impl Thermal for Machine {
    type Tempered<'a> = View<'a>;

    fn tempered(&self, beta: f32) -> View<'_> {
        View::tempered(self, beta)
    }

    fn log_states(&self) -> Option<f64> {
        Some(self.graph.vertices() as f64 * libm::log(self.states() as f64))
    }
}

impl EnergyModel for Machine {
    fn check_data(&self, data: &Batch) -> Result<(), Error> {
        data.check_kind("data", &self.visible_kind())
    }

    /// Says that hidden units are among all others.
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
        let most = |name| params.get(name).map_or(0.0, |t| harmonium_core::params::largest(&t.values));
        let most = most("couplings").max(most("triples"));
        let grid = Grid::of_terms(self.most_terms()).at(shift, most).ok_or_else(|| {
            Error::value("grid shift", "", format!("one that holds couplings up to {most}"), shift)
        })?;
        params.store(self);
        self.grid = grid;
        self.recode();
        Ok(())
    }

    /// Starts missing values, and hidden units, at draws from the biases.
    fn complete<'a>(&self, data: &'a Batch, sweeps: u32, key: Key) -> Cow<'a, Batch> {
        let Some(missing) = data.missing() else { return Cow::Borrowed(data) };
        let free = BitMatrix::from_fn(data.rows(), self.biases.len(), |row, feature| {
            feature >= missing.units() || missing.get(row, feature)
        });
        let mut state = self.standing(data.states().expect_bits(), key.fold_in(0));
        state.bits = merged(&state.bits, &self.view().alone(data.rows(), key.fold_in(0).fold_in(0)), &free);
        let later = key.fold_in(1);
        let sweep = |n: u64| mutant!("B138", later.fold_in(n), later);
        self.view().walk(&mut state, Free::These(&free), 0..u64::from(sweeps), &sweep);
        Cow::Owned(data.completed(States::Bits(self.visible_of(&state.bits))))
    }

    /// Lets hidden units stand at 0 (classes: the first one) until they are drawn or averaged out.
    fn clamp(&self, data: &Batch) -> State {
        let (given, width) = (data.states().expect_bits(), self.width());
        let bits = BitMatrix::from_fn(data.rows(), self.biases.len(), |row, feature| {
            if feature < given.units() { given.get(row, feature) } else { width > 1 && feature % width == 0 }
        });
        State { bits, latent: Latent::Unknown }
    }

    /// Draws the hidden units by ten sweeps over them, from a start by their biases.
    fn infer(&self, data: &Batch, key: Key) -> State {
        let mut state = self.standing(data.states().expect_bits(), key.fold_in(0));
        self.view().walk(&mut state, Free::Hidden, 1..1 + SWEEPS, &|sweep| key.fold_in(sweep));
        state.latent = Latent::Drawn;
        state
    }

    /// Makes sums that are exact: of integers, and of means of hidden units in steps of 2^-16.
    fn stats(&self) -> Stats {
        let sizes = self.blocks().into_iter().map(|block| Shape::Real(block.values.len()));
        Stats::new(&sizes.collect::<Vec<_>>())
    }

    /// Adds x_i x_j, x_i and x_i x_j x_k. Where the visible units are data, hidden units are averaged out given them: by
    /// enumeration if they have at most 4,096 states; else a draw of them counts if there is one, and if not their naive mean
    /// field (Salakhutdinov & Hinton 2009).
    fn accumulate(&self, state: &State, stats: &mut Stats) {
        let rows = state.bits.rows() as u64;
        let few = self.hidden_states() <= AVERAGED;
        let sums = match state.latent {
            Latent::Unknown | Latent::Drawn if self.hidden_units() > 0 && few => {
                self.averaged(&state.bits, true)
            }
            Latent::Unknown if self.hidden_units() > 0 => self.averaged(&state.bits, false),
            _ => sums(self, &state.bits),
        };
        stats.add_sums(rows, &sums);
    }
}

impl Machine {
    /// Walks with any units clamped, all or none: draws those features' units of each row that `free` marks, `(chains,
    /// features)`, and leaves the others; sweep n from `key.fold_in(n)`.
    ///
    /// # Errors
    /// Refuses marks of another shape, and marks on a part of the classes of a unit.
    pub fn sample_given(
        &self,
        state: &mut State,
        free: &BitMatrix,
        sweeps: u32,
        key: Key,
    ) -> Result<(), Error> {
        let (expected, got) = ((state.bits.rows(), self.biases.len()), (free.rows(), free.units()));
        if expected != got {
            return Err(Error::shape("free units", format!("{expected:?}"), format!("{got:?}")));
        }
        let width = self.width();
        let torn = |row: usize| {
            let differs = |feature: &usize| free.get(row, *feature) != free.get(row, feature / width * width);
            (0..got.1).find(differs).map(|feature| (row, feature))
        };
        if let Some((row, feature)) = (0..got.0).find_map(torn) {
            let place = format!("row {row}, feature {feature}");
            return Err(Error::value("free units", place, "all classes of a unit or none", "a part of them"));
        }
        self.view().walk(state, Free::These(free), 0..u64::from(sweeps), &|sweep| key.fold_in(sweep));
        Ok(())
    }

    /// Lets the visible units of chains stand at these rows, and draws the hidden ones as if they received nothing.
    fn standing(&self, visible: &BitMatrix, key: Key) -> State {
        let free =
            BitMatrix::from_fn(visible.rows(), self.biases.len(), |_, feature| feature >= visible.units());
        let wide = BitMatrix::from_fn(visible.rows(), self.biases.len(), |row, feature| {
            feature < visible.units() && visible.get(row, feature)
        });
        State::new(merged(&wide, &self.view().alone(visible.rows(), key), &free))
    }

    /// Copies the visible features.
    pub(crate) fn visible_of(&self, bits: &BitMatrix) -> BitMatrix {
        let features = self.visible * self.width();
        BitMatrix::from_fn(bits.rows(), features, |row, feature| bits.get(row, feature))
    }

    /// Refuses states in which a unit has no class or several.
    pub(crate) fn check_classes(&self, field: &str, bits: &BitMatrix) -> Result<(), Error> {
        let width = self.width();
        if width == 1 {
            return Ok(());
        }
        let odd = |row: usize| {
            let classes =
                |unit: &usize| (0..width).filter(|class| bits.get(row, unit * width + class)).count();
            (0..self.graph.vertices()).find(|unit| classes(unit) != 1).map(|unit| (row, unit))
        };
        match (0..bits.rows()).find_map(odd) {
            Some((row, unit)) => {
                let place = format!("row {row}, unit {unit}");
                Err(Error::value(field, place, "one class", "none or several"))
            }
            None => Ok(()),
        }
    }

    /// Adds up mean statistics given the visible units, equal rows at once.
    fn averaged(&self, bits: &BitMatrix, exactly: bool) -> Vec<Vec<f64>> {
        let (form, visible) = (self.view().form(), self.visible_of(bits));
        let rows = Self::distinct(&visible);
        let parts = parallel::map(rows.len(), |at| {
            let (row, times) = rows[at];
            let known = self.known(bits, row);
            let law = exactly.then(|| Law::new(&form, &known).ok()).flatten();
            let means = match law {
                Some(law) => self.expected(&law),
                None => mean_field::expected(self, &known, Order::Naive),
            };
            let step = |mean: f64| (mean * STEPS).round_ties_even() / STEPS * times;
            means.into_iter().map(|block| block.into_iter().map(step).collect()).collect::<Vec<Vec<f64>>>()
        });
        let mut out: Vec<Vec<f64>> =
            self.blocks().iter().map(|block| vec![0.0; block.values.len()]).collect();
        for part in &parts {
            for (sums, part) in out.iter_mut().zip(part) {
                sums.iter_mut().zip(part).for_each(|(sum, x)| *sum += x);
            }
        }
        out
    }
}

/// Takes bits from `other` where the mask is set.
fn merged(own: &BitMatrix, other: &BitMatrix, mask: &BitMatrix) -> BitMatrix {
    let words = own.words().iter().zip(other.words()).zip(mask.words());
    let words = words.map(|((own, other), mask)| own & !mask | other & mask).collect();
    BitMatrix::from_words(own.rows(), own.units(), words).expect("words of one shape")
}
