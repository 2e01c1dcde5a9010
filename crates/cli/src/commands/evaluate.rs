//! Measures a model on rows and prints the figures.

use harmonium::data::{Part, marginals};
use harmonium::evaluate::{Ais, Betas};
use harmonium::rbm::{Annealing, Rbm};
use harmonium::units::{Bernoulli, Layer};
use harmonium::{Batch, Error, Key};

use crate::args::{Evaluate, Reading, Schedule};
use crate::source;
use crate::{console, folder, interrupt, likelihood};

/// Carries out `evaluate`.
///
/// # Errors
/// Says what stopped it; an estimate too uncertain is an error, too.
pub(crate) fn run(args: &Evaluate) -> Result<(), Error> {
    console::threads(args.output)?;
    interrupt::listen();
    let ais = options(args)?;
    let (rbm, header) = folder::open_model(&args.model)?;
    let seed = folder::seed(args.seed, &header);
    let rows = source::load_part(&args.data, &args.reading, seed, Part::Test)?;
    let base_rows = args.base_data.as_deref().map(|data| load_base(data, &args.reading, seed)).transpose()?;
    let base = base_rows.as_ref().map(|rows| base(&rbm, rows, args.schedule)).transpose()?;
    let method = args.method.unwrap_or_else(|| likelihood::default_method(&rbm));
    let starts = (args.reverse_sweeps > 0).then_some(base_rows.as_ref().unwrap_or(&rows));
    let annealing = Annealing { ais, base: base.as_ref(), starts, sweeps: args.reverse_sweeps };
    let figures = likelihood::measure(&rbm, &rows, method, &annealing, Key::from_seed(seed), args.output)?;
    if !args.force {
        figures.certain()?;
    }
    if args.output.json { console::json(&figures) } else { console::line(figures.sentence()) }
}

fn options(args: &Evaluate) -> Result<Ais, Error> {
    let betas = match args.schedule {
        Some(Schedule::Sm08) => Betas::Sm08,
        None => Betas::Count(args.betas),
    };
    let ais = Ais { runs: args.runs, betas };
    ais.check()?;
    Ok(ais)
}

/// Loads the rows of the base: a file is read as that of the data, and mnist as always.
fn load_base(data: &str, reading: &Reading, seed: u64) -> Result<Batch, Error> {
    let packed = if data == "mnist" { None } else { reading.packed };
    source::load_part(data, &Reading { packed, ..reading.clone() }, seed, Part::Train)
}

/// Makes the base from rows: the published schedule comes with its own smoothing.
fn base(rbm: &Rbm, rows: &Batch, schedule: Option<Schedule>) -> Result<Layer, Error> {
    let n = rows.rows() as u64;
    match schedule {
        Some(Schedule::Sm08) => Ok(Bernoulli::from_counts_sm08(&rows.bits()?.count_by_unit(), n).into()),
        None => marginals(&rbm.visible().units(), rows, rbm.scaling()),
    }
}
