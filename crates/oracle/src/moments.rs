//! Computes all first and second moments of a model by enumeration.

use std::ops::Range;

use crate::bits::{states, value};
use crate::enumerate::{join, joint_distribution};
use crate::math::sum;
use crate::rbm::Rbm;

/// Holds ⟨v⟩, ⟨h⟩, ⟨v h⟩, ⟨v v⟩ and ⟨h h⟩; matrices are row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Moments {
    /// ⟨vᵢ⟩, length V.
    pub visible: Vec<f64>,
    /// ⟨hⱼ⟩, length H.
    pub hidden: Vec<f64>,
    /// ⟨vᵢ hⱼ⟩, V × H.
    pub cross: Vec<f64>,
    /// ⟨vᵢ vₖ⟩, V × V.
    pub visible_pairs: Vec<f64>,
    /// ⟨hⱼ hₖ⟩, H × H.
    pub hidden_pairs: Vec<f64>,
}

/// Gives the moments of a model.
pub fn moments(rbm: &Rbm) -> Moments {
    moments_of(rbm, &joint_distribution(rbm))
}

/// Gives the moments of any table over joint states, such as counts of draws divided by their number.
pub fn moments_of(rbm: &Rbm, joint: &[f64]) -> Moments {
    let (v, h) = (0..rbm.visible, rbm.visible..rbm.visible + rbm.hidden);
    let (one, pair) = (|n| mean(joint, &[n]), |(i, j)| mean(joint, &[i, j]));
    let grid = |a: &Range<usize>, b: &Range<usize>| {
        a.clone().flat_map(|i| b.clone().map(move |j| (i, j))).map(pair).collect()
    };
    Moments {
        cross: grid(&v, &h),
        visible_pairs: grid(&v, &v),
        hidden_pairs: grid(&h, &h),
        visible: v.map(one).collect(),
        hidden: h.map(one).collect(),
    }
}

/// Gives the mean of the product of units, numbered as the bits of a joint state.
fn mean(joint: &[f64], units: &[usize]) -> f64 {
    let product = |state: usize| units.iter().map(|&n| value(state as u64, n)).product::<f64>();
    sum(joint.iter().enumerate().map(|(state, p)| p * product(state)))
}

/// Gives ⟨E⟩ from the moments: −Σ W ⟨v h⟩ − Σ b ⟨v⟩ − Σ c ⟨h⟩.
pub fn mean_energy(rbm: &Rbm, moments: &Moments) -> f64 {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    -dot(&rbm.weights, &moments.cross)
        - dot(&rbm.visible_bias, &moments.visible)
        - dot(&rbm.hidden_bias, &moments.hidden)
}

/// Gives the table over joint states of drawn states, each drawn state being a pair (v, h).
pub fn frequencies(rbm: &Rbm, draws: &[(u64, u64)]) -> Vec<f64> {
    counts(rbm, draws).iter().map(|&n| n as f64 / draws.len() as f64).collect()
}

/// Counts how often each joint state was drawn.
pub fn counts(rbm: &Rbm, draws: &[(u64, u64)]) -> Vec<u64> {
    let mut out = vec![0; states(rbm.visible + rbm.hidden)];
    for &(v, h) in draws {
        out[join(rbm, v, h) as usize] += 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{TAU_0, all_close, close, models};
    use crate::enumerate::{hidden_distribution, minus_energies, visible_distribution};

    /// The second route: means over p(v) of p(h | v), and over p(h) of p(v | h).
    #[test]
    fn moments_follow_from_the_conditionals() {
        for rbm in models() {
            let (got, p_v, p_h) = (moments(&rbm), visible_distribution(&rbm), hidden_distribution(&rbm));
            let over_v = |f: &dyn Fn(u64) -> f64| sum(p_v.iter().enumerate().map(|(v, p)| p * f(v as u64)));
            let over_h = |f: &dyn Fn(u64) -> f64| sum(p_h.iter().enumerate().map(|(h, p)| p * f(h as u64)));
            for j in 0..rbm.hidden {
                close(got.hidden[j], over_v(&|v| rbm.hidden_probabilities(v)[j]), TAU_0);
                for i in 0..rbm.visible {
                    let mean = over_v(&|v| value(v, i) * rbm.hidden_probabilities(v)[j]);
                    close(got.cross[i * rbm.hidden + j], mean, TAU_0);
                }
                for k in 0..rbm.hidden {
                    let mean = over_h(&|h| value(h, j) * value(h, k));
                    close(got.hidden_pairs[j * rbm.hidden + k], mean, TAU_0);
                }
            }
            for i in 0..rbm.visible {
                close(got.visible[i], over_h(&|h| rbm.visible_probabilities(h)[i]), TAU_0);
                for k in (0..rbm.visible).filter(|&k| k != i) {
                    let mean = over_h(&|h| rbm.visible_probabilities(h)[i] * rbm.visible_probabilities(h)[k]);
                    close(got.visible_pairs[i * rbm.visible + k], mean, TAU_0);
                }
            }
        }
    }

    #[test]
    fn mean_energy_follows_from_the_table_of_energies() {
        for rbm in models() {
            let terms = joint_distribution(&rbm).into_iter().zip(minus_energies(&rbm));
            close(mean_energy(&rbm, &moments(&rbm)), -sum(terms.map(|(p, x)| p * x)), TAU_0);
        }
    }

    #[test]
    fn squares_of_bits_are_bits() {
        for rbm in models() {
            let got = moments(&rbm);
            let diagonal: Vec<f64> =
                (0..rbm.visible).map(|i| got.visible_pairs[i * (rbm.visible + 1)]).collect();
            all_close(&diagonal, &got.visible, TAU_0);
        }
    }

    #[test]
    fn draws_are_counted_by_joint_state() {
        let rbm = Rbm::zeros(2, 1);
        let draws = [(0b00, 0), (0b11, 1), (0b11, 1), (0b01, 1)];
        assert_eq!(counts(&rbm, &draws), [1, 0, 0, 0, 0, 1, 0, 2]);
        let got = moments_of(&rbm, &frequencies(&rbm, &draws));
        assert_eq!((got.visible, got.hidden, got.cross), (vec![0.75, 0.5], vec![0.75], vec![0.75, 0.5]));
    }
}
