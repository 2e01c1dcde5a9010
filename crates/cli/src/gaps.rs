//! Takes care of missing values where figures need whole rows.

use std::borrow::Cow;

use harmonium::rbm::Rbm;
use harmonium::units::States;
use harmonium::{Batch, EnergyModel, Key, purpose};

/// Sweeps that draw missing values given the others of their row.
const SWEEPS: u32 = 20;
/// The number of these draws among those of [`purpose::EVALUATE`]; the library's own are below 16.
const DRAWS: u64 = 18;

/// Gives the rows of which nothing is missing; none where there is no such row.
pub(crate) fn whole(rows: &Batch) -> Option<Cow<'_, Batch>> {
    let Some(missing) = rows.missing() else { return Some(Cow::Borrowed(rows)) };
    let complete = |&row: &usize| (0..rows.units()).all(|unit| !missing.get(row, unit));
    let complete: Vec<usize> = (0..rows.rows()).filter(complete).collect();
    let taken = |rows: &Batch| Cow::Owned(rows.completed(rows.states().clone()));
    (!complete.is_empty()).then(|| taken(&rows.gather(complete)))
}

/// Fills missing values with draws given the others of their row; the same seed gives the same draws.
pub(crate) fn filled<'a>(rbm: &Rbm, rows: &'a Batch, seed: u64) -> Cow<'a, Batch> {
    rbm.complete(rows, SWEEPS, Key::from_seed(seed).fold_in(purpose::EVALUATE).fold_in(DRAWS))
}

/// Makes rows of samples, of the kind of other rows.
pub(crate) fn alike(rows: &Batch, samples: States) -> Batch {
    rows.gather((0..samples.rows()).map(|row| row % rows.rows())).completed(samples)
}
