//! Finds weights and variances that have run away without being infinite.

use ndarray::{ArrayView2, Axis};

use super::{Doctor, Finding, Remark, Severity};

/// Finds hidden units with a weight beyond which draws can't go: `(visible, hidden)`.
pub fn exploding(weights: ArrayView2<'_, f32>, options: &Doctor) -> Vec<Remark> {
    let largest = |column: ndarray::ArrayView1<'_, f32>| {
        // NaN counts as the largest of all.
        column
            .iter()
            .fold(0.0_f64, |most, w| if w.is_nan() { f64::INFINITY } else { most.max(w.abs().into()) })
    };
    let each: Vec<f64> = weights.axis_iter(Axis(1)).map(largest).collect();
    let units: Vec<usize> = (0..each.len()).filter(|&j| each[j] > options.largest).collect();
    if units.is_empty() {
        return Vec::new();
    }
    let most = each.into_iter().fold(0.0, f64::max);
    // A hundred times the bound is beyond anything that rows of bits could ask for.
    let severity = if most > 100.0 * options.largest { Severity::Serious } else { Severity::Warning };
    let found = format!(
        "weights of {} hidden units reach {most:.3}, and draws end at {}",
        units.len(),
        options.largest
    );
    let figures = [("largest weight", most), ("count", units.len() as f64)];
    vec![Finding::ExplodingWeights.remark(severity, found, &figures, &units)]
}

/// Finds visible units whose own variance left what the data allow: `visible` values each, the units' variances
/// given the hidden layer and the columns' variances.
///
/// The variance of a column is the mean of its variance given the hidden units plus that of its mean given them, so at
/// maximum likelihood the former can't exceed the latter; twice as much is an explosion. A thousandth of it is a collapse: the
/// density of some rows then grows without bound, and no likelihood means anything.
pub fn variances(model: &[f64], data: &[f64], options: &Doctor) -> Vec<Remark> {
    let off = |&i: &usize| data[i] > 0.0 && !(1e-3 * data[i]..=2.0 * data[i]).contains(&model[i]);
    let units: Vec<usize> = (0..model.len().min(data.len())).filter(off).collect();
    let found = "visible units have a variance above twice or below a thousandth of their column's";
    Finding::Variance.on_units(&units, model.len(), options.few, found)
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;

    #[test]
    fn large_weights_are_found_with_their_units() {
        let mut w = Array2::from_elem((4, 6), 3.0_f32);
        assert_eq!(exploding(w.view(), &Doctor::default()), []);
        w[(2, 5)] = -17.0;
        let found = exploding(w.view(), &Doctor::default());
        assert_eq!((&found[0].units[..], found[0].severity), (&[5][..], Severity::Warning));
        w[(0, 1)] = f32::NAN;
        let found = exploding(w.view(), &Doctor::default());
        assert_eq!((&found[0].units[..], found[0].severity), (&[1, 5][..], Severity::Serious));
        assert!(found[0].figures.iter().all(|figure| figure.value.is_finite()));
    }

    #[test]
    fn variances_are_held_against_the_columns() {
        let data = [1.0, 4.0, 0.0, 0.25];
        assert_eq!(variances(&[0.9, 4.0, 7.0, 0.01], &data, &Doctor::default()), []);
        let found = variances(&[2.1, 0.003, 7.0, f64::NAN], &data, &Doctor::default());
        assert_eq!(found[0].units, [0, 1, 3]);
    }
}
