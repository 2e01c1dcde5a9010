//! Offers files whose seals are right and whose content is meant to harm.

use super::*;
use crate::ErrorKind;
use crate::persist::encode;
use crate::persist::layout::{Head, MAGIC, Section};
use crate::persist::tensor::{Descriptor, Dtype};

/// Builds a sealed file from whole sections, the first being the header.
fn forge(sections: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let mut offset = (HEAD + sections.len() * ENTRY + CHECKSUM) as u64;
    let content: usize = sections.iter().map(|(_, bytes)| bytes.len()).sum();
    let length = offset + (content + DIGEST) as u64;
    let head = Head { magic: MAGIC, version: 1, kind: 1, flags: 0, sections: sections.len() as u32, length };
    let mut bytes = head.to_bytes().to_vec();
    for (kind, content) in sections {
        let length = content.len() as u64;
        bytes.extend(Section { kind: *kind, reserved: 0, checksum: 0, offset, length }.to_bytes());
        offset += length;
    }
    bytes.extend([0; CHECKSUM]);
    bytes.extend(sections.iter().flat_map(|(_, content)| content));
    bytes.extend([0; DIGEST]);
    reseal(&mut bytes);
    bytes
}

fn with_tensors(tensors: &[Vec<u8>]) -> Vec<u8> {
    let header = (1, encode::encode(&header()).unwrap());
    let sections: Vec<_> =
        std::iter::once(header).chain(tensors.iter().map(|bytes| (2, bytes.clone()))).collect();
    forge(&sections)
}

fn section(name: &str, dtype: Dtype, rank: u8, dims: [u64; 4], values: &[u8]) -> Vec<u8> {
    let mut bytes = encode::encode(&Descriptor { name, dtype, rank, dims }).unwrap();
    bytes.extend(values);
    bytes
}

fn one(name: &str, dtype: Dtype, rank: u8, dims: [u64; 4], values: &[u8]) -> Vec<u8> {
    with_tensors(&[section(name, dtype, rank, dims, values)])
}

fn refused(bytes: &[u8], expected: &str) {
    let error = read(bytes).expect_err(expected);
    assert!(matches!(error.kind(), ErrorKind::Format(_)), "{expected}: {error}");
    assert!(error.to_string().contains(expected), "wanted {expected:?}, got {error}");
}

fn edited(at: usize, with: &[u8]) -> Vec<u8> {
    let mut bytes = sample();
    bytes[at..at + with.len()].copy_from_slice(with);
    reseal(&mut bytes);
    bytes
}

#[test]
fn the_forger_can_make_a_good_file() {
    let good = one("w", Dtype::F32, 1, [1, 0, 0, 0], &1.5_f32.to_le_bytes());
    assert_eq!(read(&good).unwrap().tensors, [tensor("w", &[1], Values::F32(vec![1.5]))]);
}

#[test]
fn heads_are_refused() {
    for version in [0_u16, 2, 65_535] {
        refused(&edited(8, &version.to_le_bytes()), "expected version 1, got version ");
    }
    for kind in [0_u8, 3, 255] {
        refused(&edited(10, &[kind]), "kind 1 (model) or 2 (checkpoint)");
    }
    refused(&edited(11, &[1]), "flags 0");
    for sections in [0_u32, 1025, u32::MAX] {
        refused(&edited(12, &sections.to_le_bytes()), "1 to 1024 sections");
    }
    refused(&edited(12, &1024_u32.to_le_bytes()), "section table");
    for length in [0_u64, 1, 1 << 32, u64::MAX] {
        refused(&edited(16, &length.to_le_bytes()), "head at byte 16");
    }
}

#[test]
fn section_tables_are_refused() {
    for entry in 0..6 {
        let at = HEAD + entry * ENTRY;
        refused(&edited(at, &9_u16.to_le_bytes()), "expected kind ");
        refused(&edited(at + 2, &[1]), "reserved");
        for number in [0_u64, 1, 1 << 32, u64::MAX] {
            refused(&edited(at + 8, &number.to_le_bytes()), "expected offset ");
            refused(&edited(at + 16, &number.to_le_bytes()), "section table, ");
        }
    }
}

