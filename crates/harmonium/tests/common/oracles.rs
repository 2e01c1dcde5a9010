//! Judges kernels as O3, O5 and O6 say: counted words, joint draws and ranks, written once for all of them.

use harmonium::Key;
use harmonium_oracle::rng::Rng;
use harmonium_oracle::sample::Table;
use harmonium_oracle::stats::{mean, variance};
use harmonium_oracle::transition::Matrix;

/// The statistic of a rank test is χ²₁₉; this it exceeds with probability 1e-6.
pub(crate) const RANKS: f64 = 63.68;
/// Replicates of a rank test.
pub(crate) const REPLICATES: usize = 2000;
/// Other states that the truth is ranked among.
pub(crate) const OTHERS: usize = 19;

/// Counts the words for which something happens that happens for all below a threshold or for all from it on.
pub(crate) fn share(happens: impl Fn(u32) -> bool) -> f64 {
    let first = happens(0);
    let (mut low, mut high) = (0_u64, 1_u64 << 32);
    while low < high {
        let middle = u64::midpoint(low, high);
        if happens(middle as u32) == first { low = middle + 1 } else { high = middle }
    }
    let below = low as f64 / 4_294_967_296.0;
    if first { below } else { 1.0 - below }
}

/// Builds the matrix of independent decisions: from a state, each of the sites flips with a probability of its own.
pub(crate) fn decisions(states: usize, sites: &[usize], flip: &dyn Fn(usize, usize) -> f64) -> Matrix {
    let row = |state: usize| {
        let mut row = vec![0.0; states];
        row[state] = 1.0;
        for &site in sites {
            let p = flip(state, site);
            let mut next = vec![0.0; states];
            for (at, mass) in row.into_iter().enumerate().filter(|(_, mass)| *mass > 0.0) {
                next[at] += mass * (1.0 - p);
                next[at ^ 1 << site] += mass * p;
            }
            row = next;
        }
        row
    };
    Matrix::from_rows(&(0..states).map(row).collect::<Vec<_>>())
}

/// Scales weights to a law.
pub(crate) fn normal(weights: impl Iterator<Item = f64>) -> Vec<f64> {
    let weights: Vec<f64> = weights.collect();
    let total: f64 = weights.iter().sum();
    weights.into_iter().map(|w| w / total).collect()
}

/// Reads the burn-in of a rank test off a transition matrix: the least k with TV(Tᵏ(x, ·), π) ≤ 1e-6 from every start.
pub(crate) fn burn_in(kernel: &Matrix, law: &[f64]) -> u64 {
    kernel.sweeps_to(law, 1e-6, 5000).expect("the law is reached from every start") as u64
}

/// Gives the largest |z| of twenty means between rows of values and rows that were drawn directly.
pub(crate) fn worst(found: &[Vec<f64>], direct: &[Vec<f64>]) -> f64 {
    assert!(found.iter().chain(direct).all(|row| row.len() == 20), "twenty functions");
    let score = |n: usize| {
        let [a, b] = [found, direct].map(|rows| rows.iter().map(|row| row[n]).collect::<Vec<_>>());
        let error = (variance(&a) / a.len() as f64 + variance(&b) / b.len() as f64).sqrt();
        // Where nothing varies there is nothing to compare.
        if error == 0.0 { 0.0 } else { ((mean(&a) - mean(&b)) / error).abs() }
    };
    (0..20).map(score).fold(0.0, f64::max)
}

/// Is a joint law of θ, which has so many values with a flat prior, and of a state X (Geweke 2004).
pub(crate) struct Joint<'a, X> {
    pub(crate) values: usize,
    /// Draws X given θ, exactly.
    pub(crate) draw: &'a dyn Fn(usize, &mut Rng) -> X,
    /// Computes ln p(X | θ).
    pub(crate) log_p: &'a dyn Fn(usize, &X) -> f64,
    /// Twenty functions of both.
    pub(crate) functions: &'a dyn Fn(usize, &X) -> Vec<f64>,
}

