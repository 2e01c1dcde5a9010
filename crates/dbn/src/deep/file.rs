//! Writes deep machines and checkpoints to files, and reads them back checked.

use std::path::Path;

use harmonium_core::params::{Params, Tensor as Named};
use harmonium_core::persist::{Kind, Loaded, Tensor, Values, Vfs, load, save};
use harmonium_core::train::{Adapted, Kept, Snapshot};
use harmonium_core::units::{Layer, Unit, Units};
use harmonium_core::{EnergyModel, Error, HasParams};
use harmonium_rbm::Origin;
use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::dbm::finite;
use super::{Dbm, Inference};
use crate::names::{BIAS, WEIGHTS, check_depth};

/// Says what a file holds besides its tensors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// The kind of model.
    pub model: String,
    /// The layers, the visible one first.
    pub layers: Vec<Units>,
    /// How hidden units are inferred.
    pub inference: Inference,
    /// s of the weights' grid.
    pub shift: i32,
    /// The seed of the training.
    pub seed: u64,
    /// Updates done.
    pub step: u64,
    /// The recipe as JSON.
    pub recipe: String,
    /// What the guard multiplied the rate with, and how often.
    pub rate: (f32, u32),
    /// Running products of the optimiser.
    pub powers: [f32; 2],
}

/// The name of the model in files.
const MODEL: &str = "dbm";

/// What stands before the names of all that lives on in an estimator.
const KEPT: &str = "kept/";

impl Dbm {
    /// Makes the header and the tensors of a model file: the machine on its grid, and its base.
    pub fn to_tensors(&self, origin: &Origin) -> (Header, Vec<Tensor>) {
        let mut params = self.params();
        let weights = params.tensors_mut().iter_mut().filter(|tensor| tensor.shape.len() > 1);
        weights.flat_map(|tensor| &mut tensor.values).for_each(|w| *w = self.grid.round(*w));
        let mut tensors = named("", &params);
        tensors.extend(base(&self.base));
        (self.header(origin), tensors)
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
        Self::from_loaded(load(vfs, path, None)?)
    }

    /// Makes a machine from a loaded file; of a checkpoint with an average, that average.
    ///
    /// # Errors
    /// Names what is missing or does not fit.
    pub fn from_loaded(loaded: Loaded<Header>) -> Result<(Self, Header), Error> {
        let mut tensors = Tensors(loaded.tensors);
        let mut dbm = tensors.machine(&loaded.header)?;
        if loaded.kind == Kind::Model {
            tensors.finished()?;
        } else if let Some(average) = tensors.some_params("average/", &dbm)? {
            average.store(&mut dbm);
        }
        Ok((dbm, loaded.header))
    }

    /// Makes the header and the tensors of a checkpoint.
    pub fn to_checkpoint(&self, snapshot: &Snapshot, origin: &Origin) -> (Header, Vec<Tensor>) {
        let mut tensors = named("", &snapshot.params);
        tensors.extend(base(&self.base));
        tensors.extend(named("first/", &snapshot.moments.0));
        tensors.extend(named("second/", &snapshot.moments.1));
        let kept = snapshot.kept.tensors().into_iter();
        tensors.extend(kept.map(|t| Tensor { name: format!("{KEPT}{}", t.name), ..t }));
        tensors.extend(snapshot.average.iter().flat_map(|average| named("average/", average)));
        if let Some(Adapted { factor, gradient }) = &snapshot.adapted {
            let values = Values::F32(vec![*factor]);
            tensors.push(Tensor { name: "factor".into(), shape: Vec::new(), values });
            tensors.extend(named("last/", gradient));
        }
        let (rate, powers) = (snapshot.rate, snapshot.moments.2);
        let header = self.header(origin);
        (Header { shift: snapshot.shift, step: snapshot.step, rate, powers, ..header }, tensors)
    }

    /// Makes a machine and a snapshot from a loaded checkpoint.
    ///
    /// # Errors
    /// Names what is missing or does not fit.
    pub fn from_checkpoint(loaded: Loaded<Header>) -> Result<(Self, Snapshot, Header), Error> {
        let (header, mut tensors) = (loaded.header, Tensors(loaded.tensors));
        let dbm = tensors.machine(&header)?;
        let snapshot = Snapshot {
            step: header.step,
            rate: header.rate,
            params: dbm.params(),
            shift: header.shift,
            moments: (tensors.params("first/", &dbm)?, tensors.params("second/", &dbm)?, header.powers),
            offsets: None,
            kept: tensors.kept(),
            average: tensors.some_params("average/", &dbm)?,
            adapted: tensors.adapted(&dbm)?,
        };
        tensors.finished()?;
        Ok((dbm, snapshot, header))
    }

    fn header(&self, origin: &Origin) -> Header {
        Header {
            model: MODEL.into(),
            layers: self.layers.iter().map(Layer::units).collect(),
            inference: self.inference,
            shift: self.shift(),
            seed: origin.seed,
            step: origin.step,
            recipe: origin.recipe.clone(),
            rate: (1.0, 0),
            powers: [1.0; 2],
        }
    }
}

