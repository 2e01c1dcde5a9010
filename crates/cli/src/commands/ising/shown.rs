//! Prints the table of an Ising run, or one JSON object a temperature.

use harmonium::Error;
use harmonium::bm::lattice::{Estimate, exact};
use serde::Serialize;

use super::{Row, finite, sign};
use crate::args::{self, Size};
use crate::console;

/// Is one temperature in numbers; energies and heats are a site, in units of the coupling.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Line {
    pub(super) temperature: f64,
    pub(super) energy: f64,
    pub(super) energy_error: f64,
    /// Of the infinite lattice (Onsager), and of this size (Kaufman).
    pub(super) energy_infinite: f64,
    pub(super) energy_exact: f64,
    pub(super) heat: f64,
    pub(super) heat_error: f64,
    pub(super) heat_infinite: f64,
    pub(super) heat_exact: f64,
    /// Of the mean spin's magnitude.
    pub(super) magnetization: f64,
    pub(super) magnetization_error: f64,
    pub(super) magnetization_infinite: f64,
    pub(super) binder: f64,
    /// Of the energy, in sweeps.
    pub(super) autocorrelation: f64,
}

impl Line {
    pub(super) fn of(args: &args::Ising, row: &Row) -> Self {
        let (t, seen) = (row.temperature, &row.seen);
        let (energy, heat, spin) = (seen.energy(), seen.specific_heat(t), seen.magnetization());
        let (energy_exact, heat_exact) = finite(args, t);
        Self {
            temperature: t,
            energy: sign(args) * energy.value,
            energy_error: energy.error,
            energy_infinite: exact::energy(t),
            energy_exact,
            heat: heat.value,
            heat_error: heat.error,
            heat_infinite: exact::specific_heat(t),
            heat_exact,
            magnetization: spin.value,
            magnetization_error: spin.error,
            magnetization_infinite: if args.antiferromagnet { 0.0 } else { exact::magnetization(t) },
            binder: seen.binder().value,
            autocorrelation: seen.autocorrelation(),
        }
    }
}

/// Prints what is sampled, and the heads of the columns.
///
/// # Errors
/// As [`console::line`].
pub(super) fn head(args: &args::Ising) -> Result<(), Error> {
    if args.output.json {
        return Ok(());
    }
    let Size { rows, columns } = args.size;
    console::line(format_args!(
        "Ising lattice {rows} × {columns}, {:?}, {} sweeps after {}, seed {}; per site, ± one standard error",
        args.moves, args.sweeps, args.warming, args.seed
    ))?;
    console::line(format_args!(
        "{:>8}  {:>20} {:>10} {:>10}  {:>18} {:>9} {:>9}  {:>17} {:>8}  {:>8}",
        "T", "energy", "this size", "infinite", "heat", "this size", "infinite", "|m|", "infinite", "τ"
    ))
}

/// Prints one temperature.
///
/// # Errors
/// As [`console::line`].
pub(super) fn row(args: &args::Ising, row: &Row) -> Result<(), Error> {
    let line = Line::of(args, row);
    if args.output.json {
        return console::json(&line);
    }
    let both = |value, error, decimals| pair(Estimate { value, error }, decimals);
    console::line(format_args!(
        "{:>8.4}  {:>20} {:>10.6} {:>10.6}  {:>18} {:>9.5} {:>9.5}  {:>17} {:>8.5}  {:>8.1}",
        line.temperature,
        both(line.energy, line.energy_error, 6),
        line.energy_exact,
        line.energy_infinite,
        both(line.heat, line.heat_error, 5),
        line.heat_exact,
        line.heat_infinite,
        both(line.magnetization, line.magnetization_error, 5),
        line.magnetization_infinite,
        line.autocorrelation,
    ))
}

fn pair(estimate: Estimate, decimals: usize) -> String {
    format!("{:.decimals$} ± {:.decimals$}", estimate.value, estimate.error)
}

/// Tells how fast it went; measuring counts.
pub(super) fn speed(args: &args::Ising, seconds: f64) {
    let sites = (args.size.rows * args.size.columns) as f64;
    let sweeps = (args.temperature.0.len() * (args.warming + args.sweeps)) as f64;
    let rate = sites * sweeps / seconds * 1e-9;
    console::note(
        args.output,
        format_args!("{seconds:.2} s, {rate:.2} spins a nanosecond, measuring included"),
    );
}
