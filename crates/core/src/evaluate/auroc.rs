//! Measures how well a score tells two kinds of rows apart.

use crate::Error;

/// Computes the area under the receiver operating characteristic: the probability that an anomalous row scores above a normal
/// one, a tie counting for half (Hanley & McNeil 1982). It sorts, so that n scores take n ln n time.
///
/// # Errors
/// Refuses an empty list, and scores that are no numbers.
pub fn auroc(normal: &[f64], anomalous: &[f64]) -> Result<f64, Error> {
    let (normal, anomalous) = (sorted("normal scores", normal)?, sorted("anomalous scores", anomalous)?);
    // Of each anomalous score, in order, how many normal ones lie below, and how many are its equal.
    let (mut below, mut upto, mut twice) = (0, 0, 0_u128);
    for score in &anomalous {
        below += normal[below..].iter().take_while(|x| *x < score).count();
        upto = upto.max(below);
        upto += normal[upto..].iter().take_while(|x| *x <= score).count();
        twice += mutant!("B295", below as u128 + upto as u128, 2 * upto as u128);
    }
    Ok(twice as f64 / 2.0 / normal.len() as f64 / anomalous.len() as f64)
}

/// Sorts scores; −0 is 0.
///
/// # Errors
/// Refuses none at all, and NaN.
pub(super) fn sorted(field: &str, scores: &[f64]) -> Result<Vec<f64>, Error> {
    if scores.is_empty() {
        return Err(Error::shape(field, "one at least", "none"));
    }
    if let Some(at) = scores.iter().position(|x| x.is_nan()) {
        return Err(Error::value(field, format!("row {at}"), "a number", "NaN"));
    }
    let mut out: Vec<f64> = scores.iter().map(|x| x + 0.0).collect();
    out.sort_by(f64::total_cmp);
    Ok(out)
}
