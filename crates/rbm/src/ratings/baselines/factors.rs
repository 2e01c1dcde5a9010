//! Predicts μ + b_user + b_item + p_user · q_item, moved by the error of one rating at a time (Koren, Bell & Volinsky 2009, "SVD").

use harmonium_core::data::{Ratings, Scale, shuffled};
use harmonium_core::{Error, Key, purpose};
use ndarray::Array1;
use ndarray_rand::RandomExt;
use ndarray_rand::rand_distr::Uniform;
use serde::{Deserialize, Serialize};

use super::Predictor;

/// Says how the factors are found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FactorsOptions {
    /// Factors of a user and of an item.
    pub factors: usize,
    /// Walks over the ratings.
    pub epochs: u32,
    /// The learning rate.
    pub rate: f32,
    /// What parameters are drawn to 0 with.
    pub decay: f32,
}

impl Default for FactorsOptions {
    fn default() -> Self {
        Self { factors: 100, epochs: 30, rate: 0.01, decay: 0.1 }
    }
}

/// Holds biases and factors.
#[derive(Clone, Debug, PartialEq)]
pub struct Factors {
    width: usize,
    mean: f32,
    /// Of users and of items: a bias, then the factors.
    users: Vec<f32>,
    items: Vec<f32>,
    scale: Scale,
}

impl Factors {
    /// Finds them.
    ///
    /// # Errors
    /// Refuses no factors, and rates and decays that are not positive numbers.
    pub fn fit(ratings: &Ratings, options: &FactorsOptions, key: Key) -> Result<Self, Error> {
        if !(1..=65_536).contains(&options.factors) {
            return Err(Error::option("factors", "1 to 65536", options.factors));
        }
        for (name, value) in [("factors rate", options.rate), ("factors decay", options.decay)] {
            if !(0.0..=1.0).contains(&value) {
                return Err(Error::option(name, "0 to 1", value));
            }
        }
        let mean = super::Biases::mean(ratings)?.mean as f32;
        let width = options.factors + 1;
        let draw = |n: usize, stream| -> Result<Vec<f32>, Error> {
            let half = 0.1 * 3.0_f32.sqrt();
            let range = Uniform::new(-half, half).map_err(|e| Error::option("factors", "a range", e))?;
            let mut values =
                Array1::random_using(n * width, range, &mut key.fold_in(purpose::INIT).stream(stream))
                    .to_vec();
            values.chunks_exact_mut(width).for_each(|row| row[0] = 0.0);
            Ok(values)
        };
        let (users, items) = (draw(ratings.users().len(), 0)?, draw(ratings.items().len(), 1)?);
        let mut out = Self { width, mean, users, items, scale: ratings.scale() };
        for epoch in 0..options.epochs {
            for row in shuffled(ratings.each().len(), key, u64::from(epoch)) {
                let rating = &ratings.each()[row as usize];
                out.step(rating.user, rating.item, ratings.value(rating), options);
            }
        }
        Ok(out)
    }

    fn step(&mut self, user: u32, item: u32, rating: f32, options: &FactorsOptions) {
        let error = rating - self.raw(user, item);
        let (rate, decay) = (options.rate, options.decay);
        let p = &mut self.users[user as usize * self.width..][..self.width];
        let q = &mut self.items[item as usize * self.width..][..self.width];
        p[0] += rate * (error - decay * p[0]);
        q[0] += rate * (error - decay * q[0]);
        for (p, q) in p[1..].iter_mut().zip(&mut q[1..]) {
            let before = *p;
            *p += rate * (error * *q - decay * before);
            *q += rate * (error * before - decay * *q);
        }
    }

    fn raw(&self, user: u32, item: u32) -> f32 {
        let p = &self.users[user as usize * self.width..][..self.width];
        let q = &self.items[item as usize * self.width..][..self.width];
        let product: f32 = p[1..].iter().zip(&q[1..]).map(|(p, q)| p * q).sum();
        self.mean + p[0] + q[0] + product
    }
}

impl Predictor for Factors {
    fn predicted(&self, user: u32, item: u32) -> f32 {
        self.raw(user, item).clamp(self.scale.least, self.scale.most())
    }
}
