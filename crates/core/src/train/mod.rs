//! Trains a model: estimate, contrast, transform, update, guard, observe.

mod adapt;
mod average;
mod constraint;
mod estimator;
mod fit;
mod fused;
mod guard;
mod observer;
mod optimizer;
mod options;
mod schedule;
mod transform;

pub use adapt::{Adapt, Adapted};
pub use average::Average;
pub use constraint::{Constraints, Mask, Sign};
pub use estimator::{Cd, Estimator, MAX_CHAINS, Pcd};
pub use fit::{Snapshot, Summary, Training, fit};
pub use guard::{Action, Guard};
pub use observer::{Observer, Silent, Step, WithGradient};
pub use optimizer::{Method, Optimizer};
pub use options::Fit;
pub use schedule::Schedule;
pub use transform::{Centre, Clip, Decay, Enhanced, Fisher, GroupL1, Sparsity, Transform};
