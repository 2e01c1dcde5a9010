//! Describes units that take one of q classes (softmax, Potts): x is one-hot, U(x) = −b·x, Γ(I) = Σ ln Σ_c e^(I_c + b_c).

use harmonium_kernels::{BitMatrix, Key, softmax};

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

    /// Computes activations of each row, and hands on what `units` makes of them.
    fn rows<T: Send>(&self, input: &Input<'_>, units: impl Fn(Vec<f32>, usize) -> Vec<T> + Sync) -> Vec<T> {
        let (values, n) = (input.values(), self.bias.len());
        by_row(values.len() / n, |row| {
            let line = values[row * n..(row + 1) * n].iter().zip(&self.bias);
            units(line.map(|(input, bias)| input + bias).collect(), row)
        })
    }

    /// Computes odds of each row, and hands on what `unit` makes of those of a unit.
    fn odds<'a, T: 'a>(
        &self,
        activations: &'a mut [f32],
        unit: impl Fn(usize, Odds<'a>) -> T + 'a,
    ) -> impl Iterator<Item = T> + 'a {
        softmax::odds(activations, self.classes);
        activations
            .chunks_exact(self.classes)
            .enumerate()
            .map(move |(site, odds)| unit(site, Odds::new(odds)))
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

/// Computes ln Σ_c e^a_c of one unit, in the order of the classes.
fn log_sum(activations: &[f32]) -> f64 {
    let most = f64::from(activations.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    most + libm::log(activations.iter().map(|&a| libm::exp(f64::from(a) - most)).sum())
}

/// Gives the likeliest class; of equal ones, the first.
fn likeliest(activations: &[f32]) -> usize {
    let better = |best: usize, c: usize| if activations[c] > activations[best] { c } else { best };
    (1..activations.len()).fold(0, better)
}

/// Holds e^(a_c − max a) of one unit, and their sum in the order of the classes.
struct Odds<'a> {
    each: &'a [f32],
    total: f64,
}

impl<'a> Odds<'a> {
    fn new(each: &'a [f32]) -> Self {
        Self { each, total: each.iter().map(|&odds| f64::from(odds)).sum() }
    }

    /// Gives the first class up to which the share of the sum exceeds u; the last one if rounding leaves none.
    fn class(&self, u: f64) -> usize {
        let (mut sum, bar) = (0.0, u * self.total);
        let within = self.each.iter().position(|&odds| {
            sum += f64::from(odds);
            sum > bar
        });
        within.unwrap_or(self.each.len() - 1)
    }

    fn codes(self) -> impl Iterator<Item = u16> + use<'a> {
        let code = move |&odds: &f32| f64::from(odds) / self.total * CODES;
        self.each.iter().map(code).map(|code| code.round_ties_even().min(CODES - 1.0) as u16)
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
        self.rows(input, |activations, _| vec![activations.chunks_exact(self.classes).map(log_sum).sum()])
    }

    fn mean(&self, input: &Input<'_>) -> Means {
        Means::Codes(self.rows(input, |mut activations, _| {
            self.odds(&mut activations, |_, odds| odds.codes()).flatten().collect()
        }))
    }

    /// Unit i of a row takes word i.
    fn sample(&self, input: &Input<'_>, key: Key) -> States {
        let sites = self.bias.len() / self.classes;
        let draws = words(key, input.len() / self.bias.len(), sites);
        self.one_hot(&self.rows(input, |mut activations, row| {
            let draws = &draws[row * sites..(row + 1) * sites];
            self.odds(&mut activations, |site, odds| odds.class(uniform(draws[site]))).collect()
        }))
    }

    fn mode(&self, input: &Input<'_>) -> States {
        let modes =
            |activations: Vec<f32>, _| activations.chunks_exact(self.classes).map(likeliest).collect();
        self.one_hot(&self.rows(input, modes))
    }

    fn anneal(&self, base: &Self, beta: f32) -> Self {
        Self { bias: mix(&base.bias, &self.bias, beta), ..*self }
    }

    fn free(&self) -> Self {
        Self { bias: vec![0.0; self.bias.len()], ..*self }
    }
}
