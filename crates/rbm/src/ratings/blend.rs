//! Blends two machines, one whose rows are users and one whose rows are items.

use std::ops::ControlFlow;

use harmonium_core::data::Ratings;
use harmonium_core::{Error, Key};

use super::{Inference, RatingsFit, RatingsOptions, RatingsProgress, RatingsRbm, fit_ratings};

/// Folded into the seed's key in the place of a purpose, beyond those of core: draws of the machine of items.
const OF_ITEMS: u64 = 64;

/// Holds one machine or both, and mixes what they expect.
#[derive(Clone, Debug, PartialEq)]
pub struct Blend {
    /// Rows are users, visible units items.
    pub by_user: RatingsRbm,
    /// Rows are items, visible units users.
    pub by_item: RatingsRbm,
}

impl Blend {
    /// Trains both machines, each on all of the ratings and with draws of its own; `observer` sees the epochs of the first, then those of the second.
    ///
    /// # Errors
    /// As [`RatingsRbm::for_data`] and [`fit_ratings`].
    pub fn fit(
        ratings: &Ratings,
        options: &RatingsOptions,
        fit: &RatingsFit,
        key: Key,
        observer: &mut dyn FnMut(&RatingsProgress<'_>) -> ControlFlow<()>,
    ) -> Result<Self, Error> {
        let mut one = |ratings: &Ratings, key: Key| {
            let mut rbm = RatingsRbm::for_data(ratings, options.clone(), key)?;
            fit_ratings(&mut rbm, ratings, fit, key, observer)?;
            Ok::<_, Error>(rbm)
        };
        let of_items = mutant!("B359", key.fold_in(OF_ITEMS), key);
        Ok(Self { by_user: one(ratings, key)?, by_item: one(&ratings.transposed(), of_items)? })
    }

    /// Predicts test ratings with the machine of users and with that of items, in the order of the test.
    ///
    /// # Errors
    /// As [`RatingsRbm::predict_all`].
    pub fn predict_all(&self, train: &Ratings, test: &Ratings) -> Result<[Vec<f32>; 2], Error> {
        let users = self.by_user.predict_all(train, test, Inference::Exact)?;
        let (train, test) = (train.transposed(), test.transposed());
        Ok([users, self.by_item.predict_all(&train, &test, Inference::Exact)?])
    }

    /// Predicts the ratings of all items by a user; `share` is that of the machine of users.
    ///
    /// # Errors
    /// As [`RatingsRbm::predict`].
    pub fn expected(&self, train: &Ratings, user: u32, share: f32) -> Result<Vec<f32>, Error> {
        let items: Vec<u32> = (0..train.items().len() as u32).collect();
        let users = self.by_user.predict(train.rows().row(user as usize), &items, &[], Inference::Exact)?;
        let columns = train.transposed().rows();
        let of_item = |&item: &u32| self.by_item.expected(columns.row(item as usize), user);
        let of_items = items.iter().map(of_item).collect::<Result<Vec<_>, _>>()?;
        Ok(mixed(&users, &of_items, share))
    }
}

/// Computes share · a + (1 − share) · b.
pub fn mixed(a: &[f32], b: &[f32], share: f32) -> Vec<f32> {
    a.iter().zip(b).map(|(a, b)| share * a + (1.0 - share) * b).collect()
}
