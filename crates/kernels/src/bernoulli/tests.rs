//! Compares the vector paths with the portable one, word by word and unit by unit.

use super::*;
use proptest::prelude::*;

/// Gives every path of this machine besides the portable one.
#[allow(unsafe_code)]
fn vectors() -> Vec<Path> {
    let mut paths: Vec<Path> = Vec::new();
    #[cfg(target_arch = "x86_64")]
    {
        if Backend::Avx2.available() {
            paths.push(|sums, affine, mut out| {
                // SAFETY: the machine has the instructions.
                let done = unsafe { crate::x86::activate_avx2(sums, affine, &mut out) };
                activate_from(done, sums, affine, out);
            });
        }
        if Backend::Avx512.available() {
            paths.push(|sums, affine, mut out| {
                // SAFETY: the machine has the instructions.
                let done = unsafe { crate::x86::activate_avx512(sums, affine, &mut out) };
                activate_from(done, sums, affine, out);
            });
        }
    }
    paths
}

type Path = fn(&[i32], &Affine<'_>, Out<'_>);

fn run(path: Path, sums: &[i32], affine: &Affine<'_>, words: &[u32]) -> (Vec<u64>, Vec<u16>) {
    let mut bits = vec![0; sums.len().div_ceil(64)];
    let mut p16 = vec![0; sums.len()];
    path(sums, affine, Out { bits: Some((words, &mut bits)), p16: Some(&mut p16) });
    (bits, p16)
}

fn scalar(sums: &[i32], affine: &Affine<'_>, out: Out<'_>) {
    activate_from(0, sums, affine, out);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, rng_seed: proptest::test_runner::RngSeed::Fixed(2), ..ProptestConfig::default() })]

    #[test]
    fn vector_units_equal_portable_ones(
        units in 1_usize..131, seed in 0_u64..10_000, gain in 0.0_f32..2.0, step in -24_i32..-10,
        odd in prop::sample::select(vec![f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e4, -1e4, 0.0, -200.0]),
    ) {
        let mut words = vec![0; 3 * units];
        fill(Key::from_seed(seed), 0, &mut words);
        let sums: Vec<i32> = words[..units].iter().map(|&w| w as i32 >> 8).collect();
        let mut bias: Vec<f32> = words[units..2 * units].iter().map(|&w| (w as i32) as f32 * 1e-9).collect();
        bias[units / 2] = odd;
        let affine = Affine { quantum: (step as f32).exp2(), gain, bias: &bias };
        let draws = &words[2 * units..];
        for vector in vectors() {
            prop_assert_eq!(run(vector, &sums, &affine, draws), run(scalar, &sums, &affine, draws));
        }
    }
}

/// 10⁶ activations from −20 to 20 with words that lie next to the threshold.
#[test]
fn bits_next_to_their_threshold_agree() {
    let bias = [0.0; 128];
    for base in (-1_000_000..1_000_000_i32).step_by(128) {
        let sums: Vec<i32> = (0..128).map(|i| (base + i) * 2).collect();
        let affine = Affine { quantum: 1e-5, gain: 1.0, bias: &bias };
        let words: Vec<u32> = sums
            .iter()
            .map(|&s| {
                let threshold = (numeric::sigmoid(s as f32 * 1e-5) * 16_777_216.0) as u32;
                (threshold + (s as u32 >> 1) % 3).saturating_sub(1).min((1 << 24) - 1) << 8
            })
            .collect();
        for vector in vectors() {
            assert_eq!(run(vector, &sums, &affine, &words), run(scalar, &sums, &affine, &words));
        }
    }
}

#[test]
fn every_length_of_words_is_that_of_the_stream() {
    use rand::RngCore;
    let key = Key::from_seed(3).fold_in(4);
    for backend in Backend::ALL.into_iter().filter(|b| b.available()) {
        backend.force();
        for length in 0..800 {
            let mut words = vec![0; length];
            fill(key, length as u64, &mut words);
            let mut stream = key.stream(length as u64);
            assert!(words.iter().all(|&w| w == stream.next_u32()), "{length} words on {backend}");
        }
    }
}

#[test]
fn softplus_sums_are_those_of_the_formula() {
    // Bound: e^−|x| errs by 1.2e-7 relative, so a term by at most 0.6e-7.
    for units in (1..40).chain([4096, 5000]) {
        let bias: Vec<f32> = (0..units).map(|j| ((j * 37 % 101) as f32 - 50.0) * 0.3).collect();
        let affine = Affine { quantum: 1.0, gain: 1.0, bias: &bias };
        let exact: f64 =
            bias.iter().map(|&x| f64::from(x).max(0.0) + (-f64::from(x).abs()).exp().ln_1p()).sum();
        let sum = softplus(&vec![0; units], &affine)[0];
        assert!((sum - exact).abs() <= 0.7e-7 * units as f64, "{units} units: {sum} for {exact}");
        for backend in Backend::ALL.into_iter().filter(|b| b.available()) {
            backend.force();
            assert_eq!(sum.to_bits(), softplus(&vec![0; units], &affine)[0].to_bits(), "{backend}");
        }
    }
}
