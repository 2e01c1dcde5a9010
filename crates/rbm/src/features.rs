//! Gives what users ask of a trained machine: features, samples, reconstructions.

use harmonium_core::units::{States, Unit};
use harmonium_core::{Annealed, Batch, EnergyModel, Error, Gibbs, Key, purpose};
use harmonium_kernels::{evaluate, parallel};
use ndarray::Array2;

use crate::{Path, Rbm};

impl Rbm {
    /// Computes features, the means of the hidden units given v (of bits, p(h = 1 | v) in 16-bit fixed point):
    /// `(n, visible) → (n, hidden)`.
    ///
    /// # Errors
    /// Refuses rows of another width.
    pub fn transform(&self, data: &Batch) -> Result<Array2<f32>, Error> {
        self.check_data(data)?;
        data.check_complete("data")?;
        let view = self.view();
        Ok(self.hidden.means_of(&view.hidden.mean(&view.hidden_input(&self.take(data)))))
    }

    /// Computes mean-field features of grey values in [0, 1], taken as the probabilities of bits: σ(c + Wᵀv), in 16-bit fixed point
    /// where the hidden units are bits: `(n, visible) → (n, hidden)`. For bits it is [`Rbm::transform`]; for others it is not
    /// the mean of that over draws.
    ///
    /// # Errors
    /// Refuses visible units that are no bits, rows of another width, and values outside [0, 1].
    pub fn transform_grey(&self, values: &Array2<f32>) -> Result<Array2<f32>, Error> {
        let data = Batch::reals(values.clone())?;
        self.check_grey(&data)?;
        let view = self.view();
        Ok(self.hidden.means_of(&view.hidden.mean(&view.hidden_input(data.states()))))
    }

    /// Reconstructs rows in one pass up and down: hidden states are drawn, row r from stream r, and the means of v given h are
    /// given: `(n, visible) → (n, visible)`. `key` is that of the seed.
    ///
    /// # Errors
    /// Refuses rows of another width.
    pub fn reconstruct(&self, data: &Batch, key: Key) -> Result<Array2<f32>, Error> {
        self.check_data(data)?;
        data.check_complete("data")?;
        let view = self.view();
        let key = key.fold_in(purpose::EVALUATE).fold_in(evaluate::RECONSTRUCT).fold_in(0).fold_in(0);
        let hidden = view.sample_hidden(&self.take(data), key);
        let means = self.visible.means_of(&view.visible.mean(&view.visible_input(&hidden)));
        Ok(self.give(States::Reals(means)).to_array())
    }

    /// Samples fresh chains, `(chains, visible)`: each is drawn from the base model, walks along the annealing path
    /// to the machine in the first half of its sweeps, and runs there for the second half. Chains that start cold reach
    /// fewer modes in the same time. `key` is that of the seed; `watch` hears how many sweeps are done.
    pub fn sample(&self, chains: usize, sweeps: u64, key: Key, watch: &mut dyn FnMut(u64)) -> States {
        parallel::team(|| self.sampled(chains, sweeps, key, watch))
    }

    fn sampled(&self, chains: usize, sweeps: u64, key: Key, watch: &mut dyn FnMut(u64)) -> States {
        let warming = sweeps / 2;
        let key = key.fold_in(purpose::EVALUATE).fold_in(evaluate::SAMPLE);
        let path = Path { rbm: self, base: &self.base };
        let mut visible = path.base_samples(chains, key.fold_in(0));
        let beta = |sweep: u64| sweep as f32 / warming as f32;
        for sweep in 0..warming {
            path.advance(&mut visible, beta(sweep), beta(sweep + 1), key.fold_in(sweep + 1));
            watch(sweep + 1);
        }
        let mut state = self.view().standing(visible);
        for sweep in warming..sweeps {
            self.sweep(&mut state, key.fold_in(sweep + 1));
            watch(sweep + 1);
        }
        self.give(state.visible)
    }
}
