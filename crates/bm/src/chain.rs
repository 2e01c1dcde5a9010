//! Walks one chain: its state unpacked, and what every unit receives where couplings are dense.

use harmonium_kernels::{BitMatrix, numeric};

use crate::{Rule, View};

/// Holds one state, a number a feature: 0 or 1, of spins −1 or 1.
pub(crate) struct Chain {
    pub(crate) x: Vec<i8>,
    /// What each feature receives, in units of the grid; only where all pairs are stored.
    pub(crate) sums: Vec<i32>,
}

impl Chain {
    /// Unpacks one row.
    pub(crate) fn new(view: &View<'_>, row: &[u64]) -> Self {
        let machine = view.machine;
        let off = if machine.is_spin() { -1 } else { 0 };
        let value = |f: usize| if row[f / 64] >> (f % 64) & 1 == 1 { 1 } else { off };
        let x: Vec<i8> = (0..machine.biases.len()).map(value).collect();
        let mut sums = Vec::new();
        if machine.codes.is_dense() {
            sums = vec![0; x.len()];
            for (f, &x) in x.iter().enumerate().filter(|(_, x)| **x != 0) {
                add(&mut sums, machine.codes.row(f, view.biases.len()).unwrap_or(&[]), i32::from(x));
            }
        }
        Self { x, sums }
    }

    /// Packs the state, 64 features a word.
    pub(crate) fn pack(&self) -> Vec<u64> {
        let word = |part: &[i8]| part.iter().rev().fold(0, |word, &x| word << 1 | u64::from(x > 0));
        self.x.chunks(64).map(word).collect()
    }

    /// Gives what a feature receives from the others, in units of the grid.
    #[inline]
    pub(crate) fn sum(&self, view: &View<'_>, feature: usize) -> i32 {
        let machine = view.machine;
        let pairs = match self.sums.get(feature) {
            Some(&sum) => sum,
            None => machine.codes.sum(feature, &self.x),
        };
        pairs + machine.cubic.sum(feature, &self.x)
    }

    /// Gives the state of a unit: 0 or 1, or its class.
    pub(crate) fn state(&self, width: usize, unit: usize) -> usize {
        if width == 1 {
            return usize::from(self.x[unit] > 0);
        }
        self.x[unit * width..][..width].iter().position(|&x| x > 0).unwrap_or(0)
    }

    /// Puts a unit into a state.
    pub(crate) fn set(&mut self, view: &View<'_>, unit: usize, state: usize) {
        let width = view.machine.width();
        let old = self.state(width, unit);
        if old == state {
            return;
        }
        if width == 1 {
            let off = if view.machine.is_spin() { -1 } else { 0 };
            let new = if state == 1 { 1 } else { off };
            let step = i32::from(new) - i32::from(self.x[unit]);
            self.x[unit] = new;
            self.receive(view, unit, step);
        } else {
            for (class, new) in [(old, 0), (state, 1)] {
                self.x[unit * width + class] = new;
                self.receive(view, unit * width + class, i32::from(new) * 2 - 1);
            }
        }
    }

    fn receive(&mut self, view: &View<'_>, feature: usize, step: i32) {
        if let Some(row) = view.machine.codes.row(feature, self.x.len()) {
            add(&mut self.sums, row, step);
        }
    }

    /// Gives the state that a unit moves to, by the words of its two draws; the first decides, the second proposes.
    pub(crate) fn drawn(&self, view: &View<'_>, unit: usize, words: [u32; 2]) -> usize {
        if view.machine.width() > 1 {
            return self.drawn_class(view, unit, words);
        }
        let activation = view.activation(unit, self.sum(view, unit));
        match view.machine.rule {
            Rule::HeatBath => usize::from(numeric::bernoulli(words[0], activation)),
            Rule::Metropolis => {
                let up = self.x[unit] > 0;
                let gain = if up { -activation } else { activation };
                usize::from(up != numeric::metropolis(words[0], mutant!("B132", gain, 0.5 * gain)))
            }
        }
    }

    fn drawn_class(&self, view: &View<'_>, unit: usize, words: [u32; 2]) -> usize {
        let width = view.machine.width();
        let activation = |class: usize| {
            let feature = unit * width + class;
            view.activation(feature, self.sum(view, feature))
        };
        match view.machine.rule {
            Rule::HeatBath => class(&(0..width).map(activation).collect::<Vec<_>>(), words[0]),
            Rule::Metropolis => {
                let old = self.state(width, unit);
                let other = (u64::from(words[1]) * (width as u64 - 1) >> 32) as usize;
                let other = other + usize::from(other >= old);
                let gain = activation(other) - activation(old);
                if numeric::metropolis(words[0], gain) { other } else { old }
            }
        }
    }
}

/// Joins packed states, row after row.
pub(crate) fn joined(rows: usize, features: usize, packed: &[Vec<u64>]) -> BitMatrix {
    BitMatrix::from_words(rows, features, packed.concat()).expect("whole rows without padding")
}

/// Gives the state that a unit takes from its law when it receives nothing.
pub(crate) fn alone(view: &View<'_>, unit: usize, word: u32) -> usize {
    let width = view.machine.width();
    let activations: Vec<f32> = (0..width).map(|class| view.activation(unit * width + class, 0)).collect();
    of_activations(&activations, word)
}

/// Gives the state, 0 or 1 or a class, that a unit with these activations takes from its law.
pub(crate) fn of_activations(activations: &[f32], word: u32) -> usize {
    match activations {
        [activation] => usize::from(numeric::bernoulli(word, *activation)),
        _ => class(activations, word),
    }
}

/// Gives the first class up to which the share of Σ e^a exceeds (word + ½) · 2^-32.
fn class(activations: &[f32], word: u32) -> usize {
    let most = activations.iter().fold(f32::NEG_INFINITY, |most, &a| if a > most { a } else { most });
    let odds = activations.iter().map(|a| f64::from(numeric::exp(a - most)));
    let bar = (f64::from(word) + 0.5) / 4_294_967_296.0 * odds.clone().sum::<f64>();
    let mut sum = 0.0;
    let within = odds.into_iter().position(|odds| {
        sum += odds;
        sum > bar
    });
    within.unwrap_or(activations.len() - 1)
}

fn add(sums: &mut [i32], row: &[i32], times: i32) {
    sums.iter_mut().zip(row).for_each(|(sum, code)| *sum += code * times);
}
