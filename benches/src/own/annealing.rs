//! Times annealed importance sampling by the schedule of Salakhutdinov and Murray (2008).

use std::rc::Rc;
use std::time::Instant;

use harmonium::evaluate::{Ais, Betas, forward};
use harmonium::prelude::*;

use super::machine::machine;
use super::work::{Kind, Once, Work};
use crate::args::Own;

/// Temperatures of the unmeasured run: enough to warm caches and threads, in a hundredth of the time.
const WARM: Betas = Betas::Count(145);

/// Prepares 100 runs through 14,501 temperatures from the machine's own base.
///
/// # Errors
/// Refuses a model file that can't be read and sizes out of range.
pub(crate) fn work(args: &Own) -> Result<Work, Error> {
    let rbm = Rc::new(machine(args)?);
    let once = |betas| anneal(Rc::clone(&rbm), Ais { runs: 100, betas });
    let weights = rbm.visible_units() * rbm.hidden_units();
    Ok(Work { warm: once(WARM), once: once(Betas::Sm08), kind: Kind::Seconds, weights })
}

fn anneal(rbm: Rc<Rbm>, options: Ais) -> Once {
    Box::new(move || {
        let start = Instant::now();
        forward(&rbm.path(rbm.base())?, &options, Key::from_seed(1), &mut |_, _| ())?;
        Ok(start.elapsed().as_secs_f64())
    })
}
