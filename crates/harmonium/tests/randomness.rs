//! Proves randomness (oracle O14): frozen words, streams of their own, draws at the ends of the scale, fresh orders.

mod common;

use std::collections::HashSet;

use common::tolerance::{U, tau_p};
use common::{close, coins, key, library, model, threshold};
use harmonium::train::{Fit, Pcd, Schedule, Step, WithGradient, fit};
use harmonium::units::States;
use harmonium::{BitMatrix, Gibbs, Key, data, purpose};
use harmonium_kernels::bernoulli::{Affine, Input, fill, probabilities, sample};
use harmonium_kernels::numeric;
use harmonium_oracle::math::sigmoid;
use harmonium_oracle::rbm::Rbm as Exact;
use harmonium_oracle::rng::Rng;

/// Frozen on 64-bit little-endian machines, where they are the words of ChaCha8 in `rand_chacha` 0.9.
const WORDS: [u32; 2] = [2_628_128_831, 559_332_703];

fn words(key: Key, row: u64, count: usize) -> Vec<u32> {
    let mut out = vec![0; count];
    fill(key, row, &mut out);
    out
}

#[test]
fn words_are_frozen() {
    assert_eq!(words(key(1).fold_in(purpose::NEGATIVE), 2, 2), WORDS);
}

/// The end of a stream does not depend on how much of it is asked for.
#[test]
fn words_have_fixed_places() {
    let long = words(key(5), 9, 1000);
    for count in [1, 15, 16, 17, 127, 128, 129, 999] {
        assert_eq!(words(key(5), 9, count), long[..count]);
    }
}

/// A million random addresses (purpose, step, row): two streams that shared a key would share their first 128 bits, and
/// by chance two of them do with probability 10¹² / 2¹²⁹. Keys themselves differ by their 256 bits.
#[test]
fn addresses_share_no_stream() {
    let (mut rng, mut addresses, mut seen) = (Rng::new(1), HashSet::new(), HashSet::new());
    while addresses.len() < 1_000_000 {
        // Small numbers too: neighbours are what a weak derivation confuses.
        let most = [4, 100, 1 << 40][rng.below(3)];
        let address = (1 + rng.below(10) as u64, rng.below(most) as u64, rng.below(most) as u64);
        if addresses.insert(address) {
            let (purpose, step, row) = address;
            let first = words(key(7).fold_in(purpose).fold_in(step), row, 4);
            assert!(seen.insert(first), "{address:?} shares a stream");
        }
    }
}

/// Folding is not commutative, nor is folding twice the folding of a sum: no two short paths meet.
#[test]
fn paths_of_folding_do_not_meet() {
    let mut seen = HashSet::new();
    for (a, b) in (0..64).flat_map(|a| (0..64).map(move |b| (a, b))) {
        assert!(seen.insert(*key(3).fold_in(a).fold_in(b).words()), "path {a}, {b}");
    }
    assert!((0..64).all(|a| seen.insert(*key(3).fold_in(a).words())));
}

/// Rows of one half-step draw apart: 1,000 rows of 64 units agree in no two rows.
#[test]
fn rows_draw_apart() {
    let rbm = model(64, 64, 0.0, 1);
    let mut state = rbm.init(1000, key(1));
    rbm.sweep(&mut state, key(2));
    for bits in [state.visible(), state.hidden()].map(States::expect_bits) {
        let rows: HashSet<u64> = bits.words().iter().copied().collect();
        assert_eq!(rows.len(), 1000);
    }
}

/// The two half-steps of a sweep take different words: with fair coins v and h are independent, so in 64,000 pairs they
/// agree half of the time; one bound of 4.89 deviations of √(N / 4).
#[test]
fn half_steps_draw_apart() {
    let rbm = model(64, 64, 0.0, 1);
    let mut state = rbm.init(1000, key(3));
    rbm.sweep(&mut state, key(4));
    let pairs = state.visible().expect_bits().words().iter().zip(state.hidden().expect_bits().words());
    let differ: u32 = pairs.map(|(v, h)| (v ^ h).count_ones()).sum();
    close(f64::from(differ), 32_000.0, 4.89 * 16_000.0_f64.sqrt(), "pairs that differ");
}

