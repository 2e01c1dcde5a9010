//! Describes a layer's units as functions of their input: energy, cumulants, means and draws.

mod bernoulli;
mod categorical;
mod count;
mod fitted;
mod gaussian;
mod input;
mod kinds;
mod layer;
mod mixed;
mod noisy_rectified;
pub(crate) mod normal;
mod rectified;
mod scaling;
mod spin;
mod states;

pub use bernoulli::Bernoulli;
pub use categorical::Categorical;
pub use count::{Count, Counts};
pub use gaussian::Gaussian;
pub use input::Input;
pub use kinds::Units;
pub use layer::Layer;
pub use mixed::Mixed;
pub use noisy_rectified::NoisyRectified;
pub use rectified::{Rectified, Sides};
pub use scaling::Scaling;
pub use spin::Spin;
pub use states::{Means, States, unpack};

use harmonium_kernels::{Key, bernoulli as kernel, parallel};
use ndarray::Array2;

/// Is a layer of units of one kind; every quantity is a function of the input I that the other layer sends.
///
/// U(x) is the layer's own energy, and Γ(I) = ln Σ_x m(x) e^(I·x − U(x)) its cumulant generating function. Each unit has one
/// feature, a categorical unit one a class; features couple to the other layer, and each has a bias b, which acts as the
/// input does: Γ depends on I + b alone.
pub trait Unit: Clone + Send + Sync {
    /// Gives the biases, one a feature.
    fn bias(&self) -> &[f32];

    /// Lends the biases, and the other parameters in the order of [`Unit::extra`], for writing.
    fn parts_mut(&mut self) -> (&mut [f32], Vec<&mut [f32]>);

    /// Computes U(x) of each row, in nats.
    ///
    /// # Panics
    /// If the states are of another kind or width.
    fn energy(&self, state: &States) -> Vec<f64>;

    /// Computes ln m(x) of each row, the measure that e^−U is a density to: 0 but where counts arise in several ways.
    fn log_measure(&self, state: &States) -> Vec<f64> {
        vec![0.0; state.rows()]
    }

    /// Computes Γ(I) of each row, in nats.
    fn cgf(&self, input: &Input<'_>) -> Vec<f64>;

    /// Computes the means of the states given the input; bits as probabilities.
    fn mean(&self, input: &Input<'_>) -> Means;

    /// Draws states, row r from stream r of the key, unit j from word j.
    fn sample(&self, input: &Input<'_>, key: Key) -> States;

    /// Draws states and computes the means that they were drawn with.
    fn sample_with_means(&self, input: &Input<'_>, key: Key) -> (States, Means) {
        let input = input.clone().computed();
        (self.sample(&input, key), self.mean(&input))
    }

    /// Gives the most likely states; a tie gives the first.
    fn mode(&self, input: &Input<'_>) -> States;

    /// Makes the layer with energy (1 − β) U_base + β U.
    #[must_use]
    fn anneal(&self, base: &Self, beta: f32) -> Self;

    /// Makes the layer with energy β U.
    #[must_use]
    fn temper(&self, beta: f32) -> Self {
        self.anneal(&self.free(), beta)
    }

    /// Makes the layer without biases: what annealing starts from where nothing is known.
    #[must_use]
    fn free(&self) -> Self;

    /// Tells whether a bit t stands for the feature 2t − 1.
    fn signs(&self) -> bool {
        false
    }

    /// Lends the parameters besides the biases.
    fn extra(&self) -> Vec<Extra<'_>> {
        Vec::new()
    }

    /// Computes −∂U/∂θ of these states for each parameter besides the biases, `(n, units)` each.
    fn extra_states(&self, _state: &States) -> Vec<Array2<f32>> {
        Vec::new()
    }

    /// Computes the mean of −∂U/∂θ given the input, likewise.
    fn extra_means(&self, _input: &Input<'_>) -> Vec<Array2<f32>> {
        Vec::new()
    }
}

/// Borrows a parameter of a layer besides its biases.
#[derive(Clone, Debug)]
pub struct Extra<'a> {
    /// Its name in files, on the visible and on the hidden side.
    pub names: [&'static str; 2],
    /// Its values, one a unit.
    pub values: &'a [f32],
}

/// Gives (1 − β) base + β own, entry by entry.
fn mix(base: &[f32], own: &[f32], beta: f32) -> Vec<f32> {
    own.iter().zip(base).map(|(b, a)| (1.0 - beta) * a + beta * b).collect()
}

/// Computes rows side by side, and joins them in their order.
fn by_row<T: Send>(rows: usize, row: impl Fn(usize) -> Vec<T> + Sync) -> Vec<T> {
    parallel::map(rows, row).into_iter().flatten().collect()
}

/// Fills the first words of each row's stream: `rows × units`.
fn words(key: Key, rows: usize, units: usize) -> Vec<u32> {
    by_row(rows, |row| {
        let mut words = vec![0; units];
        kernel::fill(key, row as u64, &mut words);
        words
    })
}
