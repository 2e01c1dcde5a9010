//! Trains a model by CD-k or PCD-k with plain loops, as the reference of learning quality.

use crate::gradient::Gradient;
use crate::rbm::Rbm;
use crate::rng::Rng;
use crate::wide::{hidden_probabilities, on, sweep};

/// Names the negative phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Chains start at the rows of the batch and make `k` sweeps.
    Cd {
        /// Sweeps of an update.
        k: usize,
    },
    /// Chains continue where the last update left them.
    Pcd {
        /// Sweeps of an update.
        k: usize,
        /// Number of chains.
        chains: usize,
    },
}

/// Holds the options of a training run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Passes over the rows, each in a new order.
    pub epochs: usize,
    /// Rows of an update; the last batch of an epoch may be shorter.
    pub batch: usize,
    /// Learning rate of the first update.
    pub rate: f64,
    /// Whether the rate falls in a straight line to 0, which it would have in the first update after the last.
    pub decline: bool,
    /// Share of the last step that is repeated.
    pub momentum: f64,
    /// The negative phase.
    pub method: Method,
}

impl Default for Options {
    fn default() -> Self {
        let method = Method::Cd { k: 1 };
        Self { epochs: 10, batch: 100, rate: 0.05, decline: false, momentum: 0.5, method }
    }
}

/// Makes a model with weights uniform in (−`half_width`, `half_width`) and biases 0.
pub fn initial(visible: usize, hidden: usize, half_width: f64, seed: u64) -> Rbm {
    let (mut out, mut rng) = (Rbm::zeros(visible, hidden), Rng::new(seed));
    out.weights.iter_mut().for_each(|w| *w = half_width * (2.0 * rng.uniform() - 1.0));
    out
}

/// Trains a model on rows of bits.
///
/// # Panics
/// When a row is not as wide as the model, the size of a batch is 0, or PCD has no chain.
pub fn train(rbm: &mut Rbm, rows: &[Vec<bool>], options: &Options, seed: u64) {
    assert!(rows.iter().all(|row| row.len() == rbm.visible), "rows as wide as the model");
    let mut rng = Rng::new(seed);
    let mut chains = first_chains(rbm, options.method, &mut rng);
    let mut velocity = Gradient::zeros(rbm);
    let mut order: Vec<&[bool]> = rows.iter().map(Vec::as_slice).collect();
    for epoch in 0..options.epochs {
        rng.shuffle(&mut order);
        for (update, batch) in order.chunks(options.batch).enumerate() {
            let gradient = estimate(rbm, batch, options.method, &mut chains, &mut rng);
            let batches = rows.len().div_ceil(options.batch);
            let done = (epoch * batches + update) as f64 / (options.epochs * batches) as f64;
            let rate = if options.decline { options.rate * (1.0 - done) } else { options.rate };
            step(rbm, &mut velocity, &gradient, rate, options.momentum);
        }
    }
}

/// Estimates the gradient of the mean negative log-likelihood from one batch, and moves the chains of PCD.
///
/// # Panics
/// When the batch is empty, or PCD has no chain.
pub fn estimate(
    rbm: &Rbm,
    batch: &[&[bool]],
    method: Method,
    chains: &mut Vec<Vec<bool>>,
    rng: &mut Rng,
) -> Gradient {
    match method {
        Method::Cd { k } => *chains = batch.iter().map(|v| sweep(rbm, v, k, rng)).collect(),
        Method::Pcd { k, .. } => chains.iter_mut().for_each(|v| *v = sweep(rbm, v, k, rng)),
    }
    let mut gradient = statistics(rbm, chains.iter().map(Vec::as_slice));
    gradient.add(-1.0, &statistics(rbm, batch.iter().copied()));
    gradient
}

/// Starts the chains of PCD at fair coins; CD has none.
pub fn first_chains(rbm: &Rbm, method: Method, rng: &mut Rng) -> Vec<Vec<bool>> {
    let Method::Pcd { chains, .. } = method else { return Vec::new() };
    (0..chains).map(|_| (0..rbm.visible).map(|_| rng.bernoulli(0.5)).collect()).collect()
}