/// Thresholds by bisection: #{u < σ(x)} on the grid of 2⁻²⁴, against σ in f64 at τ_p, from the smallest to the largest
/// probability. p = 1e-12 keeps the one word 0, p = 1 − 1e-12 keeps all.
#[test]
fn thresholds_are_those_of_the_sigmoid() {
    let logit = (1e-12_f64 / (1.0 - 1e-12)).ln() as f32;
    for x in (-400..=400).map(|n| n as f32 * 0.1).chain([logit, -logit]) {
        let p = sigmoid(f64::from(x));
        close(f64::from(threshold(x)) * U, p, tau_p(0.0, f64::from(x)), x);
    }
    assert_eq!((threshold(logit), threshold(-logit)), (1, 1 << 24));
    assert_eq!(
        (threshold(0.0), threshold(f32::INFINITY), threshold(f32::NEG_INFINITY)),
        (1 << 23, 1 << 24, 0)
    );
    assert_eq!(threshold(f32::NAN), 0);
}

/// Bisection needs it: once a word is too large, all larger ones are.
#[test]
fn draws_are_monotone_in_the_word() {
    for x in [-12.0_f32, -3.3, -0.1, 0.0, 0.7, 2.0, 9.5] {
        let edge = i64::from(threshold(x));
        for word in (edge - 2000..edge + 2000).filter(|w| (0..1 << 24).contains(w)) {
            assert_eq!(numeric::bernoulli((word as u32) << 8, x), word < edge, "{x}, {word}");
            assert_eq!(numeric::bernoulli((word as u32) << 8 | 255, x), word < edge, "{x}, {word}");
        }
    }
}

/// Draws units of one activation: a million words, in widths that vector paths and their tails share.
fn draws(x: f32) -> BitMatrix {
    let bias = vec![x; 71];
    sample(&Input::Sums(&vec![0; 71 * 14_085]), &Affine { quantum: 1.0, gain: 1.0, bias: &bias }, key(6))
}

fn ones(bits: &BitMatrix) -> u64 {
    bits.count_by_unit().iter().sum()
}

#[test]
fn certain_draws_never_err() {
    assert_eq!(ones(&draws(f32::NEG_INFINITY)), 0);
    assert_eq!(ones(&draws(f32::NAN)), 0);
    assert_eq!(ones(&draws(f32::INFINITY)), 71 * 14_085);
    let all =
        |x: f32| probabilities(&Input::Sums(&[0; 71]), &Affine { quantum: 1.0, gain: 1.0, bias: &[x; 71] });
    assert_eq!((all(f32::NEG_INFINITY), all(0.0)), (vec![0; 71], vec![32_768; 71]));
    assert_eq!(all(f32::INFINITY), vec![65_535; 71]);
}

/// p = ½ within 4.89 deviations of √N / 2; p = 1e-12 only where 24 bits of the word are zero, p = 1 − 1e-12 never off.
#[test]
fn nearly_certain_draws_err_where_the_word_says_so() {
    let n = 71.0 * 14_085.0_f64;
    close(ones(&draws(0.0)) as f64, n / 2.0, 4.89 * n.sqrt() / 2.0, "ones");
    let (rare, mut row) = (draws(-27.6), vec![0; 71]);
    for r in 0..rare.rows() {
        fill(key(6), r as u64, &mut row);
        assert!((0..71).all(|j| rare.get(r, j) == (row[j] >> 8 == 0)), "row {r}");
    }
    assert_eq!(ones(&draws(27.7)), 71 * 14_085);
}

/// Every epoch has an order of its own, that of its number: with certain visible units the gradient of b is 1 − v of the
/// row, which shows what rows the batches of one row hold.
#[test]
fn every_epoch_has_its_own_order() {
    let mut sure = Exact::zeros(12, 1);
    sure.visible_bias.fill(30.0);
    let rows = harmonium::Batch::from_bits(coins(9, 12, 5)).unwrap();
    let mut seen = Vec::new();
    let mut look = WithGradient(|step: &Step<'_, harmonium::rbm::Rbm>| {
        seen.push(
            step.gradient
                .unwrap()
                .get("visible_bias")
                .unwrap()
                .values
                .iter()
                .map(|g| *g < 0.5)
                .collect::<Vec<_>>(),
        );
        std::ops::ControlFlow::Continue(())
    });
    let options = Fit { epochs: 4, batch: 1, learning_rate: Schedule::Constant(0.0), ..Fit::default() };
    fit(&mut library(&sure), &rows, &mut Pcd::new(1, 10), &options, key(8), &mut look).unwrap();
    let expected = (0..4).flat_map(|epoch| data::shuffled(9, key(8), epoch));
    let expected: Vec<Vec<bool>> =
        expected.map(|row| common::bools(rows.bits().unwrap(), row as usize)).collect();
    assert_eq!(seen, expected);
    assert_ne!(seen[..9], seen[9..18]);
}
