//! Measures a model on rows and prints the figures.

use std::borrow::Cow;

use harmonium::data::{Part, Schema, marginals};
use harmonium::evaluate::{Ais, Annealing, Betas, Compare, Comparison, compare};
use harmonium::rbm::Rbm;
use harmonium::units::{Bernoulli, Layer};
use harmonium::{Batch, EnergyModel, Error, Key};

use crate::args::{Evaluate, Reading, Schedule};
use crate::source;
use crate::stacks::model::stack;
use crate::stacks::used;
use crate::{console, folder, gaps, interrupt, likelihood};

/// Carries out `evaluate`.
///
/// # Errors
/// Says what stopped it; an estimate too uncertain is an error, too.
pub(crate) fn run(args: &Evaluate) -> Result<(), Error> {
    console::threads(args.output)?;
    interrupt::listen();
    let ais = options(args)?;
    if args.samples == 1 {
        return Err(Error::option("--samples", "2 or more, or 0", 1));
    }
    if let Some(opened) = stack(&args.model)? {
        if args.raise > 0 {
            return Err(Error::option("--raise", "a single machine", "a stack"));
        }
        return used::evaluate(args, &opened);
    }
    let (rbm, header) = folder::open_model(&args.model)?;
    let (seed, schema) = (folder::seed(args.seed, &header), folder::schema(&rbm, &header));
    let rows = source::load_part(&args.data, &args.reading, schema.as_ref(), seed, Part::Test)?;
    rbm.check_data(&rows)?;
    let rows = whole(&rows, args)?;
    let base_rows = args.base_data.as_deref();
    let base_rows =
        base_rows.map(|data| load_base(data, &args.reading, schema.as_ref(), seed)).transpose()?;
    let base = base_rows.as_ref().map(|rows| base(&rbm, rows, args.schedule)).transpose()?;
    let method = args.method.unwrap_or_else(|| likelihood::default_method(&rbm));
    let filled = base_rows.as_ref().map(|rows| gaps::filled(&rbm, rows, seed));
    let starts = (args.reverse_sweeps > 0).then_some(filled.as_deref().unwrap_or(&rows));
    let annealing =
        Annealing { ais, base: base.as_ref(), starts, sweeps: args.reverse_sweeps, ..Annealing::default() };
    let key = Key::from_seed(seed);
    let mut figures = likelihood::measure(&rbm, &rows, method, &annealing, key, args.output)?;
    if !args.force {
        figures.certain()?;
    }
    if args.raise > 0 {
        figures.raise = Some(likelihood::raised(&rbm, &rows, args.raise, &annealing, key, args.output)?);
    }
    figures.samples = compared(args, &rbm, &rows, filled.as_deref(), key)?;
    if args.output.json {
        return console::json(&figures);
    }
    console::line(figures.sentence())?;
    figures.raise.iter().map(likelihood::Raised::sentence).try_for_each(console::line)?;
    figures.samples.iter().flat_map(|found| likelihood::lines(found, "base row")).try_for_each(console::line)
}

/// Draws samples, if any are asked for, and compares them with the rows.
fn compared(
    args: &Evaluate,
    rbm: &Rbm,
    rows: &Batch,
    training: Option<&Batch>,
    key: Key,
) -> Result<Option<Comparison>, Error> {
    if args.samples == 0 {
        return Ok(None);
    }
    let bar = console::bar(args.output, args.sweeps, "sampling");
    let samples = rbm.sample(args.samples, args.sweeps, key, &mut |sweep| bar.set_position(sweep));
    bar.finish_and_clear();
    compare(&Batch::from_states(samples)?, rows, training, &Compare::default(), key).map(Some)
}

fn options(args: &Evaluate) -> Result<Ais, Error> {
    let betas = match args.schedule {
        Some(Schedule::Sm08) => Betas::Sm08,
        None if args.adaptive => Betas::Adaptive(args.betas),
        None => Betas::Count(args.betas),
    };
    let ais = Ais { runs: args.runs, betas };
    ais.check()?;
    Ok(ais)
}

/// Loads the rows of the base: a file is read as that of the data, and mnist as always.
fn load_base(data: &str, reading: &Reading, schema: Option<&Schema>, seed: u64) -> Result<Batch, Error> {
    let packed = if data == "mnist" { None } else { reading.packed };
    source::load_part(data, &Reading { packed, ..reading.clone() }, schema, seed, Part::Train)
}

/// Leaves rows with missing values out, and tells how many.
fn whole<'a>(rows: &'a Batch, args: &Evaluate) -> Result<Cow<'a, Batch>, Error> {
    let Some(whole) = gaps::whole(rows) else {
        let expected = "a row of which no value is missing (impute fills gaps in)";
        return Err(Error::value("data", "", expected, format!("gaps in each of {} rows", rows.rows())));
    };
    if whole.rows() < rows.rows() {
        let left_out = rows.rows() - whole.rows();
        console::note(
            args.output,
            format!("{left_out} of {} rows have missing values and are left out", rows.rows()),
        );
    }
    Ok(whole)
}

/// Makes the base from rows: the published schedule comes with its own smoothing.
fn base(rbm: &Rbm, rows: &Batch, schedule: Option<Schedule>) -> Result<Layer, Error> {
    let n = rows.rows() as u64;
    match schedule {
        Some(Schedule::Sm08) => Ok(Bernoulli::from_counts_sm08(&rows.bits()?.count_by_unit(), n).into()),
        None => marginals(&rbm.visible().units(), rows, rbm.scaling()),
    }
}
