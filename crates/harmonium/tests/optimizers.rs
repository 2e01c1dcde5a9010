//! Proves the optimisers against f64 references written from their formulas, on gradients that change from step to step.

mod common;

use common::tolerance::U;
use common::{close, model};
use harmonium::rbm::Rbm;
use harmonium::train::{Method, Optimizer, Schedule};
use harmonium::{HasParams, Params};
use harmonium_oracle::rng::Rng;

const STEPS: usize = 40;
const RATE: f32 = 0.05;

/// Draws one gradient of the model's shape a step, entries in [−1, 1] but never below 2⁻⁸ in size.
fn gradients(rbm: &Rbm) -> Vec<Params> {
    let mut rng = Rng::new(9);
    let mut draw = || {
        let x = 2.0 * rng.uniform() - 1.0;
        (if x.abs() < 1.0 / 256.0 { 0.25 } else { x }) as f32
    };
    let mut one = || {
        let mut out = rbm.params();
        out.tensors_mut().iter_mut().flat_map(|t| &mut t.values).for_each(|g| *g = draw());
        out
    };
    (0..STEPS).map(|_| one()).collect()
}

/// Gives entry `at` of each block after each step.
fn library(method: Method, at: [usize; 3]) -> Vec<[f64; 3]> {
    let mut rbm = model(3, 2, 1.0, 31);
    let gradients = gradients(&rbm);
    let mut optimizer = Optimizer::new(method, &rbm.params());
    let mut step = |(n, gradient): (usize, &Params)| {
        optimizer.update(&mut rbm, gradient, RATE, (n as u64, STEPS as u64, 0));
        pick(&rbm.params(), at)
    };
    gradients.iter().enumerate().map(&mut step).collect()
}

fn pick(params: &Params, at: [usize; 3]) -> [f64; 3] {
    [0, 1, 2].map(|block| f64::from(params.tensors()[block].values[at[block]]))
}

/// Compares every step with a reference, `rule(block, n, g, θ, state) → θ`, whose state starts at zero. `bound` is the
/// error of one step in units of u; errors of steps add up.
fn compare(
    method: &Method,
    bound: impl Fn(usize) -> f64,
    rule: impl Fn(usize, usize, f64, f64, &mut [f64; 2]) -> f64,
) {
    let start = model(3, 2, 1.0, 31);
    let gradients = gradients(&start);
    for at in [[0, 0, 0], [5, 2, 1]] {
        let mut values = pick(&start.params(), at);
        let (mut states, mut off) = ([[0.0; 2]; 3], 0.0);
        for (n, got) in library(method.clone(), at).into_iter().enumerate() {
            let g = pick(&gradients[n], at);
            let sizes = values.map(f64::abs);
            off += bound(n + 1) * U;
            for block in 0..3 {
                values[block] = rule(block, n, g[block], values[block], &mut states[block]);
                // Storing θ rounds by u |θ| a step besides.
                let stored = (n + 1) as f64 * U * sizes[block].max(values[block].abs()).max(4.0);
                close(got[block], values[block], off + stored, (method, n, block));
            }
        }
    }
}

fn rate() -> f64 {
    f64::from(RATE)
}

/// The velocity, at most η / (1 − μ) = 0.5, rounds by 3u of that a step, which stays in it for 1 / (1 − μ) = 10 steps;
/// the f32 of μ is off by u/2. The step adds its own three roundings.
#[test]
fn nesterov_looks_ahead() {
    let mu = 0.9;
    compare(
        &Method::nesterov(mu),
        |_| 0.5 * 10.0 * 5.0,
        |_, _, g, theta, [velocity, _]| {
            *velocity = mu * *velocity - rate() * g;
            theta + mu * *velocity - rate() * g
        },
    );
}

/// In the coordinates of the paper, θ = Θ − μ v, Nesterov's rule reads v ← μ v − η g(θ + μ v), θ ← θ + v.
#[test]
fn nesterov_is_the_rule_of_its_paper_in_other_coordinates() {
    let (mu, got) = (0.5, library(Method::nesterov(0.5), [0; 3]));
    let start = model(3, 2, 1.0, 31);
    let gradients = gradients(&start);
    let (mut theta, mut velocity) = (pick(&start.params(), [0; 3])[0], 0.0);
    for (gradient, got) in gradients.iter().zip(got) {
        velocity = mu * velocity - rate() * pick(gradient, [0; 3])[0];
        theta += velocity;
        // Values stay below 4 and steps below 0.2: forty steps of a few roundings.
        close(got[0], theta + mu * velocity, 40.0 * 8.0 * 4.0 * U, "the point ahead");
    }
}

