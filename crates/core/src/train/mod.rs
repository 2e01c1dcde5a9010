//! Trains a model: estimate, contrast, transform, update, guard, observe.

mod adapt;
mod average;
mod constraint;
mod estimators;
mod fit;
mod fused;
mod growth;
mod guard;
mod kept;
mod observer;
mod optimizer;
mod options;
mod schedule;
mod settled;
mod stopping;
mod transform;

pub use crate::sample::{Ladder, MAX_CHAINS, MAX_RUNGS, acceptance, check_chains, equal_barrier, swaps};
pub use adapt::{Adapt, Adapted};
pub use average::Average;
pub use constraint::{Constraints, Mask, Sign};
pub use estimators::{Cd, Estimate, Estimator, FastPcd, Pcd, Tempering, Trajectory};
pub use fit::{Snapshot, Summary, Training, fit};
pub use growth::Growth;
pub use guard::{Action, Guard};
pub use kept::Kept;
pub use observer::{Observer, Silent, Step, WithGradient};
pub use optimizer::{Method, Optimizer};
pub use options::Fit;
pub use schedule::Schedule;
pub use stopping::{EarlyStopping, Patience, Stopping, Verdict, gap_score, moment_mismatch};
pub use transform::{Centre, Clip, Decay, Enhanced, Fisher, GroupL1, Sparsity, Transform};
