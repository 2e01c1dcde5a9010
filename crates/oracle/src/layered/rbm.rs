//! Defines the machine: energy, free energies, inputs, tempered and annealed views.

use crate::rng::Rng;
use crate::units::{Kind, Layer};

/// Holds the parameters of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Rbm {
    /// The visible layer, whose states are x.
    pub visible: Layer,
    /// The hidden layer, whose states are y.
    pub hidden: Layer,
    /// Couplings W, row-major, visible features × hidden features.
    pub weights: Vec<f64>,
}

impl Rbm {
    /// Joins two layers.
    ///
    /// # Panics
    /// When there is not one weight for each pair of features.
    pub fn new(visible: Layer, hidden: Layer, weights: Vec<f64>) -> Self {
        assert_eq!(weights.len(), visible.width() * hidden.width(), "one weight a pair of features");
        Self { visible, hidden, weights }
    }

    /// Draws every parameter from a normal law of mean 0 and standard deviation `scale`.
    pub fn normal(visible: (Kind, usize), hidden: (Kind, usize), scale: f64, rng: &mut Rng) -> Self {
        let [visible, hidden] = [visible, hidden].map(|(kind, n)| Layer::normal(kind, n, scale, rng));
        let weights = (0..visible.width() * hidden.width()).map(|_| scale * rng.normal()).collect();
        Self::new(visible, hidden, weights)
    }

    /// Gives the coupling of two features.
    pub fn weight(&self, i: usize, j: usize) -> f64 {
        self.weights[i * self.hidden.width() + j]
    }

    /// Gives the number of parameters.
    pub fn parameters(&self) -> usize {
        let blocks = self.visible.parameters.iter().chain(&self.hidden.parameters);
        self.weights.len() + blocks.map(Vec::len).sum::<usize>()
    }

    /// Gives parameter `n` of W, the visible blocks, the hidden blocks, one after the other.
    ///
    /// # Panics
    /// When `n` is not below the number of parameters.
    pub fn parameter_mut(&mut self, n: usize) -> &mut f64 {
        let blocks = self.visible.parameters.iter_mut().chain(&mut self.hidden.parameters);
        self.weights.iter_mut().chain(blocks.flatten()).nth(n).expect("the index of a parameter")
    }

    /// Gives E(x, y).
    pub fn energy(&self, x: &[f64], y: &[f64]) -> f64 {
        let coupling: f64 = self.hidden_input(x).iter().zip(y).map(|(i, y)| i * y).sum();
        self.visible.energy(x) + self.hidden.energy(y) - coupling
    }

