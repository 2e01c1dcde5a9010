//! Writes topics as machines are written, under a name of their own and with the lengths of fresh chains.

use std::path::Path;

use harmonium_core::Error;
use harmonium_core::persist::{Kind, Loaded, Tensor, Values, Vfs, load, save};
use harmonium_core::train::Snapshot;

use super::{MAX_LENGTH, ReplicatedSoftmax};
use crate::{Header, Origin, Rbm};

/// The names of the model and of its machine in files, and of the lengths of fresh chains.
const MODEL: &str = "replicated_softmax";
const MACHINE: &str = "rbm";
const LENGTHS: &str = "lengths";

impl ReplicatedSoftmax {
    /// Makes the header and the tensors of a model file, as [`Rbm::to_tensors`] does.
    pub fn to_tensors(&self, origin: &Origin) -> (Header, Vec<Tensor>) {
        self.named(self.rbm.to_tensors(origin))
    }

    /// Makes the header and the tensors of a checkpoint.
    pub fn to_checkpoint(&self, snapshot: &Snapshot, origin: &Origin) -> (Header, Vec<Tensor>) {
        self.named(self.rbm.to_checkpoint(snapshot, origin))
    }

    /// Saves the model.
    ///
    /// # Errors
    /// Says which operation on which file failed; an older file is then untouched.
    pub fn save(&self, vfs: &dyn Vfs, path: &Path, origin: &Origin) -> Result<(), Error> {
        let (header, tensors) = self.to_tensors(origin);
        save(vfs, path, Kind::Model, &header, &tensors)
    }

    /// Loads a model from a model file or a checkpoint; of a checkpoint with an average, that average.
    ///
    /// # Errors
    /// Names what is wrong with the file, and where.
    pub fn load(vfs: &dyn Vfs, path: &Path) -> Result<(Self, Header), Error> {
        Self::from_loaded(load(vfs, path, None)?)
    }

    /// Makes a model from a loaded file; of a checkpoint with an average, that average.
    ///
    /// # Errors
    /// Names what is missing or does not fit.
    pub fn from_loaded(loaded: Loaded<Header>) -> Result<(Self, Header), Error> {
        let (header, lengths, machine) = opened(loaded)?;
        Ok((Self::from_rbm(Rbm::from_loaded(machine)?.0, &lengths)?, header))
    }

    /// Makes a model and a snapshot from a loaded checkpoint.
    ///
    /// # Errors
    /// Names what is missing or does not fit.
    pub fn from_checkpoint(loaded: Loaded<Header>) -> Result<(Self, Snapshot, Header), Error> {
        let (header, lengths, machine) = opened(loaded)?;
        let (rbm, snapshot, _) = Rbm::from_checkpoint(machine)?;
        Ok((Self::from_rbm(rbm, &lengths)?, snapshot, header))
    }

    fn named(&self, (header, mut tensors): (Header, Vec<Tensor>)) -> (Header, Vec<Tensor>) {
        let values = Values::F32(self.lengths.iter().map(|&length| length as f32).collect());
        tensors.push(Tensor { name: LENGTHS.into(), shape: vec![self.lengths.len()], values });
        (Header { model: MODEL.into(), ..header }, tensors)
    }
}

/// Gives the header of a file, the lengths in it, and the file of the machine within.
fn opened(mut loaded: Loaded<Header>) -> Result<(Header, Vec<u32>, Loaded<Header>), Error> {
    let header = loaded.header.clone();
    if header.model != MODEL {
        return Err(Error::format("header", "model", MODEL, format!("{:?}", header.model)));
    }
    let expected = format!("whole numbers from 1 to {MAX_LENGTH}");
    let wrong = |got: &str| Error::format("tensors", LENGTHS, &expected, got);
    let at = loaded.tensors.iter().position(|t| t.name == LENGTHS).ok_or_else(|| wrong("none"))?;
    let Values::F32(values) = loaded.tensors.swap_remove(at).values else {
        return Err(wrong("another type"));
    };
    let whole = |x: &f32| x.fract() == 0.0 && (1.0..=MAX_LENGTH as f32).contains(x);
    if !values.iter().all(whole) {
        return Err(wrong("others"));
    }
    let within = Header { model: MACHINE.into(), ..loaded.header };
    let lengths = values.into_iter().map(|x| x as u32).collect();
    Ok((header, lengths, Loaded { header: within, ..loaded }))
}
