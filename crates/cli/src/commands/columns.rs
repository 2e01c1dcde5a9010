//! Compares the columns of a table with samples: moments, histograms and reconstructions.

use harmonium::data::{Field, Fields, Kind};
use harmonium::rbm::Rbm;
use harmonium::{Batch, Error, Key};
use ndarray::Array2;

use crate::gaps;
use crate::report::{Columns, Curve, Moments, Series};

/// Rows whose figures are shown, and those that are reconstructed.
const ROWS: usize = 10_000;
const BACK: usize = 1000;
/// Lines of the table, and histograms.
const LINES: usize = 200;
const HISTOGRAMS: usize = 12;
/// Bins of a histogram; whole numbers have one each as far as these reach.
const BINS: usize = 24;
const WHOLE: f64 = 40.0;

/// Holds the features of data, of samples and of reconstructions, as the data have them; NaN where a value is missing.
struct Views {
    data: Array2<f32>,
    samples: Array2<f32>,
    back: Array2<f32>,
    /// Columns as a file has them: data and samples.
    shown: [Array2<f32>; 2],
}

/// Compares the columns of a table.
///
/// # Errors
/// Refuses a model of another width.
pub(super) fn columns(
    fields: &Fields,
    rbm: &Rbm,
    rows: &Batch,
    samples: &Batch,
    seed: u64,
) -> Result<Columns, Error> {
    let views = Views::new(fields, rbm, rows, samples, seed)?;
    let lines: Vec<Moments> = fields.each.iter().flat_map(|field| views.moments(field)).collect();
    let all = lines.len();
    let left_out =
        if all > LINES { format!(" The first {LINES} of {all} lines are shown.") } else { String::new() };
    let note = format!("{} rows of data, {} samples.{left_out}", views.data.nrows(), views.samples.nrows());
    let numbers = fields.each.iter().enumerate().filter(|(_, field)| has_numbers(field)).take(HISTOGRAMS);
    let histograms = numbers.filter_map(|(place, field)| views.histogram(place, field)).collect();
    Ok(Columns { lines: lines.into_iter().take(LINES).collect(), note, histograms })
}

fn has_numbers(field: &Field) -> bool {
    !matches!(field.kind, Kind::Bernoulli | Kind::Spin | Kind::Categorical(_))
}

impl Views {
    fn new(fields: &Fields, rbm: &Rbm, rows: &Batch, samples: &Batch, seed: u64) -> Result<Self, Error> {
        let rows = rows.gather(0..rows.rows().min(ROWS));
        let features = |rows: &Batch| rbm.visible().features_of(rows.states());
        let mut data = features(&rows);
        let first = rows.gather(0..rows.rows().min(BACK));
        let back = rbm.reconstruct(&gaps::filled(rbm, &first, seed), Key::from_seed(seed))?;
        let samples = features(samples);
        let mut shown = [fields.decoded(&data), fields.decoded(&samples)];
        if let Some(missing) = rows.missing() {
            for ((row, feature), x) in data.indexed_iter_mut().filter(|&((r, f), _)| missing.get(r, f)) {
                *x = f32::NAN;
                let hit = |field: &Field| (field.first..field.first + field.kind.width()).contains(&feature);
                fields
                    .each
                    .iter()
                    .position(hit)
                    .into_iter()
                    .for_each(|place| shown[0][(row, place)] = f32::NAN);
            }
        }
        Ok(Self { data, samples, back, shown })
    }

    /// Gives the lines of a column: one, or one a class.
    fn moments(&self, field: &Field) -> Vec<Moments> {
        let classes = matches!(field.kind, Kind::Categorical(_));
        let line = |class: usize| {
            let feature = field.first + class;
            let (data, samples) = (moments(&self.data, feature), moments(&self.samples, feature));
            let missing = self.data.column(feature).iter().filter(|x| x.is_nan()).count();
            let name = if classes {
                format!("{} = {}", field.name, field.show(class as f32))
            } else {
                field.name.clone()
            };
            let means = [data.0, samples.0];
            let deviations = [data.1, samples.1];
            let error = self.error(feature) / data.1;
            Moments { name, kind: field.kind.to_string(), missing, means, deviations, error }
        };
        (0..field.kind.width()).map(line).collect()
    }

