//! Measures models: likelihoods with their intervals, and nothing that pretends to be one.

mod ais;
mod bennett;
mod evaluable;
mod likelihood;
mod log_sum_exp;
mod pilot;
mod schedule;
mod weights;

pub use ais::{Ais, AisEstimate, forward, reverse};
pub use bennett::{bennett, bennett_error};
pub use evaluable::{Evaluable, annealed_likelihood, exact_likelihood, log_likelihood};
pub use likelihood::{Annealing, Likelihood, Watch};
pub use log_sum_exp::LogSumExp;
pub use schedule::Betas;
pub use weights::{Interval, Weights};
