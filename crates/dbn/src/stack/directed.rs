//! Holds a layer that is directed downwards: weights that generate the layer below, and weights that recognise this one.

use harmonium_core::params::{Params, Tensor};
use harmonium_core::units::{Input, Layer, States, Unit};
use harmonium_core::{Error, HasParams, Key};
use harmonium_kernels::parallel;
use harmonium_rbm::Rbm;
use ndarray::{Array2, Axis, s};

/// Rows that one product adds up: the residuals of bits are multiples of 2^-16 of at most 1, so that sums of 128 of them are
/// exact in f32, in whatever order.
const ROWS: usize = 128;
/// Columns of one task of a product.
const COLUMNS: usize = 64;

/// Is a layer that is directed downwards.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Directed {
    /// p(below | above): weights and visible units count.
    pub(super) generative: Rbm,
    /// q(above | below), once it has weights of its own: weights and hidden units count.
    pub(super) recognition: Option<Rbm>,
}

impl Directed {
    /// Makes one whose weights serve both ways.
    pub(super) fn tied(rbm: Rbm) -> Self {
        Self { generative: rbm, recognition: None }
    }

    /// Gives it a recognition half of its own.
    pub(super) fn untied(self, own: Rbm) -> Result<Self, Error> {
        for side in [Rbm::visible, Rbm::hidden] {
            let (expected, got) = (side(&self.generative).units(), side(&own).units());
            if expected != got {
                return Err(Error::shape("recognition", expected, got));
            }
        }
        Ok(Self { recognition: Some(own), ..self })
    }

    /// Gives the machine that infers.
    pub(super) fn recogniser(&self) -> &Rbm {
        self.recognition.as_ref().unwrap_or(&self.generative)
    }

    /// Gives the layer that is inferred.
    pub(super) fn hidden(&self) -> &Layer {
        self.recogniser().hidden()
    }

    /// Draws the layer above.
    pub(super) fn up(&self, below: &States, key: Key) -> States {
        self.recogniser().view().sample_hidden(below, key)
    }

    /// Draws the layer below.
    pub(super) fn down(&self, above: &States, key: Key) -> States {
        self.generative.view().sample_visible(above, key)
    }

    /// Computes ln q(above | below) of each pair of rows, in nats.
    pub(super) fn log_recognised(&self, below: &States, above: &States) -> Vec<f64> {
        let machine = self.recogniser();
        log_law(machine.hidden(), above, machine.view().hidden_input(below))
    }

    /// Computes ln p(below | above) of each pair of rows, in nats.
    pub(super) fn log_generated(&self, below: &States, above: &States) -> Vec<f64> {
        let machine = &self.generative;
        log_law(machine.visible(), below, machine.view().visible_input(above))
    }
}

/// Computes ln p(x | I) = I·x − U(x) + ln m(x) − Γ(I) of each row.
fn log_law(layer: &Layer, state: &States, input: Input<'_>) -> Vec<f64> {
    let input = input.computed();
    let energies = layer.energy(state).into_iter().zip(layer.log_measure(state)).zip(layer.cgf(&input));
    let coupled = layer.coupled(state, &input).into_iter();
    coupled
        .zip(energies)
        .map(|(coupled, ((energy, measure), cgf))| coupled - energy + measure - cgf)
        .collect()
}

/// Computes the mean over rows of −∂/∂θ ln p(below | above), θ being the parameters of a generative machine: of W
/// −(below − ⟨below⟩) aboveᵀ. What does not generate has none.
pub(super) fn generative_gradient(machine: &Rbm, below: &States, above: &States) -> Params {
    let (view, layer) = (machine.view(), machine.visible());
    let input = view.visible_input(above).computed();
    let off = residual(layer, below, &input);
    let weights = product(&off, &machine.hidden().features_of(above));
    gradient(machine, 0, &weights, &off, &further(layer, below, &input))
}

/// Computes the mean over rows of −∂/∂θ ln q(above | below), likewise: of W −below (above − ⟨above⟩)ᵀ.
pub(super) fn recognition_gradient(machine: &Rbm, below: &States, above: &States) -> Params {
    let (view, layer) = (machine.view(), machine.hidden());
    let input = view.hidden_input(below).computed();
    let off = residual(layer, above, &input);
    let weights = product(&machine.visible().features_of(below), &off);
    gradient(machine, 1, &weights, &off, &further(layer, above, &input))
}

/// Computes x − ⟨x⟩ of each row.
fn residual(layer: &Layer, state: &States, input: &Input<'_>) -> Array2<f32> {
    let means = layer.means_of(&layer.mean(input));
    mutant!("B232", layer.features_of(state) - means, layer.features_of(state))
}

/// Computes −∂U/∂θ minus its mean, of each row and each parameter besides the biases.
fn further(layer: &Layer, state: &States, input: &Input<'_>) -> Vec<Array2<f32>> {
    layer.extra_states(state).into_iter().zip(layer.extra_means(input)).map(|(at, mean)| at - mean).collect()
}

/// Puts the parts of a gradient in the machine's order: weights, both biases, then the further parameters of both sides.
fn gradient(
    machine: &Rbm,
    side: usize,
    weights: &[f32],
    off: &Array2<f32>,
    further: &[Array2<f32>],
) -> Params {
    let extra = [machine.visible().extra().len(), machine.hidden().extra().len()];
    let first = 3 + if side == 0 { 0 } else { extra[0] };
    let rows = off.nrows() as f32;
    let mean = |rows_of: &Array2<f32>| column_sums(rows_of).into_iter().map(|x| -x / rows).collect();
    let values = |(n, len): (usize, usize)| match n {
        0 => weights.iter().map(|x| -x / rows).collect(),
        n if n == 1 + side => mean(off),
        n if (first..first + extra[side]).contains(&n) => mean(&further[n - first]),
        _ => vec![0.0; len],
    };
    let blocks = machine.blocks().into_iter().enumerate();
    Params::new(
        blocks
            .map(|(n, block)| {
                let values = values((n, block.values.len()));
                Tensor { name: block.name, shape: block.shape, values }
            })
            .collect(),
    )
}

/// Adds up columns, row after row.
fn column_sums(rows: &Array2<f32>) -> Vec<f32> {
    rows.rows().into_iter().fold(vec![0.0; rows.ncols()], |mut sums, row| {
        sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
        sums
    })
}

/// Computes aᵀ b, `(n, a) × (n, b) → (a, b)`, row-major: blocks of rows one after the other, whoever computes which columns.
fn product(a: &Array2<f32>, b: &Array2<f32>) -> Vec<f32> {
    let columns = a.ncols();
    let parts = parallel::map(columns.div_ceil(COLUMNS), |task| {
        let part = a.slice(s![.., task * COLUMNS..columns.min((task + 1) * COLUMNS)]);
        let mut sum = Array2::zeros((part.ncols(), b.ncols()));
        for (a, b) in part.axis_chunks_iter(Axis(0), ROWS).zip(b.axis_chunks_iter(Axis(0), ROWS)) {
            sum += &a.t().dot(&b);
        }
        sum.into_raw_vec_and_offset().0
    });
    parts.concat()
}
