//! Decides a block of units: by bounds on what they receive where these tell, else by the function that all units go by.
//!
//! A unit with the word u becomes 1 where its activation exceeds ln(u / (1 − u)), nearly: [`numeric::bernoulli`] rounds. So each
//! unit has a bound on its sum below which it surely becomes 0, and one above which it surely becomes 1. They are known before the
//! sums are, and a comparison of integers takes a quarter of the time of an exponential. Whoever is between them, one in two
//! thousand, is decided by the function itself, with all others of the block.
//!
//! [`numeric::bernoulli`]: crate::numeric::bernoulli

use crate::chacha::BLOCK;
use crate::numeric::lanes;
use crate::simd::Simd;

/// The most vectors of a block.
pub(super) const MOST: usize = 4;

/// How far from the bound an activation must be. All errors together stay below half of it: of an activation of at most 8 and
/// a bias of at most 100 in three roundings, 4e-5; of e^−x and of 1 + e^−x, 2e-7 + 6e-8 e^8 = 2e-4; of the logarithm, 2e-5.
const MARGIN: f32 = 1e-3;

/// Activations and biases with larger magnitudes, and bounds that are no sums, are left to the function.
const ACTIVATION: f32 = 8.0;
const BIAS: f32 = 100.0;
const SUM: f32 = 1e9;

/// Says how the units of a machine turn what they receive into activations, and what bounds on sums follow.
#[derive(Clone, Copy)]
pub(super) struct Rule<S: Simd> {
    quantum: S::F,
    beta: S::F,
    spins: bool,
    /// What a logarithm of odds counts for, 1, of spins 1/2.
    half: S::F,
    /// Sums in one unit of activation, and in the margin.
    each: S::F,
    margin: S::F,
    /// Whether bounds can be told at all.
    bounded: bool,
}

impl<S: Simd> Rule<S> {
    #[inline(always)]
    pub(super) fn new(scale: [f32; 2], spins: bool) -> Self {
        let weight = scale[0] * scale[1];
        let [quantum, beta] = scale.map(S::splat_f32);
        Self {
            quantum,
            beta,
            spins,
            half: S::splat_f32(if mutant!("B161", spins, false) { 0.5 } else { 1.0 }),
            each: S::splat_f32(1.0 / weight),
            // A step of the sums may be wider than the margin.
            margin: S::splat_f32(MARGIN / weight + 1.0),
            bounded: weight > 0.0 && margin_fits(weight),
        }
    }

    /// Finds the bounds of one vector, and the units without: (ln(u / (1 − u)) ± margin − bias) / (2^-s β), for spins half the
    /// logarithm. Below the first a unit becomes 0, above the second 1.
    #[inline(always)]
    pub(super) fn bounds(&self, words: S::I, biases: S::F) -> (S::I, S::I, u32) {
        let activation = logit::<S>(words);
        let centre =
            S::mul(S::add_f32(S::mul(activation, self.half), lanes::negated::<S>(biases)), self.each);
        let low = S::to_int(S::add_f32(centre, lanes::negated::<S>(self.margin)));
        let high = S::to_int(S::add_f32(centre, self.margin));
        let within = |x: S::F, limit: f32| S::less(S::splat_f32(-limit), lanes::minus_absolute::<S>(x));
        let told = within(activation, ACTIVATION) & within(biases, BIAS) & within(centre, SUM);
        let told = if self.bounded { told } else { 0 };
        (low, high, !told & (u32::MAX >> (32 - S::LANES)))
    }

    /// Decides one vector by what it receives.
    #[inline(always)]
    pub(super) fn decide(&self, words: S::I, biases: S::F, sums: S::I) -> u32 {
        let (low, high, open) = self.bounds(words, biases);
        let ones = S::less_int(high, sums);
        let sure = (ones | S::less_int(sums, low)) & !open;
        if sure == u32::MAX >> (32 - S::LANES) { ones } else { self.exactly(words, biases, sums) }
    }

    /// Decides one vector as the plain loop does.
    #[inline(always)]
    fn exactly(&self, words: S::I, biases: S::F, sums: S::I) -> u32 {
        let input = S::mul(S::mul(S::from_int(sums), self.quantum), self.beta);
        let activation = S::add_f32(input, biases);
        let activation = if self.spins { S::add_f32(activation, activation) } else { activation };
        let e = lanes::exp::<S>(lanes::negated::<S>(activation));
        lanes::bernoulli::<S>(words, activation, e)
    }
}

