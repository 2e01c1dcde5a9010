//! Joins an energy over real numbers with the way it is sampled.

use harmonium_kernels::Key;
use ndarray::{Array1, Array2};

use super::moves::normal;
use super::rows::{move_rows, of_rows, put_back};
use super::{Move, Smooth};
use crate::sample::Reversible;
use crate::units::States;
use crate::{Annealed, Error, Gibbs, Thermal};

/// Is an energy over real vectors as a model: chains stand on `(chains, dim)` numbers, f32 as all states; energies and moves
/// are computed in f64 from these.
///
/// The path of annealing starts at independent Gaussians N(0, s²), where chains begin too. Tempered views take the step
/// ε/√β, as their wells are wider by 1/√β; at β = 0 there is no law.
#[derive(Clone, Debug, PartialEq)]
pub struct Continuous<E> {
    energy: E,
    moves: Move,
    spread: f64,
}

/// Is the energy β E(x) + (1 − β) |x|²/2s² on the way from the base, or β E(x) of a tempered view.
#[derive(Clone, Copy, Debug)]
pub struct Landscape<'a, E> {
    model: &'a Continuous<E>,
    beta: f64,
    /// The precision that the base adds.
    ridge: f64,
    /// What multiplies ε.
    scale: f64,
}

impl<E: Smooth> Continuous<E> {
    /// Joins an energy and its moves; `spread` is s, the deviation of fresh chains and of the base.
    ///
    /// # Errors
    /// Refuses no coordinates, steps and spreads that are no finite numbers above 0, and what the energy itself refuses.
    pub fn new(energy: E, moves: Move, spread: f64) -> Result<Self, Error> {
        energy.check()?;
        moves.check()?;
        if energy.dim() == 0 {
            return Err(Error::shape("coordinates", "1 or more", 0));
        }
        if !(spread > 0.0 && spread.is_finite()) {
            return Err(Error::option("spread", "a finite number above 0", spread));
        }
        Ok(Self { energy, moves, spread })
    }

    /// Lends the energy.
    pub fn inner(&self) -> &E {
        &self.energy
    }

    fn view(&self, beta: f32) -> Landscape<'_, E> {
        let beta = f64::from(beta);
        Landscape { model: self, beta, ridge: 0.0, scale: 1.0 / beta.sqrt() }
    }

    fn on_path(&self, beta: f32) -> Landscape<'_, E> {
        let beta = f64::from(beta);
        let base = 1.0 / (self.spread * self.spread);
        Landscape { model: self, beta, ridge: mutant!("B185", (1.0 - beta) * base, base), scale: 1.0 }
    }

    fn normal(&self, chains: usize, key: Key) -> Array2<f32> {
        let mut out = Array2::zeros((chains, self.energy.dim()));
        move_rows(&mut out, key, |x, stream| {
            x.iter_mut()
                .zip(normal(self.energy.dim(), stream))
                .for_each(|(x, z)| *x = (self.spread * z) as f32);
        });
        out
    }
}

fn wide(x: &[f32]) -> Vec<f64> {
    x.iter().map(|&x| f64::from(x)).collect()
}

impl<E: Smooth> Landscape<'_, E> {
    /// Gives the move, its step fitted to β.
    pub(super) fn moves(&self) -> Move {
        match self.model.moves {
            Move::Ula { step } => Move::Ula { step: step * self.scale },
            Move::Mala { step } => Move::Mala { step: step * self.scale },
            Move::Hmc { step, leaps } => Move::Hmc { step: step * self.scale, leaps },
        }
    }

    /// Computes the energy, in nats.
    pub fn height(&self, x: &[f64]) -> f64 {
        let square: f64 = x.iter().map(|x| x * x).sum();
        self.beta * self.model.energy.energy(x) + self.ridge * square / 2.0
    }

    /// Writes its gradient.
    pub fn slope(&self, x: &[f64], out: &mut [f64]) {
        self.model.energy.gradient(x, out);
        out.iter_mut().zip(x).for_each(|(slope, x)| *slope = self.beta * *slope + self.ridge * x);
    }

    fn energies(&self, state: &Array2<f32>) -> Vec<f64> {
        of_rows(state, |_, x| self.height(&wide(x)))
    }
}

