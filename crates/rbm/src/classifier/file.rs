//! Writes classifiers as machines are written, under a name of their own and with the label among the visible units.

use std::path::Path;

use harmonium_core::Error;
use harmonium_core::persist::{Kind, Loaded, Tensor, Vfs, load, save};
use harmonium_core::train::Snapshot;
use harmonium_core::units::Units;

use super::Classifier;
use crate::{Header, Origin, Rbm};

/// The names of the model and of its machine in files.
const MODEL: &str = "classifier";
const MACHINE: &str = "rbm";

impl Classifier {
    /// Makes the header and the tensors of a model file, as [`Rbm::to_tensors`] does; weights and biases of the label stand
    /// behind those of x.
    pub fn to_tensors(&self, origin: &Origin) -> (Header, Vec<Tensor>) {
        let (header, tensors) = self.rbm.to_tensors(origin);
        (self.named(header), tensors)
    }

    /// Makes the header and the tensors of a checkpoint.
    pub fn to_checkpoint(&self, snapshot: &Snapshot, origin: &Origin) -> (Header, Vec<Tensor>) {
        let (header, tensors) = self.rbm.to_checkpoint(snapshot, origin);
        (self.named(header), tensors)
    }

    /// Saves the classifier.
    ///
    /// # Errors
    /// Says which operation on which file failed; an older file is then untouched.
    pub fn save(&self, vfs: &dyn Vfs, path: &Path, origin: &Origin) -> Result<(), Error> {
        let (header, tensors) = self.to_tensors(origin);
        save(vfs, path, Kind::Model, &header, &tensors)
    }

    /// Loads a classifier from a model file or a checkpoint; of a checkpoint with an average, that average.
    ///
    /// # Errors
    /// Names what is wrong with the file, and where.
    pub fn load(vfs: &dyn Vfs, path: &Path) -> Result<(Self, Header), Error> {
        Self::from_loaded(load(vfs, path, None)?)
    }

    /// Makes a classifier from a loaded file; of a checkpoint with an average, that average.
    ///
    /// # Errors
    /// Names what is missing or does not fit.
    pub fn from_loaded(loaded: Loaded<Header>) -> Result<(Self, Header), Error> {
        let (header, classes, machine) = opened(loaded)?;
        let (rbm, _) = Rbm::from_loaded(machine)?;
        Ok((Self::from_rbm(rbm, classes)?, header))
    }

    /// Makes a classifier and a snapshot from a loaded checkpoint.
    ///
    /// # Errors
    /// Names what is missing or does not fit.
    pub fn from_checkpoint(loaded: Loaded<Header>) -> Result<(Self, Snapshot, Header), Error> {
        let (header, classes, machine) = opened(loaded)?;
        let (rbm, snapshot, _) = Rbm::from_checkpoint(machine)?;
        Ok((Self::from_rbm(rbm, classes)?, snapshot, header))
    }

    fn named(&self, header: Header) -> Header {
        let label = Units::Categorical { units: 1, classes: self.classes };
        let visible = Units::Mixed(vec![Units::Bernoulli(self.units()), label]);
        Header { model: MODEL.into(), visible, ..header }
    }
}

/// Gives the header of a classifier's file, its number of classes, and the file of the machine within.
fn opened(loaded: Loaded<Header>) -> Result<(Header, usize, Loaded<Header>), Error> {
    let header = loaded.header.clone();
    if header.model != MODEL {
        return Err(Error::format("header", "model", MODEL, format!("{:?}", header.model)));
    }
    header.visible.check()?;
    let parts = if let Units::Mixed(parts) = &header.visible { &parts[..] } else { &[] };
    let [Units::Bernoulli(units), Units::Categorical { units: 1, classes }] = *parts else {
        let got = format!("{}", header.visible);
        return Err(Error::format("header", "visible", "Bernoulli units and one label", got));
    };
    let visible = Units::Bernoulli(units.saturating_add(classes));
    let within = Header { model: MACHINE.into(), visible, ..loaded.header };
    Ok((header, classes, Loaded { header: within, ..loaded }))
}
