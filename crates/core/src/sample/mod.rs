//! Samples any model: chains and what is seen of them, tempering, annealing, and energies of one's own.
//!
//! A sampler asks of its model no more than a trait says: [`Chains`] and the diagnostics take any [`crate::Gibbs`],
//! [`ParallelTempering`] and [`Anneal`] any [`crate::Thermal`], [`TemperedTransitions`] any [`Reversible`] path. States are
//! not stored: [`Observer`]s see them pass.

mod anneal;
mod barrier;
mod chains;
mod diagnostics;
pub(crate) mod exchange;
mod fill;
mod ladder;
mod observers;
pub mod own;
mod tempered_transitions;
mod tempering;

pub use anneal::{Anneal, Annealing, Cooling};
pub use barrier::equal_barrier;
pub use chains::{Chains, MAX_CHAINS, check_chains};
pub use diagnostics::{Mixing, MixingTest, autocorrelation_time, effective, rank_normalised, split_r_hat};
pub use exchange::{acceptance, swaps};
pub use fill::{Filling, Imputed, fill};
pub use ladder::{Ladder, MAX_RUNGS};
pub use observers::{Moments, Observer, Seen, Trace};
pub use tempered_transitions::{Reversible, TemperedTransitions, Transitions, accepts, with_rows_back};
pub use tempering::{ParallelTempering, Replicas};
