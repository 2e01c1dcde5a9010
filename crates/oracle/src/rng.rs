//! Draws random numbers by xoshiro256++ (Blackman and Vigna 2019), seeded by splitmix64.

use std::f64::consts::TAU;

/// Holds the state of one generator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rng {
    state: [u64; 4],
}

impl Rng {
    /// Starts the generator of a seed.
    pub fn new(mut seed: u64) -> Self {
        Self { state: std::array::from_fn(|_| splitmix64(&mut seed)) }
    }

    /// Gives the next 64 bits.
    pub fn word(&mut self) -> u64 {
        let s = &mut self.state;
        let out = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let shifted = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= shifted;
        s[3] = s[3].rotate_left(45);
        out
    }

    /// Draws a number of [0, 1), a multiple of 2⁻⁵³.
    pub fn uniform(&mut self) -> f64 {
        (self.word() >> 11) as f64 * (-53.0_f64).exp2()
    }

    /// Draws `true` with probability `p`.
    pub fn bernoulli(&mut self, p: f64) -> bool {
        self.uniform() < p
    }

    /// Draws from 0…n−1; the bias of the multiplication, n · 2⁻⁶⁴, is beyond any test.
    pub fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.word()) * n as u128) >> 64) as usize
    }

    /// Draws from the standard normal law (Box and Muller 1958).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (TAU * self.uniform()).cos()
    }

    /// Permutes a slice (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

/// Advances a splitmix64 state (Steele, Lea and Flood 2014) and gives its output.
pub fn splitmix64(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{g_test, mean, variance, z_star};

    #[test]
    fn splitmix64_gives_the_published_words() {
        let mut state = 1_234_567;
        let words: [u64; 3] = std::array::from_fn(|_| splitmix64(&mut state));
        assert_eq!(words, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn xoshiro_gives_the_published_words() {
        let mut rng = Rng { state: [1, 2, 3, 4] };
        let words: [u64; 4] = std::array::from_fn(|_| rng.word());
        assert_eq!(words, [41_943_041, 58_720_359, 3_588_806_011_781_223, 3_591_011_842_654_386]);
    }

    #[test]
    fn draws_below_ten_are_even() {
        let (mut rng, mut counts) = (Rng::new(3), [0; 10]);
        (0..100_000).for_each(|_| counts[rng.below(10)] += 1);
        assert!(g_test(&counts, &[0.1; 10]).p_value > 1e-6);
    }

    /// The mean has deviation 1/√n; the variance of normals has deviation √(2/n). Two comparisons.
    #[test]
    fn normals_have_mean_zero_and_variance_one() {
        let (mut rng, n) = (Rng::new(4), 100_000.0_f64);
        let draws: Vec<f64> = (0..100_000).map(|_| rng.normal()).collect();
        assert!(mean(&draws).abs() < z_star(2) / n.sqrt());
        assert!((variance(&draws) - 1.0).abs() < z_star(2) * (2.0 / n).sqrt());
    }

    #[test]
    fn certain_draws_never_err() {
        let mut rng = Rng::new(5);
        assert!((0..10_000).all(|_| rng.bernoulli(1.0) && !rng.bernoulli(0.0)));
    }

    #[test]
    fn shuffles_permute() {
        let mut items: Vec<usize> = (0..100).collect();
        Rng::new(6).shuffle(&mut items);
        assert_ne!(items, (0..100).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
    }
}
