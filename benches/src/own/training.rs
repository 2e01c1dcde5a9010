//! Times epochs of training, each from a fresh machine.

use std::rc::Rc;
use std::time::Instant;

use harmonium::prelude::*;

use super::rows::rows;
use super::work::{Kind, Once, Work};
use crate::args::{Own, What};

/// Prepares an epoch of CD-1 or PCD-1 with the default options.
///
/// # Errors
/// Refuses data that are not there and sizes out of range.
pub(crate) fn work(args: &Own) -> Result<Work, Error> {
    let data = Rc::new(rows(args.n, args.visible, args.data.as_deref())?);
    let rbm = Rc::new(Rbm::for_data(&*data, Units::Bernoulli(args.hidden), Key::from_seed(0))?);
    let once = || epoch(args, Rc::clone(&rbm), Rc::clone(&data));
    Ok(Work {
        warm: once(),
        once: once(),
        kind: Kind::Samples(data.rows()),
        weights: args.visible * args.hidden,
    })
}

fn epoch(args: &Own, fresh: Rc<Rbm>, data: Rc<Batch>) -> Once {
    let options = Fit { epochs: 1, batch: args.batch, ..Fit::default() };
    let (what, chains) = (args.what, args.batch);
    Box::new(move || {
        let (mut rbm, key) = (Rbm::clone(&fresh), Key::from_seed(1));
        let start = Instant::now();
        if what == What::Pcd1 {
            fit(&mut rbm, &*data, &mut Pcd::new(1, chains), &options, key, &mut Silent)?;
        } else {
            fit(&mut rbm, &*data, &mut Cd::new(1), &options, key, &mut Silent)?;
        }
        Ok(start.elapsed().as_secs_f64())
    })
}