    /// Gives x·W, the input of the hidden layer.
    pub fn hidden_input(&self, x: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; self.hidden.width()];
        for (i, x) in x.iter().enumerate() {
            out.iter_mut().enumerate().for_each(|(j, sum)| *sum += x * self.weight(i, j));
        }
        out
    }

    /// Gives W·y, the input of the visible layer.
    pub fn visible_input(&self, y: &[f64]) -> Vec<f64> {
        let row = |i| y.iter().enumerate().map(|(j, y)| self.weight(i, j) * y).sum();
        (0..self.visible.width()).map(row).collect()
    }

    /// Gives F(x) = −ln Σ_y m(y) e^(−E(x, y)); the measure of x is not in it.
    pub fn free_energy(&self, x: &[f64]) -> f64 {
        self.visible.energy(x) - self.hidden.cgf(&self.hidden_input(x))
    }

    /// Gives −ln Σ_x m(x) e^(−E(x, y)).
    pub fn hidden_free_energy(&self, y: &[f64]) -> f64 {
        self.hidden.energy(y) - self.visible.cgf(&self.visible_input(y))
    }

    /// Exchanges the roles of the two sides; the energy stays.
    #[must_use]
    pub fn transposed(&self) -> Self {
        let (rows, columns) = (self.visible.width(), self.hidden.width());
        let weights = (0..rows * columns).map(|n| self.weight(n % rows, n / rows)).collect();
        Self::new(self.hidden.clone(), self.visible.clone(), weights)
    }

    /// Gives the model of energy β E; the measures stay.
    ///
    /// # Panics
    /// When β is not positive and a kind needs a curvature.
    #[must_use]
    pub fn tempered(&self, beta: f64) -> Self {
        let weights = self.weights.iter().map(|w| beta * w).collect();
        Self::new(self.visible.tempered(beta), self.hidden.tempered(beta), weights)
    }

    /// Gives the model of energy (1 − β) E_base + β E; the measures stay.
    ///
    /// # Panics
    /// When the models differ in kinds or sizes, or a curvature would not be positive.
    #[must_use]
    pub fn annealed(&self, base: &Self, beta: f64) -> Self {
        let mix = |(w, base): (&f64, &f64)| (1.0 - beta) * base + beta * w;
        let weights = self.weights.iter().zip(&base.weights).map(mix).collect();
        let visible = self.visible.annealed(&base.visible, beta);
        Self::new(visible, self.hidden.annealed(&base.hidden, beta), weights)
    }

    /// Gives the base without couplings: the given visible layer, and this hidden layer with its linear terms 0.
    pub fn independent(&self, visible: Layer) -> Self {
        let mut hidden = self.hidden.clone();
        let blocks = hidden.parameters.iter_mut().zip(hidden.kind.blocks());
        blocks.filter(|(_, name)| !name.starts_with("log")).for_each(|(block, _)| block.fill(0.0));
        Self::new(visible, hidden, vec![0.0; self.weights.len()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{TAU_0, close};
    use crate::layered::check::{models, pairs};
    use crate::layered::law::lists;

    #[test]
    fn energy_of_two_by_one_in_numbers() {
        let visible = Layer::with_bias(Kind::Spin, &[1.0, 2.0]);
        let hidden =
            Layer { parameters: vec![vec![4.0], vec![2.0_f64.ln()]], ..Layer::zeros(Kind::Gaussian, 1) };
        let rbm = Rbm::new(visible, hidden, vec![8.0, 16.0]);
        // U_v = −(1 − 2), U_h = 9/4 − 12, coupling = (8 − 16) · 3.
        close(rbm.energy(&[1.0, -1.0], &[3.0]), 1.0 + 2.25 - 12.0 + 24.0, TAU_0);
        assert_eq!(rbm.hidden_input(&[1.0, -1.0]), [-8.0]);
        assert_eq!(rbm.visible_input(&[3.0]), [24.0, 48.0]);
    }

    /// E is symmetric in its sides, and the views mix it, at every pair of kinds.
    #[test]
    fn views_mix_energies() {
        let mut rng = Rng::new(511);
        for (visible, hidden) in pairs() {
            let [rbm, base] = [0, 1].map(|_| Rbm::normal((visible, 2), (hidden, 2), 0.1, &mut rng));
            let (x, y) = (vec![0.5; rbm.visible.width()], vec![1.5; rbm.hidden.width()]);
            let (here, there) = (rbm.energy(&x, &y), base.energy(&x, &y));
            close(rbm.transposed().energy(&y, &x), here, TAU_0);
            close(rbm.tempered(0.4).energy(&x, &y), 0.4 * here, TAU_0);
            close(rbm.annealed(&base, 0.4).energy(&x, &y), 0.6 * there + 0.4 * here, TAU_0);
            assert_eq!(rbm.transposed().transposed(), rbm);
        }
    }

    /// e^(−F(x)) = Σ_y m(y) e^(−E(x, y)) by the list of the hidden layer, and the same with the sides exchanged.
    #[test]
    fn free_energies_sum_out_the_other_side() {
        for rbm in models().into_iter().filter(|rbm| rbm.visible.units <= 2) {
            for rbm in [rbm.clone(), rbm.transposed()] {
                let Some((xs, ys)) = lists(&rbm).filter(|(x, y)| x.len() * y.len() <= 1 << 14) else {
                    continue;
                };
                for x in xs {
                    let log = |y: &crate::units::State| y.log_weight - rbm.energy(&x.features, &y.features);
                    let total = crate::math::log_sum_exp(&ys.iter().map(log).collect::<Vec<_>>());
                    close(-rbm.free_energy(&x.features), total, TAU_0);
                    close(-rbm.transposed().hidden_free_energy(&x.features), total, TAU_0);
                }
            }
        }
    }

    #[test]
    fn the_independent_base_factorises() {
        for rbm in models() {
            let base = rbm.independent(rbm.visible.clone());
            let zeros = |layer: &Layer| vec![0.0; layer.width()];
            let hidden = base.hidden.cgf(&zeros(&base.hidden));
            let Ok(log_z) = base.log_z() else { continue };
            close(log_z, base.visible.cgf(&zeros(&base.visible)) + hidden, TAU_0);
            let bias = &base.hidden.parameters[0];
            assert!(bias.iter().all(|b| *b == 0.0) && base.weights.iter().all(|w| *w == 0.0));
        }
    }
}
