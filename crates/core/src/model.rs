//! Declares what a model must be able to do, so that samplers, estimators and evaluations are written once.

use std::borrow::Cow;
use std::ops::Range;

use harmonium_kernels::{Key, parallel};
use ndarray::Array1;

use crate::stats::Stats;
use crate::units::States;
use crate::{Batch, Error, HasParams, Params};

/// Samples by Gibbs sweeps that leave p(x) ∝ e^−E(x) invariant.
pub trait Gibbs: Sync {
    /// What chains stand on; rows are chains.
    type State: Clone + Send;

    /// Starts chains independently of each other, each row from its own stream.
    fn init(&self, chains: usize, key: Key) -> Self::State;

    /// Updates every unit once; half-step n draws from `key.fold_in(n)`, row r from stream r.
    fn sweep(&self, state: &mut Self::State, key: Key);

    /// Sweeps once for each number of `sweeps`, sweep n from `key.fold_in(n)`, on threads that stay awake in between.
    fn run(&self, state: &mut Self::State, sweeps: Range<u64>, key: Key) {
        parallel::team(|| sweeps.for_each(|sweep| self.sweep(state, key.fold_in(sweep))));
    }

    /// Computes the energies of the states, in nats: `chains` values.
    fn energy(&self, state: &Self::State) -> Array1<f64>;

    /// Packs all that the next sweep depends on.
    fn pack(&self, state: &Self::State) -> States;

    /// Restores what [`Gibbs::pack`] gave.
    ///
    /// # Errors
    /// Refuses states of another width or kind.
    fn unpack(&self, packed: States) -> Result<Self::State, Error>;
}

/// Can be viewed at other inverse temperatures: what tempering and annealing need, whatever the model.
pub trait Thermal: Gibbs {
    /// A view of the model at another inverse temperature.
    type Tempered<'a>: Gibbs<State = Self::State>
    where
        Self: 'a;

    /// Views the model with energy β E, copying no weights.
    fn tempered(&self, beta: f32) -> Self::Tempered<'_>;

    /// Refuses that chains swap places by their energies, where these do not make such swaps right.
    ///
    /// # Errors
    /// Says what a model must be like.
    fn check_swaps(&self) -> Result<(), Error> {
        Ok(())
    }

    /// Gives ln Z at β = 0 where it is known and finite: the logarithm of the number of states, in nats. It is where
    /// `evaluate::ladder_log_partition` can begin.
    fn log_states(&self) -> Option<f64> {
        None
    }

    /// Refuses inverse temperatures at which e^−βE is no law, say 0 where states are unbounded.
    ///
    /// # Errors
    /// Says which β it takes.
    fn check_beta(&self, _beta: f32) -> Result<(), Error> {
        Ok(())
    }
}

/// Says what a model's third statistic is, the one of its hidden units: options that read it as a mean ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HiddenMeans {
    /// Probabilities of bits, which a sparsity can pull at.
    Probabilities,
    /// Means of other values.
    Values,
    /// Means times a factor of the row. Centring, which subtracts a mean from each of two factors, has no formula for them.
    Scaled,
    /// None: no statistic is that of hidden units alone, nor is any parameter block theirs.
    Absent,
}

/// Is a model with parameters: it can be clamped to data, and it knows its sufficient statistics.
pub trait EnergyModel: Thermal + HasParams {
    /// Refuses data that do not fit the model.
    ///
    /// # Errors
    /// Says which width was expected and which was got.
    fn check_data(&self, data: &Batch) -> Result<(), Error>;

    /// Refuses chains that run without data, where the model has no law of its own without them.
    ///
    /// # Errors
    /// Says what chains it takes.
    fn check_free(&self) -> Result<(), Error> {
        Ok(())
    }

    /// Says what the means of the hidden units in the statistics are.
    fn hidden_means(&self) -> HiddenMeans {
        HiddenMeans::Values
    }

