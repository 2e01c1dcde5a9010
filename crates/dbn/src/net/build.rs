//! Starts networks: at random, from the machines of a stack, and as an autoencoder that unrolls them.

use harmonium_core::units::{Scaling, Units};
use harmonium_core::{Error, Key, purpose};
use harmonium_rbm::Rbm;
use ndarray::{Array1, Array2};
use ndarray_rand::RandomExt;
use ndarray_rand::rand_distr::Uniform;
use serde::{Deserialize, Serialize};

use super::{Activation, Dense, Network};
use crate::names;

/// Half the width of a new head's uniform weights, as of a new machine's: their standard deviation is 0.01.
const HEAD: f32 = 0.017_320_508;

/// Says which layer is put on top of the machines of a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Its units: classes of a softmax, columns of a regression.
    pub units: usize,
    /// What it does with its inputs.
    pub activation: Activation,
}

impl Head {
    /// Gives a head that tells classes apart.
    pub fn classes(classes: usize) -> Self {
        Self { units: classes, activation: Activation::Softmax }
    }
}

impl Network {
    /// Makes a network with random weights and zero biases: `sizes` are those of the inputs and of each layer's units.
    ///
    /// Weights are uniform within ±√(6 / (inputs + units)) (Glorot & Bengio 2010, eq. 16), below rectified units within
    /// ±√(6 / inputs) (He et al. 2015, eq. 10). Layer l draws from stream l of the key's INIT.
    ///
    /// # Errors
    /// Refuses a size of 0, other than one activation a layer, and what [`Network::from_layers`] refuses.
    pub fn new(sizes: &[usize], activations: &[Activation], key: Key) -> Result<Self, Error> {
        let layers = sizes.len().saturating_sub(1);
        names::check_depth(layers)?;
        if activations.len() != layers {
            return Err(Error::shape("activations", format!("{layers}, one a layer"), activations.len()));
        }
        let pairs = sizes.windows(2).zip(activations).enumerate();
        let layer = |(l, (pair, &activation)): (usize, (&[usize], &Activation))| {
            let fan = if activation == Activation::Relu { pair[0] } else { pair[0] + pair[1] };
            let half = (6.0 / fan.max(1) as f32).sqrt();
            random([pair[0], pair[1]], half, activation, (key, l as u64))
        };
        Self::from_layers(pairs.map(layer).collect::<Result<_, _>>()?)
    }

    /// Makes a network whose layers are those of machines, from the data up, with a new head, if one is asked for, that starts
    /// with small random weights: hidden units that are bits become sigmoid ones, Gaussian ones linear (Hinton & Salakhutdinov
    /// 2006). Means and deviations of standardised data become part of the first weights.
    ///
    /// # Errors
    /// Refuses no machine, machines whose sizes or units do not fit each other, and units of other kinds.
    pub fn from_rbms(machines: &[&Rbm], head: Option<Head>, key: Key) -> Result<Self, Error> {
        check(machines)?;
        let mut layers = machines.iter().map(|rbm| encoder(rbm)).collect::<Result<Vec<_>, _>>()?;
        if let (Some(head), Some(below)) = (head, layers.last()) {
            let sizes = [below.units(), head.units];
            layers.push(random(sizes, HEAD, head.activation, (key, layers.len() as u64))?);
        }
        Self::from_layers(layers)
    }

    /// Makes a deep autoencoder of machines, from the data up: their layers as [`Network::from_rbms`] has them, and the same
    /// machines downwards, with transposed weights and visible biases (Hinton & Salakhutdinov 2006, fig. 1). The code is the
    /// output of the first half of the layers.
    ///
    /// # Errors
    /// As [`Network::from_rbms`].
    pub fn unrolled(machines: &[&Rbm]) -> Result<Self, Error> {
        check(machines)?;
        let up = machines.iter().map(|rbm| encoder(rbm));
        let down = machines.iter().rev().map(|rbm| decoder(rbm));
        Self::from_layers(up.chain(down).collect::<Result<_, _>>()?)
    }
}

/// Draws a layer.
fn random(
    [inputs, units]: [usize; 2],
    half: f32,
    activation: Activation,
    (key, layer): (Key, u64),
) -> Result<Dense, Error> {
    let mut stream = key.fold_in(purpose::INIT).stream(layer);
    let range = Uniform::new(-half, half).map_err(|e| Error::option("initial weights", "a range", e))?;
    let weights = Array2::random_using((inputs, units), range, &mut stream);
    Dense::new(weights, Array1::zeros(units), activation)
}

/// Refuses machines that can't stand on each other.
fn check(machines: &[&Rbm]) -> Result<(), Error> {
    if machines.is_empty() {
        return Err(Error::shape("machines", "one at least", "none"));
    }
    for (below, pair) in machines.windows(2).enumerate() {
        let (hidden, visible) = (pair[0].hidden().units(), pair[1].visible().units());
        if hidden != visible {
            let field = format!("visible units of machine {}", below + 2);
            return Err(Error::shape(field, format!("{hidden}, as below"), visible));
        }
    }
    Ok(())
}

/// Names what units of a machine become.
fn activation(units: &Units) -> Result<Activation, Error> {
    match units {
        Units::Bernoulli(_) => Ok(Activation::Sigmoid),
        Units::Gaussian(_) => Ok(Activation::Linear),
        other => Err(Error::option("units", "Bernoulli units or Gaussian ones of variance 1", other)),
    }
}

/// Makes the layer that computes the means of the hidden units: x standardised, then W and c.
fn encoder(rbm: &Rbm) -> Result<Dense, Error> {
    activation(&rbm.visible().units())?;
    let (mut weights, mut bias) = (rbm.weights(), Array1::from(rbm.hidden_bias().to_vec()));
    if let Some(scaling) = rbm.scaling() {
        divide(&mut weights, &mut bias, scaling);
    }
    Dense::new(weights, bias, activation(&rbm.hidden().units())?)
}

/// Makes the layer that computes the means of the visible units, and turns them back into the data's own units.
fn decoder(rbm: &Rbm) -> Result<Dense, Error> {
    let (nv, nh) = (rbm.visible_units(), rbm.hidden_units());
    let (own, mut bias) = (rbm.weights(), Array1::from(rbm.visible_bias().to_vec()));
    let at =
        |(j, i): (usize, usize)| mutant!("B216", own[(i, j)], own[((j * nv + i) / nh, (j * nv + i) % nh)]);
    let mut weights = Array2::from_shape_fn((nh, nv), at);
    if let Some(scaling) = rbm.scaling() {
        for (column, (&mean, &deviation)) in scaling.mean().iter().zip(scaling.deviation()).enumerate() {
            weights.column_mut(column).mapv_inplace(|w| w * deviation);
            bias[column] = bias[column] * deviation + mean;
        }
    }
    Dense::new(weights, bias, activation(&rbm.visible().units())?)
}

/// Takes (x − mean) / deviation into weights and biases, sums in f64.
fn divide(weights: &mut Array2<f32>, bias: &mut Array1<f32>, scaling: &Scaling) {
    let mut sums: Vec<f64> = bias.iter().map(|&b| f64::from(b)).collect();
    let columns = scaling.mean().iter().zip(scaling.deviation());
    for (mut row, (&mean, &deviation)) in weights.rows_mut().into_iter().zip(columns) {
        row.mapv_inplace(|w| w / deviation);
        sums.iter_mut().zip(&row).for_each(|(sum, &w)| *sum -= f64::from(mean) * f64::from(w));
    }
    bias.iter_mut().zip(sums).for_each(|(b, sum)| *b = sum as f32);
}
