//! Times sweeps of an Ising lattice by Metropolis' rule, at the temperature of the peers.

use std::time::Instant;

use harmonium::bm::lattice::{Ising, Lattice};
use harmonium::{Error, Key};

use super::work::{Kind, Once, Work};
use crate::args::Own;

/// Sites of a side, and β.
const SIDE: usize = 1024;
const BETA: f64 = 0.44;

/// Prepares sweeps that go on from repetition to repetition.
///
/// # Errors
/// What the lattice and its moves refuse.
pub(crate) fn work(args: &Own) -> Result<Work, Error> {
    let flips = SIDE * SIDE * args.sweeps;
    Ok(Work { warm: sweeps(args, 0)?, once: sweeps(args, 1)?, kind: Kind::Flips(flips), weights: 0 })
}

fn sweeps(args: &Own, seed: u64) -> Result<Once, Error> {
    let mut key = Key::from_seed(seed);
    let mut lattice = Lattice::hot(SIDE, SIDE, key)?;
    let moves = Ising { temperature: 1.0 / BETA, ..Ising::default() }.sweeps(&lattice)?;
    let count = args.sweeps;
    Ok(Box::new(move || {
        let start = Instant::now();
        moves.run(&mut lattice, count, key, |_| {});
        key = key.fold_in(0);
        Ok(start.elapsed().as_secs_f64())
    }))
}
