//! Sends states through the weights: products of bits as the kernels have them, of real values in f64.

use harmonium_core::units::{Input, States};
use harmonium_kernels::product::{Product, Way};
use harmonium_kernels::{BitMatrix, Coupling, Grid, parallel};
use ndarray::{Array2, Axis};

/// Rows of real values that one task multiplies.
const BLOCK: usize = 64;

/// Is a weight matrix `(visible, hidden)` of features on its grid.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weights<'a> {
    pub(crate) master: &'a [f32],
    pub(crate) shape: (usize, usize),
    pub(crate) grid: Grid,
}

impl<'a> Weights<'a> {
    /// Gives the input of the layer that `way` leads to, from states of the other; `signs` says that a bit t is 2t − 1.
    pub(crate) fn input<'b>(self, states: &'b States, signs: bool, way: Way, gain: f32) -> Input<'b>
    where
        'a: 'b,
    {
        match states {
            States::Bits(bits) if signs => self.spins(bits, way, gain),
            States::Bits(bits) => Input::product(self.product(bits, way), gain),
            States::Reals(values) => Input::reals(self.reals(values, way), gain),
        }
    }

    fn product<'b>(self, bits: &'b BitMatrix, way: Way) -> Product<'b>
    where
        'a: 'b,
    {
        let (visible, hidden) = self.shape;
        Product::new(bits, Coupling::new(self.master, visible, hidden, self.grid), way)
    }

    /// Sums Σ (2t − 1) q as 2 Σ t q − Σ q.
    fn spins(self, bits: &BitMatrix, way: Way, gain: f32) -> Input<'static> {
        let all = self.product(&BitMatrix::from_fn(1, bits.units(), |_, _| true), way).sums();
        let mut sums = self.product(bits, way).sums();
        for row in sums.chunks_exact_mut(all.len()) {
            row.iter_mut().zip(&all).for_each(|(sum, all)| *sum = 2 * *sum - all);
        }
        Input::known(sums, self.grid.quantum(), gain)
    }

    /// Multiplies real values with the codes in f64, so that counts have exact sums; then rounds as integers are.
    fn reals(self, values: &Array2<f32>, way: Way) -> Vec<f32> {
        let codes: Vec<f64> = self.master.iter().map(|&w| f64::from(self.grid.code(w))).collect();
        let codes = Array2::from_shape_vec(self.shape, codes).expect("weights of their shape");
        let codes = if way == Way::Forward { codes.view() } else { codes.t() };
        let blocks: Vec<_> = values.axis_chunks_iter(Axis(0), BLOCK).collect();
        let quantum = self.grid.quantum();
        let parts = parallel::map(blocks.len(), |block| {
            let sums = blocks[block].mapv(f64::from).dot(&codes);
            sums.iter().map(|&sum| sum as f32 * quantum).collect::<Vec<f32>>()
        });
        parts.concat()
    }
}
