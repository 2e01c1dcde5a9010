//! Samples an Ising lattice at one temperature or many, beside the exact solution.

mod files;
mod shown;

use harmonium::bm::lattice::{Ising, Lattice, Observed, exact};
use harmonium::{BitMatrix, Error, Key, purpose};

use crate::args::{self, Size, Start};
use crate::clock::Clock;
use crate::{console, interrupt};

/// Is what one temperature gave.
struct Row {
    temperature: f64,
    seen: Observed,
    /// The spins at the end.
    bits: BitMatrix,
}

/// Carries out `ising`.
///
/// # Errors
/// Says what stopped it.
pub(crate) fn run(args: &args::Ising) -> Result<(), Error> {
    console::threads(args.output)?;
    interrupt::listen();
    Lattice::check(args.size.rows, args.size.columns)?;
    if args.sweeps < 2 {
        return Err(Error::option("sweeps", "2 or more", args.sweeps));
    }
    args.temperature.0.iter().try_for_each(|&temperature| options(args, temperature).check())?;
    if let Some(out) = &args.out {
        files::prepare(out)?;
    }
    shown::head(args)?;
    let (clock, mut rows) = (Clock::start(), Vec::new());
    for &temperature in &args.temperature.0 {
        let row = measure(args, temperature)?;
        shown::row(args, &row)?;
        rows.push(row);
    }
    shown::speed(args, clock.seconds());
    args.out.as_ref().map_or(Ok(()), |out| files::write(out, args, &rows))
}

fn options(args: &args::Ising, temperature: f64) -> Ising {
    Ising { temperature, antiferromagnet: args.antiferromagnet, moves: args.moves.into(), fast: args.fast }
}

/// Samples one temperature; its draws do not depend on which others are asked for.
fn measure(args: &args::Ising, temperature: f64) -> Result<Row, Error> {
    let key = |purpose| Key::from_seed(args.seed).fold_in(purpose).fold_in(temperature.to_bits());
    let Size { rows, columns } = args.size;
    let mut lattice = match args.start {
        Start::Cold => Lattice::cold(rows, columns)?,
        Start::Hot => Lattice::hot(rows, columns, key(purpose::CHAINS))?,
    };
    let moves = options(args, temperature).sweeps(&lattice)?;
    let bar =
        console::bar(args.output, (args.warming + args.sweeps) as u64, &format!("T = {temperature:.4}"));
    moves.run(&mut lattice, args.warming, key(purpose::CHAINS), |_| bar.inc(1));
    let mut seen = Observed::new(&lattice, args.sweeps);
    moves.run(&mut lattice, args.sweeps, key(purpose::EVALUATE), |lattice| {
        seen.see(lattice);
        bar.inc(1);
    });
    bar.finish_and_clear();
    Ok(Row { temperature, seen, bits: lattice.to_bits() })
}

/// Gives the sign that turns energies of the ferromagnet into those of what was asked for.
fn sign(args: &args::Ising) -> f64 {
    if args.antiferromagnet { -1.0 } else { 1.0 }
}

/// Tells whether the finite lattice has the solution of the ferromagnet: all do, but antiferromagnets with an odd side.
fn solved(args: &args::Ising) -> bool {
    !args.antiferromagnet || args.size.rows.is_multiple_of(2) && args.size.columns.is_multiple_of(2)
}

/// Gives the exact energy and heat a site of this size; not numbers where nobody knows them.
fn finite(args: &args::Ising, temperature: f64) -> (f64, f64) {
    if solved(args) {
        exact::finite(args.size.rows, args.size.columns, temperature)
    } else {
        (f64::NAN, f64::NAN)
    }
}
