//! Names the kinds of units, their parameters and the families that decide whether a pair has a finite Z.

/// Names a kind of unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// x ∈ {0, 1}.
    Bernoulli,
    /// x ∈ {−1, 1}.
    Spin,
    /// One-hot among this many classes.
    Categorical(usize),
    /// Real x with a variance of its own.
    Gaussian,
    /// Truncated normal, x ≥ 0, of curvature 1.
    Relu,
    /// Two truncated normals, one a side, with curvatures and a shift of their own (double ReLU).
    Drelu,
    /// Successes of this many trials.
    Binomial(u32),
    /// Counts without bound.
    Poisson,
}

/// Groups kinds by how fast m e^(−U) falls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Finitely many states.
    Finite,
    /// Counts without bound.
    Count,
    /// Normal.
    Gaussian,
    /// Normal on each half-line.
    Rectified,
}

impl Kind {
    /// Gives the family.
    pub fn class(self) -> Class {
        match self {
            Self::Gaussian => Class::Gaussian,
            Self::Relu | Self::Drelu => Class::Rectified,
            Self::Poisson => Class::Count,
            _ => Class::Finite,
        }
    }

    /// Tells whether states can be counted.
    pub fn is_discrete(self) -> bool {
        matches!(self.class(), Class::Finite | Class::Count)
    }

    /// Gives the number of features of a unit.
    pub fn features(self) -> usize {
        if let Self::Categorical(classes) = self { classes } else { 1 }
    }

    /// Names the blocks of parameters, in the order of [`super::Layer::parameters`]; one number a unit, but as many
    /// biases as features.
    pub fn blocks(self) -> &'static [&'static str] {
        match self {
            Self::Gaussian => &["bias", "log_variance"],
            Self::Drelu => &["bias", "shift", "log_curvature_plus", "log_curvature_minus"],
            _ => &["bias"],
        }
    }
}
