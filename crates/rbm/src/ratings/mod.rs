//! Predicts ratings with restricted Boltzmann machines whose visible units are there only where a rating is (Salakhutdinov, Mnih &
//! Hinton 2007).
//!
//! A row is a user, or an item where the data are transposed, and R the set of what it rated: only those have a visible unit, of K
//! levels, and n is their number. With r_i the level of item i,
//!
//! E(r, h) = −Σ_{i∈R} b_{i,r_i} − Σ_j c_j h_j − g Σ_{i∈R} Σ_j W_{i,r_i,j} h_j − g Σ_{i∈C} Σ_j D_ij h_j − L,
//!
//! for Bernoulli hidden units, and + ½ Σ_j h_j² for Gaussian ones. C is the set that the row is known to have rated, whatever the level (their eq. 6). As
//! published g = 1 and L = 0. Two departures, each an option, make rows of one rating and of hundreds alike:
//!
//! * damping: g = 1 / √(1 + n / n₀), as every rating adds to the input of a hidden unit;
//! * lateral coupling: L = Σ_{i<i'} s_i s_i' / (n − 1 + λ), with s_i the rating less the mean of its item. It is what a Gaussian hidden unit with
//!   one weight 1 / √(n − 1 + λ) for all items leaves behind when it is integrated out, but for terms in one s_i alone.
//!
//! Everything is a sum over the ratings that are there: a missing one is no zero, and takes neither time nor memory.

mod baselines;
mod blend;
mod contrastive;
mod expand;
mod file;
mod fit;
mod implicit;
mod model;
mod options;
mod predict;
mod pseudo;
mod ranked;
mod row;

pub use baselines::{Biases, Factors, FactorsOptions, Neighbours, Predictor, best_biases};
pub use blend::{Blend, mixed};
pub use fit::{RatingsProgress, fit_ratings};
pub use implicit::rated_or_not;
pub use model::RatingsRbm;
pub use options::{HiddenKind, Inference, Levels, Objective, RatingsFit, RatingsOptions};
pub use ranked::{held_out, top_items};
