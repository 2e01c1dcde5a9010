//! Takes noise off rows.

use harmonium::data::Part;
use harmonium::rbm::{Noise, Rbm};
use harmonium::units::Units;
use harmonium::{Batch, BitMatrix, EnergyModel, Error, Key, purpose};
use rand::RngCore;

use super::clamped::{self, Asked};
use crate::args::Denoise;
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
    let why = "no other kind has its noise clamped";
    let (rbm, header) = clamped::two_layers(&args.model, why)?;
    let (seed, schema) = (folder::seed(args.found.seed, &header), folder::schema(&rbm, &header));
    let rows = source::load_part(&args.data, &args.reading, schema.as_ref(), seed, Part::Test)?;
    let (rows, key) = (clamped::first(rows, args.found.rows), Key::from_seed(seed));
    rbm.check_data(&rows)?;
    let noisy = args.spoil.map(|rate| spoilt(&rbm, &rows, rate, key)).transpose()?;
    let seen = noisy.as_ref().unwrap_or(&rows);
    let noise = match (args.deviation, args.flips) {
        (Some(deviation), _) => Noise::Normal(deviation),
        (None, Some(rate)) => Noise::Flips(rate),
        (None, None) => Noise::Flips(estimated(args, &rbm, seen, key)?),
    };
    let binary = rbm.visible().units().is_binary();
    let asked = Asked { binary, found: &args.found, output: args.output, options, key };
    let means = asked.marginals(&rbm.denoising(seen, noise)?, seen.rows(), "denoising")?;
    let gone = |r: usize, f: usize| seen.missing().is_some_and(|missing| missing.get(r, f));
    asked.write(&clamped::with_gaps(rbm.visible().features_of(seen.states()), gone), &means)?;
    if noisy.is_some() {
        let wrong = |x: &Batch| clamped::wrong(x, &rows);
        let found = clamped::likelier(&means)?;
        console::line(format!(
            "wrong bits a row: noisy {:.2}, denoised {:.2}",
            wrong(seen)?,
            wrong(&found)?
        ))?;
    }
    Ok(())
}

/// Estimates the rate of flips, and tells it.
fn estimated(args: &Denoise, rbm: &Rbm, rows: &Batch, key: Key) -> Result<f32, Error> {
    if !rbm.visible().units().is_binary() {
        let expected = "the standard deviation of the noise, as the values are real";
        return Err(Error::option("--deviation", expected, "none"));
    }
    console::note(args.output, "estimating the rate of flips; --flips RATE saves this time");
    let rate = rbm.flip_rate(rows, &args.walk.options(), key)?;
    console::note(args.output, format!("rate of flips, estimated: {rate:.4}"));
    Ok(rate)
}

/// Flips bits at this rate, row r by stream r; what is missing stays so.
fn spoilt(rbm: &Rbm, rows: &Batch, rate: f32, key: Key) -> Result<Batch, Error> {
    if !(0.0..=1.0).contains(&rate) {
        return Err(Error::option("--spoil", "a rate from 0 to 1", rate));
    }
    let (Units::Bernoulli(_) | Units::Spin(_)) = rbm.visible().units() else {
        return Err(Error::option("--spoil", "only where units are bits", rbm.visible().units()));
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