#[test]
fn layouts_are_refused() {
    let good = sample();
    let entry = |index: usize| HEAD + index * ENTRY;
    let swapped = |a: usize, b: usize| {
        let mut bytes = good.clone();
        for at in 0..ENTRY {
            bytes.swap(entry(a) + at, entry(b) + at);
        }
        reseal(&mut bytes);
        bytes
    };
    refused(&swapped(1, 2), "expected offset ");
    refused(&swapped(0, 1), "expected kind 1 (header)");
    let mut doubled = good.clone();
    doubled.copy_within(entry(1)..entry(2), entry(2));
    reseal(&mut doubled);
    refused(&doubled, "expected offset ");
    let values = encode::encode(&header()).unwrap();
    refused(&forge(&[(2, vec![0; 64])]), "expected kind 1 (header)");
    refused(&forge(&[(1, values.clone()), (1, values)]), "expected kind 2 (tensor section 1)");
    refused(&forge(&[(1, vec![0; 65_537])]), "at most 65536 bytes");
}

#[test]
fn a_hole_and_an_overlap_are_refused() {
    for (offset, length) in [(1_i64, -1_i64), (-1, 1), (0, -1), (0, 1)] {
        let mut bytes = sample();
        let at = HEAD + ENTRY;
        for (at, change) in [(at + 8, offset), (at + 16, length)] {
            let old = u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
            bytes[at..at + 8].copy_from_slice(&old.wrapping_add_signed(change).to_le_bytes());
        }
        reseal(&mut bytes);
        refused(&bytes, "expected offset ");
    }
}

#[test]
fn shapes_are_refused() {
    let too_wide = (1_u64 << 31) + 1;
    for dims in [[0, 0, 0, 0], [too_wide, 0, 0, 0], [1 << 63, 0, 0, 0], [u64::MAX, 0, 0, 0]] {
        refused(&one("w", Dtype::F32, 1, dims, &[0; 4]), "dimensions from 1 to 2147483648");
    }
    refused(&one("w", Dtype::F32, 1, [1, 1, 0, 0], &[0; 4]), "dimensions from 1");
    for rank in [5, 255] {
        refused(&one("w", Dtype::F32, rank, [1; 4], &[0; 4]), "at most 4 dimensions");
    }
    // 2³¹ · 2³¹ · 4 = 2⁶⁴ bytes wraps to none, and 2³¹ · 2³¹ · 2³ to none even before the size is in.
    refused(&one("w", Dtype::F32, 2, [1 << 31, 1 << 31, 0, 0], &[]), "fewer than 2⁶⁴ bytes");
    refused(&one("w", Dtype::I64, 3, [1 << 31, 1 << 31, 8, 0], &[0; 8]), "fewer than 2⁶⁴ bytes");
    refused(&one("w", Dtype::Bits, 4, [1 << 31; 4], &[0; 8]), "fewer than 2⁶⁴ bytes");
    // The largest legal product, claimed by a file of a few hundred bytes, allocates nothing.
    refused(
        &one("w", Dtype::F32, 2, [1 << 31, 1 << 30, 0, 0], &[0; 4]),
        "9223372036854775808 bytes of values",
    );
    for size in [0, 3, 5, 8] {
        refused(&one("w", Dtype::F32, 1, [1, 0, 0, 0], &vec![0; size]), "4 bytes of values");
    }
}

#[test]
fn values_are_refused() {
    for value in [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::from_bits(0x7f80_0001)] {
        let values: Vec<u8> = [0.0, 1.0, value, value].iter().flat_map(|v: &f32| v.to_le_bytes()).collect();
        refused(&one("w/a", Dtype::F32, 2, [2, 2, 0, 0], &values), "at index 2 of tensor w/a");
    }
    let words: Vec<u8> = [0, 1, 0, 1 << 6].iter().flat_map(|w: &u64| w.to_le_bytes()).collect();
    refused(&one("h", Dtype::Bits, 2, [2, 70, 0, 0], &words), "0x40 at index 3 of tensor h");
}

