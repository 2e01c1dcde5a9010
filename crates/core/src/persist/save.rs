//! Writes a file so that its name stands for the old content or the new one, whatever happens in between.

use std::ffi::OsStr;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::vfs::{Entry, Sink, Vfs};
use crate::error::Error;

/// The names of files in the making start so; the next save removes those that nobody writes any more.
const TEMPORARY: &str = ".harmonium-tmp-";

const BUFFER: usize = 64 * 1024;

// Two processes with one number (containers on a shared folder) may want one name; a few tries part them.
const TRIES: usize = 16;

/// Writes a file through `fill`: new sibling, sync, rename, sync of the folder.
///
/// A failed sync is not tried again: the system may have dropped the pages, and a second sync would lie.
/// Where a platform cannot sync a folder, the promise covers a killed process, not a power cut.
///
/// # Errors
/// `Io`, with the operation and the path that failed. Up to the rename the file at `path` is untouched and
/// the sibling is removed; after it the file at `path` is the new one. A `path` at which a directory, a
/// link, a pipe or a device stands is refused.
pub fn write_atomically(
    vfs: &dyn Vfs,
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Error> {
    let folder = folder_of(path);
    check_target(vfs, path)?;
    remove_leftovers(vfs, folder);
    let (temporary, sink) = create(vfs, folder)?;
    let placed = place(vfs, (&temporary, path), sink, fill);
    if placed.is_err() {
        // The first error is the one to report; a sibling that stays is removed by the next save.
        let _ = vfs.unlink(&temporary);
    }
    placed?;
    sync_dir(vfs, folder)
}

/// Writes bytes as [`write_atomically`] does.
///
/// # Errors
/// As there.
pub fn write_bytes_atomically(vfs: &dyn Vfs, path: &Path, bytes: &[u8]) -> Result<(), Error> {
    write_atomically(vfs, path, |out| out.write_all(bytes))
}

/// Syncs a folder.
pub(super) fn sync_dir(vfs: &dyn Vfs, folder: &Path) -> Result<(), Error> {
    vfs.sync_dir(folder).map_err(|e| Error::io("sync folder", folder, e))
}

// A rename would replace a device or a link by a file, and a run as root would lose `/dev/null`.
fn check_target(vfs: &dyn Vfs, path: &Path) -> Result<(), Error> {
    let got = match vfs.entry(path).map_err(|e| Error::io("look at", path, e))? {
        Entry::Absent | Entry::File => return Ok(()),
        Entry::Directory => "a directory",
        Entry::Link => "a symbolic link",
        Entry::Other => "a pipe, a socket or a device",
    };
    let message = format!("expected a regular file or nothing, got {got}");
    Err(Error::io("replace", path, io::Error::new(ErrorKind::InvalidInput, message)))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn create(vfs: &dyn Vfs, folder: &Path) -> Result<(PathBuf, Box<dyn Sink>), Error> {
    let mut path = fresh_name(folder);
    for _ in 1..TRIES {
        match vfs.create_new(&path) {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => path = fresh_name(folder),
            other => return opened(path, other),
        }
    }
    let last = vfs.create_new(&path);
    opened(path, last)
}

fn opened(path: PathBuf, sink: io::Result<Box<dyn Sink>>) -> Result<(PathBuf, Box<dyn Sink>), Error> {
    match sink {
        Ok(sink) => Ok((path, sink)),
        Err(e) => Err(Error::io("create", &path, e)),
    }
}

fn fresh_name(folder: &Path) -> PathBuf {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    folder.join(format!("{TEMPORARY}{}-{number}", std::process::id()))
}

fn place(
    vfs: &dyn Vfs,
    (temporary, path): (&Path, &Path),
    sink: Box<dyn Sink>,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Error> {
    let mut out = BufWriter::with_capacity(BUFFER, sink);
    let filled = fill(&mut out).and_then(|()| out.flush());
    // Taken apart and not dropped: a drop would try to write the rest once more. The file stays open, and
    // with it locked, until it has its name: else the save of another file would take it for a leftover.
    let (mut sink, _) = out.into_parts();
    filled.map_err(|e| Error::io("write", temporary, e))?;
    mutant!("B57", sink.sync(), Ok(())).map_err(|e| Error::io("sync", temporary, e))?;
    vfs.rename(temporary, path).map_err(|e| Error::io("rename", path, e))
}

// Leftovers cost space and nothing else, so a failure to remove them stops no save.
fn remove_leftovers(vfs: &dyn Vfs, folder: &Path) {
    for name in vfs.list(folder).unwrap_or_default() {
        if is_temporary(&name) {
            remove_leftover(vfs, &folder.join(name));
        }
    }
}

fn remove_leftover(vfs: &dyn Vfs, path: &Path) {
    // A writer at work holds the lock of its file; after a crash nobody does.
    if let Ok(_lock) = vfs.lock(path) {
        let _ = vfs.unlink(path);
    }
}

fn is_temporary(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(TEMPORARY.as_bytes())
}
