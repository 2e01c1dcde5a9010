//! Computes exact gradients: of the mean negative log-likelihood, of CD-k and of PCD in expectation.
//!
//! A data set or the law of chains is a table over v (see [`crate::likelihood::empirical`]).

use crate::bits::{states, value};
use crate::enumerate::visible_distribution;
use crate::likelihood::negative_log_likelihood;
use crate::rbm::Rbm;
use crate::transition::Conditionals;

/// Holds one number for each parameter of a model: a gradient or a mean statistic.
#[derive(Clone, Debug, PartialEq)]
pub struct Gradient {
    /// Entries of W, row-major V × H.
    pub weights: Vec<f64>,
    /// Entries of b.
    pub visible_bias: Vec<f64>,
    /// Entries of c.
    pub hidden_bias: Vec<f64>,
}

impl Gradient {
    /// Makes the zero of a model.
    pub fn zeros(rbm: &Rbm) -> Self {
        Self {
            weights: vec![0.0; rbm.weights.len()],
            visible_bias: vec![0.0; rbm.visible],
            hidden_bias: vec![0.0; rbm.hidden],
        }
    }

    /// Gives all entries, W, b, c one after the other, as [`Rbm::parameter_mut`] counts them.
    pub fn entries(&self) -> Vec<f64> {
        [&self.weights[..], &self.visible_bias, &self.hidden_bias].concat()
    }

    /// Adds `factor` times another.
    pub fn add(&mut self, factor: f64, other: &Self) {
        let add = |a: &mut [f64], b: &[f64]| a.iter_mut().zip(b).for_each(|(a, b)| *a += factor * b);
        add(&mut self.weights, &other.weights);
        add(&mut self.visible_bias, &other.visible_bias);
        add(&mut self.hidden_bias, &other.hidden_bias);
    }
}

/// Gives the means of v p(h | v), v and p(h | v) over a table of v.
///
/// # Panics
/// When the table has not one entry a visible state.
pub fn statistics(rbm: &Rbm, law: &[f64]) -> Gradient {
    assert_eq!(law.len(), states(rbm.visible), "one entry a visible state");
    let mut out = Gradient::zeros(rbm);
    for (v, p) in law.iter().enumerate().filter(|(_, p)| **p != 0.0) {
        out.add(*p, &state_statistics(rbm, v as u64));
    }
    out
}

/// Gives v p(h | v), v and p(h | v) of one state.
fn state_statistics(rbm: &Rbm, v: u64) -> Gradient {
    let hidden_bias = rbm.hidden_probabilities(v);
    let visible_bias: Vec<f64> = (0..rbm.visible).map(|i| value(v, i)).collect();
    let weights = visible_bias.iter().flat_map(|v| hidden_bias.iter().map(move |h| v * h)).collect();
    Gradient { weights, visible_bias, hidden_bias }
}

/// Gives −(statistics of `positive` − statistics of `negative`), the direction that descent subtracts.
pub fn contrast(rbm: &Rbm, positive: &[f64], negative: &[f64]) -> Gradient {
    let mut out = statistics(rbm, negative);
    out.add(-1.0, &statistics(rbm, positive));
    out
}

/// Gives the gradient of the mean negative log-likelihood of the data.
pub fn exact(rbm: &Rbm, data: &[f64]) -> Gradient {
    contrast(rbm, data, &visible_distribution(rbm))
}

/// Gives the same gradient by central differences of width 2 `step`, entry by entry as [`Gradient::entries`].
pub fn finite_difference(rbm: &Rbm, data: &[f64], step: f64) -> Vec<f64> {
    let at = |n, shift| {
        let mut moved = rbm.clone();
        *moved.parameter_mut(n) += shift;
        negative_log_likelihood(&moved, data)
    };
    (0..rbm.parameters()).map(|n| (at(n, step) - at(n, -step)) / (2.0 * step)).collect()
}

/// Gives the expectation of the CD-k gradient: the chain makes `k` sweeps from the data.
pub fn contrastive_divergence(rbm: &Rbm, data: &[f64], k: usize) -> Gradient {
    persistent(rbm, data, data, k)
}

