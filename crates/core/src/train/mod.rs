//! Trains a model: estimate, contrast, transform, update, guard, observe.

mod estimators;
mod fit;
mod fused;
mod guard;
mod kept;
mod observer;
mod optimizer;
mod options;
mod schedule;
mod transform;

pub use estimators::{
    Cd, Estimate, Estimator, FastPcd, Ladder, MAX_CHAINS, MAX_RUNGS, Pcd, Tempering, Trajectory, acceptance,
    check_chains, swaps,
};
pub use fit::{Snapshot, Summary, Training, fit};
pub use guard::{Action, Guard};
pub use kept::Kept;
pub use observer::{Observer, Silent, Step, WithGradient};
pub use optimizer::{Method, Optimizer};
pub use options::Fit;
pub use schedule::Schedule;
pub use transform::{Centre, Decay, Transform};
