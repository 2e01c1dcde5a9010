//! Compares every back end with sums written out, over tails, densities and lengths.

use proptest::prelude::*;

use super::*;
use crate::Grid;

fn bits(rows: usize, units: usize, density: u32, seed: u64) -> BitMatrix {
    let key = crate::Key::from_seed(seed);
    let mut words = vec![0; units];
    let mut out = BitMatrix::zeros(rows, units);
    for row in 0..rows {
        crate::bernoulli::fill(key, row as u64, &mut words);
        (0..units).for_each(|unit| out.set(row, unit, words[unit] % 100 < density));
    }
    out
}

fn weights(n: usize, seed: u64) -> Vec<f32> {
    let mut words = vec![0; n];
    crate::bernoulli::fill(crate::Key::from_seed(seed), 1, &mut words);
    words.iter().map(|&w| (w >> 8) as f32 / 8_388_608.0 - 1.0).collect()
}

fn naive(bits: &BitMatrix, source: impl Fn(usize, usize) -> i32, width: usize) -> Vec<i32> {
    let mut out = vec![0; bits.rows() * width];
    for row in 0..bits.rows() {
        for n in 0..width {
            bits.for_each_one(row, |k| out[row * width + n] += source(k, n));
        }
    }
    out
}

fn on_each(bits: &BitMatrix, source: &impl Source, expected: &[i32]) {
    for backend in Backend::ALL.into_iter().filter(|b| b.available()) {
        let mut out = vec![0; expected.len()];
        accumulate(backend, bits, source, &mut out);
        assert_eq!(out, expected, "{backend}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, rng_seed: proptest::test_runner::RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn every_product_equals_its_definition(
        rows in 1_usize..140, visible in 1_usize..200, hidden in 1_usize..140, density in 0_u32..101, seed in 0_u64..1000,
    ) {
        let w = weights(visible * hidden, seed);
        let grid = Grid::settled(visible, hidden, 1.0);
        let coupling = Coupling::new(&w, visible, hidden, grid);
        let q = |i: usize, j: usize| grid.code(w[i * hidden + j]);
        let (v, h) = (bits(rows, visible, density, seed), bits(rows, hidden, density, seed + 1));
        on_each(&v, &Forward::new(&coupling), &naive(&v, q, hidden));
        on_each(&h, &Transposed::new(&coupling), &naive(&h, |j, i| q(i, j), visible));
        let p16: Vec<u16> = weights(rows * hidden, seed).iter().map(|x| (x * 32_767.0 + 32_768.0) as u16).collect();
        let t = v.transposed();
        let expected = naive(&t, |r, j| i32::from(p16[r * hidden + j]), hidden);
        on_each(&t, &Probabilities::new(&p16, hidden), &expected);
    }
}

#[test]
fn every_width_up_to_two_tiles_and_more_than_one_chunk_of_rows() {
    for units in (1..=130).chain([255, 256, 257]) {
        let w = weights(units * 33, 5);
        let grid = Grid::settled(units, 33, 1.0);
        let coupling = Coupling::new(&w, units, 33, grid);
        let v = bits(CHUNK + 3, units, 30, units as u64);
        on_each(&v, &Forward::new(&coupling), &naive(&v, |i, j| grid.code(w[i * 33 + j]), 33));
    }
}

#[test]
fn the_widest_layer_with_every_weight_at_its_limit_does_not_overflow() {
    let units = Grid::MAX_UNITS;
    let w = vec![-1.0; units];
    let grid = Grid::settled(units, 1, 1.0);
    let v = BitMatrix::from_fn(1, units, |_, _| true);
    let mut out = vec![0];
    forward(&v, &Coupling::new(&w, units, 1, grid), &mut out);
    assert_eq!(i64::from(out[0]), i64::from(grid.code(-1.0)) * units as i64);
}

#[test]
fn statistics_of_the_most_rows_at_probability_one_do_not_overflow() {
    let v = BitMatrix::from_fn(MAX_ROWS, 1, |_, _| true);
    let mut out = vec![0];
    add_statistics(&v, &vec![u16::MAX; MAX_ROWS], 1, &mut out);
    assert_eq!(i64::from(out[0]), 65_535 * MAX_ROWS as i64);
}
