//! Turns rows into features or reconstructions.

use std::path::Path;

use harmonium::data::Part;
use harmonium::persist::write_bytes_atomically;
use harmonium::rbm::{Header, Rbm};
use harmonium::{Batch, EnergyModel, Error, ErrorKind, Key};
use ndarray::Array2;
use ndarray_npy::{WritableElement, WriteNpyExt};

use crate::args::Convert;
use crate::folder::{self, VFS};
use crate::source;
use crate::stacks::model::{Opened, stack};
use crate::stacks::used;
use crate::{console, interrupt};

/// Carries out `transform`.
///
/// # Errors
/// Says what stopped it.
pub(crate) fn transform(args: &Convert) -> Result<(), Error> {
    match beginning(args)? {
        Some(opened) => used::transform(args, &opened),
        None => convert(args, |rbm, rows, _| rbm.transform(rows)),
    }
}

/// Carries out `reconstruct`.
///
/// # Errors
/// Says what stopped it.
pub(crate) fn reconstruct(args: &Convert) -> Result<(), Error> {
    match beginning(args)? {
        Some(opened) => used::reconstruct(args, &opened),
        None => convert(args, Rbm::reconstruct),
    }
}

/// Looks at the options, and opens a stack if the model is one.
fn beginning(args: &Convert) -> Result<Option<Opened>, Error> {
    console::threads(args.output)?;
    interrupt::listen();
    check_npy(&args.out)?;
    stack(&args.model)
}

fn convert(
    args: &Convert,
    work: impl Fn(&Rbm, &Batch, Key) -> Result<Array2<f32>, Error>,
) -> Result<(), Error> {
    let (rbm, header): (Rbm, Header) = folder::open_model(&args.model)?;
    let (seed, schema) = (folder::seed(args.seed, &header), folder::schema(&rbm, &header));
    let rows = source::load_part(&args.data, &args.reading, schema.as_ref(), seed, Part::Test)?;
    rbm.check_data(&rows)?;
    check_whole(&rows)?;
    let values = work(&rbm, &rows, Key::from_seed(seed))?;
    write_npy(&args.out, &values)?;
    let (n, units) = values.dim();
    console::note(args.output, format!("{n} x {units} values: {}", args.out.display()));
    Ok(())
}

/// Refuses rows with gaps, and says what fills them in.
fn check_whole(rows: &Batch) -> Result<(), Error> {
    let advice = |problem: Error| match problem.kind() {
        ErrorKind::Value(fault) => {
            let expected = "a value (impute fills gaps in)";
            Error::value(&fault.field, &fault.place, expected, &fault.got)
        }
        _ => problem,
    };
    rows.check_complete("data").map_err(advice)
}

fn check_npy(path: &Path) -> Result<(), Error> {
    if path.extension().is_some_and(|e| e == "npy") {
        return Ok(());
    }
    Err(Error::option("out", "a name that ends in .npy", path.display()))
}

/// Writes an array as NPY, as a whole or not at all.
///
/// # Errors
/// Says which operation failed.
pub(crate) fn write_npy<T: WritableElement>(path: &Path, values: &Array2<T>) -> Result<(), Error> {
    let mut bytes = Vec::new();
    values
        .write_npy(&mut bytes)
        .map_err(|e| Error::format(path.display(), "", "an array that NPY can hold", e))?;
    write_bytes_atomically(&VFS, path, &bytes)
}
