//! Gives the stack that the proofs of training and of files share, with its data.

use std::ops::ControlFlow;

use harmonium::Batch;
use harmonium::dbn::stack::{Dbn, Greedy, Learner, Progress, Recipe, UpDown, train};
use harmonium::train::{Average, Fit, Method, Pcd, Schedule};
use harmonium::units::Units;
use harmonium_oracle::rng::Rng;

use super::{batch, key};

/// Rows of 8 bits: bars of four, shifted, with noise; the label says in which half they begin.
pub(crate) fn data() -> (Batch, Vec<Option<usize>>) {
    let mut rng = Rng::new(5);
    let starts: Vec<usize> = (0..40).map(|row| row * 3 % 8).collect();
    let noisy = |start: &usize| {
        let bar: u64 = (0..4).map(|n| 1 << ((start + n) % 8)).sum();
        (0..8).fold(bar, |bits, unit| if rng.bernoulli(0.05) { bits ^ 1 << unit } else { bits })
    };
    let rows: Vec<u64> = starts.iter().map(noisy).collect();
    let labels = starts.iter().enumerate().map(|(row, start)| (row % 9 != 4).then_some(start / 4)).collect();
    (batch(8, &rows), labels)
}

pub(crate) fn fitting() -> Fit {
    Fit { epochs: 3, batch: 7, learning_rate: Schedule::Linear { from: 0.2, to: 0.05 }, ..Fit::default() }
}

/// Three machines, each trained in its own way, a label at the top, and up-down with momentum and persistent chains.
pub(crate) fn plan() -> Greedy {
    let momentum = Method::Sgd { momentum: Schedule::Constant(0.5) };
    let first = Recipe { hidden: Units::Bernoulli(6), fit: fitting(), ..Recipe::default() };
    let second = Recipe {
        hidden: Units::Bernoulli(8),
        fit: Fit { method: momentum.clone(), ..fitting() },
        learner: Learner::Pcd(Pcd::new(1, 10)),
        transposed: true,
    };
    let average = Some(Average::exponential(0.8));
    let third = Recipe {
        hidden: Units::Bernoulli(5),
        fit: Fit { method: Method::adam(), average, ..fitting() },
        learner: Learner::Pcd(Pcd::new(2, 12)),
        transposed: false,
    };
    let tuning = UpDown {
        epochs: 3,
        batch: 7,
        learning_rate: Schedule::Linear { from: 0.1, to: 0.01 },
        method: momentum,
        k: Schedule::Constant(2.0),
        chains: 9,
        ..UpDown::default()
    };
    Greedy { layers: vec![first, second, third], classes: Some(2), tuning: Some(tuning), ..Greedy::default() }
}

pub(crate) fn on(_: &Progress<'_>) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

pub(crate) fn whole() -> Dbn {
    let (rows, labels) = data();
    train(plan(), &rows, Some(&labels), key(3), &mut on).unwrap()
}
