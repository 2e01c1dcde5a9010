//! Proves that a file has its name only once its bytes are on the disk, and that damage is named where it is.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};

use harmonium::persist::vfs::{Entry, Lock, Sink, Source};
use harmonium::persist::{Kind, RealVfs, Tensor, Values, Vfs, load, save};

type Log = Arc<Mutex<Vec<&'static str>>>;

/// The real file system, with a log of what is done to it.
#[derive(Default)]
struct Logged(Log);

/// A new file whose operations are logged.
struct LoggedSink(Box<dyn Sink>, Log);

impl Logged {
    fn note(&self, operation: &'static str) {
        self.0.lock().expect("no panic while logging").push(operation);
    }
}

impl Write for LoggedSink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.1.lock().expect("no panic while logging").push("write");
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Sink for LoggedSink {
    fn sync(&mut self) -> io::Result<()> {
        self.1.lock().expect("no panic while logging").push("sync");
        self.0.sync()
    }
}

impl Vfs for Logged {
    fn open(&self, path: &Path) -> io::Result<Box<dyn Source>> {
        RealVfs.open(path)
    }
    fn create_new(&self, path: &Path) -> io::Result<Box<dyn Sink>> {
        self.note("create");
        RealVfs.create_new(path).map(|sink| Box::new(LoggedSink(sink, Arc::clone(&self.0))) as Box<dyn Sink>)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.note("rename");
        RealVfs.rename(from, to)
    }
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.note("sync folder");
        RealVfs.sync_dir(dir)
    }
    fn list(&self, dir: &Path) -> io::Result<Vec<OsString>> {
        RealVfs.list(dir)
    }
    fn unlink(&self, path: &Path) -> io::Result<()> {
        self.note("unlink");
        RealVfs.unlink(path)
    }
    fn entry(&self, path: &Path) -> io::Result<Entry> {
        RealVfs.entry(path)
    }
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        RealVfs.create_dir(dir)
    }
    fn lock(&self, path: &Path) -> io::Result<Box<dyn Lock>> {
        RealVfs.lock(path)
    }
}

/// A crash between rename and sync may leave the new name with the bytes of neither file, so nothing is renamed before
/// its last byte was synced, and the folder is synced after.
#[test]
fn files_are_synced_before_they_are_renamed() {
    let (folder, vfs) = (tempfile::tempdir().unwrap(), Logged::default());
    let tensor = Tensor { name: "w".into(), shape: vec![3], values: Values::F32(vec![1.0, 2.0, 3.0]) };
    save(&vfs, &folder.path().join("a"), Kind::Model, &7_u64, &[tensor]).unwrap();
    let mut log = vfs.0.lock().unwrap().clone();
    log.dedup();
    assert_eq!(log, ["create", "write", "sync", "rename", "sync folder"]);
}

const DIGEST: usize = 32;

/// A bit of the header flipped and the overall digest made anew: only the section's own checksum can tell.
#[test]
fn damage_is_named_by_section() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    save(&RealVfs, &path, Kind::Model, &"a header of some bytes".to_string(), &[]).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    let end = bytes.len() - DIGEST;
    bytes[end - 1] ^= 1;
    let digest = blake3::hash(&bytes[..end]);
    bytes[end..].copy_from_slice(digest.as_bytes());
    std::fs::write(&path, &bytes).unwrap();
    let error = load::<String>(&RealVfs, &path, None).unwrap_err().to_string();
    assert!(error.contains("header") && error.contains("CRC32C"), "{error}");
}
