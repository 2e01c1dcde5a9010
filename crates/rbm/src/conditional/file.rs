//! Writes conditional machines as machines are written, under a name of their own, with A, B and the scaling of conditions.

use std::path::Path;

use harmonium_core::Error;
use harmonium_core::params::{Params, Tensor as Named};
use harmonium_core::persist::{Kind, Loaded, Tensor, Values, Vfs, load, save};
use harmonium_core::train::Snapshot;
use harmonium_core::units::Scaling;
use harmonium_kernels::Grid;
use ndarray::Array2;

use super::model::MATRICES;
use super::{Conditional, Pairs};
use crate::rbm::finite;
use crate::{Header, Origin, Rbm};

/// The names of the model and of its machine in files.
const MODEL: &str = "conditional";
const MACHINE: &str = "rbm";

/// The names of the scaling of conditions.
const SCALING: [&str; 2] = ["condition/mean", "condition/deviation"];

impl Conditional {
    /// Makes the header and the tensors of a model file, as [`Rbm::to_tensors`] does, A and B on their grid among them.
    pub fn to_tensors(&self, origin: &Origin) -> (Header, Vec<Tensor>) {
        let (header, mut tensors) = self.rbm.to_tensors(origin);
        for (name, values) in MATRICES.into_iter().zip([self.to_visible(), self.to_hidden()]) {
            tensors.push(tensor(name, values.shape(), values.iter().copied().collect()));
        }
        (self.named(header), self.with_scaling(tensors))
    }

    /// Makes the header and the tensors of a checkpoint.
    pub fn to_checkpoint(&self, snapshot: &Snapshot, origin: &Origin) -> (Header, Vec<Tensor>) {
        let (header, tensors) = self.rbm.to_checkpoint(snapshot, origin);
        (self.named(header), self.with_scaling(tensors))
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
        let (header, pairs, mut own, within) = opened(loaded)?;
        let is_model = within.kind == Kind::Model;
        let (rbm, _) = Rbm::from_loaded(within)?;
        let mut model = own.model(rbm, pairs, &header)?;
        if is_model {
            own.finished()?;
        } else if let Some([to_visible, to_hidden]) = own.matrices("average/", &model)? {
            (model.to_visible, model.to_hidden) = (to_visible.values, to_hidden.values);
            let (visible, hidden) = model.sizes();
            // The average is as large as the parameters were at some step, so the grid has to follow it.
            let grid = Grid::restored(visible, hidden, header.shift, 0.0).unwrap_or(model.rbm.grid);
            model.rbm.grid = grid.followed(model.largest());
        }
        Ok((model, header))
    }

    /// Makes a machine and a snapshot from a loaded checkpoint.
    ///
    /// # Errors
    /// Names what is missing or does not fit.
    pub fn from_checkpoint(loaded: Loaded<Header>) -> Result<(Self, Snapshot, Header), Error> {
        let (header, pairs, mut own, within) = opened(loaded)?;
        let (rbm, mut snapshot, _) = Rbm::from_checkpoint(within)?;
        let model = own.model(rbm, pairs, &header)?;
        snapshot.params = harmonium_core::HasParams::params(&model);
        own.extend(&mut snapshot.moments.0, "first/", &model)?;
        own.extend(&mut snapshot.moments.1, "second/", &model)?;
        if let Some(average) = &mut snapshot.average {
            own.extend(average, "average/", &model)?;
        }
        if let Some(adapted) = &mut snapshot.adapted {
            own.extend(&mut adapted.gradient, "last/", &model)?;
        }
        own.finished()?;
        Ok((model, snapshot, header))
    }

    fn named(&self, header: Header) -> Header {
        Header { model: MODEL.into(), visible: self.pairs.units(), ..header }
    }

    fn with_scaling(&self, mut tensors: Vec<Tensor>) -> Vec<Tensor> {
        if let Some(scaling) = &self.scaling {
            for (name, values) in SCALING.into_iter().zip([scaling.mean(), scaling.deviation()]) {
                tensors.push(tensor(name, &[values.len()], values.to_vec()));
            }
        }
        tensors
    }
}

