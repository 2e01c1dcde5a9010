//! Measures our own work in one process, by the conventions of the peers' script.

mod annealing;
mod lattice;
mod machine;
mod rows;
mod sequential;
mod sweeping;
mod training;
mod work;

pub(crate) use rows::synthetic;

use harmonium::{Error, check_backend};
use work::Work;

use crate::args::{Own, What};
use crate::{console, record};

/// Measures: one repetition that does not count, then those that do. Prints their median and range.
///
/// # Errors
/// Refuses a back end that this machine lacks, data that are not there, and what the work itself refuses.
pub(crate) fn run(args: &Own) -> Result<(), Error> {
    choose_backend(args)?;
    choose_threads(args.threads)?;
    let mut work = match args.what {
        What::Cd1 | What::Pcd1 => training::work(args)?,
        What::Gibbs => sweeping::work(args)?,
        What::Ais => annealing::work(args)?,
        What::Ising => lattice::work(args)?,
        What::Bm => sequential::work(args),
    };
    let seconds = measure(&mut work, args.reps)?;
    if let Some(path) = &args.tsv {
        record::append(path, &work.records(&name(args), args, &seconds))?;
    }
    console::line(work.report(&name(args), args, &seconds))
}

fn measure(work: &mut Work, reps: usize) -> Result<Vec<f64>, Error> {
    (work.warm)()?;
    (0..reps).map(|_| (work.once)()).collect()
}

fn choose_backend(args: &Own) -> Result<(), Error> {
    check_backend()?;
    let Some(backend) = args.backend else { return Ok(()) };
    if !backend.available() {
        return Err(Error::option("backend", "one that this machine has", backend));
    }
    backend.force();
    Ok(())
}

fn choose_threads(threads: usize) -> Result<(), Error> {
    let built = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
    built.map_err(|problem| Error::option("threads", "as many as the system gives", problem))
}

fn name(args: &Own) -> String {
    let forced = std::env::var("HARMONIUM_BACKEND").ok().filter(|name| !name.is_empty());
    line_name(args.what, args.backend.map(|b| b.to_string()).or(forced).as_deref())
}

/// Names a line: what was measured, and the back end if one was forced.
pub(crate) fn line_name(what: What, backend: Option<&str>) -> String {
    match backend {
        Some(backend) => format!("harmonium-{what}@{backend}"),
        None => format!("harmonium-{what}"),
    }
}
