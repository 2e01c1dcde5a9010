//! Moves parameters against the gradient: stochastic gradient descent with momentum, and Adam.

use serde::{Deserialize, Serialize};

use super::Schedule;
use crate::{Error, HasParams, Params};

/// Chooses how a gradient becomes a step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Method {
    /// v ← μ v − η g; θ ← θ + v (Polyak 1964).
    Sgd {
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
}

impl Default for Method {
    fn default() -> Self {
        Self::Sgd { momentum: Schedule::Constant(0.0) }
    }
}

impl Method {
    /// Gives Adam with the constants of its paper.
    pub fn adam() -> Self {
        Self::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
    }

    /// Refuses constants outside their ranges.
    ///
    /// # Errors
    /// Names the constant.
    pub fn check(&self) -> Result<(), Error> {
        let range =
            |field, value: f32, least, most| Schedule::Constant(f64::from(value)).check(field, least, most);
        match self {
            Self::Sgd { momentum } => momentum.check("momentum", 0.0, 0.999_999),
            Self::Adam { beta1, beta2, epsilon } => {
                range("beta1", *beta1, 0.0, 0.999_999)?;
                range("beta2", *beta2, 0.0, 0.999_999)?;
                range("epsilon", *epsilon, 1e-30, 1.0)
            }
        }
    }

    /// Tells whether the method is descent without momentum, which needs no memory.
    fn is_plain(&self) -> bool {
        matches!(self, Self::Sgd { momentum: Schedule::Constant(momentum) } if *momentum == 0.0)
    }

    /// Tells whether the method changes with the length of the training.
    pub fn depends_on_length(&self) -> bool {
        matches!(self, Self::Sgd { momentum } if momentum.depends_on_length())
    }
}

/// Holds a method and its two moments, each of the shape of the parameters: the velocity or the mean, and the mean
/// square, which descent leaves empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Optimizer {
    method: Method,
    first: Params,
    second: Params,
    powers: [f32; 2],
}

impl Optimizer {
    /// Starts with zero moments.
    pub fn new(method: Method, params: &Params) -> Self {
        let none = || Params::new(Vec::new());
        let (first, second) = match method {
            _ if method.is_plain() => (none(), none()),
            Method::Sgd { .. } => (params.zeros_like(), none()),
            Method::Adam { .. } => (params.zeros_like(), params.zeros_like()),
        };
        Self { method, first, second, powers: [1.0; 2] }
    }

    /// Prepares one update: its learning rate, and the momentum of its place in the training.
    pub(super) fn begin(&mut self, rate: f32, at: (u64, u64, u32)) -> Move {
        match &self.method {
            method if method.is_plain() => Move::Plain { rate },
            Method::Sgd { momentum } => {
                Move::Momentum { rate, momentum: momentum.at(at.0, at.1, at.2) as f32 }
            }
            &Method::Adam { beta1, beta2, epsilon } => {
                self.powers = [self.powers[0] * beta1, self.powers[1] * beta2];
                let unbias = self.powers.map(|power| 1.0 / (1.0 - power));
                Move::Adam { rate, betas: [beta1, beta2], epsilon, unbias }
            }
        }
    }

    /// Lends the moments of a block: none, the velocity, or both.
    pub(super) fn moments(&mut self, block: usize) -> [Option<&mut Vec<f32>>; 2] {
        [&mut self.first, &mut self.second].map(|p| p.tensors_mut().get_mut(block).map(|t| &mut t.values))
    }

    /// Updates a model in place with the learning rate of this step and the momentum at its place in the training; it is
    /// left to the caller to refresh the model.
    pub fn update(&mut self, model: &mut impl HasParams, gradient: &Params, rate: f32, at: (u64, u64, u32)) {
        let step = self.begin(rate, at);
        self.apply(model, gradient, step);
    }

    pub(super) fn apply(&mut self, model: &mut impl HasParams, gradient: &Params, step: Move) {
        for (index, block) in model.blocks_mut().into_iter().enumerate() {
            self.update_block(index, block.values, &gradient.tensors()[index].values, step);
        }
    }

    pub(super) fn update_block(&mut self, index: usize, values: &mut [f32], gradient: &[f32], step: Move) {
        let [first, second] = self.moments(index).map(|m| m.map_or(&mut [][..], |m| &mut m[..]));
        step.apply(values, gradient, first, second);
    }

