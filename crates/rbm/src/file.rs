//! Writes machines and checkpoints to files, and reads them back checked.

use std::path::Path;

use harmonium_core::params::{Params, Tensor as Named};
use harmonium_core::persist::{Kind, Loaded, Tensor, Values, Vfs, load, save};
use harmonium_core::train::{Adapted, Snapshot};
use harmonium_core::units::{Bernoulli, Units};
use harmonium_core::{BitMatrix, Error, HasParams};
use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

use crate::rbm::finite;
use crate::{Parts, Rbm};

/// Says what a file holds besides its tensors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// The kind of model.
    pub model: String,
    /// The visible layer.
    pub visible: Units,
    /// The hidden layer.
    pub hidden: Units,
    /// s of the weights' grid.
    pub shift: i32,
    /// The seed of the training; 0 for an imported machine.
    pub seed: u64,
    /// Updates done.
    pub step: u64,
    /// The recipe as JSON; empty for an imported machine.
    pub recipe: String,
    /// What the guard multiplied the rate with, and how often.
    pub rate: (f32, u32),
    /// Running products of the optimiser.
    pub powers: [f32; 2],
}

/// The name of the model in files.
const MODEL: &str = "rbm";

/// Is what a training knows and a file should tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The seed of the training.
    pub seed: u64,
    /// Updates done.
    pub step: u64,
    /// The recipe as JSON.
    pub recipe: String,
}

impl Rbm {
    /// Makes the header and the tensors of a model file: the machine on its grid, and its base.
    pub fn to_tensors(&self, origin: &Origin) -> (Header, Vec<Tensor>) {
        let mut params = self.params();
        params.tensors_mut()[0].values = self.weights().into_raw_vec_and_offset().0;
        let mut tensors = named("", &params);
        tensors.push(vector("base", self.base.bias()));
        (self.header(origin, (1.0, 0), [1.0; 2]), tensors)
    }

    /// Saves the machine.
    ///
    /// # Errors
    /// Says which operation on which file failed; an older file is then untouched.
    pub fn save(&self, vfs: &dyn Vfs, path: &Path, origin: &Origin) -> Result<(), Error> {
        let (header, tensors) = self.to_tensors(origin);
        save(vfs, path, Kind::Model, &header, &tensors)
    }

    /// Loads a machine from a model file or a checkpoint; of a checkpoint with an average, that average.
    ///
    /// # Errors
    /// Names what is wrong with the file, and where.
    pub fn load(vfs: &dyn Vfs, path: &Path) -> Result<(Self, Header), Error> {
        let loaded: Loaded<Header> = load(vfs, path, None)?;
        Self::from_loaded(loaded)
    }

    /// Makes a machine from a loaded file; of a checkpoint with an average, that average.
    ///
    /// # Errors
    /// Names what is missing or does not fit.
    pub fn from_loaded(loaded: Loaded<Header>) -> Result<(Self, Header), Error> {
        let header = loaded.header.clone();
        check_model(&header)?;
        let mut tensors = Tensors(loaded.tensors);
        let mut rbm = tensors.machine(&header)?;
        if loaded.kind == Kind::Model {
            tensors.finished()?;
        } else if let Some(average) = tensors.some_params("average/", &rbm)? {
            average.store(&mut rbm);
        }
        Ok((rbm, header))
    }

    /// Makes the header and the tensors of a checkpoint.
    pub fn to_checkpoint(&self, snapshot: &Snapshot, origin: &Origin) -> (Header, Vec<Tensor>) {
        let mut tensors = named("", &snapshot.params);
        tensors.push(vector("base", self.base.bias()));
        tensors.extend(named("first/", &snapshot.moments.0));
        tensors.extend(named("second/", &snapshot.moments.1));
        if let Some([visible, hidden]) = &snapshot.offsets {
            tensors.extend([vector("centre/visible", visible), vector("centre/hidden", hidden)]);
        }
        tensors.extend(snapshot.chains.as_ref().map(|chains| Tensor {
            name: "chains".into(),
            shape: vec![chains.rows(), chains.units()],
            values: Values::Bits(chains.words().to_vec()),
        }));
        tensors.extend(snapshot.average.iter().flat_map(|average| named("average/", average)));
        if let Some(Adapted { factor, gradient }) = &snapshot.adapted {
            tensors.push(Tensor {
                name: "factor".into(),
                shape: Vec::new(),
                values: Values::F32(vec![*factor]),
            });
            tensors.extend(named("last/", gradient));
        }
        let header =
            Header { shift: snapshot.shift, ..self.header(origin, snapshot.rate, snapshot.moments.2) };
        (Header { step: snapshot.step, ..header }, tensors)
    }

    /// Makes a machine and a snapshot from a loaded checkpoint.
    ///
    /// # Errors
    /// Names what is missing or does not fit.
    pub fn from_checkpoint(loaded: Loaded<Header>) -> Result<(Self, Snapshot, Header), Error> {
        let header = loaded.header.clone();
        check_model(&header)?;
        let mut tensors = Tensors(loaded.tensors);
        let rbm = tensors.machine(&header)?;
        let snapshot = Snapshot {
            step: header.step,
            rate: header.rate,
            params: rbm.params(),
            shift: header.shift,
            moments: (tensors.params("first/", &rbm)?, tensors.params("second/", &rbm)?, header.powers),
            offsets: tensors.offsets()?,
            chains: tensors.chains()?,
            average: tensors.some_params("average/", &rbm)?,
            adapted: tensors.adapted(&rbm)?,
        };
        tensors.finished()?;
        Ok((rbm, snapshot, header))
    }