    /// Gives the number of hidden units of a model that can grow to `hidden` of them.
    ///
    /// # Errors
    /// Refuses where the model can't grow, or not so far.
    fn growable(&self, hidden: usize) -> Result<usize, Error> {
        Err(Error::option("growth", "none: this model does not grow", hidden))
    }

    /// Adds hidden units, up to `hidden` in all, with zero biases and weights drawn evenly between ±`spread`; gives the means
    /// that the new features have without input. With a spread of 0 the law of the visible units stays as it is.
    ///
    /// # Errors
    /// As [`EnergyModel::growable`]; then nothing is changed.
    fn grow(&mut self, hidden: usize, _spread: f32, _key: Key) -> Result<Vec<f32>, Error> {
        self.growable(hidden).map(|_| Vec::new())
    }

    /// Gives s of the weights' grid, which a checkpoint keeps.
    fn shift(&self) -> i32;

    /// Puts parameters and grid of a checkpoint back.
    ///
    /// # Errors
    /// Refuses values that are not finite, or that the grid can't hold; then nothing is changed.
    fn restore(&mut self, params: &Params, shift: i32) -> Result<(), Error>;

    /// Draws what is missing in the data given what is there, by `sweeps` sweeps in which the latter stays clamped; sweep n
    /// draws from `key.fold_in(n)`, the start from `key.fold_in(0)`. Rows of which nothing is missing are only lent.
    fn complete<'a>(&self, data: &'a Batch, sweeps: u32, key: Key) -> Cow<'a, Batch>;

    /// Clamps the data; nothing is drawn.
    fn clamp(&self, data: &Batch) -> Self::State;

    /// Clamps the data and draws the latent units given them. A sweep from such a state starts with those draws.
    fn infer(&self, data: &Batch, key: Key) -> Self::State;

    /// Makes empty statistics of the model's shape.
    fn stats(&self) -> Stats;

    /// Adds −∂E/∂θ of each row, the latent units averaged out where they can be.
    fn accumulate(&self, state: &Self::State, stats: &mut Stats);
}

/// Is a model whose hidden units sum out in closed form.
pub trait Marginal {
    /// Computes F(v) = −ln Σ_h e^−E(v,h), in nats: `(n, visible) → n`. A density or a number of ways that v has is part of it:
    /// ln p(v) = −F(v) − ln Z.
    ///
    /// # Errors
    /// Refuses rows of another width.
    fn free_energy(&self, data: &Batch) -> Result<Array1<f64>, Error>;
}

/// Is a step along a path, with its sweep or the reversal of it.
pub(crate) type Step<A> = fn(&A, &mut <A as Annealed>::State, f32, f32, Key) -> Vec<f64>;

/// Walks from an independent base model to the model itself, for annealed importance sampling.
pub trait Annealed {
    /// What the runs stand on.
    type State: Clone + Send;

    /// Draws `runs` exact samples of the base (β = 0).
    fn base_samples(&self, runs: usize, key: Key) -> Self::State;

    /// Gives ln Z of the base, in nats.
    fn base_log_z(&self) -> f64;

    /// Refuses sweeps that do not leave the law of their temperature invariant: weights then have another mean than a ratio of
    /// normalising constants.
    ///
    /// # Errors
    /// Says what moves it takes.
    fn check_path(&self) -> Result<(), Error> {
        Ok(())
    }

    /// Gives F_from(v) − F_to(v) of each run, in nats, and then sweeps once at β = `to`.
    fn advance(&self, state: &mut Self::State, from: f32, to: f32, key: Key) -> Vec<f64>;

    /// Does the same with the reversal of that sweep: p(x) T(x → y) = p(y) T'(y → x), p being the law at `to`, T the sweep of
    /// [`Annealed::advance`] and T' this one. Who walks back from the model to the base moves so. A sweep in detailed balance is its
    /// own reversal, which is what stands here. A path that leaves it at that though its sweeps are not still has unbiased weights, but
    /// is not `sample::Reversible`.
    fn retreat(&self, state: &mut Self::State, from: f32, to: f32, key: Key) -> Vec<f64> {
        self.advance(state, from, to, key)
    }
}
