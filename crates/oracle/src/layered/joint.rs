//! Enumerates both sides of a model: the table of p(x, y) from the formula alone.

use super::law::lists;
use super::rbm::Rbm;
use crate::math::{log_sum_exp, sum};
use crate::units::{MAX_STATES, State};

/// Holds the joint law; entry x + X · y of the table belongs to visible state x of X and hidden state y.
#[derive(Clone, Debug, PartialEq)]
pub struct Joint {
    /// The visible states, the first unit changing fastest.
    pub visible: Vec<State>,
    /// The hidden states.
    pub hidden: Vec<State>,
    /// ln p of each pair; of quadrature nodes, ln(density · weights).
    pub log_p: Vec<f64>,
    /// ln Z.
    pub log_z: f64,
}

impl Rbm {
    /// Gives the joint law; `None` above 2²⁰ pairs, or where no list serves a side.
    pub fn joint(&self) -> Option<Joint> {
        let (visible, hidden) = lists(self).filter(|(x, y)| x.len() * y.len() <= MAX_STATES)?;
        let pairs = hidden.iter().flat_map(|y| visible.iter().map(move |x| (x, y)));
        let term =
            |(x, y): (&State, &State)| x.log_weight + y.log_weight - self.energy(&x.features, &y.features);
        let mut log_p: Vec<f64> = pairs.map(term).collect();
        let log_z = log_sum_exp(&log_p);
        log_p.iter_mut().for_each(|x| *x -= log_z);
        Some(Joint { visible, hidden, log_p, log_z })
    }
}

impl Joint {
    /// Gives the table of p(x, y).
    pub fn p(&self) -> Vec<f64> {
        self.log_p.iter().map(|x| x.exp()).collect()
    }

    /// Gives the index of a pair of states.
    pub fn index(&self, x: usize, y: usize) -> usize {
        x + self.visible.len() * y
    }

    /// Gives the features of entry `n`.
    pub fn features(&self, n: usize) -> (&[f64], &[f64]) {
        let (x, y) = (n % self.visible.len(), n / self.visible.len());
        (&self.visible[x].features, &self.hidden[y].features)
    }

    /// Gives the mean of a function of both states.
    pub fn mean(&self, f: impl Fn(&[f64], &[f64]) -> f64) -> f64 {
        let term = |(n, p): (usize, f64)| {
            let (x, y) = self.features(n);
            p * f(x, y)
        };
        sum(self.p().into_iter().enumerate().filter(|(_, p)| *p > 0.0).map(term))
    }

    /// Gives p(x), summed over y.
    pub fn visible_p(&self) -> Vec<f64> {
        let mut out = vec![0.0; self.visible.len()];
        self.p().iter().enumerate().for_each(|(n, p)| out[n % self.visible.len()] += p);
        out
    }

    /// Gives p(y), summed over x.
    pub fn hidden_p(&self) -> Vec<f64> {
        self.p().chunks(self.visible.len()).map(|row| sum(row.iter().copied())).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::check::{DIFFERENCE, TAU_0, all_close, close};
    use crate::layered::check::{joint_within, models, scale_of};
    use crate::layered::{Rbm, Side};
    use crate::math::sum;

    fn small() -> impl Iterator<Item = (Rbm, super::Joint)> {
        models().into_iter().filter_map(|rbm| joint_within(&rbm, 1 << 14).map(|joint| (rbm, joint)))
    }

    #[test]
    fn margins_are_the_laws_of_the_sides() {
        let mut count = 0;
        for (rbm, joint) in small() {
            let bound = TAU_0 * scale_of(&rbm);
            close(joint.log_z, rbm.log_z().unwrap(), bound);
            close(sum(joint.p()), 1.0, bound);
            let laws = [Side::Visible, Side::Hidden].map(|side| rbm.law_of(side).unwrap().p());
            all_close(&joint.visible_p(), &laws[0], bound);
            all_close(&joint.hidden_p(), &laws[1], bound);
            count += 1;
        }
        assert!(count > 250, "{count} models");
    }

    #[test]
    fn entries_are_indexed_with_the_visible_state_fastest() {
        for (rbm, joint) in small().filter(|(rbm, _)| rbm.visible.units == 2) {
            let (x, y) = (joint.visible.len() - 1, joint.hidden.len() / 2);
            let n = joint.index(x, y);
            assert_eq!(joint.features(n), (&joint.visible[x].features[..], &joint.hidden[y].features[..]));
            if rbm.visible.kind.is_discrete() && rbm.hidden.kind.is_discrete() {
                let (x, y) = joint.features(n);
                close(rbm.log_p_joint(x, y).unwrap(), joint.log_p[n], TAU_0 * scale_of(&rbm));
            }
        }
    }

    /// d ln Z / dβ = −⟨E⟩ and d⟨E⟩ / dβ = −Var E, the measure being left alone.
    #[test]
    fn derivatives_by_beta_are_moments_of_the_energy() {
        let step = 1e-4;
        for (rbm, joint) in small().filter(|(_, joint)| joint.log_p.len() <= 1 << 12) {
            let energy = |rbm: &Rbm| rbm.joint().unwrap().mean(|x, y| rbm.energy(x, y));
            let mean = joint.mean(|x, y| rbm.energy(x, y));
            let variance = joint.mean(|x, y| (rbm.energy(x, y) - mean).powi(2));
            let slope = |f: &dyn Fn(f64) -> f64| {
                (8.0 * (f(1.0 + step) - f(1.0 - step)) - f(1.0 + 2.0 * step) + f(1.0 - 2.0 * step))
                    / (12.0 * step)
            };
            close(slope(&|beta| rbm.tempered(beta).log_z().unwrap()), -mean, DIFFERENCE);
            // ⟨E⟩ of the tempered model is taken of β E, and divided.
            close(slope(&|beta| energy(&rbm.tempered(beta)) / beta), -variance, DIFFERENCE);
        }
    }
}