    fn header(&self, origin: &Origin, rate: (f32, u32), powers: [f32; 2]) -> Header {
        Header {
            model: MODEL.into(),
            visible: Units::Bernoulli(self.visible_units()),
            hidden: Units::Bernoulli(self.hidden_units()),
            shift: self.shift(),
            seed: origin.seed,
            step: origin.step,
            recipe: origin.recipe.clone(),
            rate,
            powers,
        }
    }
}

fn check_model(header: &Header) -> Result<(), Error> {
    if header.model != MODEL {
        return Err(Error::format("header", "model", MODEL, format!("{:?}", header.model)));
    }
    let factor = header.rate.0;
    if !(factor > 0.0 && factor <= 1.0) {
        return Err(Error::format("header", "rate", "a factor above 0 and at most 1", factor));
    }
    match header.powers.iter().find(|power| !(0.0..=1.0).contains(*power)) {
        Some(power) => Err(Error::format("header", "powers", "running products from 0 to 1", power)),
        None => Ok(()),
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

fn vector(name: &str, values: &[f32]) -> Tensor {
    Tensor { name: name.into(), shape: vec![values.len()], values: Values::F32(values.to_vec()) }
}

/// Hands out the tensors of a file by name, each once.
struct Tensors(Vec<Tensor>);

impl Tensors {
    fn take(&mut self, name: &str) -> Option<Tensor> {
        self.0.iter().position(|t| t.name == name).map(|at| self.0.swap_remove(at))
    }

    fn floats(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, Error> {
        let expected = format!("f32 of shape {shape:?}");
        match self.take(name) {
            Some(Tensor { shape: got, values: Values::F32(values), .. }) if got == shape => Ok(values),
            Some(other) => Err(Error::format("tensors", name, expected, format!("shape {:?}", other.shape))),
            None => Err(Error::format("tensors", name, expected, "none")),
        }
    }

    fn machine(&mut self, header: &Header) -> Result<Rbm, Error> {
        let (nv, nh) = (header.visible.count(), header.hidden.count());
        let weights = self.floats("weights", &[nv, nh])?;
        let parts = Parts {
            weights: Array2::from_shape_vec((nv, nh), weights)
                .map_err(|e| Error::format("tensors", "weights", format!("{nv} x {nh}"), e))?,
            visible_bias: Array1::from(self.floats("visible_bias", &[nv])?),
            hidden_bias: Array1::from(self.floats("hidden_bias", &[nh])?),
        };
        let base = self.floats("base", &[nv])?;
        let mut rbm = Rbm::from_parts_on_grid(parts, header.shift)?;
        rbm.set_base(Bernoulli::new(base))?;
        Ok(rbm)
    }

    /// Takes moments of the machine's shape, or none at all.
    fn params(&mut self, prefix: &str, rbm: &Rbm) -> Result<Params, Error> {
        Ok(self.some_params(prefix, rbm)?.unwrap_or_else(|| Params::new(Vec::new())))
    }

    /// Takes tensors of the machine's shape, if there are any of this prefix.
    fn some_params(&mut self, prefix: &str, rbm: &Rbm) -> Result<Option<Params>, Error> {
        if !self.0.iter().any(|t| t.name.starts_with(prefix)) {
            return Ok(None);
        }
        let tensors = rbm.blocks().into_iter().map(|block| {
            let values = self.floats(&format!("{prefix}{}", block.name), &block.shape)?;
            finite(block.name, &values)?;
            Ok(Named { name: block.name, shape: block.shape, values })
        });
        Ok(Some(Params::new(tensors.collect::<Result<_, Error>>()?)))
    }

    fn adapted(&mut self, rbm: &Rbm) -> Result<Option<Adapted>, Error> {
        let Some(gradient) = self.some_params("last/", rbm)? else { return Ok(None) };
        let factor = self.floats("factor", &[])?[0];
        if factor > 0.0 {
            return Ok(Some(Adapted { factor, gradient }));
        }
        Err(Error::format("tensors", "factor", "a positive number", factor))
    }

    fn offsets(&mut self) -> Result<Option<[Vec<f32>; 2]>, Error> {
        let mut take = |name| self.take(name).map(|t| (t.shape.clone(), t.values));
        match (take("centre/visible"), take("centre/hidden")) {
            (None, None) => Ok(None),
            (Some((_, Values::F32(visible))), Some((_, Values::F32(hidden)))) => Ok(Some([visible, hidden])),
            _ => Err(Error::format("tensors", "centre", "two vectors of f32", "something else")),
        }
    }

    fn chains(&mut self) -> Result<Option<BitMatrix>, Error> {
        let wrong = |got: String| Error::format("tensors", "chains", "bits, (chains, visible)", got);
        match self.take("chains") {
            None => Ok(None),
            Some(Tensor { shape, values: Values::Bits(words), .. }) if shape.len() == 2 => {
                let bits = BitMatrix::from_words(shape[0], shape[1], words);
                bits.map(Some).ok_or_else(|| wrong(format!("shape {shape:?} with other words")))
            }
            Some(other) => Err(wrong(format!("shape {:?}", other.shape))),
        }
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
