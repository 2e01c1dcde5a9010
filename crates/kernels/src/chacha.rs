//! Computes ChaCha8 blocks word for word as `rand_chacha` does (Bernstein 2008; 64-bit counter, 64-bit stream).

use crate::simd::{Simd, lanes_to_rows};

/// Words of one block.
pub const BLOCK: usize = 16;

/// The constants of the first row: "expand 32-byte k".
pub(crate) const CONSTANTS: [u32; 4] = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574];

/// The eight quarter rounds of a double round: four columns, four diagonals.
pub(crate) const QUARTERS: [[usize; 4]; 8] = [
    [0, 4, 8, 12],
    [1, 5, 9, 13],
    [2, 6, 10, 14],
    [3, 7, 11, 15],
    [0, 5, 10, 15],
    [1, 6, 11, 12],
    [2, 7, 8, 13],
    [3, 4, 9, 14],
];

/// Computes one block of one stream.
pub fn block(key: &[u32; 8], counter: u64, stream: u64) -> [u32; BLOCK] {
    let start = state(key, counter, stream);
    let mut x = start;
    for _ in 0..4 {
        QUARTERS.iter().for_each(|q| quarter(&mut x, q));
    }
    std::array::from_fn(|i| x[i].wrapping_add(start[i]))
}

/// Lays out key, counter and stream as the sixteen words that the rounds begin with.
pub(crate) fn state(key: &[u32; 8], counter: u64, stream: u64) -> [u32; BLOCK] {
    let mut x = [0; BLOCK];
    x[..4].copy_from_slice(&CONSTANTS);
    x[4..12].copy_from_slice(key);
    x[12] = counter as u32;
    x[13] = (counter >> 32) as u32;
    x[14] = stream as u32;
    x[15] = (stream >> 32) as u32;
    x
}

fn quarter(x: &mut [u32; BLOCK], &[a, b, c, d]: &[usize; 4]) {
    x[a] = x[a].wrapping_add(x[b]);
    x[d] = (x[d] ^ x[a]).rotate_left(16);
    x[c] = x[c].wrapping_add(x[d]);
    x[b] = (x[b] ^ x[c]).rotate_left(12);
    x[a] = x[a].wrapping_add(x[b]);
    x[d] = (x[d] ^ x[a]).rotate_left(8);
    x[c] = x[c].wrapping_add(x[d]);
    x[b] = (x[b] ^ x[c]).rotate_left(7);
}

/// Says which blocks are computed side by side: lane l at counter + l of one stream, or at one counter of stream + l.
#[derive(Clone, Copy)]
pub(crate) enum Along {
    Counters,
    Streams,
}

/// Computes `LANES` blocks side by side: word w of each is in vector w.
///
/// The lower halves of counter and stream do not overflow over the lanes: there are no 2^32 − 16 rows or blocks.
#[inline(always)]
pub(crate) fn blocks<S: Simd>(key: &[u32; 8], counter: u64, stream: u64, along: Along) -> [S::I; BLOCK] {
    let mut start = [S::splat(0); BLOCK];
    let first = state(key, counter, stream);
    for w in 0..BLOCK {
        start[w] = S::splat(first[w] as i32);
    }
    let numbers = S::load(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
    match along {
        Along::Counters => start[12] = S::add(start[12], numbers),
        Along::Streams => start[14] = S::add(start[14], numbers),
    }
    let mut x = start;
    for _ in 0..4 {
        for &[a, b, c, d] in &QUARTERS {
            half_quarter::<S, 16, 12>(&mut x, [a, b, c, d]);
            half_quarter::<S, 8, 7>(&mut x, [a, b, c, d]);
        }
    }
    for w in 0..BLOCK {
        x[w] = S::add(x[w], start[w]);
    }
    x
}

/// Does the same and lays the blocks out one after the other.
#[inline(always)]
pub(crate) fn rows<S: Simd>(key: &[u32; 8], counter: u64, stream: u64, along: Along) -> [S::I; BLOCK] {
    lanes_to_rows::<S>(&blocks::<S>(key, counter, stream, along))
}

#[inline(always)]
fn half_quarter<S: Simd, const D: u32, const B: u32>(x: &mut [S::I; BLOCK], [a, b, c, d]: [usize; 4]) {
    x[a] = S::add(x[a], x[b]);
    x[d] = S::rotate::<D>(S::xor(x[d], x[a]));
    x[c] = S::add(x[c], x[d]);
    x[b] = S::rotate::<B>(S::xor(x[b], x[c]));
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngCore, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn words_are_those_of_rand_chacha() {
        for seed in 0..20_u64 {
            let key = crate::Key::from_seed(seed);
            let mut theirs = ChaCha8Rng::seed_from_u64(seed);
            theirs.set_stream(seed << 40 | 3);
            for counter in 0..9 {
                let ours = block(key.words(), counter, seed << 40 | 3);
                assert!(ours.iter().all(|&word| word == theirs.next_u32()));
            }
        }
    }
}
