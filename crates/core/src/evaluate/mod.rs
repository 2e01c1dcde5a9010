//! Measures models: likelihoods with their intervals, and nothing that pretends to be one.

mod adversarial;
mod ais;
mod anomaly;
mod auroc;
mod bennett;
mod compare;
mod distance;
mod evaluable;
mod ladder;
mod likelihood;
mod log_sum_exp;
mod memory;
mod mmd;
mod moments;
mod pilot;
mod raise;
mod ranking;
mod schedule;
mod weights;

pub use adversarial::{Adversarial, adversarial_accuracy};
pub use ais::{Ais, AisEstimate, forward, reverse};
pub use anomaly::{Calibration, Independent, Mahalanobis, attribution};
pub use auroc::auroc;
pub use bennett::{bennett, bennett_error};
pub use compare::{Compare, Comparison, compare};
pub use evaluable::{Evaluable, annealed_likelihood, exact_likelihood, log_likelihood};
pub use ladder::{LadderEstimate, ladder_log_partition};
pub use likelihood::{Annealing, Likelihood, Watch};
pub use log_sum_exp::LogSumExp;
pub use memory::{Memory, memory};
pub use mmd::{Discrepancy, Mmd, mmd};
pub use moments::{Difference, Moments, Order, moment, moments};
pub use raise::{Raise, RaiseEstimate, raise};
pub use ranking::{Lists, Ranking, RatingErrors, rating_errors};
pub use schedule::Betas;
pub use weights::{Interval, Weights};