    /// Computes the root mean square of what reconstructions miss, over values that are there.
    fn error(&self, feature: usize) -> f64 {
        let pairs = self.data.column(feature).into_iter().zip(self.back.column(feature));
        let squares =
            pairs.filter(|(x, _)| !x.is_nan()).map(|(&x, &back)| (f64::from(back) - f64::from(x)).powi(2));
        let (sum, count) = squares.fold((0.0, 0.0), |(sum, count), square| (sum + square, count + 1.0));
        f64::sqrt(sum / count)
    }

    /// Counts both by the same bins, as shares of the rows.
    fn histogram(&self, place: usize, field: &Field) -> Option<Curve> {
        let [data, samples] = &self.shown;
        let values = |of: &Array2<f32>| -> Vec<f64> {
            of.column(place).iter().filter(|x| x.is_finite()).map(|&x| f64::from(x)).collect()
        };
        let (data, samples) = (values(data), values(samples));
        let bins = Bins::new(&data, &samples)?;
        Some(Curve {
            name: field.name.clone(),
            unit: "share of rows".into(),
            x_label: field.name.clone(),
            x: bins.centres(),
            series: vec![
                Series::new("data", bins.shares(&data)),
                Series::new("samples", bins.shares(&samples)),
            ],
            note: String::new(),
        })
    }
}

/// Computes mean and deviation of a feature where it is there.
fn moments(of: &Array2<f32>, feature: usize) -> (f64, f64) {
    let known = || of.column(feature).into_iter().filter(|x| !x.is_nan()).map(|&x| f64::from(x));
    let n = known().count() as f64;
    let mean = known().sum::<f64>() / n;
    (mean, (known().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt())
}

/// Is a row of bins of one width; what lies outside counts with the first and the last.
struct Bins {
    low: f64,
    width: f64,
    count: usize,
}

impl Bins {
    /// Spans all data, and nearly all samples; none where there is no range.
    fn new(data: &[f64], samples: &[f64]) -> Option<Self> {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |share: f64| sorted.get((share * sorted.len() as f64) as usize).copied().unwrap_or(f64::NAN);
        let least = |a: f64, b: f64| a.min(b);
        let low = data.iter().copied().fold(f64::INFINITY, least).min(at(0.01));
        let high = data.iter().copied().fold(f64::NEG_INFINITY, f64::max).max(at(0.99));
        if !(low < high && (high - low).is_finite()) {
            return None;
        }
        let (first, last) = (low.round(), high.round());
        if data.iter().all(|x| x.fract() == 0.0) && last - first < WHOLE {
            return Some(Self { low: first - 0.5, width: 1.0, count: (last - first) as usize + 1 });
        }
        Some(Self { low, width: (high - low) / BINS as f64, count: BINS })
    }

    fn centres(&self) -> Vec<f64> {
        (0..self.count).map(|bin| self.low + (bin as f64 + 0.5) * self.width).collect()
    }

    fn shares(&self, values: &[f64]) -> Vec<f64> {
        let mut shares = vec![0.0; self.count];
        for x in values {
            let bin = ((x - self.low) / self.width).max(0.0) as usize;
            shares[bin.min(self.count - 1)] += 1.0 / values.len() as f64;
        }
        shares
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_hold_all_values() {
        let bins = Bins::new(&[0.0, 1.0, 3.0], &[2.0, 2.0]).unwrap();
        assert_eq!(bins.centres(), [0.0, 1.0, 2.0, 3.0]);
        assert_eq!(bins.shares(&[0.0, 1.0, 3.0, 9.0]), [0.25, 0.25, 0.0, 0.5]);
        let bins = Bins::new(&[0.5, 24.5], &[1.0]).unwrap();
        assert_eq!((bins.count, bins.width), (24, 1.0));
        assert!(Bins::new(&[2.0], &[2.0]).is_none() && Bins::new(&[], &[]).is_none());
    }
}