    /// Gives the moments and the running products, for a checkpoint.
    pub fn state(&self) -> (&Params, &Params, [f32; 2]) {
        (&self.first, &self.second, self.powers)
    }

    /// Gives the moments and the running products for restoring them.
    pub fn state_mut(&mut self) -> (&mut Params, &mut Params, &mut [f32; 2]) {
        (&mut self.first, &mut self.second, &mut self.powers)
    }
}

/// Is one update's rule for one parameter at a time, the same for all of them.
#[derive(Clone, Copy, Debug)]
pub(super) enum Move {
    Plain { rate: f32 },
    Momentum { rate: f32, momentum: f32 },
    Adam { rate: f32, betas: [f32; 2], epsilon: f32, unbias: [f32; 2] },
}

impl Move {
    /// Moves values against their gradient; `first` and `second` are the moments that the rule has.
    #[inline(always)]
    pub(super) fn apply(self, values: &mut [f32], gradient: &[f32], first: &mut [f32], second: &mut [f32]) {
        match self {
            Self::Plain { rate } => {
                values.iter_mut().zip(gradient).for_each(|(value, &gradient)| *value += -(gradient * rate));
            }
            Self::Momentum { rate, momentum } => {
                let entries = values.iter_mut().zip(gradient).zip(first);
                for ((value, &gradient), velocity) in entries {
                    *velocity = *velocity * momentum - gradient * rate;
                    *value += mutant!("B36", *velocity, *velocity * momentum - gradient * rate);
                }
            }
            Self::Adam { rate, betas: [beta1, beta2], epsilon, unbias } => {
                let entries = values.iter_mut().zip(gradient).zip(first.iter_mut().zip(second));
                for ((value, &gradient), (mean, square)) in entries {
                    *mean = *mean * beta1 + gradient * (1.0 - beta1);
                    *square = *square * beta2 + gradient * gradient * (1.0 - beta2);
                    *value -= rate * (*mean * unbias[0]) / ((*square * unbias[1]).sqrt() + epsilon);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::{Block, BlockMut};

    /// Is θ ↦ θ²/2 in one dimension: its gradient is θ.
    struct Quadratic(Vec<f32>);

    impl HasParams for Quadratic {
        fn blocks(&self) -> Vec<Block<'_>> {
            vec![Block { name: "x", shape: vec![1], values: &self.0 }]
        }
        fn blocks_mut(&mut self) -> Vec<BlockMut<'_>> {
            vec![BlockMut { name: "x", values: &mut self.0 }]
        }
        fn follow(&mut self, _largest: &[f32]) {}
        fn digest(&self) -> String {
            String::new()
        }
    }

    fn walk(method: Method, steps: usize, rate: f32) -> f32 {
        let mut model = Quadratic(vec![1.0]);
        let mut optimizer = Optimizer::new(method, &model.params());
        for _ in 0..steps {
            let gradient = model.params();
            optimizer.update(&mut model, &gradient, rate, (0, 1, 0));
        }
        model.0[0]
    }

    #[test]
    fn momentum_on_a_quadratic_follows_its_closed_form() {
        // θ₁ = 1 − η; v₂ = −μη − η(1 − η); θ₂ = θ₁ + v₂. With η = 0.5, μ = 0.5: θ₁ = 0.5, θ₂ = 0.
        let method = || Method::Sgd { momentum: Schedule::Constant(0.5) };
        assert_eq!((walk(method(), 1, 0.5), walk(method(), 2, 0.5)), (0.5, 0.0));
    }

    #[test]
    fn the_first_steps_of_adam_have_the_length_of_the_rate() {
        // While the sign of the gradient holds, mean / √square is near 1, so each step has nearly the length η.
        assert!((walk(Method::adam(), 1, 0.01) - 0.99).abs() < 1e-6);
        assert!((walk(Method::adam(), 10, 0.01) - 0.90).abs() < 1e-3);
    }

    #[test]
    fn constants_out_of_range_are_named() {
        let bad = Method::Adam { beta1: 1.0, beta2: 0.9, epsilon: 1e-8 };
        assert!(bad.check().unwrap_err().to_string().starts_with("beta1"));
    }
}
