//! Keeps weights on one side of zero.

use serde::{Deserialize, Serialize};

/// Is the sign that weights must have; those of the other become 0 after each step (projected descent).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Sign {
    /// 0 or more.
    Positive,
    /// 0 or less.
    Negative,
}

impl Sign {
    #[inline(always)]
    pub(super) fn apply(self, weights: &mut [f32]) {
        for w in weights {
            let wrong = match self {
                Self::Positive => *w < 0.0,
                Self::Negative => *w > 0.0,
            };
            // NaN compares as neither and stays, for the guard to see.
            *w = if wrong { 0.0 } else { *w };
        }
    }
}
