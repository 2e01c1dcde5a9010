//! Keeps the two newest checkpoints of a run in a folder, each under the number of its step.

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::archive::{Loaded, load, save};
use super::layout::Kind;
use super::save::sync_dir;
use super::tensor::Tensor;
use super::vfs::{Lock, Vfs};
use crate::error::{Error, ErrorKind};

/// How many generations are kept: the newest, and one to fall back on.
pub const KEPT: usize = 2;

const LOCK: &str = ".harmonium-lock";
const PREFIX: &str = "checkpoint-";
const SUFFIX: &str = ".hmn";
const DAMAGED: &str = ".damaged";

/// A folder of checkpoints with one writer.
pub struct Checkpoints<'a> {
    vfs: &'a dyn Vfs,
    folder: PathBuf,
    _lock: Box<dyn Lock>,
}

/// The newest checkpoint that could be read.
#[derive(Debug)]
pub struct Newest<H> {
    /// The number of the update it was saved after.
    pub step: u64,
    /// The file.
    pub path: PathBuf,
    /// What it held.
    pub loaded: Loaded<H>,
    /// Newer files that could not be read, newest first.
    pub skipped: Vec<Skipped>,
}

/// A checkpoint that was passed over.
#[derive(Debug)]
pub struct Skipped {
    /// The file.
    pub path: PathBuf,
    /// Why it could not be read.
    pub error: Error,
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} was skipped: {}", self.path.display(), self.error)
    }
}

impl<'a> Checkpoints<'a> {
    /// Opens a folder for writing, and creates it if need be.
    ///
    /// # Errors
    /// `Io`; of the kind `WouldBlock` while another writer has the folder.
    pub fn open(vfs: &'a dyn Vfs, folder: &Path) -> Result<Self, Error> {
        vfs.create_dir(folder).map_err(|e| Error::io("create folder", folder, e))?;
        let path = folder.join(LOCK);
        let lock = vfs.lock(&path).map_err(|e| Error::io("lock", &path, e))?;
        Ok(Self { vfs, folder: folder.to_path_buf(), _lock: lock })
    }

    /// Saves a checkpoint, then removes those older than the two newest.
    ///
    /// # Errors
    /// `Option` for a step below that of a file in the folder: it would be the first to be removed. Else as
    /// [`save`]; an error of the removal comes after the new file is safe.
    pub fn save<H: Serialize>(&self, step: u64, header: &H, tensors: &[Tensor]) -> Result<PathBuf, Error> {
        self.check_step(step)?;
        let path = self.folder.join(file_name(step));
        save(self.vfs, &path, Kind::Checkpoint, header, tensors)?;
        self.remove_old()?;
        Ok(path)
    }

    /// Loads the newest checkpoint that can be read, and sets newer, damaged ones aside under names that end
    /// in `.damaged`, so that the run can go on from the step it was loaded at.
    ///
    /// # Errors
    /// As [`newest`].
    pub fn resume<H: DeserializeOwned>(&self) -> Result<Newest<H>, Error> {
        let newest = newest(self.vfs, &self.folder)?;
        for Skipped { path, .. } in &newest.skipped {
            let mut aside = path.clone().into_os_string();
            aside.push(DAMAGED);
            self.vfs.rename(path, Path::new(&aside)).map_err(|e| Error::io("rename", path, e))?;
        }
        if !newest.skipped.is_empty() {
            sync_dir(self.vfs, &self.folder)?;
        }
        Ok(newest)
    }

    fn check_step(&self, step: u64) -> Result<(), Error> {
        match steps(self.vfs, &self.folder)?.first() {
            Some(&newest) if newest > step => Err(Error::option("step", format!("{newest} or more"), step)),
            _ => Ok(()),
        }
    }

    fn remove_old(&self) -> Result<(), Error> {
        let steps = steps(self.vfs, &self.folder)?;
        let Some(old) = steps.get(KEPT..).filter(|old| !old.is_empty()) else { return Ok(()) };
        for step in old {
            let path = self.folder.join(file_name(*step));
            self.vfs.unlink(&path).map_err(|e| Error::io("remove", &path, e))?;
        }
        sync_dir(self.vfs, &self.folder)
    }
}

/// Loads the newest checkpoint in a folder that can be read and tells which newer ones could not.
///
/// # Errors
/// `Io` of the kind `NotFound` where there is none, and any other `Io` as it comes: a file that can't be read now is not
/// a damaged one. Where all are damaged, the error of the newest.
pub fn newest<H: DeserializeOwned>(vfs: &dyn Vfs, folder: &Path) -> Result<Newest<H>, Error> {
    let mut skipped = Vec::new();
    for step in steps(vfs, folder)? {
        let path = folder.join(file_name(step));
        match load(vfs, &path, Some(Kind::Checkpoint)) {
            Ok(loaded) => return Ok(Newest { step, path, loaded, skipped }),
            Err(error) if matches!(error.kind(), ErrorKind::Io { .. }) => return Err(error),
            Err(error) => skipped.push(Skipped { path, error }),
        }
    }
    Err(skipped.into_iter().next().map_or_else(|| none_in(folder), |first| first.error))
}

fn none_in(folder: &Path) -> Error {
    let message = format!("expected a file {PREFIX}…{SUFFIX}, got none");
    Error::io("look for a checkpoint in", folder, io::Error::new(io::ErrorKind::NotFound, message))
}

/// Lists the steps of the checkpoints in a folder, newest first.
fn steps(vfs: &dyn Vfs, folder: &Path) -> Result<Vec<u64>, Error> {
    let names = vfs.list(folder).map_err(|e| Error::io("list", folder, e))?;
    let mut steps: Vec<u64> = names.iter().filter_map(|name| step_of(name)).collect();
    steps.sort_unstable_by(|a, b| b.cmp(a));
    Ok(steps)
}

fn file_name(step: u64) -> String {
    format!("{PREFIX}{step:012}{SUFFIX}")
}

fn step_of(name: &OsStr) -> Option<u64> {
    let name = name.to_str()?;
    let step = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?.parse().ok()?;
    // One spelling a step, so that no two files stand for one.
    (file_name(step) == name).then_some(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_has_one_name() {
        for step in [0, 7, 999_999_999_999, 1_000_000_000_000, u64::MAX] {
            assert_eq!(step_of(OsStr::new(&file_name(step))), Some(step));
        }
        assert_eq!(file_name(12_345), "checkpoint-000000012345.hmn");
        for other in
            ["checkpoint-7.hmn", "checkpoint-+00000000007.hmn", "checkpoint-000000000007.hmn.damaged"]
        {
            assert_eq!(step_of(OsStr::new(other)), None, "{other}");
        }
    }
}
