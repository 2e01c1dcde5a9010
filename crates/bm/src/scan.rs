//! Says in which order a sweep visits the units, and how each is drawn.

use serde::{Deserialize, Serialize};

use crate::Colouring;

/// Is the order of a sweep.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Scan {
    /// Unit after unit.
    #[default]
    Sequential,
    /// Colour after colour: units of one colour are independent given the others, so that large machines draw them side by
    /// side. The result is that of visiting them one after the other.
    Coloured(Colouring),
}

/// Is the way a unit is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// From its law given the others (Gibbs sampling, Geman & Geman 1984).
    #[default]
    HeatBath,
    /// Proposes another state and takes it with probability r min(1, e^−ΔE) (Metropolis et al. 1953), r = 255/256: units that would change at no
    /// cost would else go round for ever. Where it is hot nearly all change in every sweep, and what chains remember falls to 1/e in 128 sweeps.
    Metropolis,
}
