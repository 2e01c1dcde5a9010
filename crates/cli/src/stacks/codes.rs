//! Computes codes of rows, and rows of codes.

use std::path::Path;

use harmonium::Error;
use harmonium::data::{Binarize, Part, ReadOptions, Source, open};
use harmonium::dbn::net::Activation;
use ndarray::Array2;

use super::data;
use super::judge::{Seen, features};
use super::model::{Model, Opened, stack};
use crate::args::{Decode, Encode, Reading};
use crate::commands::convert::write_npy;
use crate::{console, interrupt};

/// Carries out `encode`.
///
/// # Errors
/// Says what stopped it.
pub(crate) fn encode(args: &Encode) -> Result<(), Error> {
    console::threads(args.output)?;
    interrupt::listen();
    check_npy(&args.out)?;
    let opened = open_any(&args.model)?;
    let rows = rows(&opened, &args.data, &args.reading)?;
    let codes = features(&opened.model, &rows)?;
    let (n, units) = codes.dim();
    if args.binary {
        let threshold = threshold(&opened.model);
        write_npy(&args.out, &codes.mapv(|x| u8::from(x > threshold)))?;
    } else {
        write_npy(&args.out, &codes)?;
    }
    let what = if args.binary { "bits" } else { "values" };
    console::note(args.output, format!("codes of {n} x {units} {what}: {}", args.out.display()));
    Ok(())
}

/// Carries out `decode`.
///
/// # Errors
/// Says what stopped it.
pub(crate) fn decode(args: &Decode) -> Result<(), Error> {
    console::threads(args.output)?;
    interrupt::listen();
    check_npy(&args.out)?;
    let opened = open_any(&args.model)?;
    let Model::Autoencoder(model) = &opened.model else {
        return Err(Error::shape("model", "an autoencoder, which decodes", opened.model.kind()));
    };
    let table = open(&args.codes, &ReadOptions::default())?;
    let bytes = matches!(table.values(), harmonium::data::Values::Bytes(_));
    // Bits that lie as bytes are bits, no grey values.
    let scale = if bytes { 255.0 } else { 1.0 };
    let codes = Array2::from_shape_fn((table.rows(), table.columns()), |(r, c)| scale * table.value(r, c));
    let back = model.decode(codes)?;
    write_npy(&args.out, &back)?;
    let (n, units) = back.dim();
    console::note(args.output, format!("{n} x {units} values: {}", args.out.display()));
    Ok(())
}

/// Opens any model, single machines as well.
///
/// # Errors
/// Says which file could not be read and why.
pub(crate) fn open_any(path: &Path) -> Result<Opened, Error> {
    match stack(path)? {
        Some(opened) => Ok(opened),
        None => {
            Ok(Opened { model: Model::open(path)?, origin: harmonium::rbm::Origin::default(), recipe: None })
        }
    }
}

/// Loads the rows that a command names as the model takes them: by the command's reading, else by that of the model's recipe.
///
/// # Errors
/// Names what is wrong with the file or its values.
pub(crate) fn rows(opened: &Opened, data: &str, reading: &Reading) -> Result<Seen, Error> {
    Ok(labelled(opened, data, reading, Some("none"))?.0)
}

/// Loads rows and their labels.
///
/// # Errors
/// As [`rows`].
pub(crate) fn labelled(
    opened: &Opened,
    data: &str,
    reading: &Reading,
    labels: Option<&str>,
) -> Result<(Seen, Option<data::Labels>), Error> {
    let seed = if opened.origin.recipe.is_empty() { 1 } else { opened.origin.seed };
    let loaded = data::load(data, reading, labels, Part::Test, seed)?;
    let natural = if Source::parse(data)? == Source::Mnist { Binarize::Sample } else { Binarize::None };
    let told = opened.recipe.as_ref().map(|recipe| recipe.binarize);
    let how = reading.binarize.or(told).unwrap_or(natural);
    Ok((loaded.seen(how, opened.model.takes_bits())?, loaded.labels))
}

/// Gives what a code must be above to be 1: ½, and 0 for linear units.
fn threshold(model: &Model) -> f32 {
    let linear = match model {
        Model::Autoencoder(model) => {
            model.network().layers()[model.code_layer() - 1].activation() == Activation::Linear
        }
        _ => false,
    };
    if linear { 0.0 } else { 0.5 }
}

fn check_npy(path: &Path) -> Result<(), Error> {
    if path.extension().is_some_and(|e| e == "npy") {
        return Ok(());
    }
    Err(Error::option("out", "a name that ends in .npy", path.display()))
}
