//! Diagnoses trainings: looks at arrays a machine leaves behind, and names what is wrong and which option to change.
//!
//! Every function takes plain arrays and [`Doctor`], the thresholds, and gives [`Remark`]s: none of a healthy machine.
//! Nothing here draws, trains or knows a model. Sources: Hinton (2010), A practical guide to training restricted
//! Boltzmann machines; Montavon and Müller (2012), Deep Boltzmann machines and the centering trick; Decelle, Furtlehner
//! and Seoane (2021), Equilibrium and non-equilibrium regimes in the learning of restricted Boltzmann machines.

// A view is passed by value wherever ndarray is at home.
#![allow(clippy::needless_pass_by_value)]

mod chains;
mod data;
mod options;
mod overfitting;
mod rate;
mod units;
mod weights;

pub use chains::{effective, runs, stuck, swaps};
pub use data::{constant, uncentred, unscaled};
pub use options::Doctor;
pub use overfitting::{Gap, overfitting};
pub use rate::{Pace, pace, relative_change};
pub use units::{duplicates, idle, silent, squashed};
pub use weights::{exploding, variances};

use std::fmt;

use serde::{Deserialize, Serialize};

/// Units that a remark names; the rest is in its count.
const NAMED: usize = 16;

/// Names what can be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Finding {
    /// Hidden units that are off whatever the rows are.
    Dead,
    /// Hidden units that are on whatever the rows are.
    Saturated,
    /// Hidden units that do what another one does.
    Duplicate,
    /// Weights so large that draws can't go against them.
    ExplodingWeights,
    /// Variances of units beyond what the data can bear.
    Variance,
    /// Columns of the data that never change.
    ConstantColumns,
    /// Real-valued columns far from mean 0 and variance 1.
    Unscaled,
    /// Bits that are mostly ones, trained without centring.
    Uncentred,
    /// Chains that hardly leave where they are.
    StuckChains,
    /// Neighbouring temperatures that hardly ever swap.
    RareSwaps,
    /// Annealing runs of which a few decide.
    FewRuns,
    /// Validation rows that the model finds much less likely than training rows.
    Overfitting,
    /// Updates that overwrite what was learnt.
    RateTooHigh,
    /// Updates that lead nowhere.
    RateTooLow,
}

/// Says how much a remark matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; the result may be fine.
    Note,
    /// The result is worse than it could be.
    Warning,
    /// The result can't be trusted.
    Serious,
}

/// Is a number that a remark rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// What it is.
    pub name: String,
    /// Its value, finite.
    pub value: f64,
}

/// Says what is wrong, by which figures, where, and what to change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remark {
    /// What was found.
    pub finding: Finding,
    /// How much it matters.
    pub severity: Severity,
    /// The figures it rests on.
    pub figures: Vec<Figure>,
    /// The first of the units, columns, chains or pairs of temperatures concerned; empty where all are.
    pub units: Vec<usize>,
    /// What was found, in words.
    pub found: String,
    /// What to change, in words.
    pub advice: String,
}

impl fmt::Display for Remark {
    /// Writes one sentence: what was found, and what to change.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.found, self.advice)
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Serious => "serious",
        })
    }
}

impl Finding {
    /// Names the options that act on it, the most effective first, as the library spells them.
    pub fn knobs(self) -> &'static [&'static str] {
        match self {
            Self::Dead | Self::Duplicate => &["hidden", "learning_rate"],
            Self::Saturated | Self::ExplodingWeights => &["learning_rate", "l2"],
            Self::Variance | Self::RateTooHigh => &["learning_rate"],
            Self::ConstantColumns | Self::Unscaled => &[],
            Self::Uncentred => &["centre"],
            Self::StuckChains => &["k", "learning_rate", "l2"],
            Self::RareSwaps | Self::FewRuns => &["betas"],
            Self::Overfitting => &["stop", "l2", "hidden", "epochs"],
            Self::RateTooLow => &["learning_rate", "epochs"],
        }
    }

    /// Says what to change.
    fn advice(self) -> &'static str {
        match self {
            Self::Dead => {
                "train fewer hidden units, or lower the learning rate, which drives units out of reach"
            }
            Self::Saturated | Self::ExplodingWeights => "lower the learning rate or raise the L2 penalty",
            Self::Duplicate => "train fewer hidden units, or start from weights that differ more",
            Self::Variance => "lower the learning rate, or fix the variances and scale the data instead",
            Self::ConstantColumns => "leave these columns out; they cost time and teach nothing",
            Self::Unscaled => "subtract each column's mean and divide by its standard deviation",
            Self::Uncentred => "centre the gradient, or swap zeros and ones",
            Self::StuckChains => "raise k, or keep weights small by a lower learning rate or an L2 penalty",
            Self::FewRuns => "anneal through more temperatures",
            Self::RareSwaps => "put temperatures between those that do not swap",
            Self::Overfitting => "stop earlier, raise the L2 penalty or train fewer hidden units",
            Self::RateTooHigh => "lower the learning rate",
            Self::RateTooLow => "raise the learning rate or train for more epochs",
        }
    }

    /// Makes a remark; figures that are not finite are left out.
    fn remark(self, severity: Severity, found: String, figures: &[(&str, f64)], units: &[usize]) -> Remark {
        let figure = |&(name, value): &(&str, f64)| Figure { name: name.to_owned(), value };
        Remark {
            finding: self,
            severity,
            figures: figures.iter().filter(|(_, value)| value.is_finite()).map(figure).collect(),
            units: units.iter().copied().take(NAMED).collect(),
            found,
            advice: self.advice().to_owned(),
        }
    }

    /// Makes a remark on `units` of `all`, if they are enough to speak of; it is serious where most are concerned.
    fn on_units(self, units: &[usize], all: usize, share: f64, found: &str) -> Vec<Remark> {
        let part = units.len() as f64 / all.max(1) as f64;
        if units.is_empty() || part < share {
            return Vec::new();
        }
        let severity = match part {
            x if x >= 0.5 => Severity::Serious,
            x if x >= 0.1 => Severity::Warning,
            _ => Severity::Note,
        };
        let found = format!("{} of {all} {found}", units.len());
        vec![self.remark(severity, found, &[("count", units.len() as f64), ("share", part)], units)]
    }
}
