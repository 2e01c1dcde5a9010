//! Addresses randomness: a draw depends on a key and a place, never on what was drawn before.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::chacha;

/// Names what a draw is for; the first number folded into a seed's key.
pub mod purpose {
    /// Initial weights.
    pub const INIT: u64 = 1;
    /// Order of the rows; its step is the epoch.
    pub const SHUFFLE: u64 = 2;
    /// Binarisation of grey data.
    pub const BINARIZE: u64 = 3;
    /// Latent draws of the positive phase.
    pub const POSITIVE: u64 = 4;
    /// Draws of the negative phase.
    pub const NEGATIVE: u64 = 5;
    /// First states of chains.
    pub const CHAINS: u64 = 6;
    /// Annealed importance sampling.
    pub const AIS: u64 = 7;
    /// Swaps of tempering.
    pub const SWAP: u64 = 8;
    /// Draws of an evaluation or of a sample that a user asks for; its step is one of [`super::evaluate`].
    pub const EVALUATE: u64 = 9;
    /// Dropout.
    pub const DROPOUT: u64 = 10;
    /// Missing values, drawn given those that are there.
    pub const COMPLETE: u64 = 11;
    /// Searches for ground states; its step is the round.
    pub const ANNEAL: u64 = 12;
}

/// Names the uses of [`purpose::EVALUATE`], in the place where other purposes have the step.
pub mod evaluate {
    /// Which rows chains start from.
    pub const ORDER: u64 = 0;
    /// Chains that walk from data to the model.
    pub const WALK: u64 = 1;
    /// Samples for a user.
    pub const SAMPLE: u64 = 2;
    /// Hidden draws of a reconstruction.
    pub const RECONSTRUCT: u64 = 3;
    /// Missing values that a user asks for.
    pub const IMPUTE: u64 = 4;
    /// Sequences that are rolled on from their beginnings.
    pub const ROLL: u64 = 12;
    /// Comparisons of samples with data.
    pub const COMPARE: u64 = 13;
    /// Rows of which something is known: noise taken off, gaps filled, fine pixels below coarse ones.
    pub const CLAMP: u64 = 14;
    /// Gaps that chains of any model fill.
    pub const FILL: u64 = 15;
}

/// The block of a stream from which a folded key is read: beyond every word that a draw can reach.
const FOLD_BLOCK: u64 = 1 << 63;

/// Holds the 32 bytes that address a family of ChaCha8 streams.
///
/// ```
/// use harmonium_kernels::{Key, purpose};
/// use rand::RngCore;
/// let key = Key::from_seed(1).fold_in(purpose::NEGATIVE).fold_in(7);
/// assert_eq!(key.stream(3).next_u32(), key.stream(3).next_u32());
/// assert_ne!(key.stream(3).next_u32(), key.stream(4).next_u32());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key([u32; 8]);

impl Key {
    /// Expands a seed as `ChaCha8Rng::seed_from_u64` does.
    pub fn from_seed(seed: u64) -> Self {
        let bytes = ChaCha8Rng::seed_from_u64(seed).get_seed();
        Self(std::array::from_fn(|i| u32::from_le_bytes(std::array::from_fn(|b| bytes[4 * i + b]))))
    }

    /// Makes the key of a purpose, a step, a sweep or a half-step below this one.
    #[must_use]
    pub fn fold_in(self, n: u64) -> Self {
        let block = chacha::block(&self.0, FOLD_BLOCK, n);
        Self(std::array::from_fn(|i| block[i]))
    }

    /// Opens the stream of a row, from its first word, as a generator for whatever takes one.
    pub fn stream(self, row: u64) -> ChaCha8Rng {
        let mut seed = [0; 32];
        seed.chunks_exact_mut(4)
            .zip(self.0)
            .for_each(|(bytes, word)| bytes.copy_from_slice(&word.to_le_bytes()));
        let mut stream = ChaCha8Rng::from_seed(seed);
        stream.set_stream(row);
        stream
    }

    /// Gives the eight words of the key.
    pub fn words(&self) -> &[u32; 8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngCore;

    #[test]
    fn folding_reads_the_stream_at_its_far_block() {
        let key = Key::from_seed(42);
        for n in [0, 1, 9, u64::MAX] {
            let mut far = key.stream(n);
            far.set_word_pos(16_u128 << 63);
            let words: [u32; 8] = std::array::from_fn(|_| far.next_u32());
            assert_eq!(key.fold_in(n).0, words);
        }
    }

    #[test]
    fn the_first_words_are_frozen() {
        let key = Key::from_seed(1);
        let mut stream = key.fold_in(purpose::NEGATIVE).stream(2);
        let words = [stream.next_u32(), stream.next_u32(), key.words()[0]];
        assert_eq!(words, FROZEN);
    }

    const FROZEN: [u32; 3] = [2_628_128_831, 559_332_703, 1_914_558_698];
}