impl<E: Smooth> Gibbs for Landscape<'_, E> {
    type State = Array2<f32>;

    fn init(&self, chains: usize, key: Key) -> Array2<f32> {
        self.model.normal(chains, key.fold_in(0))
    }

    fn sweep(&self, state: &mut Array2<f32>, key: Key) {
        move_rows(state, key.fold_in(mutant!("B385", 0, 1)), |x, stream| self.step(x, stream));
    }

    fn energy(&self, state: &Array2<f32>) -> Array1<f64> {
        self.energies(state).into()
    }

    fn pack(&self, state: &Array2<f32>) -> States {
        States::Reals(state.clone())
    }

    fn unpack(&self, packed: States) -> Result<Array2<f32>, Error> {
        packed.check_features("chains", self.model.energy.dim())?;
        match packed {
            States::Reals(values) => Ok(values),
            States::Bits(_) => Err(Error::shape("chains", "real values", "bits")),
        }
    }
}

impl<E: Smooth> Gibbs for Continuous<E> {
    type State = Array2<f32>;

    fn init(&self, chains: usize, key: Key) -> Array2<f32> {
        self.view(1.0).init(chains, key)
    }

    fn sweep(&self, state: &mut Array2<f32>, key: Key) {
        self.view(1.0).sweep(state, key);
    }

    fn energy(&self, state: &Array2<f32>) -> Array1<f64> {
        self.view(1.0).energies(state).into()
    }

    fn pack(&self, state: &Array2<f32>) -> States {
        States::Reals(state.clone())
    }

    fn unpack(&self, packed: States) -> Result<Array2<f32>, Error> {
        self.view(1.0).unpack(packed)
    }
}

impl<E: Smooth> Thermal for Continuous<E> {
    type Tempered<'a>
        = Landscape<'a, E>
    where
        E: 'a;

    fn tempered(&self, beta: f32) -> Landscape<'_, E> {
        self.view(beta)
    }

    fn check_beta(&self, beta: f32) -> Result<(), Error> {
        if beta > 0.0 {
            return Ok(());
        }
        Err(Error::option("beta", "a number above 0 where states are real", beta))
    }
}

impl<E: Smooth> Annealed for Continuous<E> {
    type State = Array2<f32>;

    fn check_path(&self) -> Result<(), Error> {
        match self.moves {
            Move::Ula { .. } => {
                mutant!("B307", Err(Error::option("moves", "mala or hmc, which keep the law", "ula")), Ok(()))
            }
            _ => Ok(()),
        }
    }

    fn base_samples(&self, runs: usize, key: Key) -> Array2<f32> {
        self.normal(runs, key.fold_in(0))
    }

    fn base_log_z(&self) -> f64 {
        let one = 2.0 * std::f64::consts::PI * self.spread * self.spread;
        self.energy.dim() as f64 / 2.0 * libm::log(one)
    }

    fn advance(&self, state: &mut Array2<f32>, from: f32, to: f32, key: Key) -> Vec<f64> {
        let (before, after) = (self.on_path(from), self.on_path(to));
        let gains =
            before.energies(state).into_iter().zip(after.energies(state)).map(|(a, b)| a - b).collect();
        after.sweep(state, key);
        gains
    }
}

impl<E: Smooth> Reversible for Continuous<E> {
    fn check_reversible(&self) -> Result<(), Error> {
        self.check_path()
    }

    fn packed(&self, state: &Array2<f32>) -> States {
        States::Reals(state.clone())
    }

    fn put_back(&self, state: &mut Array2<f32>, before: &Array2<f32>, rows: &[bool]) {
        put_back(state, before, rows);
    }
}
