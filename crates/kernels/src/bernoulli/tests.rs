//! Compares layers with units drawn one by one from the specification, and streams with their generator.

use proptest::prelude::*;
use rand::RngCore;

use super::*;
use crate::backend::on_each;
use crate::numeric;

/// Draws and rounds unit by unit.
fn specified(sums: &[i32], affine: &Affine<'_>, key: Key) -> (BitMatrix, Vec<u16>) {
    let units = affine.bias.len();
    let activation = |at: usize| sums[at] as f32 * affine.quantum * affine.gain + affine.bias[at % units];
    let mut bits = BitMatrix::zeros(sums.len() / units, units);
    for row in 0..bits.rows() {
        let mut stream = key.stream(row as u64);
        for unit in 0..units {
            bits.set(row, unit, numeric::bernoulli(stream.next_u32(), activation(row * units + unit)));
        }
    }
    (bits, (0..sums.len()).map(|at| numeric::p16(activation(at))).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, rng_seed: proptest::test_runner::RngSeed::Fixed(2), ..ProptestConfig::default() })]

    #[test]
    fn layers_are_drawn_as_specified(
        rows in 1_usize..70, units in 1_usize..131, seed in 0_u64..10_000, gain in 0.0_f32..2.0, step in -24_i32..-10,
        odd in prop::sample::select(vec![f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e4, -1e4, 0.0, -200.0]),
    ) {
        let mut words = vec![0; rows * units + units];
        fill(Key::from_seed(seed), 0, &mut words);
        let sums: Vec<i32> = words[..rows * units].iter().map(|&w| w as i32 >> 8).collect();
        let mut bias: Vec<f32> = words[rows * units..].iter().map(|&w| (w as i32) as f32 * 1e-9).collect();
        bias[units / 2] = odd;
        let affine = Affine { quantum: (step as f32).exp2(), gain, bias: &bias };
        let (key, input) = (Key::from_seed(seed + 1), Input::Sums(&sums));
        let expected = specified(&sums, &affine, key);
        on_each(|backend| {
            assert_eq!(sample_with_probabilities(&input, &affine, key), expected, "{backend}");
            assert_eq!(sample(&input, &affine, key), expected.0, "{backend}");
            assert_eq!(probabilities(&input, &affine), expected.1, "{backend}");
            // The same sums as floats, which hold them exactly.
            let reals: Vec<f32> = sums.iter().map(|&sum| sum as f32).collect();
            let reals = Input::Reals(&reals);
            assert_eq!(sample_with_probabilities(&reals, &affine, key), expected, "{backend}");
            let both = [softplus(&reals, &affine), softplus(&input, &affine)];
            assert_eq!(format!("{:?}", both[0]), format!("{:?}", both[1]), "{backend}");
        });
    }
}

#[test]
fn every_length_of_words_is_that_of_the_stream() {
    let key = Key::from_seed(3).fold_in(4);
    on_each(|backend| {
        for length in 0..800 {
            let mut words = vec![0; length];
            fill(key, length as u64, &mut words);
            let mut stream = key.stream(length as u64);
            assert!(words.iter().all(|&w| w == stream.next_u32()), "{length} words on {backend}");
        }
    });
}

#[test]
fn softplus_sums_are_those_of_the_formula() {
    // Bound: e^−|x| errs by 1.2e-7 relative, so a term by at most 0.6e-7.
    for units in (1..40).chain([4096, 5000]) {
        let bias: Vec<f32> = (0..units).map(|j| ((j * 37 % 101) as f32 - 50.0) * 0.3).collect();
        let affine = Affine { quantum: 1.0, gain: 1.0, bias: &bias };
        let exact: f64 =
            bias.iter().map(|&x| f64::from(x).max(0.0) + (-f64::from(x).abs()).exp().ln_1p()).sum();
        let sum = softplus(&Input::Sums(&vec![0; units]), &affine)[0];
        assert!((sum - exact).abs() <= 0.7e-7 * units as f64, "{units} units: {sum} for {exact}");
        on_each(|backend| {
            assert_eq!(
                sum.to_bits(),
                softplus(&Input::Sums(&vec![0; units]), &affine)[0].to_bits(),
                "{backend}"
            );
        });
    }
}
