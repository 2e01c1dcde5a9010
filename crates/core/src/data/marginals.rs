//! Fits a layer alone to the columns of data: the base of annealing, and where training starts.

use crate::rows::{count_by_unit, first, moments, total};
use crate::units::{Layer, Scaling, Units};
use crate::{Error, Rows};

/// Makes the independent layer with the marginals of the data: smoothed counts of bits and classes, and means (with
/// variances, where these are parameters) of values, standardised by `scaling` first. Missing values are left out, and each
/// row counts as often as its weight says.
///
/// # Errors
/// As [`Rows::read`]; refuses data of another kind.
pub fn marginals(units: &Units, data: &dyn Rows, scaling: Option<&Scaling>) -> Result<Layer, Error> {
    // One row has the width and the kind of all.
    first(data)?.check_kind("base", units)?;
    let rows = total(data);
    let complete = data.whole().is_none_or(|all| all.missing().is_none());
    if units.is_binary() && complete {
        return Ok(units.from_counts(&count_by_unit(data)?, rows));
    }
    let mut moments = moments(data)?;
    if matches!(units, Units::Spin(_)) {
        // Bits t of spins 2t − 1.
        moments.0.iter_mut().for_each(|mean| *mean = 2.0 * *mean - 1.0);
    }
    let (means, variances) = match scaling {
        Some(scaling) => scaling.of_moments(moments),
        None => moments,
    };
    Ok(units.from_moments(&means, &variances, rows.round() as u64))
}

/// Fits the standardisation of real columns to the data; none where there are none.
///
/// # Errors
/// As [`Rows::read`].
pub fn standardise(units: &Units, data: &dyn Rows) -> Result<Option<Scaling>, Error> {
    if units.is_binary() {
        return Ok(None);
    }
    let (means, variances) = moments(data)?;
    Ok(Scaling::fit(units, &means, &variances))
}
