//! Digests parameters, so that two models can be compared by one line of text.

use harmonium_kernels::BitMatrix;

use crate::rows::blocks;
use crate::units::States;
use crate::{Error, Rows};

/// Gives the BLAKE3 digest, in hexadecimal, of named parameters and of the shift `s` of their grid.
///
/// Each entry is (name, shape, values in C order). Every part goes in behind its length, as u64, and values
/// as little-endian f32, so that no two different lists feed the same bytes: 0 and −0 differ, and so do
/// `ab`, `c` and `a`, `bc`. The order of the entries counts.
pub fn digest(entries: &[(&str, &[usize], &[f32])], shift: i32) -> String {
    let mut hasher = blake3::Hasher::new();
    put_length(&mut hasher, entries.len());
    for (name, shape, values) in entries {
        put_length(&mut hasher, name.len());
        hasher.update(name.as_bytes());
        put_length(&mut hasher, shape.len());
        shape.iter().for_each(|&dim| put_length(&mut hasher, dim));
        put_length(&mut hasher, values.len());
        put_values(&mut hasher, values);
    }
    hasher.update(&shift.to_le_bytes());
    hasher.finalize().to_hex().to_string()
}

/// Gives the BLAKE3 digest, in hexadecimal, of packed rows: their shape and their words.
pub fn digest_bits(bits: &BitMatrix) -> String {
    let mut hasher = shape(bits.rows(), bits.units());
    put_words(&mut hasher, bits.words());
    hasher.finalize().to_hex().to_string()
}

/// Gives the same digest of rows that may not be in memory. Weights, where there are any, are part of it.
///
/// # Errors
/// Says which rows could not be read.
pub fn digest_rows(data: &dyn Rows) -> Result<String, Error> {
    let mut hasher = shape(data.rows(), data.units());
    if let Some(weights) = data.weights() {
        put_values(&mut hasher, weights);
    }
    for block in blocks(data) {
        match block?.states() {
            States::Bits(bits) => put_words(&mut hasher, bits.words()),
            States::Reals(values) => put_values(&mut hasher, &values.iter().copied().collect::<Vec<_>>()),
        }
    }
    Ok(hasher.finalize().to_hex().to_string())
}

fn shape(rows: usize, units: usize) -> blake3::Hasher {
    let mut hasher = blake3::Hasher::new();
    put_length(&mut hasher, rows);
    put_length(&mut hasher, units);
    hasher
}

fn put_words(hasher: &mut blake3::Hasher, words: &[u64]) {
    words.iter().for_each(|word| {
        hasher.update(&word.to_le_bytes());
    });
}

fn put_length(hasher: &mut blake3::Hasher, length: usize) {
    hasher.update(&(length as u64).to_le_bytes());
}

fn put_values(hasher: &mut blake3::Hasher, values: &[f32]) {
    let mut buffer = [0_u8; 4096];
    for chunk in values.chunks(buffer.len() / 4) {
        for (bytes, value) in buffer.chunks_exact_mut(4).zip(chunk) {
            bytes.copy_from_slice(&value.to_le_bytes());
        }
        hasher.update(&buffer[..4 * chunk.len()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_changes_the_digest() {
        let base = digest(&[("ab", &[2], &[0.0, 1.0]), ("c", &[1], &[2.0])], 3);
        let others = [
            digest(&[("a", &[2], &[0.0, 1.0]), ("bc", &[1], &[2.0])], 3),
            digest(&[("ab", &[1, 2], &[0.0, 1.0]), ("c", &[1], &[2.0])], 3),
            digest(&[("ab", &[2], &[-0.0, 1.0]), ("c", &[1], &[2.0])], 3),
            digest(&[("ab", &[2], &[0.0, 1.0]), ("c", &[1], &[2.0])], 4),
            digest(&[("c", &[1], &[2.0]), ("ab", &[2], &[0.0, 1.0])], 3),
            digest(&[("ab", &[2], &[0.0, 1.0])], 3),
        ];
        assert!(others.iter().all(|other| *other != base));
        assert_eq!(base.len(), 64);
    }

    #[test]
    fn the_bytes_are_the_documented_ones() {
        let values: Vec<f32> = (0..2_000_u16).map(f32::from).collect();
        let mut bytes = Vec::new();
        for length in [1_u64, 1] {
            bytes.extend(length.to_le_bytes());
        }
        bytes.push(b'w');
        for length in [2_u64, 50, 40, 2_000] {
            bytes.extend(length.to_le_bytes());
        }
        bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        bytes.extend((-7_i32).to_le_bytes());
        let expected = blake3::hash(&bytes).to_hex().to_string();
        assert_eq!(digest(&[("w", &[50, 40], &values)], -7), expected);
    }

    #[test]
    fn rows_in_blocks_have_the_digest_of_their_bits() {
        for rows in [1, 5000] {
            let bits = BitMatrix::from_fn(rows, 70, |r, u| (r * 3 + u * u) % 5 < 2);
            let batch = crate::Batch::from_bits(bits).unwrap();
            assert_eq!(digest_rows(&batch).unwrap(), digest_bits(batch.bits().unwrap()));
        }
    }
}
