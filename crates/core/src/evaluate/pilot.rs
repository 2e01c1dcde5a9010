//! Places the temperatures of an annealing by how its log weights spread in pilot runs.
//!
//! Steps from β to β + dβ change the log weight by dβ u, and successive u are correlated over τ sweeps, so that a block of
//! steps adds about dβ² · 2τ Var u for each of them to the variance of the log weight. With a given number of steps the sum
//! is least when each step's share is the same: the density of steps is proportional to √(τ Var u), the local length of
//! the path (Gelman & Meng 1998, section 4.3; the equal conditional effective sample size of Zhou, Johansen & Aston 2016,
//! section 3.3, is the same for small steps whose draws are independent). The pilot reads that length off whole blocks, so
//! that slow mixing counts. Its draws place the temperatures and are then thrown away: the weights of the runs that follow
//! stay unbiased.

use harmonium_kernels::{Key, parallel, purpose};

use super::Betas;
use crate::Annealed;

/// How often the pilot runs, each time along the temperatures that the one before it gave.
const ROUNDS: u64 = 3;

/// Temperatures of a pilot, as a share of those asked for, and their least number.
const SHARE: usize = 30;
const LEAST: usize = 65;

/// Blocks of a pilot whose spread is measured.
const BLOCKS: usize = 32;

/// The most runs of a pilot.
const MAX_RUNS: usize = 100;

/// Share of the steps that is spread evenly over β, so that no part is skipped where the pilot's runs happened to agree.
const EVEN: f64 = 0.05;

impl Betas {
    /// Gives the temperatures for a path, rising from exactly 0 to exactly 1; adaptive ones take pilot runs, at most `runs` side
    /// by side, that cost about a tenth of an annealing. `key` is that of the annealing.
    pub fn along<A: Annealed>(
        &self,
        path: &A,
        runs: usize,
        key: Key,
        watch: &mut dyn FnMut(usize, usize),
    ) -> Vec<f32> {
        let Self::Adaptive(count) = *self else { return self.values() };
        let key = key.fold_in(purpose::AIS).fold_in(2);
        let steps = (count / SHARE).max(LEAST) - 1;
        let mut betas = even(steps);
        for round in 0..ROUNDS {
            let done = |step: usize| (round as usize * steps + step, ROUNDS as usize * steps);
            let mut watch = |step: usize| watch(done(step).0, done(step).1);
            let knots = lengths(path, &betas, runs.min(MAX_RUNS), key.fold_in(round), &mut watch);
            let points = if round + 1 == ROUNDS { count - 1 } else { steps };
            betas = placed(&knots, points);
        }
        betas
    }
}

/// Spreads so many steps evenly.
fn even(steps: usize) -> Vec<f32> {
    (0..=steps).map(|i| (i as f64 / steps as f64) as f32).collect()
}

/// Runs a pilot, and gives the temperature and the standard deviation of the log weights' gain of each block's end.
fn lengths<A: Annealed>(
    path: &A,
    betas: &[f32],
    runs: usize,
    key: Key,
    watch: &mut dyn FnMut(usize),
) -> Vec<(f64, f64)> {
    let (steps, mut state) = (betas.len() - 1, path.base_samples(runs, key.fold_in(0)));
    let mut gains = vec![0.0; runs];
    let mut knots = vec![(0.0, 0.0)];
    parallel::team(|| {
        for (index, pair) in betas.windows(2).enumerate() {
            let more = path.advance(&mut state, pair[0], pair[1], key.fold_in(index as u64 + 1));
            gains.iter_mut().zip(more).for_each(|(sum, gain)| *sum += gain);
            if (index + 1) * BLOCKS / steps > index * BLOCKS / steps {
                knots.push((f64::from(pair[1]), deviation(&gains)));
                gains.fill(0.0);
            }
            watch(index + 1);
        }
    });
    knots
}

/// Computes the standard deviation; 0 where it is no number.
fn deviation(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let squares: f64 = values.iter().map(|x| (x - mean) * (x - mean)).sum();
    let found = (squares / (values.len() - 1) as f64).sqrt();
    if found.is_finite() { found } else { 0.0 }
}

/// Places `steps` steps of equal length between 0 and 1, interpolating the length between the knots.
fn placed(knots: &[(f64, f64)], steps: usize) -> Vec<f32> {
    let length = |x: f64| mutant!("B193", x, if x > 0.0 { 1.0 / x } else { 0.0 });
    let total: f64 = knots.iter().map(|(_, x)| length(*x)).sum();
    let share = |x: f64| if total > 0.0 { (1.0 - EVEN) * x / total } else { 0.0 };
    let spread = if total > 0.0 { EVEN } else { 1.0 };
    let (mut ends, mut sum) = (vec![(0.0, 0.0)], 0.0);
    for pair in knots.windows(2) {
        sum += share(length(pair[1].1)) + spread * (pair[1].0 - pair[0].0);
        ends.push((pair[1].0, sum));
    }
    let mut segment = 0;
    let mut betas: Vec<f32> = (0..=steps)
        .map(|i| {
            let at = i as f64 / steps as f64 * sum;
            while segment + 2 < ends.len() && ends[segment + 1].1 < at {
                segment += 1;
            }
            let ((b0, l0), (b1, l1)) = (ends[segment], ends[segment + 1]);
            (b0 + (b1 - b0) * ((at - l0) / (l1 - l0)).min(1.0)) as f32
        })
        .collect();
    betas[steps] = 1.0;
    betas
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Half of the spread lies below 0.1: but for the even twentieth, half of the steps do, and each end is exact.
    #[test]
    fn steps_have_equal_shares() {
        let betas = placed(&[(0.0, 0.0), (0.1, 2.0), (1.0, 2.0)], 1000);
        assert_eq!((betas.len(), betas[0], betas[1000]), (1001, 0.0, 1.0));
        assert!(betas.is_sorted_by(|a, b| a < b));
        // 0.95 / 2 + 0.05 · 0.1 of 1000 steps, and the last that reaches beyond.
        let below = betas.iter().filter(|&&beta| beta <= 0.1).count();
        assert!((480..=481).contains(&below), "{below}");
    }

    #[test]
    fn a_path_without_spread_is_walked_evenly() {
        let betas = placed(&[(0.0, 0.0), (0.3, 0.0), (1.0, 0.0)], 10);
        let expected = even(10);
        assert!(betas.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{betas:?}");
        assert_eq!(placed(&[(0.0, 0.0), (1.0, 3.0)], 1), [0.0, 1.0]);
    }
}
