//! Joins an energy over finite sites with the way it is sampled.

use harmonium_kernels::{BitMatrix, Key};
use ndarray::{Array1, Array2};
use rand::RngCore;
use serde::{Deserialize, Serialize};

use super::rows::{move_rows, of_rows, put_back};
use super::sites::check;
use super::{Sites, Update, heat_bath, informed, metropolis};
use crate::sample::Reversible;
use crate::units::States;
use crate::{Annealed, Error, Gibbs, Thermal};

/// Says in which order a sweep goes through the sites.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// From the first to the last: every site once.
    #[default]
    Forward,
    /// From the first to the last and back: every site twice, in detailed balance with the law.
    ThereAndBack,
}

/// Is an energy over sites as a model: chains stand on `(chains, sites)` states.
///
/// Packed states are bits where every site has two states, else the numbers of the states. The path of
/// annealing starts where all states are alike: ln Z of the base is Σ ln states.
#[derive(Clone, Debug, PartialEq)]
pub struct Discrete<E> {
    energy: E,
    update: Update,
    order: Order,
}

/// Is such a model with energy β E.
#[derive(Clone, Copy, Debug)]
pub struct DiscreteView<'a, E> {
    model: &'a Discrete<E>,
    beta: f64,
}

impl<E: Sites> Discrete<E> {
    /// Joins an energy and its updates, whose sweeps go forward.
    ///
    /// # Errors
    /// Refuses no sites, sites with fewer than two states, and what the energy itself refuses.
    pub fn new(energy: E, update: Update) -> Result<Self, Error> {
        check(&energy)?;
        update.check()?;
        Ok(Self { energy, update, order: Order::default() })
    }

    /// Sweeps in another order.
    #[must_use]
    pub fn in_order(self, order: Order) -> Self {
        Self { order, ..self }
    }

    /// Lends the energy.
    pub fn inner(&self) -> &E {
        &self.energy
    }

    fn view(&self, beta: f32) -> DiscreteView<'_, E> {
        DiscreteView { model: self, beta: f64::from(beta) }
    }

    fn is_binary(&self) -> bool {
        (0..self.energy.sites()).all(|site| self.energy.states(site) == 2)
    }

    fn energies(&self, state: &Array2<u16>) -> Vec<f64> {
        of_rows(state, |_, x| self.energy.energy(x))
    }

    /// Updates one row by a sweep.
    fn update(&self, beta: f64, x: &mut [u16], stream: &mut dyn RngCore) {
        let (energy, sites) = (&self.energy, self.energy.sites());
        if let Update::Informed { moves } = self.update {
            return (0..moves)
                .for_each(|_| informed(energy, beta, x, [stream.next_u32(), stream.next_u32()]));
        }
        let back = if self.order == Order::ThereAndBack { sites } else { 0 };
        for site in (0..sites).chain((0..back).rev()) {
            match self.update {
                Update::HeatBath => heat_bath(energy, beta, x, site, stream.next_u32()),
                _ => metropolis(energy, beta, x, site, [stream.next_u32(), stream.next_u32()]),
            }
        }
    }

    /// Draws all states alike.
    fn uniform(&self, chains: usize, key: Key) -> Array2<u16> {
        let mut out = Array2::zeros((chains, self.energy.sites()));
        move_rows(&mut out, key, |x, stream| {
            x.iter_mut().enumerate().for_each(|(site, x)| {
                *x = (u64::from(stream.next_u32()) * u64::from(self.energy.states(site)) >> 32) as u16;
            });
        });
        out
    }

    fn packed_states(&self, state: &Array2<u16>) -> States {
        if self.is_binary() {
            let (rows, sites) = state.dim();
            return BitMatrix::from_fn(rows, sites, |row, site| state[(row, site)] == 1).into();
        }
        States::Reals(state.mapv(f32::from))
    }
}

