//! Times block Gibbs sweeps of many chains.

use std::rc::Rc;
use std::time::Instant;

use harmonium::prelude::*;

use super::machine::machine;
use super::work::{Kind, Once, Work};
use crate::args::Own;

/// Prepares sweeps of chains that go on from repetition to repetition.
///
/// # Errors
/// Refuses a model file that can't be read and sizes out of range.
pub(crate) fn work(args: &Own) -> Result<Work, Error> {
    let rbm = Rc::new(machine(args)?);
    let once = |seed| sweeps(args, Rc::clone(&rbm), Key::from_seed(seed));
    let weights = rbm.visible_units() * rbm.hidden_units();
    Ok(Work { warm: once(0), once: once(1), kind: Kind::ChainSweeps(args.chains * args.sweeps), weights })
}

fn sweeps(args: &Own, rbm: Rc<Rbm>, key: Key) -> Once {
    let mut state = rbm.init(args.chains, key.fold_in(purpose::CHAINS));
    let (key, sweeps, mut done) = (key.fold_in(purpose::NEGATIVE), args.sweeps as u64, 0);
    Box::new(move || {
        let start = Instant::now();
        (done..done + sweeps).for_each(|sweep| rbm.sweep(&mut state, key.fold_in(sweep)));
        done += sweeps;
        Ok(start.elapsed().as_secs_f64())
    })
}
