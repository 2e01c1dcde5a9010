//! Settles the options of a training of bits by the size of the data, for those who name none.

use super::{Average, Centre, Decay, Fit, Schedule};

/// Reads of a row in all, and the bounds of the number of updates that come of it.
const READS: usize = 1000;
const UPDATES: (usize, usize) = (5_000, 18_000);
/// The fewest passes over the data.
const EPOCHS: u32 = 30;
/// The rate of few columns; from this number of them on it falls with their root, down to half of it.
const RATE: f64 = 0.2;
const COLUMNS: f64 = 200.0;
/// The penalty of as many columns as rows.
const L2: f64 = 0.01;

impl Fit {
    /// Gives what works without tuning for PCD-1 of 100 chains on bits, `(rows, units)`.
    ///
    /// Batches of 100 rows; the rate falls from 0.2 to 0 over 30 epochs or more (from 0.1 where there are 800 columns or
    /// more, as a unit of as many moves as far): small sets are read up to 1,000 times, in 5,000 to 18,000 updates. Gradients are centred, the mean of the second half is the model, and the penalty of the squares of the
    /// weights grows with the columns and shrinks with the rows, L2 = 0.01 units / rows: the fewer rows a weight is
    /// learnt from, the less it is trusted. BENCHMARKS.md has the sweep of 30 recipes that these stand against.
    #[must_use]
    pub fn for_bits(rows: usize, units: usize) -> Self {
        let fit = Self::default();
        let batches = rows.div_ceil(fit.batch).max(1);
        let updates = (READS * rows / fit.batch).clamp(UPDATES.0, UPDATES.1);
        let rate = RATE * (COLUMNS / units.max(1) as f64).sqrt().clamp(0.5, 1.0);
        let l2 = L2 * units as f64 / rows.max(1) as f64;
        Self {
            epochs: (updates.div_ceil(batches) as u32).max(EPOCHS),
            learning_rate: Schedule::Linear { from: rate, to: 0.0 },
            centre: Some(Centre::default()),
            decay: Decay { l2: l2.min(L2) as f32, ..Decay::default() },
            average: Some(Average::default()),
            ..fit
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Epochs of large sets, updates of small ones, and a penalty that never exceeds that of a square table.
    #[test]
    fn options_follow_the_size_of_the_data() {
        let settled = |rows, units| {
            let fit = Fit::for_bits(rows, units);
            fit.check().unwrap();
            (fit.epochs, fit.decay.l2)
        };
        let rate = |units| Fit::for_bits(1, units).learning_rate.at(0, 1, 0);
        assert_eq!([0, 16, 200, 800, 5_000].map(rate), [0.2, 0.2, 0.2, 0.1, 0.1]);
        assert_eq!(settled(60_000, 784).0, 30);
        assert_eq!(settled(336, 16).0, 1_250); // 5,000 updates of 4 batches
        assert_eq!(settled(2_000, 112), (900, 0.000_56)); // 18,000 of 20
        assert_eq!(settled(100, 1_000).1, 0.01);
        assert_eq!(settled(0, 0), (5_000, 0.0));
    }
}
