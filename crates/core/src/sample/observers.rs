//! Sees chains pass and keeps sums of them, not states.

use std::cell::OnceCell;

use harmonium_kernels::BitMatrix;
use ndarray::{Array1, Array2};

use crate::units::States;

/// Shows where chains stand after a sweep; what no observer asks for is not computed.
pub struct Seen<'a> {
    sweep: u64,
    pack: &'a dyn Fn() -> States,
    energy: &'a dyn Fn() -> Array1<f64>,
    states: OnceCell<States>,
    energies: OnceCell<Array1<f64>>,
}

impl<'a> Seen<'a> {
    pub(super) fn new(sweep: u64, pack: &'a dyn Fn() -> States, energy: &'a dyn Fn() -> Array1<f64>) -> Self {
        Self { sweep, pack, energy, states: OnceCell::new(), energies: OnceCell::new() }
    }

    /// Gives the number of sweeps so far, those of the burn-in among them.
    pub fn sweep(&self) -> u64 {
        self.sweep
    }

    /// Gives the states, packed by the model: `(chains, features)`.
    pub fn states(&self) -> &States {
        self.states.get_or_init(self.pack)
    }

    /// Gives the energies at β = 1, in nats: `chains` values.
    pub fn energies(&self) -> &Array1<f64> {
        self.energies.get_or_init(self.energy)
    }
}

/// Looks at chains as they run; any closure of one [`Seen`] does.
pub trait Observer {
    /// Looks once.
    fn see(&mut self, seen: &Seen<'_>);
}

impl<F: FnMut(&Seen<'_>)> Observer for F {
    fn see(&mut self, seen: &Seen<'_>) {
        self(seen);
    }
}

/// Adds up the first and second moments of packed states, in the order of chains. Of bits these are counts, which f64 holds
/// without rounding up to 2⁵³.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Moments {
    rows: u64,
    /// Σ x.
    first: Vec<f64>,
    /// Σ x xᵀ, the upper triangle, row after row.
    second: Vec<f64>,
}

impl Moments {
    /// Adds states of the same width as those before.
    ///
    /// # Panics
    /// If the width changes.
    pub fn add(&mut self, states: &States) {
        let width = states.features();
        assert!(self.rows == 0 || self.first.len() == width, "states of one width");
        self.first.resize(width, 0.0);
        self.second.resize(width * (width + 1) / 2, 0.0);
        self.rows += states.rows() as u64;
        match states {
            States::Bits(bits) => self.add_bits(bits),
            States::Reals(values) => self.add_reals(values),
        }
    }

    /// Counts ones, and pairs of ones by words of 64 chains.
    fn add_bits(&mut self, bits: &BitMatrix) {
        let columns = bits.transposed();
        let both = |(a, b): (usize, usize)| -> u64 {
            let words = columns.row(a).iter().zip(columns.row(b));
            words.map(|(x, y)| u64::from((x & y).count_ones())).sum()
        };
        self.first.iter_mut().zip(bits.count_by_unit()).for_each(|(sum, n)| *sum += n as f64);
        self.second.iter_mut().zip(pairs(bits.units())).for_each(|(sum, pair)| *sum += both(pair) as f64);
    }

    fn add_reals(&mut self, values: &Array2<f32>) {
        for row in values.rows() {
            let row: Vec<f64> = row.iter().map(|&x| f64::from(x)).collect();
            self.first.iter_mut().zip(&row).for_each(|(sum, x)| *sum += x);
            self.second.iter_mut().zip(pairs(row.len())).for_each(|(sum, (a, b))| *sum += row[a] * row[b]);
        }
    }

    /// Gives the number of states so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Gives ⟨x⟩: `features` values, none before the first state.
    pub fn means(&self) -> Array1<f64> {
        self.first.iter().map(|sum| sum / self.rows as f64).collect()
    }

    /// Gives ⟨x xᵀ⟩: `(features, features)`.
    pub fn seconds(&self) -> Array2<f64> {
        let width = self.first.len();
        let mut out = Array2::zeros((width, width));
        for (sum, (a, b)) in self.second.iter().zip(pairs(width)) {
            let mean = sum / self.rows as f64;
            (out[(a, b)], out[(b, a)]) = (mean, mean);
        }
        out
    }

    /// Gives ⟨x xᵀ⟩ − ⟨x⟩⟨x⟩ᵀ: `(features, features)`.
    pub fn covariances(&self) -> Array2<f64> {
        let means = self.means();
        let mut out = self.seconds();
        out.indexed_iter_mut().for_each(|((a, b), x)| *x -= means[a] * means[b]);
        out
    }
}

/// Lists the upper triangle, the diagonal with it.
fn pairs(width: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..width).flat_map(move |a| (a..width).map(move |b| (a, b)))
}

impl Observer for Moments {
    fn see(&mut self, seen: &Seen<'_>) {
        self.add(seen.states());
    }
}

/// Keeps the energy of every chain at every look, in nats.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    chains: usize,
    values: Vec<f64>,
}

impl Trace {
    /// Gives the energies: `(looks, chains)`.
    pub fn values(&self) -> Array2<f64> {
        let looks = self.values.len().checked_div(self.chains).unwrap_or(0);
        Array2::from_shape_fn((looks, self.chains), |(look, chain)| self.values[look * self.chains + chain])
    }
}

impl Observer for Trace {
    fn see(&mut self, seen: &Seen<'_>) {
        let energies = seen.energies();
        self.chains = energies.len();
        self.values.extend(energies);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three rows 110, 010, 001 of bits, and the same as reals.
    #[test]
    fn moments_of_bits_and_reals_are_the_averages() {
        let rows = [[1.0, 1.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0_f32]];
        let bits = States::Bits(BitMatrix::from_fn(3, 3, |r, u| rows[r][u] == 1.0));
        for states in [bits.clone(), States::Reals(bits.to_array())] {
            let mut moments = Moments::default();
            moments.add(&states);
            moments.add(&states.gather([1]));
            assert_eq!((moments.rows(), moments.means().to_vec()), (4, vec![0.25, 0.75, 0.25]));
            let expected = [[0.25, 0.25, 0.0], [0.25, 0.75, 0.0], [0.0, 0.0, 0.25]];
            assert_eq!(moments.seconds(), ndarray::arr2(&expected));
            assert_eq!(moments.covariances()[(0, 1)], 0.25 - 0.25 * 0.75);
        }
        assert_eq!(Trace::default().values().dim(), (0, 0));
    }

    /// Ones are added row by row: in f32 their sum would stick at 2^24.
    #[test]
    fn sums_of_many_rows_do_not_stick() {
        let mut moments = Moments::default();
        let ones = States::Reals(Array2::ones((1 << 14, 1)));
        (0..=1 << 11).for_each(|_| moments.add(&ones));
        assert_eq!(moments.rows(), (1 << 25) + (1 << 14));
        assert_eq!((moments.means()[0], moments.seconds()[(0, 0)]), (1.0, 1.0));
    }
}