fn tensor(name: &str, shape: &[usize], values: Vec<f32>) -> Tensor {
    Tensor { name: name.into(), shape: shape.to_vec(), values: Values::F32(values) }
}

/// Gives the header of a conditional machine's file, what its rows hold, the tensors that are its own, and the file of the
/// machine within.
fn opened(loaded: Loaded<Header>) -> Result<(Header, Pairs, Own, Loaded<Header>), Error> {
    let Loaded { kind, header, tensors } = loaded;
    if header.model != MODEL {
        return Err(Error::format("header", "model", MODEL, format!("{:?}", header.model)));
    }
    let pairs = Pairs::of(&header.visible)?;
    let is_own = |tensor: &Tensor| {
        let name = tensor.name.split_once('/').map_or(&tensor.name[..], |(_, name)| name);
        MATRICES.contains(&name) || SCALING.contains(&tensor.name.as_str())
    };
    let (own, tensors) = tensors.into_iter().partition(is_own);
    let within = Header { model: MACHINE.into(), visible: pairs.visible().clone(), ..header.clone() };
    Ok((header, pairs, Own(own), Loaded { kind, header: within, tensors }))
}

/// Hands out the tensors that a conditional machine has besides those of its machine, each once.
struct Own(Vec<Tensor>);

impl Own {
    fn floats(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, Error> {
        let expected = format!("f32 of shape {shape:?}");
        let at = self.0.iter().position(|tensor| tensor.name == name);
        match at.map(|at| self.0.swap_remove(at)) {
            Some(Tensor { shape: got, values: Values::F32(values), .. }) if got == shape => {
                finite(name, &values)?;
                Ok(values)
            }
            Some(other) => Err(Error::format("tensors", name, expected, format!("shape {:?}", other.shape))),
            None => Err(Error::format("tensors", name, expected, "none")),
        }
    }

    fn model(&mut self, rbm: Rbm, pairs: Pairs, header: &Header) -> Result<Conditional, Error> {
        let (width, nv, nh) = (pairs.condition().features(), rbm.visible_units(), rbm.hidden_units());
        let [a, b] = [(MATRICES[0], nv), (MATRICES[1], nh)]
            .map(|(name, units)| Ok::<_, Error>((self.floats(name, &[width, units])?, units)));
        let matrix = |(values, units): (Vec<f32>, usize)| {
            Array2::from_shape_vec((width, units), values)
                .map_err(|e| Error::format("tensors", "condition", format!("{width} x {units}"), e))
        };
        let mut model = Conditional::from_parts(rbm, pairs, matrix(a?)?, matrix(b?)?)?;
        model.put_on_grid(header.shift)?;
        if self.0.iter().any(|tensor| SCALING.contains(&tensor.name.as_str())) {
            let [mean, deviation] = SCALING.map(|name| self.floats(name, &[width]));
            model.scaling = Some(Scaling::new(mean?, deviation?, width)?);
        }
        Ok(model)
    }

    /// Takes tensors of the shapes of A and B, if there is any of this prefix.
    fn matrices(&mut self, prefix: &str, model: &Conditional) -> Result<Option<[Named; 2]>, Error> {
        if !self.0.iter().any(|tensor| tensor.name.starts_with(prefix)) {
            return Ok(None);
        }
        let widths = [model.rbm.visible_units(), model.rbm.hidden_units()];
        let mut take = |side: usize| {
            let (name, shape) = (MATRICES[side], vec![model.condition_units(), widths[side]]);
            let values = self.floats(&format!("{prefix}{name}"), &shape)?;
            Ok::<_, Error>(Named { name, shape, values })
        };
        Ok(Some([take(0)?, take(1)?]))
    }

    /// Puts tensors of the shapes of A and B behind those of the machine, where there are such.
    fn extend(&mut self, params: &mut Params, prefix: &str, model: &Conditional) -> Result<(), Error> {
        if params.tensors().is_empty() {
            return Ok(());
        }
        let Some(more) = self.matrices(prefix, model)? else {
            return Err(Error::format("tensors", format!("{prefix}{}", MATRICES[0]), "a tensor", "none"));
        };
        *params = Params::new([params.tensors(), &more].concat());
        Ok(())
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
