//! Writes networks and the checkpoints of their tuning to files, and reads them back checked.

use std::path::Path;

use harmonium_core::params::Tensor as Named;
use harmonium_core::persist::{Kind, Loaded, Tensor, Values, Vfs, load, save};
use harmonium_core::{Error, HasParams, Params};
use harmonium_rbm::Origin;
use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

use super::{Activation, Dense, Network, TuningSnapshot};
use crate::names::{self, BIAS, WEIGHTS};

/// The name of the model in files.
const MODEL: &str = "network";

/// Says what a file holds besides its tensors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NetworkHeader {
    /// The kind of model.
    pub model: String,
    /// The activations of the layers.
    pub activations: Vec<Activation>,
    /// The seed of the tuning.
    pub seed: u64,
    /// Updates done.
    pub step: u64,
    /// The recipe as JSON.
    pub recipe: String,
    /// What the guard multiplied the rate with, and how often.
    pub rate: (f32, u32),
    /// Running products of each layer's optimiser; none in a model file.
    pub powers: Vec<[f32; 2]>,
    /// The best epoch and its score.
    pub best: Option<(u32, f64)>,
}

impl Network {
    /// Makes the header and the tensors of a model file.
    pub fn to_tensors(&self, origin: &Origin) -> (NetworkHeader, Vec<Tensor>) {
        (self.header(origin), named("", &self.params()))
    }

    /// Saves the network.
    ///
    /// # Errors
    /// Says which operation on which file failed; an older file is then untouched.
    pub fn save(&self, vfs: &dyn Vfs, path: &Path, origin: &Origin) -> Result<(), Error> {
        let (header, tensors) = self.to_tensors(origin);
        save(vfs, path, Kind::Model, &header, &tensors)
    }

    /// Loads a network from a model file or a checkpoint; of a checkpoint the best parameters if validation rows judge, else their
    /// average if there is one.
    ///
    /// # Errors
    /// Names what is wrong with the file, and where.
    pub fn load(vfs: &dyn Vfs, path: &Path) -> Result<(Self, NetworkHeader), Error> {
        Self::from_loaded(load(vfs, path, None)?)
    }

    /// Makes a network from a loaded file, as [`Network::load`].
    ///
    /// # Errors
    /// Names what is missing or does not fit.
    pub fn from_loaded(loaded: Loaded<NetworkHeader>) -> Result<(Self, NetworkHeader), Error> {
        let (header, kind) = (loaded.header.clone(), loaded.kind);
        let mut tensors = Tensors(loaded.tensors);
        let mut network = tensors.network(&header)?;
        if kind == Kind::Model {
            tensors.finished()?;
            return Ok((network, header));
        }
        let average = tensors.params("average/", &network.params())?;
        let best = tensors.params("best/", &network.params())?;
        best.or(average).into_iter().for_each(|params| params.store(&mut network));
        Ok((network, header))
    }

    /// Makes the header and the tensors of a checkpoint.
    pub fn to_checkpoint(&self, snapshot: &TuningSnapshot, origin: &Origin) -> (NetworkHeader, Vec<Tensor>) {
        let mut tensors = named("", &snapshot.params);
        for (layer, (first, second, _)) in snapshot.moments.iter().enumerate() {
            tensors.extend(named(&format!("first-{layer}/"), first));
            tensors.extend(named(&format!("second-{layer}/"), second));
        }
        tensors.extend(snapshot.average.iter().flat_map(|average| named("average/", average)));
        tensors.extend(snapshot.best.iter().flat_map(|(_, _, best)| named("best/", best)));
        let header = NetworkHeader {
            step: snapshot.step,
            rate: snapshot.rate,
            powers: snapshot.moments.iter().map(|(_, _, powers)| *powers).collect(),
            best: snapshot.best.as_ref().map(|(epoch, score, _)| (*epoch, *score)),
            ..self.header(origin)
        };
        (header, tensors)
    }

