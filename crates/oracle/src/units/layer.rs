//! Holds the parameters of a layer of units of one kind, and sums the functions of its units.

use std::ops::Range;

use super::kind::Kind;
use super::unit::Unit;
use crate::rng::Rng;

/// Holds a layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// The kind of its units.
    pub kind: Kind,
    /// Number of units.
    pub units: usize,
    /// One block a name of [`Kind::blocks`].
    pub parameters: Vec<Vec<f64>>,
    /// Curvature of ReLU units: 1, or β in a tempered model. No parameter; other kinds ignore it.
    pub curvature: f64,
}

impl Layer {
    /// Makes a layer whose parameters are all zero: no bias, variance and curvature 1.
    pub fn zeros(kind: Kind, units: usize) -> Self {
        let length = |name: &str| if name == "bias" { units * kind.features() } else { units };
        let parameters = kind.blocks().iter().map(|name| vec![0.0; length(name)]).collect();
        Self { kind, units, parameters, curvature: 1.0 }
    }

    /// Makes a layer without other parameters than biases, or with the others zero.
    ///
    /// # Panics
    /// When the biases do not fill whole units.
    pub fn with_bias(kind: Kind, bias: &[f64]) -> Self {
        assert_eq!(bias.len() % kind.features(), 0, "whole units");
        let mut out = Self::zeros(kind, bias.len() / kind.features());
        out.parameters[0].copy_from_slice(bias);
        out
    }

    /// Draws every parameter from a normal law of mean 0 and standard deviation `scale`.
    pub fn normal(kind: Kind, units: usize, scale: f64, rng: &mut Rng) -> Self {
        let mut out = Self::zeros(kind, units);
        out.parameters.iter_mut().flatten().for_each(|x| *x = scale * rng.normal());
        out
    }

    /// Gives the number of features of the layer, the length of a state and of an input.
    pub fn width(&self) -> usize {
        self.units * self.kind.features()
    }

    /// Gives the features of unit `n`.
    pub fn span(&self, n: usize) -> Range<usize> {
        n * self.kind.features()..(n + 1) * self.kind.features()
    }

    /// Gives unit `n` by its natural parameters.
    pub fn unit(&self, n: usize) -> Unit {
        let own = |block: usize| self.parameters[block][n];
        let bias = self.parameters[0][self.span(n)][0];
        match self.kind {
            Kind::Bernoulli => Unit::Bernoulli { bias },
            Kind::Spin => Unit::Spin { bias },
            Kind::Categorical(_) => Unit::Categorical { bias: self.parameters[0][self.span(n)].to_vec() },
            Kind::Gaussian => Unit::Gaussian { bias, curvature: (-own(1)).exp() },
            Kind::Relu => Unit::Relu { bias, curvature: self.curvature },
            Kind::Drelu => Unit::Drelu { bias, shift: own(1), plus: own(2).exp(), minus: own(3).exp() },
            Kind::Binomial(trials) => Unit::Binomial { bias, trials },
            Kind::Poisson => Unit::Poisson { bias },
        }
    }

    /// Gives U(x).
    pub fn energy(&self, x: &[f64]) -> f64 {
        self.total(x, Unit::energy)
    }

    /// Gives ln m(x); −∞ outside the domain.
    pub fn log_measure(&self, x: &[f64]) -> f64 {
        self.total(x, Unit::log_measure)
    }

    /// Gives Γ(I).
    pub fn cgf(&self, input: &[f64]) -> f64 {
        self.total(input, Unit::cgf)
    }

    /// Gives E x.
    pub fn mean(&self, input: &[f64]) -> Vec<f64> {
        self.each(input, Unit::mean).concat()
    }

    /// Gives Var x, feature by feature.
    pub fn variance(&self, input: &[f64]) -> Vec<f64> {
        self.each(input, Unit::variance).concat()
    }

    /// Gives ∂U/∂θ at x, block by block as [`Layer::parameters`].
    pub fn energy_gradient(&self, x: &[f64]) -> Vec<Vec<f64>> {
        self.blocks(&self.each(x, Unit::energy_gradient))
    }

    /// Gives E ∂U/∂θ, block by block.
    pub fn mean_energy_gradient(&self, input: &[f64]) -> Vec<Vec<f64>> {
        self.blocks(&self.each(input, Unit::mean_energy_gradient))
    }

    /// Gives the layer of energy β U; the measure stays.
    ///
    /// # Panics
    /// When β is not positive and the kind needs a curvature.
    #[must_use]
    pub fn tempered(&self, beta: f64) -> Self {
        self.mixed(beta, None)
    }

    /// Gives the layer of energy (1 − β) U_base + β U; the measure stays.
    ///
    /// # Panics
    /// When the layers differ in kind or size, or a curvature would not be positive.
    #[must_use]
    pub fn annealed(&self, base: &Self, beta: f64) -> Self {
        assert_eq!((self.kind, self.units), (base.kind, base.units), "layers of one kind and size");
        self.mixed(beta, Some(base))
    }

    /// Mixes the natural parameters, of which U is a linear function; logarithms are taken off and on again.
    fn mixed(&self, beta: f64, base: Option<&Self>) -> Self {
        let mut out = self.clone();
        let add = |x: f64, y: f64| if base.is_some() { (1.0 - beta) * y + beta * x } else { beta * x };
        let base = base.unwrap_or(self);
        for ((block, other), name) in out.parameters.iter_mut().zip(&base.parameters).zip(self.kind.blocks())
        {
            // A curvature is e^(sign θ).
            let sign = if *name == "log_variance" { -1.0 } else { 1.0 };
            let log = name.starts_with("log");
            for (x, y) in block.iter_mut().zip(other) {
                *x = if log {
                    sign * logarithm(add((sign * *x).exp(), (sign * y).exp()))
                } else {
                    add(*x, *y)
                };
            }
        }
        out.curvature = add(self.curvature, base.curvature);
        assert!(self.kind != Kind::Relu || out.curvature > 0.0, "a curvature of {}", out.curvature);
        out
    }

    fn total(&self, x: &[f64], f: impl Fn(&Unit, &[f64]) -> f64) -> f64 {
        self.each(x, f).into_iter().sum()
    }

    fn each<T>(&self, x: &[f64], f: impl Fn(&Unit, &[f64]) -> T) -> Vec<T> {
        assert_eq!(x.len(), self.width(), "one entry a feature");
        (0..self.units).map(|n| f(&self.unit(n), &x[self.span(n)])).collect()
    }

    /// Sorts the rows of [`Unit::energy_gradient`], one a unit, into blocks.
    fn blocks(&self, rows: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let features = self.kind.features();
        let bias = rows.iter().flat_map(|row| row[..features].to_vec()).collect();
        let own = |block: usize| rows.iter().map(|row| row[features + block - 1]).collect();
        std::iter::once(bias).chain((1..self.kind.blocks().len()).map(own)).collect()
    }
}

fn logarithm(curvature: f64) -> f64 {
    assert!(curvature > 0.0, "a curvature of {curvature}");
    curvature.ln()
}
