//! Moves parameters against the gradient: descent, its momenta, and rules that scale each step by past gradients.

mod adam;
mod descent;
mod method;
mod squares;

pub use method::Method;

use super::Schedule;
use crate::{HasParams, Params};
use adam::{Adam, AdamW};
use descent::{Descent, Momentum, Nesterov};
use squares::{Adagrad, RmsProp};

/// Holds a method and its two moments, each of the shape of the parameters, or empty where the method has none.
///
/// The first is the velocity, the mean or, in a method of one moment, the sum or mean of squares; the second is the mean
/// square of Adam.
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
        let kept =
            |n: usize| if method.moments() > n { params.zeros_like() } else { Params::new(Vec::new()) };
        let (first, second) = (kept(0), kept(1));
        Self { method, first, second, powers: [1.0; 2] }
    }

    /// Prepares one update: its learning rate, and the momentum of its place in the training.
    pub(super) fn begin(&mut self, rate: f32, at: (u64, u64, u32)) -> Move {
        let value = |schedule: &Schedule| schedule.at(at.0, at.1, at.2) as f32;
        match &self.method {
            method if method.is_plain() => Move::Descent(Descent { rate }),
            Method::Sgd { momentum } => Move::Momentum(Momentum { rate, momentum: value(momentum) }),
            Method::Nesterov { momentum } => Move::Nesterov(Nesterov { rate, momentum: value(momentum) }),
            &Method::Adam { beta1, beta2, epsilon } => Move::Adam(self.adam(rate, [beta1, beta2], epsilon)),
            &Method::AdamW { beta1, beta2, epsilon, decay } => {
                Move::AdamW(AdamW { adam: self.adam(rate, [beta1, beta2], epsilon), decay })
            }
            &Method::Adagrad { epsilon } => Move::Adagrad(Adagrad { rate, epsilon }),
            &Method::RmsProp { decay, epsilon } => Move::RmsProp(RmsProp { rate, decay, epsilon }),
        }
    }

    /// Multiplies the running products once more, and divides by what they leave of the moments.
    fn adam(&mut self, rate: f32, betas: [f32; 2], epsilon: f32) -> Adam {
        self.powers = [self.powers[0] * betas[0], self.powers[1] * mutant!("B61", betas[1], betas[0])];
        Adam { rate, betas, epsilon, unbias: self.powers.map(|power| 1.0 / (1.0 - power)) }
    }

    /// Lends the moments of a block: none, the first, or both.
    pub(super) fn moments(&mut self, block: usize) -> [Option<&mut Vec<f32>>; 2] {
        [&mut self.first, &mut self.second].map(|p| p.tensors_mut().get_mut(block).map(|t| &mut t.values))
    }

    /// Updates a model in place with the learning rate of this step and the momentum at its place in the training; it is
    /// left to the caller to refresh the model.
    pub fn update(&mut self, model: &mut impl HasParams, gradient: &Params, rate: f32, at: (u64, u64, u32)) {
        let step = self.begin(rate, at);
        self.apply(model, gradient, step, &|_| false);
    }

    /// Updates all blocks but those that are `frozen`.
    pub(super) fn apply(
        &mut self,
        model: &mut impl HasParams,
        gradient: &Params,
        step: Move,
        frozen: &dyn Fn(&str) -> bool,
    ) {
        let blocks = model.blocks_mut().into_iter().enumerate();
        for (index, block) in blocks.filter(|(_, block)| !frozen(block.name)) {
            let gradient = &gradient.tensors()[index];
            let step = if gradient.shape.len() > 1 { step } else { step.of_biases() };
            self.update_block(index, block.values, &gradient.values, step);
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
    Descent(Descent),
    Momentum(Momentum),
    Nesterov(Nesterov),
    Adam(Adam),
    AdamW(AdamW),
    Adagrad(Adagrad),
    RmsProp(RmsProp),
}

impl Move {
    /// Gives the rule for biases, which do not decay.
    pub(super) fn of_biases(self) -> Self {
        match self {
            Self::AdamW(rule) => Self::AdamW(AdamW { decay: mutant!("B62", 0.0, rule.decay), ..rule }),
            other => other,
        }
    }

    /// Moves values against their gradient; `first` and `second` are the moments that the rule has.
    #[inline(always)]
    pub(super) fn apply(self, values: &mut [f32], gradient: &[f32], first: &mut [f32], second: &mut [f32]) {
        match self {
            Self::Descent(rule) => rule.apply(values, gradient),
            Self::Momentum(rule) => rule.apply(values, gradient, first),
            Self::Nesterov(rule) => rule.apply(values, gradient, first),
            Self::Adam(rule) => rule.apply(values, gradient, first, second),
            Self::AdamW(rule) => rule.apply(values, gradient, first, second),
            Self::Adagrad(rule) => rule.apply(values, gradient, first),
            Self::RmsProp(rule) => rule.apply(values, gradient, first),
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
