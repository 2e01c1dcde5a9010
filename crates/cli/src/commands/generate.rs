//! Generates rows, and tells how good they are: whether they were learnt by heart, how classes are balanced, how they differ from
//! rows that the model has not seen.

use harmonium::data::Part;
use harmonium::evaluate::{Compare, Comparison, compare};
use harmonium::rbm::Classifier;
use harmonium::units::States;
use harmonium::{Batch, EnergyModel, Error, Key};
use serde::Serialize;

use super::clamped::two_layers;
use super::sample;
use crate::args::Generate;
use crate::folder::VFS;
use crate::sampler::draw;
use crate::{console, folder, gaps, interrupt, likelihood, source};

/// Holds what is told of new rows.
#[derive(Serialize)]
struct Quality {
    rows: usize,
    #[serde(flatten)]
    comparison: Comparison,
    /// Shares of classes in the new rows and in the data.
    #[serde(skip_serializing_if = "Option::is_none")]
    balance: Option<[Vec<f64>; 2]>,
}

/// Carries out `generate`.
///
/// # Errors
/// Says what stopped it.
pub(crate) fn run(args: &Generate) -> Result<(), Error> {
    console::threads(args.output)?;
    interrupt::listen();
    if args.n < 2 {
        return Err(Error::option("n", "2 or more", args.n));
    }
    sample::check(&args.out, args.n)?;
    folder::check_place(&args.out)?;
    let why = "sample draws from stacks, without measuring the draws";
    let (rbm, header) = two_layers(&args.model, why)?;
    let (seed, schema) = (folder::seed(args.seed, &header), folder::schema(&rbm, &header));
    let key = Key::from_seed(seed);
    let load = |data: &str, part| {
        let rows = source::load_part(data, &args.reading, schema.as_ref(), seed, part)?;
        rbm.check_data(&rows)?;
        whole(args, data, &rows)
    };
    let held = load(&args.data, Part::Test)?;
    let training = args.training.as_deref().map(|data| load(data, Part::Train)).transpose()?;
    let bar = console::bar(args.output, args.sweeps, "generating");
    let (samples, _) =
        draw(&rbm, (args.n, args.sweeps), &args.sampler, key, &mut |done| bar.set_position(done))?;
    bar.finish_and_clear();
    let rows = gaps::alike(&held, samples.clone());
    let comparison = compare(&rows, &held, training.as_ref(), &Compare::default(), key)?;
    let balance = args.classifier.as_deref().map(|path| balance(path, [&rows, &held])).transpose()?;
    written(args, &rbm, &header, samples, key)?;
    tell(args, &Quality { rows: rows.rows(), comparison, balance })
}

/// Takes rows without gaps: what the model itself puts into gaps says nothing of what it has learnt by heart.
fn whole(args: &Generate, data: &str, rows: &Batch) -> Result<Batch, Error> {
    let Some(whole) = gaps::whole(rows) else {
        return Err(Error::option("data", "rows without gaps to compare with", format!("none in {data}")));
    };
    if whole.rows() < rows.rows() {
        let (kept, all) = (whole.rows(), rows.rows());
        console::note(args.output, format!("compared with the {kept} of {all} rows of {data} without gaps"));
    }
    Ok(whole.into_owned())
}

fn written(
    args: &Generate,
    rbm: &harmonium::rbm::Rbm,
    header: &harmonium::rbm::Header,
    samples: States,
    key: Key,
) -> Result<(), Error> {
    sample::write(&args.out, rbm, header, samples, key)?;
    console::note(args.output, format!("{} rows: {}", args.n, args.out.display()));
    Ok(())
}

/// Gives the share of each class in sets of rows.
fn balance(path: &std::path::Path, sets: [&Batch; 2]) -> Result<[Vec<f64>; 2], Error> {
    let (model, _) = Classifier::load(&VFS, path)?;
    let shares = |rows: &Batch| {
        let classes = model.predict(rows)?;
        let share = |class| classes.iter().filter(|&&c| c == class).count() as f64 / classes.len() as f64;
        Ok::<_, Error>((0..model.classes()).map(share).collect())
    };
    Ok([shares(sets[0])?, shares(sets[1])?])
}

fn tell(args: &Generate, quality: &Quality) -> Result<(), Error> {
    if args.output.json {
        return console::json(quality);
    }
    likelihood::lines(&quality.comparison, "training row").into_iter().try_for_each(console::line)?;
    let Some([new, held]) = &quality.balance else { return Ok(()) };
    let shares = |x: &[f64]| x.iter().map(|p| format!("{p:.3}")).collect::<Vec<_>>().join(" ");
    console::line(format!("classes: new rows {}, data {}", shares(new), shares(held)))
}
