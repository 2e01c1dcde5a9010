//! Writes machines to files, and reads them back checked.

use std::path::Path;

use harmonium_core::persist::{Kind, Loaded, Tensor, Values, Vfs, load, save};
use harmonium_core::units::Units;
use harmonium_core::{EnergyModel, Error, HasParams};
use serde::{Deserialize, Serialize};

use crate::{Colouring, Graph, Machine, Rule, Scan, Storage};

/// Says what a file holds besides its tensors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// The kind of model.
    pub model: String,
    /// The kind and number of all units.
    pub units: Units,
    /// How many of the last units are hidden.
    pub hidden: u64,
    /// s of the couplings' grid.
    pub shift: i32,
    /// How a unit is drawn.
    pub rule: Rule,
    /// How couplings are stored for sampling.
    pub storage: Storage,
}

/// The name of the model in files.
const MODEL: &str = "machine";

impl Machine {
    /// Makes the header and the tensors of a model file: graph, machine on its grid, colours of the scan, and base.
    pub fn to_tensors(&self) -> (Header, Vec<Tensor>) {
        let header = Header {
            model: MODEL.into(),
            units: self.units.clone(),
            hidden: self.hidden_units() as u64,
            shift: self.shift(),
            rule: self.rule,
            storage: self.storage,
        };
        let colours = match &self.scan {
            Scan::Sequential => Vec::new(),
            Scan::Coloured(colouring) => {
                colouring.colours_of().iter().map(|&colour| i64::from(colour)).collect()
            }
        };
        let ends = |list: &[u32]| list.iter().map(|&unit| i64::from(unit)).collect::<Vec<_>>();
        let tensors = [
            integers("edges", 2, ends(self.graph.edges().as_flattened())),
            integers("triples", 3, ends(self.triples.as_flattened())),
            integers("colours", 1, colours),
            floats("couplings", self.couplings()),
            floats("biases", self.biases.clone()),
            floats("strengths", self.strengths()),
            floats("base", self.base.clone()),
        ];
        // An array without entries has no place in a file.
        (header, tensors.into_iter().filter(|tensor| tensor.shape[0] > 0).collect())
    }

    /// Saves the machine.
    ///
    /// # Errors
    /// Says which operation on which file failed; an older file is then untouched.
    pub fn save(&self, vfs: &dyn Vfs, path: &Path) -> Result<(), Error> {
        let (header, tensors) = self.to_tensors();
        save(vfs, path, Kind::Model, &header, &tensors)
    }

    /// Loads a machine.
    ///
    /// # Errors
    /// Names what is wrong with the file, and where.
    pub fn load(vfs: &dyn Vfs, path: &Path) -> Result<Self, Error> {
        Self::from_loaded(load(vfs, path, None)?)
    }

    /// Makes a machine from a loaded file.
    ///
    /// # Errors
    /// Names what is missing or does not fit.
    pub fn from_loaded(loaded: Loaded<Header>) -> Result<Self, Error> {
        let Loaded { header, tensors, .. } = loaded;
        if header.model != MODEL {
            return Err(Error::format("header", "model", MODEL, format!("{:?}", header.model)));
        }
        let mut tensors = Tensors(tensors);
        let biases = tensors.floats("biases")?;
        // A header alone must not fill the memory.
        if biases.len() != header.units.features() {
            return Err(Error::format(
                "biases",
                "",
                format!("{} of them", header.units.features()),
                biases.len(),
            ));
        }
        let graph = Graph::new(header.units.count(), lists(&tensors.indices("edges")?))?;
        let triples: Vec<[usize; 3]> = lists(&tensors.indices("triples")?);
        let couplings = tensors.floats("couplings")?;
        let mut out = Self::from_parts(graph, header.units, couplings, biases)?;
        out = out.with_hidden(usize::try_from(header.hidden).unwrap_or(usize::MAX))?;
        out = out.with_triples_if_any(&triples, tensors.floats("strengths")?)?;
        out.set_base(&tensors.floats("base")?)?;
        let colours: Vec<u32> = tensors.indices("colours")?.into_iter().map(|c| c as u32).collect();
        if !colours.is_empty() {
            let colouring = Colouring::new(&out.graph, &out.triples, colours)?;
            out = out.with_scan(Scan::Coloured(colouring))?;
        }
        tensors.finished()?;
        out.restore(&out.params(), header.shift)?;
        Ok(out.with_rule(header.rule).with_storage(header.storage))
    }

    fn with_triples_if_any(self, triples: &[[usize; 3]], strengths: Vec<f32>) -> Result<Self, Error> {
        if triples.is_empty() && strengths.is_empty() {
            Ok(self)
        } else {
            self.with_triples(triples, strengths)
        }
    }
}

fn integers(name: &str, width: usize, values: Vec<i64>) -> Tensor {
    Tensor { name: name.into(), shape: vec![values.len() / width, width], values: Values::I64(values) }
}

fn floats(name: &str, values: Vec<f32>) -> Tensor {
    Tensor { name: name.into(), shape: vec![values.len()], values: Values::F32(values) }
}

/// Cuts a list into parts of one length.
fn lists<const N: usize>(values: &[usize]) -> Vec<[usize; N]> {
    values.chunks_exact(N).map(|part| std::array::from_fn(|at| part[at])).collect()
}

/// Hands out the tensors of a file by name, each once; one that is not there is empty.
struct Tensors(Vec<Tensor>);

impl Tensors {
    fn take(&mut self, name: &str) -> Option<Tensor> {
        self.0.iter().position(|t| t.name == name).map(|at| self.0.swap_remove(at))
    }

    fn floats(&mut self, name: &str) -> Result<Vec<f32>, Error> {
        match self.take(name).map(|tensor| tensor.values) {
            None => Ok(Vec::new()),
            Some(Values::F32(values)) => Ok(values),
            Some(_) => Err(Error::format("tensors", name, "f32", "another kind")),
        }
    }

    fn indices(&mut self, name: &str) -> Result<Vec<usize>, Error> {
        let values = match self.take(name).map(|tensor| tensor.values) {
            None => Vec::new(),
            Some(Values::I64(values)) => values,
            Some(_) => return Err(Error::format("tensors", name, "integers", "another kind")),
        };
        let index = |&value: &i64| {
            let fits = u32::try_from(value).ok();
            fits.map(|value| value as usize).ok_or_else(|| Error::format("tensors", name, "indices", value))
        };
        values.iter().map(index).collect()
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
