//! Opens whatever model a user names: a single machine, a stack, an autoencoder or a classifier.

use std::path::{Path, PathBuf};

use harmonium::dbn::deep::{self, Dbm};
use harmonium::dbn::net::{Activation, Autoencoder, Network, NetworkHeader};
use harmonium::dbn::stack::{self, Dbn};
use harmonium::persist::{Kind, Loaded, load};
use harmonium::rbm::{Origin, Rbm};
use harmonium::{Error, HasParams};
use serde::de::DeserializeOwned;

use super::recipe::Recipe;
use crate::folder::{self, Folder, VFS};

/// Is a model of any kind.
pub(crate) enum Model {
    Rbm(Rbm),
    Dbn(Dbn),
    Dbm(Dbm),
    Autoencoder(Autoencoder),
    /// A network, and the deep Boltzmann machine whose second hidden layer it sees beside the rows, if it was made of one.
    Classifier(Network, Option<Dbm>),
}

/// Is a model with what its file tells of its training.
pub(crate) struct Opened {
    pub(crate) model: Model,
    pub(crate) origin: Origin,
    pub(crate) recipe: Option<Recipe>,
}

/// Gives the file of a model: a file itself, or that of a run.
pub(crate) fn file(path: &Path) -> PathBuf {
    if path.is_dir() { Folder::at(path).model() } else { path.to_path_buf() }
}

/// Gives the file of the deep Boltzmann machine that stands beside a classifier's.
pub(crate) fn beside(path: &Path) -> PathBuf {
    path.with_file_name("dbm.hmn")
}

/// Loads a file if it has such a header and its model has this name.
fn named<H: DeserializeOwned>(path: &Path, name: &str, of: impl Fn(&H) -> &str) -> Option<Loaded<H>> {
    load::<H>(&VFS, path, Some(Kind::Model)).ok().filter(|loaded| of(&loaded.header) == name)
}

/// Opens a stack, an autoencoder or a classifier; nothing for single machines and for what is no model at all.
///
/// # Errors
/// Names what is wrong with the file; refuses a run that has not come to its end.
pub(crate) fn stack(path: &Path) -> Result<Option<Opened>, Error> {
    let file = file(path);
    if path.is_dir() && !file.is_file() && Recipe::read(&Folder::at(path))?.is_some() {
        let expected =
            format!("the model of a finished run (go on with: harmonium train --resume {})", path.display());
        return Err(Error::format(path.display(), "model.hmn", expected, "none"));
    }
    let made = |model, seed, step, recipe: String| {
        let parsed = Recipe::parse(&recipe)?;
        Ok(Some(Opened { model, origin: Origin { seed, step, recipe }, recipe: parsed }))
    };
    if let Some(loaded) = named::<stack::Header>(&file, "dbn", |h| &h.model) {
        let (dbn, h) = Dbn::from_loaded(loaded)?;
        return made(Model::Dbn(dbn), h.seed, h.step, h.recipe);
    }
    if let Some(loaded) = named::<deep::Header>(&file, "dbm", |h| &h.model) {
        let (dbm, h) = Dbm::from_loaded(loaded)?;
        return made(Model::Dbm(dbm), h.seed, h.step, h.recipe);
    }
    if let Some(loaded) = named::<NetworkHeader>(&file, "network", |h| &h.model) {
        let (network, h) = Network::from_loaded(loaded)?;
        return made(of_network(network, &file)?, h.seed, h.step, h.recipe);
    }
    Ok(None)
}

/// Tells classifiers from autoencoders: those end in a softmax.
fn of_network(network: Network, file: &Path) -> Result<Model, Error> {
    let layers = network.layers().len();
    if network.layers()[layers - 1].activation() != Activation::Softmax {
        return Ok(Model::Autoencoder(Autoencoder::new(network, layers / 2)?));
    }
    let below = beside(file);
    let dbm = if below.is_file() { Some(Dbm::load(&VFS, &below)?.0) } else { None };
    Ok(Model::Classifier(network, dbm))
}

impl Model {
    /// Opens any model.
    ///
    /// # Errors
    /// Says which file could not be read and why.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        match stack(path)? {
            Some(opened) => Ok(opened.model),
            None => Ok(Self::Rbm(folder::open_model(path)?.0)),
        }
    }

    /// Gives the digest of all that counts.
    pub(crate) fn digest(&self) -> String {
        match self {
            Self::Rbm(rbm) => rbm.digest(),
            Self::Dbn(dbn) => dbn.digest(),
            Self::Dbm(dbm) => dbm.digest(),
            Self::Autoencoder(model) => model.network().digest(),
            Self::Classifier(network, _) => network.digest(),
        }
    }

    /// Tells whether rows must be bits.
    pub(crate) fn takes_bits(&self) -> bool {
        match self {
            Self::Rbm(rbm) => rbm.visible().units().is_binary(),
            Self::Dbn(dbn) => dbn.units(0).is_ok_and(|units| units.is_binary()),
            Self::Dbm(dbm) => dbm.layers()[0].units().is_binary(),
            Self::Autoencoder(_) => false,
            Self::Classifier(_, dbm) => dbm.is_some(),
        }
    }

    /// Names the kind.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Rbm(_) => "rbm",
            Self::Dbn(_) => "dbn",
            Self::Dbm(_) => "dbm",
            Self::Autoencoder(_) => "autoencoder",
            Self::Classifier(..) => "classifier",
        }
    }

    /// Gives the widths of all layers, that of the rows first.
    pub(crate) fn widths(&self) -> Vec<usize> {
        match self {
            Self::Rbm(rbm) => vec![rbm.visible_units(), rbm.hidden_units()],
            Self::Dbn(dbn) => {
                (0..=dbn.depth()).filter_map(|l| dbn.units(l).ok()).map(|u| u.features()).collect()
            }
            Self::Dbm(dbm) => dbm.layers().iter().map(harmonium::units::Layer::features).collect(),
            Self::Autoencoder(model) => of(model.network()),
            Self::Classifier(network, _) => of(network),
        }
    }

    /// Saves the model.
    ///
    /// # Errors
    /// Says which operation failed.
    pub(crate) fn save(&self, path: &Path, origin: &Origin) -> Result<(), Error> {
        match self {
            Self::Rbm(rbm) => rbm.save(&VFS, path, origin),
            Self::Dbn(dbn) => dbn.save(&VFS, path, origin),
            Self::Dbm(dbm) => dbm.save(&VFS, path, origin),
            Self::Autoencoder(model) => model.network().save(&VFS, path, origin),
            Self::Classifier(network, dbm) => {
                if let Some(dbm) = dbm {
                    dbm.save(&VFS, &beside(path), &Origin::default())?;
                }
                network.save(&VFS, path, origin)
            }
        }
    }
}

fn of(network: &Network) -> Vec<usize> {
    let first = [network.inputs()];
    first.into_iter().chain(network.layers().iter().map(harmonium::dbn::net::Dense::units)).collect()
}
