//! Measures predicted ratings by their errors, and lists of items by what users like among them.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::Error;

/// Is how far predicted ratings lie from those given, in units of the ratings.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RatingErrors {
    /// Root of the mean squared error.
    pub rmse: f64,
    /// Mean absolute error.
    pub mae: f64,
    /// Ratings that were predicted.
    pub ratings: usize,
}

/// Computes the errors of predictions, one for each rating given.
///
/// # Errors
/// Refuses none at all, lists of two lengths, and predictions that are not finite.
pub fn rating_errors(predicted: &[f32], given: &[f32]) -> Result<RatingErrors, Error> {
    if predicted.is_empty() || predicted.len() != given.len() {
        let expected = format!("one for each of {} ratings, and one at least", given.len());
        return Err(Error::shape("predictions", expected, predicted.len()));
    }
    if let Some(at) = predicted.iter().position(|x| !x.is_finite()) {
        return Err(Error::value("predictions", format!("rating {at}"), "a finite number", predicted[at]));
    }
    let off = || predicted.iter().zip(given).map(|(&p, &g)| f64::from(p) - f64::from(g));
    let ratings = given.len();
    let squares: f64 = off().map(|x| x * x).sum();
    let sizes: f64 = off().map(f64::abs).sum();
    Ok(RatingErrors { rmse: (squares / ratings as f64).sqrt(), mae: sizes / ratings as f64, ratings })
}

/// Is how good lists of `top` items are, as means over users who have anything relevant; all gains are 0 or 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ranking {
    /// N, the length of the lists.
    pub top: usize,
    /// Relevant items in a list over N.
    pub precision: f64,
    /// Relevant items in a list over all relevant ones.
    pub recall: f64,
    /// Mean of the precisions at each relevant place, over min(N, relevant) places.
    pub map: f64,
    /// Σ 1 / log₂(place + 1) over relevant places (from 1), over the largest that this can be (Järvelin & Kekäläinen 2002).
    pub ndcg: f64,
    /// Items that stand in any list, over all items.
    pub coverage: f64,
    /// Users that were counted.
    pub users: usize,
}

/// Adds up lists, one user after the other.
#[derive(Clone, Debug)]
pub struct Lists {
    top: usize,
    items: usize,
    sums: [f64; 4],
    users: usize,
    listed: HashSet<u32>,
}

impl Lists {
    /// Begins with no user.
    ///
    /// # Errors
    /// Refuses lists of no item, and no items to choose from.
    pub fn new(top: usize, items: usize) -> Result<Self, Error> {
        if top == 0 || items == 0 {
            return Err(Error::option("top", "1 or more of at least one item", format!("{top} of {items}")));
        }
        Ok(Self { top, items, sums: [0.0; 4], users: 0, listed: HashSet::new() })
    }

    /// Adds a user's list, best first, of which the first N count; a user to whom nothing is relevant counts for coverage alone.
    pub fn add(&mut self, list: &[u32], relevant: &HashSet<u32>) {
        let list = &list[..list.len().min(self.top)];
        self.listed.extend(list);
        if relevant.is_empty() {
            return;
        }
        let hits: Vec<bool> = list.iter().map(|item| relevant.contains(item)).collect();
        let (found, most) = (hits.iter().filter(|hit| **hit).count() as f64, self.top.min(relevant.len()));
        let ideal: f64 = (0..most).map(discount).sum();
        let gain: f64 = (0..hits.len()).filter(|&at| hits[at]).map(discount).sum();
        let of_user = [
            found / self.top as f64,
            found / relevant.len() as f64,
            average_precision(&hits) / most as f64,
            gain / mutant!("B278", ideal, (0..self.top).map(discount).sum::<f64>()),
        ];
        self.sums.iter_mut().zip(of_user).for_each(|(sum, x)| *sum += x);
        self.users += 1;
    }

    /// Gives the means.
    ///
    /// # Errors
    /// Refuses to measure where nothing was relevant to anybody.
    pub fn ranking(&self) -> Result<Ranking, Error> {
        if self.users == 0 {
            return Err(Error::shape("ranking", "a user with a relevant item", "none"));
        }
        let [precision, recall, map, ndcg] = self.sums.map(|sum| sum / self.users as f64);
        let coverage = self.listed.len() as f64 / self.items as f64;
        Ok(Ranking { top: self.top, precision, recall, map, ndcg, coverage, users: self.users })
    }
}

/// Gives what an item at a place, counted from 0, is worth.
fn discount(place: usize) -> f64 {
    1.0 / libm::log2(place as f64 + 2.0)
}

/// Adds up the precisions at the relevant places.
fn average_precision(hits: &[bool]) -> f64 {
    let mut found = 0.0;
    let precision = |(at, _)| {
        found += 1.0;
        found / (at + 1) as f64
    };
    hits.iter().enumerate().filter(|(_, hit)| **hit).map(precision).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_those_of_the_formulas() {
        let errors = rating_errors(&[1.0, 4.0, 3.5], &[2.0, 4.0, 5.0]).unwrap();
        // Differences 1, 0, 1.5.
        assert!(
            (errors.rmse - (3.25_f64 / 3.0).sqrt()).abs() < 1e-15 && (errors.mae - 2.5 / 3.0).abs() < 1e-15
        );
        assert!(rating_errors(&[], &[]).is_err() && rating_errors(&[1.0], &[1.0, 2.0]).is_err());
        let error = rating_errors(&[1.0, f32::NAN], &[1.0, 2.0]).unwrap_err().to_string();
        assert!(error.contains("rating 1"), "{error}");
    }

    /// Lists [a, b, c] with b relevant of {b, z}, and [a, d, e] with a and e relevant of {a, e}, N = 3, ten items.
    #[test]
    fn lists_are_worth_what_hand_and_paper_say() {
        let mut lists = Lists::new(3, 10).unwrap();
        lists.add(&[0, 1, 2], &HashSet::from([1, 9]));
        lists.add(&[0, 3, 4, 1], &HashSet::from([0, 4]));
        lists.add(&[5], &HashSet::new());
        let found = lists.ranking().unwrap();
        let log = |x: f64| 1.0 / x.log2();
        let ideal = log(2.0) + log(3.0);
        let expected = [
            (found.precision, f64::midpoint(1.0 / 3.0, 2.0 / 3.0)),
            (found.recall, f64::midpoint(0.5, 1.0)),
            (found.map, 0.5 * (0.25 + 5.0 / 6.0)),
            (found.ndcg, f64::midpoint(log(3.0) / ideal, (log(2.0) + log(4.0)) / ideal)),
            (found.coverage, 0.6),
        ];
        expected.iter().for_each(|(got, want)| assert!((got - want).abs() < 1e-15, "{found:?}"));
        assert_eq!((found.users, found.top), (2, 3));
        assert!(Lists::new(0, 1).is_err() && Lists::new(1, 2).unwrap().ranking().is_err());
    }
}
