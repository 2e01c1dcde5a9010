//! Names the rules that turn gradients into steps, with their constants.

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::train::Schedule;

/// Chooses how a gradient becomes a step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Method {
    /// v ← μ v − η g; θ ← θ + v (Polyak 1964).
    Sgd {
        /// μ, from 0 to below 1.
        momentum: Schedule,
    },
    /// v ← μ v − η g; θ ← θ + μ v − η g (Nesterov 1983, as Bengio, Boulanger-Lewandowski & Pascanu 2013
    /// write it).
    Nesterov {
        /// μ, from 0 to below 1.
        momentum: Schedule,
    },
    /// Adam (Kingma & Ba 2015, algorithm 1); the powers of β₁ and β₂ are running products.
    Adam {
        /// β₁, the decay of the mean.
        beta1: f32,
        /// β₂, the decay of the mean square.
        beta2: f32,
        /// ε, added to the root of the mean square.
        epsilon: f32,
    },
    /// Adam with a decay of the weights beside it: θ ← θ − η (m̂ / (√ŝ + ε) + λ θ) (Loshchilov & Hutter 2019, algorithm
    /// 2). Biases do not decay.
    AdamW {
        /// β₁, the decay of the mean.
        beta1: f32,
        /// β₂, the decay of the mean square.
        beta2: f32,
        /// ε, added to the root of the mean square.
        epsilon: f32,
        /// λ, per update and unit of the learning rate.
        decay: f32,
    },
    /// s ← s + g²; θ ← θ − η g / (√s + ε) (Duchi, Hazan & Singer 2011).
    Adagrad {
        /// ε, added to the root of the sum of squares.
        epsilon: f32,
    },
    /// s ← ρ s + (1 − ρ) g²; θ ← θ − η g / (√s + ε) (Tieleman & Hinton 2012, lecture 6.5).
    RmsProp {
        /// ρ, the decay of the mean square.
        decay: f32,
        /// ε, added to the root of the mean square.
        epsilon: f32,
    },
}

impl Default for Method {
    fn default() -> Self {
        Self::Sgd { momentum: Schedule::Constant(0.0) }
    }
}

impl Method {
    /// Gives Nesterov's momentum.
    pub fn nesterov(momentum: f64) -> Self {
        Self::Nesterov { momentum: Schedule::Constant(momentum) }
    }

    /// Gives Adam with the constants of its paper.
    pub fn adam() -> Self {
        Self::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
    }

    /// Gives AdamW with Adam's constants and this decay.
    pub fn adamw(decay: f32) -> Self {
        Self::AdamW { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay }
    }

    /// Gives Adagrad.
    pub fn adagrad() -> Self {
        Self::Adagrad { epsilon: 1e-8 }
    }

    /// Gives RMSprop with the decay of its lecture.
    pub fn rmsprop() -> Self {
        Self::RmsProp { decay: 0.9, epsilon: 1e-8 }
    }

    /// Refuses constants outside their ranges.
    ///
    /// # Errors
    /// Names the constant.
    pub fn check(&self) -> Result<(), Error> {
        let range =
            |field, value: f32, least, most| Schedule::Constant(f64::from(value)).check(field, least, most);
        match self {
            Self::Sgd { momentum } | Self::Nesterov { momentum } => {
                momentum.check("momentum", 0.0, 0.999_999)
            }
            Self::Adam { beta1, beta2, epsilon } | Self::AdamW { beta1, beta2, epsilon, .. } => {
                range("beta1", *beta1, 0.0, 0.999_999)?;
                range("beta2", *beta2, 0.0, 0.999_999)?;
                range("epsilon", *epsilon, 1e-30, 1.0)?;
                self.decoupled().map_or(Ok(()), |decay| range("weight decay", decay, 0.0, 1e6))
            }
            Self::Adagrad { epsilon } => range("epsilon", *epsilon, 1e-30, 1.0),
            Self::RmsProp { decay, epsilon } => {
                range("decay of the mean square", *decay, 0.0, 0.999_999)?;
                range("epsilon", *epsilon, 1e-30, 1.0)
            }
        }
    }

    /// Gives λ of a decay beside the gradient.
    fn decoupled(&self) -> Option<f32> {
        match self {
            Self::AdamW { decay, .. } => Some(*decay),
            _ => None,
        }
    }

    /// Gives the number of moments that the method keeps.
    pub(super) fn moments(&self) -> usize {
        match self {
            Self::Adam { .. } | Self::AdamW { .. } => 2,
            method => usize::from(!method.is_plain()),
        }
    }

    /// Tells whether the method is descent without momentum, which needs no memory.
    pub(super) fn is_plain(&self) -> bool {
        matches!(self, Self::Sgd { momentum: Schedule::Constant(momentum) } if *momentum == 0.0)
    }

    /// Tells whether the method changes with the length of the training.
    pub fn depends_on_length(&self) -> bool {
        matches!(self, Self::Sgd { momentum } | Self::Nesterov { momentum } if momentum.depends_on_length())
    }
}
