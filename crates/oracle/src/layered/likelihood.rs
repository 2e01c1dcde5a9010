//! Computes exact log-likelihoods and pseudo-likelihoods of rows of features.

use super::proper::Refusal;
use super::rbm::Rbm;
use crate::math::{log_sum_exp, sum};
use crate::units::State;

impl Rbm {
    /// Gives the mean of ln p(x) over rows, weighted if weights are given.
    ///
    /// # Errors
    /// Those of [`Rbm::law`].
    ///
    /// # Panics
    /// When there are not as many weights as rows.
    pub fn log_likelihood(&self, rows: &[Vec<f64>], weights: Option<&[f64]>) -> Result<f64, Refusal> {
        let term = |row: &Vec<f64>| self.visible.log_measure(row) - self.free_energy(row);
        Ok(mean(rows, weights, term) - self.log_z()?)
    }

    /// Gives the mean over rows of Σᵢ ln p(xᵢ | x₋ᵢ), i counting units; no ln Z is needed.
    ///
    /// `None` when the visible units are not discrete, or are counts beside an unbounded layer.
    ///
    /// # Panics
    /// When there are not as many weights as rows.
    pub fn pseudo_log_likelihood(&self, rows: &[Vec<f64>], weights: Option<&[f64]>) -> Option<f64> {
        let (low, high) = self.visible_bounds().filter(|_| self.visible.kind.is_discrete())?;
        let lists = self.visible.unit_states(&low, &high)?;
        let term =
            |row: &Vec<f64>| -> f64 { lists.iter().enumerate().map(|(n, s)| self.share(row, n, s)).sum() };
        Some(mean(rows, weights, term))
    }

    /// Gives ln p(xₙ | x₋ₙ) from the free energies of the rows that differ in unit `n` alone.
    fn share(&self, row: &[f64], n: usize, states: &[State]) -> f64 {
        let log = |features: &[f64]| {
            let mut moved = row.to_vec();
            moved[self.visible.span(n)].copy_from_slice(features);
            self.visible.log_measure(&moved) - self.free_energy(&moved)
        };
        let all: Vec<f64> = states.iter().map(|state| log(&state.features)).collect();
        log(&row[self.visible.span(n)]) - log_sum_exp(&all)
    }
}

/// Gives Σ w f / Σ w, all weights being 1 if none are given.
fn mean(rows: &[Vec<f64>], weights: Option<&[f64]>, f: impl Fn(&Vec<f64>) -> f64) -> f64 {
    let ones = vec![1.0; rows.len()];
    let weights = weights.unwrap_or(&ones);
    assert_eq!(weights.len(), rows.len(), "one weight a row");
    sum(rows.iter().zip(weights).map(|(row, w)| w * f(row))) / sum(weights.iter().copied())
}

/// Gives three rows in the domain of the visible layer.
#[cfg(test)]
pub(super) fn rows_of(rbm: &Rbm) -> Vec<Vec<f64>> {
    let layer = &rbm.visible;
    let zeros = vec![0.0; layer.width()];
    let lists = layer.unit_states(&zeros, &zeros).unwrap();
    let unit = |row: usize, n: usize| lists[n][(7 * row + 3 * n + 1) % lists[n].len()].features.clone();
    let row = |row: usize| (0..layer.units).flat_map(|n| unit(row, n)).collect();
    (0..3).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{TAU_0, close};
    use crate::layered::Side;
    use crate::layered::check::{models, scale_of};

    /// The mean of the table of ln p, where the visible side is discrete and listed.
    #[test]
    fn log_likelihood_is_the_mean_of_the_table() {
        let mut count = 0;
        for rbm in models().into_iter().filter(|rbm| rbm.visible.kind.is_discrete()) {
            let Ok(law) = rbm.law_of(Side::Visible) else { continue };
            let rows = rows_of(&rbm);
            let entry = |row: &Vec<f64>| law.states.iter().position(|state| state.features == *row);
            let Some(found) = rows.iter().map(entry).collect::<Option<Vec<_>>>() else { continue };
            let expected = (law.log_p[found[0]] + law.log_p[found[1]] + 2.0 * law.log_p[found[2]]) / 4.0;
            let got = rbm.log_likelihood(&rows, Some(&[1.0, 1.0, 2.0])).unwrap();
            close(got, expected, TAU_0 * scale_of(&rbm));
            count += 1;
        }
        assert!(count > 300, "{count} models");
    }

    /// p(xₙ | x₋ₙ) = p(x) / Σ of p over the table's states that agree with x but for unit n.
    #[test]
    fn pseudo_likelihood_is_a_ratio_of_probabilities() {
        let mut count = 0;
        for rbm in models().into_iter().filter(|rbm| rbm.visible.kind.is_discrete()) {
            let Some(law) = rbm.law_of(Side::Visible).ok().filter(|law| law.states.len() <= 1 << 12) else {
                continue;
            };
            let rows = rows_of(&rbm);
            let ratio = |row: &Vec<f64>, n: usize| {
                let agrees = |state: &State| {
                    (0..row.len()).all(|i| rbm.visible.span(n).contains(&i) || state.features[i] == row[i])
                };
                let all = law.states.iter().zip(&law.log_p).filter(|(state, _)| agrees(state));
                let one = law.states.iter().position(|state| state.features == *row).unwrap();
                law.log_p[one] - log_sum_exp(&all.map(|(_, log_p)| *log_p).collect::<Vec<_>>())
            };
            let expected: f64 =
                rows.iter().map(|row| (0..rbm.visible.units).map(|n| ratio(row, n)).sum::<f64>()).sum();
            close(rbm.pseudo_log_likelihood(&rows, None).unwrap(), expected / 3.0, TAU_0 * scale_of(&rbm));
            count += 1;
        }
        assert!(count > 300, "{count} models");
    }

    #[test]
    fn weights_repeat_and_remove_rows() {
        for rbm in models() {
            let rows = rows_of(&rbm);
            let again = [rows.clone(), vec![rows[1].clone()]].concat();
            let thrice = [1.0, 2.0, 1.0];
            let expected = rbm.log_likelihood(&again, None).unwrap();
            close(rbm.log_likelihood(&rows, Some(&thrice)).unwrap(), expected, TAU_0);
            let one = rbm.log_likelihood(&rows, Some(&[0.0, 3.0, 0.0])).unwrap();
            close(one, rbm.log_p(&rows[1]).unwrap(), TAU_0);
        }
    }

    #[test]
    fn only_discrete_rows_have_a_pseudo_likelihood() {
        for rbm in models() {
            let some = rbm.pseudo_log_likelihood(&rows_of(&rbm), None).is_some();
            assert_eq!(some, rbm.visible.kind.is_discrete());
        }
    }
}
