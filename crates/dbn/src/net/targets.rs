//! Says what outputs should be, and refuses targets that a network can't have.

use harmonium_core::units::States;
use harmonium_core::{Batch, Error, Rows, rows};

use super::{Goal, Loss, Network};

/// Says what the outputs of a network should be, row by row.
#[derive(Clone, Copy)]
pub enum Targets<'a> {
    /// A class of each row; rows without one are left out of the training.
    Classes(&'a [Option<usize>]),
    /// Values, `(n, outputs)`.
    Values(&'a dyn Rows),
    /// The rows themselves: of an autoencoder.
    Inputs,
}

impl Targets<'_> {
    /// Refuses data and targets that do not fit each other, the network or the loss, before anything is changed.
    ///
    /// # Errors
    /// Names the field and the place: rows without a partner, another width, a class that the network does not have, labels
    /// that are all of one class, missing values, and values outside 0 to 1 where they are taken for probabilities.
    pub fn check(&self, network: &Network, inputs: &dyn Rows, loss: Loss) -> Result<(), Error> {
        rows::check_count("data", inputs.rows())?;
        if mutant!("B220", inputs.units() != network.inputs(), false) {
            let got = format!("{} columns", inputs.units());
            return Err(Error::shape("data", format!("{} columns", network.inputs()), got));
        }
        loss.check(network, matches!(self, Self::Classes(_)))?;
        complete("data", inputs, false)?;
        let probable = loss == Loss::CrossEntropy;
        match self {
            Self::Classes(labels) => check_labels(labels, inputs.rows(), network.outputs()),
            Self::Values(values) => {
                check_width(values.units(), network.outputs())?;
                check_rows(values.rows(), inputs.rows())?;
                complete("targets", values, probable)
            }
            Self::Inputs => {
                check_width(inputs.units(), network.outputs())?;
                complete("targets", inputs, probable)
            }
        }
    }

    /// Gives the rows that have a target.
    pub(super) fn known(&self, rows: usize) -> Vec<u32> {
        let known = |row: &u32| match self {
            Self::Classes(labels) => labels[*row as usize].is_some(),
            _ => true,
        };
        (0..rows as u32).filter(known).collect()
    }

    /// Gives the targets of the named rows, which have them; `read` holds the rows themselves.
    pub(super) fn goal(&self, named: &[u32], read: &Batch) -> Result<Goal, Error> {
        Ok(match self {
            Self::Classes(labels) => {
                Goal::Classes(named.iter().map(|&row| labels[row as usize].unwrap_or_default()).collect())
            }
            Self::Values(values) => Goal::of(&values.read(named)?),
            Self::Inputs => Goal::of(read),
        })
    }
}

fn check_rows(got: usize, expected: usize) -> Result<(), Error> {
    if got == expected {
        return Ok(());
    }
    Err(Error::shape("targets", format!("{expected} rows, as the data"), format!("{got} rows")))
}

fn check_width(got: usize, expected: usize) -> Result<(), Error> {
    if got == expected {
        return Ok(());
    }
    Err(Error::shape("targets", format!("{expected} columns, as the outputs"), format!("{got} columns")))
}

/// Refuses classes that are not there, and labels that tell nothing apart.
pub(super) fn check_labels(labels: &[Option<usize>], rows: usize, classes: usize) -> Result<(), Error> {
    if labels.len() != rows {
        return Err(Error::shape("labels", format!("{rows} labels"), labels.len()));
    }
    let wrong =
        |label: &Option<usize>| label.is_some_and(|label| mutant!("B221", label >= classes, label > classes));
    if let Some(row) = labels.iter().position(wrong) {
        let got = labels[row].unwrap_or_default();
        return Err(Error::value("labels", format!("row {row}"), format!("a class below {classes}"), got));
    }
    let mut known = labels.iter().flatten();
    let first = known.next();
    if first.is_none() || known.all(|label| Some(label) == first) {
        let got = first.map_or("none".to_owned(), |label| format!("class {label} alone"));
        return Err(Error::shape("labels", "two classes at least", got));
    }
    Ok(())
}

/// Refuses missing values, and values that are no probabilities where these are asked for.
fn complete(field: &str, data: &dyn Rows, probable: bool) -> Result<(), Error> {
    let one = |first: usize, block: &Batch| {
        block.check_complete(field)?;
        match block.states() {
            States::Reals(values) if probable => {
                let wrong = values.indexed_iter().find(|(_, x)| !(0.0..=1.0).contains(*x));
                wrong.map_or(Ok(()), |((row, column), got)| {
                    let place = format!("row {}, column {column}", first + row);
                    Err(Error::value(field, place, "a number from 0 to 1", got))
                })
            }
            _ => Ok(()),
        }
    };
    if let Some(all) = data.whole() {
        return one(0, all);
    }
    let mut first = 0;
    for block in rows::blocks(data) {
        let block = block?;
        one(first, &block)?;
        first += block.rows();
    }
    Ok(())
}
