//! Fits a layer alone to the columns of data: the base of annealing, and where training starts.

use crate::rows::{count_by_unit, moments};
use crate::units::{Layer, Units};
use crate::{Error, Rows};

/// Makes the independent layer with the marginals of the data: smoothed counts of bits and classes, and means (with
/// variances, where these are parameters) of values.
///
/// # Errors
/// As [`Rows::read`]; refuses data of another kind.
pub fn marginals(units: &Units, data: &dyn Rows) -> Result<Layer, Error> {
    let rows = data.rows() as u64;
    if units.is_binary() {
        return Ok(units.from_counts(&count_by_unit(data)?, rows));
    }
    let (means, variances) = moments(data)?;
    Ok(units.from_moments(&means, &variances, rows))
}
