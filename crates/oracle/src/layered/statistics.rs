//! Computes exact expectations of ∂E/∂θ for every block, the moments among them, and the log-likelihood gradient.

use super::law::Side;
use super::proper::Refusal;
use super::rbm::Rbm;

/// Holds one number for each parameter: a mean of ∂E/∂θ, or a gradient.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    /// Entries of W, row-major; ∂E/∂W = −x yᵀ.
    pub weights: Vec<f64>,
    /// Blocks of the visible layer, as [`crate::units::Layer::parameters`]; ∂E/∂b = −x.
    pub visible: Vec<Vec<f64>>,
    /// Blocks of the hidden layer.
    pub hidden: Vec<Vec<f64>>,
}

/// Holds ⟨x⟩, ⟨y⟩ and ⟨x yᵀ⟩.
#[derive(Clone, Debug, PartialEq)]
pub struct Moments {
    /// ⟨x⟩, one entry a feature.
    pub visible: Vec<f64>,
    /// ⟨y⟩.
    pub hidden: Vec<f64>,
    /// ⟨x yᵀ⟩, row-major, visible features × hidden features.
    pub cross: Vec<f64>,
}

impl Statistics {
    /// Gives all entries in the order of [`Rbm::parameter_mut`].
    pub fn entries(&self) -> Vec<f64> {
        [&self.weights[..], &self.visible.concat(), &self.hidden.concat()].concat()
    }

    /// Cuts entries into blocks as long as those of a model.
    fn from_entries(rbm: &Rbm, entries: &[f64]) -> Self {
        let mut rest = entries;
        let mut take = |n: usize| {
            let (block, tail) = rest.split_at(n);
            rest = tail;
            block.to_vec()
        };
        let weights = take(rbm.weights.len());
        let visible = rbm.visible.parameters.iter().map(|block| take(block.len())).collect();
        let hidden = rbm.hidden.parameters.iter().map(|block| take(block.len())).collect();
        Self { weights, visible, hidden }
    }

    /// Exchanges the sides; `rbm` is the model after it.
    fn transposed(self, rbm: &Rbm) -> Self {
        let (rows, columns) = (rbm.visible.width(), rbm.hidden.width());
        let entry = |n: usize| self.weights[n % columns * rows + n / columns];
        Self { weights: (0..rows * columns).map(entry).collect(), visible: self.hidden, hidden: self.visible }
    }
}

impl Rbm {
    /// Gives E(∂E/∂θ | x).
    pub fn row_statistics(&self, x: &[f64]) -> Statistics {
        let input = self.hidden_input(x);
        let mean = self.hidden.mean(&input);
        let weights = x.iter().flat_map(|x| mean.iter().map(move |y| -x * y)).collect();
        let hidden = self.hidden.mean_energy_gradient(&input);
        Statistics { weights, visible: self.visible.energy_gradient(x), hidden }
    }

    /// Gives the mean of [`Rbm::row_statistics`] over rows, weighted if weights are given.
    ///
    /// # Panics
    /// When there are not as many weights as rows.
    pub fn data_statistics(&self, rows: &[Vec<f64>], weights: Option<&[f64]>) -> Statistics {
        let ones = vec![1.0; rows.len()];
        let weights = weights.unwrap_or(&ones);
        assert_eq!(weights.len(), rows.len(), "one weight a row");
        let (total, mut out) = (weights.iter().sum::<f64>(), vec![0.0; self.parameters()]);
        for (row, w) in rows.iter().zip(weights) {
            let entries = self.row_statistics(row).entries();
            out.iter_mut().zip(entries).for_each(|(sum, x)| *sum += w / total * x);
        }
        Statistics::from_entries(self, &out)
    }

    /// Gives ⟨∂E/∂θ⟩ of the model.
    ///
    /// # Errors
    /// Those of [`Rbm::law`].
    pub fn model_statistics(&self) -> Result<Statistics, Refusal> {
        let law = self.law()?;
        if law.side == Side::Visible {
            let entries = law.mean(|x| self.row_statistics(x).entries());
            return Ok(Statistics::from_entries(self, &entries));
        }
        let swapped = self.transposed();
        let entries = law.mean(|y| swapped.row_statistics(y).entries());
        Ok(Statistics::from_entries(&swapped, &entries).transposed(self))
    }

    /// Gives the first moments and ⟨x yᵀ⟩.
    ///
    /// # Errors
    /// Those of [`Rbm::law`].
    pub fn moments(&self) -> Result<Moments, Refusal> {
        let minus = |x: &[f64]| x.iter().map(|x| -x).collect();
        let got = self.model_statistics()?;
        let (visible, hidden) = (minus(&got.visible[0]), minus(&got.hidden[0]));
        Ok(Moments { visible, hidden, cross: minus(&got.weights) })
    }

