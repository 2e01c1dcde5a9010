//! Keeps two generations, falls back from a damaged one, and lets in one writer.

use super::*;
use crate::ErrorKind;
use crate::persist::doubles::Fault;
use crate::persist::{Checkpoints, newest};

const FOLDER: &str = "/run";

fn path_of(step: u64) -> String {
    format!("/run/checkpoint-{step:012}.hmn")
}

fn written(steps: &[u64]) -> FaultVfs {
    let vfs = FaultVfs::default();
    let folder = Checkpoints::open(&vfs, Path::new(FOLDER)).unwrap();
    for step in steps {
        folder.save(*step, step, &tensors()).unwrap();
    }
    vfs
}

fn damage(vfs: &FaultVfs, step: u64) {
    let mut bytes = vfs.get(path_of(step)).unwrap();
    bytes[999] ^= 1;
    vfs.put(path_of(step), &bytes);
}

#[test]
fn the_two_newest_are_kept() {
    let vfs = written(&[1, 9, 10, 10, 1_000_000_000_000]);
    let names = [String::from("/run/.harmonium-lock"), path_of(10), path_of(1_000_000_000_000)];
    assert_eq!(vfs.names(), names.map(std::path::PathBuf::from));
    let found = newest::<u64>(&vfs, Path::new(FOLDER)).unwrap();
    assert_eq!(
        (found.step, found.loaded.header, found.skipped.len()),
        (1_000_000_000_000, 1_000_000_000_000, 0)
    );
}

#[test]
fn a_damaged_checkpoint_is_passed_over_with_a_notice() {
    let vfs = written(&[1, 2]);
    damage(&vfs, 2);
    let found = newest::<u64>(&vfs, Path::new(FOLDER)).unwrap();
    assert_eq!((found.step, found.loaded.tensors), (1, tensors()));
    let notice = found.skipped[0].to_string();
    assert!(notice.starts_with("/run/checkpoint-000000000002.hmn was skipped: "), "{notice}");
    assert!(notice.contains("expected bytes of CRC32C"), "{notice}");
    damage(&vfs, 1);
    let error = newest::<u64>(&vfs, Path::new(FOLDER)).unwrap_err().to_string();
    assert!(error.contains("checkpoint-000000000002.hmn"), "the newest tells most: {error}");
}

#[test]
fn a_resumed_run_goes_on_below_a_damaged_checkpoint() {
    let vfs = written(&[1, 5]);
    damage(&vfs, 5);
    let folder = Checkpoints::open(&vfs, Path::new(FOLDER)).unwrap();
    assert_eq!(folder.resume::<u64>().unwrap().step, 1);
    for step in [2, 3] {
        folder.save(step, &step, &[]).unwrap();
    }
    let names = vfs.names();
    assert!(names.contains(&format!("{}.damaged", path_of(5)).into()), "{names:?}");
    assert_eq!(newest::<u64>(&vfs, Path::new(FOLDER)).unwrap().step, 3);
    assert!(names.contains(&path_of(2).into()) && !names.contains(&path_of(1).into()), "{names:?}");
}

#[test]
fn a_step_below_the_newest_is_refused() {
    let vfs = written(&[5]);
    let folder = Checkpoints::open(&vfs, Path::new(FOLDER)).unwrap();
    let error = folder.save(4, &4_u64, &[]).unwrap_err();
    assert_eq!(error.to_string(), "step: expected 5 or more, got 4");
    assert!(matches!(error.kind(), ErrorKind::Option(_)));
}

#[test]
fn a_second_writer_is_refused_until_the_first_has_gone() {
    let vfs = FaultVfs::default();
    let first = Checkpoints::open(&vfs, Path::new(FOLDER)).unwrap();
    let error = Checkpoints::open(&vfs, Path::new(FOLDER)).err().unwrap().to_string();
    assert!(error.starts_with("lock /run/.harmonium-lock: expected no other writer"), "{error}");
    assert!(Checkpoints::open(&vfs, Path::new("/other")).is_ok());
    drop(first);
    assert!(Checkpoints::open(&vfs, Path::new(FOLDER)).is_ok());
}

#[test]
fn an_empty_folder_and_a_model_are_no_checkpoint() {
    let vfs = FaultVfs::default();
    vfs.put("/run/checkpoint-1.hmn", b"not our spelling");
    let error = newest::<u64>(&vfs, Path::new(FOLDER)).unwrap_err().to_string();
    assert!(error.contains("expected a file checkpoint-….hmn, got none"), "{error}");
    vfs.put(path_of(3), &sample());
    let error = newest::<Header>(&vfs, Path::new(FOLDER)).unwrap_err().to_string();
    assert!(error.ends_with("expected a checkpoint, got a model"), "{error}");
}

#[test]
fn a_save_that_fails_anywhere_leaves_a_checkpoint_to_load() {
    for k in 0..14 {
        let vfs = written(&[1, 2]);
        let folder = Checkpoints::open(&vfs, Path::new(FOLDER)).unwrap();
        vfs.arm(k, Fault::Fail(std::io::ErrorKind::Other));
        let saved = folder.save(3, &3_u64, &tensors());
        let operations = vfs.disarm();
        assert!(saved.is_err() || k >= operations.len() || operations[k] == "list", "{operations:?}");
        let found = newest::<u64>(&vfs, Path::new(FOLDER)).unwrap();
        assert!(found.skipped.is_empty() && found.step == found.loaded.header && found.step >= 2);
        assert!(saved.is_err() || found.step == 3);
        assert!(!vfs.names().iter().any(|name| name.to_string_lossy().contains("-tmp-")));
    }
}
