//! Divides the gradient by the root of past squares: Adagrad adds them up, RMSprop forgets them.

/// s ← s + g²; θ ← θ − η g / (√s + ε) (Duchi, Hazan & Singer 2011, fig. 1 with the diagonal; ε outside the root).
#[derive(Clone, Copy, Debug)]
pub(in crate::train) struct Adagrad {
    pub(super) rate: f32,
    pub(super) epsilon: f32,
}

/// s ← ρ s + (1 − ρ) g²; θ ← θ − η g / (√s + ε) (Tieleman & Hinton 2012, lecture 6.5; ε is not in the lecture).
#[derive(Clone, Copy, Debug)]
pub(in crate::train) struct RmsProp {
    pub(super) rate: f32,
    pub(super) decay: f32,
    pub(super) epsilon: f32,
}

impl Adagrad {
    #[inline(always)]
    pub(super) fn apply(self, values: &mut [f32], gradient: &[f32], squares: &mut [f32]) {
        let Self { rate, epsilon } = self;
        for ((value, &gradient), square) in values.iter_mut().zip(gradient).zip(squares) {
            *square += gradient * gradient;
            *value -= rate * gradient / (square.sqrt() + epsilon);
        }
    }
}

impl RmsProp {
    #[inline(always)]
    pub(super) fn apply(self, values: &mut [f32], gradient: &[f32], squares: &mut [f32]) {
        let Self { rate, decay, epsilon } = self;
        for ((value, &gradient), square) in values.iter_mut().zip(gradient).zip(squares) {
            *square = *square * decay + gradient * gradient * (1.0 - decay);
            *value -= rate * gradient / (square.sqrt() + epsilon);
        }
    }
}
