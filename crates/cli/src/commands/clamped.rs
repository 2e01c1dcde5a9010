//! Holds what commands share that ask what is not known of rows: means, files and pictures.

use std::path::Path;

use harmonium::persist::write_bytes_atomically;
use harmonium::rbm::{Clamped, Clamping, Rbm};
use harmonium::{Batch, BitMatrix, Error, Key};
use ndarray::{Array2, ArrayView1};

use super::convert::write_npy;
use crate::args::{Found, Output};
use crate::folder::{self, VFS};
use crate::picture::{encode, pairs, tile_shape};
use crate::console;

/// The most rows of a picture.
const SHOWN: usize = 100;

/// Holds a question to a model.
pub(super) struct Asked<'a> {
    pub(super) rbm: &'a Rbm,
    pub(super) found: &'a Found,
    pub(super) output: Output,
    pub(super) options: Clamping,
    pub(super) key: Key,
}

impl Asked<'_> {
    /// Computes means behind a progress bar.
    pub(super) fn marginals(
        &self,
        clamped: &Clamped<'_>,
        rows: usize,
        what: &str,
    ) -> Result<Array2<f32>, Error> {
        let bar = console::bar(self.output, rows as u64, what);
        let found = clamped.marginals(&self.options, self.key, &mut |done| bar.set_position(done as u64))?;
        bar.finish_and_clear();
        Ok(found.mean)
    }

    /// Writes means, and a picture of what was known above what was found.
    pub(super) fn write(&self, known: &Array2<f32>, means: &Array2<f32>) -> Result<(), Error> {
        write_npy(&self.found.out, means)?;
        let (rows, columns) = means.dim();
        console::note(self.output, format!("{rows} x {columns} means: {}", self.found.out.display()));
        let Some(path) = &self.found.picture else { return Ok(()) };
        let tone = Range::of(self.rbm, means);
        let tiles =
            |x: &Array2<f32>| x.rows().into_iter().take(SHOWN).map(|row| tone.grey(&row)).collect::<Vec<_>>();
        let picture = pairs(&tiles(known), &tiles(means), tile_shape(columns), 20);
        write_bytes_atomically(&VFS, path, &encode(&picture))
    }
}

/// Holds which values are black and white.
struct Range([f32; 2]);

impl Range {
    fn of(rbm: &Rbm, values: &Array2<f32>) -> Self {
        if rbm.visible().units().is_binary() {
            return Self([values.iter().fold(0.0, |low: f32, &x| low.min(x)).min(0.0).floor(), 1.0]);
        }
        let range = |[low, high]: [f32; 2], &x: &f32| [low.min(x), high.max(x)];
        Self(values.iter().fold([f32::INFINITY, f32::NEG_INFINITY], range))
    }

    fn grey(&self, row: &ArrayView1<'_, f32>) -> Vec<f32> {
        let [low, high] = self.0;
        let width = if high > low { high - low } else { 1.0 };
        row.iter().map(|x| ((x - low) / width).clamp(0.0, 1.0)).collect()
    }
}

/// Refuses names of files that say nothing.
pub(super) fn check(found: &Found) -> Result<(), Error> {
    let ends = |path: &Path, with: &str| path.extension().is_some_and(|e| e == with);
    if !ends(&found.out, "npy") {
        return Err(Error::option("out", "a name that ends in .npy", found.out.display()));
    }
    if let Some(path) = found.picture.as_deref().filter(|path| !ends(path, "png")) {
        return Err(Error::option("picture", "a name that ends in .png", path.display()));
    }
    folder::check_place(&found.out)?;
    found.picture.as_deref().map_or(Ok(()), folder::check_place)?;
    if found.rows == Some(0) {
        return Err(Error::option("rows", "1 or more", 0));
    }
    Ok(())
}

/// Takes the first rows.
pub(super) fn first(rows: Batch, count: Option<usize>) -> Batch {
    match count {
        Some(count) if count < rows.rows() => rows.gather(0..count),
        _ => rows,
    }
}

/// Takes what is likelier than not.
pub(super) fn likelier(means: &Array2<f32>) -> Result<Batch, Error> {
    Batch::from_bits(BitMatrix::from_fn(means.nrows(), means.ncols(), |r, u| means[(r, u)] >= 0.5))
}

/// Counts wrong bits of a row, on average, among those that are known.
pub(super) fn wrong(found: &Batch, truth: &Batch) -> Result<f64, Error> {
    let (found, own) = (found.bits()?, truth.bits()?);
    let known = |r: usize, u: usize| truth.missing().is_none_or(|missing| !missing.get(r, u));
    let of_row = |r: usize| {
        let differs = |&u: &usize| found.get(r, u) != own.get(r, u) && known(r, u);
        (0..own.units()).filter(differs).count()
    };
    Ok((0..own.rows()).map(of_row).sum::<usize>() as f64 / own.rows() as f64)
}