#[test]
fn names_are_refused() {
    // A name beyond 128 bytes makes a descriptor longer than any that is read.
    refused(&one(&"w".repeat(129), Dtype::F32, 1, [1, 0, 0, 0], &[0; 4]), "the descriptor of a tensor");
    for name in ["", "W", "w\0", "../w", "w/../x", "/w", "w/", "a//b", ".", "..", "\u{202e}w", "w w"] {
        refused(&one(name, Dtype::F32, 1, [1, 0, 0, 0], &[0; 4]), "name");
    }
    let w = section("w", Dtype::F32, 1, [1, 0, 0, 0], &[0; 4]);
    refused(&with_tensors(&[w.clone(), w.clone()]), "w again");
    let mut invalid = w;
    invalid[8] = 0xff;
    refused(&with_tensors(&[invalid]), "the descriptor of a tensor");
    for length in [0_u64, 5, 200, 1 << 16, 1 << 32, u64::MAX] {
        let mut bytes = section("wwww", Dtype::F32, 1, [1, 0, 0, 0], &[0; 4]);
        bytes[..8].copy_from_slice(&length.to_le_bytes());
        refused(&with_tensors(&[bytes]), "tensor section 1");
    }
    let mut bytes = section("w", Dtype::F32, 1, [1, 0, 0, 0], &[0; 4]);
    bytes[9..13].copy_from_slice(&3_u32.to_le_bytes());
    refused(&with_tensors(&[bytes]), "the descriptor of a tensor");
    refused(&with_tensors(&[vec![]]), "the descriptor of a tensor");
}

#[test]
fn headers_are_refused() {
    let good = encode::encode(&header()).unwrap();
    let with = |bytes: Vec<u8>| forge(&[(1, bytes)]);
    let edited = |at: usize, new: &[u8]| {
        let mut bytes = good.clone();
        bytes[at..at + new.len()].copy_from_slice(new);
        with(bytes)
    };
    assert!(read(&with(good.clone())).is_ok());
    for length in [5_u64, 1 << 16, 1 << 32, u64::MAX] {
        refused(&edited(0, &length.to_le_bytes()), "header at byte");
        // The number of units stands behind the recipe, 8 + 4 bytes.
        refused(&edited(12, &length.to_le_bytes()), "header at byte");
    }
    refused(&edited(20, &9_u32.to_le_bytes()), "header at byte");
    refused(&edited(8, &[0xff]), "header at byte");
    for length in 0..good.len() {
        refused(&with(good[..length].to_vec()), "header at byte");
    }
    refused(&with([good.clone(), vec![0]].concat()), &format!("a header of {} bytes", good.len() + 1));
}

#[test]
fn what_is_accepted_is_what_would_be_saved() {
    // Sealed flips and sealed noise: an error, or a value that saves to the very same bytes. So no byte of
    // a file is ignored and no value has two spellings.
    let good = sample();
    let mut state = 1;
    let mut accepted = 0;
    for round in 0..8 * good.len() + 20_000 {
        let mut bytes = good.clone();
        if round < 8 * good.len() {
            bytes[round / 8] ^= 1 << (round % 8);
        } else {
            for _ in 0..=next_word(&mut state) % 4 {
                let at = next_word(&mut state) as usize % 700;
                bytes[at] = next_word(&mut state) as u8;
            }
        }
        reseal(&mut bytes);
        let Ok(Loaded { kind, header, tensors }) = read(&bytes) else { continue };
        let vfs = FaultVfs::default();
        save(&vfs, Path::new(PATH), kind, &header, &tensors).unwrap();
        assert!(vfs.get(PATH).unwrap() == bytes, "round {round}");
        accepted += 1;
    }
    // Most bits of the values may be flipped under a right seal; the test would say nothing otherwise.
    assert!(accepted > 20_000, "{accepted}");
}

#[test]
fn other_formats_are_refused() {
    let starts: [&[u8]; 8] = [
        b"",
        b"\x1f\x8b\x08\0",
        b"\x80\x04\x95",
        b"PK\x03\x04",
        b"\x7fELF\x02\x01",
        b"%PDF-1.7\n",
        b"\x93NUMPY\x01\0",
        b"\x40\0\0\0\0\0\0\0{\"__metadata__\"",
    ];
    for start in starts {
        let mut bytes = start.to_vec();
        bytes.resize(4096, 0x20);
        refused(&bytes, "expected a Harmonium file");
        // Appended to a good file they are trailing bytes.
        refused(&[sample(), bytes].concat(), "head at byte 16");
    }
}