    /// Gives the gradient of the mean log-likelihood of rows, ⟨∂E/∂θ⟩_model − ⟨∂E/∂θ⟩_data: the direction of ascent.
    ///
    /// # Errors
    /// Those of [`Rbm::law`].
    pub fn gradient(&self, rows: &[Vec<f64>], weights: Option<&[f64]>) -> Result<Statistics, Refusal> {
        let (model, data) =
            (self.model_statistics()?.entries(), self.data_statistics(rows, weights).entries());
        let entries: Vec<f64> = model.iter().zip(data).map(|(model, data)| model - data).collect();
        Ok(Statistics::from_entries(self, &entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{DIFFERENCE, TAU_0, all_close, close};
    use crate::layered::check::{joint_within, models, other_route, scale_of};
    use crate::layered::likelihood::rows_of;
    use crate::rng::Rng;
    use crate::units::Kind;

    /// Gives ⟨∂E/∂θ⟩ from the joint table, where both sides are listed and no conditional law is used.
    fn by_enumeration(rbm: &Rbm) -> Option<Vec<f64>> {
        let joint = joint_within(rbm, 1 << 14)?;
        let mut out = vec![0.0; rbm.parameters()];
        for (n, p) in joint.p().into_iter().enumerate() {
            let (x, y) = joint.features(n);
            let weights = x.iter().flat_map(|x| y.iter().map(move |y| -x * y)).collect();
            let (visible, hidden) = (rbm.visible.energy_gradient(x), rbm.hidden.energy_gradient(y));
            let entries = Statistics { weights, visible, hidden }.entries();
            out.iter_mut().zip(entries).for_each(|(sum, x)| *sum += p * x);
        }
        Some(out)
    }

    #[test]
    fn model_statistics_are_sums_over_joint_states() {
        let mut count = 0;
        for rbm in models() {
            let Some(expected) = by_enumeration(&rbm) else { continue };
            all_close(&rbm.model_statistics().unwrap().entries(), &expected, TAU_0 * scale_of(&rbm));
            count += 1;
        }
        assert!(count > 200, "{count} models");
    }

    /// The same by listing the other side, at most 2¹² states long.
    #[test]
    fn both_sides_give_one_set_of_statistics() {
        let mut count = 0;
        for rbm in models() {
            let Some(law) = other_route(&rbm).filter(|law| law.states.len() <= 1 << 12) else { continue };
            let expected = if law.side == Side::Visible {
                law.mean(|x| rbm.row_statistics(x).entries())
            } else {
                let swapped = rbm.transposed();
                let entries = law.mean(|y| swapped.row_statistics(y).entries());
                Statistics::from_entries(&swapped, &entries).transposed(&rbm).entries()
            };
            all_close(&rbm.model_statistics().unwrap().entries(), &expected, TAU_0 * scale_of(&rbm));
            count += 1;
        }
        assert!(count > 250, "{count} models");
    }

    /// Five-point differences of step 1e-4: truncation 1e-16 κ₅ / 30, rounding 1e-16 · 10³ / 1e-4.
    #[test]
    fn gradients_are_differences_of_the_log_likelihood() {
        let h = 1e-4;
        for rbm in models().into_iter().filter(|rbm| rbm.law().unwrap().states.len() <= 300) {
            let (rows, weights) = (rows_of(&rbm), [1.0, 0.5, 2.0]);
            let at = |n: usize, shift: f64| {
                let mut moved = rbm.clone();
                *moved.parameter_mut(n) += shift;
                moved.log_likelihood(&rows, Some(&weights)).unwrap()
            };
            let slope = |n| (8.0 * (at(n, h) - at(n, -h)) - (at(n, 2.0 * h) - at(n, -2.0 * h))) / (12.0 * h);
            let expected: Vec<f64> = (0..rbm.parameters()).map(slope).collect();
            let got = rbm.gradient(&rows, Some(&weights)).unwrap();
            all_close(&got.entries(), &expected, DIFFERENCE);
        }
    }

    #[test]
    fn moments_are_statistics_without_their_sign() {
        let rbm = Rbm::normal((Kind::Spin, 2), (Kind::Gaussian, 2), 1.0, &mut Rng::new(541));
        let (moments, law) = (rbm.moments().unwrap(), rbm.law().unwrap());
        all_close(&moments.visible, &law.mean(<[f64]>::to_vec), TAU_0);
        let second = law.mean(|x| vec![x[0] * rbm.hidden.mean(&rbm.hidden_input(x))[1]]);
        close(moments.cross[1], second[0], TAU_0);
        assert!(moments.cross.iter().all(|x| x.abs() > 1e-3));
    }
}
