//! Meets the real file system: what is no regular file is refused, to read and to replace.

use std::io::{Read, Seek, SeekFrom};

use super::*;
use crate::persist::vfs::Entry;
use crate::persist::{Checkpoints, RealVfs, Vfs, newest, write_bytes_atomically};

fn content(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut file = RealVfs.open(path).unwrap();
    file.seek(SeekFrom::Start(1)).unwrap();
    file.read_to_end(&mut bytes).unwrap();
    assert_eq!(file.length(), bytes.len() as u64 + 1);
    bytes
}

#[test]
fn a_model_goes_to_the_disk_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.hmn");
    for _ in 0..2 {
        save(&RealVfs, &path, Kind::Model, &header(), &tensors()).unwrap();
    }
    assert_eq!(content(&path), sample()[1..]);
    assert_eq!(load::<Header>(&RealVfs, &path, Some(Kind::Model)).unwrap().tensors, tensors());
    assert_eq!(RealVfs.list(folder.path()).unwrap(), ["model.hmn"]);
}

#[test]
fn leftovers_on_the_disk_are_removed_unless_they_are_being_written() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    drop(RealVfs.create_new(&at(".harmonium-tmp-1-0")).unwrap());
    let busy = RealVfs.create_new(&at(".harmonium-tmp-1-1")).unwrap();
    assert!(RealVfs.create_new(&at(".harmonium-tmp-1-1")).is_err());
    write_bytes_atomically(&RealVfs, &at("a"), b"bytes").unwrap();
    assert_eq!(RealVfs.entry(&at(".harmonium-tmp-1-0")).unwrap(), Entry::Absent);
    assert_eq!(RealVfs.entry(&at(".harmonium-tmp-1-1")).unwrap(), Entry::File);
    drop(busy);
}

#[test]
fn saves_in_one_folder_do_not_take_each_other_for_leftovers() {
    let folder = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let path = folder.path().join(format!("file-{writer}"));
            scope.spawn(move || {
                for round in 0..25_u8 {
                    write_bytes_atomically(&RealVfs, &path, &[round; 2]).unwrap();
                    assert_eq!(content(&path), [round]);
                }
            });
        }
    });
    assert_eq!(RealVfs.list(folder.path()).unwrap().len(), 4);
}

#[test]
fn a_folder_on_the_disk_has_one_writer() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("a/b");
    let first = Checkpoints::open(&RealVfs, &run).unwrap();
    assert!(Checkpoints::open(&RealVfs, &run).is_err());
    for step in [1, 2, 3_u64] {
        first.save(step, &step, &tensors()).unwrap();
    }
    drop(first);
    assert!(Checkpoints::open(&RealVfs, &run).is_ok());
    assert_eq!(newest::<u64>(&RealVfs, &run).unwrap().step, 3);
    assert_eq!(RealVfs.list(&run).unwrap().len(), 3);
}

#[test]
fn a_directory_and_nothing_are_no_model() {
    let folder = tempfile::tempdir().unwrap();
    let error = load::<Header>(&RealVfs, folder.path(), None).unwrap_err().to_string();
    assert!(error.ends_with("expected a regular file, got a directory"), "{error}");
    assert!(load::<Header>(&RealVfs, &folder.path().join("none"), None).is_err());
    let error = write_bytes_atomically(&RealVfs, folder.path(), b"x").unwrap_err().to_string();
    assert!(error.ends_with("expected a regular file or nothing, got a directory"), "{error}");
    assert!(write_bytes_atomically(&RealVfs, &folder.path().join("none/x"), b"x").is_err());
}

#[cfg(unix)]
#[test]
fn pipes_and_devices_are_refused_without_being_opened() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for path in [pipe.as_path(), Path::new("/dev/zero"), Path::new("/dev/null")] {
        let error = load::<Header>(&RealVfs, path, None).unwrap_err().to_string();
        assert!(error.ends_with("expected a regular file, got a pipe, a socket or a device"), "{error}");
    }
    let error = write_bytes_atomically(&RealVfs, &pipe, b"x").unwrap_err().to_string();
    assert!(error.ends_with("got a pipe, a socket or a device"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_link_is_followed_to_read_and_never_replaced() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    save(&RealVfs, &at("model"), Kind::Model, &header(), &tensors()).unwrap();
    assert_eq!(at("model").metadata().unwrap().permissions().mode() & 0o777, 0o600);
    symlink(at("model"), at("link")).unwrap();
    symlink("/dev/zero", at("endless")).unwrap();
    assert!(load::<Header>(&RealVfs, &at("link"), None).is_ok());
    assert!(load::<Header>(&RealVfs, &at("endless"), None).is_err());
    assert_eq!(RealVfs.entry(&at("link")).unwrap(), Entry::Link);
    assert!(write_bytes_atomically(&RealVfs, &at("link"), b"x").is_err());
    assert!(load::<Header>(&RealVfs, &at("model"), None).is_ok());
}
