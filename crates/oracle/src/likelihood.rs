//! Computes exact log-likelihoods, pseudo-likelihoods, entropies and divergences.
//!
//! Rows are masks here. For a wide visible side, ln p(v) is −[`crate::wide::free_energy`] less
//! [`crate::enumerate::log_z_hidden`].

use crate::bits::states;
use crate::enumerate::log_z_visible;
use crate::math::{log_sigmoid, sum};
use crate::rbm::Rbm;

/// Gives the mean of ln p(v) over rows, weighted if weights are given.
pub fn log_likelihood(rbm: &Rbm, rows: &[u64], weights: Option<&[f64]>) -> f64 {
    -weighted_mean(rows.iter().map(|&v| rbm.free_energy(v)), weights) - log_z_visible(rbm)
}

/// Gives the mean of −ln p(v) over a table of data, Σ_v d(v) F(v) + ln Z.
pub fn negative_log_likelihood(rbm: &Rbm, data: &[f64]) -> f64 {
    let terms = data.iter().enumerate().filter(|(_, d)| **d != 0.0);
    sum(terms.map(|(v, d)| d * rbm.free_energy(v as u64))) + sum(data.iter().copied()) * log_z_visible(rbm)
}

/// Gives the mean over rows of Σᵢ ln p(vᵢ | v₋ᵢ); no ln Z is needed.
pub fn pseudo_log_likelihood(rbm: &Rbm, rows: &[u64], weights: Option<&[f64]>) -> f64 {
    weighted_mean(rows.iter().map(|&v| row_pseudo_log_likelihood(rbm, v)), weights)
}

/// Gives Σᵢ ln p(vᵢ | v₋ᵢ) = Σᵢ ln σ(F(v with unit i flipped) − F(v)).
fn row_pseudo_log_likelihood(rbm: &Rbm, v: u64) -> f64 {
    (0..rbm.visible).map(|i| log_sigmoid(rbm.free_energy(v ^ 1 << i) - rbm.free_energy(v))).sum()
}

/// Gives the table of a data set over v: the share of each state among the rows, weighted if weights are given.
///
/// # Panics
/// When there are not as many weights as rows.
pub fn empirical(visible: usize, rows: &[u64], weights: Option<&[f64]>) -> Vec<f64> {
    let ones = vec![1.0; rows.len()];
    let weights = weights.unwrap_or(&ones);
    assert_eq!(weights.len(), rows.len(), "one weight a row");
    let total = sum(weights.iter().copied());
    let mut table = vec![0.0; states(visible)];
    rows.iter().zip(weights).for_each(|(&v, w)| table[v as usize] += w / total);
    table
}

/// Gives −Σ p ln p, in nats.
pub fn entropy(p: &[f64]) -> f64 {
    -sum(p.iter().filter(|p| **p > 0.0).map(|p| p * p.ln()))
}

/// Gives KL(p ‖ q) = Σ p ln(p / q); infinite where q = 0 < p.
///
/// # Panics
/// When the tables are not of one length.
pub fn kl(p: &[f64], q: &[f64]) -> f64 {
    assert_eq!(p.len(), q.len(), "tables of one length");
    sum(p.iter().zip(q).filter(|(p, _)| **p > 0.0).map(|(p, q)| p * (p.ln() - q.ln())))
}

/// Gives Σ w x / Σ w, all weights being 1 if none are given.
fn weighted_mean(values: impl Iterator<Item = f64>, weights: Option<&[f64]>) -> f64 {
    let values: Vec<f64> = values.collect();
    let ones = vec![1.0; values.len()];
    let weights = weights.unwrap_or(&ones);
    assert_eq!(weights.len(), values.len(), "one weight a row");
    sum(values.iter().zip(weights).map(|(x, w)| x * w)) / sum(weights.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{TAU_0, close, model, models};
    use crate::enumerate::visible_distribution;

    const ROWS: [u64; 4] = [0b0000, 0b1010, 0b1111, 0b1010];

    #[test]
    fn log_likelihood_is_the_mean_of_log_p() {
        let rbm = model(4, 3, 21);
        let p = visible_distribution(&rbm);
        let expected = ROWS.iter().map(|&v| p[v as usize].ln()).sum::<f64>() / 4.0;
        close(log_likelihood(&rbm, &ROWS, None), expected, TAU_0);
        close(-negative_log_likelihood(&rbm, &empirical(4, &ROWS, None)), expected, TAU_0);
    }

    #[test]
    fn weight_two_is_a_duplicate_and_weight_zero_a_removal() {
        let rbm = model(4, 3, 22);
        let (rows, weights) = ([0b0000, 0b1010, 0b1111, 0b0001], [1.0, 2.0, 1.0, 0.0]);
        for f in [log_likelihood, pseudo_log_likelihood] {
            close(f(&rbm, &rows, Some(&weights)), f(&rbm, &ROWS, None), TAU_0);
        }
        assert_eq!(empirical(4, &rows, Some(&weights)), empirical(4, &ROWS, None));
    }

    /// p(vᵢ | v₋ᵢ) = p(v) / (p(v) + p(v with unit i flipped)), from the table of p(v).
    #[test]
    fn pseudo_likelihood_is_a_ratio_of_probabilities() {
        let rbm = model(4, 3, 23);
        let p = visible_distribution(&rbm);
        let term = |v: usize, i: usize| (p[v] / (p[v] + p[v ^ 1 << i])).ln();
        let row = |v: u64| (0..4).map(|i| term(v as usize, i)).sum::<f64>();
        let expected = ROWS.iter().map(|&v| row(v)).sum::<f64>() / 4.0;
        close(pseudo_log_likelihood(&rbm, &ROWS, None), expected, TAU_0);
    }

    #[test]
    fn pseudo_likelihood_of_independent_units_is_the_likelihood() {
        let mut rbm = model(4, 3, 24);
        rbm.weights.fill(0.0);
        close(pseudo_log_likelihood(&rbm, &ROWS, None), log_likelihood(&rbm, &ROWS, None), TAU_0);
    }

    #[test]
    fn negative_log_likelihood_is_entropy_plus_divergence() {
        for rbm in models().into_iter().filter(|rbm| rbm.visible == 4) {
            let data = empirical(4, &ROWS, None);
            let sum = entropy(&data) + kl(&data, &visible_distribution(&rbm));
            close(negative_log_likelihood(&rbm, &data), sum, TAU_0);
        }
    }

    #[test]
    fn entropies_and_divergences_of_coins() {
        close(entropy(&[0.25; 4]), 4.0_f64.ln(), TAU_0);
        assert_eq!(entropy(&[1.0, 0.0]), 0.0);
        close(kl(&[1.0, 0.0], &[0.5, 0.5]), 2.0_f64.ln(), TAU_0);
        assert_eq!(kl(&[0.5, 0.5], &[1.0, 0.0]), f64::INFINITY);
        assert_eq!(kl(&[0.3, 0.7], &[0.3, 0.7]), 0.0);
    }
}