    /// Makes a network and a snapshot of its tuning from a loaded checkpoint.
    ///
    /// # Errors
    /// Names what is missing or does not fit.
    pub fn from_checkpoint(
        loaded: Loaded<NetworkHeader>,
    ) -> Result<(Self, TuningSnapshot, NetworkHeader), Error> {
        let header = loaded.header;
        let mut tensors = Tensors(loaded.tensors);
        let network = tensors.network(&header)?;
        if header.powers.len() != network.layers().len() {
            let expected = format!("{} pairs of products", network.layers().len());
            return Err(Error::format("header", "powers", expected, header.powers.len()));
        }
        let moments =
            network.layers().iter().zip(&header.powers).enumerate().map(|(layer, (dense, powers))| {
                let none = || Params::new(Vec::new());
                let first = tensors.params(&format!("first-{layer}/"), &dense.params())?.unwrap_or_else(none);
                let second =
                    tensors.params(&format!("second-{layer}/"), &dense.params())?.unwrap_or_else(none);
                Ok((first, second, *powers))
            });
        let moments = moments.collect::<Result<_, Error>>()?;
        let average = tensors.params("average/", &network.params())?;
        let best = match (header.best, tensors.params("best/", &network.params())?) {
            (Some((epoch, score)), Some(params)) => Some((epoch, score, params)),
            (None, None) => None,
            _ => {
                return Err(Error::format(
                    "header",
                    "best",
                    "a score with its parameters, or neither",
                    "one",
                ));
            }
        };
        tensors.finished()?;
        let (step, rate, params) = (header.step, header.rate, network.params());
        Ok((network, TuningSnapshot { step, rate, params, moments, average, best }, header))
    }

    fn header(&self, origin: &Origin) -> NetworkHeader {
        NetworkHeader {
            model: MODEL.into(),
            activations: self.layers().iter().map(Dense::activation).collect(),
            seed: origin.seed,
            step: origin.step,
            recipe: origin.recipe.clone(),
            rate: (1.0, 0),
            powers: Vec::new(),
            best: None,
        }
    }
}

fn named(prefix: &str, params: &Params) -> Vec<Tensor> {
    let tensor = |t: &Named| Tensor {
        name: format!("{prefix}{}", t.name),
        shape: t.shape.clone(),
        values: Values::F32(t.values.clone()),
    };
    params.tensors().iter().map(tensor).collect()
}

fn check(header: &NetworkHeader) -> Result<(), Error> {
    if header.model != MODEL {
        return Err(Error::format("header", "model", MODEL, format!("{:?}", header.model)));
    }
    names::check_depth(header.activations.len())?;
    if !(header.rate.0 > 0.0 && header.rate.0 <= 1.0) {
        return Err(Error::format("header", "rate", "a factor above 0 and at most 1", header.rate.0));
    }
    match header.powers.iter().flatten().find(|power| !(0.0..=1.0).contains(*power)) {
        Some(power) => Err(Error::format("header", "powers", "running products from 0 to 1", power)),
        None => Ok(()),
    }
}

/// Hands out the tensors of a file by name, each once.
struct Tensors(Vec<Tensor>);

impl Tensors {
    fn take(&mut self, name: &str, rank: usize) -> Result<(Vec<usize>, Vec<f32>), Error> {
        let at = self.0.iter().position(|t| t.name == name).map(|at| self.0.swap_remove(at));
        let expected = || format!("f32 with {rank} dimensions");
        match at {
            Some(Tensor { shape, values: Values::F32(values), .. }) if shape.len() == rank => {
                Ok((shape, values))
            }
            Some(other) => {
                Err(Error::format("tensors", name, expected(), format!("shape {:?}", other.shape)))
            }
            None => Err(Error::format("tensors", name, expected(), "none")),
        }
    }

    fn network(&mut self, header: &NetworkHeader) -> Result<Network, Error> {
        check(header)?;
        let layers = header.activations.iter().enumerate().map(|(layer, &activation)| {
            let (shape, values) = self.take(WEIGHTS[layer], 2)?;
            let weights = Array2::from_shape_vec((shape[0], shape[1]), values)
                .map_err(|e| Error::format("tensors", WEIGHTS[layer], format!("{shape:?}"), e))?;
            Dense::new(weights, Array1::from(self.take(BIAS[layer], 1)?.1), activation)
        });
        Network::from_layers(layers.collect::<Result<_, Error>>()?)
    }

    /// Takes tensors like these, if there are any of this prefix.
    fn params(&mut self, prefix: &str, like: &Params) -> Result<Option<Params>, Error> {
        if !self.0.iter().any(|t| t.name.starts_with(prefix)) {
            return Ok(None);
        }
        let tensors = like.tensors().iter().map(|own| {
            let name = format!("{prefix}{}", own.name);
            let (shape, values) = self.take(&name, own.shape.len())?;
            if shape != own.shape {
                return Err(Error::format(
                    "tensors",
                    name,
                    format!("shape {:?}", own.shape),
                    format!("{shape:?}"),
                ));
            }
            Ok(Named { name: own.name, shape, values })
        });
        Ok(Some(Params::new(tensors.collect::<Result<_, Error>>()?)))
    }

    fn finished(&self) -> Result<(), Error> {
        match self.0.first() {
            None => Ok(()),
            Some(tensor) => {
                Err(Error::format("tensors", &tensor.name, "a known name", "a tensor nobody asked for"))
            }
        }
    }
}