fn check(header: &Header) -> Result<(), Error> {
    if header.model != MODEL {
        return Err(Error::format("header", "model", MODEL, format!("{:?}", header.model)));
    }
    check_depth(header.layers.len().saturating_sub(1))?;
    header.layers.iter().try_for_each(Units::check)?;
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

/// Names the parameters of the base: its biases, and what else its layer has.
fn base(layer: &Layer) -> Vec<Tensor> {
    let vector = |name: String, values: &[f32]| Tensor {
        name,
        shape: vec![values.len()],
        values: Values::F32(values.to_vec()),
    };
    let more =
        layer.extra().into_iter().map(|extra| vector(format!("base/{}", extra.names[0]), extra.values));
    [vector("base".into(), layer.bias())].into_iter().chain(more).collect()
}

/// Hands out the tensors of a file by name, each once.
struct Tensors(Vec<Tensor>);

impl Tensors {
    fn floats(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, Error> {
        let expected = format!("f32 of shape {shape:?}");
        let taken = self.0.iter().position(|t| t.name == name).map(|at| self.0.swap_remove(at));
        match taken {
            Some(Tensor { shape: got, values: Values::F32(values), .. }) if got == shape => Ok(values),
            Some(other) => Err(Error::format("tensors", name, expected, format!("shape {:?}", other.shape))),
            None => Err(Error::format("tensors", name, expected, "none")),
        }
    }

    fn machine(&mut self, header: &Header) -> Result<Dbm, Error> {
        check(header)?;
        let (mut layers, mut weights) = (Vec::new(), Vec::new());
        for (l, units) in header.layers.iter().enumerate() {
            let bias = if l == 0 { "visible_bias" } else { BIAS[l - 1] };
            layers.push(self.layer(units, bias, str::to_owned)?);
            if l > 0 {
                let shape = [header.layers[l - 1].features(), units.features()];
                let values = self.floats(WEIGHTS[l - 1], &shape)?;
                let matrix = Array2::from_shape_vec((shape[0], shape[1]), values);
                weights.push(matrix.map_err(|e| Error::format("tensors", WEIGHTS[l - 1], "a matrix", e))?);
            }
        }
        let base = self.layer(&header.layers[0], "base", |name| format!("base/{name}"))?;
        let dbm = Dbm::from_layers(layers, weights)?.on_grid(header.shift)?;
        let mut dbm = dbm.with_inference(mutant!("B257", header.inference, Inference::default()))?;
        dbm.set_base(base)?;
        Ok(dbm)
    }

    /// Takes a layer: its biases and its other parameters.
    fn layer(&mut self, units: &Units, bias: &str, name: impl Fn(&str) -> String) -> Result<Layer, Error> {
        let mut layer = units.layer(self.floats(bias, &[units.features()])?);
        let names: Vec<String> = layer.extra().into_iter().map(|extra| name(extra.names[0])).collect();
        for (name, values) in names.iter().zip(layer.parts_mut().1) {
            values.copy_from_slice(&self.floats(name, &[values.len()])?);
        }
        Ok(layer)
    }

    /// Takes moments of the machine's shape, or none at all.
    fn params(&mut self, prefix: &str, dbm: &Dbm) -> Result<Params, Error> {
        Ok(self.some_params(prefix, dbm)?.unwrap_or_else(|| Params::new(Vec::new())))
    }

    /// Takes tensors of the machine's shape, if there are any of this prefix.
    fn some_params(&mut self, prefix: &str, dbm: &Dbm) -> Result<Option<Params>, Error> {
        if !self.0.iter().any(|t| t.name.starts_with(prefix)) {
            return Ok(None);
        }
        let tensors = dbm.blocks().into_iter().map(|block| {
            let values = self.floats(&format!("{prefix}{}", block.name), &block.shape)?;
            finite(block.name, &values)?;
            Ok(Named { name: block.name, shape: block.shape, values })
        });
        Ok(Some(Params::new(tensors.collect::<Result<_, Error>>()?)))
    }

    fn adapted(&mut self, dbm: &Dbm) -> Result<Option<Adapted>, Error> {
        let Some(gradient) = self.some_params("last/", dbm)? else { return Ok(None) };
        let factor = self.floats("factor", &[])?[0];
        if factor > 0.0 {
            return Ok(Some(Adapted { factor, gradient }));
        }
        Err(Error::format("tensors", "factor", "a positive number", factor))
    }

    /// Takes what lived on in the estimator, which looks at it when it gets it back.
    fn kept(&mut self) -> Kept {
        let all = std::mem::take(&mut self.0).into_iter();
        let (kept, rest): (Vec<_>, Vec<_>) = all.partition(|t| t.name.starts_with(KEPT));
        self.0 = rest;
        let own = |t: Tensor| Tensor { name: t.name.trim_start_matches(KEPT).to_owned(), ..t };
        Kept::from_tensors(kept.into_iter().map(own))
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
