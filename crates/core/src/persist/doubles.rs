//! Stands in for a disk in tests: files in memory, and a fault at any operation.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io::{self, Cursor, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use super::vfs::{Entry, Lock, Sink, Source, Vfs, held};

/// What happens at the chosen operation.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    /// It fails, once.
    Fail(ErrorKind),
    /// A write takes half of the bytes, and everything later that writes finds the disk full.
    ShortWrite,
}

#[derive(Default)]
struct State {
    files: BTreeMap<PathBuf, Vec<u8>>,
    locked: BTreeSet<PathBuf>,
    log: Vec<&'static str>,
    fault: Option<(usize, Fault)>,
    full: bool,
    rot: Option<usize>,
}

/// Files in memory; clones share them.
#[derive(Clone, Default)]
pub(super) struct FaultVfs(Arc<Mutex<State>>);

impl FaultVfs {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Puts a file there without counting an operation.
    pub(super) fn put(&self, path: impl AsRef<Path>, bytes: &[u8]) {
        self.state().files.insert(path.as_ref().to_path_buf(), bytes.to_vec());
    }

    /// Gives the content of a file.
    pub(super) fn get(&self, path: impl AsRef<Path>) -> Option<Vec<u8>> {
        self.state().files.get(path.as_ref()).cloned()
    }

    /// Lists all files.
    pub(super) fn names(&self) -> Vec<PathBuf> {
        self.state().files.keys().cloned().collect()
    }

    /// Starts the count of operations anew, with a fault at operation `k`.
    pub(super) fn arm(&self, k: usize, fault: Fault) {
        let mut state = self.state();
        state.log.clear();
        (state.fault, state.full) = (Some((k, fault)), false);
    }

    /// Takes the fault back and gives the names of the operations since.
    pub(super) fn disarm(&self) -> Vec<&'static str> {
        let mut state = self.state();
        (state.fault, state.full) = (None, false);
        std::mem::take(&mut state.log)
    }

    /// Flips a bit of this byte in every file, as soon as the file was read to its end.
    pub(super) fn rot(&self, byte: usize) {
        self.state().rot = Some(byte);
    }

    fn tick(&self, operation: &'static str) -> io::Result<()> {
        let mut state = self.state();
        state.log.push(operation);
        match state.fault {
            Some((k, Fault::Fail(kind))) if k + 1 == state.log.len() => Err(kind.into()),
            _ => Ok(()),
        }
    }

    fn release(&self, path: &Path) {
        self.state().locked.remove(path);
    }
}

struct MemSource {
    bytes: Cursor<Vec<u8>>,
    rot: Option<usize>,
}

struct MemSink {
    vfs: FaultVfs,
    path: PathBuf,
}

struct MemLock {
    vfs: FaultVfs,
    path: PathBuf,
}

impl Read for MemSource {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read(buffer)?;
        if self.bytes.position() == self.length()
            && let Some(byte) = self.rot.take()
        {
            self.bytes.get_mut()[byte] ^= 1;
        }
        Ok(read)
    }
}

impl Seek for MemSource {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.bytes.seek(position)
    }
}

impl Source for MemSource {
    fn length(&self) -> u64 {
        self.bytes.get_ref().len() as u64
    }
}

impl Write for MemSink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.vfs.tick("write")?;
        let mut state = self.vfs.state();
        if state.full {
            return Err(ErrorKind::StorageFull.into());
        }
        let short = matches!(state.fault, Some((k, Fault::ShortWrite)) if k + 1 == state.log.len());
        state.full |= short;
        let taken = if short { bytes.len() / 2 } else { bytes.len() };
        state.files.entry(self.path.clone()).or_default().extend(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink for MemSink {
    fn sync(&mut self) -> io::Result<()> {
        self.vfs.tick("sync")
    }
}

impl Drop for MemSink {
    fn drop(&mut self) {
        self.vfs.release(&self.path);
    }
}

impl Lock for MemLock {}

impl Drop for MemLock {
    fn drop(&mut self) {
        self.vfs.release(&self.path);
    }
}

impl Vfs for FaultVfs {
    fn open(&self, path: &Path) -> io::Result<Box<dyn Source>> {
        self.tick("open")?;
        let bytes = self.get(path).ok_or(ErrorKind::NotFound)?;
        Ok(Box::new(MemSource { bytes: Cursor::new(bytes), rot: self.state().rot }))
    }

    fn create_new(&self, path: &Path) -> io::Result<Box<dyn Sink>> {
        self.tick("create")?;
        let mut state = self.state();
        if state.files.contains_key(path) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        state.files.insert(path.to_path_buf(), Vec::new());
        state.locked.insert(path.to_path_buf());
        Ok(Box::new(MemSink { vfs: self.clone(), path: path.to_path_buf() }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.tick("rename")?;
        let mut state = self.state();
        let bytes = state.files.remove(from).ok_or(ErrorKind::NotFound)?;
        state.files.insert(to.to_path_buf(), bytes);
        Ok(())
    }

    fn sync_dir(&self, _dir: &Path) -> io::Result<()> {
        self.tick("sync_dir")
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<OsString>> {
        self.tick("list")?;
        let inside = |path: &PathBuf| path.parent() == Some(dir);
        Ok(self
            .names()
            .into_iter()
            .filter(inside)
            .filter_map(|path| path.file_name().map(Into::into))
            .collect())
    }

    fn unlink(&self, path: &Path) -> io::Result<()> {
        self.tick("unlink")?;
        self.state().files.remove(path).map(drop).ok_or(ErrorKind::NotFound.into())
    }

    fn entry(&self, path: &Path) -> io::Result<Entry> {
        self.tick("entry")?;
        Ok(if self.state().files.contains_key(path) { Entry::File } else { Entry::Absent })
    }

    fn create_dir(&self, _dir: &Path) -> io::Result<()> {
        self.tick("create_dir")
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Lock>> {
        self.tick("lock")?;
        let mut state = self.state();
        if !state.locked.insert(path.to_path_buf()) {
            return Err(held());
        }
        state.files.entry(path.to_path_buf()).or_default();
        Ok(Box::new(MemLock { vfs: self.clone(), path: path.to_path_buf() }))
    }
}