/// Gives the means of v p(h | v), v and p(h | v) over states, touching only the rows of W whose unit is on.
fn statistics<'a>(rbm: &Rbm, states: impl ExactSizeIterator<Item = &'a [bool]>) -> Gradient {
    assert!(states.len() > 0, "no state to average over");
    let (mut out, share) = (Gradient::zeros(rbm), 1.0 / states.len() as f64);
    for v in states {
        let p: Vec<f64> = hidden_probabilities(rbm, v).into_iter().map(|p| p * share).collect();
        add(&mut out.hidden_bias, &p);
        for i in on(v) {
            out.visible_bias[i] += share;
            add(&mut out.weights[i * rbm.hidden..][..rbm.hidden], &p);
        }
    }
    out
}

/// Adds a slice to another.
fn add(total: &mut [f64], terms: &[f64]) {
    total.iter_mut().zip(terms).for_each(|(total, term)| *total += term);
}

/// Makes a step: velocity ← momentum · velocity − rate · gradient, parameters ← parameters + velocity.
fn step(rbm: &mut Rbm, velocity: &mut Gradient, gradient: &Gradient, rate: f64, momentum: f64) {
    let last = velocity.clone();
    velocity.add(momentum - 1.0, &last);
    velocity.add(-rate, gradient);
    add(&mut rbm.weights, &velocity.weights);
    add(&mut rbm.visible_bias, &velocity.visible_bias);
    add(&mut rbm.hidden_bias, &velocity.hidden_bias);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bits::to_bools;
    use crate::check::{TAU_0, all_close, centred, close, model};
    use crate::enumerate::visible_distribution;
    use crate::gamma::chi_square_quantile;
    use crate::gradient::{contrastive_divergence, persistent};
    use crate::likelihood::{empirical, entropy, kl, negative_log_likelihood};
    use crate::sample::sample_joint;
    use crate::stats::{z_score, z_star};

    const MASKS: [u64; 5] = [0b0011, 0b0011, 0b1100, 0b1101, 0b0000];

    fn rows(masks: &[u64], visible: usize) -> Vec<Vec<bool>> {
        masks.iter().map(|&v| to_bools(v, visible)).collect()
    }

    /// Tells whether estimates have the exact mean: |z| < z*(number of parameters).
    fn unbiased(estimates: &[Vec<f64>], exact: &[f64]) -> bool {
        let entry = |n: usize| estimates.iter().map(|e| e[n]).collect::<Vec<_>>();
        // Rounding alone separates an entry without spread from its exact value.
        let right = |n: usize| {
            (entry(n)[0] - exact[n]).abs() < TAU_0 || z_score(&entry(n), exact[n]).abs() < z_star(exact.len())
        };
        (0..exact.len()).all(right)
    }

    /// Control: the estimates of CD-1 are not those of CD-3.
    #[test]
    fn estimates_of_cd_have_the_exact_mean() {
        let (rbm, data, rows) = (model(4, 3, 91), empirical(4, &MASKS, None), rows(&MASKS, 4));
        let (batch, mut rng): (Vec<&[bool]>, _) = (rows.iter().map(Vec::as_slice).collect(), Rng::new(92));
        let mut draw = |k| estimate(&rbm, &batch, Method::Cd { k }, &mut Vec::new(), &mut rng).entries();
        for k in [1, 3] {
            let estimates: Vec<Vec<f64>> = (0..20_000).map(|_| draw(k)).collect();
            assert!(unbiased(&estimates, &contrastive_divergence(&rbm, &data, k).entries()));
            assert!(!unbiased(&estimates, &contrastive_divergence(&rbm, &data, 4 - k).entries()));
        }
    }

    /// Chains start at fair coins, so that after two estimates they have made two sweeps from the even law.
    #[test]
    fn estimates_of_pcd_have_the_exact_mean() {
        let (rbm, data, rows) = (model(4, 3, 93), empirical(4, &MASKS, None), rows(&MASKS, 4));
        let (batch, mut rng): (Vec<&[bool]>, _) = (rows.iter().map(Vec::as_slice).collect(), Rng::new(94));
        let method = Method::Pcd { k: 1, chains: 3 };
        let mut second = || {
            let mut chains = first_chains(&rbm, method, &mut rng);
            estimate(&rbm, &batch, method, &mut chains, &mut rng);
            estimate(&rbm, &batch, method, &mut chains, &mut rng).entries()
        };
        let estimates: Vec<Vec<f64>> = (0..20_000).map(|_| second()).collect();
        let exact = |k| persistent(&rbm, &data, &[1.0 / 16.0; 16], k).entries();
        assert!(unbiased(&estimates, &exact(2)) && !unbiased(&estimates, &exact(1)));
    }

    #[test]
    fn two_steps_with_momentum_by_hand() {
        let (mut rbm, mut velocity) = (Rbm::zeros(1, 1), Gradient::zeros(&Rbm::zeros(1, 1)));
        let gradient = Gradient { weights: vec![1.0], visible_bias: vec![-2.0], hidden_bias: vec![0.0] };
        step(&mut rbm, &mut velocity, &gradient, 0.1, 0.5);
        step(&mut rbm, &mut velocity, &gradient, 0.1, 0.5);
        all_close(&[rbm.weights[0], rbm.visible_bias[0], rbm.hidden_bias[0]], &[-0.25, 0.5, 0.0], TAU_0);
    }

    /// A teacher's 1,000 rows over 32 states: 2 N KL(data ‖ teacher) follows χ²₃₁, and a maximum-likelihood fit is no
    /// further from the data than the teacher; 0.01 nat is left to the noise of the last steps. Control: a model of
    /// independent units, the best one without learnt weights, stays more than 0.2 nat away.
    #[test]
    fn training_reaches_the_teacher() {
        let teacher = centred(5, 2, 4.0, 95);
        let masks: Vec<u64> =
            sample_joint(&teacher, 1000, &mut Rng::new(96)).into_iter().map(|(v, _)| v).collect();
        let data = empirical(5, &masks, None);
        let independent = independent_fit(&data, 5);
        assert!(kl(&data, &independent) > 0.2, "{}", kl(&data, &independent));
        for method in [Method::Cd { k: 5 }, Method::Pcd { k: 1, chains: 100 }] {
            let mut rbm = initial(5, 4, 0.1, 97);
            let options = Options { epochs: 300, batch: 50, method, ..Options::default() };
            train(&mut rbm, &rows(&masks, 5), &options, 98);
            let gap = negative_log_likelihood(&rbm, &data) - entropy(&data);
            close(gap, kl(&data, &visible_distribution(&rbm)), 1e-9);
            assert!(gap < chi_square_quantile(31, 1e-3) / 2000.0 + 0.01, "{method:?}: {gap}");
        }
    }

    /// Gives the law of independent units with the marginals of the data.
    fn independent_fit(data: &[f64], visible: usize) -> Vec<f64> {
        let mean =
            |i: usize| data.iter().enumerate().filter(|(v, _)| v >> i & 1 == 1).map(|(_, p)| p).sum::<f64>();
        crate::transition::product(&(0..visible).map(mean).collect::<Vec<_>>())
    }

    #[test]
    fn one_seed_gives_one_model() {
        let run = |seed| {
            let mut rbm = initial(4, 3, 0.1, 1);
            train(&mut rbm, &rows(&MASKS, 4), &Options { batch: 2, ..Options::default() }, seed);
            rbm
        };
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
        assert!(initial(4, 3, 0.1, 1).weights.iter().all(|w| w.abs() <= 0.1));
    }

    /// The unit is 1 in every row, and 0 after a sweep, as σ(−36) is out of reach of a draw: each of the four updates
    /// adds its rate to the bias, 1 + ¾ + ½ + ¼ or 1 + 1 + 1 + 1.
    #[test]
    fn a_declining_rate_falls_in_equal_steps() {
        let run = |decline| {
            let mut rbm = Rbm::zeros(1, 1);
            rbm.visible_bias[0] = -40.0;
            let options =
                Options { epochs: 2, batch: 1, rate: 1.0, decline, momentum: 0.0, ..Options::default() };
            train(&mut rbm, &rows(&[1, 1], 1), &options, 1);
            rbm.visible_bias[0] + 40.0
        };
        close(run(true), 2.5, TAU_0);
        close(run(false), 4.0, TAU_0);
    }

    #[test]
    fn no_epoch_changes_nothing() {
        let mut rbm = model(4, 3, 99);
        train(&mut rbm, &rows(&MASKS, 4), &Options { epochs: 0, ..Options::default() }, 1);
        assert_eq!(rbm, model(4, 3, 99));
    }
}
