//! Puts labels behind the bits of their rows, one bit a class, and reads them back.

use harmonium_core::{Batch, Error};
use harmonium_kernels::BitMatrix;

/// Puts the label of each row behind its bits: `(n, visible) → (n, visible + classes)`. A row without a label has zeros there.
///
/// # Errors
/// Refuses rows that are no bits, another number of labels, fewer than two classes, and a label that is none of them.
pub fn labelled(data: &Batch, labels: &[Option<usize>], classes: usize) -> Result<Batch, Error> {
    let bits = data.bits()?;
    check_classes(classes, data.units() + classes)?;
    if labels.len() != data.rows() {
        return Err(Error::shape("labels", format!("{} labels", data.rows()), labels.len()));
    }
    let wrong = |label: &Option<usize>| label.is_some_and(|label| label >= classes);
    if let Some(row) = labels.iter().position(wrong) {
        let got = labels[row].unwrap_or_default();
        return Err(Error::value("labels", format!("row {row}"), format!("a class below {classes}"), got));
    }
    let mut out = blank(bits, data.units(), classes);
    for (row, label) in labels.iter().enumerate() {
        label.iter().for_each(|label| out.set(row, data.units() + label, true));
    }
    Batch::from_bits(out)
}

/// Copies the first `units` bits of each row, with a zero for each class behind them.
pub(super) fn blank(bits: &BitMatrix, units: usize, classes: usize) -> BitMatrix {
    let mut out = BitMatrix::zeros(bits.rows(), units + classes);
    for row in 0..bits.rows() {
        bits.for_each_one(row, |unit| {
            if unit < units {
                out.set(row, unit, true);
            }
        });
    }
    out
}

/// Gives the class of a row whose classes stand from `units` on.
pub(super) fn label(bits: &BitMatrix, row: usize, units: usize) -> Option<usize> {
    (units..bits.units()).find(|&unit| bits.get(row, unit)).map(|unit| unit - units)
}

/// Gives the class of each row.
pub(super) fn all(bits: &BitMatrix, units: usize) -> Vec<Option<usize>> {
    (0..bits.rows()).map(|row| label(bits, row, units)).collect()
}

/// Refuses rows of more than one class.
pub(super) fn check(bits: &BitMatrix, units: usize) -> Result<(), Error> {
    let count = |row: usize| (units..bits.units()).filter(|&unit| bits.get(row, unit)).count();
    match (0..bits.rows()).find(|&row| count(row) > 1) {
        Some(row) => {
            let got = format!("{} classes", count(row));
            Err(Error::value("data", format!("row {row}"), "one class or none", got))
        }
        None => Ok(()),
    }
}

/// Refuses fewer than two classes, and as many as there are visible units in all.
pub(super) fn check_classes(classes: usize, visible: usize) -> Result<(), Error> {
    if (2..visible).contains(&classes) {
        return Ok(());
    }
    Err(Error::option(
        "classes",
        format!("2 or more, beside other visible units ({visible} in all)"),
        classes,
    ))
}
