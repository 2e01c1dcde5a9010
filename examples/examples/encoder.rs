//! Solves the 4-2-4 encoder (Ackley, Hinton & Sejnowski 1985): two groups of four units must agree through two hidden ones.
//!
//! `cargo run --release -p harmonium-examples --example encoder`: 100 starts; with `-- --short` three. Units of a group are
//! coupled to each other and to the hidden units, groups are not coupled. A start has solved it when the hidden units have a
//! code of their own for each of the four patterns, and either group, shown alone, completes every pattern with a
//! probability above 0.9 by the exact law; like the authors' machines, it goes on until it has, here for 10,000 updates at most.
#![allow(clippy::print_stdout)] // An example speaks.

use harmonium::bm::{Exact, Graph, Machine};
use harmonium::prelude::*;
use harmonium::train::Decay;
use harmonium_examples::Arguments;
use ndarray::Array2;

/// Noisy updates between two looks, and the most looks.
const WALK: u32 = 200;
const ROUNDS: u32 = 50;

fn main() -> Result<(), Error> {
    let starts = if Arguments::read().short { 3 } else { 100 };
    let data = patterns()?;
    let (mut solved, mut gaps) = (0, Vec::new());
    for seed in 1..=starts {
        let (machine, walked) = train(&data, Key::from_seed(seed))?;
        // The four patterns are alike often: their own log-likelihood is ln ¼.
        let gap = 0.25_f64.ln() - machine.log_likelihood(&data)?;
        let (completed, codes) = judged(&machine.probabilities()?);
        solved += u64::from(completed > 0.9 && codes == 4);
        println!("seed {seed:>3}  updates {walked:>5}  KL {gap:.4}  completed {completed:.4}  codes {codes}");
        gaps.push(gap);
    }
    gaps.sort_by(f64::total_cmp);
    println!("solved {solved} of {starts}; median KL {:.4} nats", gaps[gaps.len() / 2]);
    Ok(())
}

/// Units 0 to 3 and 4 to 7 are visible, 8 and 9 hidden.
fn machine(key: Key) -> Result<Machine, Error> {
    let coupled = |i: usize, j: usize| j > 7 && i < 8 || i / 4 == j / 4 && j < 8;
    let edges = (0..10).flat_map(|i| (i + 1..10).map(move |j| [i, j])).filter(|&[i, j]| coupled(i, j));
    Machine::new(Graph::new(10, edges)?, Units::Bernoulli(10))?.with_hidden(2)?.randomised(1.0, key)
}

fn patterns() -> Result<Batch, Error> {
    Batch::new(Array2::from_shape_fn((4, 8), |(row, unit)| f32::from(u8::from(unit % 4 == row))).view())
}

/// Walks noisily, by four persistent chains at a constant rate, until the machine that the exact gradient makes of it has solved
/// the encoder; gives that one and the number of noisy updates. Without the noise two patterns often share a code for good.
fn train(data: &Batch, key: Key) -> Result<(Machine, u32), Error> {
    let mut walker = machine(key)?;
    let noisy = Fit {
        epochs: WALK,
        batch: 4,
        learning_rate: Schedule::Constant(0.3),
        method: Method::Adam { beta1: 0.5, beta2: 0.9, epsilon: 1e-8 },
        decay: Decay { l2: 0.01, ..Decay::default() },
        ..Fit::default()
    };
    let rate = Schedule::Cosine { from: 0.05, to: 0.0 };
    let calm = Fit { epochs: 300, batch: 4, learning_rate: rate, method: Method::adam(), ..Fit::default() };
    let mut round = 0;
    loop {
        round += 1;
        let key = key.fold_in(u64::from(round));
        fit(&mut walker, data, &mut Pcd::new(1, 4), &noisy, key, &mut Silent)?;
        let mut settled = walker.clone();
        fit(&mut settled, data, &mut Exact::new(), &calm, key, &mut Silent)?;
        let (completed, codes) = judged(&settled.probabilities()?);
        if round == ROUNDS || completed > 0.9 && codes == 4 {
            return Ok((settled, round * WALK));
        }
    }
}

/// Gives the least probability that one group of a pattern completes the other, and how many of the four patterns have a
/// likeliest hidden code of their own.
fn judged(law: &[f64]) -> (f64, usize) {
    let sum =
        |holds: &dyn Fn(usize) -> bool| (0..law.len()).filter(|&x| holds(x)).map(|x| law[x]).sum::<f64>();
    let mut codes = std::collections::BTreeSet::new();
    let mut least = 1.0_f64;
    for pattern in 0..4 {
        let (left, right) = (1 << pattern, 16 << pattern);
        let both = sum(&|x| x & 0xFF == left | right);
        least = least.min(both / sum(&|x| x & 0x0F == left)).min(both / sum(&|x| x & 0xF0 == right));
        let share = |code: usize| sum(&|x| x == (left | right | code << 8));
        codes.extend((0..4).max_by(|&a, &b| share(a).total_cmp(&share(b))));
    }
    (least, codes.len())
}
