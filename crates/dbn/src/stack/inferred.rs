//! Hands out what machines infer of data as the rows of the next one.

use harmonium_core::rows::check_named;
use harmonium_core::units::{States, Units};
use harmonium_core::{Batch, EnergyModel, Error, Key, Rows};
use harmonium_rbm::{Rbm, labelled};
use ndarray::Array2;

use super::keys;

/// Is data seen through machines: each row is drawn from what these infer of the row below, one machine after the other.
///
/// Nothing but the rows asked for is held. They are drawn anew each time, at an address made of their numbers: an epoch, whose
/// batches are others, sees other draws of the same row, and the same list of rows gives the same bits again. A label stands
/// behind its row, as with [`labelled`].
#[derive(Clone)]
pub struct Inferred<'a> {
    data: &'a dyn Rows,
    machines: Vec<&'a Rbm>,
    labels: Option<(&'a [Option<usize>], usize)>,
    key: Key,
}

impl<'a> Inferred<'a> {
    /// Sees data through machines, that of the data first; without machines, as they are. `key` is that of the seed of what is
    /// trained on the rows.
    pub fn new(data: &'a dyn Rows, machines: Vec<&'a Rbm>, key: Key) -> Self {
        Self { data, machines, labels: None, key }
    }

    /// Puts labels behind the rows, one a row of the data.
    ///
    /// # Errors
    /// Refuses another number of labels than of rows, fewer than two classes, a label that is none of them, and labels of one
    /// class only.
    pub fn with_labels(self, labels: &'a [Option<usize>], classes: usize) -> Result<Self, Error> {
        check_labels(labels, classes, self.data.rows())?;
        Ok(Self { labels: Some((labels, classes)), ..self })
    }
}

impl Rows for Inferred<'_> {
    fn rows(&self) -> usize {
        self.data.rows()
    }

    fn units(&self) -> usize {
        let below = self.machines.last().map_or(self.data.units(), |rbm| rbm.hidden_units());
        below + self.labels.map_or(0, |(_, classes)| classes)
    }

    fn read(&self, rows: &[u32]) -> Result<Batch, Error> {
        check_named(rows, self.rows())?;
        let below = self.data.read(rows)?;
        let inferred = match &self.machines[..] {
            [] => below,
            machines => drawn(machines, &below, keys::up(self.key, mutant!("B233", rows, &rows[..1])))?,
        };
        let Some((labels, classes)) = self.labels else { return Ok(inferred) };
        let of = |at: usize| labels[mutant!("B243", rows[at] as usize, at)];
        let own: Vec<Option<usize>> = (0..rows.len()).map(of).collect();
        labelled(&inferred, &own, classes)
    }

    fn whole(&self) -> Option<&Batch> {
        if self.machines.is_empty() && self.labels.is_none() { self.data.whole() } else { None }
    }

    fn weights(&self) -> Option<&[f32]> {
        self.data.weights()
    }
}

/// Draws the hidden layer of the last of these machines, layer n from `key.fold_in(n)`.
fn drawn(machines: &[&Rbm], below: &Batch, key: Key) -> Result<Batch, Error> {
    machines[0].check_data(below)?;
    below.check_complete("data")?;
    let mut states = machines[0].clamp(below).visible().clone();
    for (n, machine) in machines.iter().enumerate() {
        states = machine.view().sample_hidden(&states, key.fold_in(n as u64));
    }
    batch(states, &machines[machines.len() - 1].hidden().units())
}

/// Makes rows of states of these units.
pub(super) fn batch(states: States, units: &Units) -> Result<Batch, Error> {
    let Units::Categorical { units, classes } = *units else { return Batch::from_states(states) };
    let bits = states.expect_bits();
    let class = |(row, unit)| (0..classes).find(|c| bits.get(row, unit * classes + c)).unwrap_or(0) as u16;
    Batch::classes(Array2::from_shape_fn((bits.rows(), units), class).view(), classes)
}

/// Refuses labels that do not fit their rows, and such as no classifier learns from.
pub(super) fn check_labels(labels: &[Option<usize>], classes: usize, rows: usize) -> Result<(), Error> {
    if classes < 2 {
        return Err(Error::option("classes", "2 or more", classes));
    }
    if labels.len() != rows {
        return Err(Error::shape("labels", format!("{rows} labels"), labels.len()));
    }
    if let Some((row, got)) =
        labels.iter().enumerate().find_map(|(row, label)| label.filter(|&l| l >= classes).map(|l| (row, l)))
    {
        return Err(Error::value("labels", format!("row {row}"), format!("a class below {classes}"), got));
    }
    let mut known = labels.iter().flatten();
    let first = known.next();
    if known.any(|label| Some(label) != first) {
        return Ok(());
    }
    Err(Error::shape("labels", "two classes at least", if first.is_some() { "one" } else { "none" }))
}
