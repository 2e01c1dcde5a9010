//! Gives what users ask of a trained machine: features, samples, reconstructions.

use harmonium_core::units::Unit;
use harmonium_core::{Annealed, Batch, EnergyModel, Error, Gibbs, Key, purpose};
use harmonium_kernels::{BitMatrix, evaluate, parallel};
use ndarray::Array2;

use crate::{Path, Rbm, State};

/// One unit of a 16-bit probability.
const CODE: f32 = 1.0 / 65_536.0;

impl Rbm {
    /// Computes features, p(h = 1 | v) in 16-bit fixed point: `(n, visible) → (n, hidden)`.
    ///
    /// # Errors
    /// Refuses rows of another width.
    pub fn transform(&self, data: &Batch) -> Result<Array2<f32>, Error> {
        self.check_data(data)?;
        let view = self.view();
        Ok(probabilities(&view.hidden.mean(&view.hidden_input(data.bits())), self.hidden_units()))
    }

    /// Reconstructs rows in one pass up and down: hidden states are drawn, row r from stream r, and p(v = 1 | h) is
    /// given: `(n, visible) → (n, visible)`. `key` is that of the seed.
    ///
    /// # Errors
    /// Refuses rows of another width.
    pub fn reconstruct(&self, data: &Batch, key: Key) -> Result<Array2<f32>, Error> {
        self.check_data(data)?;
        let view = self.view();
        let key = key.fold_in(purpose::EVALUATE).fold_in(evaluate::RECONSTRUCT).fold_in(0).fold_in(0);
        let hidden = view.sample_hidden(data.bits(), key);
        Ok(probabilities(&view.visible.mean(&view.visible_input(&hidden)), self.visible_units()))
    }

    /// Samples fresh chains, `(chains, visible)` bits: each is drawn from the base model, walks along the annealing path
    /// to the machine in the first half of its sweeps, and runs there for the second half. Chains that start cold reach
    /// fewer modes in the same time. `key` is that of the seed; `watch` hears how many sweeps are done.
    pub fn sample(&self, chains: usize, sweeps: u64, key: Key, watch: &mut dyn FnMut(u64)) -> BitMatrix {
        parallel::team(|| self.sampled(chains, sweeps, key, watch))
    }

    fn sampled(&self, chains: usize, sweeps: u64, key: Key, watch: &mut dyn FnMut(u64)) -> BitMatrix {
        let warming = sweeps / 2;
        let key = key.fold_in(purpose::EVALUATE).fold_in(evaluate::SAMPLE);
        let path = Path { rbm: self, base: &self.base };
        let mut visible = path.base_samples(chains, key.fold_in(0));
        let beta = |sweep: u64| sweep as f32 / warming as f32;
        for sweep in 0..warming {
            path.advance(&mut visible, beta(sweep), beta(sweep + 1), key.fold_in(sweep + 1));
            watch(sweep + 1);
        }
        let hidden = BitMatrix::zeros(chains, self.hidden_units());
        let mut state = State { visible, hidden, posterior: None };
        for sweep in warming..sweeps {
            self.sweep(&mut state, key.fold_in(sweep + 1));
            watch(sweep + 1);
        }
        state.visible
    }
}

fn probabilities(codes: &[u16], units: usize) -> Array2<f32> {
    let values = codes.iter().map(|&p| f32::from(p) * CODE).collect();
    Array2::from_shape_vec((codes.len() / units, units), values).expect("whole rows")
}
