//! Fills hidden columns and missing values of rows.

use std::ops::RangeInclusive;

use harmonium::data::Part;
use harmonium::sample::fill;
use harmonium::units::Units;
use harmonium::{Batch, BitMatrix, EnergyModel, Error, Key};
use ndarray::Array2;

use super::clamped::{self, Asked};
use crate::args::Inpaint;
use crate::stacks::codes;
use crate::stacks::model::{Model, stack};
use crate::{console, folder, interrupt, source};

/// Carries out `inpaint`.
///
/// # Errors
/// Says what stopped it.
pub(crate) fn run(args: &Inpaint) -> Result<(), Error> {
    console::threads(args.output)?;
    interrupt::listen();
    let options = args.walk.options();
    options.check()?;
    clamped::check(&args.found)?;
    let key = |seed| Key::from_seed(args.found.seed.unwrap_or(seed));
    let asked = |binary, key| Asked { binary, found: &args.found, output: args.output, options, key };
    if let Some(opened) = stack(&args.model)? {
        let Model::Dbm(dbm) = &opened.model else {
            let why =
                "what is missing of a row has no conditional law given the rest that chains could draw from";
            return Err(clamped::undefined(&opened, "a restricted or a deep Boltzmann machine", why));
        };
        let rows = clamped::first(codes::rows(&opened, &args.data, &args.reading)?.bits, args.found.rows);
        dbm.check_data(&rows)?;
        let units = dbm.layers()[0].units();
        let data = hidden(args, &rows, &units)?;
        let asked = asked(units.is_binary(), key(opened.origin.seed));
        let known = clamped::with_gaps(rows.to_array(), |r, f| is_gone(&data, r, f));
        let means =
            asked.of_chains("inpainting", |options, watch| fill(dbm, &data, options, asked.key, watch))?;
        return told(&asked, &rows, (&known, &means), units == Units::Bernoulli(rows.units()));
    }
    let (rbm, header) = folder::open_model(&args.model)?;
    let (seed, schema) = (folder::seed(args.found.seed, &header), folder::schema(&rbm, &header));
    let rows = source::load_part(&args.data, &args.reading, schema.as_ref(), seed, Part::Test)?;
    let rows = clamped::first(rows, args.found.rows);
    rbm.check_data(&rows)?;
    let units = rbm.visible().units();
    let data = hidden(args, &rows, &units)?;
    let asked = asked(units.is_binary(), key(seed));
    let means = asked.marginals(&rbm.inpainting(&data)?, data.rows(), "inpainting")?;
    let known = clamped::with_gaps(rbm.visible().features_of(data.states()), |r, f| is_gone(&data, r, f));
    told(&asked, &rows, (&known, &means), rbm.visible().bernoulli().is_some())
}

/// Hides columns, besides what is missing.
fn hidden(args: &Inpaint, rows: &Batch, units: &Units) -> Result<Batch, Error> {
    let width = if let Units::Categorical { classes, .. } = units { *classes } else { 1 };
    let hidden = args.hide.as_deref().map(|text| columns(text, rows.units() / width)).transpose()?;
    let hides = |f: usize| hidden.iter().flatten().any(|range| range.contains(&(f / width + 1)));
    let data = rows
        .clone()
        .masked(BitMatrix::from_fn(rows.rows(), rows.units(), |r, f| hides(f) || is_gone(rows, r, f)));
    if data.missing().is_none() {
        return Err(Error::option("--hide", "columns to hide, as no value is missing", "none"));
    }
    Ok(data)
}

fn is_gone(data: &Batch, row: usize, feature: usize) -> bool {
    data.missing().is_some_and(|missing| missing.get(row, feature))
}

/// Writes what was found, and tells how many bits are wrong where they are known.
fn told(
    asked: &Asked<'_>,
    rows: &Batch,
    (known, means): (&Array2<f32>, &Array2<f32>),
    bits: bool,
) -> Result<(), Error> {
    asked.write(known, means)?;
    if bits && rows.missing().is_none() {
        let wrong = clamped::wrong(&clamped::likelier(means, 0.5)?, rows)?;
        console::line(format!("wrong bits a row: {wrong:.2}"))?;
    }
    Ok(())
}

/// Reads numbers of columns and ranges of them.
fn columns(text: &str, most: usize) -> Result<Vec<RangeInclusive<usize>>, Error> {
    let wrong = |part: &str| {
        Error::option(
            "--hide",
            format!("numbers from 1 to {most} and ranges like 3-7, with commas between"),
            part,
        )
    };
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let number = |text: &str| text.trim().parse::<usize>().ok().filter(|n| (1..=most).contains(n));
        match (number(first), number(last)) {
            (Some(first), Some(last)) if first <= last => Ok(first..=last),
            _ => Err(wrong(part)),
        }
    };
    text.split(',').map(range).collect()
}

#[cfg(test)]
mod tests {
    use super::columns;

    #[test]
    fn columns_are_numbers_and_ranges() {
        assert_eq!(columns("1, 3-5", 9).unwrap(), [1..=1, 3..=5]);
        for text in ["", "0", "10", "5-3", "a", "1-", "1,,2"] {
            assert!(
                columns(text, 9).unwrap_err().to_string().starts_with("--hide: expected numbers from 1 to 9")
            );
        }
    }
}