impl<E: Sites> Gibbs for DiscreteView<'_, E> {
    type State = Array2<u16>;

    fn init(&self, chains: usize, key: Key) -> Array2<u16> {
        self.model.uniform(chains, key.fold_in(0))
    }

    fn sweep(&self, state: &mut Array2<u16>, key: Key) {
        move_rows(state, key.fold_in(0), |x, stream| self.model.update(self.beta, x, stream));
    }

    fn energy(&self, state: &Array2<u16>) -> Array1<f64> {
        self.model.energies(state).into_iter().map(|energy| self.beta * energy).collect()
    }

    fn pack(&self, state: &Array2<u16>) -> States {
        self.model.packed_states(state)
    }

    fn unpack(&self, packed: States) -> Result<Array2<u16>, Error> {
        let energy = &self.model.energy;
        packed.check_features("chains", energy.sites())?;
        if packed.bits().is_some() != self.model.is_binary() {
            return Err(Error::shape("chains", "states of the energy's kind", "states of another kind"));
        }
        let values = packed.to_array();
        let wrong = |&((_, site), x): &((usize, usize), &f32)| {
            !(x.fract() == 0.0 && (0.0..f32::from(energy.states(site))).contains(x))
        };
        if let Some(((row, site), x)) = values.indexed_iter().find(wrong) {
            let expected = format!("0 to {}", energy.states(site) - 1);
            return Err(Error::value("chains", format!("row {row}, site {site}"), expected, x));
        }
        Ok(values.mapv(|x| x as u16))
    }
}

impl<E: Sites> Gibbs for Discrete<E> {
    type State = Array2<u16>;

    fn init(&self, chains: usize, key: Key) -> Array2<u16> {
        self.view(1.0).init(chains, key)
    }

    fn sweep(&self, state: &mut Array2<u16>, key: Key) {
        self.view(1.0).sweep(state, key);
    }

    fn energy(&self, state: &Array2<u16>) -> Array1<f64> {
        self.view(1.0).energy(state)
    }

    fn pack(&self, state: &Array2<u16>) -> States {
        self.packed_states(state)
    }

    fn unpack(&self, packed: States) -> Result<Array2<u16>, Error> {
        self.view(1.0).unpack(packed)
    }
}

impl<E: Sites> Thermal for Discrete<E> {
    type Tempered<'a>
        = DiscreteView<'a, E>
    where
        E: 'a;

    fn tempered(&self, beta: f32) -> DiscreteView<'_, E> {
        self.view(beta)
    }

    fn log_states(&self) -> Option<f64> {
        Some(self.base_log_z())
    }
}

impl<E: Sites> Annealed for Discrete<E> {
    type State = Array2<u16>;

    fn base_samples(&self, runs: usize, key: Key) -> Array2<u16> {
        self.uniform(runs, key.fold_in(0))
    }

    fn base_log_z(&self) -> f64 {
        let logs = (0..self.energy.sites()).map(|site| libm::log(f64::from(self.energy.states(site))));
        mutant!("B180", logs.sum(), 0.0)
    }

    fn advance(&self, state: &mut Array2<u16>, from: f32, to: f32, key: Key) -> Vec<f64> {
        let step = f64::from(from) - f64::from(to);
        let gains = self.energies(state).into_iter().map(|energy| step * energy).collect();
        self.view(to).sweep(state, key);
        gains
    }
}

impl<E: Sites> Reversible for Discrete<E> {
    fn check_reversible(&self) -> Result<(), Error> {
        let balanced = self.order == Order::ThereAndBack || matches!(self.update, Update::Informed { .. });
        if mutant!("B181", balanced, true) {
            return Ok(());
        }
        Err(Error::option("order", "sites there and back, or informed updates", "forward"))
    }

    fn packed(&self, state: &Array2<u16>) -> States {
        self.packed_states(state)
    }

    fn put_back(&self, state: &mut Array2<u16>, before: &Array2<u16>, rows: &[bool]) {
        put_back(state, before, rows);
    }
}
