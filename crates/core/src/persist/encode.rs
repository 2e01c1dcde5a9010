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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Units;

    #[derive(Serialize, Deserialize)]
    enum Unit {
        Bernoulli(u64),
        Gaussian(u64),
    }

    #[derive(Serialize, Deserialize)]
    struct Header {
        recipe: String,
        units: Vec<Unit>,
        rates: Vec<f64>,
        note: Option<String>,
        resumed: bool,
    }

    /// Mixed units are variant 9 with a sequence of units; a nest of them would exhaust the stack.
    #[test]
    fn units_do_not_nest() {
        let level = [&9_u32.to_le_bytes()[..], &1_u64.to_le_bytes()[..]].concat();
        let simple = [&0_u32.to_le_bytes()[..], &3_u64.to_le_bytes()[..]].concat();
        let mixed = [&level[..], &simple].concat();
        assert_eq!(decode::<Units>(&mixed).unwrap().0, Units::Mixed(vec![Units::Bernoulli(3)]));
        for depth in [2, 5_000] {
            assert!(decode::<Units>(&level.repeat(depth)).unwrap_err().contains("simple parts"));
        }
        // A refusal leaves nothing behind.
        assert!(decode::<Units>(&mixed).is_ok());
    }

    #[test]
    fn another_crate_reads_and_writes_the_same_bytes() {
        // bincode is no longer maintained; this is the way out. A struct is its fields in order and an enum
        // is a u32 before its fields, so tuples can stand for both.
        type Fields = (String, Vec<(u32, u64)>, Vec<f64>, Option<String>, bool);
        let units = vec![Unit::Bernoulli(784), Unit::Gaussian(u64::MAX)];
        let (recipe, note) = ("pcd".to_owned(), Some("größer".to_owned()));
        let bytes = encode(&Header { recipe, units, rates: vec![0.05, -0.0], note, resumed: true }).unwrap();
        let fields: Fields = wincode::deserialize_exact(&bytes).unwrap();
        assert_eq!((fields.0.as_str(), &*fields.1), ("pcd", &[(0, 784), (1, u64::MAX)][..]));
        assert_eq!((&*fields.2, fields.3.as_deref(), fields.4), (&[0.05, -0.0][..], Some("größer"), true));
        assert_eq!(wincode::serialize(&fields).unwrap(), bytes);
    }
}
