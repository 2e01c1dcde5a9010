//! Describes units that take one of q classes (softmax, Potts): x is one-hot, U(x) = −b·x, Γ(I) = Σ ln Σ_c e^(I_c + b_c).

use harmonium_kernels::{BitMatrix, Key};

use super::bernoulli::dot;
use super::normal::uniform;
use super::{Input, Means, States, Unit, by_row, mix, words};

/// One unit of a 16-bit probability is 2^-16.
const CODES: f64 = 65_536.0;

/// Is a layer of categorical units; each has one bias and one feature a class.
#[derive(Clone, Debug, PartialEq)]
pub struct Categorical {
    classes: usize,
    bias: Vec<f32>,
}

impl Categorical {
    /// Makes a layer from its biases, unit by unit and in each class by class.
    ///
    /// # Panics
    /// If there is no class, or the biases are not whole units.
    pub fn new(bias: Vec<f32>, classes: usize) -> Self {
        assert!(classes > 0 && bias.len().is_multiple_of(classes), "whole units of {classes} classes");
        Self { classes, bias }
    }

    /// Makes the independent layer with these marginals, smoothed by one row of each class: b = ln((n_c + 1) / (rows + q)),
    /// less its mean over the classes.
    pub fn from_counts(ones: &[f64], classes: usize) -> Self {
        let mut bias: Vec<f32> = ones.iter().map(|&n| libm::log(n + 1.0) as f32).collect();
        for unit in bias.chunks_exact_mut(classes) {
            let mean = unit.iter().sum::<f32>() / classes as f32;
            unit.iter_mut().for_each(|b| *b -= mean);
        }
        Self { classes, bias }
    }

    /// Gives the number of classes of a unit.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Computes unnormalised probabilities of each unit of each row, and hands on what `unit` makes of them.
    fn rows<T: Send>(&self, input: &Input<'_>, unit: impl Fn(&Odds, usize, usize) -> T + Sync) -> Vec<T> {
        let (values, n) = (input.values(), self.bias.len());
        by_row(values.len() / n, |row| {
            let line = values[row * n..(row + 1) * n].chunks_exact(self.classes);
            let units = line.zip(self.bias.chunks_exact(self.classes)).enumerate();
            units.map(|(site, (input, bias))| unit(&Odds::new(input, bias), row, site)).collect()
        })
    }

    fn one_hot(&self, chosen: &[usize]) -> States {
        let sites = self.bias.len() / self.classes;
        let mut bits = BitMatrix::zeros(chosen.len() / sites, self.bias.len());
        for (at, class) in chosen.iter().enumerate() {
            bits.set(at / sites, at % sites * self.classes + class, true);
        }
        States::Bits(bits)
    }
}

/// Holds e^(a_c − max a) of one unit, and their sum in the order of the classes.
struct Odds {
    most: f64,
    each: Vec<f64>,
    total: f64,
}

impl Odds {
    fn new(input: &[f32], bias: &[f32]) -> Self {
        let activations: Vec<f64> = input.iter().zip(bias).map(|(i, b)| f64::from(i + b)).collect();
        let most = activations.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let odds: Vec<f64> = activations.iter().map(|a| libm::exp(a - most)).collect();
        Self { most, total: odds.iter().sum(), each: odds }
    }

    /// Gives the first class up to which the share of the sum exceeds u; the last one if rounding leaves none.
    fn class(&self, u: f64) -> usize {
        let (mut sum, bar) = (0.0, u * self.total);
        let within = self.each.iter().position(|odds| {
            sum += odds;
            sum > bar
        });
        within.unwrap_or(self.each.len() - 1)
    }

    fn codes(&self) -> Vec<u16> {
        let code = |odds: &f64| (odds / self.total * CODES).round_ties_even().min(CODES - 1.0) as u16;
        self.each.iter().map(code).collect()
    }

    /// Gives the likeliest class; of equal ones, the first.
    fn mode(&self) -> usize {
        let better = |best: usize, c: usize| if self.each[c] > self.each[best] { c } else { best };
        (1..self.each.len()).fold(0, better)
    }
}

impl Unit for Categorical {
    fn bias(&self) -> &[f32] {
        &self.bias
    }

    fn parts_mut(&mut self) -> (&mut [f32], Vec<&mut [f32]>) {
        (&mut self.bias, Vec::new())
    }

    fn energy(&self, state: &States) -> Vec<f64> {
        let bits = state.expect_bits();
        (0..bits.rows()).map(|row| -dot(&self.bias, bits, row)).collect()
    }

    fn cgf(&self, input: &Input<'_>) -> Vec<f64> {
        let terms = self.rows(input, |odds, _, _| odds.most + libm::log(odds.total));
        terms.chunks_exact(self.bias.len() / self.classes).map(|row| row.iter().sum()).collect()
    }

    fn mean(&self, input: &Input<'_>) -> Means {
        Means::Codes(self.rows(input, |odds, _, _| odds.codes()).concat())
    }

    /// Unit i of a row takes word i.
    fn sample(&self, input: &Input<'_>, key: Key) -> States {
        let sites = self.bias.len() / self.classes;
        let draws = words(key, input.len() / self.bias.len(), sites);
        let class = |odds: &Odds, row: usize, site: usize| odds.class(uniform(draws[row * sites + site]));
        self.one_hot(&self.rows(input, class))
    }

    fn mode(&self, input: &Input<'_>) -> States {
        self.one_hot(&self.rows(input, |odds, _, _| odds.mode()))
    }

    fn anneal(&self, base: &Self, beta: f32) -> Self {
        Self { bias: mix(&base.bias, &self.bias, beta), ..*self }
    }

    fn free(&self) -> Self {
        Self { bias: vec![0.0; self.bias.len()], ..*self }
    }
}
