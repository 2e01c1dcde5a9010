//! Lists the inverse temperatures that annealing passes through.

use serde::{Deserialize, Serialize};

use crate::Error;

/// Chooses the inverse temperatures from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Betas {
    /// So many temperatures, spread as in [`Betas::Sm08`]: the finer the nearer to the model.
    Count(usize),
    /// So many temperatures, placed by a pilot run along the path so that each step has an equal share of the spread of the
    /// log weights.
    Adaptive(usize),
    /// 0:1e-3:0.5, 0.5:1e-4:0.9, 0.9:1e-5:1 (Salakhutdinov & Murray 2008): 14,501 values.
    Sm08,
}

/// The knots of the schedule by Salakhutdinov & Murray: share of the steps done, and β there.
const KNOTS: [(f64, f64); 4] = [(0.0, 0.0), (500.0, 0.5), (4_500.0, 0.9), (14_500.0, 1.0)];

impl Default for Betas {
    fn default() -> Self {
        Self::Count(14_500)
    }
}

impl Betas {
    /// Refuses fewer than two temperatures or more than 10⁷.
    ///
    /// # Errors
    /// Names the option.
    pub fn check(&self) -> Result<(), Error> {
        match self {
            Self::Count(n) | Self::Adaptive(n) if !(2..=10_000_000).contains(n) => {
                Err(Error::option("betas", "2 to 10000000", n))
            }
            _ => Ok(()),
        }
    }

    /// Gives how many temperatures there are.
    pub fn count(&self) -> usize {
        match *self {
            Self::Count(n) | Self::Adaptive(n) => n,
            Self::Sm08 => 14_501,
        }
    }

    /// Gives the temperatures, rising from exactly 0 to exactly 1. Adaptive ones depend on the path ([`Betas::along`]); what
    /// this gives for them is the spread of [`Betas::Count`].
    pub fn values(&self) -> Vec<f32> {
        let intervals = self.count() - 1;
        (0..=intervals).map(|i| at(i as f64 / intervals as f64 * KNOTS[3].0)).collect()
    }
}

/// Interpolates between the knots.
fn at(done: f64) -> f32 {
    let segment = KNOTS.windows(2).find(|pair| done <= pair[1].0).unwrap_or(&KNOTS[2..]);
    let ((x0, y0), (x1, y1)) = (segment[0], segment[1]);
    (y0 + (y1 - y0) * (done - x0) / (x1 - x0)) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temperatures_rise_from_zero_to_one() {
        for betas in [Betas::Count(2), Betas::Count(2_000), Betas::Sm08] {
            let values = betas.values();
            assert_eq!((values[0], values[values.len() - 1]), (0.0, 1.0));
            assert!(values.is_sorted_by(|a, b| a < b));
        }
    }

    #[test]
    fn the_published_schedule_has_its_steps() {
        let values = Betas::Sm08.values();
        assert_eq!(values.len(), 14_501);
        for (index, beta) in [(1, 0.001), (500, 0.5), (501, 0.5001), (4_500, 0.9), (4_501, 0.90001)] {
            assert!((f64::from(values[index]) - beta).abs() < 1e-7, "{index}");
        }
    }
}
