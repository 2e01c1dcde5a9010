//! Finds chains that do not move, by the effective sample size of a quantity along them.

use ndarray::{ArrayView1, ArrayView2, Axis};

use super::{Doctor, Finding, Remark, Severity};

/// Variance within chains, as a share of that over all, below which they stand still: a tenth of the whole's deviation.
const STILL: f64 = 0.01;

/// Estimates how many independent values `(sweeps, chains)` are worth, over all chains: `n m / τ` with τ = 1 + 2 Σ ρ_t
/// (Vehtari et al. 2021; the sum ends by the rule of Geyer 1992). The variance between the chains is in
/// ρ_t, so chains that each sit in a place of their own are worth as many values as there are chains or fewer. Values that are
/// all the same tell nothing, and count in full.
pub fn effective(values: ArrayView2<'_, f64>) -> f64 {
    let (sweeps, chains) = values.dim();
    let all = (sweeps * chains) as f64;
    if sweeps < 4 || chains == 0 {
        return all;
    }
    let each: Vec<Moments> = values.axis_iter(Axis(1)).map(Moments::of).collect();
    let (within, total) = variances(&each);
    if total <= 0.0 || total.is_nan() {
        return all;
    }
    let n = sweeps as f64;
    let correlation =
        |lag: usize| 1.0 - (within - average(&each, |m| m.covariance(lag) * n / (n - 1.0))) / total;
    all / time(sweeps, correlation).max(1.0 / libm::log10(all.max(10.0)))
}

/// Gives the variance within the chains and that of all values, as the mean square over chains and sweeps estimates it.
fn variances(each: &[Moments]) -> (f64, f64) {
    let n = each[0].deviations.len() as f64;
    let within = average(each, |m| m.covariance(0) * n / (n - 1.0));
    let grand = average(each, |m| m.mean);
    let square: f64 = each.iter().map(|m| (m.mean - grand).powi(2)).sum();
    let between = square / (each.len().max(2) - 1) as f64;
    (within, within * (n - 1.0) / n + mutant!("B80", between, 0.0))
}

/// Finds chains that hardly leave where they are: energies or free energies, `(sweeps, chains)`. It is a note where they move
/// among their neighbours, as on most data with far modes, and a warning where they stand still.
pub fn stuck(values: ArrayView2<'_, f64>, options: &Doctor) -> Vec<Remark> {
    let (sweeps, chains) = values.dim();
    if sweeps < 4 || chains == 0 {
        return Vec::new();
    }
    let each = effective(values) / chains as f64;
    if each >= options.effective.min(sweeps as f64) {
        return Vec::new();
    }
    let moments: Vec<Moments> = values.axis_iter(Axis(1)).map(Moments::of).collect();
    let (within, total) = variances(&moments);
    let severity = if within < STILL * total { Severity::Warning } else { Severity::Note };
    let found = format!("chains are stuck, {sweeps} sweeps of one being worth {each:.1} independent states");
    let figures = [
        ("effective states a chain", each),
        ("variance within chains as a share of all", within / total),
        ("sweeps", sweeps as f64),
        ("chains", chains as f64),
    ];
    vec![Finding::StuckChains.remark(severity, found, &figures, &[])]
}

/// Finds an annealing that few of its runs decide: their effective number, and how many there were.
pub fn runs(effective: f64, runs: usize, options: &Doctor) -> Vec<Remark> {
    let least = options.runs * runs as f64;
    // Written so that NaN is found.
    let enough = mutant!("B128", effective, runs as f64) >= least;
    if enough || runs == 0 {
        return Vec::new();
    }
    let found = format!(
        "{runs} annealing runs are worth {effective:.1}, so that a few of them decide the estimate of ln Z"
    );
    // An estimate that hangs on one or two runs has an interval of no meaning.
    let severity = if effective >= 3.0 { Severity::Warning } else { Severity::Serious };
    vec![Finding::FewRuns.remark(
        severity,
        found,
        &[("effective runs", effective), ("runs", runs as f64)],
        &[],
    )]
}

/// Finds neighbouring temperatures that hardly ever swap: the rate of accepted swaps of each pair.
pub fn swaps(rates: &[f64], options: &Doctor) -> Vec<Remark> {
    let pairs: Vec<usize> =
        (0..rates.len()).filter(|&i| rates[i].is_nan() || rates[i] < options.swaps).collect();
    if pairs.is_empty() {
        return Vec::new();
    }
    let least = rates.iter().copied().fold(f64::INFINITY, f64::min);
    let found = format!(
        "{} of {} pairs of temperatures swap less than {} of the time",
        pairs.len(),
        rates.len(),
        options.swaps
    );
    let figures = [("least rate", least), ("count", pairs.len() as f64)];
    // One pair that never swaps cuts the ladder in two.
    let severity = if least > 0.01 { Severity::Warning } else { Severity::Serious };
    vec![Finding::RareSwaps.remark(severity, found, &figures, &pairs)]
}

