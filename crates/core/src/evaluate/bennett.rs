//! Compares two normalising constants from samples of both models.

use super::LogSumExp;

/// Computes ln Z_b − ln Z_a by Bennett's acceptance ratio (Bennett 1976, equation 12) from E_b − E_a, in nats, of samples
/// of a and of samples of b: the C at which Σ_a σ(C − w) − Σ_b σ(w − C) changes its sign, with the sizes of the samples
/// as weights, is ln Z_a − ln Z_b. It is found by bisection to the last bits.
///
/// Gives nothing without samples of both, or where an energy is not finite.
pub fn bennett(of_a: &[f64], of_b: &[f64]) -> Option<f64> {
    let all = || of_a.iter().chain(of_b);
    if of_a.is_empty() || of_b.is_empty() || !all().all(|w| w.is_finite()) {
        return None;
    }
    let ratio = libm::log(of_a.len() as f64 / of_b.len() as f64);
    // Where the works lie far apart the sums are too small for a float, their logarithms are not.
    let balance = |c: f64| {
        let a = log_sum(of_a.iter().map(|w| log_sigmoid(c - w - ratio)));
        let b = log_sum(of_b.iter().map(|w| log_sigmoid(w - c + ratio)));
        a - b
    };
    // Beyond the extremes by this much the sums differ in sign whatever the sizes.
    let (mut low, mut high) = all().fold((f64::MAX, f64::MIN), |(low, high), &w| (low.min(w), high.max(w)));
    (low, high) = (low - ratio.abs() - 40.0, high + ratio.abs() + 40.0);
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if middle == low || middle == high {
            break;
        }
        if balance(middle) < 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(-f64::midpoint(low, high))
}

/// Computes the standard error of what [`bennett`] found of the same numbers, for large samples (Bennett 1976, equation 10b;
/// Shirts, Bair, Hooker & Pande 2003): with f(x) = σ(C − x) over samples of a and σ(x − C) over those of b, its square is the sum over
/// both of (mean f² / (mean f)² − 1) / n. It is infinite where the samples of one side come to fewer than two independent ones,
/// (Σ f)² < 2 Σ f²: the works do not overlap, and the formula says nothing.
pub fn bennett_error(of_a: &[f64], of_b: &[f64], found: f64) -> f64 {
    let part = |logs: &[f64]| {
        let (sum, squares) = (log_sum(logs.iter().copied()), log_sum(logs.iter().map(|log| 2.0 * log)));
        let share = libm::exp(squares - 2.0 * sum);
        if share > mutant!("B337", 0.5, 2.0) { f64::INFINITY } else { share - 1.0 / logs.len() as f64 }
    };
    let Overlap { of_a, of_b } = Overlap::of(of_a, of_b, found);
    (part(&of_a) + part(&of_b)).max(0.0).sqrt()
}

/// Holds the logarithms of what each sample adds to Bennett's equation: σ(C − w) of a, σ(w − C) of b.
pub(super) struct Overlap {
    pub(super) of_a: Vec<f64>,
    pub(super) of_b: Vec<f64>,
}

impl Overlap {
    /// Takes what [`bennett`] takes and what it found.
    pub(super) fn of(of_a: &[f64], of_b: &[f64], found: f64) -> Self {
        let shift = libm::log(of_a.len() as f64 / of_b.len() as f64);
        let logs = |values: &[f64], sign: f64| {
            values.iter().map(|w| log_sigmoid(sign * (-found - w - shift))).collect()
        };
        Self { of_a: logs(of_a, 1.0), of_b: logs(of_b, -1.0) }
    }

    /// Gives ln of the derivative of the equation by C, Σ f (1 − f) over both.
    pub(super) fn log_slope(&self) -> f64 {
        let term = |&log: &f64| log + libm::log1p(-libm::exp(log));
        log_sum(self.of_a.iter().chain(&self.of_b).map(term))
    }
}

fn log_sum(logs: impl Iterator<Item = f64>) -> f64 {
    let mut sum = LogSumExp::default();
    logs.for_each(|x| sum.add(x));
    sum.value()
}

/// Computes ln σ(x) = −ln(1 + e^−x).
fn log_sigmoid(x: f64) -> f64 {
    x.min(0.0) - libm::log1p(libm::exp(-x.abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two states with energies (0, 0) in a and (0, −1) in b: Z_a = 2, Z_b = 1 + e. Samples in the shares of the laws
    /// solve the equation exactly, but for the rounding of the shares to 1e-6.
    #[test]
    fn shares_of_two_states_give_the_exact_ratio() {
        let e = std::f64::consts::E;
        let second = (1e6 * e / (1.0 + e)).round() as usize;
        let of = |first: usize, second: usize| [vec![0.0; first], vec![-1.0; second]].concat();
        for (a, b) in [
            (of(500_000, 500_000), of(1_000_000 - second, second)),
            (of(500, 500), of(1_000_000 - second, second)),
        ] {
            let got = bennett(&a, &b).unwrap();
            assert!((got - f64::midpoint(1.0, e).ln()).abs() < 2e-6, "{got}");
        }
    }

    /// Works spread alike about 2 and 1 meet in the middle, and twice the samples shrink the error by √2.
    #[test]
    fn errors_shrink_with_the_root_of_the_samples() {
        let spread = |n: usize, mean: f64| -> Vec<f64> {
            (0..n).map(|i| (i as f64 + 0.5) / n as f64).map(|p| mean + (p / (1.0 - p)).ln()).collect()
        };
        let error = |n: usize| {
            let (a, b) = (spread(n, 2.0), spread(n, 1.0));
            let found = bennett(&a, &b).unwrap();
            assert!((found + 1.5).abs() < 1e-9, "{found}");
            bennett_error(&a, &b, found)
        };
        assert!((error(1000) / error(2000) - 2.0_f64.sqrt()).abs() < 1e-2);
        assert!(error(1000) > 0.0);
    }

    /// Works that do not overlap tell nothing, however far apart they are.
    #[test]
    fn works_far_apart_have_no_error() {
        for far in [50.0, 800.0, 4000.0] {
            let (a, b) = ([far, far + 3.0, far + 1.0], [-far, -far - 2.0, -far + 1.0]);
            let found = bennett(&a, &b).unwrap();
            assert!(found.is_finite() && bennett_error(&a, &b, found).is_infinite(), "{far}: {found}");
        }
    }

    #[test]
    fn nothing_comes_from_nothing() {
        assert_eq!(bennett(&[], &[1.0]), None);
        assert_eq!(bennett(&[1.0], &[f64::NAN]), None);
        assert!((bennett(&[3.0], &[3.0]).unwrap() + 3.0).abs() < 1e-12);
    }
}
