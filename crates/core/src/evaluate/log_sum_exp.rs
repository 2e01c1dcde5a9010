//! Adds numbers that are known by their logarithms.

/// Holds ln Σ e^x as it grows.
#[derive(Clone, Copy, Debug)]
pub struct LogSumExp {
    largest: f64,
    scaled: f64,
}

impl Default for LogSumExp {
    fn default() -> Self {
        Self { largest: f64::NEG_INFINITY, scaled: 0.0 }
    }
}

impl LogSumExp {
    /// Adds e^x.
    pub fn add(&mut self, x: f64) {
        if x > self.largest {
            self.scaled = self.scaled * libm::exp(self.largest - x) + 1.0;
            self.largest = x;
        } else if x > f64::NEG_INFINITY {
            self.scaled += libm::exp(x - self.largest);
        } else if x.is_nan() {
            self.scaled = f64::NAN;
        }
    }

    /// Gives ln Σ e^x; −∞ for no term.
    pub fn value(&self) -> f64 {
        self.largest + libm::log(self.scaled)
    }
}

impl FromIterator<f64> for LogSumExp {
    fn from_iter<I: IntoIterator<Item = f64>>(terms: I) -> Self {
        let mut sum = Self::default();
        terms.into_iter().for_each(|x| sum.add(x));
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_hold_over_the_whole_range_and_many_terms() {
        let value = |terms: &[f64]| terms.iter().copied().collect::<LogSumExp>().value();
        assert_eq!(value(&[]), f64::NEG_INFINITY);
        assert_eq!(value(&[1e4, 1e4]), 1e4 + std::f64::consts::LN_2);
        assert_eq!(value(&[-1e300, 0.0]), 0.0);
        assert!(value(&[0.0, f64::NAN]).is_nan());
        let many = std::iter::repeat_n(0.5, 1_000_000).collect::<LogSumExp>().value();
        // A million additions of 1 are exact, so only the logarithm rounds.
        assert!((many - 0.5 - 1e6_f64.ln()).abs() < 1e-14);
    }
}
