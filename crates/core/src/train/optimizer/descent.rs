//! Goes down the gradient: plainly, with momentum, and with Nesterov's momentum.

/// θ ← θ − η g.
#[derive(Clone, Copy, Debug)]
pub(in crate::train) struct Descent {
    pub(super) rate: f32,
}

/// v ← μ v − η g; θ ← θ + v (Polyak 1964).
#[derive(Clone, Copy, Debug)]
pub(in crate::train) struct Momentum {
    pub(super) rate: f32,
    pub(super) momentum: f32,
}

/// v ← μ v − η g; θ ← θ + μ v − η g: Nesterov (1983) in the coordinates of the point that looks ahead (Sutskever et al.
/// 2013, eq. 3 and 4; Bengio, Boulanger-Lewandowski & Pascanu 2013, with the momentum of this update for that of the next).
#[derive(Clone, Copy, Debug)]
pub(in crate::train) struct Nesterov {
    pub(super) rate: f32,
    pub(super) momentum: f32,
}

impl Descent {
    #[inline(always)]
    pub(super) fn apply(self, values: &mut [f32], gradient: &[f32]) {
        values.iter_mut().zip(gradient).for_each(|(value, &gradient)| *value += -(gradient * self.rate));
    }
}

impl Momentum {
    #[inline(always)]
    pub(super) fn apply(self, values: &mut [f32], gradient: &[f32], velocity: &mut [f32]) {
        let Self { rate, momentum } = self;
        let entries = values.iter_mut().zip(gradient).zip(velocity);
        for ((value, &gradient), velocity) in entries {
            *velocity = *velocity * momentum - gradient * rate;
            *value += mutant!("B36", *velocity, *velocity * momentum - gradient * rate);
        }
    }
}

impl Nesterov {
    #[inline(always)]
    pub(super) fn apply(self, values: &mut [f32], gradient: &[f32], velocity: &mut [f32]) {
        let Self { rate, momentum } = self;
        let entries = values.iter_mut().zip(gradient).zip(velocity);
        for ((value, &gradient), velocity) in entries {
            let step = gradient * rate;
            *velocity = *velocity * momentum - step;
            *value += *velocity * momentum - step;
        }
    }
}
