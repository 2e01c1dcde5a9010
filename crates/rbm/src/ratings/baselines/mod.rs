//! Predicts ratings by what every machine has to be better than: means, biases, neighbours and factors.

mod biases;
mod factors;
mod neighbours;

pub use biases::{Biases, best_biases};
pub use factors::{Factors, FactorsOptions};
pub use neighbours::Neighbours;

/// Predicts the rating of an item by a user of the training set, on its scale.
pub trait Predictor: Sync {
    /// Gives the prediction.
    fn predicted(&self, user: u32, item: u32) -> f32;
}
