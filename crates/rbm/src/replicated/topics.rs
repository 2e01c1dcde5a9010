//! Gives what users ask of topics: features of documents, the words of a topic, and documents of a given length.

use harmonium_core::units::{States, Unit};
use harmonium_core::{Annealed, Batch, EnergyModel, Error, Gibbs, Key, purpose};
use harmonium_kernels::{evaluate, parallel};
use ndarray::Array2;

use super::ReplicatedSoftmax;

impl ReplicatedSoftmax {
    /// Computes p(h = 1 | v) of each document, in 16-bit fixed point: `(n, words) → (n, hidden)`.
    ///
    /// # Errors
    /// Refuses rows of another width or that are no counts.
    pub fn transform(&self, data: &Batch) -> Result<Array2<f32>, Error> {
        self.check_data(data)?;
        let view = self.view();
        Ok(view.hidden().means_of(&view.hidden().mean(&view.hidden_input(data.states()))))
    }

    /// Gives the `n` words whose odds a hidden unit raises most, with W_kj, by how much ln p of the word rises against others.
    ///
    /// # Errors
    /// Refuses a topic that is not there.
    pub fn top_words(&self, topic: usize, n: usize) -> Result<Vec<(usize, f32)>, Error> {
        if topic >= self.hidden_units() {
            return Err(Error::option("topic", format!("below {}", self.hidden_units()), topic));
        }
        let weights = self.rbm.weights();
        let mut words: Vec<(usize, f32)> = weights.column(topic).iter().copied().enumerate().collect();
        words.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        words.truncate(n);
        Ok(words)
    }

    /// Samples documents of one length, `(chains, words)`: each walks along the annealing path of its length in the first half of
    /// its sweeps, and runs there for the second half. `key` is that of the seed.
    ///
    /// # Errors
    /// Refuses a length outside 1 to [`super::MAX_LENGTH`].
    pub fn sample(&self, chains: usize, length: u32, sweeps: u64, key: Key) -> Result<States, Error> {
        let (path, warming) = (self.path(length)?, sweeps / 2);
        let key = key.fold_in(purpose::EVALUATE).fold_in(evaluate::SAMPLE);
        let beta = |sweep: u64| sweep as f32 / warming as f32;
        Ok(parallel::team(|| {
            let mut visible = path.base_samples(chains, key.fold_in(0));
            for sweep in 0..warming {
                path.advance(&mut visible, beta(sweep), beta(sweep + 1), key.fold_in(sweep + 1));
            }
            let mut state = self.view().standing(visible);
            for sweep in warming..sweeps {
                self.sweep(&mut state, key.fold_in(sweep + 1));
            }
            state.visible
        }))
    }
}
