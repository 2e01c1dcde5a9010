//! Predicts μ + b_user + b_item, each bias a damped mean of what the others leave over (Koren 2010, §2.1).

use harmonium_core::Error;
use harmonium_core::data::{Rating, Ratings, Scale};

use super::Predictor;

/// How often users and items take turns.
const ROUNDS: usize = 10;

/// Holds the biases; without any of them it is the global mean.
#[derive(Clone, Debug, PartialEq)]
pub struct Biases {
    /// μ.
    pub mean: f64,
    /// Of each user.
    pub users: Vec<f64>,
    /// Of each item.
    pub items: Vec<f64>,
    /// The damping of users and items.
    pub damping: [f32; 2],
    scale: Scale,
}

impl Biases {
    /// Finds the biases by ten alternating rounds, items first. Damping is the number of ratings of nobody's that stand behind each bias, of users
    /// and of items.
    ///
    /// # Errors
    /// Refuses a damping below 0, and no ratings.
    pub fn fit(ratings: &Ratings, damping: [f32; 2]) -> Result<Self, Error> {
        if let Some(got) = damping.into_iter().find(|d| !(*d >= 0.0 && d.is_finite())) {
            return Err(Error::option("damping", "0 or more", got));
        }
        let mut out = Self::mean(ratings)?;
        out.damping = damping;
        let [of_user, of_item] = damping.map(f64::from);
        for _ in 0..ROUNDS {
            out.items =
                means(ratings, out.items.len(), of_item, |r| (r.item, out.mean + out.users[r.user as usize]));
            out.users =
                means(ratings, out.users.len(), of_user, |r| (r.user, out.mean + out.items[r.item as usize]));
        }
        Ok(out)
    }

    /// Finds the mean alone.
    ///
    /// # Errors
    /// Refuses no ratings.
    pub fn mean(ratings: &Ratings) -> Result<Self, Error> {
        let n = ratings.each().len();
        if n == 0 {
            return Err(Error::shape("ratings", "one at least", 0));
        }
        let sum: f64 = ratings.each().iter().map(|r| f64::from(ratings.value(r))).sum();
        let (users, items) = (vec![0.0; ratings.users().len()], vec![0.0; ratings.items().len()]);
        Ok(Self { mean: sum / n as f64, users, items, damping: [0.0; 2], scale: ratings.scale() })
    }

    /// Gives the prediction before it is held on the scale.
    pub(super) fn raw(&self, user: u32, item: u32) -> f64 {
        self.mean + self.users[user as usize] + self.items[item as usize]
    }

    pub(super) fn held(&self, x: f64) -> f32 {
        (x as f32).clamp(self.scale.least, self.scale.most())
    }
}

impl Predictor for Biases {
    fn predicted(&self, user: u32, item: u32) -> f32 {
        self.held(self.raw(user, item))
    }
}

/// Computes damped means of what ratings have above the rest of the model; `part` names the bias and gives the rest.
fn means(ratings: &Ratings, count: usize, damping: f64, part: impl Fn(&Rating) -> (u32, f64)) -> Vec<f64> {
    let mut sums = vec![(0.0, 0.0); count];
    for rating in ratings.each() {
        let (place, rest) = part(rating);
        let (sum, n) = &mut sums[place as usize];
        *sum += f64::from(ratings.value(rating)) - rest;
        *n += 1.0;
    }
    sums.into_iter().map(|(sum, n)| if n + damping > 0.0 { sum / (n + damping) } else { 0.0 }).collect()
}

/// Finds the biases with the damping, of a small grid, that predicts the fifth of the training ratings best that [`Ratings::split`] leaves out; then fits them
/// on all of them. Test ratings have no part in it.
///
/// # Errors
/// As [`Biases::fit`].
pub fn best_biases(ratings: &Ratings) -> Result<Biases, Error> {
    const GRID: [f32; 6] = [2.0, 4.0, 6.0, 10.0, 15.0, 25.0];
    let (train, valid) = ratings.split(0);
    let (mut best, mut least) = ([15.0, 10.0], f64::INFINITY);
    for damping in GRID.into_iter().flat_map(|user| GRID.map(|item| [user, item])) {
        let biases = Biases::fit(&train, damping)?;
        let off = |r: &Rating| f64::from(biases.predicted(r.user, r.item) - valid.value(r));
        let loss: f64 = valid.each().iter().map(|r| off(r) * off(r)).sum();
        if loss < least {
            (best, least) = (damping, loss);
        }
    }
    Biases::fit(ratings, best)
}
