//! Damages a file of 4 KiB in every small way there is; each must be noticed.

use super::*;
use crate::ErrorKind;

#[test]
fn every_flipped_bit_is_noticed() {
    let mut bytes = sample();
    for bit in 0..8 * bytes.len() {
        bytes[bit / 8] ^= 1 << (bit % 8);
        let error = read(&bytes).expect_err("a flipped bit went unnoticed");
        assert!(matches!(error.kind(), ErrorKind::Format(_)), "bit {bit}: {error}");
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
    assert!(read(&bytes).is_ok());
}

#[test]
fn every_byte_set_to_00_or_ff_is_noticed() {
    let good = sample();
    for index in 0..good.len() {
        for value in [0, 0xff] {
            let mut bytes = good.clone();
            bytes[index] = value;
            assert_eq!(read(&bytes).is_ok(), bytes == good, "byte {index} set to {value}");
        }
    }
}

#[test]
fn every_truncation_is_noticed() {
    let bytes = sample();
    for length in 0..bytes.len() {
        let error = read(&bytes[..length]).expect_err("a truncated file was read");
        assert!(matches!(error.kind(), ErrorKind::Format(_)), "{length} bytes: {error}");
    }
}

#[test]
fn trailing_bytes_are_noticed() {
    for extra in [1, 2, 8, 32, 4096] {
        let mut bytes = sample();
        bytes.extend(vec![0; extra]);
        assert!(message(&bytes).contains("head at byte 16"), "{extra} bytes");
    }
}

#[test]
fn a_message_names_part_place_expected_and_got() {
    let good = sample();
    let mut bytes = good.clone();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let digest = format!("digest at byte {}: expected bytes of BLAKE3 ", good.len() - 32);
    assert!(message(&bytes).contains(&digest), "{}", message(&bytes));
    // Head, table of six sections and its checksum take 172 bytes; the header follows.
    let mut bytes = good.clone();
    bytes[175] ^= 4;
    assert!(message(&bytes).contains("/run/model.hmn: header at byte 172: expected bytes of CRC32C "));
    let mut bytes = good.clone();
    bytes[600] ^= 4;
    assert!(message(&bytes).contains("tensor section 1 at byte "), "{}", message(&bytes));
    let mut bytes = good;
    bytes[40] ^= 4;
    assert!(message(&bytes).contains("section table at byte 168: expected bytes of CRC32C "));
}

#[test]
fn a_file_that_changes_while_it_is_read_is_refused() {
    let vfs = FaultVfs::default();
    vfs.put(PATH, &sample());
    vfs.rot(1_000);
    let error = load::<Header>(&vfs, Path::new(PATH), None).unwrap_err().to_string();
    assert!(error.contains("tensor section 1 at byte "), "{error}");
    assert!(error.contains("a file changed while it was read"), "{error}");
}
