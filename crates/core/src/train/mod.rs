//! Trains a model: estimate, contrast, transform, update, guard, observe.

mod estimator;
mod fit;
mod fused;
mod guard;
mod observer;
mod optimizer;
mod options;
mod schedule;
mod stopping;
mod transform;

pub use estimator::{Cd, Estimator, MAX_CHAINS, Pcd};
pub use fit::{Snapshot, Summary, Training, fit};
pub use guard::{Action, Guard};
pub use observer::{Observer, Silent, Step, WithGradient};
pub use optimizer::{Method, Optimizer};
pub use options::Fit;
pub use schedule::Schedule;
pub use stopping::{EarlyStopping, Patience, Stopping, Verdict, gap_score, moment_mismatch};
pub use transform::{Centre, Decay, Transform};
