//! Measures models: likelihoods with their intervals, and nothing that pretends to be one.

mod ais;
mod bennett;
mod log_sum_exp;
mod schedule;
mod weights;

pub use ais::{Ais, AisEstimate, forward, reverse};
pub use bennett::bennett;
pub use log_sum_exp::LogSumExp;
pub use schedule::Betas;
pub use weights::{Interval, Weights};