/// Holds words, biases and bounds of the units of a block.
pub(super) struct Laws<S: Simd> {
    rule: Rule<S>,
    words: [S::I; MOST],
    biases: [S::F; MOST],
    low: [S::I; MOST],
    high: [S::I; MOST],
    /// Units without bounds.
    open: u32,
}

/// Cuts a block into vectors.
#[inline(always)]
pub(super) fn vectors<S: Simd>(block: &[i32; BLOCK]) -> [S::I; MOST] {
    let mut out = [S::splat(0); MOST];
    for v in 0..BLOCK / S::LANES {
        out[v] = S::load(&block[v * S::LANES..]);
    }
    out
}

impl<S: Simd> Laws<S> {
    #[inline(always)]
    pub(super) fn new(rule: Rule<S>, words: &[u32; BLOCK], biases: &[f32; BLOCK]) -> Self {
        let none = [S::splat(0); MOST];
        let words = vectors::<S>(&words.map(|word| word as i32));
        let biases_none = [S::splat_f32(0.0); MOST];
        let mut out = Self { rule, words, biases: biases_none, low: none, high: none, open: 0 };
        for v in 0..BLOCK / S::LANES {
            out.biases[v] = S::load_f32(&biases[v * S::LANES..]);
            let (low, high, open) = rule.bounds(words[v], out.biases[v]);
            (out.low[v], out.high[v]) = (low, high);
            out.open |= open << (v * S::LANES);
        }
        out
    }

    /// Decides the units by what they receive; only those of `asked` must be right.
    #[inline(always)]
    pub(super) fn ones(&self, sums: &[S::I; MOST], asked: u32) -> u32 {
        let (ones, unsure) = self.decided(sums);
        if unsure & asked == 0 { ones } else { self.exactly(sums) }
    }

    /// Gives the units that surely become 1, and those of which the bounds say nothing.
    #[inline(always)]
    pub(super) fn decided(&self, sums: &[S::I; MOST]) -> (u32, u32) {
        let (mut ones, mut zeros) = (0, 0);
        for v in 0..BLOCK / S::LANES {
            ones |= S::less_int(self.high[v], sums[v]) << (v * S::LANES);
            zeros |= S::less_int(sums[v], self.low[v]) << (v * S::LANES);
        }
        (ones, !(ones | zeros) | self.open)
    }

    /// Moves the bounds apart, for sums that may be off by so much.
    #[inline(always)]
    pub(super) fn widened(mut self, by: &[i32; BLOCK]) -> Self {
        let by = vectors::<S>(by);
        for v in 0..BLOCK / S::LANES {
            self.low[v] = S::sub(self.low[v], by[v]);
            self.high[v] = S::add(self.high[v], by[v]);
        }
        self
    }

    /// Decides the units as the plain loop does.
    #[inline(always)]
    fn exactly(&self, sums: &[S::I; MOST]) -> u32 {
        (0..BLOCK / S::LANES).fold(0, |ones, v| {
            ones | self.rule.exactly(self.words[v], self.biases[v], sums[v]) << (v * S::LANES)
        })
    }
}

/// Tells whether a margin in units of sums stays far from overflow.
fn margin_fits(weight: f32) -> bool {
    MARGIN / weight < SUM
}

/// Computes ln(u / (1 − u)), u = (word >> 8) · 2^-24, to 2e-5 where it is finite.
#[inline(always)]
fn logit<S: Simd>(words: S::I) -> S::F {
    let u = S::mul(S::from_int(S::shr::<8>(words)), S::splat_f32(1.0 / 16_777_216.0));
    let odds = S::div(u, S::add_f32(S::splat_f32(1.0), lanes::negated::<S>(u)));
    let bits = S::to_bits(odds);
    let exponent = S::sub(S::shr::<23>(bits), S::splat(127));
    let mantissa = S::or(S::and(bits, S::splat(0x007F_FFFF)), S::splat(0x3F80_0000));
    let x = S::add_f32(S::from_bits(mantissa), S::splat_f32(-1.0));
    let mut p = S::splat_f32(LOG[0]);
    for &c in &LOG[1..] {
        p = S::fma(p, x, S::splat_f32(c));
    }
    S::fma(S::from_int(exponent), S::splat_f32(std::f32::consts::LN_2), p)
}

/// Coefficients of x^6 … 1 of ln(1 + x) on [0, 1], fitted at Chebyshev's points.
const LOG: [f32; 7] =
    [-0.017_414_08, 0.082_691_24, -0.190_354_34, 0.315_747_32, -0.497_373_22, 0.999_847_7, 0.000_001_47];