impl<X> Joint<'_, X> {
    fn posterior(&self, x: &X, rng: &mut Rng) -> usize {
        let logs: Vec<f64> = (0..self.values).map(|value| (self.log_p)(value, x)).collect();
        let top = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Table::new(&logs.iter().map(|log| (log - top).exp()).collect::<Vec<_>>()).draw(rng)
    }

    /// O5: 4,000 chains start at direct draws and alternate θ ∼ p(θ | x) with a move of x at θ, eight rounds; gives the largest |z| of
    /// twenty functions against 40,000 direct draws. `moves` moves all the states that have one θ.
    pub(crate) fn alternated(&self, seed: u64, moves: &dyn Fn(usize, Vec<X>, Key) -> Vec<X>) -> f64 {
        let mut rng = Rng::new(seed);
        let mut direct = |count: usize| -> Vec<(usize, X)> {
            let one = |_| {
                let value = rng.below(self.values);
                (value, (self.draw)(value, &mut rng))
            };
            (0..count).map(one).collect()
        };
        let (truth, mut chains) = (direct(40_000), direct(4000));
        for round in 0..8 {
            let mut of_value: Vec<Vec<X>> = (0..self.values).map(|_| Vec::new()).collect();
            for (_, x) in chains {
                let value = self.posterior(&x, &mut rng);
                of_value[value].push(x);
            }
            let key = Key::from_seed(seed).fold_in(round);
            let moved = of_value.into_iter().enumerate().filter(|(_, xs)| !xs.is_empty());
            let moved = moved
                .flat_map(|(at, xs)| moves(at, xs, key.fold_in(at as u64)).into_iter().map(move |x| (at, x)));
            chains = moved.collect();
        }
        let rows = |pairs: &[(usize, X)]| -> Vec<Vec<f64>> {
            pairs.iter().map(|(value, x)| (self.functions)(*value, x)).collect()
        };
        worst(&rows(&chains), &rows(&truth))
    }
}

/// Is the joint law of θ and the states of a table, whose law at each θ is known; states are indices, and `digits` reads at least five
/// numbers off each.
pub(crate) fn alternated(
    laws: &[Vec<f64>],
    digits: &dyn Fn(usize) -> Vec<f64>,
    seed: u64,
    moves: &dyn Fn(usize, Vec<usize>, Key) -> Vec<usize>,
) -> f64 {
    let tables: Vec<Table> = laws.iter().map(|law| Table::new(law)).collect();
    let functions = |value: usize, &at: &usize| {
        let (x, log, theta) = (digits(at), laws[0][at].ln(), value as f64);
        let mut out = vec![theta, theta * theta, log, log * log, log * theta];
        out.extend((0..5).map(|n| x[n]));
        out.extend((0..5).map(|n| x[n] * x[(n + 1) % 5]));
        out.extend((0..5).map(|n| x[n] * theta));
        out
    };
    let joint = Joint {
        values: laws.len(),
        draw: &|value, rng| tables[value].draw(rng),
        log_p: &|value, &at| laws[value][at].ln(),
        functions: &functions,
    };
    joint.alternated(seed, moves)
}

/// Counts the ranks of the truth among 19 other draws (Talts, Betancourt, Simpson, Vehtari & Gelman 2018).
pub(crate) struct Ranks {
    bins: [f64; OTHERS + 1],
    rng: Rng,
}

impl Ranks {
    /// Starts the generator that breaks ties.
    pub(crate) fn new(seed: u64) -> Self {
        Self { bins: [0.0; OTHERS + 1], rng: Rng::new(seed) }
    }

    /// Ranks one truth.
    pub(crate) fn add(&mut self, own: f64, others: &[f64]) {
        assert_eq!(others.len(), OTHERS, "others of a truth");
        let (below, ties) =
            (others.iter().filter(|x| **x < own).count(), others.iter().filter(|x| **x == own).count());
        self.bins[below + self.rng.below(ties + 1)] += 1.0;
    }

    /// Gives Σ (n − N/20)² / (N/20).
    pub(crate) fn statistic(&self) -> f64 {
        let even = self.bins.iter().sum::<f64>() / self.bins.len() as f64;
        self.bins.iter().map(|n| (n - even).powi(2) / even).sum()
    }
}

/// O6 where all states of a table are free: 2,000 truths drawn from the law, each ranked among 19 of the states that `chains` makes,
/// which gets their number; `of` is what states are ranked by.
pub(crate) fn ranked(
    law: &[f64],
    of: &dyn Fn(usize) -> f64,
    seed: u64,
    chains: &dyn Fn(usize) -> Vec<usize>,
) -> f64 {
    let (table, mut rng, mut ranks) = (Table::new(law), Rng::new(seed), Ranks::new(seed + 1));
    let made: Vec<f64> = chains(REPLICATES * OTHERS).into_iter().map(of).collect();
    made.chunks_exact(OTHERS).for_each(|others| ranks.add(of(table.draw(&mut rng)), others));
    ranks.statistic()
}

/// Weighs digits against the energy, so that no two states rank alike.
pub(crate) fn mixed(law: &[f64], digits: &[f64], at: usize) -> f64 {
    let weigh = |(n, x): (usize, &f64)| x * (1.0 + n as f64 * 0.618_034).sin();
    law[at].ln() + digits.iter().enumerate().map(weigh).sum::<f64>()
}