/// A momentum that rises along a schedule, in the reference and in the library.
#[test]
fn momentum_follows_its_schedule() {
    let momentum = Schedule::Linear { from: 0.0, to: 0.8 };
    let mu = |n: usize| 0.8 * n as f64 / STEPS as f64;
    compare(
        &Method::Sgd { momentum: momentum.clone() },
        |_| 0.25 * 5.0 * 5.0,
        |_, n, g, theta, [velocity, _]| {
            *velocity = mu(n) * *velocity - rate() * g;
            theta + *velocity
        },
    );
    compare(
        &Method::Nesterov { momentum },
        |_| 0.25 * 5.0 * 5.0,
        |_, n, g, theta, [velocity, _]| {
            *velocity = mu(n) * *velocity - rate() * g;
            theta + mu(n) * *velocity - rate() * g
        },
    );
}

/// 1 − β₂ⁿ ≥ 10⁻³ is off by (n + 1) u, at n steps relatively by at most 10³ (n + 1)/n u, halved by the root; the moments
/// have three roundings a step, none lasting longer than they do. A step of Adam is at most (1 − β₁) / √(1 − β₂) < 3.2
/// units of the rate, and its mean rounds as if it were 1 where terms cancel.
fn adam_bound(n: usize) -> f64 {
    rate() * 3.2 * (1_000.0 * (n as f64 + 1.0) / n as f64 + 3.0 * n as f64 + 8.0)
}

/// Is the unbiased step of Adam, powers as powers.
fn adam_step(n: usize, g: f64, [mean, square]: &mut [f64; 2]) -> f64 {
    let (beta1, beta2) = (f64::from(0.9_f32), f64::from(0.999_f32));
    *mean = beta1 * *mean + (1.0 - beta1) * g;
    *square = beta2 * *square + (1.0 - beta2) * g * g;
    let n = n as i32 + 1;
    (*mean / (1.0 - beta1.powi(n))) / ((*square / (1.0 - beta2.powi(n))).sqrt() + 1e-8)
}

#[test]
fn adam_is_algorithm_1() {
    compare(&Method::adam(), adam_bound, |_, n, g, theta, state| theta - rate() * adam_step(n, g, state));
}

/// The decay acts on W alone, and beside the division by the root.
#[test]
fn adamw_is_algorithm_2() {
    let decay = f64::from(0.3_f32);
    compare(&Method::adamw(0.3), adam_bound, |block, n, g, theta, state| {
        let pull = if block == 0 { decay * theta } else { 0.0 };
        theta - rate() * (adam_step(n, g, state) + pull)
    });
}

/// A step is at most η; the sum of squares has two roundings a step, halved by the root.
#[test]
fn adagrad_divides_by_the_root_of_the_sum() {
    compare(
        &Method::adagrad(),
        |n| rate() * (n as f64 + 4.0),
        |_, _, g, theta, [sum, _]| {
            *sum += g * g;
            theta - rate() * g / (sum.sqrt() + f64::from(1e-8_f32))
        },
    );
}

/// A step is at most η / √(1 − ρ) < 3.2 η; the mean square has three roundings a step, halved by the root.
#[test]
fn rmsprop_divides_by_the_root_of_the_mean() {
    let rho = f64::from(0.9_f32);
    compare(
        &Method::rmsprop(),
        |n| rate() * 3.2 * (1.5 * n as f64 + 4.0),
        |_, _, g, theta, [mean, _]| {
            *mean = rho * *mean + (1.0 - rho) * g * g;
            theta - rate() * g / (mean.sqrt() + f64::from(1e-8_f32))
        },
    );
}

#[test]
fn constants_out_of_range_are_refused_by_name() {
    let refused = [
        (Method::nesterov(1.0), "momentum"),
        (Method::AdamW { beta1: 0.9, beta2: 0.999, epsilon: 0.0, decay: 0.0 }, "epsilon"),
        (Method::AdamW { beta1: 0.9, beta2: 1.0, epsilon: 1e-8, decay: 0.0 }, "beta2"),
        (Method::adamw(-0.1), "weight decay"),
        (Method::Adagrad { epsilon: f32::NAN }, "epsilon"),
        (Method::RmsProp { decay: 1.0, epsilon: 1e-8 }, "decay of the mean square"),
    ];
    for (method, field) in refused {
        let text = method.check().unwrap_err().to_string();
        assert!(text.starts_with(&format!("{field}: expected")), "{text}");
    }
}
