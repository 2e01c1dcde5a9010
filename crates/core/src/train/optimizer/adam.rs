//! Divides the mean of past gradients by the root of their mean square: Adam, and AdamW that decays apart from it.

/// m ← β₁ m + (1 − β₁) g; s ← β₂ s + (1 − β₂) g²; θ ← θ − η m̂ / (√ŝ + ε), both unbiased (Kingma & Ba 2015, algorithm 1).
#[derive(Clone, Copy, Debug)]
pub(in crate::train) struct Adam {
    pub(super) rate: f32,
    pub(super) betas: [f32; 2],
    pub(super) epsilon: f32,
    /// 1 / (1 − βⁿ) of both.
    pub(super) unbias: [f32; 2],
}

/// θ ← θ − η (m̂ / (√ŝ + ε) + λ θ) (Loshchilov & Hutter 2019, algorithm 2; their α is 1, so that the decay follows η).
#[derive(Clone, Copy, Debug)]
pub(in crate::train) struct AdamW {
    pub(super) adam: Adam,
    pub(super) decay: f32,
}

impl Adam {
    #[inline(always)]
    pub(super) fn apply(self, values: &mut [f32], gradient: &[f32], first: &mut [f32], second: &mut [f32]) {
        let Self { rate, betas: [beta1, beta2], epsilon, unbias } = self;
        let entries = values.iter_mut().zip(gradient).zip(first.iter_mut().zip(second));
        for ((value, &gradient), (mean, square)) in entries {
            *mean = *mean * beta1 + gradient * (1.0 - beta1);
            *square = *square * beta2 + gradient * gradient * (1.0 - beta2);
            *value -= rate * (*mean * unbias[0]) / ((*square * unbias[1]).sqrt() + epsilon);
        }
    }
}

impl AdamW {
    #[inline(always)]
    pub(super) fn apply(self, values: &mut [f32], gradient: &[f32], first: &mut [f32], second: &mut [f32]) {
        let Self { adam: Adam { rate, betas: [beta1, beta2], epsilon, unbias }, decay } = self;
        let entries = values.iter_mut().zip(gradient).zip(first.iter_mut().zip(second));
        for ((value, &gradient), (mean, square)) in entries {
            *mean = *mean * beta1 + gradient * (1.0 - beta1);
            *square = *square * beta2 + gradient * gradient * (1.0 - beta2);
            let step = (*mean * unbias[0]) / ((*square * unbias[1]).sqrt() + epsilon);
            *value -= rate * (step + *value * decay);
        }
    }
}
