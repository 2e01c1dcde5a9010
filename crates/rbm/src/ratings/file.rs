//! Writes machines of ratings to files, and reads them back checked.

use std::path::Path;

use harmonium_core::data::Scale;
use harmonium_core::persist::{Kind, Loaded, Tensor, Values, Vfs, load, save};
use harmonium_core::{Error, HasParams};
use serde::{Deserialize, Serialize};

use super::{RatingsOptions, RatingsRbm};
use crate::Origin;

/// The name of the model in files, and of the names of its items: their bytes, and the length of each.
const MODEL: &str = "ratings_rbm";
const NAMES: &str = "names";
const LENGTHS: &str = "name_lengths";
const CENTRES: &str = "centres";

/// Says what a file holds besides its tensors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Header {
    model: String,
    scale: Scale,
    options: RatingsOptions,
    seed: u64,
    step: u64,
    recipe: String,
}

impl RatingsRbm {
    /// Saves the machine.
    ///
    /// # Errors
    /// Says which operation on which file failed; an older file is then untouched.
    pub fn save(&self, vfs: &dyn Vfs, path: &Path, origin: &Origin) -> Result<(), Error> {
        let header = Header {
            model: MODEL.into(),
            scale: self.scale,
            options: self.options.clone(),
            seed: origin.seed,
            step: origin.step,
            recipe: origin.recipe.clone(),
        };
        save(vfs, path, Kind::Model, &header, &self.tensors())
    }

    fn tensors(&self) -> Vec<Tensor> {
        let block = |name: &str, shape: Vec<usize>, values: &[f32]| Tensor {
            name: name.into(),
            shape,
            values: Values::F32(values.to_vec()),
        };
        let mut out: Vec<Tensor> =
            self.blocks().into_iter().map(|b| block(b.name, b.shape.clone(), b.values)).collect();
        out.push(block(CENTRES, vec![self.items()], &self.centres));
        let lengths: Vec<i64> = self.names.iter().map(|name| name.len() as i64).collect();
        let bytes: Vec<i64> = self.names.iter().flat_map(|name| name.bytes().map(i64::from)).collect();
        // A tensor has one entry at least.
        let bytes = if bytes.is_empty() { vec![0] } else { bytes };
        out.push(Tensor { name: LENGTHS.into(), shape: vec![lengths.len()], values: Values::I64(lengths) });
        out.push(Tensor { name: NAMES.into(), shape: vec![bytes.len()], values: Values::I64(bytes) });
        out
    }

    /// Loads a machine and where it comes from.
    ///
    /// # Errors
    /// Names what is wrong with the file, and where.
    pub fn load(vfs: &dyn Vfs, path: &Path) -> Result<(Self, Origin), Error> {
        let Loaded { header, mut tensors, .. } = load::<Header>(vfs, path, Some(Kind::Model))?;
        if header.model != MODEL {
            return Err(Error::format("header", "model", MODEL, format!("{:?}", header.model)));
        }
        let lengths = integers(take(&mut tensors, LENGTHS)?)?;
        let names = names(&integers(take(&mut tensors, NAMES)?)?, &lengths)?;
        check_sizes(&tensors, &header, names.len())?;
        let mut rbm = Self::blank(header.scale, names, header.options)?;
        rbm.centres = floats(take(&mut tensors, CENTRES)?, &[rbm.items()])?;
        let shapes: Vec<Vec<usize>> = rbm.blocks().into_iter().map(|b| b.shape).collect();
        for (block, shape) in rbm.blocks_mut().into_iter().zip(shapes) {
            block.values.copy_from_slice(&floats(take(&mut tensors, block.name)?, &shape)?);
        }
        if let Some(tensor) = tensors.first() {
            return Err(Error::format("tensors", &tensor.name, "no more of them", "one more"));
        }
        rbm.refresh();
        Ok((rbm, Origin { seed: header.seed, step: header.step, recipe: header.recipe }))
    }
}

/// Refuses numbers in the header that tensors do not bear out, before anything is made as large as they say.
fn check_sizes(tensors: &[Tensor], header: &Header, items: usize) -> Result<(), Error> {
    header.scale.check()?;
    header.options.check()?;
    let RatingsOptions { hidden, rank, .. } = header.options;
    let of_items = items.saturating_mul(header.scale.levels);
    let loadings = (rank > 0).then_some(("loadings", rank * hidden));
    for (name, expected) in [("hidden_bias", hidden), ("bias", of_items)].into_iter().chain(loadings) {
        let of_name = tensors.iter().filter(|tensor| tensor.name == name);
        let got: usize = of_name.map(|tensor| tensor.shape.iter().product::<usize>()).sum();
        if mutant!("B360", got != expected, false) {
            return Err(Error::format("tensors", name, format!("{expected} values"), got));
        }
    }
    Ok(())
}

fn take(tensors: &mut Vec<Tensor>, name: &str) -> Result<Tensor, Error> {
    let at = tensors.iter().position(|tensor| tensor.name == name);
    at.map(|at| tensors.swap_remove(at))
        .ok_or_else(|| Error::format("tensors", name, "one of this name", "none"))
}

fn floats(tensor: Tensor, shape: &[usize]) -> Result<Vec<f32>, Error> {
    match tensor.values {
        Values::F32(values) if tensor.shape == shape => Ok(values),
        _ => Err(Error::format(
            "tensors",
            &tensor.name,
            format!("f32 of {shape:?}"),
            format!("{:?}", tensor.shape),
        )),
    }
}

fn integers(tensor: Tensor) -> Result<Vec<i64>, Error> {
    match tensor.values {
        Values::I64(values) if tensor.shape.len() == 1 => Ok(values),
        _ => Err(Error::format("tensors", &tensor.name, "a row of integers", "another type")),
    }
}

fn names(bytes: &[i64], lengths: &[i64]) -> Result<Vec<String>, Error> {
    let wrong = |got: &str| Error::format("tensors", NAMES, "UTF-8 of the lengths that are named", got);
    let bytes: Vec<u8> =
        bytes.iter().map(|&b| u8::try_from(b)).collect::<Result<_, _>>().map_err(|_| wrong("no bytes"))?;
    let mut rest = &bytes[..];
    let mut out = Vec::with_capacity(lengths.len());
    for &length in lengths {
        let length = usize::try_from(length).ok().filter(|length| *length <= rest.len());
        let (name, after) = rest.split_at(length.ok_or_else(|| wrong("other lengths"))?);
        out.push(String::from_utf8(name.to_vec()).map_err(|_| wrong("other bytes"))?);
        rest = after;
    }
    if rest.is_empty() || bytes == [0] { Ok(out) } else { Err(wrong("bytes behind the last")) }
}
