//! Gives what users ask of a trained machine: samples, features, reconstructions.

use harmonium_core::units::{Input, Unit};
use harmonium_core::{Annealed, Batch, EnergyModel, Error, Gibbs, Key, purpose};
use harmonium_kernels::{evaluate, parallel};
use ndarray::{Array2, ArrayView2, Axis, concatenate};

use super::link::inputs;
use super::state::Latent;
use super::{Dbm, State};

/// Rows that are inferred at a time.
const BLOCK: usize = 1024;

/// Is a layer of a network: weights, `(inputs, outputs)`, and biases.
pub type Dense = (Array2<f32>, Vec<f32>);

impl Dbm {
    /// Samples fresh chains: each is drawn from the base of annealing, walks along the path to the machine in the first half of its
    /// sweeps, and runs there for the second half. `key` is that of the seed; `watch` hears how many sweeps are done.
    pub fn sample(&self, chains: usize, sweeps: u64, key: Key, watch: &mut dyn FnMut(u64)) -> State {
        let (warming, path) = (sweeps / 2, self.path_of_chains());
        let key = key.fold_in(purpose::EVALUATE).fold_in(evaluate::SAMPLE);
        let beta = |sweep: u64| sweep as f32 / warming as f32;
        parallel::team(|| {
            let mut even = path.base_samples(chains, key.fold_in(0));
            for sweep in 0..warming {
                path.advance(&mut even, beta(sweep), beta(sweep + 1), key.fold_in(sweep + 1));
                watch(sweep + 1);
            }
            let layers = self.view().apart(0, &even);
            let mut state = State { layers, latent: Latent::Drawn };
            for sweep in warming..sweeps {
                self.sweep(&mut state, key.fold_in(sweep + 1));
                watch(sweep + 1);
            }
            state
        })
    }

    /// Computes the means of the visible units of chains given the layer above, which the visible states were drawn from:
    /// `(chains, visible)`. They say more than a draw of them.
    pub fn visible_means(&self, state: &State) -> Array2<f32> {
        let view = self.view();
        self.layers[0].means_of(&self.layers[0].mean(&view.input(0, &state.layers)))
    }

    /// Computes features, the means of a hidden layer by mean field given v: `(n, visible) → (n, layer)`, layers counted from 1.
    ///
    /// # Errors
    /// Refuses rows of another width, missing values, and a layer that is not hidden or not there.
    pub fn transform(&self, data: &Batch, layer: usize) -> Result<Array2<f32>, Error> {
        self.check_hidden(layer)?;
        self.check_complete(data)?;
        let (view, own) = (self.view(), &self.layers[layer]);
        // The law of all hidden layers of all rows would be many times what is asked for.
        let mut out = Array2::zeros((0, own.features()));
        for start in (0..data.rows()).step_by(BLOCK) {
            let rows = data.gather(start..data.rows().min(start + BLOCK));
            let means = own.means_of(view.mean_field(rows.states()).means(layer));
            push(&mut out, &means);
        }
        Ok(out)
    }

    /// Reconstructs rows: the means of v given the means of the first hidden layer. Nothing is drawn: `(n, visible) → (n, visible)`.
    ///
    /// # Errors
    /// Refuses rows of another width and missing values.
    pub fn reconstruct(&self, data: &Batch) -> Result<Array2<f32>, Error> {
        let means = self.transform(data, 1)?;
        let (codes, own) = (self.view().link(0).codes().reversed_axes(), &self.layers[0]);
        let mut out = Array2::zeros((0, own.features()));
        for means in means.axis_chunks_iter(Axis(0), BLOCK) {
            let nothing = Array2::zeros((means.nrows(), self.visible_units()));
            let means = means.mapv(f64::from);
            let sums = inputs(&nothing, &[(means.view(), codes.view())], self.grid.quantum());
            let back = own.means_of(&own.mean(&Input::reals(sums, 1.0)));
            push(&mut out, &back);
        }
        Ok(out)
    }

    /// Gives the inputs of the network that a machine of two hidden layers is fine-tuned as, v beside the means of the second
    /// hidden layer: `(n, visible + features of layer 2)` (Salakhutdinov & Hinton 2009, section 3.3).
    ///
    /// # Errors
    /// As [`Dbm::transform`] for layer 2.
    pub fn network_inputs(&self, data: &Batch) -> Result<Array2<f32>, Error> {
        let second = self.transform(data, 2)?;
        let visible = self.layers[0].features_of(data.states());
        Ok(joined(Axis(1), &visible.view(), &second.view()))
    }

    /// Gives the weights and biases of that network's two layers: W_1 above W_2ᵀ, `(visible + features of layer 2, features of layer 1)`, with
    /// b_1, and W_2 with b_2. At its inputs its first layer has the means of mean field at rest, and so has its second.
    ///
    /// # Errors
    /// Refuses machines that have not two hidden layers.
    pub fn network(&self) -> Result<[Dense; 2], Error> {
        if self.depth() != 2 {
            return Err(Error::option("hidden layers", "2", self.depth()));
        }
        let [first, second] = [self.weights(1)?, self.weights(2)?];
        let below = joined(Axis(0), &first.view(), &second.t());
        Ok([(below, self.layers[1].bias().to_vec()), (second, self.layers[2].bias().to_vec())])
    }

    fn check_complete(&self, data: &Batch) -> Result<(), Error> {
        self.check_data(data)?;
        data.check_complete("data")
    }
}

/// Puts rows below others.
fn push(out: &mut Array2<f32>, rows: &Array2<f32>) {
    out.append(Axis(0), rows.view()).expect("rows of one width");
}

/// Puts two matrices beside or above each other that fit.
fn joined(axis: Axis, a: &ArrayView2<'_, f32>, b: &ArrayView2<'_, f32>) -> Array2<f32> {
    concatenate(axis, &[a.view(), b.view()]).expect("matrices that fit")
}
