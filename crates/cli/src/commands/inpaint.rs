//! Fills hidden columns and missing values of rows.

use std::ops::RangeInclusive;

use harmonium::data::Part;
use harmonium::units::Units;
use harmonium::{Batch, BitMatrix, EnergyModel, Error, Key};

use super::clamped::{self, Asked};
use crate::args::Inpaint;
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
    let (rbm, header) = folder::open_model(&args.model)?;
    let (seed, schema) = (folder::seed(args.found.seed, &header), folder::schema(&rbm, &header));
    let rows = source::load_part(&args.data, &args.reading, schema.as_ref(), seed, Part::Test)?;
    let rows = clamped::first(rows, args.found.rows);
    rbm.check_data(&rows)?;
    let width = match rbm.visible().units() {
        Units::Categorical { classes, .. } => classes,
        _ => 1,
    };
    let hidden = args.hide.as_deref().map(|text| columns(text, rows.units() / width)).transpose()?;
    let gone = |r: usize, f: usize| {
        let hides =
            |ranges: &Vec<RangeInclusive<usize>>| ranges.iter().any(|range| range.contains(&(f / width + 1)));
        hidden.as_ref().is_some_and(hides) || rows.missing().is_some_and(|missing| missing.get(r, f))
    };
    let data: Batch = rows.clone().masked(BitMatrix::from_fn(rows.rows(), rows.units(), gone));
    if data.missing().is_none() {
        return Err(Error::option("--hide", "columns to hide, as no value is missing", "none"));
    }
    let asked =
        Asked { rbm: &rbm, found: &args.found, output: args.output, options, key: Key::from_seed(seed) };
    let means = asked.marginals(&rbm.inpainting(&data)?, data.rows(), "inpainting")?;
    let mut known = rbm.visible().features_of(data.states());
    known.indexed_iter_mut().filter(|((r, f), _)| gone(*r, *f)).for_each(|(_, x)| *x = 0.5);
    asked.write(&known, &means)?;
    if rbm.visible().bernoulli().is_some() && rows.missing().is_none() {
        let wrong = clamped::wrong(&clamped::likelier(&means)?, &rows)?;
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
