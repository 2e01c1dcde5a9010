//! Makes a model file from weights of another program.

use std::path::Path;

use harmonium::data::{ReadOptions, Table, Values, open};
use harmonium::rbm::{Origin, Parts, Rbm};
use harmonium::{Error, HasParams};
use ndarray::{Array1, Array2};

use crate::args::Import;
use crate::console;
use crate::folder::VFS;

/// Carries out `import`.
///
/// # Errors
/// Says which array does not fit.
pub(crate) fn run(args: &Import) -> Result<(), Error> {
    let weights = matrix(&args.weights, "weights")?;
    let weights = if args.transposed { weights.reversed_axes() } else { weights };
    let parts = Parts {
        weights,
        visible_bias: vector(&args.visible_bias, "visible_bias")?,
        hidden_bias: vector(&args.hidden_bias, "hidden_bias")?,
    };
    let rbm = Rbm::from_parts(parts)?;
    rbm.save(&VFS, &args.out, &Origin::default())?;
    console::line(format!(
        "{} visible, {} hidden units, digest {}: {}",
        rbm.visible_units(),
        rbm.hidden_units(),
        rbm.digest(),
        args.out.display()
    ))
}

/// Reads parameters: of an npz file the array of this name, as `export` calls it, else its only one. Unsigned bytes would
/// come as grey values, b / 255.
fn table(path: &Path, name: &str) -> Result<Table, Error> {
    let named = ReadOptions { array: Some(name.to_owned()), ..ReadOptions::default() };
    let archive = path.extension().is_some_and(|e| e == "npz");
    let found = if archive { open(path, &named).ok() } else { None };
    let table = found.map_or_else(|| open(path, &ReadOptions::default()), Ok)?;
    match table.values() {
        Values::Bytes(_) => Err(Error::format(path.display(), "dtype", "f4, f8, i4 or i8", "unsigned bytes")),
        _ => Ok(table),
    }
}

fn matrix(path: &Path, name: &str) -> Result<Array2<f32>, Error> {
    let table = table(path, name)?;
    Ok(Array2::from_shape_fn((table.rows(), table.columns()), |(r, c)| table.value(r, c)))
}

/// Reads a vector that lies as one row or as one column.
fn vector(path: &Path, name: &str) -> Result<Array1<f32>, Error> {
    let table = table(path, name)?;
    let (rows, columns) = (table.rows(), table.columns());
    match (rows, columns) {
        (_, 1) => Ok(Array1::from_shape_fn(rows, |r| table.value(r, 0))),
        (1, _) => Ok(Array1::from_shape_fn(columns, |c| table.value(0, c))),
        _ => {
            Err(Error::shape(name.replace('_', " "), "one row or one column", format!("{rows} x {columns}")))
        }
    }
}