/// Holds the deviations of one chain from its mean.
struct Moments {
    mean: f64,
    deviations: Vec<f64>,
}

impl Moments {
    fn of(chain: ArrayView1<'_, f64>) -> Self {
        let mean = chain.iter().sum::<f64>() / chain.len() as f64;
        Self { mean, deviations: chain.iter().map(|x| x - mean).collect() }
    }

    /// Computes the autocovariance at a lag, divided by the number of sweeps.
    fn covariance(&self, lag: usize) -> f64 {
        let later = self.deviations[lag..].iter();
        later.zip(&self.deviations).map(|(x, y)| x * y).sum::<f64>() / self.deviations.len() as f64
    }
}

fn average(each: &[Moments], of: impl Fn(&Moments) -> f64) -> f64 {
    each.iter().map(of).sum::<f64>() / each.len() as f64
}

/// Adds up −1 + 2 Σ (ρ_2t + ρ_2t+1) while these pairs are positive, and lets none exceed the one before.
fn time(sweeps: usize, correlation: impl Fn(usize) -> f64) -> f64 {
    let (mut sum, mut before) = (-1.0, f64::INFINITY);
    for lag in (0..sweeps - 1).step_by(2) {
        let first = if lag == 0 { 1.0 } else { correlation(lag) };
        let pair = first + correlation(lag + 1);
        if pair <= 0.0 {
            break;
        }
        before = pair.min(before);
        sum += 2.0 * before;
    }
    sum
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;

    /// Makes x_t = a x_t−1 + e with e uniform: autocorrelations a^t, so that τ = (1 + a) / (1 − a).
    fn walk(sweeps: usize, chains: usize, a: f64) -> Array2<f64> {
        let mut state = 1_u64;
        let mut noise = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
        };
        let mut out = Array2::zeros((sweeps, chains));
        for chain in 0..chains {
            let mut x = 0.0;
            for _ in 0..100 {
                x = a * x + noise();
            }
            for sweep in 0..sweeps {
                x = a * x + noise();
                out[(sweep, chain)] = x;
            }
        }
        out
    }

    /// τ of 50 chains of 1,000 is known to about √(4 τ (2 · 3 τ + 1) / 50,000) relative: 4 % at a = 0.8, so 15 % is more
    /// than 3σ (Sokal 1997, windows of about 3 τ).
    #[test]
    fn effective_sizes_of_autoregressions_are_known() {
        for a in [0.0, 0.5, 0.8] {
            let expected = 50_000.0 * (1.0 - a) / (1.0 + a);
            let got = effective(walk(1000, 50, a).view());
            assert!((got / expected - 1.0).abs() < 0.15, "a = {a}: {got} against {expected}");
        }
    }

    #[test]
    fn chains_in_places_of_their_own_are_stuck() {
        let free = walk(100, 40, 0.5);
        assert_eq!(stuck(free.view(), &Doctor::default()), []);
        let apart = Array2::from_shape_fn((100, 40), |(t, c)| free[(t, c)] + 50.0 * c as f64);
        let found = stuck(apart.view(), &Doctor::default());
        assert_eq!((found[0].finding, found[0].severity), (Finding::StuckChains, Severity::Warning));
        let near = Array2::from_shape_fn((100, 40), |(t, c)| free[(t, c)] + 0.1 * c as f64);
        assert_eq!(stuck(near.view(), &Doctor::default())[0].severity, Severity::Note);
        let frozen = Array2::from_shape_fn((100, 40), |(_, c)| c as f64);
        assert_eq!(stuck(frozen.view(), &Doctor::default()).len(), 1);
        assert_eq!(stuck(Array2::zeros((100, 40)).view(), &Doctor::default()), []);
    }

    #[test]
    fn an_annealing_that_few_runs_decide_is_found() {
        assert_eq!(runs(40.0, 100, &Doctor::default()), []);
        assert_eq!(runs(9.0, 100, &Doctor::default())[0].severity, Severity::Warning);
        assert_eq!(runs(1.2, 100, &Doctor::default())[0].severity, Severity::Serious);
        assert_eq!(runs(f64::NAN, 100, &Doctor::default()).len(), 1);
        assert_eq!(runs(0.0, 0, &Doctor::default()), []);
    }

    #[test]
    fn broken_ladders_are_found() {
        assert_eq!(swaps(&[0.2, 0.5, 0.1], &Doctor::default()), []);
        let found = swaps(&[0.2, 0.05, f64::NAN], &Doctor::default());
        assert_eq!((&found[0].units[..], found[0].severity), (&[1, 2][..], Severity::Warning));
        assert_eq!(swaps(&[0.0], &Doctor::default())[0].severity, Severity::Serious);
    }
}
