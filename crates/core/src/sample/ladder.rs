//! Says at which inverse temperatures chains run.

use serde::{Deserialize, Serialize};

use crate::Error;

/// The most rungs of a ladder.
pub const MAX_RUNGS: usize = 1000;

/// Says at which inverse temperatures chains run; the first is 1, the model itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Ladder {
    /// Equal steps from 1 down to the lowest.
    Even {
        /// The number of rungs, 1 or more.
        rungs: usize,
        /// The lowest β, from 0 to below 1.
        lowest: f32,
    },
    /// These, falling from 1 to 0 at the lowest.
    Betas(Vec<f32>),
}

impl Default for Ladder {
    fn default() -> Self {
        Self::Even { rungs: 11, lowest: 0.7 }
    }
}

impl Ladder {
    /// Gives the inverse temperatures, from 1 down.
    pub fn betas(&self) -> Vec<f32> {
        match self {
            Self::Betas(betas) => betas.clone(),
            Self::Even { rungs, lowest } => {
                let part = |rung: usize| rung as f64 / (rungs.max(&2) - 1) as f64;
                (0..*rungs).map(|rung| (1.0 + (f64::from(*lowest) - 1.0) * part(rung)) as f32).collect()
            }
        }
    }

    /// Refuses anything but 1 to [`MAX_RUNGS`] values that fall from 1 and end at 0 or above.
    ///
    /// # Errors
    /// Names the option.
    pub fn check(&self) -> Result<(), Error> {
        if let Self::Even { rungs, lowest } = self {
            if !(1..=MAX_RUNGS).contains(rungs) {
                return Err(Error::option("rungs", format!("1 to {MAX_RUNGS}"), rungs));
            }
            if !(0.0..1.0).contains(lowest) {
                return Err(Error::option("lowest beta", "0 to below 1", lowest));
            }
        }
        let betas = self.betas();
        let falls = betas.is_sorted_by(|a, b| a > b) && betas.last().is_some_and(|&beta| beta >= 0.0);
        if falls && betas.len() <= MAX_RUNGS && betas[0] == 1.0 {
            return Ok(());
        }
        let expected = format!("1 to {MAX_RUNGS} values that fall from 1 to no less than 0");
        Err(Error::option("ladder", expected, format!("{betas:?}")))
    }
}
