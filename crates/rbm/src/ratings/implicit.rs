//! Learns which items a user rates at all: bits, of which none is missing.

use harmonium_core::Error;
use harmonium_core::data::{Rating, Ratings, Scale};

use super::expand::add;
use super::row::softmax_of;
use super::{Levels, RatingsOptions, RatingsRbm};

/// The most pairs of user and item: each takes 12 bytes, and a step of training.
const MAX_PAIRS: usize = 1 << 28;

/// Makes bits of ratings: 1 for each pair of user and item that is rated, 0 for every other.
///
/// Here zeros are right: what is asked is whether a rating is there.
///
/// # Errors
/// Refuses more than 2²⁸ pairs.
pub fn rated_or_not(ratings: &Ratings) -> Result<Ratings, Error> {
    let (users, items) = (ratings.users().len(), ratings.items().len());
    if users.checked_mul(items).is_none_or(|pairs| pairs > MAX_PAIRS) {
        return Err(Error::shape(
            "ratings",
            "at most 2²⁸ pairs of user and item",
            format!("{users} × {items}"),
        ));
    }
    let rows = ratings.rows();
    let pairs = (0..users as u32).flat_map(|user| (0..items as u32).map(move |item| (user, item)));
    let bit = |(user, item)| Rating { user, item, level: u8::from(rows.has(user as usize, item)) };
    let scale = Scale { least: 0.0, step: 1.0, levels: 2 };
    Ratings::new(scale, ratings.users().to_vec(), ratings.items().to_vec(), pairs.map(bit).collect())
}

impl RatingsOptions {
    /// Gives the machine of bits: a plain restricted Boltzmann machine.
    pub fn bits(hidden: usize) -> Self {
        let levels = Levels::Polynomials(vec![1.0]);
        Self { hidden, levels, conditional: false, damping: 0.0, lateral: 0.0, ..Self::default() }
    }
}

impl RatingsRbm {
    /// Computes for each bit of a row, of which none is missing, p(1 given all others of the row).
    ///
    /// # Errors
    /// As [`RatingsRbm::check_row`].
    pub fn likely(&self, row: &[(u32, u8)]) -> Result<Vec<f32>, Error> {
        self.check_row(row)?;
        let g = self.gain(self.items());
        let (all, pull, mut work) = (self.hidden_input(row, g), self.pull(row), self.work());
        let one = |&(item, level): &(u32, u8)| {
            let mut input = all.clone();
            add(&mut input, self.weight(item, level), -g);
            let coupling = self.lateral(pull - self.above(item, usize::from(level)), row.len());
            softmax_of(&self.scores(item, &input, g, coupling, &mut work)).last().map_or(0.0, |p| *p as f32)
        };
        Ok(row.iter().map(one).collect())
    }
}
