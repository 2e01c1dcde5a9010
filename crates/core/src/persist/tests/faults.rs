//! Lets every single operation of a save fail: the file is then the old one or the new one.

use std::io::ErrorKind as Io;

use super::*;
use crate::ErrorKind;
use crate::persist::doubles::Fault;
use crate::persist::{Vfs, write_atomically, write_bytes_atomically};

const OLD: &[u8] = b"the old file";

fn save_sample(vfs: &FaultVfs) -> Result<(), Error> {
    save(vfs, Path::new(PATH), Kind::Model, &header(), &tensors())
}

fn with_old_file() -> FaultVfs {
    let vfs = FaultVfs::default();
    vfs.put(PATH, OLD);
    vfs
}

#[test]
fn a_save_syncs_before_it_renames_and_the_folder_after() {
    let vfs = with_old_file();
    save_sample(&vfs).unwrap();
    assert_eq!(vfs.disarm(), ["entry", "list", "create", "write", "sync", "rename", "sync_dir"]);
}

#[test]
fn every_failing_operation_leaves_the_old_file_or_the_new_one() {
    let new = sample();
    for kind in [Io::Other, Io::StorageFull, Io::PermissionDenied, Io::ReadOnlyFilesystem] {
        for k in 0..7 {
            let vfs = with_old_file();
            vfs.arm(k, Fault::Fail(kind));
            let result = save_sample(&vfs);
            let operation = vfs.disarm()[k];
            // Listing serves the removal of leftovers alone.
            assert_eq!(result.is_ok(), operation == "list", "{operation}");
            if let Err(error) = result {
                assert!(matches!(error.kind(), ErrorKind::Io { .. }), "{operation}: {error}");
                assert!(error.to_string().contains("/run"), "{operation}: {error}");
            }
            let placed = matches!(operation, "list" | "sync_dir");
            let expected = if placed { new.as_slice() } else { OLD };
            assert!(vfs.get(PATH).unwrap() == expected, "{operation}");
            assert_eq!(vfs.names(), [Path::new(PATH)], "{operation} left a file behind");
        }
    }
}

#[test]
fn a_short_write_and_a_full_disk_leave_the_old_file() {
    let vfs = with_old_file();
    vfs.arm(3, Fault::ShortWrite);
    let error = save_sample(&vfs).unwrap_err().to_string();
    assert!(error.starts_with("write /run/.harmonium-tmp-"), "{error}");
    assert_eq!(vfs.get(PATH).unwrap(), OLD);
    assert_eq!(vfs.names(), [Path::new(PATH)]);
}

#[test]
fn an_interrupted_write_goes_on() {
    let vfs = with_old_file();
    vfs.arm(3, Fault::Fail(Io::Interrupted));
    save_sample(&vfs).unwrap();
    assert!(vfs.get(PATH).unwrap() == sample());
}

#[test]
fn a_failed_sync_is_not_tried_again() {
    let vfs = with_old_file();
    vfs.arm(4, Fault::Fail(Io::Other));
    assert!(save_sample(&vfs).unwrap_err().to_string().starts_with("sync /run/.harmonium-tmp-"));
    assert_eq!(vfs.disarm(), ["entry", "list", "create", "write", "sync", "unlink"]);
}

#[test]
fn a_failing_source_of_bytes_leaves_the_old_file() {
    let vfs = with_old_file();
    let failed = write_atomically(&vfs, Path::new(PATH), |out| {
        out.write_all(&vec![1; 300_000])?;
        Err(std::io::Error::other("no more rows"))
    });
    assert!(failed.unwrap_err().to_string().ends_with("no more rows"));
    assert_eq!(vfs.get(PATH).unwrap(), OLD);
    assert_eq!(vfs.names(), [Path::new(PATH)]);
}

#[test]
fn the_next_save_removes_leftovers_and_nothing_else() {
    let vfs = with_old_file();
    vfs.put("/run/.harmonium-tmp-1-0", b"half a fi");
    vfs.put("/run/.harmonium-tmp-77-12", b"");
    vfs.put("/run/notes.txt", b"keep");
    vfs.put("/run/.hidden", b"keep");
    vfs.put("/other/.harmonium-tmp-1-0", b"keep");
    let busy = vfs.create_new(Path::new("/run/.harmonium-tmp-5-5")).unwrap();
    write_bytes_atomically(&vfs, Path::new(PATH), b"new").unwrap();
    let kept =
        ["/other/.harmonium-tmp-1-0", "/run/.harmonium-tmp-5-5", "/run/.hidden", PATH, "/run/notes.txt"];
    assert_eq!(vfs.names(), kept.map(std::path::PathBuf::from));
    drop(busy);
    write_bytes_atomically(&vfs, Path::new(PATH), b"newer").unwrap();
    assert!(vfs.get("/run/.harmonium-tmp-5-5").is_none());
}

#[test]
fn failing_reads_are_typed_errors() {
    let vfs = FaultVfs::default();
    vfs.put(PATH, &sample());
    vfs.arm(0, Fault::Fail(Io::PermissionDenied));
    let error = load::<Header>(&vfs, Path::new(PATH), None).unwrap_err();
    assert!(error.to_string().starts_with("open /run/model.hmn: "), "{error}");
    assert!(load::<Header>(&vfs, Path::new("/run/none"), None).is_err());
}
