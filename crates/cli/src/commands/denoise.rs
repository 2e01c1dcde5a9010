//! Takes noise off rows.

use harmonium::data::Part;
use harmonium::rbm::{Clamping, Noise, Rbm};
use harmonium::units::Units;
use harmonium::{Batch, BitMatrix, EnergyModel, Error, Key, purpose};
use ndarray::Array2;
use rand::RngCore;

use super::clamped::{self, Asked};
use crate::args::Denoise;
use crate::stacks::codes;
use crate::stacks::model::{Model, Opened, stack};
use crate::{console, folder, interrupt, source};

/// The number of the flips among the draws of [`purpose::EVALUATE`]; the library's own are below 16.
const SPOIL: u64 = 33;

/// Carries out `denoise`.
///
/// # Errors
/// Says what stopped it.
pub(crate) fn run(args: &Denoise) -> Result<(), Error> {
    console::threads(args.output)?;
    interrupt::listen();
    let options = args.walk.options();
    options.check()?;
    clamped::check(&args.found)?;
    if let Some(opened) = stack(&args.model)? {
        return deep(args, options, &opened);
    }
    let (rbm, header) = folder::open_model(&args.model)?;
    let (seed, schema) = (folder::seed(args.found.seed, &header), folder::schema(&rbm, &header));
    let rows = source::load_part(&args.data, &args.reading, schema.as_ref(), seed, Part::Test)?;
    let (rows, key) = (clamped::first(rows, args.found.rows), Key::from_seed(seed));
    rbm.check_data(&rows)?;
    let units = rbm.visible().units();
    let noisy = args.spoil.map(|rate| spoilt(&units, &rows, rate, key)).transpose()?;
    let seen = noisy.as_ref().unwrap_or(&rows);
    let noise = match (args.deviation, args.flips) {
        (Some(deviation), _) => Noise::Normal(deviation),
        (None, Some(rate)) => Noise::Flips(rate),
        (None, None) => Noise::Flips(estimated(args, &rbm, seen, key)?),
    };
    let asked = Asked { binary: units.is_binary(), found: &args.found, output: args.output, options, key };
    let means = asked.marginals(&rbm.denoising(seen, noise)?, seen.rows(), "denoising")?;
    let known = rbm.visible().features_of(seen.states());
    told(&asked, &units, [&rows, seen], (known, &means))
}

/// Takes flips off rows by a deep Boltzmann machine.
fn deep(args: &Denoise, options: Clamping, opened: &Opened) -> Result<(), Error> {
    let Model::Dbm(dbm) = &opened.model else {
        let why = "the law of what lies below noisy rows has no chains to draw it from";
        return Err(clamped::undefined(opened, "a restricted or a deep Boltzmann machine", why));
    };
    let Some(rate) = args.flips else {
        return Err(Error::option(
            "--flips",
            "the rate of flips, as it is estimated by an rbm alone",
            "none",
        ));
    };
    let key = Key::from_seed(args.found.seed.unwrap_or(opened.origin.seed));
    let rows = clamped::first(codes::rows(opened, &args.data, &args.reading)?.bits, args.found.rows);
    dbm.check_data(&rows)?;
    let layer = &dbm.layers()[0];
    let units = layer.units();
    let noisy = args.spoil.map(|rate| spoilt(&units, &rows, rate, key)).transpose()?;
    let seen = noisy.as_ref().unwrap_or(&rows);
    let asked = Asked { binary: units.is_binary(), found: &args.found, output: args.output, options, key };
    let means = asked.of_chains("denoising", |options, watch| {
        dbm.denoise(seen, Noise::Flips(rate), options, key, watch)
    })?;
    told(&asked, &units, [&rows, seen], (layer.features_of(seen.states()), &means))
}

/// Writes what was found, and tells how many bits are wrong where noise was put on them here.
fn told(
    asked: &Asked<'_>,
    units: &Units,
    [rows, seen]: [&Batch; 2],
    (known, means): (Array2<f32>, &Array2<f32>),
) -> Result<(), Error> {
    let gone = |r: usize, f: usize| seen.missing().is_some_and(|missing| missing.get(r, f));
    asked.write(&clamped::with_gaps(known, gone), means)?;
    if std::ptr::eq(rows, seen) {
        return Ok(());
    }
    let middle = if matches!(units, Units::Spin(_)) { 0.0 } else { 0.5 };
    let found = clamped::wrong(&clamped::likelier(means, middle)?, rows)?;
    let noisy = clamped::wrong(seen, rows)?;
    console::line(format!("wrong bits a row: noisy {noisy:.2}, denoised {found:.2}"))
}

/// Estimates the rate of flips, and tells it.
fn estimated(args: &Denoise, rbm: &Rbm, rows: &Batch, key: Key) -> Result<f32, Error> {
    if !rbm.visible().units().is_binary() {
        let expected = "the standard deviation of the noise, as the values are real";
        return Err(Error::option("--deviation", expected, "none"));
    }
    let options = args.walk.options();
    let few = Clamping { chains: options.chains.min(5), sweeps: options.sweeps.min(20), ..options };
    let how = format!("{} chains of {} sweeps", few.chains, few.sweeps);
    console::note(
        args.output,
        format!("estimating the rate of flips by {how}; --flips RATE saves this time"),
    );
    let bar = console::bar(args.output, 1000, "rate of flips");
    let rate = rbm.flip_rate(rows, &few, key, &mut |share| bar.set_position((1000.0 * share) as u64))?;
    bar.finish_and_clear();
    console::note(args.output, format!("rate of flips, estimated: {rate:.4}"));
    Ok(rate)
}

/// Flips bits at this rate, row r by stream r; what is missing stays so.
fn spoilt(units: &Units, rows: &Batch, rate: f32, key: Key) -> Result<Batch, Error> {
    if !(0.0..=1.0).contains(&rate) {
        return Err(Error::option("--spoil", "a rate from 0 to 1", rate));
    }
    let (Units::Bernoulli(_) | Units::Spin(_)) = units else {
        return Err(Error::option("--spoil", "only where units are bits", units));
    };
    let (bits, key) = (rows.bits()?, key.fold_in(purpose::EVALUATE).fold_in(SPOIL));
    let mut out: BitMatrix = bits.clone();
    for row in 0..bits.rows() {
        let mut words = key.stream(row as u64);
        for unit in 0..bits.units() {
            let flip = f64::from(words.next_u32()) < f64::from(rate) * 4_294_967_296.0;
            out.set(row, unit, bits.get(row, unit) != flip);
        }
    }
    let missing = rows.missing().cloned();
    let out = rows.completed(out.into());
    Ok(missing.map_or(out.clone(), |missing| out.masked(missing)))
}
