//! Reaches the file system through one trait, so that tests can stand in for a failing disk.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::path::Path;

/// What is found under a name; a symbolic link is not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Nothing.
    Absent,
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link, to whatever it may be.
    Link,
    /// A pipe, a socket, a device.
    Other,
}

/// A regular file open for reading, at any position.
pub trait Source: Read + Seek + Send {
    /// Gives the length in bytes, as it was when the file was opened.
    fn length(&self) -> u64;
}

/// A new file open for writing.
pub trait Sink: Write + Send {
    /// Brings everything written so far to the disk.
    ///
    /// # Errors
    /// What the system says; the state of the file is then unknown.
    fn sync(&mut self) -> io::Result<()>;
}

/// Holds a lock until it is dropped.
pub trait Lock: Send {}

/// The operations of a file system that this library uses; nothing else reaches a disk.
pub trait Vfs: Sync {
    /// Opens a regular file for reading; a symbolic link to one will do.
    ///
    /// # Errors
    /// `InvalidInput` for a directory, pipe, socket or device; else what the system says.
    fn open(&self, path: &Path) -> io::Result<Box<dyn Source>>;

    /// Creates a file that did not exist, for its owner alone (mode 0600), and locks it while it is open, so
    /// that a file being written can be told from a leftover of a crash.
    ///
    /// # Errors
    /// `AlreadyExists`; else what the system says.
    fn create_new(&self, path: &Path) -> io::Result<Box<dyn Sink>>;

    /// Renames a file; an existing file of the new name is replaced in one step.
    ///
    /// # Errors
    /// What the system says.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Brings the names in a directory to the disk; does nothing where the platform cannot.
    ///
    /// # Errors
    /// What the system says.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// Lists the names in a directory, in no particular order.
    ///
    /// # Errors
    /// What the system says.
    fn list(&self, dir: &Path) -> io::Result<Vec<OsString>>;

    /// Removes a file.
    ///
    /// # Errors
    /// What the system says.
    fn unlink(&self, path: &Path) -> io::Result<()>;

    /// Tells what stands under a name.
    ///
    /// # Errors
    /// What the system says; absence is no error.
    fn entry(&self, path: &Path) -> io::Result<Entry>;

    /// Creates a directory and those above it; one that exists will do.
    ///
    /// # Errors
    /// What the system says.
    fn create_dir(&self, dir: &Path) -> io::Result<()>;

    /// Takes the lock of a file, which is created where it does not exist and stays behind.
    ///
    /// # Errors
    /// `WouldBlock` when another holder, in this process or another, has it; else what the system says.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn Lock>>;
}

/// The file system of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealVfs;

struct RealSource {
    file: File,
    length: u64,
}

struct RealSink(File);

// The operating system releases the lock with the handle, also when the process is killed.
struct RealLock(#[expect(dead_code, reason = "held for its lock alone")] File);

impl Read for RealSource {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
    }
}

impl Seek for RealSource {
    fn seek(&mut self, position: io::SeekFrom) -> io::Result<u64> {
        self.file.seek(position)
    }
}

impl Source for RealSource {
    fn length(&self) -> u64 {
        self.length
    }
}

impl Write for RealSink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Sink for RealSink {
    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_all()
    }
}

impl Lock for RealLock {}

impl Vfs for RealVfs {
    fn open(&self, path: &Path) -> io::Result<Box<dyn Source>> {
        // Opening a pipe would wait for its writer, so the name is looked at first; the handle decides.
        regular(&fs::metadata(path)?)?;
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        regular(&metadata)?;
        Ok(Box::new(RealSource { file, length: metadata.len() }))
    }

    fn create_new(&self, path: &Path) -> io::Result<Box<dyn Sink>> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path)?;
        match file.try_lock() {
            // Whoever removes leftovers was quicker than the lock: the name is spent.
            Err(TryLockError::WouldBlock) => return Err(ErrorKind::AlreadyExists.into()),
            Ok(()) if self.entry(path)? != Entry::File => return Err(ErrorKind::AlreadyExists.into()),
            // A file system without locks: leftovers of a crash then stay, which does no harm.
            _ => {}
        }
        Ok(Box::new(RealSink(file)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    #[cfg(unix)]
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }

    #[cfg(not(unix))]
    fn sync_dir(&self, _dir: &Path) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<OsString>> {
        fs::read_dir(dir)?.map(|entry| Ok(entry?.file_name())).collect()
    }

    fn unlink(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn entry(&self, path: &Path) -> io::Result<Entry> {
        match fs::symlink_metadata(path) {
            Ok(metadata) => Ok(classify(&metadata)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Entry::Absent),
            Err(error) => Err(error),
        }
    }

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        fs::create_dir_all(dir)
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Lock>> {
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Box::new(RealLock(file))),
            Err(TryLockError::WouldBlock) => Err(held()),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

/// Makes the error of a lock that another writer holds.
pub(super) fn held() -> io::Error {
    io::Error::new(ErrorKind::WouldBlock, "expected no other writer, got a lock held by one")
}

fn classify(metadata: &fs::Metadata) -> Entry {
    let kind = metadata.file_type();
    match (kind.is_file(), kind.is_dir(), kind.is_symlink()) {
        (true, ..) => Entry::File,
        (_, true, _) => Entry::Directory,
        (_, _, true) => Entry::Link,
        _ => Entry::Other,
    }
}

fn regular(metadata: &fs::Metadata) -> io::Result<()> {
    let got = match classify(metadata) {
        Entry::File => return Ok(()),
        Entry::Directory => "a directory",
        _ => "a pipe, a socket or a device",
    };
    Err(io::Error::new(ErrorKind::InvalidInput, format!("expected a regular file, got {got}")))
}
