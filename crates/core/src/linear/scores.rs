//! Judges predictions: accuracy, confusion matrix, area under the ROC curve.

use ndarray::Array2;

use super::check_labels;
use crate::Error;

/// The most classes of a confusion matrix: it takes half a GB.
const MOST: usize = 1 << 13;

/// Computes the share of predictions that are right.
///
/// # Errors
/// Refuses empty lists, and lists of different lengths.
pub fn accuracy(labels: &[usize], predicted: &[usize]) -> Result<f64, Error> {
    check_lengths(labels.len(), predicted.len())?;
    let right = labels.iter().zip(predicted).filter(|(a, b)| a == b).count();
    Ok(right as f64 / labels.len() as f64)
}

/// Counts rows by their class, the row of the result, and the class that was predicted, its column: `(classes, classes)`.
///
/// # Errors
/// Refuses empty lists, lists of different lengths, labels that are not below `classes`, and more than 8,192 of these.
pub fn confusion(labels: &[usize], predicted: &[usize], classes: usize) -> Result<Array2<u64>, Error> {
    check_lengths(labels.len(), predicted.len())?;
    if classes == 0 || classes > MOST {
        return Err(Error::option("classes", format!("1 to {MOST}"), classes));
    }
    check_labels("labels", labels, labels.len(), classes)?;
    check_labels("predictions", predicted, labels.len(), classes)?;
    let mut counts = Array2::zeros((classes, classes));
    for (&label, &guess) in labels.iter().zip(predicted) {
        counts[mutant!("B271", (label, guess), (guess, label))] += 1;
    }
    Ok(counts)
}

/// Computes the area under the ROC curve: the probability that a row that is one of those to be found has the higher score,
/// a tie counting for half (Mann & Whitney 1947).
///
/// # Errors
/// Refuses lists of different lengths, scores that are NaN, and rows that are all to be found, or none of them.
pub fn auroc(scores: &[f64], found: &[bool]) -> Result<f64, Error> {
    check_lengths(found.len(), scores.len())?;
    if let Some(row) = scores.iter().position(|x| x.is_nan()) {
        return Err(Error::value("scores", format!("row {row}"), "a number", "NaN"));
    }
    let positive = found.iter().filter(|&&own| own).count() as u64;
    let negative = found.len() as u64 - positive;
    if positive == 0 || negative == 0 {
        let got = if positive == 0 { "the others alone" } else { "those to be found alone" };
        return Err(Error::value("rows", "", "some to be found and some others", got));
    }
    let mut order: Vec<usize> = (0..scores.len()).collect();
    // −0 and 0 are one score.
    order.sort_by(|&a, &b| (scores[a] + 0.0).total_cmp(&(scores[b] + 0.0)));
    // Twice the number of pairs that are in the right order.
    let (mut pairs, mut below) = (0, 0);
    for tied in order.chunk_by(|&a, &b| scores[a] == scores[b]) {
        let own = tied.iter().filter(|&&row| found[row]).count() as u64;
        let others = tied.len() as u64 - own;
        pairs += own * (2 * below + mutant!("B272", others, 2 * others));
        below += others;
    }
    Ok(pairs as f64 / 2.0 / (positive as f64 * negative as f64))
}

fn check_lengths(expected: usize, got: usize) -> Result<(), Error> {
    if expected == 0 {
        return Err(Error::shape("rows", "one at least", "none"));
    }
    if expected == got {
        Ok(())
    } else {
        Err(Error::shape("predictions", format!("{expected}, one a row"), got))
    }
}
