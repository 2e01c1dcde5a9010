//! Finds what is wrong with the data: columns that never change, and columns on other scales than the model expects.

use super::{Doctor, Finding, Remark, Severity};

/// Finds columns that never change, by the columns' variances (p (1 − p) for bits).
pub fn constant(variances: &[f64], options: &Doctor) -> Vec<Remark> {
    let columns: Vec<usize> = (0..variances.len()).filter(|&i| variances[i] == 0.0).collect();
    let mut out = Finding::ConstantColumns.on_units(
        &columns,
        variances.len(),
        options.constant,
        "columns never change",
    );
    // They cost time and do no harm, unless nothing else is left.
    let severity = if columns.len() == variances.len() { Severity::Serious } else { Severity::Note };
    out.iter_mut().for_each(|remark| remark.severity = severity);
    out
}

/// Finds real-valued columns that are far from mean 0 and variance 1 (Hinton 2010, §13.2): means and variances of the
/// columns. Columns that never change are left to [`constant`].
pub fn unscaled(means: &[f64], variances: &[f64], options: &Doctor) -> Vec<Remark> {
    let off = |&i: &usize| {
        let deviation = variances[i].sqrt();
        let fits = deviation <= options.scale && deviation * options.scale >= 1.0;
        variances[i] != 0.0 && !(fits && means[i].abs() <= options.scale * deviation)
    };
    let columns: Vec<usize> = (0..means.len().min(variances.len())).filter(off).collect();
    let found = format!("columns have a mean or a deviation {} times off 0 and 1", options.scale);
    Finding::Unscaled.on_units(&columns, means.len(), options.few, &found)
}

/// Finds bits that are mostly ones, for a training without centring: means of the columns.
pub fn uncentred(means: &[f64], options: &Doctor) -> Vec<Remark> {
    let mean = means.iter().sum::<f64>() / means.len().max(1) as f64;
    if means.is_empty() || mean <= options.ones {
        return Vec::new();
    }
    let found = format!("{:.0} % of all bits are ones and the gradient is not centred", 100.0 * mean);
    vec![Finding::Uncentred.remark(Severity::Warning, found, &[("mean of all bits", mean)], &[])]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_that_never_change_are_found() {
        let mut variances = vec![0.2; 8];
        variances[3] = 0.0;
        assert_eq!(constant(&variances, &Doctor::default()), []);
        variances[6] = 0.0;
        let found = constant(&variances, &Doctor::default());
        assert_eq!((&found[0].units[..], found[0].severity), (&[3, 6][..], Severity::Note));
        assert_eq!(constant(&[0.0; 4], &Doctor::default())[0].severity, Severity::Serious);
    }

    #[test]
    fn columns_on_other_scales_are_found() {
        let healthy = unscaled(&[0.0, 1.0, -2.0], &[1.0, 0.5, 9.0], &Doctor::default());
        assert_eq!(healthy, []);
        // Grey values up to 255, a tiny deviation, and a mean far from zero; a constant column is another matter.
        let found = unscaled(&[120.0, 0.0, 50.0, 3.0], &[6000.0, 1e-4, 1.0, 0.0], &Doctor::default());
        assert_eq!(found[0].units, [0, 1, 2]);
    }

    #[test]
    fn ones_are_counted() {
        assert_eq!(uncentred(&[0.1, 0.9, 0.8], &Doctor::default()), []);
        let found = uncentred(&[0.9, 0.9, 0.8], &Doctor::default());
        assert_eq!(found[0].found, "87 % of all bits are ones and the gradient is not centred");
        assert_eq!(uncentred(&[], &Doctor::default()), []);
    }
}
