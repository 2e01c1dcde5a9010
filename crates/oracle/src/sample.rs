//! Draws exact, independent states from tables of probabilities.

use crate::enumerate::{joint_distribution, split};
use crate::rbm::Rbm;
use crate::rng::Rng;

/// Holds the cumulated probabilities of a table.
#[derive(Clone, Debug)]
pub struct Table {
    cumulated: Vec<f64>,
}

impl Table {
    /// Cumulates a table of probabilities; they need not add up to one.
    ///
    /// # Panics
    /// When the table is empty, or the total is not a positive number.
    pub fn new(p: &[f64]) -> Self {
        let cumulated = p.iter().scan(0.0, |sum, p| {
            *sum += p;
            Some(*sum)
        });
        let cumulated: Vec<f64> = cumulated.collect();
        assert!(cumulated.last().is_some_and(|&total| total > 0.0 && total.is_finite()), "no probability");
        Self { cumulated }
    }

    /// Draws an entry: the first whose cumulated probability exceeds a uniform number.
    pub fn draw(&self, rng: &mut Rng) -> usize {
        let u = rng.uniform() * self.cumulated[self.cumulated.len() - 1];
        // The product may round up to the total; the first entry that reaches the total is then the last possible one.
        let total = self.cumulated.partition_point(|&c| c < self.cumulated[self.cumulated.len() - 1]);
        self.cumulated.partition_point(|&c| c <= u).min(total)
    }
}

/// Draws `count` independent joint states (v, h) from p(v, h).
pub fn sample_joint(rbm: &Rbm, count: usize, rng: &mut Rng) -> Vec<(u64, u64)> {
    let table = Table::new(&joint_distribution(rbm));
    (0..count).map(|_| split(rbm, table.draw(rng) as u64)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::model;
    use crate::moments::{counts, frequencies};
    use crate::stats::{g_test, tv, tv_star};

    const N: usize = 20_000;

    /// The no-drift test at k = 0 (§2.4 of the testing page): TV ≤ TV*. Control: the same draws against 0.8 β.
    #[test]
    fn exact_draws_follow_the_table() {
        let rbm = model(4, 3, 31).tempered(2.0);
        let draws = sample_joint(&rbm, N, &mut Rng::new(32));
        let (p, wrong) = (joint_distribution(&rbm), joint_distribution(&rbm.tempered(0.8)));
        let seen = frequencies(&rbm, &draws);
        assert!(tv(&seen, &p) <= tv_star(&p, N));
        assert!(tv(&seen, &wrong) > 2.0 * tv_star(&wrong, N));
        assert!(g_test(&counts(&rbm, &draws), &p).p_value > 1e-6);
        assert!(g_test(&counts(&rbm, &draws), &wrong).p_value < 1e-6);
    }

    #[test]
    fn impossible_entries_are_never_drawn() {
        let (table, mut rng) = (Table::new(&[0.0, 0.5, 0.0, 0.5, 0.0]), Rng::new(33));
        assert!((0..N).all(|_| [1, 3].contains(&table.draw(&mut rng))));
    }

    #[test]
    fn one_seed_gives_one_sample() {
        let rbm = model(3, 2, 34);
        let draw = |seed| sample_joint(&rbm, 50, &mut Rng::new(seed));
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }
}
