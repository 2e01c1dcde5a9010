//! Writes a whole stack, or its training in any phase, as one file, and reads it back checked.

use std::path::Path;

use harmonium_core::Error;
use harmonium_core::persist::{Kind, Loaded, Tensor, Vfs, load, save};
use harmonium_core::train::Snapshot;
use harmonium_rbm::{Classifier, Header as Machine, Origin, Rbm};
use serde::{Deserialize, Serialize};

use super::directed::Directed;
use super::top::Top;
use super::tuning::Standing;
use super::{Dbn, Greedy, Stacking};
use crate::names::check_depth;

/// The names of both in files.
const MODEL: &str = "dbn";
const TRAINING: &str = "dbn training";

/// Says what the file of a stack holds besides its tensors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// The kind of model.
    pub model: String,
    /// The machines, that of the data first; the label's units are the last visible ones of the top machine.
    pub machines: Vec<Machine>,
    /// The recognition halves of those below the top, if they have weights of their own.
    pub recognition: Vec<Machine>,
    /// K; 0 without a label.
    pub classes: u64,
    /// The seed of the training.
    pub seed: u64,
    /// Updates done, as the one who saved it counts them.
    pub step: u64,
    /// The recipe as JSON; empty for a stack that was put together.
    pub recipe: String,
}

/// Says what the file of a stack's training holds besides its tensors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StackingHeader {
    /// The kind of file.
    pub model: String,
    /// The machines whose greedy training is over.
    pub finished: Vec<Machine>,
    /// The machine in training, if there is one.
    pub current: Option<Machine>,
    /// The halves of all machines in up-down, generative and recognition half in turn, and the top.
    pub tuned: Vec<Machine>,
    /// Whether up-down is over.
    pub done: bool,
    /// K; 0 without a label.
    pub classes: u64,
    /// The seed of the training.
    pub seed: u64,
    /// The recipe as JSON.
    pub recipe: String,
}

impl Dbn {
    /// Makes the header and the tensors of a file: all machines on their grids, each below a name of its own.
    pub fn to_tensors(&self, origin: &Origin) -> (Header, Vec<Tensor>) {
        let (mut machines, mut recognition, mut tensors) = (Vec::new(), Vec::new(), Vec::new());
        for (name, rbm) in self.named() {
            let (header, own) = rbm.to_tensors(&Origin::default());
            if name.starts_with(RECOGNITION) { &mut recognition } else { &mut machines }.push(header);
            tensors.extend(below(&name, own));
        }
        let header = Header {
            model: MODEL.into(),
            machines,
            recognition,
            classes: self.classes().unwrap_or(0) as u64,
            seed: origin.seed,
            step: origin.step,
            recipe: origin.recipe.clone(),
        };
        (header, tensors)
    }

    /// Saves the stack.
    ///
    /// # Errors
    /// Says which operation on which file failed; an older file is then untouched.
    pub fn save(&self, vfs: &dyn Vfs, path: &Path, origin: &Origin) -> Result<(), Error> {
        let (header, tensors) = self.to_tensors(origin);
        save(vfs, path, Kind::Model, &header, &tensors)
    }

    /// Loads a stack.
    ///
    /// # Errors
    /// Names what is wrong with the file, and where.
    pub fn load(vfs: &dyn Vfs, path: &Path) -> Result<(Self, Header), Error> {
        Self::from_loaded(load(vfs, path, Some(Kind::Model))?)
    }

    /// Makes a stack from a loaded file.
    ///
    /// # Errors
    /// Names what is missing or does not fit.
    pub fn from_loaded(loaded: Loaded<Header>) -> Result<(Self, Header), Error> {
        let (header, mut parts) = (loaded.header, Parts(loaded.tensors));
        check_model(MODEL, &header.model)?;
        check_depth(header.machines.len())?;
        let numbered = |stem: &str, n: usize| format!("{stem}{}", n + 1);
        let read = |parts: &mut Parts, stem: &str, all: &[Machine]| {
            let each = all.iter().enumerate();
            each.map(|(n, own)| parts.machine(&numbered(stem, n), own)).collect::<Result<Vec<_>, Error>>()
        };
        let mut machines = read(&mut parts, MACHINE, &header.machines)?;
        let recognition = read(&mut parts, RECOGNITION, &header.recognition)?;
        parts.finished()?;
        let top = machines.pop().ok_or_else(|| Error::format("header", "machines", "one at least", 0))?;
        let top = match header.classes {
            0 => Top::Plain(top),
            classes => Top::Labelled(Classifier::from_rbm(top, classes as usize)?),
        };
        let tied = Self::new(machines.into_iter().map(Directed::tied).collect(), top)?;
        let untied = !recognition.is_empty();
        Ok((if untied { tied.with_recognition(recognition)? } else { tied }, header))
    }
}

/// What stands before the numbers of machines.
const MACHINE: &str = "machine_";
const RECOGNITION: &str = "recognition_";
const CURRENT: &str = "current";
const TUNED: &str = "tuned_";

impl Stacking {
    /// Makes the header and the tensors of a training, whatever its phase.
    pub fn to_tensors(&self, origin: &Origin) -> (StackingHeader, Vec<Tensor>) {
        let (none, mut tensors) = (Origin::default(), Vec::new());
        let mut put = |name: &str, (header, own): (Machine, Vec<Tensor>)| {
            tensors.extend(below(name, own));
            header
        };
        let finished = self.finished.iter().enumerate();
        let finished =
            finished.map(|(n, rbm)| put(&format!("{MACHINE}{}", n + 1), rbm.to_tensors(&none))).collect();
        let current = self.current.as_ref().map(|(rbm, at)| put(CURRENT, rbm.to_checkpoint(at, &none)));
        let mut tuned = Vec::new();
        for (n, rbm) in self.tuned.iter().flat_map(|standing| &standing.machines).enumerate() {
            let at = self.tuned.as_ref().and_then(|standing| standing.snapshots.get(n));
            let own = at.map_or_else(|| rbm.to_tensors(&none), |at| rbm.to_checkpoint(at, &none));
            tuned.push(put(&format!("{TUNED}{}", n + 1), own));
        }
        let header = StackingHeader {
            model: TRAINING.into(),
            finished,
            current,
            tuned,
            done: self.tuned.as_ref().is_some_and(Standing::is_done),
            classes: self.plan.classes.unwrap_or(0) as u64,
            seed: origin.seed,
            recipe: origin.recipe.clone(),
        };
        (header, tensors)
    }

