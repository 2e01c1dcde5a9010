//! Finds the scale of real columns, so that one learning rate serves them all.

use crate::rows::{moments, weighted_blocks};
use crate::units::{Scaling, Units};
use crate::{Error, Rows};

/// The largest value that a column has after scaling: rare large ones would else decide every update.
const MOST: f64 = 10.0;
/// Below this share of the largest |x| a deviation is rounding, and the column constant.
const CONSTANT: f64 = 1e-6;

/// Says what is subtracted from the values of a feature before they are divided.
#[derive(Clone, Copy, PartialEq)]
enum Centre {
    /// Nothing, and they are not divided either.
    Untouched,
    /// Nothing: zero means something to the units.
    Zero,
    /// The mean.
    Mean,
}

/// Fits a scaling to the real columns of data; none where there are none. Columns of Gaussian units are centred on their means,
/// those of rectified units keep their zero. They are divided by their deviation, or by a tenth of their largest distance
/// from the centre if that is more, as at the rim of pictures, where a pixel is hardly ever set. A constant column is only
/// shifted.
///
/// # Errors
/// As [`Rows::read`].
pub fn scaled(units: &Units, data: &dyn Rows) -> Result<Option<Scaling>, Error> {
    let centres = centres(units);
    if centres.iter().all(|&centre| centre == Centre::Untouched) {
        return Ok(None);
    }
    let (means, variances) = moments(data)?;
    let shift = |f: usize| if centres[f] == Centre::Mean { means[f] } else { 0.0 };
    let farthest = farthest(data, &shift)?;
    let deviation = |f: usize| {
        let deviation = variances[f].sqrt().max(mutant!("B126", farthest[f] / MOST, 0.0));
        let constant = variances[f].sqrt() <= CONSTANT * means[f].abs();
        if centres[f] == Centre::Untouched || constant { 1.0 } else { deviation as f32 }
    };
    let features = 0..centres.len();
    let mean = features.clone().map(|f| shift(f) as f32).collect();
    Scaling::new(mean, features.map(deviation).collect(), centres.len()).map(Some)
}

fn centres(units: &Units) -> Vec<Centre> {
    let of = |centre| vec![centre; units.features()];
    match units {
        Units::Mixed(parts) => parts.iter().flat_map(centres).collect(),
        Units::Gaussian(_) | Units::Diagonal(_) => of(Centre::Mean),
        Units::Relu(_) | Units::Drelu(_) => of(Centre::Zero),
        _ => of(Centre::Untouched),
    }
}

/// Finds the largest distance of each feature from its centre over the rows that have it, and count.
fn farthest(data: &dyn Rows, shift: &dyn Fn(usize) -> f64) -> Result<Vec<f64>, Error> {
    let mut out = vec![0.0_f64; data.units()];
    for block in weighted_blocks(data) {
        let (_, block) = block?;
        for ((row, feature), &x) in block.to_array().indexed_iter() {
            if block.missing().is_none_or(|missing| !missing.get(row, feature)) {
                out[feature] = out[feature].max((f64::from(x) - shift(feature)).abs());
            }
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;
    use crate::Batch;

    #[test]
    fn columns_come_to_one_scale_and_rare_values_stay_small() {
        // The last column is set in one row of 1000: its deviation is 0.03, and its largest distance from the mean 0.999.
        let values = Array2::from_shape_fn((1000, 4), |(r, c)| match c {
            0 => 70.0 + 5.0 * (r % 2) as f32,
            1 => 0.25 * (r % 2) as f32,
            2 => 8.0,
            _ => f32::from(u8::from(r == 7)),
        });
        let units = Units::Mixed(vec![Units::Diagonal(1), Units::Relu(1), Units::Gaussian(2)]);
        let scaling = scaled(&units, &Batch::reals(values).unwrap()).unwrap().unwrap();
        let near = |x: &[f32], y: [f32; 4]| x.iter().zip(y).all(|(x, y)| (x - y).abs() < 1e-5);
        assert!(near(scaling.mean(), [72.5, 0.0, 8.0, 0.001]), "{scaling:?}");
        assert!(near(scaling.deviation(), [2.5, 0.125, 1.0, 0.0999]), "{scaling:?}");
        let bits = Batch::new(array![[0.0, 1.0]].view()).unwrap();
        assert!(scaled(&Units::Bernoulli(2), &bits).unwrap().is_none());
    }
}
