//! Tries to break the format, the saving and the folder of checkpoints.

mod damage;
mod exports;
mod faults;
mod generations;
mod hostile;
mod paths;
mod round_trip;

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::doubles::FaultVfs;
use super::layout::{CHECKSUM, DIGEST, ENTRY, HEAD};
use super::{Kind, Loaded, Tensor, Values, load, save};
use crate::error::Error;

const PATH: &str = "/run/model.hmn";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Units {
    Bernoulli(u64),
    Gaussian { units: u64, fixed: bool },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Header {
    recipe: String,
    units: Vec<Units>,
    rates: Vec<f64>,
    note: Option<String>,
    step: u64,
}

fn header() -> Header {
    Header {
        recipe: "cd-1".into(),
        units: vec![Units::Bernoulli(30), Units::Gaussian { units: 28, fixed: true }],
        rates: vec![0.05, -0.0, 1e-300],
        note: Some("größer".into()),
        step: u64::MAX,
    }
}

fn tensor(name: &str, shape: &[usize], values: Values) -> Tensor {
    Tensor { name: name.into(), shape: shape.to_vec(), values }
}

/// Tensors of every type and rank; with the header, a file of about 4 KiB.
fn tensors() -> Vec<Tensor> {
    let floats = |n: u16| (0..n).map(|i| f32::from(i).mul_add(0.37, -9.0)).collect::<Vec<_>>();
    let edges = vec![0.0, -0.0, f32::MIN_POSITIVE / 4.0, f32::MAX, f32::MIN, 1e-38];
    vec![
        tensor("layer-0/weights", &[30, 28], Values::F32(floats(840))),
        tensor("layer-0/edges", &[1, 3, 1, 2], Values::F32(edges)),
        tensor("chains", &[3, 70], Values::Bits(vec![u64::MAX, 63, 0, 1, 1 << 63, 32])),
        tensor("counts", &[2, 1, 2], Values::I64(vec![i64::MIN, -1, 0, i64::MAX])),
        tensor("scalar", &[], Values::I64(vec![7])),
    ]
}

fn sample() -> Vec<u8> {
    let vfs = FaultVfs::default();
    save(&vfs, Path::new(PATH), Kind::Model, &header(), &tensors()).unwrap();
    vfs.get(PATH).unwrap()
}

fn read(bytes: &[u8]) -> Result<Loaded<Header>, Error> {
    let vfs = FaultVfs::default();
    vfs.put(PATH, bytes);
    load(&vfs, Path::new(PATH), None)
}

fn message(bytes: &[u8]) -> String {
    read(bytes).unwrap_err().to_string()
}

/// Computes checksums and digest anew, so that hostile content comes with the seals of a good file.
fn reseal(bytes: &mut [u8]) {
    let count = u32::from_le_bytes(bytes[12..16].try_into().unwrap()) as usize;
    let digest = bytes.len() - DIGEST;
    let end = HEAD.saturating_add(count.saturating_mul(ENTRY));
    if end + CHECKSUM <= digest {
        (0..count).for_each(|index| reseal_section(bytes, HEAD + index * ENTRY));
        let checksum = crc32c::crc32c(&bytes[..end]);
        bytes[end..end + CHECKSUM].copy_from_slice(&checksum.to_le_bytes());
    }
    let hash = blake3::hash(&bytes[..digest]);
    bytes[digest..].copy_from_slice(hash.as_bytes());
}

fn reseal_section(bytes: &mut [u8], entry: usize) {
    let number = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
    let (offset, length) = (number(entry + 8), number(entry + 16));
    let range = (offset as usize)..(offset.saturating_add(length) as usize);
    let checksum = bytes.get(range).map_or(0, crc32c::crc32c);
    bytes[entry + 4..entry + 8].copy_from_slice(&checksum.to_le_bytes());
}

/// Draws from SplitMix64, for test data alone.
fn next_word(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut word = *state;
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}