/// Gives the expectation of the PCD gradient: `k` sweeps from the law that the chains have before the update.
pub fn persistent(rbm: &Rbm, data: &[f64], chains: &[f64], k: usize) -> Gradient {
    let negative = Conditionals::of(rbm).visible_sweep().after(k, chains);
    contrast(rbm, data, &negative)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{DIFFERENCE, TAU_0, all_close, model, models};
    use crate::likelihood::empirical;
    use crate::moments::moments;

    fn data(visible: usize) -> Vec<f64> {
        let mask = (1 << visible) - 1;
        empirical(visible, &[0b0101_1010 & mask, 0b1111_0000 & mask, 1, 1], Some(&[1.0, 2.0, 1.0, 0.5]))
    }

    /// Step 1e-5: rounding of an NLL of size ≤ 100 costs 1e-14 · 100 / 1e-5 … 1e-9, truncation h² ≈ 1e-10.
    #[test]
    fn exact_gradient_is_the_finite_difference() {
        for rbm in models() {
            let data = data(rbm.visible);
            all_close(&exact(&rbm, &data).entries(), &finite_difference(&rbm, &data, 1e-5), DIFFERENCE);
        }
    }

    #[test]
    fn model_statistics_are_moments() {
        for rbm in models() {
            let (got, expected) = (statistics(&rbm, &visible_distribution(&rbm)), moments(&rbm));
            all_close(&got.weights, &expected.cross, TAU_0);
            all_close(&got.visible_bias, &expected.visible, TAU_0);
            all_close(&got.hidden_bias, &expected.hidden, TAU_0);
        }
    }

    #[test]
    fn gradients_vanish_on_the_models_own_law() {
        let rbm = model(4, 3, 41);
        let law = visible_distribution(&rbm);
        let zero = vec![0.0; rbm.parameters()];
        all_close(&exact(&rbm, &law).entries(), &zero, TAU_0);
        all_close(&contrastive_divergence(&rbm, &law, 3).entries(), &zero, TAU_0);
        let wrong = contrastive_divergence(&rbm, &visible_distribution(&rbm.tempered(0.8)), 3);
        assert!(wrong.entries().iter().any(|x| x.abs() > 1e-3));
    }

    #[test]
    fn contrastive_divergence_tends_to_the_exact_gradient() {
        let rbm = model(4, 3, 42);
        let data = data(4);
        assert_eq!(contrastive_divergence(&rbm, &data, 0).entries(), vec![0.0; rbm.parameters()]);
        all_close(&contrastive_divergence(&rbm, &data, 2000).entries(), &exact(&rbm, &data).entries(), TAU_0);
        let one = contrastive_divergence(&rbm, &data, 1).entries();
        assert!(one.iter().zip(exact(&rbm, &data).entries()).any(|(a, b)| (a - b).abs() > 1e-2));
    }

    /// CD-1 without matrices: Σ_v d(v) Σ_h p(h | v) Σ_v' p(v' | h) v'ᵢ p(hⱼ = 1 | v'), written out.
    #[test]
    fn first_sweep_is_the_sum_over_paths() {
        let rbm = model(3, 2, 43);
        let data = data(3);
        let chance = |p: &[f64], state: u64| -> f64 {
            p.iter().enumerate().map(|(n, p)| if value(state, n) == 1.0 { *p } else { 1.0 - p }).product()
        };
        let mut expected = statistics(&rbm, &data);
        expected.add(-2.0, &expected.clone());
        for v in 0..8 {
            for h in 0..4 {
                for next in 0..8 {
                    let path =
                        chance(&rbm.hidden_probabilities(v), h) * chance(&rbm.visible_probabilities(h), next);
                    expected.add(data[v as usize] * path, &state_statistics(&rbm, next));
                }
            }
        }
        all_close(&contrastive_divergence(&rbm, &data, 1).entries(), &expected.entries(), TAU_0);
    }

    #[test]
    fn two_persistent_steps_continue_the_chain() {
        let rbm = model(4, 2, 44);
        let (data, start) = (data(4), vec![1.0 / 16.0; 16]);
        let moved = Conditionals::of(&rbm).visible_sweep().after(1, &start);
        let (a, b) = (persistent(&rbm, &data, &start, 2), persistent(&rbm, &data, &moved, 1));
        all_close(&a.entries(), &b.entries(), TAU_0);
    }
}