    /// Saves the training.
    ///
    /// # Errors
    /// Says which operation on which file failed; an older file is then untouched.
    pub fn save(&self, vfs: &dyn Vfs, path: &Path, origin: &Origin) -> Result<(), Error> {
        let (header, tensors) = self.to_tensors(origin);
        save(vfs, path, Kind::Checkpoint, &header, &tensors)
    }

    /// Loads a training, which goes on by this plan.
    ///
    /// # Errors
    /// Names what is wrong with the file, and where; refuses a plan of other machines.
    pub fn load(vfs: &dyn Vfs, path: &Path, plan: Greedy) -> Result<(Self, StackingHeader), Error> {
        Self::from_loaded(load(vfs, path, Some(Kind::Checkpoint))?, plan)
    }

    /// Makes a training from a loaded file.
    ///
    /// # Errors
    /// Names what is missing or does not fit.
    pub fn from_loaded(
        loaded: Loaded<StackingHeader>,
        plan: Greedy,
    ) -> Result<(Self, StackingHeader), Error> {
        let (header, mut parts) = (loaded.header, Parts(loaded.tensors));
        check_model(TRAINING, &header.model)?;
        let mut out = Self::new(plan)?;
        for (n, own) in header.finished.iter().enumerate() {
            out.finished.push(parts.machine(&format!("{MACHINE}{}", n + 1), own)?);
        }
        if let Some(own) = &header.current {
            out.current = Some(parts.standing(CURRENT, own)?);
        }
        let mut standing = Standing { machines: Vec::new(), snapshots: Vec::new() };
        for (n, own) in header.tuned.iter().enumerate() {
            let name = format!("{TUNED}{}", n + 1);
            if header.done {
                standing.machines.push(parts.machine(&name, own)?);
            } else {
                let (machine, snapshot) = parts.standing(&name, own)?;
                standing.machines.push(machine);
                standing.snapshots.push(snapshot);
            }
        }
        out.tuned = (!standing.machines.is_empty()).then_some(standing);
        parts.finished()?;
        out.check_file(header.classes)?;
        Ok((out, header))
    }

    /// Refuses a file of another plan.
    fn check_file(&self, classes: u64) -> Result<(), Error> {
        let refusal =
            |place: &str, expected: String, got: String| Err(Error::format("training", place, expected, got));
        let (planned, kept) = (self.plan.layers.len(), self.finished.len());
        if self.plan.classes.unwrap_or(0) as u64 != classes {
            return refusal("classes", self.plan.classes.unwrap_or(0).to_string(), classes.to_string());
        }
        let begun = kept + usize::from(self.current.is_some());
        if begun > planned || self.tuned.is_some() && kept != planned {
            return refusal("machines", format!("those of {planned} recipes"), begun.to_string());
        }
        if self.tuned.as_ref().is_some_and(|standing| standing.machines.len() != 2 * planned - 1) {
            return refusal("up-down", format!("{} machines", 2 * planned - 1), "others".into());
        }
        let begun = self.finished.iter().chain(self.current.iter().map(|(rbm, _)| rbm));
        for (recipe, rbm) in self.plan.layers.iter().zip(begun) {
            if recipe.fit.growth.is_empty() && rbm.hidden().units() != recipe.hidden {
                return refusal("hidden units", recipe.hidden.to_string(), rbm.hidden().units().to_string());
            }
        }
        if self.finished.is_empty() && self.tuned.is_none() { Ok(()) } else { self.stack().map(|_| ()) }
    }
}

fn check_model(expected: &str, got: &str) -> Result<(), Error> {
    if got == expected {
        return Ok(());
    }
    Err(Error::format("header", "model", expected, format!("{got:?}")))
}

/// Puts tensors below a name.
fn below(name: &str, tensors: Vec<Tensor>) -> impl Iterator<Item = Tensor> {
    tensors.into_iter().map(move |tensor| Tensor { name: format!("{name}/{}", tensor.name), ..tensor })
}

/// Hands out the tensors of a file by the machine that they belong to.
struct Parts(Vec<Tensor>);

impl Parts {
    fn take(&mut self, name: &str, kind: Kind, header: &Machine) -> Loaded<Machine> {
        let prefix = format!("{name}/");
        let (own, rest) =
            std::mem::take(&mut self.0).into_iter().partition(|t: &Tensor| t.name.starts_with(&prefix));
        self.0 = rest;
        let bare = |t: Tensor| Tensor { name: t.name[prefix.len()..].to_owned(), ..t };
        Loaded { kind, header: header.clone(), tensors: Vec::into_iter(own).map(bare).collect() }
    }

    fn machine(&mut self, name: &str, header: &Machine) -> Result<Rbm, Error> {
        Ok(Rbm::from_loaded(self.take(name, Kind::Model, header))?.0)
    }

    fn standing(&mut self, name: &str, header: &Machine) -> Result<(Rbm, Snapshot), Error> {
        let (rbm, snapshot, _) = Rbm::from_checkpoint(self.take(name, Kind::Checkpoint, header))?;
        Ok((rbm, snapshot))
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
