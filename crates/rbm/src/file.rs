//! Writes machines and checkpoints to files, and reads them back checked.

use std::path::Path;

use harmonium_core::params::{Params, Tensor as Named};
use harmonium_core::persist::{Kind, Loaded, Tensor, Values, Vfs, load, save};
use harmonium_core::train::{Adapted, Kept, Snapshot};
use harmonium_core::units::{Layer, Scaling, Unit, Units};
use harmonium_core::{Error, HasParams};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::Rbm;
use crate::rbm::finite;

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

/// The name of the packed chains of an estimator, and what stands before that of all else that lives on in one.
const CHAINS: &str = "chains";
const KEPT: &str = "kept/";

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
        tensors.extend(self.scaling().into_iter().flat_map(scaling));
        tensors.extend(base(&self.base));
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
        tensors.extend(self.scaling().into_iter().flat_map(scaling));
        tensors.extend(base(&self.base));
        tensors.extend(named("first/", &snapshot.moments.0));
        tensors.extend(named("second/", &snapshot.moments.1));
        if let Some([visible, hidden]) = &snapshot.offsets {
            tensors.extend([vector("centre/visible", visible), vector("centre/hidden", hidden)]);
        }
        tensors.extend(snapshot.kept.tensors().into_iter().map(|t| Tensor { name: filed(&t.name), ..t }));
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
            kept: tensors.kept(),
            average: tensors.some_params("average/", &rbm)?,
            adapted: tensors.adapted(&rbm)?,
        };
        tensors.finished()?;
        Ok((rbm, snapshot, header))
    }

    fn header(&self, origin: &Origin, rate: (f32, u32), powers: [f32; 2]) -> Header {
        Header {
            model: MODEL.into(),
            visible: self.visible.units(),
            hidden: self.hidden.units(),
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

/// Gives the name that an array of an estimator has in a file.
fn filed(name: &str) -> String {
    if name == CHAINS { name.to_owned() } else { format!("{KEPT}{name}") }
}

fn vector(name: &str, values: &[f32]) -> Tensor {
    Tensor { name: name.into(), shape: vec![values.len()], values: Values::F32(values.to_vec()) }
}

fn scaling(scaling: &Scaling) -> [Tensor; 2] {
    [vector("scaling/mean", scaling.mean()), vector("scaling/deviation", scaling.deviation())]
}

/// Names the parameters of the base: its biases, and what else its layer has.
fn base(layer: &Layer) -> Vec<Tensor> {
    let more = layer.extra().into_iter().map(|extra| vector(&base_name(extra.names[0]), extra.values));
    [vector("base", layer.bias())].into_iter().chain(more).collect()
}

fn base_name(parameter: &str) -> String {
    format!("base/{parameter}")
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
        let (nv, nh) = (header.visible.features(), header.hidden.features());
        header.visible.check()?;
        header.hidden.check()?;
        let weights = self.floats("weights", &[nv, nh])?;
        let weights = Array2::from_shape_vec((nv, nh), weights)
            .map_err(|e| Error::format("tensors", "weights", format!("{nv} x {nh}"), e))?;
        let visible = self.layer(&header.visible, "visible_bias", |names| names[0].to_owned())?;
        let hidden = self.layer(&header.hidden, "hidden_bias", |names| names[1].to_owned())?;
        let base = self.layer(&header.visible, "base", |names| base_name(names[0]))?;
        let mut rbm = Rbm::from_layers(weights, visible, hidden)?.on_grid(header.shift)?;
        rbm.set_base(base)?;
        rbm.set_scaling(self.scaling(nv)?)?;
        Ok(rbm)
    }

    fn scaling(&mut self, features: usize) -> Result<Option<Scaling>, Error> {
        if !self.0.iter().any(|tensor| tensor.name == "scaling/mean") {
            return Ok(None);
        }
        let mean = self.floats("scaling/mean", &[features])?;
        Scaling::new(mean, self.floats("scaling/deviation", &[features])?, features).map(Some)
    }

    /// Takes a layer: its biases and its other parameters.
    fn layer(
        &mut self,
        units: &Units,
        bias: &str,
        name: impl Fn([&'static str; 2]) -> String,
    ) -> Result<Layer, Error> {
        let mut layer = units.layer(self.floats(bias, &[units.features()])?);
        let names: Vec<String> = layer.extra().into_iter().map(|extra| name(extra.names)).collect();
        for (name, values) in names.iter().zip(layer.parts_mut().1) {
            values.copy_from_slice(&self.floats(name, &[values.len()])?);
        }
        Ok(layer)
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

    /// Takes what lived on in the estimator, which looks at it when it gets it back.
    fn kept(&mut self) -> Kept {
        let (kept, rest) = std::mem::take(&mut self.0)
            .into_iter()
            .partition(|t| t.name == CHAINS || t.name.starts_with(KEPT));
        self.0 = rest;
        let own = |t: Tensor| Tensor { name: t.name.strip_prefix(KEPT).unwrap_or(&t.name).to_owned(), ..t };
        Kept::from_tensors(Vec::into_iter(kept).map(own))
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
