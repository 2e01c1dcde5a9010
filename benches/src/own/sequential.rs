//! Times sequential sweeps of dense machines of bits, one chain or many, with the weights of the peers: standard deviation 0.042.

use std::time::Instant;

use harmonium::Key;
use harmonium_kernels::BitMatrix;
use harmonium_kernels::bernoulli::fill;
use harmonium_kernels::parallel::team;
use harmonium_kernels::sequential::{Blocks, Chain, Codes, Symmetric, Upper};

use super::work::{Kind, Once, Work};
use crate::args::Own;

const UNITS: usize = 1000;
/// A weight is a code times this: codes of 20 bits with sign, uniform, get the standard deviation of the peers' weights.
const QUANTUM: f32 = 1.4e-7;

/// Prepares sweeps of chains that go on from repetition to repetition.
pub(crate) fn work(args: &Own) -> Work {
    let updates = UNITS * args.chains * args.sweeps;
    Work { warm: sweeps(args, 0), once: sweeps(args, 1), kind: Kind::Updates(updates), weights: 0 }
}

fn sweeps(args: &Own, seed: u64) -> Once {
    if args.chains >= MANY {
        return many(args, seed);
    }
    let all = codes();
    let (codes, upper) = (Codes::new(UNITS, &all), Upper::new(UNITS, &all).expect("codes of 20 bits"));
    let (count, mut key) = (args.sweeps, Key::from_seed(seed));
    let mut chains: Vec<Chain> = (0..args.chains).map(|_| Chain::new(&upper, vec![0; UNITS])).collect();
    Box::new(move || {
        let (biases, mut words) = (vec![0.0; UNITS], vec![0; UNITS]);
        let machine = Symmetric { codes: &codes, biases: &biases, scale: [QUANTUM, 1.0], spins: false };
        let start = Instant::now();
        for (row, chain) in chains.iter_mut().enumerate() {
            for n in 0..count {
                fill(key.fold_in(n as u64), row as u64, &mut words);
                chain.sweep(&machine, &upper, &words);
            }
        }
        let seconds = start.elapsed().as_secs_f64();
        key = key.fold_in(u64::MAX);
        Ok(seconds)
    })
}

/// Chains from which on blocks of units are swept for all of them.
const MANY: usize = 64;

fn many(args: &Own, seed: u64) -> Once {
    let blocks = Blocks::new(UNITS, &codes());
    let (count, mut key) = (args.sweeps, Key::from_seed(seed));
    let mut bits = BitMatrix::zeros(args.chains, UNITS);
    Box::new(move || {
        let (biases, scale) = (vec![0.0; UNITS], [QUANTUM, 1.0]);
        let start = Instant::now();
        team(|| {
            (0..count).for_each(|n| blocks.sweep(&mut bits, &biases, scale, false, key.fold_in(n as u64)));
        });
        let seconds = start.elapsed().as_secs_f64();
        key = key.fold_in(u64::MAX);
        Ok(seconds)
    })
}

fn codes() -> Vec<i32> {
    let mut words = vec![0; UNITS * UNITS];
    fill(Key::from_seed(0), 0, &mut words);
    let code = |i: usize, j: usize| words[i.max(j) * UNITS + i.min(j)] as i32 >> 12;
    let all = (0..UNITS * UNITS).map(|at| (at / UNITS, at % UNITS));
    all.map(|(i, j)| if i == j { 0 } else { code(i, j) }).collect()
}
