//! Holds what commands share that ask what is not known of rows: means, files and pictures.

use std::path::Path;

use harmonium::persist::write_bytes_atomically;
use harmonium::rbm::{Clamped, Clamping, Header, Rbm};
use harmonium::sample::{Filling, Imputed};
use harmonium::{Batch, BitMatrix, Error, Key};
use ndarray::{Array2, ArrayView1};

use super::convert::write_npy;
use crate::args::{Found, Output};
use crate::console;
use crate::folder::{self, VFS};
use crate::picture::{encode, pairs, tile_shape};
use crate::stacks::model::{Opened, stack};

/// The most rows of a picture.
const SHOWN: usize = 100;

/// Holds a question to a model.
pub(super) struct Asked<'a> {
    /// Whether its visible units are bits or spins.
    pub(super) binary: bool,
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

    /// Asks chains that each walk on their own and give one answer, behind a progress bar.
    pub(super) fn of_chains(
        &self,
        what: &str,
        run: impl FnOnce(Filling, &mut dyn FnMut(usize)) -> Result<Imputed, Error>,
    ) -> Result<Array2<f32>, Error> {
        let Clamping { chains, annealing, warming, sweeps } = self.options;
        let sweeps = annealing.saturating_add(warming).saturating_add(sweeps);
        let bar = console::bar(self.output, chains as u64, what);
        let found = run(Filling { chains, sweeps }, &mut |done| bar.set_position(done as u64))?;
        bar.finish_and_clear();
        Ok(found.mean)
    }

    /// Writes means, and a picture of what was known (NaN is a gap) above what was found.
    pub(super) fn write(&self, known: &Array2<f32>, means: &Array2<f32>) -> Result<(), Error> {
        write_npy(&self.found.out, means)?;
        let (rows, columns) = means.dim();
        console::note(self.output, format!("{rows} x {columns} means: {}", self.found.out.display()));
        let Some(path) = &self.found.picture else { return Ok(()) };
        let tone = Range::of(self.binary, means);
        let tiles =
            |x: &Array2<f32>| x.rows().into_iter().take(SHOWN).map(|row| tone.grey(&row)).collect::<Vec<_>>();
        let picture = pairs(&tiles(known), &tiles(means), tile_shape(columns), 20);
        write_bytes_atomically(&VFS, path, &encode(&picture))
    }
}

/// Holds which values are black and white.
struct Range([f32; 2]);

impl Range {
    fn of(binary: bool, values: &Array2<f32>) -> Self {
        if binary {
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

/// Opens a machine of two layers, the only kind for which this is defined.
///
/// # Errors
/// Says which file could not be read and why; refuses stacks, and says `why`.
pub(super) fn two_layers(path: &Path, why: &str) -> Result<(Rbm, Header), Error> {
    match stack(path)? {
        Some(opened) => Err(undefined(&opened, "a restricted Boltzmann machine", why)),
        None => folder::open_model(path),
    }
}

/// Says why a model cannot be asked.
pub(super) fn undefined(opened: &Opened, expected: &str, why: &str) -> Error {
    Error::option("model", format!("{expected} ({why})"), format!("a {}", opened.model.kind()))
}

/// Takes values for what was known, and gaps for what was not.
pub(super) fn with_gaps(mut values: Array2<f32>, gone: impl Fn(usize, usize) -> bool) -> Array2<f32> {
    values.indexed_iter_mut().filter(|((r, f), _)| gone(*r, *f)).for_each(|(_, x)| *x = f32::NAN);
    values
}

/// Takes the first rows.
pub(super) fn first(rows: Batch, count: Option<usize>) -> Batch {
    match count {
        Some(count) if count < rows.rows() => rows.gather(0..count),
        _ => rows,
    }
}

/// Takes what is likelier than not: bits whose mean is at least the middle of both values.
pub(super) fn likelier(means: &Array2<f32>, middle: f32) -> Result<Batch, Error> {
    Batch::from_bits(BitMatrix::from_fn(means.nrows(), means.ncols(), |r, u| means[(r, u)] >= middle))
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
