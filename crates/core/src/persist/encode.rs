//! Encodes small metadata with bincode; no other module knows which crate does it.
//!
//! bincode 2 believes length prefixes up to its limit, so only bytes that are at most [`LIMIT`] long and
//! whose checksums fit come here. A type decoded here must not be recursive (64 KiB of nesting would
//! exhaust the stack) and must not hold sequences of values without bytes (a length of 2⁶⁴−1 would loop).

use bincode::config::{Configuration, Fixint, Limit, LittleEndian};
use serde::{Deserialize, Serialize};

/// The most bytes that a piece of metadata may take.
pub(super) const LIMIT: usize = 65_536;

// Fixed-width little-endian integers: the layout of bincode 1, which other crates read too.
const CONFIG: Configuration<LittleEndian, Fixint, Limit<LIMIT>> =
    bincode::config::legacy().with_limit::<LIMIT>();

/// Encodes a value; the message says what was wrong with it.
pub(super) fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, String> {
    let bytes = bincode::serde::encode_to_vec(value, CONFIG).map_err(|e| e.to_string())?;
    if bytes.len() > LIMIT { Err(format!("{} bytes", bytes.len())) } else { Ok(bytes) }
}

/// Decodes a value from the start of `bytes` and gives the number of bytes it took.
pub(super) fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<(T, usize), String> {
    bincode::serde::borrow_decode_from_slice(bytes, CONFIG).map_err(|e| e.to_string())
}
